from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.figures.checks import DAY, WEEK
from bot.figures.known import BULLETIN, Known, Stored
from bot.figures.readings import Series
from bot.figures.told import METRICS, SPANS, Asked, Told, tell
from tests.figures.recorded import day, moment, provinces, stored
from tests.figures.vietnamese import places

TODAY = day("2026-11-23")  # a Monday
OLD, PART = "dak-lak-until-2025", "phu-yen-until-2025"


def told(
    readings: Iterable[Stored], period: str = "today", place: str = "dak-lak", today: datetime.date = TODAY, **other: Any
) -> Told:
    known = Known(list(readings), other.pop("stale", {}), other.pop("ranks", {}))
    asked = Asked(other.pop("group", "cases"), place, period, **other)  # type: ignore[arg-type]
    return tell(known, asked, places(), today)


def days(last: str, values: Sequence[int], **other: Any) -> list[Stored]:
    """Readings of days in a row, the last of them on `last`."""
    first = day(last) - (len(values) - 1) * DAY
    return [stored((first + n * DAY).isoformat(), value, **{"place": "dak-lak", **other}) for n, value in enumerate(values)]


def brief(answer: Told) -> list[tuple[str, str, str, int]]:
    return [(one.metric, one.window_kind, one.as_of.isoformat(), one.value) for one in answer.figures]


# Which day


def test_today_is_the_newest_complete_day() -> None:
    answer = told(days("2026-11-22", [12, 9]))
    assert brief(answer) == [("cases", "day", "2026-11-22", 9)]
    assert answer.missing is None


def test_a_reading_of_today_is_told_only_once_its_window_is_over() -> None:
    assert brief(told(days("2026-11-23", [12, 9])))[0][2:] == ("2026-11-22", 12)
    over = days("2026-11-23", [9], starts_at=moment("2026-11-22T16:00"), ends_at=moment("2026-11-23T16:00"))
    assert brief(told([*days("2026-11-22", [12]), *over]))[0][2:] == ("2026-11-23", 9)
    assert brief(told([*days("2026-11-22", [12]), *over], "yesterday"))[0][2:] == ("2026-11-22", 12)


def test_what_is_to_come_suspect_incomplete_or_negative_is_not_told() -> None:
    for wrong in (
        days("2026-11-24", [1], ends_at=moment("2026-11-24T16:00")),
        days("2026-11-22", [1], verdict="suspect"),
        days("2026-11-22", [1], verdict="incomplete"),
        days("2026-11-22", [-1]),
    ):
        assert told(wrong).missing == "nothing"
        assert brief(told([*wrong, *days("2026-11-21", [12])])) == [("cases", "day", "2026-11-21", 12)]


def test_of_a_corrected_number_the_newest_good_version_is_told() -> None:
    versions = [
        *days("2026-11-22", [12], id=3),
        *days("2026-11-22", [15], id=7, supersedes=3, marks=frozenset({"revised"})),
        *days("2026-11-22", [900], id=9, supersedes=7, verdict="suspect"),
    ]
    figure = told(versions[::-1]).figures[0]
    assert (figure.value, figure.marks, figure.reading_ids) == (15, {"revised"}, (7,))


def test_a_figure_says_who_when_and_since_when_it_stands() -> None:
    readings = days("2026-11-22", [12], id=3)
    figure = told(readings, stale={readings[0].series: day("2026-11-22")}).figures[0]
    assert (figure.issuer, figure.url, figure.fetched_at) == ("NCSC", "https://feed.example", readings[0].fetched_at)
    assert (figure.feed, figure.place, figure.days, figure.summed_over) == ("ncsc", "dak-lak", 1, ())
    assert figure.stale_since == day("2026-11-22")


# Which source


def test_of_one_day_the_bulletin_is_told_then_the_lower_rank() -> None:
    low, high = days("2026-11-22", [5], feed="low"), days("2026-11-22", [6], feed="high")
    bulletin = days("2026-11-22", [7], feed=BULLETIN)
    ranks = {"low": 1, "high": 2}
    assert told([*high, *low], ranks=ranks).figures[0].value == 5
    assert told([*high, *bulletin, *low], ranks=ranks).figures[0].value == 7


def test_a_newer_day_is_told_before_a_bulletin() -> None:
    assert told([*days("2026-11-21", [7], feed=BULLETIN), *days("2026-11-22", [5])]).figures[0].value == 5


