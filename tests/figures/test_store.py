from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from bot.figures.feeds import Reading
from bot.figures.store import REFRESH_LOCK, newest, read_told, refresh_figures, shipped, told_readings
from bot.settings import Settings
from tests.simulators.who_feed import WhoFeed, a_file, a_late_answer, a_status, fixture

HEADER = b"Date_reported,Country_code,New_cases,Cumulative_cases,Cumulative_deaths\n"


def a_file_of(*rows: str):
    return a_file(HEADER + "\n".join(rows).encode() + b"\n")


def value(told, metric="cases"):
    return told.find(metric, "vn").value


def move_attempt(url: str, ago: timedelta) -> None:
    """The clock of the refresh is the database's: an attempt is moved into the past instead."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE feed_attempts SET attempted_at = now() - %s", [ago])


def attempt(url: str) -> tuple[bool, str | None]:
    """(has ever succeeded, error of the last attempt)"""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT succeeded_at IS NOT NULL, error FROM feed_attempts").fetchone()


# ── what is told ────────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_readings_are_dated_and_whole():
    readings = {reading.metric: reading for reading in shipped()}
    assert {metric: reading.value for metric, reading in readings.items()} == {
        "cases": 11_624_000,
        "deaths": 43_206,
        "doses": 148_350_360,
        "first_doses": 78_037_292,
        "second_doses": 70_313_068,
    }
    assert readings["cases"].as_of == readings["cases"].stale_since == date(2023, 12, 3)
    assert readings["cases"].fetched_at == datetime(2025, 9, 28, tzinfo=UTC)
    assert readings["doses"].as_of == date(2022, 1, 10)


def test_without_a_database_the_shipped_readings_are_told():
    told = read_told(None)
    assert (told.readings, told.refresh_is_due) == (list(shipped()), False)


def test_without_a_shipped_file_nothing_is_told(tmp_path: Path):
    assert read_told(None, tmp_path).readings == []


def test_a_database_that_is_down_is_no_reason_to_be_silent(settings: Settings, feed: WhoFeed, tmp_path: Path):
    url = f"postgresql://postgres@/loa?host={tmp_path}"
    assert read_told(url).readings == list(shipped())
    assert refresh_figures(settings, url) is False
    assert feed.requests == []


def test_a_database_without_our_tables_is_no_reason_to_be_silent(settings: Settings, postgres: str):
    url = postgres.replace("/loa?", "/postgres?")
    assert read_told(url).readings == list(shipped())
    assert refresh_figures(settings, url) is False


def test_a_good_reading_is_kept_and_told(settings: Settings, database_url: str, feed: WhoFeed):
    feed.plays = [a_file(fixture("reported_again.csv"))]
    assert refresh_figures(settings, database_url)
    told = read_told(database_url)
    assert (value(told), value(told, "deaths"), told.find("cases", "vn").as_of) == (11_624_250, 43_208, date(2026, 11, 15))
    assert told.find("cases", "vn").fetched_at.tzname() == "UTC"
    assert value(told, "doses") == 148_350_360


def test_a_value_seen_again_is_one_row_with_the_new_day_of_fetching(settings: Settings, database_url: str):
    before = datetime.now(UTC)
    refresh_figures(settings, database_url)
    refresh_figures(settings, database_url, at_once=True)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM readings WHERE metric = 'cases'").fetchone() == (1,)
    assert read_told(database_url).find("cases", "vn").fetched_at > before


def test_the_newest_day_is_told_and_of_one_day_the_last_fetched():
    def reading(as_of: date, hour: int, value: int) -> Reading:
        return Reading("who", "cases", "vn", as_of, None, value, "WHO", "x", datetime(2026, 11, 22, hour, tzinfo=UTC))

    old, corrected, first = reading(date(2026, 11, 1), 9, 5), reading(date(2026, 11, 8), 8, 9), reading(date(2026, 11, 8), 7, 8)
    assert newest([corrected, first, old]) == [corrected]


# ── what is kept out ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (["2026-11-08,VN,5,11000000,43206"], "below"),
        (["2026-11-08,VN,5,11624100,40000"], "below"),
        (["2022-01-02,VN,5,11700000,43206"], "before"),
    ],
    ids=["cases fell", "deaths fell", "an old file"],
)
def test_a_doubtful_reading_is_not_told(settings: Settings, database_url: str, feed: WhoFeed, rows, named):
    feed.plays = [a_file_of(*rows)]
    assert refresh_figures(settings, database_url) is False
    assert value(read_told(database_url)) == 11_624_000
    has_succeeded, error = attempt(database_url)
    assert (has_succeeded, named in error) == (False, True)


def test_a_small_correction_is_told(settings: Settings, database_url: str, feed: WhoFeed):
    feed.plays = [a_file_of("2026-11-08,VN,5,11620000,43206")]
    assert refresh_figures(settings, database_url)
    assert value(read_told(database_url)) == 11_620_000


def test_a_correction_that_is_taken_back_is_told_as_it_is_now(settings: Settings, database_url: str, feed: WhoFeed):
    for total in (11_624_100, 11_624_090, 11_624_100):
        feed.plays = [a_file_of(f"2026-11-08,VN,5,{total},43206")]
        refresh_figures(settings, database_url, at_once=True)
        assert value(read_told(database_url)) == total


# ── when the feed is read ───────────────────────────────────────────────────────────────────────────


def test_a_feed_never_read_is_due(database_url: str):
    assert read_told(database_url).refresh_is_due


@pytest.mark.parametrize(("hours", "is_due"), [(5.9, False), (6.1, True)])
def test_after_a_success_it_is_due_in_six_hours(settings: Settings, database_url: str, feed: WhoFeed, hours, is_due):
    refresh_figures(settings, database_url)
    move_attempt(database_url, timedelta(hours=hours))
    assert read_told(database_url).refresh_is_due is is_due
    assert refresh_figures(settings, database_url) is is_due
    assert len(feed.requests) == 1 + is_due


@pytest.mark.parametrize(("minutes", "is_due"), [(9, False), (11, True)])
def test_after_a_failure_it_is_due_in_ten_minutes(settings: Settings, database_url: str, feed: WhoFeed, minutes, is_due):
    feed.plays = [a_status(404), a_file(fixture("weekly.csv"))]
    assert refresh_figures(settings, database_url) is False
    assert attempt(database_url) == (False, "the server answered 404")
    move_attempt(database_url, timedelta(minutes=minutes))
    assert read_told(database_url).refresh_is_due is is_due
    assert refresh_figures(settings, database_url) is is_due


def test_a_failure_after_a_success_keeps_both_and_the_figures(settings: Settings, database_url: str, feed: WhoFeed):
    feed.plays = [a_file(fixture("reported_again.csv")), a_status(404)]
    refresh_figures(settings, database_url)
    refresh_figures(settings, database_url, at_once=True)
    assert attempt(database_url) == (True, "the server answered 404")
    assert value(read_told(database_url)) == 11_624_250


def test_while_somebody_reads_the_feed_nobody_else_does(settings: Settings, database_url: str, feed: WhoFeed):
    with psycopg.connect(database_url, autocommit=True) as other_machine:
        other_machine.execute("SELECT pg_advisory_lock(%s)", [REFRESH_LOCK])
        assert refresh_figures(settings, database_url, at_once=True) is False
    assert feed.requests == []
    assert refresh_figures(settings, database_url, at_once=True)


def test_a_reader_that_dies_in_the_middle_counts_as_a_failure(settings: Settings, database_url: str, feed: WhoFeed):
    seen = []
    feed.on_request = lambda: seen.append((attempt(database_url), read_told(database_url).refresh_is_due))
    refresh_figures(settings, database_url)
    assert seen == [((False, "not finished"), False)]


def test_two_readers_at_once_ask_the_feed_once(settings: Settings, database_url: str, feed: WhoFeed):
    feed.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.3)]
    readers = [Thread(target=refresh_figures, args=(settings, database_url)) for _ in range(5)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(feed.requests) == 1


# ── for the command ─────────────────────────────────────────────────────────────────────────────────


def test_the_command_tells_without_asking_the_feed(settings: Settings, database_url: str, feed: WhoFeed):
    assert len(told_readings(settings, database_url, refresh=False)) == 5
    assert feed.requests == []


def test_the_command_refreshes_at_once_when_told_to(settings: Settings, database_url: str, feed: WhoFeed):
    refresh_figures(settings, database_url)
    feed.plays = [a_file(fixture("reported_again.csv"))]
    told = told_readings(settings, database_url, refresh=True)
    assert {r.metric: r.value for r in told}["cases"] == 11_624_250


def test_the_command_refreshes_without_a_database(settings: Settings, feed: WhoFeed):
    feed.plays = [a_file(fixture("reported_again.csv"))]
    assert {r.metric: r.value for r in told_readings(settings, None, refresh=True)}["deaths"] == 43_208


def test_the_command_tells_the_shipped_figures_when_the_feed_fails(settings: Settings, feed: WhoFeed):
    feed.plays = [a_status(404)]
    assert told_readings(settings, None, refresh=True) == list(shipped())
