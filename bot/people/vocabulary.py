"""The words of data/directory/{people,conditions,vaccines}.yml in one index, and where they stand in a message."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from bot.directory.conditions import Conditions
from bot.directory.vaccines import Vaccines
from bot.languages.normalise import fold, normalise, words
from bot.languages.phrases import Phrases
from bot.people.reading import Reading
from bot.yaml_files import read_yaml

AS_WRITTEN = "!"
COVID = "covid"


@dataclass(frozen=True)
class Meaning:
    """`kind`: condition, drug, reaction, allergen, vaccine, group, pregnancy, event or nothing; `key`: which one of these.
    `as_written`: means it only in a text with diacritics."""

    kind: str
    key: str
    as_written: bool = False


@dataclass(frozen=True)
class Hit:
    """Words `first` to `last` (exclusive) of a reading mean `key`."""

    kind: str
    key: str
    first: int
    last: int


class Hits(Sequence[Hit]):
    """The hits of one message from left to right."""

    def __init__(self, hits: Iterable[Hit]) -> None:
        self._hits = tuple(hits)
        self._firsts = tuple(hit.first for hit in self._hits)

    def __len__(self) -> int:
        return len(self._hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | Sequence[Hit]:
        return self._hits[index]

    def within(self, first: int, last: int) -> Sequence[Hit]:
        """Those that begin at the words `first` to `last` (exclusive), without looking at the others."""
        return self._hits[bisect_left(self._firsts, first) : bisect_left(self._firsts, last)]


class WordSet:
    """Short phrases that are looked for right before or right after a place, with or without diacritics."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases: set[tuple[str, ...]] = set()
        for phrase in phrases:
            spelt = words(normalise(phrase.removeprefix(AS_WRITTEN)))
            both = [(word,) if phrase.startswith(AS_WRITTEN) else (word, fold(word)) for word in spelt]
            self._phrases.update(itertools.product(*both))
        self._longest = max((len(phrase) for phrase in self._phrases), default=0)

    def __contains__(self, word: object) -> bool:
        return (word,) in self._phrases

    def ending_at(self, row: Sequence[str], place: int) -> int:
        """How many words of the longest phrase that ends just before `place`; 0 when none does."""
        lengths = range(min(self._longest, place), 0, -1)
        return next((n for n in lengths if tuple(row[place - n : place]) in self._phrases), 0)

    def starting_at(self, row: Sequence[str], place: int) -> int:
        """How many words of the longest phrase that begins at `place`; 0 when none does."""
        lengths = range(min(self._longest, len(row) - place), 0, -1)
        return next((n for n in lengths if tuple(row[place : place + n]) in self._phrases), 0)


class Vocabulary:
    """Build it once: loading reads and indexes three files."""

    def __init__(self, people: Mapping[str, Any], conditions: Conditions, vaccines: Vaccines) -> None:
        self.conditions = conditions
        self.vaccines = vaccines
        self.words = {name: WordSet(phrases) for name, phrases in people["words"].items()}
        self._phrases: Phrases[Meaning] = Phrases()
        for kind, key, phrases in _entries(people, conditions, vaccines):
            for phrase in phrases:
                self._add(str(phrase), kind, key)

    @classmethod
    def load(cls, root: Path) -> Vocabulary:
        """Read the three tables below `root`; a missing part raises KeyError naming it."""
        people = read_yaml(root / "data/directory/people.yml")
        return cls(people, Conditions.load(root), Vaccines.load(root))

    def hits(self, reading: Reading) -> Hits:
        """Every word or phrase of the tables in a message, the longest at each place, from left to right."""
        found_here = self._phrases.find(reading.words, None if reading.is_marked else _is_read_without_marks)
        return Hits(
            Hit(meaning.kind, meaning.key, found.first, found.last)
            for found in found_here
            for meaning in found.values
            if meaning.kind != "nothing"
        )

    def _add(self, phrase: str, kind: str, key: str) -> None:
        as_written = phrase.startswith(AS_WRITTEN)
        spelt = normalise(phrase.removeprefix(AS_WRITTEN))
        self._phrases.add(spelt, Meaning(kind, key, as_written), needs_marks=as_written)


def _is_read_without_marks(meaning: Meaning) -> bool:
    return not meaning.as_written


def _entries(people: Mapping[str, Any], conditions: Conditions, vaccines: Vaccines) -> Iterable[tuple[str, str, Sequence[str]]]:
    yield "nothing", "", people["not_meant"]
    for kind, table in (("group", "groups"), ("pregnancy", "pregnancy"), ("event", "events")):
        for key, phrases in people[table].items():
            yield kind, key, phrases
    yield "condition", COVID, people["events"]["positive"]
    for condition in conditions.all():
        yield "condition", condition.key, condition.called
        # "bệnh tim bẩm sinh" is longer than "bệnh tim".
        yield (
            "condition",
            condition.key,
            [f"bệnh {name}" for name in condition.called if not name.startswith(("bệnh", AS_WRITTEN))],
        )
        yield "drug", condition.key, condition.drugs
    for key, names in conditions.allergens.items():
        yield "allergen", key, names
    yield "reaction", "", conditions.severe_reaction
    for vaccine in vaccines.all():
        yield "vaccine", vaccine.key, vaccine.called