def test_deaths_stand_beside_cases_only_of_the_same_feed_and_day() -> None:
    cases = days("2026-11-22", [12])
    assert len(told([*cases, *days("2026-11-22", [1], metric="deaths")]).figures) == 2
    assert len(told([*cases, *days("2026-11-21", [1], metric="deaths")]).figures) == 1
    assert len(told([*cases, *days("2026-11-22", [1], metric="deaths", feed="other")]).figures) == 1


def test_vaccination_tells_doses_with_first_and_second() -> None:
    readings = [
        one for metric in METRICS["vaccination"] for one in days("2022-01-10", [5], metric=metric, kind="total", place="vn")
    ]
    answer = told(readings, "total", "vn", group="vaccination")
    assert [one.metric for one in answer.figures] == ["doses", "first_doses", "second_doses"]
    assert answer.missing == "not_current"


# Weeks and months


def test_a_week_is_the_sum_of_its_seven_days() -> None:
    answer = told(days("2026-11-22", [100, 1, 2, 3, 4, 5, 6, 7], id=1), "week")
    assert brief(answer) == [("cases", "week", "2026-11-22", 28)]
    assert answer.figures[0].days == 7
    assert len(answer.figures[0].reading_ids) == 7


def test_six_days_are_no_week() -> None:
    six = days("2026-11-22", [1, 2, 3, 4, 5, 6, 7])
    del six[3]
    answer = told(six, "week")
    assert answer.missing == "other_window"
    assert answer.figures[0].window_kind == "day"
    published = days("2026-11-22", [31], kind="week")
    assert brief(told([*six, *published], "week"))[0] == ("cases", "week", "2026-11-22", 31)


def test_days_of_different_hours_are_not_added() -> None:
    week = days("2026-11-22", [1, 2, 3, 4, 5, 6, 7])
    week[-1] = days("2026-11-22", [7], starts_at=moment("2026-11-21T16:00"), ends_at=moment("2026-11-22T16:00"))[0]
    assert told(week, "week").missing == "other_window"


def test_a_week_of_bulletins_from_four_to_four_is_summed_and_keeps_its_hours() -> None:
    bulletins = []
    for n in range(7):
        end = day("2026-11-16") + n * DAY
        hours = {"starts_at": moment(f"{end - DAY}T16:00"), "ends_at": moment(f"{end}T16:00")}
        bulletins += days(end.isoformat(), [10], feed=BULLETIN, **hours)
    figure = told(bulletins, "week").figures[0]
    assert (figure.value, figure.starts_at, figure.ends_at) == (70, moment("2026-11-15T16:00"), moment("2026-11-22T16:00"))


def test_without_days_or_weeks_a_week_is_what_the_total_rose_by() -> None:
    totals = [*days("2026-11-15", [1000], kind="total", id=1), *days("2026-11-22", [1030], kind="total", id=2)]
    answer = told(totals, "week")
    assert brief(answer) == [("cases", "week", "2026-11-22", 30)]
    assert answer.figures[0].reading_ids == (1, 2)


def test_a_total_that_fell_gives_no_week_and_nothing_to_compare() -> None:
    totals = [*days("2026-11-15", [1000], kind="total"), *days("2026-11-22", [995], kind="total", marks=frozenset({"revised"}))]
    answer = told(totals, "week", compare=True)
    assert brief(answer) == [("cases", "total", "2026-11-22", 995)]
    assert answer.figures[0].marks == {"revised"}
    assert answer.comparison is not None
    assert (answer.comparison.direction, answer.comparison.ratio) == ("not_comparable", None)


def test_a_rise_up_to_a_day_that_was_taken_back_later_is_not_told() -> None:
    totals = days("2026-11-22", [1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 1061], kind="total")
    assert brief(told(totals, "week")) == [("cases", "week", "2026-11-22", 51)]
    assert told(totals, "week").figures[0].marks == {"revised"}


def test_a_week_is_never_told_up_to_a_total_that_was_too_high() -> None:
    totals = [*days("2026-11-15", [1000, 1068], kind="total"), *days("2026-11-22", [1070, 1061], kind="total")]
    assert brief(told(totals, "week")) == [("cases", "total", "2026-11-22", 1061)]


def test_last_week_ended_on_sunday() -> None:
    readings = days("2026-11-26", list(range(1, 20)))
    answer = told(readings, "last_week", today=day("2026-11-27"))
    assert answer.figures[0].as_of == day("2026-11-22")
    assert answer.figures[0].as_of.isoweekday() == 7
    assert told(readings, "week", today=day("2026-11-27")).figures[0].as_of == day("2026-11-26")


