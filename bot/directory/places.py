"""Places as citizens name them: provinces, the districts of before July 2025, and the communes and wards of today with all that
went into each (data/directory/places/).

Whatever somebody calls a place, the answer is one unit of today, a district or a province, or several candidates to ask about.
A place elsewhere is recognised so that nobody answers for it. How a place is written and corrected: docs/places.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bot.directory.place_mentions import A_KIND, A_WORD_OF_PLACE, CAPITALS, ITS_DISTRICT, NOTHING, Meaning, Mention, read_mentions
from bot.directory.place_names import Names
from bot.directory.place_words import KIND_NAMES, LEVELS
from bot.languages.normalise import fold
from bot.yaml_files import read_yaml

FOLDER = "data/directory/places"
FILES = ("provinces.yml", "dak-lak.yml", "thanh-hoa.yml")
_KIND_OF_NAME = {name: kind for kind, name in KIND_NAMES.items()}
# How the files say that only a part of a unit went where it is listed.
PART = "một phần "
_OLD_UNITS = re.compile(rf"(?P<part>{PART})?(?P<kind>phường|xã|thị trấn) (?P<names>.+)")


@dataclass(frozen=True)
class OldUnit:
    """A commune, ward or township that ended: `district` is the key of its district, `is_part` says that it was divided."""

    kind: str
    name: str
    district: str
    is_part: bool

    @property
    def full_name(self) -> str:
        """`xã Tân Tiến`, `một phần phường 9`."""
        return f"{PART if self.is_part else ''}{KIND_NAMES[self.kind]} {self.name}"


@dataclass(frozen=True)
class Place:
    """`province`: key of the province today, its own for a province. `within`: keys of the province and of the districts that
    held it or its parts. `before`: what became this unit on 1 July 2025 (`before_told`: as the file says it, by district);
    `earlier`: units that had ended before, whose names lead here."""

    key: str
    name: str
    kind: str
    province: str
    is_elsewhere: bool
    gso: str
    within: tuple[str, ...]
    before: tuple[OldUnit, ...]
    earlier: tuple[OldUnit, ...]
    before_told: Mapping[str, str]

    @property
    def kind_of_name(self) -> str:
        """`city` of `city_until_2025`."""
        return self.kind.split("_", 1)[0]

    @property
    def level(self) -> int:
        """1 province, 2 district, 3 commune."""
        return LEVELS[self.kind_of_name]

    @property
    def full_name(self) -> str:
        """`xã Ea Kiết`, `thị xã Buôn Hồ`, `tỉnh Đắk Lắk`."""
        return f"{KIND_NAMES[self.kind_of_name]} {self.name}"

    @property
    def is_of_today(self) -> bool:
        """Whether the unit still exists under this name."""
        return "_until_" not in self.kind


@dataclass(frozen=True)
class NamedPlace:
    """A place in a text: `start` and `end` are character offsets of the name as typed, with its kind and district."""

    key: str
    start: int
    end: int


class Places:
    """The gazetteer. Build it once: loading reads and indexes the files."""

    def __init__(self, places: Mapping[str, Place], names: Names[Meaning]) -> None:
        self._places = dict(places)
        self._names = names
        self._of_districts: dict[str, list[Place]] = {}
        for place in self._places.values():
            for key in place.within if place.level == LEVELS["commune"] else ():
                self._of_districts.setdefault(key, []).append(place)

    @classmethod
    def load(cls, root: Path) -> Places:
        """Read data/directory/places/ below `root`; a missing field or an unknown district raises KeyError naming it."""
        entries = {key: entry for file in FILES for key, entry in _entries(root / FOLDER / file)}
        places = {key: _place(key, entry, entries) for key, entry in entries.items()}
        words = read_yaml(root / FOLDER / "words.yml")
        names: Names[Meaning] = Names()
        for place in places.values():
            _add_names(names, place, entries[place.key], places, words)
        return cls(places, names)

    @classmethod
    @cache
    def below(cls, root: Path) -> Places:
        """`load`, once a process for all rooms; by whoever needs a place first, for messages are taken without."""
        return cls.load(root)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __getitem__(self, key: str) -> Place:
        return self._places[key]

    def all(self) -> list[Place]:
        return list(self._places.values())

    def name(self, key: str) -> str:
        """The official name; the key itself for a place we do not know."""
        return self._places[key].name if key in self._places else key

    def province_of(self, key: str) -> str | None:
        """The key of the place's province today (`dak-lak`); None for a place we do not know."""
        return self._places[key].province if key in self._places else None

    def units_of(self, key: str) -> list[Place]:
        """Today's communes and wards on the ground of a district or a province, in the files' order."""
        return list(self._of_districts.get(key, ()))

    def spoken(self, key: str) -> str:
        """How an answer calls a place: a commune with its kind ("xã Ea Kiết"), others by their name alone."""
        place = self._places.get(key)
        return place.full_name if place is not None and place.level == LEVELS["commune"] else self.name(key)

    def before(self, key: str, most: int) -> str:
        """What became the unit, by district, at most `most` letters: `phường Tân An; xã Ea Tu (thành phố Buôn Ma Thuột)`."""
        told = [f"{text} ({self._places[district].full_name})" for district, text in self._places[key].before_told.items()]
        return _cut("; ".join(told), most)

    def before_called(self, key: str, name: str) -> str:
        """The old units of that name in the unit: `một phần xã Hòa An, huyện Phú Hòa`; empty when its own name is meant."""
        said = f" {fold(name).lower()},"
        place = self._places[key]
        units = [unit for unit in (*place.before, *place.earlier) if f" {fold(unit.name).lower()}," in said]
        return "; ".join(f"{unit.full_name}, {self._places[unit.district].full_name}" for unit in units)

    def now(self, key: str, most: int) -> str:
        """What stands on the ground of an old district today (`phường Buôn Hồ, Cư Bao; xã Ea Drông`), or its province."""
        if self._places[key].level == LEVELS["province"]:
            return self._places[self._places[key].province].full_name
        names: dict[str, list[str]] = {}
        for unit in self.units_of(key):
            names.setdefault(unit.kind_of_name, []).append(unit.name)
        return _cut(
            "; ".join(f"{KIND_NAMES[kind]} {', '.join(told)}" for kind, told in sorted(names.items(), reverse=True)), most
        )

    def mentions(self, text: str, near: Sequence[str] = ()) -> list[Mention]:
        """Every place named in `text`, from left to right; several keys where the name is ambiguous. `near`: keys of the places
        one would think of first (the remembered one, then the service's province); only an ambiguity asks for them."""
        return read_mentions(text, self._names, [step for key in near for step in self._surroundings(key)])

    def places_in(self, text: str, near: Sequence[str] = ()) -> list[NamedPlace]:
        """The places named in `text` that are no ambiguity."""
        return [NamedPlace(m.key, m.start, m.end) for m in self.mentions(text, near) if m.key is not None]

    def candidates(self, name: str, near: Sequence[str] = ()) -> tuple[str, ...]:
        """The keys that the `name` of a Mention may mean; none for a name we do not know."""
        return next((mention.keys for mention in self.mentions(name, near)), ())

    def _surroundings(self, key: str) -> Iterator[tuple[str, ...]]:
        """Sets of keys to look for around a place: itself, its districts, its province."""
        if key in self._places:
            place = self._places[key]
            yield (key,)
            yield tuple(held for held in place.within if held != place.province)
            yield (place.province,)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    content = read_yaml(path)
    for key, entry in content["places"].items():
        yield key, {"province": content.get("province", key), **entry}


