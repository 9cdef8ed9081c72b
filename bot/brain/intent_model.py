"""Texts to intents, without Rasa: what the classifier learns, how it reads a long message, how sure it may be."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.brain import linear
from bot.brain.counting import counted, times_in
from bot.brain.features import features
from bot.brain.foreign_model import ForeignModel, mean
from bot.brain.linear import Array, LinearModel
from bot.brain.typos import mistyped
from bot.languages.choices import chosen_language
from bot.languages.concepts import MIXED, in_vietnamese
from bot.languages.courtesy import sentences_without_courtesy
from bot.languages.follow_ups import follow_ups
from bot.languages.normalise import fold, normalise, words
from bot.languages.questions import questions
from bot.languages.spelling import Spelling

WORDS_FILE = "words.json"
FOREIGN_FOLDER = "foreign"
VIETNAMESE = "vi"
CHOOSE_LANGUAGE = "choose_language"
RANKING_LENGTH = 5
# A word of fewer examples is not taken for the right spelling of another.
LEAST_TIMES = 4
# Less than this, left of a message without its courtesies, asks nothing: "ok hiểu, cảm ơn" is thanks as a whole.
MESSAGE_WORDS = 4
# A sentence up to this long that means one of these is left out of a longer message; the words of courtesy.py catch most.
COURTESIES = frozenset({"greet", "thanks", "goodbye"})
COURTESY_WORDS = 9
# From here on a message is a story. If the whole is unsure, its last sentence is read by itself too, if that is clear enough;
# the same where the whole seems to be about another illness, for so does a history that bears on nothing.
STORY_WORDS = 14
QUESTION_WORDS = 3
HISTORY = "other_medical"
SURE = 0.8
CLEAR = 0.5
FOLDS = 5
# A second question is answered too from this chance on: a needless button is worse than none.
CLEAR_QUESTION = 0.6
# Talk and refusals are nothing that a citizen asks about beside something else.
NO_TOPICS = COURTESIES | {
    *("affirm", "deny", "bot_identity", "help_menu", "choose_language", "talk_to_human", "not_helpful", "inform_place"),
    *("delete_my_data", "subscribe", "unsubscribe", "other_medical", "out_of_scope", "emergency"),
}
DEFAULTS: dict[str, Any] = {"cost": 1.0, "minimum_examples": {"w": 2, "v": 2, "c": 2}}


class IntentModel:
    """`train` from texts and their intents, `ranking` of one text."""

    def __init__(self, model: LinearModel, known_words: Mapping[str, int], foreign: ForeignModel | None = None) -> None:
        """`known_words`: the words of the examples without diacritics and how often each occurs. `foreign`: for messages in
        another language than Vietnamese."""
        self.model = model
        self.foreign = foreign
        self.known_words = dict(known_words)
        self._spelling = Spelling(self.known_words)

    @classmethod
    def train(
        cls, texts: Sequence[str], intents: Sequence[str], config: dict[str, Any], foreign: ForeignModel | None = None
    ) -> IntentModel:
        """Fit on all pairs; the temperature comes from a model that did not see every fifth stretch of examples."""
        labels = sorted(set(intents))
        hurried = {i: copy for i, text in enumerate(texts) if (copy := _as_typed_in_haste(text, i)) != text}
        truth = np.array([labels.index(intents[i]) for i in (*range(len(texts)), *hurried)])
        blocks, table = counted([*texts, *hurried.values()], features, config["minimum_examples"])
        held_out = _held_out(intents)
        # As typed alone: half the time, and a temperature 7 % lower than with both spellings.
        kept = [i for i in range(len(texts)) if i not in held_out]
        known = {intents[k] for k in kept}
        seen = [i for i in sorted(held_out) if intents[i] in known]
        model = linear.fit(table, truth, labels, blocks, cost=config["cost"])
        if seen:
            calibration = linear.fit(table[kept], truth[kept], labels, blocks, cost=config["cost"])
            model.temperature = linear.best_temperature(calibration.scores_of(table[seen]), truth[seen])
        return cls(model, _known_words(times_in(table[: len(texts)], blocks["v"])), foreign)

    def save(self, folder: Path) -> None:
        self.model.save(folder)
        (folder / WORDS_FILE).write_text(json.dumps(self.known_words, ensure_ascii=False), encoding="utf-8")
        if self.foreign:
            self.foreign.save(folder / FOREIGN_FOLDER)

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote; raises OSError, KeyError or ValueError on anything else."""
        known_words = json.loads((folder / WORDS_FILE).read_text(encoding="utf-8"))
        return cls(LinearModel.load(folder), known_words, ForeignModel.load(folder / FOREIGN_FOLDER))

    def ranking(self, text: str, language: str = VIETNAMESE) -> list[tuple[str, float]]:
        """The likeliest intents with their probabilities, best first; empty for a text without a single word. `language`: what
        the message is in, or the conversation."""
        if not words(text):
            return []
        if chosen_language(text):
            return [(CHOOSE_LANGUAGE, 1.0)]
        mixed = in_vietnamese(text)
        if self.foreign and (mixed is not None or self._is_foreign(text, self.read_as(language))):
            believed = self.foreign.probabilities(text)
            if mixed is not None or language in MIXED:
                believed = self._believed_together(believed, text, mixed or text)
            return sorted(believed.items(), key=lambda guess: -guess[1])[:RANKING_LENGTH]
        chances = self._chances(text)
        best = np.argsort(-chances, kind="stable")[:RANKING_LENGTH]
        return [(self.model.labels[i], float(chances[i])) for i in best]

    def read_as(self, language: str) -> str:
        """The language itself where there are examples of it. Else Vietnamese: who chose Mường, which has neither examples nor
        answers yet, writes Vietnamese."""
        return language if self.foreign and language in self.foreign.languages else VIETNAMESE

    def _believed_together(self, theirs: Mapping[str, float], text: str, vietnamese: str) -> dict[str, float]:
        """Of a message that may be half Vietnamese. Each model counts by the square of the share of words that it knows: what it
        believes of a sentence of strange words is a guess. `vietnamese`: the text with its known phrases in Vietnamese."""
        ours = dict(zip(self.model.labels, self._chances(vietnamese).tolist(), strict=True))
        known_to_them = _share(words(normalise(text)), lambda word: self.foreign is not None and self.foreign.knows([word]))
        known_to_us = _share(words(normalise(vietnamese)), self._knows)
        return mean(theirs, ours, (known_to_them**2, known_to_us**2))

    def _knows(self, word: str) -> bool:
        """With the marks that it has; one typed without any is any of those that it may stand for."""
        return word in self.model.blocks["v" if word.isascii() else "w"].index

    def _is_foreign(self, text: str, language: str) -> bool:
        """In a Vietnamese conversation a word or two ("symptoms"), too short to tell the language by, that the Vietnamese model
        does not know; in another one everything but what only the Vietnamese model knows ("ok")."""
        said = words(normalise(text))
        theirs = self.foreign is not None and self.foreign.knows(said)
        ours = any(fold(word) in self.model.blocks["v"].index for word in said)
        return theirs and not ours if language == VIETNAMESE else theirs or not ours

    def _chances(self, text: str) -> Array:
        return self.model.probabilities(self._scores(text))

    def respelt(self, text: str, language: str = VIETNAMESE) -> str:
        """The text as a reader corrects it, normalised; itself where nothing is to correct. What looks for whole phrases looks
        here too."""
        if self.read_as(language) != VIETNAMESE:
            return text
        typed = normalise(text)
        corrected = self._spelling.with_known_marks(typed, self.model.blocks["w"].index)
        return text if corrected == typed else corrected

    def second_question(self, text: str, first: str) -> str | None:
        """Another topic that the message clearly asks about besides `first`; None for the usual message with one question."""
        parts = questions(text)
        if len(parts) < 2:
            return None
        asked: list[str] = []
        for part in parts:
            asked += filter(None, [self._clear_topic(part, asked[-1] if asked else first)])
        return next((intent for intent in asked if intent != first), None) if first in asked else None

    def _clear_topic(self, question: str, earlier: str) -> str | None:
        """What a part of a message asks: "bao nhiêu tiền" goes on with what the part before it asked."""
        if meant := follow_ups().meant(question, earlier):
            return meant
        chances = self.model.probabilities(self.model.scores(features(self._spelling.repaired(question))))
        best = int(np.argmax(chances))
        intent = self.model.labels[best]
        return intent if chances[best] >= CLEAR_QUESTION and intent not in NO_TOPICS else None

    def _scores(self, text: str) -> Array:
        """Of the whole message without its courtesies; of a doubtful story, the mean of that and of its last sentence."""
        sentences = [self._spelling.repaired(sentence) for sentence in self._asking(text)]
        length = sum(len(words(sentence)) for sentence in sentences)
        if length < MESSAGE_WORDS:
            return self.model.scores(features(self._spelling.repaired(normalise(text))))
        whole = self.model.scores(features(". ".join(sentences)))
        long_enough = [sentence for sentence in sentences if len(words(sentence)) >= QUESTION_WORDS]
        if length < STORY_WORDS or len(long_enough) < 2 or self._is_settled(whole):
            return whole
        question = self.model.scores(features(long_enough[-1]))
        return np.asarray((whole + question) / 2, dtype=np.float32) if self._surety(question) >= CLEAR else whole

    def _asking(self, text: str) -> list[str]:
        sentences = sentences_without_courtesy(text)
        if len(sentences) < 2:
            return sentences
        return [sentence for sentence in sentences if not self._is_courtesy(sentence)]

    def _is_courtesy(self, sentence: str) -> bool:
        if len(words(sentence)) > COURTESY_WORDS:
            return False
        scores = self.model.scores(features(sentence))
        return self.model.labels[int(np.argmax(scores))] in COURTESIES

    def _is_settled(self, whole: Array) -> bool:
        return self._surety(whole) >= SURE and self.model.labels[int(np.argmax(whole))] != HISTORY

    def _surety(self, scores: Array) -> float:
        return float(self.model.probabilities(scores).max())


def _share(said: Sequence[str], is_known: Callable[[str], bool]) -> float:
    return sum(map(is_known, said)) / max(len(said), 1)


def _known_words(times: Mapping[str, int]) -> dict[str, int]:
    """Words that several examples hold: one alone may be mistyped itself. `times`: in how many each term occurs."""
    return {term: often for term, often in times.items() if often >= LEAST_TIMES and " " not in term and term.isascii()}


def _as_typed_in_haste(text: str, number: int) -> str:
    """The second copy of an example: without diacritics, every other one mistyped too. So the model meets both as often."""
    bare = fold(text)
    return mistyped(bare, number) if number % 2 else bare


def _held_out(intents: Sequence[str]) -> set[int]:
    """The last fifth of each intent's examples. Neighbours in a file paraphrase each other: a random fifth would flatter."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, intent in enumerate(intents):
        places[intent].append(i)
    return {i for group in places.values() for i in group[len(group) - len(group) // FOLDS :]}
