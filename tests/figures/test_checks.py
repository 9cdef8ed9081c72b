"""The eleven checks, each against numbers that a feed once gave; and the proof that each is what stops them."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.figures import checks, gate, places
from bot.figures.checks import CHECKS, DAY, STALE_AFTER
from bot.figures.feeds import Context, documents, ncsc, vncdc
from bot.figures.feeds import who as who_feed
from bot.figures.gate import Judged, judge, people_of
from bot.figures.known import Remembered
from bot.figures.readings import Batch, FeedError, Reading
from tests.figures.recorded import GATE, day, moment, provinces, reading, series, who
from tests.figures.vietnamese import ROOT, context, document, fetched
from tests.figures.vietnamese import places as all_places

Refuses = Callable[[], bool]


def judged(readings: Sequence[Reading], today: str, before: Sequence[Reading] = ()) -> list[Judged]:
    return judge(Batch("ncsc", readings), Remembered(before), day(today), people_of(all_places()))


def only(found: Sequence[Judged], as_of: str, kind: str = "day", metric: str = "cases") -> Judged:
    return next(
        one for one in found if (one.reading.as_of, one.reading.window.kind, one.reading.metric) == (day(as_of), kind, metric)
    )


# 1 to 3 and 10: at the border, where documents are read


def object_for_array_is_refused() -> bool:
    return raises(lambda: vncdc.read(fetched({"data": document("vncdc_by_current.json")}), context("2021-09-13T12:00")))


def row_without_its_key_is_refused() -> bool:
    rows = document("ncsc_provinces.json")
    del rows[0]["total_case"]
    return raises(lambda: ncsc.read_cases(fetched(rows), context("2022-01-22T17:00")))


def date_of_another_order_is_refused() -> bool:
    content = {**document("ncsc_province_40.json"), "case_by_day": {"1/22/2022": 153}}
    return raises(
        lambda: ncsc.read_series(fetched(content), context("2022-01-23T12:00", "https://feed.example/covid/province/40"))
    )


def every_name_is_known_in_four_spellings() -> bool:
    units = all_places().all("until_2025")
    known = places.FigurePlaces.load(ROOT)
    return all(known.by_name(name, era="until_2025") == unit.key for unit in units for name in spellings(unit.name))


def spellings(name: str) -> list[str]:
    name = name.removeprefix("Thành phố ")
    dashed = name.replace(" - ", " – ").replace("-", "–")
    return [
        f"Tỉnh {name}",
        f"TP. {unicodedata.normalize('NFD', name)}",
        dashed.upper(),
        name.replace("òa", "oà").replace("óa", "oá"),
    ]


def raises(read: Callable[[], object]) -> bool:
    try:
        read()
    except FeedError:
        return True
    return False


BORDER: list[tuple[int, Refuses, object, str, object]] = [
    (1, object_for_array_is_refused, vncdc, "as_rows", lambda value, called: value if isinstance(value, list) else []),
    (2, row_without_its_key_is_refused, documents, "field", lambda row, key: row.get(key)),
    (3, date_of_another_order_is_refused, ncsc, "day_month_year", lambda text: (datetime.date(2022, 1, 22), None)),
    (10, every_name_is_known_in_four_spellings, places, "letters", lambda name: name),
]


@pytest.mark.parametrize(("number", "stops", "room", "name", "nothing"), BORDER, ids=[CHECKS[row[0]] for row in BORDER])
def test_a_check_at_the_border_stops_its_fault_and_nothing_else_does(
    number: int, stops: Refuses, room: object, name: str, nothing: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stops()
    monkeypatch.setattr(room, name, nothing)
    assert not stops()


def test_the_missing_key_is_named() -> None:
    rows = document("ncsc_provinces.json")
    del rows[0]["total_case"]
    with pytest.raises(FeedError, match="total_case"):
        ncsc.read_cases(fetched(rows), context("2022-01-22T17:00"))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace(",", ";"),
        lambda text: text.replace("2022-08-07,", "07/08/2022,"),
        lambda text: text.replace("2022-08-07,", "2022-08-07T00:00:00Z,"),
    ],
    ids=["byte order mark and CRLF", "semicolons", "dd/mm/yyyy", "Z"],
)
def test_the_file_is_the_same_in_every_writing(change: Callable[[str], str]) -> None:
    text = (GATE / "who_backlog.csv").read_text(encoding="utf-8")

    def read(content: str) -> Batch:
        at = Context(moment("2022-08-20T12:00"), all_places(), "https://who.example")
        return who_feed.read(fetched(content.encode()).lines(), at)

    assert read(change(text)) == read(text)
    assert read(text).readings


# 4 to 9 and 11: in the gate. Each trap: what the gate says, and the table and rule that say it.


def running_day() -> str:
    return judged([reading("2022-01-22", 120, fetched_at=moment("2022-01-22T12:00"))], "2022-01-22")[0].verdict


def zero_that_is_not_filled_in() -> str:
    return only(judged(series("ncsc_ha_noi.json", "case_by_day", fetched="2022-01-23T08:00"), "2022-01-23"), "2022-01-22").verdict


def total_that_falls_far() -> str:
    totals = series("ncsc_november_2021.json", "case_by_time", kind="total", fetched="2021-11-14T08:00")
    return only(judged(totals, "2021-11-14"), "2021-11-11", "total").verdict


def total_that_falls_a_little() -> str:
    totals = series("ncsc_october_2020.json", "case_by_time", kind="total", fetched="2020-10-28T08:00")
    one = only(judged(totals, "2020-10-28"), "2020-10-23", "total")
    return f"{one.verdict} {sorted(one.marks)}"


def slip_of_one_day() -> str:
    totals = [reading(f"2022-03-{n:02}", value, kind="total") for n, value in enumerate((1000, 1010, 9000, 1030), 1)]
    return only(judged(totals, "2022-03-10"), "2022-03-03", "total").verdict


def late_reports_at_once() -> str:
    one = only(judged(who("who_backlog.csv", fetched="2022-08-20T08:00"), "2022-08-20"), "2022-08-07", "week")
    return f"{one.verdict} {sorted(one.marks)}"


def provinces_with_one_of_them_twice() -> str:
    return judged([*as_readings(double=79), reading("2021-09-12", 609_246, kind="total")], "2021-09-13")[-1].verdict


def more_cases_than_a_province_can_have() -> str:
    days = series("ncsc_ca_mau.json", "case_by_day", fetched="2022-01-23T08:00", place="ca-mau-until-2025")
    return only(judged(days, "2022-01-23"), "2021-10-25").verdict


def first_doses_that_became_only_one_dose() -> str:
    columns = [
        series("ncsc_once_injected.json", f"{column}_injected_by_time", kind="total", metric=metric, fetched="2021-11-14T08:00")
        for column, metric in (("once", "first_doses"), ("twice", "second_doses"))
    ]
    return only(judged([*columns[0], *columns[1]], "2021-11-14"), "2021-11-11", "total", "second_doses").verdict


def negative_day() -> str:
    one = judged([reading("2020-06-07", -210)], "2020-06-08")[0]
    return f"{one.verdict} {sorted(one.marks)}"


def two_numbers_for_one_place() -> str:
    return judged([reading("2022-01-21", 2805), reading("2022-01-21", 227)], "2022-01-23")[0].verdict


def more_in_a_day_than_ever() -> str:
    return judged([reading("2022-01-21", 900), reading("2022-01-21", 80, kind="total")], "2022-01-23")[0].verdict


def day_taken_back_to_zero() -> str:
    return judged([reading("2022-01-19", 0)], "2022-01-23", [reading("2022-01-19", 628)])[0].verdict


def as_readings(double: int = 0) -> list[Reading]:
    """The recorded totals of the provinces; the one with the code `double` counts twice."""
    by_gso = all_places().by_gso
    return [
        reading("2021-09-12", row["ca_nhiem"] * (2 if code == double else 1), kind="total", place=by_gso(code, era="until_2025"))
        for code, row in provinces().items()
    ]


UNFINISHED, DOCUMENT, SERIES = "UNFINISHED_CHECKS", "DOCUMENT_CHECKS", "SERIES_CHECKS"
TRAPS: list[tuple[int, Callable[[], str], str, str, list[str]]] = [
    (4, running_day, "incomplete", UNFINISHED, ["still_running"]),
    (4, zero_that_is_not_filled_in, "incomplete", UNFINISHED, ["not_filled_in"]),
    (5, total_that_falls_far, "suspect", SERIES, ["fallen"]),
    (5, total_that_falls_a_little, "good ['revised']", SERIES, ["fallen"]),
    (5, slip_of_one_day, "suspect", SERIES, ["fallen_back"]),
    (5, negative_day, "suspect ['negative_day']", DOCUMENT, ["not_sane"]),
    (5, day_taken_back_to_zero, "suspect", SERIES, ["published_again"]),
    (6, late_reports_at_once, "good ['backlog']", SERIES, ["many_at_once"]),
    (8, provinces_with_one_of_them_twice, "suspect", DOCUMENT, ["not_adding_up"]),
    (8, two_numbers_for_one_place, "suspect", DOCUMENT, ["said_twice"]),
    (9, more_cases_than_a_province_can_have, "suspect", DOCUMENT, ["not_sane"]),
    (9, first_doses_that_became_only_one_dose, "suspect", DOCUMENT, ["contradictory"]),
    (9, more_in_a_day_than_ever, "suspect", DOCUMENT, ["more_new_than_ever"]),
]


@pytest.mark.parametrize(("number", "trap", "says", "table", "rules"), TRAPS, ids=[row[1].__name__ for row in TRAPS])
def test_a_check_of_the_gate_stops_its_fault_and_nothing_else_does(
    number: int, trap: Callable[[], str], says: str, table: str, rules: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trap() == says
    left = tuple(rule for rule in getattr(gate, table) if rule.__name__ not in rules)
    assert len(left) == len(getattr(gate, table)) - len(rules)
    monkeypatch.setattr(gate, table, left)
    assert trap() in {"good", "good []"}


def test_every_rule_of_the_gate_has_a_trap() -> None:
    rules = {rule.__name__ for table in (UNFINISHED, DOCUMENT, SERIES) for rule in getattr(gate, table)}
    assert rules == {rule for row in TRAPS for rule in row[4]}


def test_every_check_is_here_and_in_the_documentation() -> None:
    # 7 is tested with the states of series, 11 with the sums below.
    assert {row[0] for row in BORDER} | {row[0] for row in TRAPS} | {7, 11} == set(CHECKS) == set(range(1, 12))
    text = (Path(ROOT) / "docs/figures.md").read_text(encoding="utf-8")
    assert [name for number, name in CHECKS.items() if f"| {number} | `{name}` |" not in text] == []


# 4


def test_a_window_that_ended_before_the_fetch_is_finished_on_its_own_day() -> None:
    until_four = reading("2022-01-22", 120, ends_at=moment("2022-01-22T16:00"), fetched_at=moment("2022-01-22T17:00"))
    assert checks.unfinished_day(until_four, day("2022-01-22")) is None
    still_open = reading("2022-01-22", 120, ends_at=moment("2022-01-22T16:00"), fetched_at=moment("2022-01-22T15:59"))
    assert checks.unfinished_day(still_open, day("2022-01-22"))
    to_come = reading("2022-01-23", 120, ends_at=moment("2022-01-22T16:00"), fetched_at=moment("2022-01-22T17:00"))
    assert checks.unfinished_day(to_come, day("2022-01-22"))


def test_the_day_of_the_fetch_is_that_of_viet_nam() -> None:
    after_midnight = datetime.datetime(2022, 1, 21, 17, 1, tzinfo=datetime.UTC)
    assert checks.unfinished_day(reading("2022-01-21", 1, fetched_at=after_midnight), day("2022-01-22")) is None
    before = datetime.datetime(2022, 1, 21, 16, 59, tzinfo=datetime.UTC)
    assert checks.unfinished_day(reading("2022-01-21", 1, fetched_at=before), day("2022-01-22"))


def test_a_total_that_repeats_after_a_week_of_rises_is_not_filled_in() -> None:
    totals = series("ncsc_ha_noi.json", "case_by_time", kind="total", fetched="2022-01-23T08:00")
    found = judged(totals, "2022-01-23")
    assert only(found, "2022-01-22", "total").verdict == "incomplete"
    assert only(found, "2022-01-21", "total").verdict == "good"


@pytest.mark.parametrize(
    ("news", "unfilled"),
    [
        ([5, 4, 6, 3, 2, 4, 1, 0], 1),
        ([5, 4, 6, 3, 2, 4, 1, 0, 0], 2),
        ([5, 0, 6, 3, 2, 4, 1, 0], 0),
        ([0, 0, 0, 0], 0),
        ([7, 8, 0], 0),
        ([5, 4, 6, 3, 2, 4, 1, 2], 0),
        ([], 0),
    ],
    ids=["one zero", "two zeros", "a place with zeros of its own", "only zeros", "too little known", "no zero", "nothing"],
)
def test_zeros_after_a_week_without_any_are_unfilled(news: list[int], unfilled: int) -> None:
    days = [(day("2022-01-10") + n * DAY, new) for n, new in enumerate(news)]
    assert checks.unfilled_days(days) == [of for of, _ in days[len(days) - unfilled :]]


def test_what_was_not_filled_in_is_told_once_it_is() -> None:
    before = [one for one in series("ncsc_ha_noi.json", "case_by_day", fetched="2022-01-23T08:00") if one.value]
    assert judged([reading("2022-01-22", 2765)], "2022-01-23", before)[0].verdict == "good"


# 5


@pytest.mark.parametrize(
    ("value", "before", "says"),
    [
        (1148, 1153, "revised"),
        (990, 1000, "revised"),
        (989, 1000, "suspect"),
        (9, 12, "revised"),
        (8, 12, "suspect"),
        (0, 2, "suspect"),
        (12, 12, None),
        (13, 12, None),
    ],
)
def test_a_total_may_fall_a_little(value: int, before: int, says: str | None) -> None:
    assert checks.falling_total(value, before) == says


def test_the_reclassified_first_doses_are_held_against_the_last_good_total() -> None:
    """23,372,859 to 22,956,733 within a day of October 2021: 1.8 %."""
    assert checks.falling_total(22_956_733, 23_372_859) == "suspect"
    assert checks.falling_total(9_550_259, 9_552_095) == "revised"


# 6


@pytest.mark.parametrize(
    ("new", "before", "kind", "says"),
    [
        (571_458, [6221, 5502, 7350, 7479], "week", True),
        (74_790, [6221, 5502, 7350, 7479], "week", True),
        (60_000, [6221, 5502, 7350, 7479], "week", False),
        (3, [0] * 28, "day", False),
        (51, [0] * 28, "day", True),
        (571_458, [6221, 5502], "week", False),
        (500, [1] * 6, "day", False),
    ],
)
def test_ten_times_the_usual_is_a_backlog(new: int, before: list[float], kind: str, *, says: bool) -> None:
    assert checks.backlog(new, before, kind) is says


# 7


def test_recovered_stands_still_since_its_first_8679() -> None:
    days = sorted(
        (one.as_of, one.value) for one in series("ncsc_recovered.json", "recovered_by_time", fetched="2021-09-01T08:00")
    )
    since = checks.stands_still(days, kind="total")
    assert since is not None
    assert dict(days)[since] == dict(days)[day("2021-08-31")] == 8679
    assert dict(days).get(since - DAY) != 8679
    assert not checks.is_quiet(days, since, kind="total")


def test_thirteen_days_are_not_yet_still() -> None:
    start = day("2022-01-01")
    days = [(start + n * DAY, 5) for n in range(STALE_AFTER.days + 1)]
    assert checks.stands_still(days, kind="total") == start
    assert checks.stands_still(days[:-1], kind="total") is None
    assert checks.stands_still([], kind="total") is None


def test_a_row_that_goes_on_without_a_number_has_stopped() -> None:
    reported = [(day("2023-11-26"), 11_624_000), (day("2023-12-03"), 11_624_000)]
    for row, stopped in (("2023-12-17", day("2023-12-03")), ("2023-12-16", None)):
        assert checks.stopped(reported, day(row), day("2023-12-20"), kind="total") == stopped


def test_a_file_that_has_itself_stopped_is_stale_sooner_if_it_was_daily() -> None:
    weekly = [(day("2023-11-26"), 1), (day("2023-12-03"), 2)]
    assert checks.stopped(weekly, day("2023-12-03"), day("2024-01-31"), kind="week") is None
    assert checks.stopped(weekly, day("2023-12-03"), day("2024-02-01"), kind="week") == day("2023-12-03")
    daily = [(day("2023-12-02"), 1), (day("2023-12-03"), 2)]
    assert checks.stopped(daily, day("2023-12-03"), day("2023-12-16"), kind="day") is None
    assert checks.stopped(daily, day("2023-12-03"), day("2023-12-17"), kind="day") == day("2023-12-03")


# 8 and 11


def by_place() -> dict[str, int]:
    return {one.place: one.value for one in as_readings()}


def test_the_recorded_provinces_add_up_with_the_unknown() -> None:
    assert checks.sum_of_provinces(609_246, by_place()) is None


def test_the_unknown_count_in_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.sum_of_provinces(612_400, by_place()) is None
    assert checks.sum_of_provinces(612_400, {place: value for place, value in by_place().items() if place != "unknown"})
    assert all_places().by_gso(999, era="until_2025") == "unknown"
    assert all_places().unit("unknown").name == "Chưa rõ"


def test_a_sum_that_lacks_a_province_is_not_compared() -> None:
    without = {place: value for place, value in by_place().items() if place != "ha-noi-until-2025"}
    assert checks.sum_of_provinces(1, without) is None


# 9


def test_a_population_that_cannot_be_meant_is_named() -> None:
    tien_giang = provinces()[82]
    ours = all_places().unit("tien-giang-until-2025").population
    assert ours is not None
    assert tien_giang["population"] == 9_038_600
    assert checks.sane_population(tien_giang["population"], ours)
    assert checks.sane_population(1_765_000, ours) is None


@pytest.mark.parametrize(
    ("metric", "kind", "value", "is_sane"),
    [
        ("cases", "total", 1_194_000, True),
        ("cases", "total", 1_400_000, False),
        ("cases", "day", 100_000, True),
        ("cases", "day", 151_919, False),
        ("deaths", "week", 14_000, False),
        ("doses", "total", 3_000_000, True),
        ("doses", "total", 12_000_000, False),
        ("first_doses", "total", 1_400_000, False),
        ("cases", "total", -1, False),
        ("cases", "total", 0, True),
    ],
)
def test_a_first_value_must_be_possible(metric: str, kind: str, value: int, *, is_sane: bool) -> None:
    one = reading("2022-01-21", value, metric=metric, kind=kind, place="ca-mau-until-2025")
    assert (checks.sane_number(one, 1_194_476) is None) is is_sane


@pytest.mark.parametrize(("place", "most"), [("vn", 101_100_000), ("unknown", 101_100_000), ("somewhere", 15_000_000)])
def test_a_place_whose_people_nobody_counted_has_a_limit_too(place: str, most: int) -> None:
    assert checks.sane_number(reading("2022-01-21", most, kind="total", place=place)) is None
    assert checks.sane_number(reading("2022-01-21", round(most * 1.2), kind="total", place=place))
