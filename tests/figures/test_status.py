"""How the feeds stand can be seen: in /health/ready, in /metrics, by `loa figures`; and a dead feed takes nothing down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from bot import web
from bot.cli import app
from bot.database import open_pool
from bot.dialogue.engine import Engine
from bot.dialogue.queue import Queue
from bot.figures import attempts, refresh
from bot.figures.gate import Judged
from bot.figures.readings import VIETNAM, Reading, Series, Window
from bot.figures.store import connected, read_known, record
from bot.health import Health
from bot.settings import Settings
from tests.gateway import GatewayProcess
from tests.simulators.feeds import FeedHost, a_file, a_late_answer, a_status, fixture
from tests.simulators.rasa import RasaSimulator

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(VIETNAM).date()


@pytest.fixture
def settings(host: FeedHost, tmp_path: Path) -> Settings:
    return Settings.from_environment({"FEED_WHO_URL": host.url, "LOA_HOME": str(tmp_path)})


@pytest.fixture
def loa(host: FeedHost, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs `loa figures …` on the test's database; gives exit code and what was printed."""
    monkeypatch.setenv("FEED_WHO_URL", host.url)
    monkeypatch.setenv("LOA_DATABASE_URL", database_url)
    monkeypatch.setenv("LOA_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["figures", *arguments])
        return result.exit_code, result.output

    return run


def reading(feed: str, metric: str, place: str, kind: str, as_of: date, value: int) -> Reading:
    return Reading(feed, metric, place, as_of, Window(kind), value, "Sở Y tế Đắk Lắk", "https://example.vn/bulletin", NOW)


def keep(url: str, *readings: Reading, marks: frozenset[str] = frozenset()) -> None:
    with connected(url, 5_000) as connection:
        for feed in {one.feed for one in readings}:
            record(connection, feed, [Judged(one, "good", marks) for one in readings if one.feed == feed], {})


# ── the status ──────────────────────────────────────────────────────────────────────────────────────


def test_a_feed_that_is_well_says_when_and_how_far(settings: Settings, database_url: str):
    assert attempts.status(database_url) == []
    refresh.refresh(settings, database_url)
    (who,) = attempts.status(database_url)
    assert (who.feed, who.error, who.error_since) == ("who", None, None)
    assert who.attempted_at <= who.succeeded_at < who.due_at
    assert who.newest_row == max(day for day in [who.newest_row, date(2023, 12, 3)])
    assert (Series("who", "cases", "vn", "total"), date(2023, 12, 3)) in who.stale


def test_a_feed_that_is_down_says_since_when(settings: Settings, database_url: str, host: FeedHost):
    refresh.refresh(settings, database_url)
    host.plays = [a_status(404)]
    refresh.refresh(settings, database_url, by_hand=True)
    first = attempts.status(database_url)[0]
    refresh.refresh(settings, database_url, by_hand=True)
    second = attempts.status(database_url)[0]
    assert (first.error, second.error) == ("the server answered 404",) * 2
    assert first.succeeded_at < first.error_since == second.error_since < second.attempted_at
    assert second.newest_row is not None


def test_a_suspect_reading_that_the_feed_took_back_is_no_longer_shown(settings: Settings, database_url: str, host: FeedHost):
    header = fixture("weekly.csv").splitlines()[0]
    host.plays = [
        a_file(header + b"\n2026-11-08,VN,Viet Nam,WPRO,5,5000000,0,43206\n"),
        a_file(header + b"\n2026-11-08,VN,Viet Nam,WPRO,5,11624005,0,43206\n"),
    ]
    refresh.refresh(settings, database_url)
    assert [r.value for r, _ in attempts.status(database_url)[0].suspects if r.metric == "cases"] == [5_000_000]
    refresh.refresh(settings, database_url, by_hand=True)
    assert attempts.status(database_url)[0].suspects == []


# ── /health/ready and /metrics ──────────────────────────────────────────────────────────────────────


@contextlib.asynccontextmanager
async def health_of(url: str, run: Path):
    engine = Engine("http://127.0.0.1:9", "", "dak-lak")
    async with open_pool(url) as pool:
        health = Health(pool, engine, "http://127.0.0.1:9", run)
        yield health
        await health.close()
        await engine.close()


async def test_a_dead_feed_is_said_and_the_service_stays_ready(settings, database_url, host: FeedHost, tmp_path: Path):
    async with health_of(database_url, tmp_path) as health:
        assert (await health.parts())["figures"].as_dict() == {"ok": True}
        host.plays = [a_status(404)]
        refresh.refresh(settings, database_url)
        part = (await health.parts())["figures"]
        assert part.ok
        assert part.reason.startswith("who: the server answered 404 (since 20")


async def test_a_feed_that_was_turned_off_is_not_said_for_ever(settings, database_url, host: FeedHost, tmp_path: Path):
    host.plays = [a_status(404)]
    refresh.refresh(settings, database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE feed_state SET attempted_at = now() - interval '25 hours'")
    async with health_of(database_url, tmp_path) as health:
        assert (await health.parts())["figures"].as_dict() == {"ok": True}


async def test_a_database_that_is_down_is_not_the_fault_of_the_figures(tmp_path: Path):
    async with health_of(f"postgresql://postgres@/loa?host={tmp_path}", tmp_path) as health:
        parts = await health.parts()
        assert not parts["database"].ok
        assert parts["figures"].as_dict() == {"ok": True, "reason": "not known (no database)"}
        await health.measure_figures()


async def test_the_ages_are_measured_from_the_database(settings: Settings, database_url: str, host: FeedHost, tmp_path: Path):
    week_ago = TODAY - timedelta(days=7)
    row = f"{week_ago},VN,Viet Nam,WPRO,120,11624120,1,43207\n"
    host.plays = [a_file(fixture("weekly.csv") + row.encode())]
    refresh.refresh(settings, database_url)
    async with health_of(database_url, tmp_path) as health:
        await health.measure_figures()
    assert REGISTRY.get_sample_value("loa_feed_last_success_age_seconds", {"feed": "who"}) < 60
    age = REGISTRY.get_sample_value("loa_figures_newest_reading_age_seconds", {"feed": "who"})
    assert 6 * 86400 <= age <= 7 * 86400


def test_a_gateway_with_a_dead_feed_is_ready(database_url: str, tmp_path: Path):
    rasa = RasaSimulator()
    dead = Settings.from_environment({"FEED_WHO_URL": "http://127.0.0.1:9", "LOA_HOME": str(tmp_path)})
    try:
        with GatewayProcess(database_url, rasa.url, tmp_path) as gateway:
            refresh.refresh(dead, database_url, by_hand=True)
            gateway.wait_for("SELECT FROM feed_state WHERE error IS NOT NULL")
            ready = httpx.get(f"{gateway.address}/health/ready", trust_env=False, timeout=30)
            assert (ready.status_code, ready.json()["ready"]) == (200, True)
            assert ready.json()["parts"]["figures"]["reason"].startswith("who: ")
            assert "loa_feed_fetches_total" in httpx.get(f"{gateway.address}/metrics", trust_env=False, timeout=30).text
    finally:
        rasa.close()


# ── the periodic job ────────────────────────────────────────────────────────────────────────────────


@contextlib.asynccontextmanager
async def working(queue: Queue):
    async def advance(_: int) -> None:
        return

    async with queue.app.open_async():
        worker = asyncio.create_task(queue.work(advance, concurrency=4))
        try:
            yield
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.05)


async def test_over_all_machines_the_job_is_done_one_at_a_time(database_url: str):
    done, running, most = 0, 0, 0

    async def work() -> None:
        nonlocal done, running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.3)
        running -= 1
        done += 1

    queues = [Queue(database_url) for _ in range(3)]
    for queue in queues:
        queue.every_minute("figures", work)
    async with working(queues[0]), working(queues[1]), working(queues[2]):
        await until(lambda: done >= len(queues))
    assert most == 1