def test_a_month_is_thirty_days_or_four_weeks() -> None:
    thirty = told(days("2026-11-22", [1] * 31), "month").figures[0]
    assert (thirty.window_kind, thirty.value, thirty.days) == ("month", 30, 30)
    weeks = [one for n in range(4) for one in days((day("2026-11-22") - n * WEEK).isoformat(), [10], kind="week")]
    four = told(weeks, "month").figures[0]
    assert (four.window_kind, four.value, four.days) == ("month", 40, 28)
    assert told(weeks[:3], "month").missing == "other_window"


# The week before


@pytest.mark.parametrize(
    ("before", "now", "direction", "ratio"),
    [(70, 140, "more", 2.0), (140, 70, "fewer", 0.5), (70, 70, "same", 1.0), (0, 70, "more", None), (0, 0, "same", None)],
)
def test_a_week_is_compared_with_the_one_before(before: int, now: int, direction: str, ratio: float | None) -> None:
    readings = [*days("2026-11-15", [before], kind="week"), *days("2026-11-22", [now], kind="week")]
    comparison = told(readings, "week", compare=True).comparison
    assert comparison is not None
    assert (comparison.before.value, comparison.now.value, comparison.change) == (before, now, now - before)
    assert (comparison.direction, comparison.ratio) == (direction, ratio)


@pytest.mark.parametrize("mark", ["revised", "backlog"])
def test_corrected_and_late_numbers_are_not_compared(mark: str) -> None:
    readings = [*days("2026-11-15", [10], kind="week"), *days("2026-11-22", [70], kind="week", marks=frozenset({mark}))]
    comparison = told(readings, "today", compare=True).comparison
    assert comparison is not None
    assert comparison.direction == "not_comparable"


def test_a_week_without_the_one_before_is_not_compared() -> None:
    assert told(days("2026-11-22", [70], kind="week"), "week", compare=True).comparison is None
    other = [*days("2026-11-15", [10], kind="week", feed="other"), *days("2026-11-22", [70], kind="week")]
    assert told(other, "week", compare=True).comparison is None


def test_nothing_is_compared_unasked_or_of_long_ago() -> None:
    old = [*days("2022-06-21", [10], kind="week"), *days("2022-06-28", [70], kind="week")]
    assert told(old, "week", compare=True).comparison is None
    assert told([*days("2026-11-15", [10], kind="week"), *days("2026-11-22", [70], kind="week")], "week").comparison is None


# What is missing


def test_nothing_known_is_said() -> None:
    assert told([]) == Told(missing="nothing")
    assert told(days("2026-11-22", [12], place="thanh-hoa")) == Told(missing="nothing")


def test_the_last_figure_of_a_province_is_told_with_its_date() -> None:
    answer = told([*days("2022-06-28", [12], place=OLD), *days("2022-06-28", [170_000], place=OLD, kind="total")], place=OLD)
    assert brief(answer) == [("cases", "total", "2022-06-28", 170_000)]
    assert answer.missing == "not_current"


def test_the_frozen_series_of_the_who_tells_its_total_and_since_when() -> None:
    """Not the 0 of its last week."""
    readings = [
        *days("2023-12-03", [11_624_000], place="vn", kind="total", feed="who"),
        *days("2023-12-03", [0], place="vn", kind="week", feed="who"),
    ]
    answer = told(readings, place="vn", stale={readings[0].series: day("2023-12-03")})
    assert brief(answer) == [("cases", "total", "2023-12-03", 11_624_000)]
    assert (answer.missing, answer.figures[0].stale_since) == ("not_current", day("2023-12-03"))


def test_a_week_is_told_where_no_day_is_known() -> None:
    answer = told(days("2026-11-15", [70], kind="week"))
    assert brief(answer) == [("cases", "week", "2026-11-15", 70)]
    assert answer.missing == "other_window"


def test_a_stale_day_is_no_answer_to_today() -> None:
    readings = [*days("2026-11-22", [0]), *days("2026-11-15", [70], kind="week")]
    assert brief(told(readings, stale={readings[0].series: day("2026-11-01")}))[0][1] == "week"


