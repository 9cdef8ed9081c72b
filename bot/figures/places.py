"""The places of figures: the 34 provinces since 1 July 2025 and the 63 before, by every code and name that a feed gives them.

A figure stays with the unit it was counted for: `dak-lak-until-2025` is the Đắk Lắk of before, without Phú Yên. The same code
may mean two units (24 is Bắc Ninh today and was Bắc Giang), so a look-up says of which era the document is.
Table: data/directory/figure_places.yml, the rest is derived from data/directory/places/. Pure but for `load`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bot.directory.places import FILES, FOLDER
from bot.figures.readings import COUNTRY, UNKNOWN_PLACE
from bot.languages.normalise import fold
from bot.yaml_files import read_yaml

TABLE = "data/directory/figure_places.yml"
UNTIL_2025 = "-until-2025"
MERGED_ON = datetime.date(2025, 7, 1)

Era = Literal["today", "until_2025"]

_ESCAPED = re.compile(r"<U\+([0-9A-Fa-f]{4,5})>")
_WORD = re.compile(r"[^\W_]+")
_C_FOR_K = re.compile(r"c(?!h)")
# The Icelandic letter stands for Đ in copies that went through a Western code page.
_ETH = str.maketrans("Ðð", "Đđ")
_KINDS_BEFORE = (("tinh",), ("thanh", "pho"), ("tp",), ("t", "p"))
_KINDS_AFTER = (("city",), ("province",))


@dataclass(frozen=True)
class Unit:
    """`gso`: two digits of the unit's era ("01"), empty for the country. `population` of 2021, a province of today's is the
    sum of its parts; None where nobody counted. `ncsc_id`: of a province of before."""

    key: str
    name: str
    gso: str
    era: Era
    population: int | None
    ncsc_id: int | None = None


class FigurePlaces:
    """Where figures can be of; `below` gives the one of this process."""

    def __init__(
        self,
        units: Iterable[Unit],
        parts: Mapping[str, tuple[str, ...]],
        names: Mapping[str, Iterable[str]],
        ncsc_ids: Mapping[int, str],
        citizen_places: Mapping[str, str],
    ) -> None:
        self._units = {unit.key: unit for unit in units}
        self._parts = dict(parts)
        self._ncsc_ids = dict(ncsc_ids)
        self._citizen_places = dict(citizen_places)
        self._codes: dict[tuple[Era, str], str] = {}
        self._names: dict[tuple[Era, str], str] = {}
        for unit in self._units.values():
            for era in _eras(unit):
                if unit.gso:
                    _add(self._codes, (era, unit.gso), unit.key)
                for name in names[unit.key]:
                    _add(self._names, (era, letters(name)), unit.key)

    @classmethod
    def load(cls, root: Path) -> FigurePlaces:
        """Read the table and the provinces below `root`; raises KeyError naming a province that only one of them has."""
        table = read_yaml(root / TABLE)
        entries = {key: entry for file in FILES for key, entry in _entries(root / FOLDER / file)}
        provinces = {key: entry for key, entry in entries.items() if entry["kind"] in {"province", "province_until_2025"}}
        if odd := sorted(provinces.keys() ^ table["until_2025"].keys()):
            raise KeyError(f"{TABLE} and {FOLDER}/provinces.yml differ in {', '.join(odd)}")
        before = {key: _until_2025(key, row, provinces[key]) for key, row in table["until_2025"].items()}
        parts = {key: _parts(key, provinces) for key, entry in provinces.items() if entry["kind"] == "province"}
        today = [_today(key, provinces[key], [before[_key(part)] for part in held]) for key, held in parts.items()]
        others = [_other(key, row, before.values()) for key, row in table["others"].items()]
        return cls(
            units=[*today, *before.values(), *others],
            parts=parts,
            names=_names(provinces, table),
            ncsc_ids={
                number: f"{key}{UNTIL_2025}"
                for key, row in table["until_2025"].items()
                for number in (row["ncsc"], *row.get("ncsc_also", ()))
            },
            citizen_places={key: _citizen_place(key, entry) for key, entry in entries.items()},
        )

    @classmethod
    @cache
    def below(cls, root: Path) -> FigurePlaces:
        """`load`, once a process for all rooms; by whoever needs a figure's place first, for messages are taken without."""
        return cls.load(root)

    def __contains__(self, key: object) -> bool:
        return key in self._units

    def unit(self, key: str) -> Unit:
        """Raises KeyError for a key that is no place of figures."""
        return self._units[key]

    def all(self, era: Era) -> list[Unit]:
        """The provinces of an era: 34 or 63."""
        return [unit for unit in self._units.values() if unit.era == era and unit.key not in {COUNTRY, UNKNOWN_PLACE}]

    def by_gso(self, code: int | str, *, era: Era) -> str | None:
        """The key for a code in any writing: 1, "1", "01"."""
        text = str(code).strip()
        return self._codes.get((era, text.zfill(2))) if text.isascii() and text.isdigit() else None

    def by_ncsc_id(self, number: int) -> str | None:
        """The key for an id of covid19.ncsc.gov.vn. 20 is answered with Hà Nội, whose own id is 1."""
        return self._ncsc_ids.get(number)

    def by_name(self, text: str, *, era: Era) -> str | None:
        """The key for a name in any spelling. A province that ended is none of today: its figures are not the new one's."""
        return self._names.get((era, letters(text)))

    def era_of(self, names: Iterable[str], as_of: datetime.date) -> Era:
        """Of which era a list of provinces is: of today's only from the merger on, and if it names none that ended."""
        ended = any(self.by_name(name, era="until_2025") and not self.by_name(name, era="today") for name in names)
        return "until_2025" if ended or as_of < MERGED_ON else "today"

    def parts(self, key: str) -> tuple[str, ...]:
        """What a province of today was before 1 July 2025, itself first; nothing for any other place."""
        return self._parts.get(key, ())

    def of_citizen_place(self, key: str) -> str:
        """The place of figures for a key of bot.directory.places: a province of before stays one, a commune or a district leads
        to its province of today. Raises KeyError for a place we do not know."""
        return self._citizen_places[key]


