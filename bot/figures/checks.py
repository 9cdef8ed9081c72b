"""Whether a figure may be told: pure rules over values and days, each with the recorded fault that taught it.

CHECKS names the eleven rules. Four of them (what a document must look like) stand with the adapters that read it; the others
are the functions here, which `gate.judge` runs. A rule answers with a reason in one sentence for the log, or with days.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Literal

from bot.figures.places import UNTIL_2025
from bot.figures.readings import COUNTRY, UNKNOWN_PLACE, VIETNAM, Reading

CHECKS = {
    1: "shape",
    2: "required_keys",
    3: "day_of_the_figure",
    4: "unfinished_day",
    5: "falling_total",
    6: "backlog",
    7: "stands_still",
    8: "sum_of_provinces",
    9: "sane_number",
    10: "place_names",
    11: "unknown_place",
}

Day = tuple[datetime.date, int]

DAY = datetime.timedelta(days=1)
WEEK = datetime.timedelta(days=7)
FOUR_WEEKS = datetime.timedelta(days=28)
# A series that has not moved for this long is "not updated" (the WHO's row for Viet Nam stands still since 2023-12-03).
STALE_AFTER = datetime.timedelta(days=14)
# The WHO publishes its weekly file weeks late; a weekly file whose newest row is older than this has itself stopped.
WEEKLY_MAY_LAG = datetime.timedelta(days=60)
# A series that rose by no more than one a day in four weeks may well stand still for two without being abandoned.
QUIET_RISE = 28
# A cumulative total may be corrected downwards a little (1,153 to 1,148 in October 2020); more is another series or a cut file.
MAY_FALL_BY = 0.01
MAY_FALL_BY_COUNT = 3
# A day's number that was at least this and is published again as 0 was not corrected: the field was emptied.
EMPTIED_FROM = 10
# The WHO's week of 2022-08-07 held 571,458 cases after weeks of 6,000: 400,000 and 150,000 old ones were added on two days.
BACKLOG_TIMES = 10
# Below this a median says nothing: three cases after weeks without any are no backlog.
BACKLOG_LEAST_MEDIAN = 5
# How many earlier numbers a median needs.
BACKLOG_NEEDS = {"day": 7, "week": 3, "total": 3}
# Of the 7 days before a zero, so many must be known to call it unfinished.
UNFINISHED_NEEDS = 4
SUMS_MAY_DIFFER_BY = 0.01
SUMS_MAY_DIFFER_BY_COUNT = 5
PROVINCES_UNTIL_2025 = 63
PROVINCES_TODAY = 34
# The count of 1 April 2024, and more than any province has had or has.
PEOPLE = 101_100_000
MOST_PEOPLE_OF_A_PROVINCE = 15_000_000
# Provinces count people who live there without being registered; the tables are some years old.
PEOPLE_MAY_EXCEED_BY = 0.1
# Nobody has had more doses than this.
DOSES_A_PERSON = 8
# Of a day or a week: more than this share of the people is no new number.
NEW_SHARE = {"cases": 0.1, "deaths": 0.01}
# A feed's own count of a province's people and ours (Tiền Giang with 9,038,600 instead of 1.76 million).
COUNTS_OF_PEOPLE_MAY_DIFFER_BY = 0.5


def unfinished_day(reading: Reading, today: datetime.date) -> str | None:
    """4. The day was still running when it was read: NCSC's newest day is 0 until the evening."""
    ends_at = reading.window.ends_at
    fetched_on = reading.fetched_at.astimezone(VIETNAM).date()
    if ends_at is not None and reading.as_of <= today:
        return f"its window ends at {ends_at}, after it was read" if ends_at > reading.fetched_at else None
    if reading.as_of >= min(fetched_on, today):
        return f"{reading.as_of} was not over when it was read"
    return None


def unfilled_days(days: Sequence[Day]) -> list[datetime.date]:
    """4. Of new numbers a day (ascending): the zeros at the end that follow a week without any zero.

    Hà Nội had 2,805 and 2,884 cases on 20 and 21 January 2022 and 0 on the 22nd. A place that has few cases has real zeros.
    """
    zeros: list[datetime.date] = []
    for day, new in reversed(days):
        if new:
            break
        zeros.append(day)
    if not zeros:
        return []
    before = [new for day, new in days if zeros[-1] - WEEK <= day < zeros[-1]]
    return zeros[::-1] if len(before) >= UNFINISHED_NEEDS and all(before) else []


def rises(totals: Sequence[Day]) -> list[Day]:
    """What totals (ascending) of consecutive days rose by, as new numbers a day."""
    return [(day, value - before) for (eve, before), (day, value) in pairwise(totals) if day - eve == DAY]


def falling_total(value: int, before: int) -> Literal["revised", "suspect"] | None:
    """5. A cumulative total below an earlier one: a small correction, or nothing to be believed. Never a negative day."""
    if value >= before:
        return None
    may_fall_by = max(before * MAY_FALL_BY, MAY_FALL_BY_COUNT)
    return "revised" if value and before - value <= may_fall_by else "suspect"


