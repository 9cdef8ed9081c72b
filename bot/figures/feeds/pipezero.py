"""static.pipezero.com/covid/data.json, the file behind the box of covid19.gov.vn (a contractor's; official by reference):

    {"total": {"internal": {"death": …, "treating": …, "cases": …, "recovered": …}, "world": {…}},
     "today": {"internal": {"death": 5, "treating": -12, "cases": 700, "recovered": 707}, "world": {…}},
     "overview": [{"date": "20-11", "death": …, "cases": …, "avgCases7day": …, …}, …, {"date": "26-11", …}],
     "locations": [{"name": "TP. Hồ Chí Minh", "death": …, "cases": …, "casesToday": 300, …}, {"name": "Bà Rịa – Vũng Tàu"}, …]}

A day is counted from 16:00 of the day before to 16:00. Days have **no year**: it is the one that lets a day be as late as it can
be without lying after the fetch, or after the file's Last-Modified. A file that stands still could so be taken for one of this
year: a newest day more than three days before that moment is refused. Without a Last-Modified it could still be taken so in those
three days of a year. No code, only names, in any order.
`treating` (negative by construction) and `recovered` are never read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from bot.figures.feeds.documents import Findings, as_object, as_rows, field, number, once_each, text
from bot.figures.feeds.feed import Context, parse_json
from bot.figures.fetch import Fetched
from bot.figures.readings import COUNTRY, VIETNAM, Batch, FeedError, Kind, Window

PIPEZERO = "pipezero"
ISSUER = "covid19.gov.vn"

COUNTED_UNTIL = datetime.time(16)
# A file that is written every day and has no newer day than this stands still: then nothing tells its year.
MAY_LAG_DAYS = 3
# The overview holds the last seven days.
MOST_DAYS_APART = 31

_DAY_MONTH = re.compile(r"(\d{1,2})-(\d{1,2})")
_ONE_DAY = datetime.timedelta(days=1)
_FIELDS = "total today overview locations"
_LOCATION_FIELDS = "name death treating cases recovered casesToday"


@dataclass(frozen=True)
class _Counted:
    """Cases and deaths of one day, or so far."""

    cases: int | None
    deaths: int | None

    @property
    def is_reported(self) -> bool:
        return bool(self.cases or self.deaths)


def read(fetched: Fetched, context: Context) -> Batch:
    """The country's last days; its total and the provinces' totals as of the newest of them."""
    document = as_object(parse_json(fetched.read()), "the document")
    findings = Findings(PIPEZERO, ISSUER, context.url, context.fetched_at)
    findings.warn_of_unknown([document], _FIELDS)
    latest = _latest(fetched, findings.today)
    overview = {_day(text(row, "date"), latest): _counted(row) for row in as_rows(field(document, "overview"), "overview")}
    _check_days(list(overview), latest)
    for day, counted in overview.items():
        _read_day(COUNTRY, day, counted if counted.is_reported or day != max(overview) else _Counted(None, None), findings)
    reported = [day for day, counted in overview.items() if counted.is_reported]
    if reported:
        _read_as_of(max(reported), overview[max(reported)], document, findings, context)
    return findings.batch()


def _read_as_of(day: datetime.date, newest: _Counted, document: Mapping[str, Any], findings: Findings, context: Context) -> None:
    """The parts without a date. They are of the newest reported day if `today` says the same as that day, or nothing yet."""
    today = _counted(_internal(document, "today"))
    if today.is_reported and today != newest:
        findings.warn("today is not the newest day of overview, so total and locations have no day and were not read")
        return
    _read_total(COUNTRY, day, _counted(_internal(document, "total")), findings)
    rows = as_rows(field(document, "locations"), "locations")
    findings.warn_of_unknown(rows, _LOCATION_FIELDS)
    era = context.places.era_of((text(row, "name") for row in rows), day)
    known = [(context.places.by_name(text(row, "name"), era=era), row) for row in rows]
    for place, row in known:
        if place is None:
            findings.warn("names that are in no table, not read", text(row, "name"))
    for place, row in once_each(known, findings).items():
        _read_total(place, day, _counted(row), findings)
        if today.is_reported:
            findings.read("cases", place, day, _window(day, "day"), number(row, "casesToday"))


def _latest(fetched: Fetched, today: datetime.date) -> datetime.date:
    """No day of the file lies after this: the day of the fetch, or that on which the server says the file was written."""
    written = fetched.validators.last_modified
    try:
        return min(today, parsedate_to_datetime(written).astimezone(VIETNAM).date()) if written else today
    except ValueError:
        return today


def _day(written: str, latest: datetime.date) -> datetime.date:
    """The last `26-11` that is not after `latest`; raises FeedError for what is no day and month."""
    match = _DAY_MONTH.fullmatch(written.strip())
    if match is None:
        raise FeedError(f"a date of overview is not written as day-month: {written[:30]!r}")
    day, month = int(match[1]), int(match[2])
    # 29 February may lie eight years back.
    for year in range(latest.year, latest.year - 9, -1):
        try:
            date = datetime.date(year, month, day)
        except ValueError:
            continue
        if date <= latest:
            return date
    raise FeedError(f"a date of overview is no day of any year: {written[:30]!r}")


def _check_days(days: Sequence[datetime.date], latest: datetime.date) -> None:
    if (latest - max(days)).days > MAY_LAG_DAYS:
        raise FeedError(f"the newest day, {max(days):%d-%m}, is long past and has no year: the file stands still")
    if (max(days) - min(days)).days > MOST_DAYS_APART:
        raise FeedError(f"the days of overview lie too far apart ({min(days):%d-%m}, {max(days):%d-%m}) to tell their year")


def _internal(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return as_object(field(as_object(field(document, key), key), "internal"), f"{key}.internal")


def _counted(row: Mapping[str, Any]) -> _Counted:
    return _Counted(number(row, "cases"), number(row, "death"))


def _window(day: datetime.date, kind: Kind) -> Window:
    """A total has no beginning."""
    ends_at = datetime.datetime.combine(day, COUNTED_UNTIL, VIETNAM)
    return Window(kind, ends_at - _ONE_DAY if kind == "day" else None, ends_at)


def _read_day(place: str, day: datetime.date, counted: _Counted, findings: Findings) -> None:
    findings.read("cases", place, day, _window(day, "day"), counted.cases)
    findings.read("deaths", place, day, _window(day, "day"), counted.deaths)


def _read_total(place: str, day: datetime.date, counted: _Counted, findings: Findings) -> None:
    findings.read("cases", place, day, _window(day, "total"), counted.cases)
    findings.read("deaths", place, day, _window(day, "total"), counted.deaths)
