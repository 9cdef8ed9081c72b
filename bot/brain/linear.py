"""A linear classifier over counted pieces of text: fitted by liblinear, kept as JSON and plain arrays, scored by numpy.

Nothing is pickled: a model file from elsewhere can hold wrong numbers, but never code.
"""

from __future__ import annotations

import json
import math
import multiprocessing
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import LinearSVC

Array = NDArray[np.float32]
Counts = Mapping[str, Counter[str]]

VOCABULARY_FILE = "vocabulary.json"
ARRAYS_FILE = "arrays.npz"
SEED = 20
# liblinear stops here: tighter changes no measured accuracy and takes a quarter longer, looser gains a twentieth.
TOLERANCE = 0.1
# A table with fewer numbers is fitted before a second process has started.
WORTH_A_PROCESS = 300_000
# Stands for all labels of the other half; sorted before them.
REST = -1


@dataclass
class Block:
    """One kind of features with its own vocabulary; every text has length one in every block."""

    index: dict[str, int]
    idf: Array
    first_column: int


@dataclass
class LinearModel:
    """`weights` is (features, labels), `bias` (labels,); scores / temperature go through a softmax."""

    labels: list[str]
    blocks: dict[str, Block]
    weights: Array
    bias: Array
    temperature: float = 1.0

    def scores(self, counts: Counts) -> Array:
        """Distance from each label's boundary, in the order of `labels`."""
        total = self.bias.copy()
        for name, block in self.blocks.items():
            columns, values = _weighted(counts.get(name) or {}, block)
            if len(columns):
                total += values @ self.weights.take(columns, axis=0)
        return total

    def scores_of(self, table: sparse.csr_matrix) -> Array:
        """The scores of every row of such a table: (examples, labels)."""
        return np.asarray(table @ self.weights + self.bias, dtype=np.float32)

    def probabilities(self, scores: Array) -> Array:
        shifted = (scores - scores.max()) / self.temperature
        weights = np.exp(shifted)
        return np.asarray(weights / weights.sum(), dtype=np.float32)

    def save(self, folder: Path) -> None:
        vocabulary = {
            "labels": self.labels,
            "temperature": self.temperature,
            "blocks": {name: list(block.index) for name, block in self.blocks.items()},
        }
        (folder / VOCABULARY_FILE).write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        idf = {f"idf_{name}": block.idf for name, block in self.blocks.items()}
        # Half precision on disk: the ranking of no message changes, the file halves.
        np.savez_compressed(folder / ARRAYS_FILE, weights=self.weights.astype(np.float16), bias=self.bias, **idf)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read what `save` wrote; raises OSError, KeyError or ValueError on anything else."""
        vocabulary = json.loads((folder / VOCABULARY_FILE).read_text(encoding="utf-8"))
        with np.load(folder / ARRAYS_FILE, allow_pickle=False) as arrays:
            blocks: dict[str, Block] = {}
            first = 0
            for name, terms in vocabulary["blocks"].items():
                blocks[name] = Block({term: i for i, term in enumerate(terms)}, arrays[f"idf_{name}"], first)
                first += len(terms)
            weights = arrays["weights"].astype(np.float32)
            return cls(vocabulary["labels"], blocks, weights, arrays["bias"], float(vocabulary["temperature"]))


def fit(table: sparse.csr_matrix, truth: Array, labels: list[str], blocks: dict[str, Block], *, cost: float) -> LinearModel:
    """One-against-rest SVM over the rows of `table`; `truth` holds each row's place in `labels`. Every label must occur.

    Each label is a problem of its own, so two processes take half of them each. Not two threads: liblinear keeps one state of
    chance for the whole process, and the model would depend on who drew first.
    """
    number = np.bincount(truth, minlength=len(labels))
    balanced = {label: len(truth) / (len(labels) * count) for label, count in enumerate(number) if count}
    halves = [range(0, len(labels), 2), range(1, len(labels), 2)]
    if table.nnz < WORTH_A_PROCESS:
        fitted = [_against_rest(table, truth, half, balanced, cost) for half in halves]
    else:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as other:
            second = other.submit(_against_rest, table, truth, halves[1], balanced, cost)
            fitted = [_against_rest(table, truth, halves[0], balanced, cost), second.result()]
    weights = np.empty((len(labels), table.shape[1]), dtype=np.float32)
    bias = np.empty(len(labels), dtype=np.float32)
    for half, (rows, offsets) in zip(halves, fitted, strict=True):
        weights[half], bias[half] = rows, offsets
    return LinearModel(labels, blocks, np.ascontiguousarray(weights.T), bias)


def _against_rest(
    table: sparse.csr_matrix, truth: Array, wanted: Sequence[int], balanced: Mapping[int, float], cost: float
) -> tuple[Array, Array]:
    """Weights and bias of the labels in `wanted`, each against all others, in their order."""
    mine = np.where(np.isin(truth, list(wanted)), truth, REST)
    names = sorted(set(mine.tolist()))
    weight = {name: balanced.get(name, 1.0) for name in names}
    svm = LinearSVC(C=cost, class_weight=weight, tol=TOLERANCE, random_state=SEED, max_iter=2_000)
    svm.fit(table, mine)
    rows, offsets = svm.coef_, svm.intercept_
    if len(names) == 2:  # liblinear keeps one row, of the second label
        rows, offsets = np.vstack([-rows, rows]), np.concatenate([-offsets, offsets])
    places = [names.index(label) for label in wanted]
    return rows[places], offsets[places]


def best_temperature(table: Array, truth: Array) -> float:
    """The temperature under which held-out texts are least surprising (smallest mean negative log-likelihood).

    `table` is (texts, labels) scores, `truth` each text's label.
    """
    rows = np.arange(len(truth))

    def surprise(temperature: float) -> float:
        shifted = table / temperature
        peak = shifted.max(axis=1, keepdims=True)
        logs = shifted - peak - np.log(np.exp(shifted - peak).sum(axis=1, keepdims=True))
        return float(-logs[rows, truth].mean())

    return float(min(np.geomspace(0.02, 2.0, 60), key=surprise))


def _weighted(counts: Mapping[str, int], block: Block) -> tuple[NDArray[np.int64], Array]:
    """Columns of the whole matrix and tf-idf values of one text in one block, at length one."""
    places = [place for place in map(block.index.get, counts) if place is not None]
    if not places:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    columns = np.array(places)
    values = block.idf[columns]
    if sum(counts.values()) > len(counts):  # most texts say nothing twice
        values *= 1 + np.log([number for term, number in counts.items() if term in block.index])
    return columns + block.first_column, values / np.float32(math.sqrt(values @ values))
