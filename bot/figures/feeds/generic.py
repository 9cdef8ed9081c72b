"""A feed that needs no code: a JSON or CSV document read by its description in data/directory/feeds.yml. Pure.

Paths into JSON: `data.items` goes down by keys, a number counts in a list. In `records` a `*` stands for every member of a
list or an object. In a record `.` is the record itself, `/meta.updated` starts at the document's root, `@1` is the key under
which the first `*` found its member and `@1.code` a field of that member. In CSV a path is a column's name.
"""

from __future__ import annotations

import csv
import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.figures.feeds.documents import Findings, whole
from bot.figures.feeds.feed import Context, parse_json
from bot.figures.fetch import Fetched
from bot.figures.places import Era, FigurePlaces
from bot.figures.readings import VIETNAM, Batch, FeedError, Kind, Window

Path = tuple[str, ...]
By = Literal["gso", "name", "ncsc", "key"]
ITSELF, ROOT, ANY = ".", "/", "*"
UNIX = {"unix": 1, "unix_ms": 1000}
DAYS = {"day": 1, "week": 7}
LONGEST_NUMBER = 20
_MISSING = object()


@dataclass(frozen=True)
class Figure:
    """A number of each record."""

    metric: str
    kind: Kind
    path: Path


@dataclass(frozen=True)
class Date:
    """The last day that a record is for. `formats`: of strptime, or `unix`, `unix_ms`; the first that fits is taken."""

    path: Path
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """`fixed`: the one place of the whole document. `names`: what is written in a record → a place, or None to pass over it."""

    fixed: str | None = None
    path: Path = ()
    by: By = "name"
    era: Era = "today"
    names: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Description:
    """One entry of feeds.yml. `thousands`: the sign between groups of three digits. `day_ends_at`: where the issuer's day is
    not the calendar's, as from 16:00 to 16:00."""

    name: str
    issuer: str
    format: Literal["json", "csv"]
    records: Path
    date: Date
    place: Place
    figures: tuple[Figure, ...]
    delimiter: str | None = None
    thousands: str | None = None
    not_reported: tuple[str, ...] = ()
    day_ends_at: datetime.time | None = None


@dataclass(frozen=True)
class Record:
    """`members`: key and member for each `*` on the way from `root` to `value`."""

    root: Any
    members: tuple[tuple[Any, Any], ...]
    value: Any


def read(description: Description, fetched: Fetched, context: Context) -> Batch:
    """The readings of the document; raises FeedError naming a path that is no longer there or a value that cannot be read."""
    found = Findings(description.name, description.issuer, context.url, context.fetched_at)
    records = list(_records(description, fetched))
    if not records:
        raise FeedError("the document has no records")
    dated = _dated(description.date, records, found)
    placed = _placed(description.place, dated, context.places, found)
    for figure in description.figures:
        values = _values(figure, description, placed, found)
        for (place, day), value in values.items():
            found.read(figure.metric, place, day, window(figure.kind, day, description.day_ends_at), value)
    return found.batch()


def window(kind: Kind, day: datetime.date, ends_at: datetime.time | None) -> Window:
    if ends_at is None:
        return Window(kind)
    end = datetime.datetime.combine(day, ends_at, VIETNAM)
    return Window(kind, end - datetime.timedelta(days=DAYS[kind]) if kind in DAYS else None, end)


# ── the records ─────────────────────────────────────────────────────────────────────────────────────


def _records(description: Description, fetched: Fetched) -> Iterator[Record]:
    if description.format == "csv":
        return _csv_records(fetched.lines(), description.delimiter)
    root = parse_json(fetched.read())
    return (Record(root, members, value) for members, value in _members(root, description.records, ()))


def _members(value: Any, path: Path, members: tuple[tuple[Any, Any], ...]) -> Iterator[tuple[tuple[tuple[Any, Any], ...], Any]]:
    if not path:
        yield members, value
        return
    step, *rest = path
    if step != ANY:
        child = _child(value, step)
        if child is _MISSING:
            raise FeedError(f"the document has no {step!r} where its records were")
        yield from _members(child, tuple(rest), members)
        return
    if not isinstance(value, dict | list):
        raise FeedError("the document has neither a list nor an object where its records were")
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _members(member, tuple(rest), (*members, (key, member)))


