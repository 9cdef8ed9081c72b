"""Texts to intents, without Rasa: what the classifier learns, how it reads a long message, how sure it may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.brain import linear
from bot.brain.features import features
from bot.brain.linear import Array, LinearModel
from bot.languages.normalise import clauses, fold, words

RANKING_LENGTH = 5
# From here on a message is a story: its last sentence is read by itself too.
STORY_WORDS = 14
QUESTION_WORDS = 3
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
        calibration = cls._fit([both[i] for i in kept], [intents[i] for i in kept], config)
        order = {label: i for i, label in enumerate(calibration.labels)}
        seen = [(copy, order[intents[i]]) for i in sorted(held_out) if intents[i] in order for copy in both[i]]
        model = cls._fit(both, intents, config)
        if seen:
            scores = [calibration.scores(copy) for copy, _ in seen]
            model.temperature = linear.best_temperature(scores, [truth for _, truth in seen])
        return cls(model)

    @staticmethod
    def _fit(both: Sequence[tuple[linear.Counts, linear.Counts]], intents: Sequence[str], config: dict[str, Any]) -> LinearModel:
        examples = [copy for pair in both for copy in pair]
        labels = [intent for intent in intents for _ in range(2)]
        return linear.fit(examples, labels, minimum=config["minimum_examples"], cost=config["cost"])

    def ranking(self, text: str) -> list[tuple[str, float]]:
        """The likeliest intents with their probabilities, best first; empty for a text without a single word."""
        if not words(text):
            return []
        chances = self.model.probabilities(self._scores(text))
        best = np.argsort(-chances, kind="stable")[:RANKING_LENGTH]
        return [(self.model.labels[i], float(chances[i])) for i in best]

    def _scores(self, text: str) -> Array:
        """Of a story, the mean of the whole and of its last sentence: citizens tell what happened and ask last."""
        whole = self.model.scores(features(text))
        question = _last_question(text)
        if question is None:
            return whole
        return np.asarray((whole + self.model.scores(features(question))) / 2, dtype=np.float32)


def _held_out(intents: Sequence[str]) -> set[int]:
    """The last fifth of each intent's examples. Neighbours in a file paraphrase each other: a random fifth would flatter."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, intent in enumerate(intents):
        places[intent].append(i)
    return {i for group in places.values() for i in group[len(group) - len(group) // FOLDS :]}


def _last_question(text: str) -> str | None:
    """The last sentence that says something, when the text is long and has more than one; else None."""
    if len(words(text)) < STORY_WORDS:
        return None
    sentences = [sentence for sentence in clauses(text) if len(words(sentence)) >= QUESTION_WORDS]
    return sentences[-1] if len(sentences) > 1 else None
