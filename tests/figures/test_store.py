"""Readings are kept as they came: added, never changed; the newest good version of each number is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from bot import database
from bot.figures import store
from bot.figures.gate import Judged
from bot.figures.known import Known, Stored
from bot.figures.readings import Reading, Series, Window
from bot.figures.store import (
    KEPT_IN_MIND,
    Connection,
    connected,
    history,
    kept_known,
    newest,
    read_known,
    record,
    see_all_again,
    shipped,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
SUNDAY = date(2026, 11, 15)
CASES = Series("who", "cases", "vn", "total")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connected(database_url, 5_000) as opened:
        yield opened


def reading(value: int, as_of: date = SUNDAY, *, kind: str = "total", at: datetime = NOW, **changes: object) -> Reading:
    made = Reading("who", "cases", "vn", as_of, Window(kind), value, "WHO", "https://who.example/file.csv", at)
    return replace(made, **changes)


def good(*readings: Reading) -> list[Judged]:
    return [Judged(r, "good") for r in readings]


def suspect(value: int, *reasons: str, at: datetime = NOW) -> list[Judged]:
    return [Judged(reading(value, at=at), "suspect", frozenset(), reasons)]


def keep(connection: Connection, judged: list[Judged], **states: object):
    return record(connection, "who", judged, {}, **states)


def rows(connection: Connection) -> list[dict]:
    return connection.execute("SELECT * FROM readings ORDER BY id").fetchall()


def told(url: str, kind: str = "total") -> list[tuple[date, int]]:
    """What is told of the WHO's cases: day and value, oldest first."""
    found = [r for r in read_known(url).readings if r.series == Series("who", "cases", "vn", kind)]
    return sorted((r.as_of, r.value) for r in found)


# ── what comes with Loa ─────────────────────────────────────────────────────────────────────────────


def test_the_shipped_readings_are_dated_and_whole():
    readings = {r.metric: r for r in shipped().readings if r.place == "vn"}
    assert {metric: r.value for metric, r in readings.items()} == {
        "cases": 11_624_000,
        "deaths": 43_206,
        "doses": 148_350_360,
        "first_doses": 78_037_292,
        "second_doses": 70_313_068,
    }
    assert {r.id for r in readings.values()} == {None}
    assert {r.window for r in readings.values()} == {Window("total")}
    assert readings["cases"].as_of == shipped().stale[CASES] == date(2023, 12, 3)
    assert readings["cases"].fetched_at == datetime(2025, 9, 28, tzinfo=UTC)
    assert readings["doses"].as_of == date(2022, 1, 10)


def test_the_last_known_day_of_each_province_that_is_served_is_shipped_and_of_one_day_for_its_parts():
    found = {(r.place, r.as_of): r.value for r in shipped().readings if r.place != "vn"}
    assert {r.window for r in shipped().readings if r.place != "vn"} == {Window("day")}
    assert found["dak-lak-until-2025", date(2022, 1, 20)] + found["phu-yen-until-2025", date(2022, 1, 20)] == 254
    assert found["thanh-hoa-until-2025", date(2022, 1, 21)] == 509


def test_without_a_database_the_shipped_readings_are_told():
    assert read_known(None) == shipped()


def test_without_a_shipped_file_nothing_is_told(tmp_path: Path):
    assert read_known(None, tmp_path) == Known([], {})


@pytest.mark.parametrize("place", ["nowhere", "a server without our tables"])
def test_a_database_that_cannot_tell_is_no_reason_to_be_silent(place: str, postgres: str, tmp_path: Path):
    down = f"postgresql://postgres@/loa?host={tmp_path}"
    assert read_known(down if place == "nowhere" else postgres.replace("/loa?", "/postgres?")) == shipped()


# ── what is added ───────────────────────────────────────────────────────────────────────────────────


def test_a_good_reading_is_kept_and_told(connection: Connection, database_url: str):
    window = Window("day", NOW - timedelta(hours=34), NOW - timedelta(hours=10))
    bulletin = reading(96, kind="day", window=window, feed="bulletin", place="dak-lak", issuer="Sở Y tế")
    record(connection, "bulletin", [Judged(bulletin, "good", frozenset({"backlog"}))], {})
    (stored,) = [r for r in read_known(database_url).readings if r.feed == "bulletin"]
    assert replace(stored, id=None, marks=frozenset()) == Stored(**vars(bulletin))
    assert (stored.marks, stored.supersedes, stored.fetched_at.tzname()) == ({"backlog"}, None, "UTC")
    assert stored.id is not None