def _place(key: str, entry: Mapping[str, Any], entries: Mapping[str, Mapping[str, Any]]) -> Place:
    """Raises KeyError for a unit that names a district we do not have."""
    before = tuple(_old_units(key, entry.get("before") or {}))
    districts = dict.fromkeys([*(unit.district for unit in before), *([entry["within"]] if "within" in entry else [])])
    around = dict.fromkeys(key for district in districts for key in (district, entries[district].get("within")) if key)
    province = str(entry["province"])
    return Place(
        key=key,
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        province=province,
        is_elsewhere=bool(entry.get("other")),
        gso=str(entry.get("gso") or ""),
        within=(*around, *([province] if province != key else [])),
        before=before,
        earlier=tuple(_old_units(key, entry.get("earlier") or {})),
        before_told=dict(entry.get("before") or {}),
    )


def _cut(text: str, most: int) -> str:
    """At most `most` letters, cut after a name."""
    return text if len(text) <= most else f"{text[: text.rindex(',', 0, most - 1)]}…"


def _old_units(key: str, districts: Mapping[str, str]) -> Iterator[OldUnit]:
    """Read `{tuy-hoa-tp: "phường 1, 2; một phần phường 9"}`; raises KeyError for anything else."""
    for district, text in districts.items():
        for group in str(text).split("; "):
            match = _OLD_UNITS.fullmatch(group)
            if match is None:
                raise KeyError(f"{key}: {group!r} is not written as kind and names")
            for name in match["names"].split(", "):
                yield OldUnit(_KIND_OF_NAME[match["kind"]], name, district, is_part=bool(match["part"]))


