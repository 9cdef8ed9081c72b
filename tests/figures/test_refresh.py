"""When feeds are read, by whom, and that nobody ever hears more of a bad feed than its name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from structlog.testing import capture_logs

from bot.figures import attempts, refresh
from bot.figures.attempts import REFRESH_LOCK
from bot.figures.feeds import Feed
from bot.figures.fetch import Fetched
from bot.figures.readings import Batch
from bot.figures.refresh import Outcome, fetched_known, known_soon, refresh_soon, refreshed
from bot.figures.store import LARGEST_VALUE, read_known, shipped
from bot.metrics import FEED_FETCHES
from bot.settings import Settings
from tests.simulators.feeds import (
    FeedHost,
    a_cut_file,
    a_drifted_file,
    a_file,
    a_huge_file,
    a_late_answer,
    a_redirect,
    a_status,
    a_versioned_file,
    a_web_page,
    fixture,
)

HEADER = b"Date_reported,Country_code,Country,WHO_region,New_cases,Cumulative_cases,New_deaths,Cumulative_deaths\n"
MINUTES = 10


@pytest.fixture
def settings(host: FeedHost, tmp_path: Path) -> Settings:
    return deployment(host.url, tmp_path)


def deployment(url: str, home: Path) -> Settings:
    return Settings.from_environment({"FEED_WHO_URL": url, "LOA_HOME": str(home), "LOA_FIGURES_MINUTES": str(MINUTES)})


@pytest.fixture(autouse=True)
def nobody_looked_yet() -> None:
    refresh._flights.clear()


def read(settings: Settings, url: str, *, by_hand: bool = False) -> Outcome:
    (outcome,) = refresh.refresh(settings, url, by_hand=by_hand)
    return outcome


def state(url: str) -> dict:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM feed_state WHERE feed = 'who'").fetchone()


def time_passes(url: str, **ago: float) -> None:
    """The clock of the refresh is the database's: what it noted is moved into the past instead."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE feed_state SET attempted_at = attempted_at - %(ago)s, due_at = due_at - %(ago)s, read_at = read_at - %(ago)s",
            {"ago": timedelta(**ago)},
        )


def a_file_of(*rows: str):
    return a_file(HEADER + "\n".join(rows).encode() + b"\n")


def cases(url: str | None) -> int:
    totals = [r for r in read_known(url).readings if (r.metric, r.place, r.window.kind) == ("cases", "vn", "total")]
    return max(totals, key=lambda r: r.as_of).value


# ── a good feed ─────────────────────────────────────────────────────────────────────────────────────


def test_what_the_feed_says_is_told(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_file(fixture("reported_again.csv"))]
    assert read(settings, database_url) == Outcome("who", "read")
    assert cases(database_url) == 11_624_250
    assert read_known(database_url).ranks == {"who": 50}


def test_a_series_that_stands_still_says_so(settings: Settings, database_url: str):
    read(settings, database_url)
    (since,) = {day for series, day in read_known(database_url).stale.items() if (series.feed, series.metric) == ("who", "cases")}
    assert since == date(2023, 12, 3)


def test_an_unchanged_document_is_not_sent_again_and_counts_as_seen(settings: Settings, database_url: str, host: FeedHost):
    read(settings, database_url)
    seen_first = {r.series: r.fetched_at for r in read_known(database_url).readings if r.feed == "who"}
    assert read(settings, database_url, by_hand=True).result == "unchanged"
    assert "if-none-match" not in host.requests[0].headers
    assert host.requests[1].headers["if-none-match"] == host.plays[0].headers["ETag"]
    newest = {r.series: r.fetched_at for r in read_known(database_url).readings if r.feed == "who"}
    assert seen_first and all(newest[series] > at for series, at in seen_first.items())
    assert state(database_url)["error"] is None


def test_an_unchanged_document_is_read_whole_once_a_day(settings: Settings, database_url: str, host: FeedHost):
    read(settings, database_url)
    time_passes(database_url, days=1)
    assert read(settings, database_url).result == "read", "what is complete and what stands still depends on the day"
    assert "if-none-match" not in host.requests[1].headers