def test_a_value_seen_again_is_one_row_with_the_new_time_of_fetching(connection: Connection, database_url: str):
    keep(connection, good(reading(100)))
    done = keep(connection, good(reading(100, at=LATER)))
    (row,) = rows(connection)
    assert (done.added, done.seen_again, row["fetched_at"], row["last_seen_at"]) == (0, 1, NOW, LATER)
    assert next(r for r in read_known(database_url).readings if r.as_of == SUNDAY).fetched_at == LATER


def test_an_older_clock_does_not_turn_back_when_it_was_seen(connection: Connection):
    keep(connection, good(reading(100, at=LATER)))
    keep(connection, good(reading(100, at=NOW)))
    assert rows(connection)[0]["last_seen_at"] == LATER


def test_a_changed_value_is_a_row_that_supersedes(connection: Connection, database_url: str):
    keep(connection, good(reading(100)))
    keep(connection, good(reading(99, at=LATER)))
    first, second = rows(connection)
    assert (first["value"], second["value"], second["supersedes"]) == (100, 99, first["id"])
    assert told(database_url)[-1] == (SUNDAY, 99)


def test_a_correction_that_is_taken_back_is_a_third_row(connection: Connection, database_url: str):
    for value in (100, 99, 100):
        keep(connection, good(reading(value)))
    found = rows(connection)
    assert [row["supersedes"] for row in found] == [None, found[0]["id"], found[1]["id"]]
    assert told(database_url)[-1] == (SUNDAY, 100)


def test_another_window_of_the_same_value_is_a_version_too(connection: Connection):
    keep(connection, good(reading(5, kind="day")))
    keep(connection, good(reading(5, window=Window("day", NOW - timedelta(days=8), NOW - timedelta(days=7)))))
    assert len(rows(connection)) == 2


def test_a_document_that_says_one_number_twice_adds_one_row(connection: Connection):
    for _ in range(3):
        keep(connection, [*suspect(1, "two values"), *suspect(2, "two values")])
    assert [row["value"] for row in rows(connection)] == [2]


def test_kinds_places_and_feeds_are_apart(connection: Connection):
    several = [reading(1), reading(1, kind="week"), reading(1, place="dak-lak"), reading(1, metric="deaths")]
    assert keep(connection, good(*several)).added == 4
    assert record(connection, "other", good(reading(1, feed="other")), {}).added == 1


def test_a_negative_day_is_kept(connection: Connection):
    keep(connection, [Judged(reading(-7, kind="day"), "suspect", frozenset({"negative_day"}), ("below zero",))])
    assert rows(connection)[0]["value"] == -7


# ── what is told ────────────────────────────────────────────────────────────────────────────────────


def test_a_suspect_reading_is_kept_with_its_reasons_and_not_told(connection: Connection, database_url: str):
    keep(connection, good(reading(100)))
    done = keep(connection, suspect(5, "it fell", at=LATER))
    assert [one.reading.value for one in done.suspect] == [5]
    assert rows(connection)[1]["reasons"] == ["it fell"]
    assert told(database_url)[-1] == (SUNDAY, 100)


def test_a_suspect_reading_that_comes_again_is_no_news(connection: Connection):
    keep(connection, suspect(5, "it fell"))
    assert keep(connection, suspect(5, "it fell", at=LATER)).suspect == []


def test_a_reading_that_is_judged_anew_is_told(connection: Connection, database_url: str):
    keep(connection, [Judged(reading(100), "incomplete", frozenset(), ("the day is not over",))])
    assert (SUNDAY, 100) not in told(database_url)
    keep(connection, good(reading(100, at=LATER)))
    assert (SUNDAY, 100) in told(database_url)
    assert [(row["verdict"], row["reasons"]) for row in rows(connection)] == [("good", [])]


def test_what_a_source_no_longer_updates_is_told_with_the_day(connection: Connection, database_url: str):
    week = Series("who", "cases", "vn", "week")
    record(
        connection, "who", good(reading(100), reading(4, kind="week")), {CASES: SUNDAY, week: None}, {CASES: date(2026, 11, 22)}
    )
    stale = read_known(database_url).stale
    assert (stale[CASES], week in stale) == (SUNDAY, False)
    record(connection, "who", [], {CASES: None}, {})
    assert CASES not in read_known(database_url).stale, "not even since the shipped day"


