from __future__ import annotations

import gzip
import time
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.figures import feeds
from bot.figures.feeds import FeedError, read_who, readings, vietnam_rows
from tests.simulators.who_feed import (
    WhoFeed,
    a_cut_file,
    a_drip,
    a_file,
    a_huge_file,
    a_late_answer,
    a_status,
    a_web_page,
    fixture,
)

HEADER = "Date_reported,Country_code,Country,WHO_region,New_cases,Cumulative_cases,New_deaths,Cumulative_deaths"
FETCHED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def told(*rows: str, header: str = HEADER, fetched_at: datetime = FETCHED):
    """(cases, deaths) readings of a file made of `rows`."""
    return readings(vietnam_rows([header, *rows]), "http://feed", fetched_at)


def told_of_file(name: str, fetched_at: datetime = FETCHED):
    lines = fixture(name).decode("utf-8-sig").split("\n")
    return readings(vietnam_rows(lines), "http://feed", fetched_at)


# ── what the file says ──────────────────────────────────────────────────────────────────────────────


def test_the_last_reported_week_is_told_and_named_stale():
    cases, deaths = told_of_file("weekly.csv")
    assert (cases.metric, cases.value, deaths.metric, deaths.value) == ("cases", 11_624_000, "deaths", 43_206)
    assert cases.as_of == cases.stale_since == deaths.as_of == deaths.stale_since == date(2023, 12, 3)
    assert (cases.feed, cases.place, cases.url, cases.fetched_at) == ("who", "vn", "http://feed", FETCHED)


def test_a_country_that_reports_again_is_not_stale():
    cases, deaths = told_of_file("reported_again.csv")
    assert (cases.value, deaths.value, cases.as_of, cases.stale_since) == (11_624_250, 43_208, date(2026, 11, 15), None)


def test_byte_order_mark_crlf_and_times_are_read(feed: WhoFeed):
    feed.plays = [a_file(fixture("daily_bom_crlf.csv"))]
    cases, deaths = read_who(feed.url)
    assert (cases.value, deaths.value, cases.as_of) == (352, 0, date(2020, 6, 25))


def test_a_spreadsheet_copy_with_semicolons_is_read(feed: WhoFeed):
    feed.plays = [a_file(fixture("spreadsheet_semicolons.csv"))]
    cases, _ = read_who(feed.url)
    assert (cases.value, cases.as_of) == (11_624_000, date(2023, 10, 22))


def test_an_empty_cell_is_not_reported_and_a_zero_is():
    reported, _ = told("2026-11-01,VN,Viet Nam,WPRO,5,100,0,1", "2026-11-08,VN,Viet Nam,WPRO,0,100,0,1")
    silent, _ = told("2026-11-01,VN,Viet Nam,WPRO,5,100,0,1", "2026-11-08,VN,Viet Nam,WPRO,,100,,1")
    assert (reported.as_of, silent.as_of) == (date(2026, 11, 8), date(2026, 11, 1))


def test_a_total_that_moves_without_new_cases_is_told_for_its_own_day():
    cases, _ = told("2026-11-01,VN,Viet Nam,WPRO,5,100,0,1", "2026-11-08,VN,Viet Nam,WPRO,,130,,1")
    assert (cases.as_of, cases.value) == (date(2026, 11, 8), 130)


def test_the_running_day_is_left_out():
    at_seven_in_the_evening_in_hanoi = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
    cases, _ = told_of_file("reported_again.csv", at_seven_in_the_evening_in_hanoi)
    assert (cases.as_of, cases.value) == (date(2026, 11, 8), 11_624_200)


def test_the_day_ends_at_midnight_in_viet_nam():
    half_past_midnight_in_hanoi = datetime(2026, 11, 15, 17, 30, tzinfo=UTC)
    assert told_of_file("reported_again.csv", half_past_midnight_in_hanoi)[0].as_of == date(2026, 11, 15)


