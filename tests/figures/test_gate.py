from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.figures.checks import DAY
from bot.figures.gate import Judged, judge, people_of, series_states
from bot.figures.known import BULLETIN, Remembered
from bot.figures.readings import Batch, Reading, Series
from tests.figures.recorded import day, moment, reading, series, stored, who
from tests.figures.vietnamese import places

WHO_CASES = Series("who", "cases", "vn", "total")


def judged(readings: Sequence[Reading], today: str = "2022-02-01", before: Sequence[Reading] = ()) -> list[Judged]:
    return judge(Batch("ncsc", readings), Remembered(before), day(today), people_of(places()))


def run(values: Sequence[int], *, start: str = "2022-01-01", **other: object) -> list[Reading]:
    return [reading((day(start) + n * DAY).isoformat(), value, **other) for n, value in enumerate(values)]


def test_every_reading_is_judged_once_in_the_order_of_the_document() -> None:
    readings = [*run([5, 6, 7])[::-1], *run([5, 11, 18], kind="total")]
    assert [one.reading for one in judged([*readings, readings[0]])] == readings


def test_an_empty_document_gives_nothing() -> None:
    assert judged([]) == []
    assert series_states(Batch("ncsc", []), [], Remembered(), day("2022-02-01")) == {}


def test_each_total_is_held_against_the_last_good_one_not_against_a_suspect_one() -> None:
    found = judged(run([1000, 500, 510, 1001], kind="total"))
    assert [one.verdict for one in found] == ["good", "suspect", "suspect", "good"]
    assert found[1].reasons == ("500 for 2022-01-02 after 1000 for 2022-01-01",)


def test_the_readings_of_before_count() -> None:
    found = judged(run([900], start="2022-01-05", kind="total"), before=run([1000], kind="total"))
    assert found[0].verdict == "suspect"


def test_another_feed_place_metric_or_kind_does_not() -> None:
    before = [reading("2022-01-01", 1000, kind="total", **{name: "other"}) for name in ("feed", "place", "metric")]
    found = judged([reading("2022-01-05", 900, kind="total")], before=[*before, reading("2022-01-01", 1000)])
    assert [one.verdict for one in found] == ["good"]


def test_a_whole_series_that_was_corrected_upwards_is_not_held_against_its_old_days() -> None:
    before = run([1000, 1010, 1020], kind="total")
    found = judged(run([1050, 1060, 1070], kind="total"), before=before)
    assert [(one.verdict, one.marks) for one in found] == [("good", {"revised"})] * 3


def test_a_document_that_was_cut_does_not_rise_above_what_was_told_for_later_days() -> None:
    found = judged([reading("2022-01-02", 9999, kind="total")], before=run([1000, 1010, 1020], kind="total"))
    assert found[0].verdict == "suspect"


def test_a_corrected_number_stays_marked_when_it_is_read_again() -> None:
    before = [stored("2022-01-19", 600, marks=frozenset({"revised"}))]
    assert judged([reading("2022-01-19", 600)], before=before)[0].marks == {"revised"}
    assert judged([reading("2022-01-19", 600)], before=[stored("2022-01-19", 600)])[0].marks == frozenset()
    assert judged([reading("2022-01-19", 610)], before=[stored("2022-01-19", 600)])[0].marks == {"revised"}


def test_what_two_people_let_be_told_stays_told_and_is_what_comes_after_is_held_against() -> None:
    old = stored("2022-01-02", 1000, kind="total")
    new = [reading("2022-01-03", 800, kind="total"), reading("2022-01-04", 810, kind="total")]
    assert [one.verdict for one in judged(new, before=[old])] == ["suspect", "suspect"]
    accepted = stored("2022-01-03", 800, kind="total", marks=frozenset({"accepted", "revised"}))
    found = judged(new, before=[old, accepted])
    assert [(one.verdict, one.marks) for one in found] == [("good", {"accepted", "revised"}), ("good", frozenset())]