def _csv_records(lines: Iterator[str], delimiter: str | None) -> Iterator[Record]:
    header = next(lines, "")
    delimiter = delimiter or max(",;\t", key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise FeedError(f"the file has two columns {twice[0]!r}")
    try:
        for number, cells in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                raise FeedError(f"row {number} has {len(cells)} of {len(names)} columns")
            yield Record(None, (), dict(zip(names, cells, strict=True)))
    except csv.Error as error:
        raise FeedError(f"the file is not CSV: {error}") from error


def _at(record: Record, path: Path) -> Any:
    """What stands at `path`, or _MISSING."""
    first = path[0]
    if first == ITSELF:
        return record.value
    if first == ROOT:
        return _down(record.root, path[1:])
    if first.startswith("@"):
        number = int(first[1:]) - 1
        if number >= len(record.members):
            return _MISSING
        key, member = record.members[number]
        return _down(member, path[1:]) if path[1:] else key
    return _down(record.value, path)


def _down(value: Any, path: Path) -> Any:
    for step in path:
        value = _child(value, step)
    return value


def _child(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, _MISSING)
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    return _MISSING


def _texts(path: Path, records: Iterable[Record]) -> Iterator[tuple[Record, str]]:
    """The records that have something at `path`; raises FeedError if none has it."""
    is_there = False
    for record in records:
        value = _at(record, path)
        if isinstance(value, dict | list):
            raise FeedError(f"{shown(path)} is a list or an object")
        if value is not _MISSING and value is not None and str(value).strip():
            is_there = True
            yield record, str(value).strip()
    if not is_there:
        raise FeedError(f"no record has {shown(path)}")


def shown(path: Path) -> str:
    return repr(".".join(path))


# ── day and place of a record ───────────────────────────────────────────────────────────────────────


def _dated(date: Date, records: list[Record], found: Findings) -> list[tuple[Record, datetime.date]]:
    dated = [(record, day_of(text, date)) for record, text in _texts(date.path, records)]
    if len(dated) < len(records):
        found.warn("records without a date, not read", str(len(records) - len(dated)))
    return dated


def day_of(text: str, date: Date) -> datetime.date:
    """The day in Viet Nam; raises FeedError for a date in none of the formats."""
    for form in date.formats:
        try:
            moment = _moment(text, form)
        except (ValueError, OverflowError, OSError):
            continue
        return (moment.astimezone(VIETNAM) if moment.tzinfo else moment).date()
    raise FeedError(f"{shown(date.path)} cannot be read as a date: {text[:30]!r}")


def _moment(text: str, form: str) -> datetime.datetime:
    if form in UNIX:
        return datetime.datetime.fromtimestamp(int(text) / UNIX[form], datetime.UTC)
    return datetime.datetime.strptime(text, form)  # noqa: DTZ007  (a date without a zone is Viet Nam's)


def _placed(
    place: Place, dated: list[tuple[Record, datetime.date]], places: FigurePlaces, found: Findings
) -> list[tuple[Record, str, datetime.date]]:
    if place.fixed:
        return [(record, place.fixed, day) for record, day in dated]
    days = {id(record): day for record, day in dated}
    placed, passed_over = [], place.names or {}
    for record, text in _texts(place.path, (record for record, _ in dated)):
        key = passed_over[text] if text in passed_over else key_of(text, place, places)
        if key:
            placed.append((record, key, days[id(record)]))
        elif text not in passed_over:
            found.warn("places that are in no table, not read", text)
    if not placed:
        raise FeedError(f"no record names a place that we know at {shown(place.path)}")
    return placed


def key_of(text: str, place: Place, places: FigurePlaces) -> str | None:
    if place.by == "name":
        return places.by_name(text, era=place.era)
    if place.by == "gso":
        return places.by_gso(text, era=place.era)
    if place.by == "ncsc":
        return places.by_ncsc_id(int(text)) if text.isdecimal() else None
    return text if text in places else None


# ── the numbers ─────────────────────────────────────────────────────────────────────────────────────


def _values(
    figure: Figure, description: Description, placed: list[tuple[Record, str, datetime.date]], found: Findings
) -> dict[tuple[str, datetime.date], int | None]:
    """By place and day. What a document says twice is read once, and not at all where it contradicts itself."""
    values: dict[tuple[str, datetime.date], int | None] = {}
    contradicted, missing = set(), 0
    for record, place, day in placed:
        written = _at(record, figure.path)
        missing += written is _MISSING
        value = number(written, figure.path, description)
        if values.setdefault((place, day), value) != value:
            contradicted.add((place, day))
    if missing == len(placed):
        raise FeedError(f"no record has {shown(figure.path)}")
    if missing:
        found.warn(f"records without {shown(figure.path)}", str(missing))
    for place, day in sorted(contradicted):
        found.warn("places with two different numbers for one day, not read", f"{place} {day}")
    return {at: value for at, value in values.items() if at not in contradicted}


def number(written: Any, path: Path, description: Description) -> int | None:
    """A whole number, None where nothing was reported; raises FeedError for anything else."""
    if written is _MISSING or written is None or str(written).strip() in {"", *description.not_reported}:
        return None
    if isinstance(written, str):
        return _written_number(written.strip(), path, description.thousands)
    if isinstance(written, float) and description.thousands == ".":
        raise FeedError(f"{shown(path)} is no text, so 12.000 may mean twelve: {written}")
    return whole(written, shown(path))


def _written_number(text: str, path: Path, thousands: str | None) -> int:
    """`15.545` where the sign between thousands is a dot; `11624000.0`, as table software writes whole numbers, where none is."""
    grouped = rf"-?(\d+|\d{{1,3}}({re.escape(thousands)}\d{{3}})+)" if thousands else r"-?\d+(\.0)?"
    if len(text) > LONGEST_NUMBER or not re.fullmatch(grouped, text, re.ASCII):
        raise FeedError(f"{shown(path)} cannot be read as a number: {text[:30]!r}")
    return int(text.replace(thousands, "") if thousands else text.removesuffix(".0"))