def test_another_address_is_not_asked_with_the_marks_of_the_first(
    settings: Settings, database_url: str, host: FeedHost, tmp_path
):
    read(settings, database_url)
    read(deployment(host.address("/mirror.csv"), tmp_path), database_url, by_hand=True)
    assert "if-none-match" not in host.requests[1].headers


# ── when ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("minutes", "result"), [(9.9, None), (11.1, "unchanged")])
def test_after_a_success_it_is_due_after_the_interval(settings: Settings, database_url: str, host: FeedHost, minutes, result):
    read(settings, database_url)
    time_passes(database_url, minutes=minutes)
    assert [outcome.result for outcome in refresh.refresh(settings, database_url)] == ([result] if result else [])
    assert len(host.requests) == (2 if result else 1)


@pytest.mark.parametrize(("failures", "rest"), [(1, 10), (2, 20), (3, 40), (4, 60), (9, 60)])
def test_a_feed_that_fails_again_and_again_rests_longer(settings: Settings, database_url: str, host: FeedHost, failures, rest):
    host.plays = [a_status(404)]
    for _ in range(failures):
        read(settings, database_url, by_hand=True)
    noted = state(database_url)
    pause = (noted["due_at"] - noted["attempted_at"]) / timedelta(minutes=1)
    assert noted["failures"] == failures
    assert rest <= pause <= rest * (1 + attempts.JITTER)


def test_a_success_ends_the_long_rest(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_status(404), a_status(404), a_status(404), a_file(fixture("weekly.csv"))]
    for _ in range(4):
        read(settings, database_url, by_hand=True)
    noted = state(database_url)
    assert (noted["failures"], (noted["due_at"] - noted["attempted_at"]) < timedelta(minutes=11.1)) == (0, True)


def test_an_interval_longer_than_the_longest_rest_is_kept(database_url: str, host: FeedHost, tmp_path: Path):
    host.plays = [a_status(404)]
    seldom = replace(deployment(host.url, tmp_path), figures_minutes=24 * 60)
    read(seldom, database_url)
    noted = state(database_url)
    assert noted["due_at"] - noted["attempted_at"] >= timedelta(days=1)


# ── by whom ─────────────────────────────────────────────────────────────────────────────────────────


def test_while_somebody_reads_the_feed_nobody_else_does(settings: Settings, database_url: str, host: FeedHost):
    with psycopg.connect(database_url, autocommit=True) as other_machine:
        other_machine.execute("SELECT pg_advisory_lock(%s, hashtext('who'))", [REFRESH_LOCK])
        assert read(settings, database_url, by_hand=True).result == "busy"
    assert host.requests == []
    assert read(settings, database_url, by_hand=True).result == "read"


def test_several_machines_by_hand_ask_the_feed_once(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.3)]
    with ThreadPoolExecutor(6) as machines:
        rounds = list(machines.map(lambda _: refresh.refresh(settings, database_url), range(6)))
    assert len(host.requests) == 1
    assert {outcome.result for outcomes in rounds for outcome in outcomes} <= {"read", "busy", "not_due"}


def test_without_the_lock_several_machines_would_ask(settings, database_url, host: FeedHost, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(attempts, "only_one", lambda *_: True)
    monkeypatch.setattr(attempts, "let_go", lambda *_: None)
    host.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.3)]
    with ThreadPoolExecutor(4) as machines:
        list(machines.map(lambda _: refresh.refresh(settings, database_url, by_hand=True), range(4)))
    assert len(host.requests) > 1


def test_a_reader_that_dies_in_the_middle_counts_as_a_failure(settings: Settings, database_url: str, host: FeedHost):
    seen = []

    def look() -> None:
        (status,) = attempts.status(database_url)
        seen.append((state(database_url)["failures"], state(database_url)["due_at"] > datetime.now(UTC), status.error))

    host.on_request = look
    read(settings, database_url)
    assert seen == [(1, True, "the last attempt has not ended")]


# ── a bad feed ──────────────────────────────────────────────────────────────────────────────────────

