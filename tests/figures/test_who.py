from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.figures.feeds import Context, who
from bot.figures.feeds.feed import KEPT
from bot.figures.fetch import fetch
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, FeedError, Series
from bot.settings import ROOT
from tests.simulators.feeds import FeedHost, a_drifted_file, a_file, fixture

HEADER = "Date_reported,Country_code,Country,WHO_region,New_cases,Cumulative_cases,New_deaths,Cumulative_deaths"
FETCHED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PLACES = FigurePlaces.load(ROOT)


def batch(*rows: str, header: str = HEADER, fetched_at: datetime = FETCHED):
    return who.read([header, *rows], Context(fetched_at, PLACES, "http://feed"))


def weeks(*numbers: tuple[object, object, object, object]) -> list[str]:
    """Rows of weeks that end on 1, 8, 15 … November 2026, from (new cases, cases, new deaths, deaths)."""
    return [f"2026-11-{1 + 7 * week:02},VN,Viet Nam,WPRO,{','.join(map(str, row))}" for week, row in enumerate(numbers)]


def days(*numbers: tuple[object, object]) -> list[str]:
    """Rows of 1, 2, 3 … November 2026 from (new cases, cases)."""
    return [f"2026-11-{day:02},VN,Viet Nam,WPRO,{new},{total},0,1" for day, (new, total) in enumerate(numbers, start=1)]


def of_file(feed: FeedHost, name: str):
    feed.plays = [a_file(fixture(name))]
    return who.read(fetch(feed.url).lines(), Context(FETCHED, PLACES, feed.url))


def newest(found, metric: str, kind: str):
    """(day, value) of the newest reading of a series."""
    return max(((r.as_of, r.value) for r in found.readings if (r.metric, r.window.kind) == (metric, kind)), default=None)


def told(found, metric: str, kind: str) -> list[int]:
    return [r.value for r in found.readings if (r.metric, r.window.kind) == (metric, kind)]


# ── files as they were published ────────────────────────────────────────────────────────────────────


def test_the_weekly_file_gives_totals_and_weeks_up_to_the_last_report(feed: FeedHost):
    found = of_file(feed, "weekly.csv")
    assert newest(found, "cases", "total") == (date(2023, 12, 3), 11_624_000)
    assert newest(found, "deaths", "total") == (date(2023, 12, 3), 43_206)
    assert newest(found, "cases", "week") == newest(found, "deaths", "week") == (date(2023, 12, 3), 0)
    assert {(r.feed, r.place, r.url, r.fetched_at, r.issuer) for r in found.readings} == {
        ("who", "vn", feed.url, FETCHED, who.ISSUER)
    }
    assert found.warnings == []


def test_weeks_that_were_not_reported_give_no_reading_and_are_still_rows(feed: FeedHost):
    found = of_file(feed, "weekly.csv")
    last_row = max(found.newest_rows.values())
    assert last_row > date(2023, 12, 3)
    assert found.newest_rows == {
        Series("who", metric, "vn", kind): last_row for metric in ("cases", "deaths") for kind in ("total", "week")
    }


def test_byte_order_mark_crlf_and_times_are_read_as_days(feed: FeedHost):
    found = of_file(feed, "daily_bom_crlf.csv")
    assert newest(found, "cases", "total") == (date(2020, 6, 25), 352)
    assert newest(found, "cases", "day") == (date(2020, 6, 25), 3)
    assert newest(found, "cases", "week") is None


def test_a_spreadsheet_copy_with_semicolons_and_without_zeros_is_read(feed: FeedHost):
    found = of_file(feed, "spreadsheet_semicolons.csv")
    assert newest(found, "cases", "total") == (date(2023, 10, 22), 11_624_000)
    assert newest(found, "deaths", "total") == (date(2023, 10, 22), 43_206)
    assert newest(found, "cases", "week") == (date(2023, 10, 22), 13)
    assert newest(found, "deaths", "week") is None
    assert max(found.newest_rows.values()) == date(2024, 8, 11)


