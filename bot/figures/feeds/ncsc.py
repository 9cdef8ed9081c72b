"""covid19.ncsc.gov.vn, the dashboard of the Ministry of Health and the Ministry of Information and Communications.

Four documents below its base address, each a feed of its own:

    covid/provinces       [{"id": 1, "name": "Hà Nội", "new_case": 0, "case_yesterday": 2805, "total_case": …, "new_death": 0,
                            "death_yesterday": …, "total_death": …, "last_updated": "22/1/2022", …}, …]
    covid/province/40     {"case_by_day": {"20/1/2022": 153, …}, "case_by_time": {…}, "death_by_day": {…}, "death_by_time": {…}}
    vaccine/provinces     [{"name": "Hà Nội", "totalInjected": …, "totalOnceInjected": …, "totalTwiceInjected": …,
                            "last_updated": "05/06/2022 18:05:00", …}, …]
    vaccine/province/40   {"totalInjected": …, "totalOnceInjected": …, "total_injected_by_time": {"10/1/2022": …},
                           "once_injected_by_time": {…}, "twice_injected_by_time": {…}, …}

Ids are its own, 1 to 64; 20 answers as Hà Nội, whose id is 1. Days are keys without order, not padded with zeros, and some are
missing. The running day is 0 and its total repeats the day before. A province that did not report has a 0 as well (Đắk Lắk on
16 January 2022, with 413 cases the day after), so a day without any case or death is no reading. Recovered and active cases were
abandoned in August 2021 but are still there: never read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bot.figures.feeds.documents import Findings, as_object, as_rows, day_month_year, field, number, once_each, text, whole
from bot.figures.feeds.feed import Context, parse_json
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import Batch, FeedError, Kind, Window

CASES = "ncsc-cases"
SERIES = "ncsc-series"
VACCINE = "ncsc-vaccine"
VACCINE_SERIES = "ncsc-vaccine-series"
ISSUER = "Trung tâm Công nghệ phòng, chống dịch COVID-19 quốc gia"

# Until the day before, once_injected_by_time counted people with at least one dose; from this day people with one dose only.
ONCE_MEANS_ONLY_ONCE_FROM = datetime.date(2021, 11, 11)

_SCALARS = {"doses": "totalInjected", "first_doses": "totalOnceInjected", "second_doses": "totalTwiceInjected"}
_COLUMNS = {"doses": "total", "first_doses": "once", "second_doses": "twice"}
_ONE_DAY = datetime.timedelta(days=1)
_ID_AT_THE_END = re.compile(r"/(\d{1,3})/?$")
_CASES_FIELDS = (
    "id name population new_case new_death new_recovered new_active total_case total_death total_active total_recovered "
    "death_yesterday case_yesterday recovered_yesterday death_average_7days case_average_7days percent_case_population "
    "last_updated"
)
_SERIES_FIELDS = (
    f"{_CASES_FIELDS} new_case_blockade new_case_community new_case_isolation new_case_screening new_case_another "
    "case_by_day case_by_time "
    "active_by_day active_by_time death_by_day death_by_time recovered_by_day recovered_by_time compare_active_7_days_before "
    "compare_case_7_days_before compare_death_7_days_before compare_recovered_7_days_before active_/_100000 case_/_100000 "
    "death_/_100000 recovered_/_100000 percent_active_/_100000 percent_death_/_100000 percent_case_/_100000 "
    "percent_recovered_/_100000 percent_recovered_/_sum_case"
)
_VACCINE_FIELDS = (
    "id name last_updated lastOnceInjected lastTwiceInjected popOverEighteen population totalInjected totalOnceInjected "
    "totalTwiceInjected totalVaccineProvided vaccine_provided_by_time total_injected_by_time once_injected_by_time "
    "twice_injected_by_time totalVaccineAllocatedReality totalVaccineAllocated currentTeamInjectInPractice"
)


@dataclass(frozen=True)
class Days:
    """A column of a series: the days it has a row for, and the numbers of those that were reported."""

    rows: tuple[datetime.date, ...]
    numbers: Mapping[datetime.date, int]


def read_cases(fetched: Fetched, context: Context) -> Batch:
    """Yesterday's cases and deaths of all provinces, today's once there are some, and the totals."""
    findings = Findings(CASES, ISSUER, context.url, context.fetched_at)
    for place, row, (day, _) in _dated_rows(fetched, context, findings, _CASES_FIELDS):
        _cases_of(place, row, day, findings)
    return findings.batch()


def read_series(fetched: Fetched, context: Context, *, feed: str = SERIES) -> Batch:
    """The cases and deaths of one province by day; which one, its address says."""
    document = as_object(parse_json(fetched.read()), "the document")
    findings = Findings(feed, ISSUER, context.url, context.fetched_at)
    findings.warn_of_unknown([document], _SERIES_FIELDS)
    place = _place_of_address(document, context)
    columns = {key: _days(document, key) for key in ("case_by_day", "case_by_time", "death_by_day", "death_by_time")}
    reported = {day for key in ("case_by_day", "death_by_day") for day, value in columns[key].numbers.items() if value}
    until = max(reported, default=datetime.date.min)
    for metric, key in (("cases", "case"), ("deaths", "death")):
        _read_days(metric, place, "day", columns[f"{key}_by_day"], reported, findings)
        _read_days(metric, place, "total", columns[f"{key}_by_time"], _up_to(until, columns[f"{key}_by_time"]), findings)
    return findings.batch()


def read_vaccine(fetched: Fetched, context: Context) -> Batch:
    """The doses of all provinces so far."""
    findings = Findings(VACCINE, ISSUER, context.url, context.fetched_at)
    for place, row, (day, moment) in _dated_rows(fetched, context, findings, _VACCINE_FIELDS):
        for metric, key in _SCALARS.items():
            findings.read(metric, place, day, Window("total", ends_at=moment), number(row, key))
    return findings.batch()


def read_vaccine_series(fetched: Fetched, context: Context, *, feed: str = VACCINE_SERIES) -> Batch:
    """The doses of one province by day. First doses of today come from `totalOnceInjected`, which kept its meaning."""
    document = as_object(parse_json(fetched.read()), "the document")
    findings = Findings(feed, ISSUER, context.url, context.fetched_at)
    findings.warn_of_unknown([document], _VACCINE_FIELDS)
    place = _place_of_address(document, context)
    columns = {metric: _days(document, f"{key}_injected_by_time") for metric, key in _COLUMNS.items()}
    until = _last_change(columns["doses"].numbers)
    for metric, days in columns.items():
        last = min(until, ONCE_MEANS_ONLY_ONCE_FROM - _ONE_DAY) if metric == "first_doses" else until
        _read_days(metric, place, "total", days, _up_to(last, days), findings)
    if columns["doses"].numbers.get(until) != number(document, "totalInjected"):
        findings.warn("totalInjected is not the newest day's total, so totalOnceInjected has no day and was not read")
    elif until >= ONCE_MEANS_ONLY_ONCE_FROM:
        findings.read("first_doses", place, until, "total", number(document, "totalOnceInjected"))
    return findings.batch()


def _array(fetched: Fetched) -> list[Mapping[str, Any]]:
    document = parse_json(fetched.read())
    if isinstance(document, dict):
        raise FeedError(
            "the document is an object, as the address with filter_type= gives it; the array of provinces has no filter_type"
        )
    return as_rows(document, "the document")


def _dated_rows(
    fetched: Fetched, context: Context, findings: Findings, fields: str
) -> Iterator[tuple[str, Mapping[str, Any], tuple[datetime.date, datetime.datetime | None]]]:
    """Each province once: its place, its row, and when that was written."""
    rows = _array(fetched)
    findings.warn_of_unknown(rows, fields)
    for place, row in once_each(((_place_of_row(row, findings, context.places), row) for row in rows), findings).items():
        updated = _updated(row, findings)
        if updated is not None:
            yield place, row, updated


def _place_of_row(row: Mapping[str, Any], findings: Findings, places: FigurePlaces) -> str | None:
    """By id and name, or by the name alone where there is no id. Id 20 is a province that stands there already."""
    name = text(row, "name")
    if row.get("id") is None:
        place = places.by_name(name, era="until_2025")
        return findings.place(place, name, places)
    identity = number(row, "id") or 0
    place = places.by_ncsc_id(identity)
    if place is not None and places.unit(place).ncsc_id != identity:
        findings.warn("ids that repeat another province, not read", str(identity))
        return None
    return findings.place(place, name, places)


def _place_of_address(document: Mapping[str, Any], context: Context) -> str:
    """The province that was asked for; raises FeedError where the address and the document name two, or a repeating id."""
    match = _ID_AT_THE_END.search(context.url)
    asked = int(match[1]) if match else number(document, "id")
    answered = document.get("id")
    if answered is not None and whole(answered, "id") != asked:
        raise FeedError(f"province {asked} was asked for, and the document is of province {str(answered)[:10]}")
    place = context.places.by_ncsc_id(asked or 0)
    if place is None:
        raise FeedError(f"no province has the id {asked}")
    if context.places.unit(place).ncsc_id != asked:
        raise FeedError(f"id {asked} is answered with {context.places.unit(place).name}, whose id is another")
    return place


def _updated(row: Mapping[str, Any], findings: Findings) -> tuple[datetime.date, datetime.datetime | None] | None:
    """When the row was written; None, with a warning, for a row without: its numbers belong to no day."""
    if not field(row, "last_updated"):
        findings.warn("rows without last_updated, not read", str(row.get("name")))
        return None
    return day_month_year(text(row, "last_updated"))


def _cases_of(place: str, row: Mapping[str, Any], day: datetime.date, findings: Findings) -> None:
    """A province's day is reported when it has a case or a death; the total counts up to the day that is."""
    new = {metric: number(row, f"new_{key}") for metric, key in (("cases", "case"), ("deaths", "death"))}
    before = {metric: number(row, f"{key}_yesterday") for metric, key in (("cases", "case"), ("deaths", "death"))}
    total = {"cases": number(row, "total_case"), "deaths": number(row, "total_death")}
    for as_of, values in ((day - _ONE_DAY, before), (day, new)):
        is_reported = any(values.values())
        for metric, value in values.items():
            findings.read(metric, place, as_of, "day", value if is_reported else None)
    for metric, value in total.items():
        findings.read(metric, place, day if any(new.values()) else day - _ONE_DAY, "total", value)
        findings.read(metric, place, day, "total", None)


def _days(document: Mapping[str, Any], key: str) -> Days:
    column = {day_month_year(day)[0]: whole(value, key) for day, value in as_object(field(document, key), key).items()}
    return Days(tuple(column), {day: value for day, value in column.items() if value is not None})


def _up_to(last: datetime.date, days: Days) -> set[datetime.date]:
    return {day for day in days.rows if day <= last}


def _read_days(metric: str, place: str, kind: Kind, days: Days, reported: Collection[datetime.date], findings: Findings) -> None:
    for day in days.rows:
        findings.read(metric, place, day, kind, days.numbers.get(day) if day in reported else None)


def _last_change(totals: Mapping[datetime.date, int]) -> datetime.date:
    """The newest day whose total is not that of the day before: those after it were not reported."""
    days = sorted(totals)
    changes = [day for before, day in pairwise(days) if totals[before] != totals[day]]
    return max([*days[:1], *changes], default=datetime.date.min)