def test_another_number_than_the_accepted_one_is_doubted_as_before() -> None:
    old = stored("2022-01-02", 1000, kind="total")
    accepted = stored("2022-01-03", 800, kind="total", marks=frozenset({"accepted"}))
    assert [one.verdict for one in judged([reading("2022-01-03", 700, kind="total")], before=[old, accepted])] == ["suspect"]
    running = reading("2022-01-03", 800, kind="total", fetched_at=moment("2022-01-03T12:00"))
    assert [one.verdict for one in judged([running], before=[old, accepted])] == ["incomplete"]


def test_judged_again_beside_itself_a_document_gets_the_same_verdicts() -> None:
    readings = who("who_backlog.csv", fetched="2022-08-20T08:00")
    first = judge(Batch("who", readings), Remembered(), day("2022-08-20"))
    good = [one.reading for one in first if one.verdict == "good"]
    assert judge(Batch("who", readings), Remembered(good), day("2022-08-20")) == first


def test_the_recorded_backlog_is_told_and_marked_in_week_and_total() -> None:
    found = judge(Batch("who", who("who_backlog.csv", fetched="2022-08-20T08:00")), Remembered(), day("2022-08-20"))
    assert {one.verdict for one in found} == {"good"}
    marked = {(one.reading.window.kind, one.reading.as_of.isoformat()) for one in found if "backlog" in one.marks}
    assert marked == {("week", "2022-08-07"), ("total", "2022-08-07")}


def test_the_running_day_does_not_spoil_the_sum_or_the_totals() -> None:
    """Not finished is not wrong: no alarm for what is filled in by the evening."""
    totals = [reading("2022-02-01", 10, kind="total"), reading("2022-01-31", 1000, kind="total")]
    assert [one.verdict for one in judged(totals)] == ["incomplete", "good"]


def test_more_deaths_than_cases_make_both_suspect() -> None:
    pair = [reading("2022-01-21", 10, kind="total"), reading("2022-01-21", 11, kind="total", metric="deaths")]
    assert [one.verdict for one in judged(pair)] == ["suspect", "suspect"]


def test_an_unfilled_zero_is_seen_beside_the_days_of_before() -> None:
    """A document of one day a fetch: the week lies in the database."""
    assert judged([reading("2022-01-08", 0)], before=run([9, 8, 9, 7, 6, 8, 9]))[0].verdict == "incomplete"


# Since when a series stands still


def states(readings: Sequence[Reading], today: str, newest_row: str | None = None) -> dict[Series, datetime.date | None]:
    rows = {one.series: day(newest_row) for one in readings} if newest_row else {}
    batch = Batch(readings[0].feed, readings, rows)
    return series_states(batch, judge(batch, Remembered(), day(today)), Remembered(), day(today))


def test_the_who_stands_still_since_its_last_report() -> None:
    readings = who("who_frozen.csv", fetched="2025-10-05T08:00")
    assert states(readings, "2025-10-05", "2025-09-28")[WHO_CASES] == day("2023-12-03")


def test_a_total_that_repeats_itself_stands_still_since_it_was_reached() -> None:
    readings = [one for one in who("who_frozen.csv", fetched="2025-10-05T08:00") if one.as_of <= day("2023-12-03")]
    found = states(readings, "2023-12-04")
    assert found[WHO_CASES] == found[Series("who", "cases", "vn", "week")] == day("2023-10-22")


def test_reported_zeros_of_a_place_that_had_few_are_news_while_its_feed_moves() -> None:
    readings = who("who_frozen.csv", fetched="2025-10-05T08:00")
    found = states([one for one in readings if one.as_of <= day("2023-10-15")], "2023-10-16")
    assert found[WHO_CASES] is None
    assert found[Series("who", "deaths", "vn", "week")] is None


def test_a_field_that_was_abandoned_stands_still_while_its_feed_moves() -> None:
    columns = [
        series("ncsc_recovered.json", column, kind="total", metric=metric, fetched="2021-09-01T08:00")
        for column, metric in (("case_by_time", "cases"), ("recovered_by_time", "recovered"))
    ]
    found = states([*columns[0], *columns[1]], "2021-09-01")
    assert found[Series("ncsc", "cases", "vn", "total")] is None
    assert found[Series("ncsc", "recovered", "vn", "total")] == day("2021-07-16")