def backlog(new: float, before: Sequence[float], kind: str) -> bool:
    """6. More than ten times the median of the four weeks `before`: late reports that arrived together."""
    if len(before) < BACKLOG_NEEDS[kind]:
        return False
    return new > BACKLOG_TIMES * max(median(before), BACKLOG_LEAST_MEDIAN)


def stands_still(days: Sequence[Day], *, kind: str) -> datetime.date | None:
    """7. The day since which a series (ascending) has repeated itself for 14 days: NCSC's recovered, 8,679 for months.

    Of zeros a day or week: the day of the last number that was none.
    """
    if not days:
        return None
    newest, value = days[-1]
    run = len(days)
    while run and days[run - 1][1] == value:
        run -= 1
    since = days[run][0]
    if newest - since < STALE_AFTER:
        return None
    return days[run - 1][0] if run and kind != "total" and not value else since


def is_quiet(days: Sequence[Day], since: datetime.date, *, kind: str) -> bool:
    """Whether a series moved so slowly before `since` that standing still is no wonder; not known counts as no."""
    before = [(day, value) for day, value in days if since - FOUR_WEEKS <= day <= since]
    if all(value == 0 for _, value in days):
        return True
    if kind != "total":
        return len(before) > 1 and sum(value for _, value in before) <= QUIET_RISE
    return len(before) > 1 and before[-1][1] - before[0][1] <= QUIET_RISE


def stopped(days: Sequence[Day], newest_row: datetime.date, today: datetime.date, *, kind: str) -> datetime.date | None:
    """7. The last reported day, if the document has gone on without the series, or has itself stopped."""
    if not days:
        return None
    last = days[-1][0]
    gap = min((day - eve for (eve, _), (day, _) in pairwise(days[-8:])), default=WEEK if kind != "day" else DAY)
    may_lag = STALE_AFTER if gap < WEEK else WEEKLY_MAY_LAG
    return last if newest_row - last >= STALE_AFTER or today - last >= may_lag else None


def sum_of_provinces(national: int, provinces: Mapping[str, int]) -> str | None:
    """8. The country against the sum of its provinces, if every one of them is there. `unknown` counts with them.

    A crawl of NCSC's 1 to 64 counts Hà Nội twice: number 20 answers with number 1.
    """
    if not is_whole_country(provinces):
        return None
    total = sum(provinces.values())
    if abs(total - national) <= max(national * SUMS_MAY_DIFFER_BY, SUMS_MAY_DIFFER_BY_COUNT):
        return None
    return f"the provinces add up to {total}, the country has {national}"


def is_whole_country(places: Iterable[str]) -> bool:
    """11. Whether these are all provinces of one time. The row of those whose province is not known belongs to the sum."""
    provinces = [place for place in places if place not in {COUNTRY, UNKNOWN_PLACE}]
    before = sum(place.endswith(UNTIL_2025) for place in provinces)
    return (before, len(provinces) - before) in {(PROVINCES_UNTIL_2025, 0), (0, PROVINCES_TODAY)}


def sane_number(reading: Reading, people: int | None = None) -> str | None:
    """9. What a place with so many `people` cannot have reported; the only test of a first value."""
    if reading.value < 0:
        return f"{reading.value} is below zero"
    most = _most(reading, people or (PEOPLE if reading.place in {COUNTRY, UNKNOWN_PLACE} else MOST_PEOPLE_OF_A_PROVINCE))
    return f"{reading.value} is more than {most}, the most that {reading.place} can have" if reading.value > most else None


def _most(reading: Reading, people: int) -> int:
    residents = people * (1 + PEOPLE_MAY_EXCEED_BY) if reading.place != COUNTRY else people
    if reading.window.kind != "total":
        return round(residents * NEW_SHARE.get(reading.metric, 1.0))
    return round(residents * DOSES_A_PERSON if reading.metric == "doses" else residents)


def sane_population(said: int, ours: int) -> str | None:
    """9. A feed's own number of a place's people that cannot be meant; its rates are then wrong too."""
    if abs(said - ours) <= ours * COUNTS_OF_PEOPLE_MAY_DIFFER_BY:
        return None
    return f"it gives the place {said} people, there are about {ours}"


# A total of the first cannot be above that of the second. NCSC's daily `once_injected` became "one dose only" on 2021-11-11.
PART_OF = {"deaths": "cases", "second_doses": "first_doses", "first_doses": "doses"}


def contradiction(metric: str, part: int, whole: int) -> str | None:
    """9. More deaths than cases, more second doses than first ones."""
    return f"{part} {metric} are more than {whole} {PART_OF[metric]}" if part > whole else None


def emptied(value: int, earlier: int) -> str | None:
    """A day's or week's number that was published before and is 0 now: missing is not zero."""
    return f"{earlier} became 0" if value == 0 and earlier >= EMPTIED_FROM else None