def test_the_latest_is_the_total_and_what_was_new() -> None:
    readings = [*days("2026-11-22", [5000], kind="total"), *days("2026-11-21", [7])]
    assert brief(told(readings, "latest")) == [("cases", "total", "2026-11-22", 5000), ("cases", "day", "2026-11-21", 7)]
    old = [*days("2022-06-28", [5000], kind="total"), *days("2022-06-28", [7])]
    assert brief(told(old, "latest")) == [("cases", "total", "2022-06-28", 5000)]


# Provinces that were merged


def test_a_province_of_today_is_summed_over_its_parts_and_says_so() -> None:
    parts = [*days("2022-06-28", [100], place=OLD, kind="total", id=1), *days("2022-06-28", [30], place=PART, kind="total", id=2)]
    figure = told(parts, "total").figures[0]
    assert (figure.value, figure.place, figure.summed_over, figure.reading_ids) == (130, "dak-lak", (OLD, PART), (1, 2))


def test_the_sum_is_of_the_newest_day_that_all_parts_have() -> None:
    parts = [*days("2022-06-28", [100, 101], place=OLD, kind="total"), *days("2022-06-27", [30], place=PART, kind="total")]
    assert brief(told(parts, "total")) == [("cases", "total", "2022-06-27", 130)]


def test_parts_without_a_common_day_are_never_summed() -> None:
    parts = [*days("2022-06-28", [100], place=OLD, kind="total"), *days("2022-06-27", [30], place=PART, kind="total")]
    assert told(parts, "total") == Told(missing="part_missing", parts_missing=(PART,))


def test_a_part_that_is_missing_is_named() -> None:
    assert told(days("2022-06-28", [100], place=OLD, kind="total"), "total") == Told(
        missing="part_missing", parts_missing=(PART,)
    )


def test_a_suspect_part_is_missing() -> None:
    parts = [
        *days("2022-06-28", [100], place=OLD, kind="total"),
        *days("2022-06-28", [30], place=PART, kind="total", verdict="suspect"),
    ]
    assert told(parts, "total").missing == "part_missing"


def test_parts_of_two_feeds_are_never_summed() -> None:
    parts = [
        *days("2022-06-28", [100], place=OLD, kind="total"),
        *days("2022-06-28", [30], place=PART, kind="total", feed="other"),
    ]
    assert told(parts, "total").figures == ()


def test_totals_that_began_on_different_days_are_never_summed() -> None:
    began = {"kind": "total", "starts_at": moment("2021-04-27T00:00")}
    parts = [*days("2022-06-28", [100], place=OLD, **began), *days("2022-06-28", [30], place=PART, kind="total")]
    assert told(parts, "total").figures == ()


def test_totals_of_two_hours_of_one_day_are_summed_up_to_the_earlier() -> None:
    hours = [moment("2022-06-05T18:05"), moment("2022-06-05T17:30")]
    parts = [
        one
        for place, at in zip((OLD, PART), hours, strict=True)
        for one in days("2022-06-05", [10], place=place, kind="total", ends_at=at)
    ]
    figure = told(parts, "total").figures[0]
    assert (figure.value, figure.ends_at) == (20, hours[1])


def test_its_own_numbers_come_before_those_of_its_parts() -> None:
    parts = [*days("2022-06-28", [100], place=OLD), *days("2022-06-28", [30], place=PART)]
    figure = told([*parts, *days("2026-11-22", [4], feed=BULLETIN)]).figures[0]
    assert (figure.value, figure.summed_over) == (4, ())


def test_a_province_of_before_keeps_its_own_numbers() -> None:
    readings = [*days("2022-06-28", [100], place=OLD, kind="total"), *days("2026-11-22", [9], place="dak-lak")]
    assert brief(told(readings, "today", OLD)) == [("cases", "total", "2022-06-28", 100)]


def all_provinces() -> list[Stored]:
    by_gso = places().by_gso
    return [
        one
        for code, row in provinces().items()
        for one in days("2021-09-12", [row["ca_nhiem"]], place=by_gso(code, era="until_2025"), kind="total", feed="vncdc")
    ]


def test_the_country_is_summed_over_all_provinces_and_the_unknown() -> None:
    figure = told(all_provinces(), "total", "vn").figures[0]
    assert (figure.value, len(figure.summed_over)) == (609_246, 64)
    assert "unknown" in figure.summed_over
    without_the_unknown = [one for one in all_provinces() if one.place != "unknown"]
    assert told(without_the_unknown, "total", "vn").figures[0].value == 609_246 - 2_984