BAD = {
    "refused": ([a_status(404)], "404"),
    "broken": ([a_status(500)], "500"),
    "a web page": ([a_web_page()], "web page"),
    "cut off": ([a_cut_file(fixture("weekly.csv"))], ""),
    "in a circle": ([a_redirect()], "redirects"),
    "two gigabytes": ([a_huge_file(HEADER, b"2023-12-03,ZM,Zambia,AFRO,12,349600,0,4069\n", 2048, is_announced=True)], "larger"),
    "renamed": ([a_drifted_file(fixture("weekly.csv"), b"Cumulative_cases", b"Total_cases")], "Cumulative_cases"),
    "empty": ([a_file(b"")], "empty"),
    "another country": ([a_file_of("2026-11-01,ZM,Zambia,AFRO,,100,,1")], ""),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_feed_is_named_and_the_last_good_figures_stay(settings: Settings, database_url: str, host: FeedHost, fault: str):
    plays, said = BAD[fault]
    host.plays = [a_file(fixture("reported_again.csv")), *plays]
    read(settings, database_url)
    outcome = read(settings, database_url, by_hand=True)
    assert (outcome.result, said in outcome.sentence) == ("failed", True), outcome.sentence
    noted = state(database_url)
    assert (noted["error"], noted["succeeded_at"] is not None) == (outcome.sentence, True)
    assert cases(database_url) == 11_624_250


def test_no_host_at_all_is_a_failure(settings: Settings, database_url: str, host: FeedHost):
    host.close()
    assert read(settings, database_url).result == "failed"


def test_a_host_that_nobody_vouches_for_is_a_failure(database_url: str, tmp_path: Path):
    from tests.simulators.feeds import a_certificate

    untrusted = FeedHost(a_certificate(tmp_path))
    try:
        assert "certificate" in read(deployment(untrusted.url, tmp_path), database_url).sentence
    finally:
        untrusted.close()


def test_a_lie_is_kept_and_not_told(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_file_of("2026-11-08,VN,Viet Nam,WPRO,5,5000000,0,43206")]
    with capture_logs() as lines:
        assert read(settings, database_url).result == "read"
        assert read(settings, database_url, by_hand=True).result == "read"
    assert cases(database_url) == 11_624_000
    (status,) = attempts.status(database_url)
    assert [(reading.metric, reading.value) for reading, _ in status.suspects] == [("cases", 5_000_000)]
    assert all(reasons for _, reasons in status.suspects)
    assert [line["event"] for line in lines].count("figures_suspect") == 1, "once, not at every reading"


@pytest.mark.parametrize("where", ["fetch", "read", "judge", "a number"])
def test_a_fault_that_nobody_foresaw_is_a_failure_too(settings, database_url, where, monkeypatch: pytest.MonkeyPatch):
    def breaks(*_: object, **__: object) -> Batch:
        raise KeyError("a citizen's words")

    def boundless(document: Fetched, context: object) -> Batch:
        batch = feed.read(document, context)
        return replace(batch, readings=[replace(batch.readings[-1], value=LARGEST_VALUE + 1)])

    (feed,) = refresh.enabled_feeds(settings)
    if where == "fetch":
        monkeypatch.setattr(Feed, "fetch", breaks)
    if where == "judge":
        monkeypatch.setattr(refresh, "judge", breaks)
    if where == "a number":
        monkeypatch.setattr(refresh, "judge", lambda batch, *_: [refresh.Judged(r, "suspect") for r in batch.readings])
    reader = {"read": breaks, "a number": boundless}.get(where, feed.read)
    monkeypatch.setattr(refresh, "enabled_feeds", lambda *_: [replace(feed, read=reader)])
    outcome = read(settings, database_url)
    assert outcome.result == "failed"
    assert "citizen" not in outcome.sentence
    assert cases(database_url) == 11_624_000


def test_what_no_table_can_hold_does_not_hide_the_fault(settings, database_url, monkeypatch: pytest.MonkeyPatch):
    def breaks(*_: object) -> Batch:
        raise refresh.FeedError("bad \x00 \ud800 " + "x" * 5000)

    (feed,) = refresh.enabled_feeds(settings)
    monkeypatch.setattr(refresh, "enabled_feeds", lambda *_: [replace(feed, read=breaks)])
    assert read(settings, database_url).result == "failed"
    assert len(state(database_url)["error"]) == refresh.LONGEST_SENTENCE


def test_one_bad_feed_does_not_keep_the_others_from_being_read(settings, database_url, host, monkeypatch: pytest.MonkeyPatch):
    (feed,) = refresh.enabled_feeds(settings)
    bad = replace(feed, name="bad", url=host.address("/bad"))
    host.documents["/bad"] = [a_status(404)]
    monkeypatch.setattr(refresh, "enabled_feeds", lambda *_: [bad, feed])
    assert [outcome.result for outcome in refresh.refresh(settings, database_url)] == ["failed", "read"]


@pytest.mark.parametrize("place", ["nowhere", "a server without our tables"])
def test_a_database_that_is_down_is_one_line_in_the_log(settings, place: str, postgres: str, tmp_path: Path, host: FeedHost):
    down = f"postgresql://postgres@/loa?host={tmp_path}"
    with capture_logs() as lines:
        assert refresh.refresh(settings, down if place == "nowhere" else postgres.replace("/loa?", "/postgres?")) == []
    assert [line["event"] for line in lines] == ["figures_database_failed"]
    assert host.requests == []


# ── the alert ───────────────────────────────────────────────────────────────────────────────────────


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends(settings: Settings, database_url: str, host: FeedHost):
    good, bad = a_file(fixture("weekly.csv")), a_status(404)
    host.plays = [good, bad, bad, bad, good, good, bad, good]
    with capture_logs() as lines:
        for _ in range(8):
            read(settings, database_url)
            time_passes(database_url, hours=2)
    alerts = [line for line in lines if line["event"].startswith("figures_feed")]
    assert [line["event"] for line in alerts] == ["figures_feed_down", "figures_feed_back"] * 2
    assert alerts[0] == {"event": "figures_feed_down", "log_level": "error", "feed": "who", "error": "the server answered 404"}


def test_an_outage_that_another_machine_told_of_is_told_once(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_status(404)]
    with capture_logs() as lines:
        for _ in range(3):
            with ThreadPoolExecutor(3) as machines:
                list(machines.map(lambda _: refresh.refresh(settings, database_url), range(3)))
            time_passes(database_url, hours=2)
    assert len(host.requests) >= 3
    assert [line["event"] for line in lines].count("figures_feed_down") == 1


def test_what_somebody_saw_by_hand_is_still_news_for_the_log(settings: Settings, database_url: str, host: FeedHost):
    good, bad = a_file(fixture("weekly.csv")), a_status(404)
    host.plays = [bad, bad, good, good]
    seen = []
    for by_hand in (True, False, True, False):
        time_passes(database_url, hours=2)
        with capture_logs() as lines:
            read(settings, database_url, by_hand=by_hand)
        seen.append([line["event"] for line in lines])
    assert seen == [[], ["figures_feed_down"], [], ["figures_feed_back"]]


def test_fetches_are_counted_by_feed_and_outcome(settings: Settings, database_url: str, host: FeedHost):
    def counted(outcome: str) -> float:
        return FEED_FETCHES.labels("who", outcome)._value.get()

    before = {outcome: counted(outcome) for outcome in ("read", "unchanged", "failed")}
    good = a_versioned_file(fixture("weekly.csv"))
    host.plays = [good, good, a_status(404)]
    for _ in range(3):
        read(settings, database_url, by_hand=True)
    assert {outcome: counted(outcome) - count for outcome, count in before.items()} == {"read": 1, "unchanged": 1, "failed": 1}


# ── while somebody waits ────────────────────────────────────────────────────────────────────────────


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.02)