def test_the_shipped_readings_fill_what_the_database_lacks(connection: Connection, database_url: str):
    shipped_day = date(2023, 12, 3)
    keep(connection, good(reading(11_624_250, shipped_day + timedelta(days=7))))
    assert told(database_url) == [(shipped_day, 11_624_000), (shipped_day + timedelta(days=7), 11_624_250)]
    keep(connection, good(reading(11_623_000, shipped_day)))
    assert told(database_url)[0] == (shipped_day, 11_623_000), "the database's version counts"
    keep(connection, good(reading(11_625_000)))
    assert told(database_url) == [(SUNDAY, 11_625_000)], "what is long ago is no longer in mind"


def test_what_lies_far_behind_its_series_is_kept_and_not_read(connection: Connection, database_url: str):
    edge = SUNDAY - KEPT_IN_MIND + timedelta(days=1)
    keep(connection, good(reading(3), reading(2, edge), reading(1, edge - timedelta(days=1))))
    assert (edge, 2) in told(database_url)
    assert (edge - timedelta(days=1), 1) not in told(database_url)
    assert len(rows(connection)) == 3


def test_the_figures_are_read_again_only_when_they_changed(connection: Connection, database_url: str):
    keep(connection, good(reading(100)))
    known = read_known(database_url)
    assert read_known(database_url) is known
    assert kept_known(database_url) is known
    keep(connection, good(reading(101, at=LATER)))
    assert read_known(database_url) is not known
    assert told(database_url)[-1] == (SUNDAY, 101)


def test_a_document_of_many_figures_is_one_change_not_many(connection: Connection):
    def version() -> int:
        return connection.execute("SELECT version FROM figures_version").fetchone()["version"]

    before = version()
    keep(connection, good(*(reading(n, SUNDAY - timedelta(days=n)) for n in range(50))))
    assert 1 <= version() - before <= 3


def test_of_many_who_ask_while_the_figures_change_one_reads_them(connection, database_url, monkeypatch: pytest.MonkeyPatch):
    def slowly(*arguments: object) -> Known:
        reads.append(1)
        time.sleep(0.3)
        return stored(*arguments)

    reads: list[int] = []
    stored = store._stored
    monkeypatch.setattr(store, "_stored", slowly)
    keep(connection, good(reading(100)))
    with ThreadPoolExecutor(6) as citizens:
        assert told(database_url)[-1] == (SUNDAY, 100)
        keep(connection, good(reading(101)))
        answers = set(citizens.map(lambda _: told(database_url)[-1], range(6)))
    assert answers <= {(SUNDAY, 100), (SUNDAY, 101)}
    assert len(reads) == 2
    assert told(database_url)[-1] == (SUNDAY, 101)


def test_what_was_known_last_is_told_while_the_database_is_away(connection, database_url, monkeypatch: pytest.MonkeyPatch):
    def down(*_: object) -> Connection:
        raise psycopg.OperationalError

    keep(connection, good(reading(100)))
    known = read_known(database_url)
    monkeypatch.setattr(store, "connected", down)
    assert read_known(database_url) is known


def test_a_reading_that_was_only_judged_later_is_not_too_old_to_be_told(connection: Connection, database_url: str):
    keep(connection, good(reading(1, SUNDAY - timedelta(days=200))))
    keep(connection, [Judged(reading(100), "incomplete")])
    assert told(database_url)[-1] == (SUNDAY - timedelta(days=200), 1)
    connection.execute("UPDATE readings SET verdict = 'good'")
    assert told(database_url)[-1] == (SUNDAY, 100)


def test_of_each_series_the_last_day_is_the_newest():
    def stored(value: int, as_of: date, kind: str = "total") -> Stored:
        return Stored(**vars(reading(value, as_of, kind=kind)))

    last, week = stored(3, SUNDAY), stored(9, SUNDAY, "week")
    assert newest([stored(2, SUNDAY - timedelta(days=7)), last, week]) == [last, week]


# ── for the gate ────────────────────────────────────────────────────────────────────────────────────


def test_the_history_holds_the_good_readings_of_one_feed_with_the_shipped_ones(connection: Connection):
    keep(connection, [*good(reading(11_624_250)), Judged(reading(9, SUNDAY + timedelta(days=7)), "suspect")])
    record(connection, "other", good(reading(7, feed="other")), {})
    known = history(connection, "who")
    assert [(r.as_of, r.value) for r in known.series("who", "cases", "vn", "total")] == [(SUNDAY, 11_624_250)]
    assert [r.value for r in known.series("who", "deaths", "vn", "total")] == [43_206]
    assert list(known.series("other", "cases", "vn", "total")) == []