def test_commas_in_quotes_do_not_move_columns():
    other = '2026-11-01,BQ,"Bonaire, Saint Eustatius and Saba",AMRO,4,11900,0,41'
    quoted = '2026-11-01,VN,"Viet Nam, of course",WPRO,5,100,0,1'
    assert told(batch(other, quoted), "cases", "total") == [100]


def test_another_countrys_damaged_rows_do_not_matter():
    assert told(batch("nonsense,ZM,Zambia,AFRO,many,,,", *weeks((5, 100, 0, 1))), "cases", "total") == [100]


# ── what a row says ─────────────────────────────────────────────────────────────────────────────────


def test_an_empty_cell_is_no_report_and_a_zero_is_one():
    reported = batch(*weeks((5, 100, 0, 1), (0, 100, 0, 1)))
    silent = batch(*weeks((5, 100, 0, 1), ("", 100, "", 1)))
    assert newest(reported, "cases", "total")[0] == newest(reported, "cases", "week")[0] == date(2026, 11, 8)
    assert newest(silent, "cases", "total")[0] == date(2026, 11, 1)
    assert newest(silent, "cases", "week") is None


def test_a_week_of_cases_without_deaths_reports_the_total_of_both():
    found = batch(*weeks((5, 100, 0, 1), (7, 107, "", 1)))
    assert newest(found, "deaths", "total") == (date(2026, 11, 8), 1)
    assert told(found, "deaths", "week") == []


def test_a_total_that_moves_without_a_report_is_read_for_its_own_day():
    assert newest(batch(*weeks((5, 100, 0, 1), ("", 130, "", 1))), "cases", "total") == (date(2026, 11, 8), 130)


def test_a_negative_correction_is_handed_on_for_the_checks():
    found = batch(*weeks((5, 100, 0, 1), (-2, 98, 0, 1)))
    assert (newest(found, "cases", "week")[1], newest(found, "cases", "total")[1]) == (-2, 98)


def test_whole_numbers_written_as_fractions_are_read():
    found = batch(*weeks(("5.0", "100.0", "NaN", "1.0")))
    assert (told(found, "cases", "total"), told(found, "deaths", "total")) == ([100], [1])


def test_rows_may_come_in_any_order_and_columns_too():
    header = "Country_code,Cumulative_deaths,New_deaths,Cumulative_cases,New_cases,Date_reported"
    found = batch("VN,2,1,120,20,2026-11-08", "VN,1,0,100,5,2026-11-01", header=header)
    assert (newest(found, "cases", "total"), told(found, "cases", "week")) == ((date(2026, 11, 8), 120), [20])


def test_a_new_column_is_named_and_does_not_matter():
    found = batch(f"{weeks((5, 100, 0, 1))[0]},x", header=f"{HEADER},Tests")
    assert "the file has a new column 'Tests'" in found.warnings


def test_a_row_that_stands_there_twice_is_read_once():
    row = weeks((5, 100, 0, 1))[0]
    assert told(batch(row, row), "cases", "total") == [100]


# ── which span a new number counts ──────────────────────────────────────────────────────────────────


def test_a_week_after_a_missing_row_is_not_told_as_one_week():
    first, _, third = weeks((5, 100, 0, 1), (6, 106, 0, 1), (7, 120, 0, 1))
    fourth = "2026-11-22,VN,Viet Nam,WPRO,8,128,0,1"
    assert told(batch(first, third, fourth), "cases", "week") == [8]


def test_days_after_each_other_are_days():
    assert told(batch(*days((5, 100), (6, 106), (7, 113))), "cases", "day") == [6, 7]


def test_a_weekly_report_in_a_daily_file_is_a_week_and_not_a_day():
    found = batch(*days((5, 100), *[("", 100)] * 6, (70, 170)))
    assert told(found, "cases", "day") == []
    assert newest(found, "cases", "week") == (date(2026, 11, 8), 70)