def test_rows_may_come_in_any_order_and_columns_too():
    header = "Country_code,Cumulative_deaths,Cumulative_cases,New_cases,Date_reported,More"
    cases, deaths = told("VN,2,120,20,2026-11-08,x", "VN,1,100,5,2026-11-01,x", header=header)
    assert (cases.value, deaths.value, cases.as_of) == (120, 2, date(2026, 11, 8))


def test_whole_numbers_written_as_fractions_are_read():
    cases, deaths = told("2026-11-01,VN,Viet Nam,WPRO,5.0,100.0,NaN,1.0")
    assert (cases.value, deaths.value) == (100, 1)


def test_a_negative_correction_of_new_cases_is_no_fault():
    cases, _ = told("2026-11-01,VN,Viet Nam,WPRO,5,100,0,1", "2026-11-08,VN,Viet Nam,WPRO,-2,98,0,1")
    assert cases.value == 98


@pytest.mark.parametrize(
    ("header", "rows", "named"),
    [
        (HEADER.replace("New_cases", "Cases"), [], "New_cases"),
        ("Name,WHO Region,Deaths - cumulative total", [], "Cumulative_deaths"),
        ("", [], "empty"),
        ("<!doctype html>", [], "web page"),
        (HEADER, ["2026-11-01,ZM,Zambia,AFRO,,100,,1"], "no figures"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,-100,0,1"], "negative"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,100,0,101"], "more than"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,1000000000,0,1"], "more than"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,1.000.000,0,1"], "Cumulative_cases"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,many,100,0,1"], "New_cases"),
        (HEADER, ["11/29/2026,VN,Viet Nam,WPRO,5,100,0,1"], "Date_reported"),
        (HEADER, ["yesterday,VN,Viet Nam,WPRO,5,100,0,1"], "Date_reported"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,,,,"], "no figures"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5"], "Cumulative_cases"),
        (HEADER, ["2026-11-01,VN,Viet Nam,WPRO,5,100,0,1", "2026-11-01,ZM,Zam"], "cut off"),
        (HEADER, ["2026-11-30,VN,Viet Nam,WPRO,5,100,0,1"], "no figures"),
    ],
)
def test_what_cannot_be_told_is_named(header, rows, named):
    with pytest.raises(FeedError, match=named):
        told(*rows, header=header)


# ── how it is fetched ───────────────────────────────────────────────────────────────────────────────


def test_the_file_is_fetched_and_read(feed: WhoFeed):
    cases, deaths = read_who(feed.url)
    assert (cases.value, deaths.value, cases.url) == (11_624_000, 43_206, feed.url)
    assert datetime.now(UTC) - cases.fetched_at < timedelta(seconds=30)
    assert [path for path, _ in feed.requests] == ["/COVID/WHO-COVID-19-global-data.csv"]


def test_a_packed_file_is_unpacked(feed: WhoFeed):
    feed.plays = [a_file(gzip.compress(fixture("weekly.csv")), **{"Content-Encoding": "gzip"})]
    assert read_who(feed.url)[0].value == 11_624_000


@pytest.mark.parametrize("fault", [a_status(500), a_status(503), a_status(429), a_cut_file(fixture("weekly.csv"))])
def test_a_fault_that_may_pass_is_tried_once_more(feed: WhoFeed, fault):
    feed.plays = [fault, a_file(fixture("weekly.csv"))]
    assert read_who(feed.url)[0].value == 11_624_000
    assert len(feed.requests) == 2


def test_after_two_tries_it_is_an_error(feed: WhoFeed):
    feed.plays = [a_status(500)]
    with pytest.raises(FeedError, match="500"):
        read_who(feed.url)
    assert len(feed.requests) == 2


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_a_refusal_is_not_tried_again(feed: WhoFeed, status):
    feed.plays = [a_status(status)]
    with pytest.raises(FeedError, match=str(status)):
        read_who(feed.url)
    assert len(feed.requests) == 1


