from datetime import date

import pytest

from bot.figures.checks import MOST_CASES, doubtful, impossible, stale_since

FIRST, LAST = date(2023, 12, 3), date(2023, 12, 17)


def test_a_value_that_stood_still_for_fourteen_days_is_stale_since_its_day():
    assert stale_since(FIRST, LAST, date(2023, 12, 20)) == FIRST


def test_a_value_that_stood_still_for_thirteen_days_is_not_stale():
    assert stale_since(FIRST, date(2023, 12, 16), date(2023, 12, 20)) is None


def test_a_file_that_stopped_altogether_is_stale_although_its_newest_row_is_reported():
    assert stale_since(LAST, LAST, date(2024, 2, 15)) == LAST
    assert stale_since(LAST, LAST, date(2024, 2, 14)) is None


@pytest.mark.parametrize(("cases", "deaths"), [(-1, 0), (5, -1), (MOST_CASES + 1, 0), (10, 11)])
def test_totals_that_cannot_be_are_named(cases, deaths):
    assert impossible(cases, deaths)


@pytest.mark.parametrize(("cases", "deaths"), [(0, 0), (11_624_000, 43_206), (MOST_CASES, 0), (10, 10)])
def test_totals_that_can_be_pass(cases, deaths):
    assert impossible(cases, deaths) is None


@pytest.mark.parametrize(
    ("value", "as_of"), [(989, LAST), (1000, date(2023, 12, 2))], ids=["fell by more than 1 %", "older than what was told"]
)
def test_a_doubtful_value_is_named(value, as_of):
    assert doubtful(value, as_of, last_value=1000, last_as_of=FIRST)


@pytest.mark.parametrize(("value", "as_of"), [(990, LAST), (1000, FIRST), (5000, LAST)])
def test_a_small_correction_the_same_and_a_higher_value_pass(value, as_of):
    assert doubtful(value, as_of, last_value=1000, last_as_of=FIRST) is None