async def test_the_job_reads_the_feeds_aside_from_the_loop(settings, database_url, host: FeedHost):
    host.plays = [a_late_answer(fixture("reported_again.csv"), seconds=2)]
    job = asyncio.create_task(web.read_figures(settings, database_url))
    await until(lambda: bool(host.requests))
    ticks = 0
    while not job.done():
        await asyncio.sleep(0.02)
        ticks += 1
    assert ticks > 5, "the loop was free while the feed was read"
    assert max(r.value for r in read_known(database_url).readings if r.metric == "cases") == 11_624_250


def test_the_gateway_registers_the_job(settings: Settings, database_url: str, tmp_path: Path):
    environment = {
        "LOA_HOME": str(tmp_path),
        "LOA_DATABASE_URL": database_url,
        "LOA_RASA_URL": "http://x",
        "LOA_ACTIONS_URL": "http://x",
    }
    service = web.Service.build(Settings.from_environment(environment))
    registered = service.queue.app.periodic_registry.periodic_tasks.values()
    assert "figures" in {task.task.name for task in registered}


# ── loa figures ─────────────────────────────────────────────────────────────────────────────────────


def test_the_command_tells_what_is_told_without_asking_the_feed(loa, host: FeedHost):
    code, said = loa()
    assert (code, host.requests) == (0, [])
    assert "cases  vn  total  11,624,000  for 2023-12-03" in said
    assert "not updated since 2023-12-03" in said
    assert len(said.splitlines()) == 7  # with the last known day of the two provinces of before