def is_landed(url: str) -> bool:
    return refresh._flights[url][1].outcomes.done()


async def test_a_feed_never_read_is_waited_for(settings, database_url, host: FeedHost, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refresh, "FIRST_READING_SECONDS", 60.0)
    monkeypatch.setattr(refresh, "CITIZEN_SECONDS", 90.0)
    host.plays = [a_late_answer(fixture("reported_again.csv"), seconds=0.3)]
    known = await known_soon(settings, database_url)
    assert max(r.value for r in known.readings if r.metric == "cases") == 11_624_250


async def test_a_feed_never_read_that_does_not_come_is_not_waited_for_long(
    settings, database_url: str, host: FeedHost, monkeypatch: pytest.MonkeyPatch
):
    assert refresh.FIRST_READING_SECONDS < refresh.CITIZEN_SECONDS <= 2
    monkeypatch.setattr(refresh, "FIRST_READING_SECONDS", 0.2)
    monkeypatch.setattr(refresh, "CITIZEN_SECONDS", 0.5)
    host.plays = [a_late_answer(fixture("reported_again.csv"), seconds=2.5)]
    assert list((await known_soon(settings, database_url)).readings) == list(shipped().readings)
    assert not is_landed(database_url)
    await until(lambda: is_landed(database_url))
    assert cases(database_url) == 11_624_250, "it was read to its end for those who ask next"