def letters(name: str) -> str:
    """What is left of a name when kind, marks, spaces, dots and dashes are gone: `TP. Hồ Chí Minh` → `hokhiminh`.

    `Hoà`/`Hòa`, `Đắc Lắc`/`Đắk Lắk`, `Kontum`/`Kon Tum` fall together; so do copies damaged on their way through a Western code
    page (`H\xe0 N<U+1ED9>i`, `Ð<U+1EAF>k L<U+1EAF>k`, `Bình Duong`).
    """
    whole = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), name).translate(_ETH)
    words = tuple(_WORD.findall(fold(whole).lower()))
    for kind in _KINDS_BEFORE:
        if words[: len(kind)] == kind and len(words) > len(kind):
            words = words[len(kind) :]
            break
    if words[-1:] in _KINDS_AFTER and len(words) > 1:
        words = words[:-1]
    return _C_FOR_K.sub("k", "".join(words))


def _entries(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    content = read_yaml(path)
    return ((key, {"province": content.get("province", key), **entry}) for key, entry in content["places"].items())


def _key(until_2025: str) -> str:
    return until_2025.removesuffix(UNTIL_2025)


def _parts(key: str, provinces: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """A province of today and those that were merged into it."""
    merged = (part for part, entry in provinces.items() if entry["province"] == key and part != key)
    return tuple(f"{part}{UNTIL_2025}" for part in (key, *merged))


def _until_2025(key: str, row: Mapping[str, Any], entry: Mapping[str, Any]) -> Unit:
    return Unit(
        key=f"{key}{UNTIL_2025}",
        name=str(row.get("name", entry["name"])),
        gso=str(row.get("gso", entry["gso"])),
        era="until_2025",
        population=int(row["population"]),
        ncsc_id=int(row["ncsc"]),
    )


def _today(key: str, entry: Mapping[str, Any], parts: Iterable[Unit]) -> Unit:
    return Unit(key, str(entry["name"]), str(entry["gso"]), "today", _sum(parts))


def _other(key: str, row: Mapping[str, Any], provinces: Iterable[Unit]) -> Unit:
    population = _sum(provinces) if key == COUNTRY else None
    return Unit(key, str(row["name"]), str(row.get("gso", "")), "today", population)


def _sum(units: Iterable[Unit]) -> int:
    return sum(unit.population or 0 for unit in units)


def _names(provinces: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any]) -> dict[str, list[str]]:
    """All names by key; a province goes by them in both eras, if it was there in both."""
    names: dict[str, list[str]] = {}
    for key, entry in provinces.items():
        old_name = table["until_2025"][key].get("name")
        spellings = [entry["name"], *entry.get("aliases", ()), *([old_name] if old_name else [])]
        names[f"{key}{UNTIL_2025}"] = spellings
        if entry["kind"] == "province":
            names[key] = spellings
    for key, row in table["others"].items():
        names[key] = [row["name"], *row.get("aliases", ())]
    return names


def _eras(unit: Unit) -> tuple[Era, ...]:
    """The country and the unknown are the same in both."""
    return ("today", "until_2025") if unit.key in {COUNTRY, UNKNOWN_PLACE} else (unit.era,)


def _add(keys: dict[tuple[Era, str], str], called: tuple[Era, str], key: str) -> None:
    """Raises KeyError where two places would answer to one code or name of an era."""
    if keys.setdefault(called, key) != key:
        raise KeyError(f"{TABLE}: {called[1]} means {keys[called]} and {key}")


def _citizen_place(key: str, entry: Mapping[str, Any]) -> str:
    return f"{key}{UNTIL_2025}" if entry["kind"] == "province_until_2025" else str(entry["province"])
