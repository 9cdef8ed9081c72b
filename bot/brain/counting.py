"""From the texts of a training to its table of numbers: (examples, features), tf-idf, block by block.

To see what is in the texts takes two fifths of a training. Each text is seen for itself, so two processes take half of them each;
the table is the same to the last bit.
"""

from __future__ import annotations

import multiprocessing
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bot.brain.linear import Block, Counts

Numbers = NDArray[np.int64]
Table = tuple[dict[str, Block], sparse.csr_matrix]

# Fewer texts are seen before a second process has started.
WORTH_A_PROCESS = 4_000


@dataclass
class Tally:
    """One block of features of some texts. `terms` in the order in which they were first met; for all texts one behind the other,
    the `places` of their terms in it and the `numbers` of times each occurs; `lengths`: how many terms each text has."""

    terms: list[str]
    places: Numbers
    numbers: Numbers
    lengths: Numbers


def counted(texts: Sequence[str], seen: Callable[[str], Counts], minimum: Mapping[str, int]) -> Table:
    """The terms of each block of features, and the tf-idf table of the texts.

    `seen`: a function of a module, what the model sees of a text, the same counts for training and for a citizen's message.
    `minimum`: the blocks, and in how many texts a term of each must occur to count. A row of the table is what `_weighted` of
    bot/brain/linear.py gives for that text.
    """
    blocks: dict[str, Block] = {}
    tables: list[sparse.csr_matrix] = []
    first = 0
    for (name, at_least), tally in zip(minimum.items(), _tallied(texts, seen, list(minimum)), strict=True):
        blocks[name], table = _weighed(tally, at_least, first)
        tables.append(table)
        first += table.shape[1]
    return blocks, sparse.hstack(tables, format="csr")


def times_in(table: sparse.csr_matrix, block: Block) -> dict[str, int]:
    """In how many rows of such a table each term of the block occurs."""
    columns = table[:, block.first_column : block.first_column + len(block.index)]
    return dict(zip(block.index, columns.getnnz(axis=0).tolist(), strict=True))


def _tallied(texts: Sequence[str], seen: Callable[[str], Counts], names: Sequence[str]) -> list[Tally]:
    if len(texts) < WORTH_A_PROCESS:
        return _tallies(texts, seen, names)
    half = len(texts) // 2
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as other:
        second = other.submit(_tallies, texts[half:], seen, names)
        first = _tallies(texts[:half], seen, names)
        return list(map(_joined, first, second.result()))


def _tallies(texts: Sequence[str], seen: Callable[[str], Counts], names: Sequence[str]) -> list[Tally]:
    counts = list(map(seen, texts))
    return [_tally([of_text[name] for of_text in counts]) for name in names]


def _tally(texts: Sequence[Counter[str]]) -> Tally:
    met: defaultdict[str, int] = defaultdict(count().__next__)
    places, numbers = array("q"), array("q")
    for counts in texts:
        places.extend(map(met.__getitem__, counts))
        numbers.extend(counts.values())
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return Tally(list(met), np.array(places), np.array(numbers), lengths)


def _joined(first: Tally, second: Tally) -> Tally:
    """As if all texts had been tallied in a row."""
    met: defaultdict[str, int] = defaultdict(count(len(first.terms)).__next__, zip(first.terms, count(), strict=False))
    moved = np.fromiter(map(met.__getitem__, second.terms), dtype=np.int64, count=len(second.terms))
    return Tally(
        list(met),
        np.concatenate([first.places, moved[second.places]]),
        np.concatenate([first.numbers, second.numbers]),
        np.concatenate([first.lengths, second.lengths]),
    )


def _weighed(tally: Tally, at_least: int, first_column: int) -> tuple[Block, sparse.csr_matrix]:
    """Commonest terms first: what is read most then lies side by side in memory, and the fit takes a sixth less time."""
    texts = len(tally.lengths)
    occurs = np.bincount(tally.places, minlength=len(tally.terms))
    kept = np.argsort(-occurs, kind="stable")[: np.count_nonzero(occurs >= at_least)]
    idf = np.asarray(np.log((1 + texts) / (1 + occurs[kept])) + 1, dtype=np.float32)
    block = Block({tally.terms[place]: column for column, place in enumerate(kept)}, idf, first_column)
    column_of = np.full(len(tally.terms), -1)
    column_of[kept] = np.arange(len(kept))
    columns = column_of[tally.places]
    counts = columns >= 0
    columns, rows = columns[counts], np.repeat(np.arange(texts), tally.lengths)[counts]
    values = (1 + np.log(tally.numbers[counts])) * idf[columns].astype(np.float64)
    values /= np.sqrt(np.bincount(rows, values**2, minlength=texts))[rows]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=texts))])
    table = sparse.csr_matrix((values, columns, starts), shape=(texts, len(kept)))
    table.sort_indices()
    return block, table