async def test_figures_that_are_known_are_told_by_hand_and_read_anew_meanwhile(settings, database_url: str, host: FeedHost):
    host.plays = [a_file(fixture("weekly.csv")), a_late_answer(fixture("reported_again.csv"), seconds=2.5)]
    read(settings, database_url)
    time_passes(database_url, minutes=20)
    known = await known_soon(settings, database_url)
    assert not is_landed(database_url)
    assert max(r.value for r in known.readings if r.metric == "cases") == 11_624_000
    await until(lambda: is_landed(database_url))
    assert cases(database_url) == 11_624_250


async def test_of_a_thousand_questions_one_reads_the_feed(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.2)]
    for _ in range(10):
        await asyncio.gather(*(refresh_soon(settings, database_url) for _ in range(100)))
    await until(lambda: is_landed(database_url))
    assert len(host.requests) == 1


async def test_the_next_look_at_what_is_due_comes_soon_enough(settings, database_url, host, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(refresh, "LOOK_AGAIN_SECONDS", 3600.0)
    await refreshed(settings, database_url)
    time_passes(database_url, minutes=20)
    await refresh_soon(settings, database_url)
    assert len(host.requests) == 1, "looked a moment ago"
    monkeypatch.setattr(refresh, "LOOK_AGAIN_SECONDS", 0.0)
    await refresh_soon(settings, database_url)
    await until(lambda: is_landed(database_url))
    assert len(host.requests) == 2


async def test_several_who_refresh_share_one_round_that_outlives_them(settings: Settings, database_url: str, host: FeedHost):
    host.plays = [a_late_answer(fixture("weekly.csv"), seconds=0.4)]
    first, second = (asyncio.create_task(refreshed(settings, database_url)) for _ in range(2))
    await until(lambda: bool(host.requests))
    first.cancel()
    assert [outcome.result for outcome in await second] == ["read"]
    assert len(host.requests) == 1


async def test_without_a_database_nobody_waits_and_the_shipped_figures_are_told(settings: Settings, host: FeedHost):
    assert await known_soon(settings, None) == shipped()
    assert host.requests == []


async def test_a_database_that_does_not_answer_leaves_what_was_known(settings, database_url, monkeypatch: pytest.MonkeyPatch):
    read(settings, database_url)
    known = read_known(database_url)
    monkeypatch.setattr(refresh, "CITIZEN_SECONDS", 0.3)
    monkeypatch.setattr(refresh, "FIRST_READING_SECONDS", 0.1)
    answers = threading.Event()
    monkeypatch.setattr(refresh, "read_known", lambda *_: answers.wait(60))
    assert await known_soon(settings, database_url) is known
    assert not answers.is_set()
    answers.set()


async def test_a_round_that_breaks_down_is_logged_and_over(settings, database_url, monkeypatch: pytest.MonkeyPatch):
    def breaks(*_: object) -> list[Feed]:
        raise RuntimeError("a citizen's words")

    monkeypatch.setattr(refresh, "enabled_feeds", breaks)
    with capture_logs() as lines:
        assert await refreshed(settings, database_url) == []
    assert [line["event"] for line in lines] == ["figures_not_refreshed"]
    assert "citizen" not in str(lines)


# ── without a database ──────────────────────────────────────────────────────────────────────────────


def test_the_command_reads_the_feeds_without_a_database(settings: Settings, host: FeedHost):
    host.plays = [a_file(fixture("reported_again.csv"))]
    known, outcomes = fetched_known(settings)
    assert outcomes == [Outcome("who", "read")]
    assert max(r.value for r in known.readings if r.metric == "cases") == 11_624_250
    assert max(r.value for r in known.readings if r.metric == "doses") == 148_350_360


def test_the_command_tells_the_shipped_figures_when_the_feed_fails(settings: Settings, host: FeedHost):
    host.plays = [a_status(404)]
    known, (outcome,) = fetched_known(settings)
    assert (known, outcome.result) == (shipped(), "failed")
