"""Places as citizens name them: provinces, and the districts and wards that lead to one (data/directory/places.yml).

Names of before July 2025 and of today are both understood; a place elsewhere is recognised so that nobody answers for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.languages.normalise import fold, spans
from bot.languages.phrases import Found, Phrases, words_of
from bot.yaml_files import read_yaml

# What may stand before a name, longest first, and the kinds of place that it says.
KIND_WORDS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("thành", "phố"): ("city", "province"),
    ("thị", "xã"): ("town",),
    ("thị", "trấn"): ("district", "ward"),
    ("tỉnh",): ("province",),
    ("tp",): ("city", "province"),
    ("tx",): ("town",),
    ("huyện",): ("district",),
    ("phường",): ("ward",),
    ("quận",): ("district",),
    ("xã",): ("ward", "district"),
}


@dataclass(frozen=True)
class Place:
    """`province` is the key of the place's province today; its own key for a province and for what lies elsewhere."""

    key: str
    name: str
    kind: str
    province: str
    is_elsewhere: bool
    needs_kind: bool
    needs_marks: bool

    def is_called(self, kinds: Sequence[str]) -> bool:
        return self.kind.split("_", 1)[0] in kinds


@dataclass(frozen=True)
class NamedPlace:
    """A place in a text: `start` and `end` are character offsets of the name as typed."""

    key: str
    start: int
    end: int


class Places:
    """The gazetteer. Build it once: loading reads and indexes the file."""

    def __init__(self, places: Mapping[str, Place], aliases: Mapping[str, Sequence[str]]) -> None:
        self._places = dict(places)
        self._phrases: Phrases[Place] = Phrases()
        for key, place in self._places.items():
            for alias in aliases[key]:
                self._phrases.add(alias, place)

    @classmethod
    def load(cls, root: Path) -> Places:
        """Read data/directory/places.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/places.yml")["places"]
        return cls({key: _place(key, entry) for key, entry in raw.items()}, {key: _aliases(entry) for key, entry in raw.items()})

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Place:
        return self._places[key]

    def name(self, key: str) -> str:
        """The official name; the key itself for a place we do not know."""
        return self._places[key].name if key in self._places else key

    def province_of(self, key: str) -> str | None:
        """The key of the place's province (`dak-lak`); None for a place we do not know."""
        return self._places[key].province if key in self._places else None

    def places_in(self, text: str) -> list[NamedPlace]:
        """Every place named in `text`, from left to right, the longest name first."""
        at, words = spans(text), words_of(text)
        found = [(hit, self._meant(hit, words)) for hit in self._phrases.find(words)]
        return [NamedPlace(place.key, at[hit.first][0], at[hit.last - 1][1]) for hit, place in found if place is not None]

    @staticmethod
    def _meant(hit: Found[Place], words: Sequence[str]) -> Place | None:
        """Which of the places of that name, by the word before it or within it; the first of the file when nothing is said."""
        kinds = _kinds_before(words, hit.first) or _kinds_before(words, hit.first + 2) or _kinds_before(words, hit.first + 1)
        has_marks = any(fold(word) != word for word in words[hit.first : hit.last])
        allowed = [p for p in hit.values if (kinds or not p.needs_kind) and (kinds or has_marks or not p.needs_marks)]
        called = [p for p in allowed if p.is_called(kinds)] if kinds else []
        return next(iter([*called, *(p for p in allowed if not p.needs_kind)]), None)


def _kinds_before(words: Sequence[str], first: int) -> tuple[str, ...]:
    for said, kinds in KIND_WORDS.items():
        before = tuple(words[max(0, first - len(said)) : first])
        if before == said or before == tuple(fold(word) for word in said):
            return kinds
    return ()


def _place(key: str, entry: Mapping[str, Any]) -> Place:
    return Place(
        key=key,
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        province=str(entry.get("province") or key),
        is_elsewhere=bool(entry.get("other")),
        needs_kind=bool(entry.get("needs_kind")),
        needs_marks=bool(entry.get("needs_marks")),
    )


def _aliases(entry: Mapping[str, Any]) -> list[str]:
    return [str(entry["name"]), *(str(alias) for alias in entry.get("aliases") or ())]