def test_the_country_is_not_summed_while_a_province_is_missing() -> None:
    assert told([one for one in all_provinces() if one.place != OLD], "total", "vn") == Told(missing="nothing")


def test_a_province_that_stands_still_does_not_stop_the_country() -> None:
    readings = all_provinces()
    one_stands = {readings[0].series: day("2021-08-01")}
    assert told(readings, "total", "vn", stale=one_stands).figures[0].stale_since is None
    all_stand = {one.series: day("2021-08-01") for one in readings}
    assert told(readings, "total", "vn", stale=all_stand).figures[0].stale_since == day("2021-08-01")


# For any readings

AS_OF = st.integers(0, 40).map(lambda ago: (TODAY + 3 * DAY - ago * DAY).isoformat())
STORED = st.builds(
    lambda as_of, value, more: stored(as_of, value, **more),
    AS_OF,
    st.integers(-3, 40),
    st.fixed_dictionaries(
        {
            "place": st.sampled_from(["dak-lak", OLD, PART, "vn"]),
            "kind": st.sampled_from(["day", "week", "total"]),
            "feed": st.sampled_from(["ncsc", "who", BULLETIN]),
            "metric": st.sampled_from(["cases", "deaths"]),
            "verdict": st.sampled_from(["good", "good", "good", "suspect", "incomplete"]),
            "marks": st.sampled_from([frozenset(), frozenset(), frozenset({"revised"}), frozenset({"backlog"})]),
        }
    ),
)
RUNS = st.builds(
    lambda place, kind, values: days("2026-11-22", values, place=place, kind=kind),
    st.sampled_from(["dak-lak", OLD, PART, "vn"]),
    st.sampled_from(["day", "total"]),
    st.lists(st.integers(0, 40), min_size=1, max_size=35),
)
MANY = st.builds(
    lambda single, runs: [*single, *(one for run in runs for one in run)],
    st.lists(STORED, max_size=40),
    st.lists(RUNS, max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(MANY, st.sampled_from(sorted(SPANS)), st.sampled_from(["dak-lak", OLD, "vn", "thanh-hoa"]), st.booleans())
def test_whatever_is_known_a_figure_is_a_reading_or_a_sum_of_readings(
    readings: list[Stored], period: str, place: str, compare: bool
) -> None:
    numbered = [stored(one.as_of.isoformat(), one.value, **named(one), id=n) for n, one in enumerate(readings, 1)]
    answer = told(numbered, period, place, compare=compare)
    figures = [*answer.figures, *([answer.comparison.before, answer.comparison.now] if answer.comparison else [])]
    by_id = {one.id: one for one in numbered}
    for figure in figures:
        of = [by_id[number] for number in figure.reading_ids]
        assert figure.value >= 0
        assert figure.as_of < TODAY
        assert {one.verdict for one in of} == {"good"}
        assert {(one.feed, one.metric) for one in of} == {(figure.feed, figure.metric)}
        assert {one.place for one in of} == set(figure.summed_over or [place])
        assert max(one.as_of for one in of) == figure.as_of
        assert figure.value in {sum_of(of), risen(of)}
        assert not newer_versions(of, numbered)
    assert bool(answer.figures) != (answer.missing in {"nothing", "part_missing"})
    assert compare or answer.comparison is None


def named(one: Stored) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in ("feed", "metric", "place", "verdict", "marks")}
    return {**fields, "kind": one.window.kind}


def sum_of(of: Iterable[Stored]) -> int:
    return sum(one.value for one in of)


def risen(of: Iterable[Stored]) -> int:
    """The last total of each place, less its first one."""
    by_place: dict[Series, list[Stored]] = {}
    for one in of:
        by_place.setdefault(one.series, []).append(one)
    totals = [sorted(group, key=lambda one: one.as_of) for group in by_place.values()]
    return sum(group[-1].value - group[0].value for group in totals)


def newer_versions(of: Iterable[Stored], known: Iterable[Stored]) -> list[tuple[Stored, Stored]]:
    later = [one for one in known if one.verdict == "good" and one.value >= 0]
    return [(a, b) for a, b in product(of, later) if (a.series, a.as_of) == (b.series, b.as_of) and (b.id or 0) > (a.id or 0)]


def test_a_sum_takes_the_newest_version_of_each_day() -> None:
    week = [*days("2026-11-22", [1] * 7, id=1), *days("2026-11-20", [5], id=2, supersedes=1)]
    assert told(week, "week").figures[0].value == 11
