"""JSON documents of feeds, read strictly: what is missing or of another shape is said by name, and nothing is guessed. Pure."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.figures.feeds.feed import recent
from bot.figures.places import MERGED_ON, UNTIL_2025, FigurePlaces
from bot.figures.readings import VIETNAM, Batch, FeedError, Kind, Reading, Series, Window

# No count of people or doses has more digits.
LARGEST = 10**12
NAMED_IN_A_WARNING = 5
_DAY_MONTH_YEAR = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def as_rows(value: Any, called: str) -> list[Mapping[str, Any]]:
    """An array of objects with at least one; raises FeedError for anything else."""
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise FeedError(f"{called} is not an array of objects")
    return value


def as_object(value: Any, called: str) -> Mapping[str, Any]:
    """An object; raises FeedError for anything else. An empty array is how some servers write an empty object."""
    if value == []:
        return {}
    if not isinstance(value, dict):
        raise FeedError(f"{called} is not an object")
    return value


def field(row: Mapping[str, Any], key: str) -> Any:
    """Raises FeedError naming a key that is not there: then the feed has another shape than we know."""
    if key not in row:
        raise FeedError(f"a row has no {key}")
    return row[key]


def number(row: Mapping[str, Any], key: str) -> int | None:
    """A whole number, also written as `12.0`; None for null (not reported). Raises FeedError for anything else."""
    return whole(field(row, key), key)


def whole(value: Any, called: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST or value != int(value):
        raise FeedError(f"{called} is no whole number: {str(value)[:30]!r}")
    return int(value)


def text(row: Mapping[str, Any], key: str) -> str:
    value = field(row, key)
    if not isinstance(value, str):
        raise FeedError(f"{key} is no text: {str(value)[:30]!r}")
    return value


def day_month_year(written: str) -> tuple[datetime.date, datetime.datetime | None]:
    """`22/1/2022` or `05/06/2022 18:05:00` (local time): the day, and the moment if one is given. Raises FeedError."""
    if match := _DAY_MONTH_YEAR.fullmatch(written.strip()):
        day, month, year, hour, minute, second = (int(digits or 0) for digits in match.groups())
        with contextlib.suppress(ValueError):
            moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM)
            return moment.date(), moment if match[4] else None
    raise FeedError(f"a date is not written as day/month/year: {written[:30]!r}")


def iso_day(written: str) -> datetime.date:
    """`2021-09-12`; raises FeedError for anything else."""
    if len(written) == len("2021-09-12"):
        with contextlib.suppress(ValueError):
            return datetime.date.fromisoformat(written)
    raise FeedError(f"a date is not written as year-month-day: {written[:30]!r}")


class Findings:
    """What one document gives, collected row by row and handed over as a Batch."""

    def __init__(self, feed: str, issuer: str, url: str, fetched_at: datetime.datetime) -> None:
        self._feed, self._issuer, self._url, self._fetched_at = feed, issuer, url, fetched_at
        self._readings: list[Reading] = []
        self._newest: dict[Series, datetime.date] = {}
        self._warnings: dict[str, list[str]] = {}

    @property
    def today(self) -> datetime.date:
        """The day in Viet Nam when the document was fetched."""
        return self._fetched_at.astimezone(VIETNAM).date()

    def read(self, metric: str, place: str, as_of: datetime.date, window: Window | Kind, value: int | None) -> None:
        """Note a row, and its number if it is one. Not read: a day that has not come, and a province of before for a day when it
        was no more (by its code it may as well be the new one)."""
        if as_of > self.today:
            self.warn("days that have not come, not read", as_of.isoformat())
            return
        if place.endswith(UNTIL_2025) and as_of >= MERGED_ON:
            self.warn("days since 1 July 2025 for provinces of before, not read", place)
            return
        window = window if isinstance(window, Window) else Window(window)
        series = Series(self._feed, metric, place, window.kind)
        self._newest[series] = max(as_of, self._newest.get(series, as_of))
        if value is not None:
            self._readings.append(
                Reading(self._feed, metric, place, as_of, window, value, self._issuer, self._url, self._fetched_at)
            )

    def warn(self, what: str, where: str = "") -> None:
        """One warning a kind, however many rows have it."""
        self._warnings.setdefault(what, []).append(where)

    def warn_of_unknown(self, rows: Iterable[Mapping[str, Any]], known: str) -> None:
        """`known`: the names of all fields that the feed is known to have."""
        for key in sorted({key for row in rows for key in row} - set(known.split())):
            self.warn("new fields, not read", key)

    def place(self, by_code: str | None, name: str, places: FigurePlaces) -> str | None:
        """The place of a row of before July 2025 that has a code and a name. Where they contradict each other, neither is
        believed; a name that we cannot read does not matter."""
        by_name = places.by_name(name, era="until_2025")
        if by_code is None:
            self.warn("rows of no province that we know, not read", name)
        elif by_name is None:
            self.warn("names that are in no table", name)
        elif by_name != by_code:
            self.warn("rows whose code and name are of two provinces, not read", name)
            return None
        return by_code

    def batch(self) -> Batch:
        """Series by series, oldest first."""
        warnings = tuple(_sentence(what, where) for what, where in self._warnings.items())
        readings = sorted(recent(self._readings, self._newest), key=lambda reading: (reading.series, reading.as_of))
        return Batch(self._feed, readings, dict(self._newest), warnings)


def once_each(rows: Iterable[tuple[str | None, Mapping[str, Any]]], findings: Findings) -> dict[str, Mapping[str, Any]]:
    """The rows by place. A place that comes twice is read once if both say the same, else not at all."""
    found: dict[str, Mapping[str, Any]] = {}
    contradicting: set[str] = set()
    for place, row in rows:
        if place is None:
            continue
        if place in found:
            findings.warn("places that come twice", place)
            if found[place] != row:
                contradicting.add(place)
        found.setdefault(place, row)
    return {place: row for place, row in found.items() if place not in contradicting}


def _sentence(what: str, where: list[str]) -> str:
    named = list(dict.fromkeys(place[:40] for place in where if place))
    more = f" and {len(named) - NAMED_IN_A_WARNING} more" if len(named) > NAMED_IN_A_WARNING else ""
    return f"{what}: {', '.join(named[:NAMED_IN_A_WARNING])}{more}" if named else what