def test_a_report_after_three_days_is_neither():
    found = batch(*days((5, 100), ("", 100), ("", 100), (30, 130)))
    assert told(found, "cases", "day") == told(found, "cases", "week") == []
    assert newest(found, "cases", "total") == (date(2026, 11, 4), 130)


def test_rows_of_no_rhythm_give_totals_only():
    found = batch("2026-11-01,VN,V,W,5,100,0,1", "2026-11-11,VN,V,W,9,109,0,1")
    assert {r.window.kind for r in found.readings} == {"total"}
    assert found.warnings == ["the rows are neither daily nor weekly: only totals are read"]


# ── days ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_running_week_is_handed_on_for_the_checks():
    found = batch(*weeks((5, 100, 0, 1), (6, 106, 0, 1), (0, 106, 0, 1), (0, 106, 0, 1)))
    assert newest(found, "cases", "week") == (date(2026, 11, 22), 0)


def test_a_row_of_a_day_that_is_far_off_is_a_misread_date():
    with pytest.raises(FeedError, match="2026-12-06, which is to come"):
        batch("2026-12-06,VN,Viet Nam,WPRO,5,100,0,1")


def test_what_is_older_than_four_months_is_left_out_but_for_the_newest_of_its_series():
    old = ["2024-01-07,VN,V,W,9,50,1,1", "2024-01-14,VN,V,W,9,59,1,2"]
    found = batch(*old, "2026-11-08,VN,V,W,5,100,,2", "2026-11-15,VN,V,W,5,105,,2")
    assert told(found, "cases", "total") == [100, 105]
    assert newest(found, "deaths", "week") == (date(2024, 1, 14), 1)
    assert min(r.as_of for r in found.readings if r.metric == "cases") > FETCHED.astimezone(VIETNAM).date() - KEPT


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────────

ROW = "2026-11-01,VN,Viet Nam,WPRO,5,100,0,1"


@pytest.mark.parametrize(
    ("header", "rows", "named"),
    [
        (HEADER.replace("New_cases", "Cases"), [ROW], "no column New_cases"),
        (HEADER.replace("New_deaths", "Deaths"), [ROW], "no column New_deaths"),
        ("Name,WHO Region,Deaths - cumulative total", [], "no column Date_reported"),
        ("", [], "empty"),
        (HEADER, ["2026-11-01,ZM,Zambia,AFRO,,100,,1"], "no rows for country code VN"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,1.000.000,0,1"], "Cumulative_cases"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,many,100,0,1"], "New_cases"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5.5,100,0,1"], "New_cases"),
        (HEADER, ["11/29/2026,VN,Viet Nam,WPRO,5,100,0,1"], "Date_reported"),
        (HEADER, ["yesterday,VN,Viet Nam,WPRO,5,100,0,1"], "Date_reported"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,,,,"], "no totals"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5"], "a row of the country has no Cumulative_cases"),
        (HEADER, [ROW, "2026-11-01,ZM,Zam"], "cut off"),
        (HEADER, [ROW, ROW.replace("100", "101")], "two different rows for 2026-11-01"),
    ],
)
def test_what_cannot_be_read_is_named(header, rows, named):
    with pytest.raises(FeedError, match=named):
        batch(*rows, header=header)


def test_a_renamed_column_is_named(feed: FeedHost):
    feed.plays = [a_drifted_file(fixture("weekly.csv"), b"Cumulative_cases", b"Total_cases")]
    with pytest.raises(FeedError, match="no column Cumulative_cases"):
        who.read(fetch(feed.url).lines(), Context(FETCHED, PLACES, feed.url))


def test_a_readings_address_holds_no_secret():
    assert Context(FETCHED, PLACES, "https://u:secret@host.vn/a.csv?key=secret").url == "https://host.vn/a.csv"