def test_an_unchanged_document_says_again_all_that_it_said_last(connection: Connection):
    keep(connection, good(reading(1, SUNDAY - timedelta(days=7))))
    keep(connection, good(reading(2, at=LATER)))
    see_all_again(connection, "who", LATER + timedelta(minutes=10))
    assert [row["last_seen_at"] for row in rows(connection)] == [NOW, LATER + timedelta(minutes=10)]


# ── the table's own guards ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE readings SET value = 101",
        "UPDATE readings SET as_of = '2026-11-16'",
        "UPDATE readings SET url = 'https://elsewhere.example'",
        "UPDATE readings SET ends_at = now()",
        "UPDATE readings SET fetched_at = now()",
        "DELETE FROM readings",
        "TRUNCATE readings",
    ],
)
def test_a_reading_is_neither_changed_nor_deleted(connection: Connection, statement: str):
    keep(connection, good(reading(100)))
    with pytest.raises(psycopg.errors.RaiseException, match="neither changed nor deleted"):
        connection.execute(statement)
    assert [row["value"] for row in rows(connection)] == [100]


def test_what_was_seen_and_judged_may_change(connection: Connection):
    keep(connection, good(reading(100)))
    connection.execute("UPDATE readings SET last_seen_at = now(), verdict = 'suspect', marks = '{revised}', reasons = '{x}'")
    assert rows(connection)[0]["verdict"] == "suspect"


def test_a_number_has_one_first_version_and_each_version_one_successor(connection: Connection):
    for value in (100, 99):
        keep(connection, good(reading(value)))
    copied = """INSERT INTO readings (feed, metric, place, as_of, kind, value, issuer, url, fetched_at, last_seen_at, verdict, supersedes)
                SELECT feed, metric, place, as_of, kind, 7, issuer, url, fetched_at, last_seen_at, verdict, supersedes
                  FROM readings WHERE value = %s"""
    for value in (100, 99):
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(copied, [value])


def test_the_readings_of_the_release_before_are_kept(postgres: str, monkeypatch: pytest.MonkeyPatch):
    with a_database_of(postgres, monkeypatch, until="0005") as url:
        with psycopg.connect(url) as before:
            before.execute(
                """INSERT INTO readings (feed, metric, place, as_of, stale_since, value, issuer, url, fetched_at) VALUES
                   ('who', 'cases', 'vn', '2026-11-15', NULL, 100, 'WHO', 'x', '2026-11-22 03:00+00'),
                   ('who', 'cases', 'vn', '2026-11-15', NULL, 99, 'WHO', 'x', '2026-11-21 03:00+00'),
                   ('who', 'deaths', 'vn', '2023-12-03', '2023-12-03', 5, 'WHO', 'x', '2026-11-21 03:00+00')"""
            )
            before.execute("INSERT INTO feed_attempts VALUES ('who', '2026-11-22 03:00+00', '2026-11-21 03:00+00', 'HTTP 500')")
        monkeypatch.undo()
        assert "0006_figures" in database.migrate(url)
        with psycopg.connect(url, row_factory=dict_row) as after:
            chain = after.execute(
                "SELECT id, value, verdict, supersedes FROM readings WHERE metric = 'cases' ORDER BY id"
            ).fetchall()
            state = after.execute("SELECT feed, failures, error, error_since IS NOT NULL AS since FROM feed_state").fetchone()
        assert [(row["value"], row["verdict"]) for row in chain] == [(99, "good"), (100, "good")]
        assert [row["supersedes"] for row in chain] == [None, chain[0]["id"]]
        assert state == {"feed": "who", "failures": 1, "error": "HTTP 500", "since": True}
        known = read_known(url)
        assert (SUNDAY, 100) in told(url)
        assert known.stale[Series("who", "deaths", "vn", "total")] == date(2023, 12, 3)
        with connected(url, 5_000) as connection:
            keep(connection, good(reading(101)))
        assert (SUNDAY, 101) in told(url)


class a_database_of:  # noqa: N801  (reads as a sentence)
    """A database of its own with the steps up to `until`; dropped afterwards."""

    def __init__(self, postgres: str, monkeypatch: pytest.MonkeyPatch, *, until: str) -> None:
        self._admin, self._name = postgres.replace("/loa?", "/postgres?"), f"before_{until}"
        self._url = postgres.replace("/loa?", f"/{self._name}?")
        ours = database._ours
        monkeypatch.setattr(database, "_ours", lambda: [step for step in ours() if step[0][:4] <= until])

    def __enter__(self) -> str:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self._name}" TEMPLATE template0')
        database.migrate(self._url)
        return self._url

    def __exit__(self, *_: object) -> None:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{self._name}" WITH (FORCE)')