def test_the_command_tells_of_this_province_or_of_all(loa, database_url: str):
    keep(
        database_url,
        *(reading("bulletin", "cases", place, "day", TODAY, 9) for place in ("dak-lak", "phu-yen-until-2025", "ha-noi")),
    )
    assert "ha-noi" not in loa()[1]
    assert {"dak-lak", "phu-yen-until-2025"} <= set(loa()[1].split())
    assert "ha-noi" in loa("--all")[1]


def test_the_command_refreshes_first_when_told_to(loa, host: FeedHost):
    loa("--refresh")
    host.plays = [a_file(fixture("reported_again.csv"))]
    assert "11,624,250" in loa("--refresh")[1]
    host.plays = [a_status(404)]
    code, said = loa("--refresh")
    assert (code, "who: failed (the server answered 404)" in said, "11,624,250" in said) == (0, True, True)


def test_the_command_refreshes_without_a_database(loa, host: FeedHost, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LOA_DATABASE_URL")
    host.plays = [a_file(fixture("reported_again.csv"))]
    assert "11,624,250" in loa("--refresh")[1]


def test_refresh_reads_every_feed_now_and_says_how_it_ended(loa, host: FeedHost):
    assert loa("refresh") == (0, "who: read\n")
    assert loa("refresh") == (0, "who: unchanged\n")
    host.plays = [a_status(404)]
    assert loa("refresh") == (1, "who: failed (the server answered 404)\n")


@pytest.mark.parametrize("command", ["refresh", "status", "bulletins"])
def test_what_needs_the_database_says_so(loa, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("LOA_DATABASE_URL")
    code, said = loa(command)
    assert (code, "needs the database" in said) == (2, True)
    monkeypatch.setenv("LOA_DATABASE_URL", f"postgresql://postgres@/loa?host={tmp_path}")
    code, said = loa(command)
    assert (code, "does not answer" in said) == (1, True)


def test_status_shows_what_is_well_down_still_and_kept_back(loa, host: FeedHost, database_url: str):
    assert loa("status") == (0, "who: never read yet\n")
    header = fixture("weekly.csv").splitlines()[0]
    host.plays = [a_file(header + b"\n2026-11-08,VN,Viet Nam,WPRO,5,5000000,0,43206\n"), a_status(404)]
    loa("refresh")
    code, said = loa("status")
    assert (code, said.splitlines()[0]) == (0, "who: well")
    assert "newest row 2026-11-08" in said
    assert "kept back: cases vn total 5,000,000 for 2026-11-08: " in said
    assert "not updated since" in said
    loa("refresh")
    code, said = loa("status")
    assert (code, said.splitlines()[0]) == (1, "who: down")
    assert "the server answered 404" in said
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO feed_state (feed, attempted_at, due_at, error) VALUES ('old', now(), now(), 'gone')")
    assert "old: not enabled now; last read never" in loa("status")[1]


def test_show_prints_the_weeks_of_places_with_source_and_gaps(loa, database_url: str):
    sunday = TODAY - timedelta(days=TODAY.isoweekday() % 7 or 7)
    weeks = [(0, 120), (1, 1500), (3, 80)]
    keep(
        database_url,
        *(reading("bulletin", "cases", "dak-lak", "week", sunday - timedelta(weeks=ago), value) for ago, value in weeks),
    )
    code, said = loa("show", "dak-lak", "--weeks", "4")
    assert code == 0
    assert all(text in said for text in ("Đắk Lắk (dak-lak)", "120", "1,500", "80", "–", "Sở Y tế Đắk Lắk", "not zero"))
    assert str(sunday - timedelta(weeks=3)) in said
    assert str(sunday - timedelta(weeks=3)) not in loa("show", "dak-lak", "--weeks", "2")[1]
    assert "1,500" in loa("show", "đăk lăk")[1]


def test_show_says_what_is_last_known_where_there_are_no_weeks(loa):
    code, said = loa("show", "vn", "Phú Yên")
    assert (code, said.count("no official weekly figures are known")) == (0, 2)
    assert "last: cases total 11,624,000 for 2023-12-03" in said


def test_show_refuses_a_place_that_nobody_knows(loa):
    code, said = loa("show", "atlantis")
    assert (code, "atlantis" in said) == (1, True)


# ── bulletins by command ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def staff(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in ("an", "binh"):
            connection.execute("INSERT INTO operators (name, role, password_hash) VALUES (%s, 'content', '-')", [name])


YESTERDAY = f"{TODAY - timedelta(days=1):%d/%m/%Y}"
BULLETIN = (
    "--place",
    "Đắk Lắk",
    "--kind",
    "day",
    "--ends",
    YESTERDAY,
    "--issuer",
    "Sở Y tế Đắk Lắk",
    "--url",
    "https://syt.daklak.gov.vn/1",
)


def test_a_bulletin_is_told_after_a_second_person_approved_it(loa, staff):
    code, said = loa("add", *BULLETIN, "--cases", "96", "--by", "an")
    assert (code, "bulletin 1 waits for a second person" in said) == (0, True)
    assert "cases 96" in loa("bulletins")[1]
    assert "dak-lak" not in loa()[1].split()
    assert loa("approve", "1", "--by", "an")[0] == 1
    assert loa("approve", "1", "--by", "binh") == (0, "bulletin 1 is told from now on\n")
    assert "cases  dak-lak  day  96" in loa()[1]
    assert loa("bulletins") == (0, "")
    assert "cases 96" in loa("bulletins", "--state", "approved")[1]


def test_a_bulletin_with_a_mistake_is_refused_by_column(loa, staff):
    code, said = loa("add", *BULLETIN, "--cases", "-5", "--deaths", "many", "--by", "an")
    assert (code, [line.split(":")[0] for line in said.splitlines()]) == (1, ["cases", "deaths"])
    assert loa("add", *BULLETIN, "--cases", "5", "--by", "nobody")[0] == 1
    assert loa("bulletins") == (0, "")


def test_a_bulletin_that_the_gate_doubts_needs_a_reason(loa, staff):
    _, said = loa("add", *BULLETIN, "--cases", "9000000", "--by", "an")
    assert len(said.splitlines()) == 2, "the doubt is said at once"
    code, said = loa("approve", "1", "--by", "binh")
    assert (code, "--override" in said) == (1, True)
    assert loa("approve", "1", "--by", "binh", "--override", "asked the issuer by telephone")[0] == 0


def test_a_file_of_bulletins_is_taken_whole_or_not_at_all(loa, staff, tmp_path: Path):
    file = tmp_path / "bulletins.csv"
    rows = "place;kind;ends;cases;issuer;url\n" + "".join(
        f"{place};day;{YESTERDAY};{cases};Sở Y tế;https://syt.example.vn/1\n"
        for place, cases in (("Đắk Lắk", 96), ("Thanh Hóa", "x"))
    )
    file.write_text(rows, encoding="utf-8")
    code, said = loa("import", str(file), "--by", "an")
    assert (code, len(said.splitlines()), loa("bulletins")) == (1, 2, (0, ""))
    file.write_text(rows.replace(";x;", ";4;"), encoding="utf-8")
    assert loa("import", str(file), "--by", "an") == (0, "2 bulletins wait for a second person: 1 to 2\n")
