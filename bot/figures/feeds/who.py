"""The World Health Organization's file of reported cases and deaths, read with suspicion and for one country only.

Of the feeds that ever carried Viet Nam's figures only this one is still a published file. The weekly and the daily file
have the same columns:

    Date_reported,Country_code,Country,WHO_region,New_cases,Cumulative_cases,New_deaths,Cumulative_deaths
    2023-12-03,VN,Viet Nam,WPRO,0,11624000,0,43206
    2023-12-10,VN,Viet Nam,WPRO,,11624000,,43206

Seen in its versions of 2020 to 2025: a byte order mark, CRLF, `2020-01-24T00:00:00Z`, commas inside quotes, an empty
cell for "not reported", negative corrections, and copies re-saved by a spreadsheet with `;`, dd/mm/yyyy and zeros left out.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from bot.figures.feeds.feed import Context, recent
from bot.figures.readings import COUNTRY, VIETNAM, Batch, FeedError, Kind, Reading, Series, Window

NAME = "who"
ISSUER = "Tổ chức Y tế Thế giới (WHO)"
COUNTRY_CODE = "VN"
# metric: its columns of what is new and of the total
COLUMNS = {"cases": ("New_cases", "Cumulative_cases"), "deaths": ("New_deaths", "Cumulative_deaths")}
NEEDED = ("Date_reported", "Country_code", *(column for columns in COLUMNS.values() for column in columns))
KNOWN = frozenset({*NEEDED, "Country", "WHO_region"})
DAY, WEEK = datetime.timedelta(days=1), datetime.timedelta(days=7)


@dataclass(frozen=True)
class Row:
    """One day or week of the country, by metric; None for an empty cell: not reported."""

    day: datetime.date
    new: Mapping[str, int | None]
    total: Mapping[str, int | None]

    @property
    def is_reported(self) -> bool:
        return any(value is not None for value in self.new.values())


def read(lines: Iterable[str], context: Context) -> Batch:
    """Totals and new numbers of Viet Nam from the file's lines; raises FeedError naming what is missing or unreadable."""
    source = iter(lines)
    header = next(source, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    names = _names(header, delimiter)
    rows = _in_order(_country_rows(source, delimiter, names), context)
    rhythm = _rhythm(rows)
    warnings = [f"the file has a new column {name!r}" for name in names if name and name not in KNOWN]
    if rhythm is None:
        warnings.append("the rows are neither daily nor weekly: only totals are read")
    found = [*_totals(rows), *(_weeks(rows) if rhythm == "week" else _days(rows) if rhythm == "day" else ())]
    readings = [
        Reading(NAME, metric, COUNTRY, day, Window(kind), value, ISSUER, context.url, context.fetched_at)
        for metric, kind, day, value in found
    ]
    series = {Series(NAME, metric, COUNTRY, kind) for metric in COLUMNS for kind in ("total", rhythm) if kind}
    newest_rows = dict.fromkeys(series | {reading.series for reading in readings}, rows[-1].day)
    return Batch(NAME, recent(readings, newest_rows), newest_rows, warnings)


def _names(header: str, delimiter: str) -> list[str]:
    if not header.strip():
        raise FeedError("the file is empty")
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    if missing := [column for column in NEEDED if column not in names]:
        raise FeedError(f"the file has no column {', '.join(missing)}")
    return names


def _country_rows(lines: Iterator[str], delimiter: str, names: list[str]) -> Iterator[Row]:
    cells: list[str] = []
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            cell = dict(zip(names, cells, strict=False))
            if cell.get("Country_code", "").strip() == COUNTRY_CODE:
                yield _row(cell)
    except csv.Error as error:
        raise FeedError(f"the file is not CSV: {error}") from error
    if cells and len(cells) < len(names):
        raise FeedError(f"the file is cut off: its last row has {len(cells)} of {len(names)} columns")


def _row(cell: Mapping[str, str]) -> Row:
    if missing := [column for column in NEEDED if column not in cell]:
        raise FeedError(f"a row of the country has no {', '.join(missing)}")
    return Row(
        _day(cell["Date_reported"]),
        {metric: _number(cell, new) for metric, (new, _) in COLUMNS.items()},
        {metric: _number(cell, total) for metric, (_, total) in COLUMNS.items()},
    )


def _day(text: str) -> datetime.date:
    """`2020-01-24`, `2020-01-24T00:00:00Z` or `24/01/2020`."""
    try:
        if "/" in text:
            day, month, year = text.strip().split("/")
            return datetime.date(int(year), int(month), int(day))
        return datetime.date.fromisoformat(text.strip().partition("T")[0])
    except ValueError as error:
        raise FeedError(f"Date_reported cannot be read: {text[:30]!r}") from error


def _number(cell: Mapping[str, str], column: str) -> int | None:
    """None for an empty cell; `11624000.0`, as table software writes whole numbers, is a whole number."""
    text = cell[column].strip()
    if text in {"", "NaN", "nan"}:
        return None
    try:
        return int(text.removesuffix(".0"))
    except ValueError as error:
        raise FeedError(f"{column} cannot be read as a number: {text[:30]!r}") from error


def _in_order(rows: Iterable[Row], context: Context) -> list[Row]:
    """One row a day, oldest first. A running week may be dated by its coming end; later days are a misread date."""
    days: dict[datetime.date, Row] = {}
    for row in rows:
        if days.setdefault(row.day, row) != row:
            raise FeedError(f"the file has two different rows for {row.day}")
    if not days:
        raise FeedError(f"the file has no rows for country code {COUNTRY_CODE}")
    today = context.fetched_at.astimezone(VIETNAM).date()
    if max(days) > today + WEEK:
        raise FeedError(f"the file has a row for {max(days)}, which is to come")
    if not any(value is not None for row in days.values() for value in row.total.values()):
        raise FeedError(f"the file has no totals for country code {COUNTRY_CODE}")
    return [days[day] for day in sorted(days)]


def _rhythm(rows: list[Row]) -> Kind | None:
    """What a row is for: rows a day apart are daily, rows on one weekday weekly. None: neither, or one row alone."""
    gaps = [row.day - before.day for before, row in pairwise(rows)]
    if DAY in gaps:
        return "day"
    return "week" if WEEK in gaps and not any(gap % WEEK for gap in gaps) else None


# metric, kind, day, value
Found = tuple[str, Kind, datetime.date, int]


def _totals(rows: list[Row]) -> Iterator[Found]:
    """Of the rows that the country reported: WHO repeats the old total in all others, and that is no news of their day."""
    for before, row in pairwise([None, *rows]):
        if row and (before is None or row.is_reported or row.total != before.total):
            yield from ((metric, "total", row.day, value) for metric, value in row.total.items() if value is not None)


def _weeks(rows: list[Row]) -> Iterator[Found]:
    """A number is for one week only if the file has a row for the week before."""
    for before, row in pairwise(rows):
        if row.day - before.day == WEEK:
            yield from ((metric, "week", row.day, value) for metric, value in row.new.items() if value is not None)


def _days(rows: list[Row]) -> Iterator[Found]:
    """A number in a daily row counts everything since the last report: one day, or a week where a country reports weekly. What
    counts another span is neither."""
    for metric in COLUMNS:
        reported = [(row.day, value) for row in rows if (value := row.new[metric]) is not None]
        kinds: dict[datetime.timedelta, Kind] = {DAY: "day", WEEK: "week"}
        for (before, _), (day, value) in pairwise(reported):
            if kind := kinds.get(day - before):
                yield metric, kind, day, value
