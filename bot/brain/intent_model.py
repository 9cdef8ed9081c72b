"""Texts to intents, without Rasa: what the classifier learns, how it reads a long message, how sure it may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.brain import linear
from bot.brain.features import features
from bot.brain.linear import Array, LinearModel
from bot.languages.courtesy import sentences_without_courtesy
from bot.languages.normalise import fold, words

RANKING_LENGTH = 5
# Less than this, left of a message without its courtesies, asks nothing: "ok hiểu, cảm ơn" is thanks as a whole.
MESSAGE_WORDS = 4
# A sentence up to this long that means one of these is left out of a longer message; the words of courtesy.py catch most.
COURTESIES = frozenset({"greet", "thanks", "goodbye"})
COURTESY_WORDS = 9
# From here on a message is a story. If the whole is unsure, its last sentence is read by itself too, if that is clear enough.
STORY_WORDS = 14
QUESTION_WORDS = 3
SURE = 0.8
CLEAR = 0.5
FOLDS = 5
DEFAULTS: dict[str, Any] = {"cost": 1.0, "minimum_examples": {"w": 2, "v": 2, "d": 3}}


class IntentModel:
    """`train` from texts and their intents, `ranking` of one text."""

    def __init__(self, model: LinearModel) -> None:
        self.model = model

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str], config: dict[str, Any]) -> IntentModel:
        """Fit on all pairs; the temperature comes from a model that did not see every fifth stretch of examples."""
        both = [(features(text), features(fold(text))) for text in texts]
        held_out = _held_out(intents)
        kept = [i for i in range(len(texts)) if i not in held_out]
        # As typed alone: half the time, and a temperature 7 % lower than with both spellings.
        calibration = cls._fit([both[i][:1] for i in kept], [intents[i] for i in kept], config)
        order = {label: i for i, label in enumerate(calibration.labels)}
        seen = [(both[i][0], order[intents[i]]) for i in sorted(held_out) if intents[i] in order]
        model = cls._fit(both, intents, config)
        if seen:
            scores = [calibration.scores(copy) for copy, _ in seen]
            model.temperature = linear.best_temperature(scores, [truth for _, truth in seen])
        return cls(model)

    @staticmethod
    def _fit(spellings: Sequence[Sequence[linear.Counts]], intents: Sequence[str], config: dict[str, Any]) -> LinearModel:
        examples = [copy for copies in spellings for copy in copies]
        labels = [intent for copies, intent in zip(spellings, intents, strict=True) for _ in copies]
        return linear.fit(examples, labels, minimum=config["minimum_examples"], cost=config["cost"])

    def ranking(self, text: str) -> list[tuple[str, float]]:
        """The likeliest intents with their probabilities, best first; empty for a text without a single word."""
        if not words(text):
            return []
        chances = self.model.probabilities(self._scores(text))
        best = np.argsort(-chances, kind="stable")[:RANKING_LENGTH]
        return [(self.model.labels[i], float(chances[i])) for i in best]

    def _scores(self, text: str) -> Array:
        """Of the whole message without its courtesies; of an unclear story, the mean of that and of its last sentence."""
        sentences = self._asking(text)
        length = sum(len(words(sentence)) for sentence in sentences)
        if length < MESSAGE_WORDS:
            return self.model.scores(features(text))
        whole = self.model.scores(features(". ".join(sentences)))
        long_enough = [sentence for sentence in sentences if len(words(sentence)) >= QUESTION_WORDS]
        if length < STORY_WORDS or len(long_enough) < 2 or self._surety(whole) >= SURE:
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

    def _surety(self, scores: Array) -> float:
        return float(self.model.probabilities(scores).max())


def _held_out(intents: Sequence[str]) -> set[int]:
    """The last fifth of each intent's examples. Neighbours in a file paraphrase each other: a random fifth would flatter."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, intent in enumerate(intents):
        places[intent].append(i)
    return {i for group in places.values() for i in group[len(group) - len(group) // FOLDS :]}
