"""Reads data/directory/feeds.yml: feeds that are described, not programmed. A fault is named by file, entry and key."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast, get_args

import yaml

from bot.figures.feeds import generic
from bot.figures.feeds.generic import UNIX, By, Date, Description, Figure, Place
from bot.figures.places import Era, FigurePlaces
from bot.figures.readings import METRICS, FeedError, Kind
from bot.settings import SettingsError
from bot.yaml_files import read_yaml

FILE = "data/directory/feeds.yml"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
DIRECTIVE = re.compile(r"%(.?)")
DIRECTIVES = frozenset("dmYHMSfz%")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
UP_TO_THE_MEMBER = re.compile(r"@[1-9]")
DEFAULT_RANK = 20
# Two days that every pair of formats which take day for month reads differently.
PROBES = (datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC), datetime.datetime(2026, 11, 3, tzinfo=datetime.UTC))


@dataclass(frozen=True)
class Entry:
    """A described feed. Without `url` it is off until its setting gives one. `page`: what citizens are pointed to instead."""

    description: Description
    url: str | None
    page: str | None
    rank: int
    is_official: bool


def load(root: Path, places: FigurePlaces) -> list[Entry]:
    """The entries of the file below `root`, none if it is not there; raises SettingsError naming file, entry and key."""
    path = root / FILE
    if not path.exists():
        return []
    try:
        content = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE} is not YAML: {' '.join(str(error).split())}.") from error
    whole = _Part({} if content is None else content, "")
    feeds = whole.part("feeds", {})
    whole.no_others()
    return [_entry(name, feeds.part(name), places) for name in feeds.names()]


class _Part:
    """An object of the file. Every key that is asked for is noted, so that the others can be named as unknown."""

    def __init__(self, value: Any, where: str) -> None:
        self._where = where
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            self.fail("", f"must hold keys with values, not {value!r}")
        self._value: Mapping[str, Any] = value
        self._asked: set[str] = set()

    def fail(self, key: str, sentence: str) -> NoReturn:
        where = ".".join(part for part in (self._where, key) if part)
        raise SettingsError(f"{FILE}: {where or 'the file'} {sentence}.")

    def names(self) -> list[str]:
        return list(self._value)

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return self._value.get(key) is not None

    def any(self, key: str) -> Any:
        if not self.has(key):
            self.fail(key, "is missing")
        return self._value[key]

    def part(self, key: str, default: Any = None) -> _Part:
        return _Part(self.any(key) if default is None or self.has(key) else default, self._under(key))

    def parts(self, key: str) -> list[_Part]:
        value = self.any(key)
        if not isinstance(value, list) or not value:
            self.fail(key, "must be a list with at least one entry")
        return [_Part(one, f"{self._under(key)}[{number}]") for number, one in enumerate(value)]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.any(key) if default is None or self.has(key) else default
        if not isinstance(value, str) or (not value.strip() and value != default):
            self.fail(key, f"must be a text, not {value!r} (quote it)")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts or numbers, or a single one, as texts."""
        value = self.any(key)
        several = value if isinstance(value, list) else [value]
        if not several or not all(isinstance(one, str | int) and not isinstance(one, bool) for one in several):
            self.fail(key, f"must be a text or a list of texts, not {value!r}")
        return tuple(str(one) for one in several)

    def one_of(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.any(key) if default is None or self.has(key) else default
        if value not in allowed:
            self.fail(key, f"must be one of {', '.join(map(repr, allowed))}, not {value!r}")
        return str(value)

    def whole_number(self, key: str, default: int) -> int:
        value = self._value[key] if self.has(key) else default
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(key, f"must be a whole number, not {value!r}")
        return value

    def yes_or_no(self, key: str, *, default: bool) -> bool:
        value = self._value[key] if self.has(key) else default
        if not isinstance(value, bool):
            self.fail(key, f"must be true or false, not {value!r}")
        return value

    def address(self, key: str) -> str | None:
        value = self.text(key) if self.has(key) else None
        if value is not None and not re.match(r"https?://[^/]", value):
            self.fail(key, "must start with http:// or https://")
        return value

    def no_others(self) -> None:
        if odd := sorted(self._value.keys() - self._asked):
            self.fail(odd[0], f"is no key of this file; here may stand {', '.join(sorted(self._asked))}")

    def _under(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key


def _entry(name: str, part: _Part, places: FigurePlaces) -> Entry:
    if not NAME.fullmatch(name):
        part.fail("", "must be named with small letters, digits and single hyphens between them")
    form = part.one_of("format", ("json", "csv"))
    path = _json_path if form == "json" else _column
    description = Description(
        name=name,
        issuer=part.text("issuer"),
        format=cast("Any", form),
        records=_records(part) if form == "json" else (),
        date=_date(part.part("date"), path),
        place=_place(part.part("place"), path, places),
        figures=_figures(part, path),
        delimiter=part.one_of("delimiter", (",", ";", "\t", "|")) if form == "csv" and part.has("delimiter") else None,
        thousands=part.one_of("thousands", (".", ",", " ")) if part.has("thousands") else None,
        not_reported=part.texts("not_reported") if part.has("not_reported") else (),
        day_ends_at=_clock(part, "day_ends_at") if part.has("day_ends_at") else None,
    )
    entry = Entry(
        description=description,
        url=part.address("url"),
        page=part.address("page"),
        rank=part.whole_number("rank", DEFAULT_RANK),
        is_official=part.yes_or_no("official", default=True),
    )
    part.no_others()
    return entry


def _figures(part: _Part, path: Callable[[_Part, str], generic.Path]) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    for one in part.parts("figures"):
        kind = cast("Kind", one.one_of("kind", get_args(Kind)))
        figure = Figure(one.one_of("metric", METRICS), kind, path(one, "path"))
        if any((known.metric, known.kind) == (figure.metric, kind) for known in figures):
            one.fail("", f"is a second {figure.metric} of kind {kind}")
        one.no_others()
        figures.append(figure)
    return tuple(figures)


def _records(part: _Part) -> generic.Path:
    """Without it the document itself is the one record."""
    return _steps(part, "records") if part.has("records") else ()


def _json_path(part: _Part, key: str) -> generic.Path:
    steps = _steps(part, key)
    if generic.ANY in steps:
        part.fail(key, "may not hold *: that stands in records only")
    if steps[0].startswith("@") and not UP_TO_THE_MEMBER.fullmatch(steps[0]):
        part.fail(key, "must count the stars of records after @: @1, @2 …")
    return steps


def _steps(part: _Part, key: str) -> generic.Path:
    """`a.b`, or a list where a key itself holds a dot; `/a.b` starts at the root."""
    value = part.any(key)
    if isinstance(value, list):
        return part.texts(key)
    text = part.text(key)
    if text == generic.ITSELF:
        return (generic.ITSELF,)
    root, text = (("/",), text[1:]) if text.startswith(generic.ROOT) else ((), text)
    steps = (*root, *text.split("."))
    if "" in steps:
        part.fail(key, f"has an empty step: {value!r}")
    return steps


def _column(part: _Part, key: str) -> generic.Path:
    return (part.text(key),)


def _date(part: _Part, path: Callable[[_Part, str], generic.Path]) -> Date:
    date = Date(path(part, "path"), part.texts("format"))
    for form in date.formats:
        if form in UNIX:
            continue
        directives = DIRECTIVE.findall(form)
        if odd := [one for one in directives if one not in DIRECTIVES]:
            part.fail("format", f"may hold {' '.join(f'%{one}' for one in sorted(DIRECTIVES))}, not %{odd[0]}")
        if missing := [one for one in "dmY" if one not in directives]:
            part.fail("format", f"must hold %{missing[0]}: a day cannot be guessed, and neither can its year")
    if ambiguous := _read_differently(date.formats):
        part.fail("format", f"reads one date as two days: {ambiguous[0]!r} and {ambiguous[1]!r}")
    part.no_others()
    return date


def _read_differently(formats: tuple[str, ...]) -> tuple[str, str] | None:
    """Two formats of which one reads as another day what the other writes, as %d/%m/%Y and %m/%d/%Y do."""
    written = [(form, probe, probe.strftime(form)) for form in formats if form not in UNIX for probe in PROBES]
    for form, probe, text in written:
        for other in formats:
            try:
                day = generic.day_of(text, Date((), (other,)))
            except FeedError:
                continue
            if day != probe.date():
                return form, other
    return None


def _place(part: _Part, path: Callable[[_Part, str], generic.Path], places: FigurePlaces) -> Place:
    if part.has("fixed"):
        place = Place(fixed=_known(part, "fixed", part.text("fixed"), places))
    else:
        by = cast("By", part.one_of("by", get_args(By)))
        needs_era = by in {"gso", "name"}
        era = cast("Era", part.one_of("era", get_args(Era))) if needs_era else "today"
        place = Place(path=path(part, "path"), by=by, era=era, names=_names(part, places) if part.has("names") else None)
    part.no_others()
    return place


def _names(part: _Part, places: FigurePlaces) -> dict[str, str | None]:
    """What stands in a record → the key of a place; `skip` for a row that is none, such as a sum."""
    value = part.any("names")
    if not isinstance(value, Mapping):
        part.fail("names", "must hold what is written in a record and a place's key")
    return {str(text): None if key == "skip" else _known(part, "names", key, places) for text, key in value.items()}


def _known(part: _Part, key: str, place: Any, places: FigurePlaces) -> str:
    if place not in places:
        part.fail(key, f"names {place!r}, which is no place of figures (as dak-lak, dak-lak-until-2025, vn)")
    return str(place)


def _clock(part: _Part, key: str) -> datetime.time:
    match = CLOCK.fullmatch(part.text(key))
    if not match:
        part.fail(key, "must be a time of day in quotes, as '16:00'")
    return datetime.time(int(match[1]), int(match[2]))