@pytest.mark.parametrize("asked", ["1", "date"])
def test_the_servers_wait_is_kept(feed: WhoFeed, asked):
    wait = asked if asked == "1" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    feed.plays = [a_status(429, Retry_After=wait), a_file(fixture("weekly.csv"))]
    started = time.monotonic()
    read_who(feed.url)
    assert 0.9 <= time.monotonic() - started < 4


def test_a_wait_beyond_the_deadline_ends_the_fetch_at_once(feed: WhoFeed):
    feed.plays = [a_status(503, Retry_After="120")]
    started = time.monotonic()
    with pytest.raises(FeedError, match="503"):
        read_who(feed.url)
    assert time.monotonic() - started < 1
    assert len(feed.requests) == 1


@pytest.mark.parametrize("wait", ["soon", "-5", ""])
def test_an_unreadable_wait_is_a_short_pause(feed: WhoFeed, wait):
    feed.plays = [a_status(503, Retry_After=wait), a_file(fixture("weekly.csv"))]
    assert read_who(feed.url)[0].value == 11_624_000


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/csv"])
def test_a_web_page_answered_with_200_is_not_data(feed: WhoFeed, content_type):
    feed.plays = [a_web_page(content_type)]
    with pytest.raises(FeedError, match="web page"):
        read_who(feed.url)


def test_an_empty_file_is_an_error(feed: WhoFeed):
    feed.plays = [a_file(b"")]
    with pytest.raises(FeedError, match="empty"):
        read_who(feed.url)


def test_a_file_cut_off_on_both_tries_is_an_error(feed: WhoFeed):
    feed.plays = [a_cut_file(fixture("weekly.csv"))]
    with pytest.raises(FeedError, match="could not be fetched"):
        read_who(feed.url)


def test_a_huge_file_is_given_up(feed: WhoFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeds, "MOST_BYTES", 1024 * 1024)
    feed.plays = [a_huge_file(HEADER.encode() + b"\n", b"2023-12-03,ZM,Zambia,AFRO,12,349600,0,4069\n", megabytes=40)]
    with pytest.raises(FeedError, match="larger than 1 MB"):
        read_who(feed.url)


def test_a_small_packed_file_that_unpacks_to_a_huge_one_is_given_up(feed: WhoFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeds, "MOST_BYTES", 1024 * 1024)
    bomb = gzip.compress(HEADER.encode() + b"\n" + b"2023-12-03,ZM,Zambia,AFRO,12,349600,0,4069\n" * 100_000)
    assert len(bomb) < 100_000
    feed.plays = [a_file(bomb, **{"Content-Encoding": "gzip"})]
    with pytest.raises(FeedError, match="larger than 1 MB"):
        read_who(feed.url)


def test_a_file_without_lines_is_given_up(feed: WhoFeed):
    feed.plays = [a_file(b"x" * 300_000)]
    with pytest.raises(FeedError, match="no lines"):
        read_who(feed.url)


def test_a_silent_server_is_given_up_within_the_deadline(feed: WhoFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeds, "DEADLINE_SECONDS", 1.0)
    feed.plays = [a_late_answer(fixture("weekly.csv"), seconds=30)]
    started = time.monotonic()
    with pytest.raises(FeedError, match="ReadTimeout"):
        read_who(feed.url)
    assert time.monotonic() - started < 2


def test_a_dripping_server_is_given_up_at_the_deadline(feed: WhoFeed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feeds, "DEADLINE_SECONDS", 1.0)
    feed.plays = [a_drip(fixture("weekly.csv"), pause=0.05)]
    started = time.monotonic()
    with pytest.raises(FeedError, match="did not arrive"):
        read_who(feed.url)
    assert time.monotonic() - started < 2


def test_no_server_at_all_is_an_error(feed: WhoFeed):
    feed.close()
    with pytest.raises(FeedError, match="ConnectionError"):
        read_who(feed.url)


def test_an_error_does_not_repeat_the_address(feed: WhoFeed):
    feed.plays = [a_status(500)]
    with pytest.raises(FeedError) as caught:
        read_who(feed.url.replace("http://", "http://reader:secret@"))
    assert "secret" not in str(caught.value)