def _add_names(
    names: Names[Meaning], place: Place, entry: Mapping[str, Any], places: Mapping[str, Place], words: Mapping[str, Any]
) -> None:
    """All names that lead to a place: its own and its aliases, and those of the old units that went into it."""
    is_commune = place.level == LEVELS["commune"]
    own = Meaning(
        key=place.key,
        kind="city" if entry.get("city") else place.kind_of_name,
        level=place.level,
        name=place.name,
        within=frozenset(place.within),
        need=_need_of_commune(place.name, words) if is_commune else _need(entry),
        need_bare=_need_of_bare_commune(place.name, words) if is_commune else _need_bare(entry),
        is_elsewhere=place.is_elsewhere,
    )
    for name in (place.name, *words["also_written"].get(place.name, ())):
        names.add(name, own)
    for name in map(str, entry.get("aliases") or ()):
        names.add(name, own if is_commune else replace(own, need=NOTHING))
    for old in (*place.before, *place.earlier):
        meaning = replace(
            own,
            kind=old.kind,
            name=old.name,
            within=frozenset({old.district, *places[old.district].within}),
            need=_need_of_commune(old.name, words),
            need_bare=_need_of_bare_commune(old.name, words),
        )
        for name in (old.name, *words["also_written"].get(old.name, ()), *([f"P{old.name}"] if old.name.isdigit() else ())):
            names.add(name, meaning)


def _need(entry: Mapping[str, Any]) -> int:
    if entry.get("needs_kind"):
        return A_KIND
    return CAPITALS if entry.get("needs_word") else NOTHING


def _need_bare(entry: Mapping[str, Any]) -> int:
    if entry.get("needs_marks_or_kind"):
        return A_KIND
    return A_WORD_OF_PLACE if entry.get("needs_marks") else NOTHING


def _need_of_commune(name: str, words: Mapping[str, Any]) -> int:
    """A number needs its town, an everyday word its kind, a person's name a word of place, any other at least capitals; three
    words are hardly anything else."""
    if name.isdigit():
        return ITS_DISTRICT
    if name in words["needs_kind"]:
        return A_KIND
    if name.count(" ") > 1:
        return NOTHING
    return A_WORD_OF_PLACE if set(name.split()) <= set(words["given_names"]) else CAPITALS


def _need_of_bare_commune(name: str, words: Mapping[str, Any]) -> int:
    if " " not in name:
        return ITS_DISTRICT
    if name in words["needs_marks"]:
        return A_KIND
    return NOTHING if name.count(" ") > 1 else A_WORD_OF_PLACE
