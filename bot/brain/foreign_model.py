"""The questions in other languages than Vietnamese: a small linear model of its own, beside the Vietnamese one.

Of its own, because a few examples more in English must not move a single Vietnamese answer, and because it is fitted in a second.
Concepts are the same in all languages, so that what one language lacks an example for, another may teach.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from bot.brain import linear
from bot.brain.counting import counted
from bot.brain.features import Features, features
from bot.brain.linear import Array, LinearModel
from bot.languages.normalise import fold

# With so few examples a word counts from its first on.
MINIMUM = {"w": 1, "v": 1, "c": 1, "p": 2}
# "vaccinate", "vaccinated" and "vaccination" begin alike.
BEGINNING = 5
COST = 1.0
# Every so many-th example of an intent is kept back to see how far the probabilities are to be believed.
STEP = 4
LANGUAGES_FILE = "languages.json"


class ForeignModel:
    """`train` from texts and their intents, `probabilities` of one text by intent."""

    def __init__(self, model: LinearModel, languages: Collection[str]) -> None:
        """`languages`: those that it has examples of."""
        self._model = model
        self.languages = frozenset(languages)

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str], languages: Collection[str]) -> ForeignModel | None:
        """None where there is nothing to tell apart. Every text is learned as typed and without marks."""
        labels = sorted(set(intents))
        if len(labels) < 2:
            return None
        truth = np.array([labels.index(intent) for intent in intents])
        bare = {i: fold(text) for i, text in enumerate(texts) if fold(text) != text}
        blocks, table = counted([*texts, *bare.values()], _seen, MINIMUM)
        both = np.concatenate([truth, truth[list(bare)]]) if bare else truth
        model = linear.fit(table, both, labels, blocks, cost=COST)
        kept, held_out = _split(intents)
        if held_out:
            calibration = linear.fit(table[kept], truth[kept], labels, blocks, cost=COST)
            model.temperature = linear.best_temperature(calibration.scores_of(table[held_out]), truth[held_out])
        return cls(model, languages)

    def save(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._model.save(folder)
        (folder / LANGUAGES_FILE).write_text(json.dumps(sorted(self.languages)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ForeignModel | None:
        """None where nothing was saved; raises as `LinearModel.load`."""
        if not folder.exists():
            return None
        return cls(LinearModel.load(folder), json.loads((folder / LANGUAGES_FILE).read_text(encoding="utf-8")))

    def probabilities(self, text: str) -> dict[str, float]:
        chances: Array = self._model.probabilities(self._model.scores(_seen(text)))
        return dict(zip(self._model.labels, chances.tolist(), strict=True))

    def knows(self, words: Collection[str]) -> bool:
        return any(word in self._model.blocks["w"].index for word in words)


def mean(first: Mapping[str, float], second: Mapping[str, float], weights: tuple[float, float]) -> dict[str, float]:
    """What two models believe together, each with its weight; an intent that one does not know has no chance there."""
    whole = sum(weights) or 1.0
    names = {**first, **second}
    return {name: (weights[0] * first.get(name, 0.0) + weights[1] * second.get(name, 0.0)) / whole for name in names}


def _seen(text: str) -> Features:
    """Also `p`, the beginnings of longer words: Vietnamese has no endings, other languages do."""
    seen = features(text, every_language=True)
    seen["p"] = Counter({word[:BEGINNING]: 1 for word in seen["v"] if " " not in word and len(word) > BEGINNING})
    return seen


def _split(intents: Sequence[str]) -> tuple[list[int], list[int]]:
    """(kept, held out); of an intent with fewer than STEP examples none is held out."""
    times: dict[str, int] = {}
    held_out = []
    for i, intent in enumerate(intents):
        times[intent] = times.get(intent, 0) + 1
        if times[intent] % STEP == 0:
            held_out.append(i)
    out = set(held_out)
    return [i for i in range(len(intents)) if i not in out], held_out
