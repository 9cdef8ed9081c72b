"""What a short question means after an answer: "giá bao nhiêu?" after testing is `testing_cost` (data/follow_ups.yml).

Pure but for reading the table once. Only a message that says nothing else is a follow-up; all others are the model's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.languages.normalise import fold, normalise, words
from bot.yaml_files import read_yaml

TABLE = Path(__file__).resolve().parents[2] / "data/follow_ups.yml"
SAME = "same"
# What a message that names nothing but this asks about: entity, or entity and value → aspect.
ASPECT_OF = {
    "place": "place",
    "place_ambiguous": "place",
    "condition": "ill",
    "pregnancy": "pregnant",
    "age_group/infant": "children",
    "age_group/child": "children",
    "age_group/adolescent": "children",
    "age_group/older": "older",
}
# A follow-up is short; a longer message has a question of its own.
MOST_WORDS = 12
Words = tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """Something that a message names, by its place in the text as typed, and the aspect that asks about it."""

    start: int
    end: int
    aspect: str

    @classmethod
    def among(cls, entities: Iterable[Mapping[str, Any]]) -> list[Named]:
        """Those of the message's entities about which a follow-up can ask."""
        keys = ((e, e["entity"] if e["entity"] in ASPECT_OF else f"{e['entity']}/{e.get('value')}") for e in entities)
        return [cls(e["start"], e["end"], ASPECT_OF[key]) for e, key in keys if key in ASPECT_OF]


class FollowUps:
    """`meant` is the question; build it once."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._before = _known(phrase for around in table["around"].values() for phrase in around["before"])
        self._after = _known(phrase for around in table["around"].values() for phrase in around["after"])
        self._aspects: dict[Words, str] = {}
        for aspects in table["phrases"].values():
            for aspect, phrases in aspects.items():
                self._aspects.update(dict.fromkeys(_known(phrases), aspect))
        self._meanings: Mapping[str, Mapping[str, Sequence[str]]] = table["meanings"]

    @classmethod
    def load(cls, path: Path = TABLE) -> FollowUps:
        """Read the table; a missing part raises KeyError."""
        return cls(read_yaml(path))

    def meant(self, text: str, earlier: str, named: Sequence[Named] = ()) -> str | None:
        """The intent that `text` asks after the intent `earlier`; None when it is no follow-up, or not after that one.

        `named`: what the message names; one that says nothing else asks about it ("còn người bị gout thì sao?"), and what else
        it says is asked of it ("Thanh Hóa tuần này").
        """
        aspect = self.aspect(text, named)
        return self._meaning(aspect, earlier) if aspect else None

    def aspect(self, text: str, named: Sequence[Named] = ()) -> str | None:
        """What the whole message asks for: `cost`, `children`, `place` …"""
        said = _words(text)
        if len(said) > MOST_WORDS:
            return None
        for shorter in self._stripped(said):
            if shorter in self._aspects:
                return self._aspects[shorter]
        left = self._stripped(_words(_without(text, named))) if named else []
        asked_of_it = next((self._aspects[shorter] for shorter in left if shorter in self._aspects), None)
        return asked_of_it or (named[0].aspect if () in left else None)

    def _stripped(self, said: Words) -> list[Words]:
        """The message with fewer and fewer words around its ends, each form once, the longest first."""
        seen = [said]
        for form in seen:
            for shorter in (*_without_start(form, self._before), *_without_end(form, self._after)):
                if shorter not in seen:
                    seen.append(shorter)
        return seen

    def _meaning(self, aspect: str, earlier: str) -> str | None:
        for intent, after in self._meanings.get(aspect, {}).items():
            if any(fnmatchcase(earlier, pattern) for pattern in after):
                return earlier if intent == SAME else intent
        return None


@lru_cache(maxsize=1)
def follow_ups() -> FollowUps:
    """The product's own table."""
    return FollowUps.load()


def _known(phrases: Iterable[str]) -> set[Words]:
    """Every phrase as its normalised words, with and without diacritics."""
    spelt = [words(normalise(phrase)) for phrase in phrases]
    return {tuple(phrase) for phrase in spelt} | {tuple(fold(word) for word in phrase) for phrase in spelt}


def _words(text: str) -> Words:
    return tuple(words(normalise(text)))


def _without(text: str, named: Sequence[Named]) -> str:
    kept = list(text)
    for mention in named:
        kept[mention.start : mention.end] = " " * len(kept[mention.start : mention.end])
    return "".join(kept)


def _without_start(said: Words, starts: set[Words]) -> list[Words]:
    return [said[size:] for size in range(1, len(said) + 1) if said[:size] in starts]


def _without_end(said: Words, ends: set[Words]) -> list[Words]:
    return [said[: len(said) - size] for size in range(1, len(said) + 1) if said[len(said) - size :] in ends]