def test_a_bulletin_that_says_the_same_again_does_not_stand_still() -> None:
    weeks = [reading(as_of, 0, kind="week", feed=BULLETIN) for as_of in ("2026-01-04", "2026-01-11", "2026-01-18", "2026-01-25")]
    assert set(states(weeks, "2026-01-26").values()) == {None}
    assert set(states(weeks, "2026-04-26").values()) == {day("2026-01-25")}


def test_a_series_whose_new_numbers_are_all_suspect_stands_at_its_last_good_one() -> None:
    totals = run([1000, 1010, *[0] * 20], kind="total")
    assert set(states(totals, "2022-01-23").values()) == {day("2022-01-02")}


def test_what_stood_still_before_its_remembered_days_stands_still_since_then() -> None:
    series_, days_ = Series("ncsc", "cases", "vn", "total"), run([1000] * 40, start="2022-01-01", kind="total")

    def since(readings: list[Reading]) -> object:
        before = Remembered(readings, {series_: day("2021-06-01")})
        return series_states(Batch("ncsc", readings[-1:]), [], before, day("2022-02-12"))[series_]

    assert since(days_) == day("2021-06-01")
    moved = [*run([900], start="2021-12-31", kind="total"), *days_]
    assert since(moved) == day("2022-01-01"), "it has moved since"


def test_a_lone_series_stands_still_however_little_it_had() -> None:
    assert set(states(run([3, *[4] * 15], kind="total"), "2022-01-17").values()) == {day("2022-01-02")}


def test_a_believed_number_that_is_not_believed_any_more_is_not_the_last_one() -> None:
    before = Remembered(run([1000, 1010, 1020], kind="total"))

    def since(value: int) -> set[datetime.date | None]:
        again = reading("2022-01-03", value, kind="total")
        batch = Batch("ncsc", [again], {again.series: day("2022-01-20")})
        return set(series_states(batch, [Judged(again, "suspect")], before, day("2022-01-21")).values())

    assert since(1020) == {day("2022-01-02")}
    assert since(3) == {day("2022-01-03")}


# For any numbers

PLACES = ("vn", "dak-lak-until-2025", "unknown")
NUMBERS = st.one_of(st.integers(-5, 50), st.integers(-(10**6), 10**9))
READINGS = st.lists(
    st.builds(
        lambda n, value, kind, metric, place: reading(
            (day("2022-01-01") + n * DAY).isoformat(),
            value,
            kind=kind,
            metric=metric,
            place=place,
            fetched_at=moment("2022-02-01T09:00"),
        ),
        st.integers(0, 45),
        NUMBERS,
        st.sampled_from(["day", "week", "total"]),
        st.sampled_from(["cases", "deaths", "doses", "first_doses", "second_doses"]),
        st.sampled_from(PLACES),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(READINGS, READINGS)
def test_whatever_a_feed_says_nothing_impossible_is_good(readings: list[Reading], earlier: list[Reading]) -> None:
    before = Remembered(one for one in earlier if one.value >= 0)
    batch = Batch("ncsc", readings)
    found = judge(batch, before, day("2022-02-01"), people_of(places()))
    good = [one.reading for one in found if one.verdict == "good"]
    assert [one.reading for one in found] == list(dict.fromkeys(readings))
    assert all(0 <= one.value <= 110_000_000 * 8 and one.as_of < day("2022-02-01") for one in good)
    assert all(one.reasons for one in found if one.verdict != "good" or one.marks)
    keys = [(one.series, one.as_of) for one in good]
    assert len(keys) == len(set(keys))
    by_series: dict[Series, list[int]] = {}
    for one in sorted(good, key=lambda one: one.as_of):
        by_series.setdefault(one.series, []).append(one.value)
    for of, values in by_series.items():
        if of.kind == "total":
            assert all(after >= value - max(value * 0.01, 3) for value, after in pairwise(values))
    states = series_states(batch, found, before, day("2022-02-01"))
    assert set(states) == {one.series for one in readings}
