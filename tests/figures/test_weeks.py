"""The weeks of a picture: whole ones, gaps as gaps, parts summed, late reports marked, and nothing that is not told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from bot.figures.known import Known, Stored
from bot.figures.places import FigurePlaces
from bot.figures.readings import Series, Window
from bot.figures.weeks import Weekly, as_value, weekly
from bot.settings import ROOT

TODAY = date(2026, 11, 22)
SUNDAY = date(2026, 11, 15)
READ = datetime(2026, 11, 21, 18, tzinfo=UTC)


@cache
def places() -> FigurePlaces:
    return FigurePlaces.load(ROOT)


def reading(as_of: date, value: int, kind: Any = "week", place: str = "vn", **given: Any) -> Stored:
    usual = {"feed": "who", "metric": "cases", "issuer": "WHO", "url": "https://who.example", "fetched_at": READ}
    return Stored(place=place, as_of=as_of, window=Window(kind), value=value, **{**usual, **given})


def weeks(values: Iterable[int | None], **given: Any) -> list[Stored]:
    """One a week up to 15/11, oldest first; None is no reading."""
    counted = list(values)
    first = SUNDAY - timedelta(weeks=len(counted) - 1)
    return [reading(first + timedelta(weeks=n), value, **given) for n, value in enumerate(counted) if value is not None]


def shown(readings: list[Stored], place: str = "vn", count: int = 8, **known: Any) -> Weekly | None:
    return weekly(Known(readings, **known), "cases", place, places(), TODAY, weeks=count)


def values(found: Weekly | None) -> list[int | None]:
    assert found is not None
    return [bar.value for bar in found.bars]


def test_the_last_weeks_are_shown_oldest_first() -> None:
    assert values(shown(weeks(range(1, 20)), count=4)) == [16, 17, 18, 19]


def test_a_week_that_nobody_published_is_a_gap_and_zero_is_zero() -> None:
    found = shown(weeks([5, None, 0, 7]))
    assert values(found) == [5, None, 0, 7]
    assert found is not None
    assert found.known_weeks == 3


def test_a_feed_that_began_lately_has_no_gaps_before_it() -> None:
    assert values(shown(weeks([3, 4]))) == [3, 4]


def test_days_are_summed_to_weeks_only_when_all_seven_are_there() -> None:
    counted = [reading(TODAY - timedelta(days=n), 2, "day") for n in range(1, 22) if n != 10]
    assert values(shown(counted)) == [14, None, 14]


def test_totals_give_what_was_new() -> None:
    assert values(shown([reading(SUNDAY - timedelta(weeks=n), 1000 - 10 * n, "total") for n in range(4)])) == [10, 10, 10]


def test_a_week_with_late_reports_is_marked() -> None:
    late = reading(SUNDAY, 900, marks=frozenset({"backlog"}))
    found = shown([*weeks([5, 6, None]), late])
    assert found is not None
    assert [bar.is_backlog for bar in found.bars] == [False, False, True]


def test_a_merged_province_is_summed_over_its_parts_and_says_so() -> None:
    parts = ("dak-lak-until-2025", "phu-yen-until-2025")
    found = shown([r for n, part in enumerate(parts) for r in weeks([10 + n, 20 + n], place=part)], place="dak-lak")
    assert values(found) == [21, 41]
    assert found is not None
    assert as_value(found, places())["summed_over"] == ["Đắk Lắk", "Phú Yên"]


def test_a_week_of_which_a_part_is_missing_is_a_gap() -> None:
    readings = [*weeks([1, 1, 1], place="dak-lak-until-2025"), *weeks([2, None, 2], place="phu-yen-until-2025")]
    assert values(shown(readings, place="dak-lak")) == [3, None, 3]


def test_a_suspect_week_is_not_shown() -> None:
    assert values(shown([*weeks([5, 6]), reading(SUNDAY + timedelta(days=1), 9_000_000, verdict="suspect")])) == [5, 6]


def test_weeks_of_two_feeds_do_not_stand_side_by_side() -> None:
    other = [reading(SUNDAY - timedelta(days=3), 999, feed="so-y-te")]
    assert values(shown([*weeks([5, 6]), *other])) == [5, 6]


def test_nothing_known_is_no_picture() -> None:
    assert shown([]) is None
    assert shown([reading(SUNDAY, 5, "total")]) is None
    assert shown(weeks([5, 6]), place="thanh-hoa") is None


def test_a_series_that_stands_still_says_since_when() -> None:
    found = shown(weeks([5, 6]), stale={Series("who", "cases", "vn", "week"): SUNDAY})
    assert found is not None
    assert found.stale_since == SUNDAY
    value = as_value(found, places())
    assert (value["stale_since"], value["fetched_on"], value["place_name"]) == ("2026-11-15", "2026-11-22", "Việt Nam")
