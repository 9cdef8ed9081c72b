"""A correction reaches everybody who was told the old number, once, and nobody who must not be written to now."""

from __future__ import annotations

import asyncio
import datetime
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from bot.dialogue.corrections import Corrections, message
from bot.dialogue.queue import Queue
from bot.figures.correction_store import Correction, corrections, send_now, stop
from bot.figures.corrections import Subject
from bot.figures.gate import Judged
from bot.figures.places import FigurePlaces
from bot.figures.readings import Reading, Window
from bot.figures.store import connected, record
from bot.languages.catalogue import Catalogue
from bot.languages.figure_lines import MOST_CHARACTERS_OF_A_CORRECTION
from bot.messages import Incoming
from bot.settings import ROOT
from tests.dialogue.talk import ADDRESS, CHANNEL, Talk

NOW = datetime.datetime.now(datetime.UTC)
DAY = NOW.date() - datetime.timedelta(days=2)
HOLD = datetime.timedelta(minutes=60)
CATALOGUE = Catalogue.load(ROOT, "dak-lak")
PLACES = FigurePlaces.load(ROOT)
SENT = "SELECT count(*) FROM messages WHERE response_key = 'utter_figures_corrected'"
STATES = "SELECT coalesce(string_agg(state, ' ' ORDER BY correction_id, conversation_id), '') FROM correction_recipients"
OVER = "UPDATE corrections SET send_at = now()"


def reading(value: int, **changes: Any) -> Reading:
    made = Reading("who", "cases", "vn", DAY, Window("day"), value, "WHO", "https://who.example/file.csv?key=1", NOW)
    return replace(made, **changes)


@pytest.fixture
def publishes(database_url: str) -> Iterator[Callable[..., list[int]]]:
    """Returns the ids of what counts now."""
    with connected(database_url, 10_000) as connection:

        def publish(*readings: Reading) -> list[int]:
            record(connection, "who", [Judged(one, "good") for one in readings], {})
            days = "SELECT max(id) AS id FROM readings GROUP BY metric, place, kind, as_of ORDER BY 1"
            return [row["id"] for row in connection.execute(days.encode()).fetchall()]

        yield publish


@pytest_asyncio.fixture
async def service(talk: Talk, database_url: str) -> Corrections:
    return machine(talk, database_url)


def machine(talk: Talk, database_url: str) -> Corrections:
    return Corrections(talk.pool, CATALOGUE, {CHANNEL: talk.sender}, database_url, HOLD)


async def tells(talk: Talk, ids: list[int], text: str, channel: str = CHANNEL, address: str = ADDRESS) -> None:
    """A citizen wrote, and was told these readings."""
    await talk.happens(Incoming(channel, address, f"{address}-{text}", "text", text="số ca"))
    await talk.rows("UPDATE messages SET turn = 'answered' WHERE turn = 'waiting'")
    await talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, figures, delivery)
           SELECT id, 'outgoing', 'bot', channel, %s, %s, 'sent' FROM conversations WHERE channel = %s AND address = %s""",
        text,
        ids,
        channel,
        address,
    )


async def told_and_revised(talk: Talk, service: Corrections, publishes: Callable[..., list[int]], **where: str) -> None:
    await tells(talk, publishes(reading(120)), "Cả nước có 120 ca mắc", **where)
    publishes(reading(150))
    await service.look()


async def test_after_its_time_the_correction_is_sent_once(talk: Talk, service: Corrections, publishes: Any) -> None:
    await told_and_revised(talk, service, publishes)
    await service.work()
    assert await talk.one(SENT) == 0, "it is held for staff to see first"
    await talk.rows(OVER)
    for _ in range(3):
        await service.work()
        await talk.step()
    assert talk.sender.keys == ["utter_figures_corrected"]
    text = talk.sender.texts[0]
    assert all(part in text for part in ("120 ca", "150 ca", f"{DAY.day}/{DAY.month}/{DAY.year}", "WHO", PLACES.unit("vn").name))
    assert talk.sender.sent[0].source == {
        "id": "published",
        "number": "",
        "title": CATALOGUE.fragments["figure_source_title"].format(issuer="WHO"),
        "issuer": "WHO",
        "date": DAY.isoformat(),
        "url": "https://who.example/file.csv",
        "reviewed": talk.sender.sent[0].source["reviewed"],
    }
    assert await talk.rows("SELECT state FROM corrections") == [{"state": "ended"}]


async def test_the_correction_tells_the_new_reading_so_that_a_third_number_corrects_it(
    talk: Talk, service: Corrections, publishes: Any
) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    await service.work()
    await talk.step()
    publishes(reading(200))
    await service.work()
    assert await talk.rows("SELECT told_value, new_value, state FROM corrections ORDER BY id") == [
        {"told_value": 120, "new_value": 150, "state": "ended"},
        {"told_value": 150, "new_value": 200, "state": "proposed"},
    ]


async def test_a_job_is_asked_for_in_the_same_transaction(talk: Talk, service: Corrections, publishes: Any) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    await talk.rows("DELETE FROM procrastinate_jobs")
    await service.work()
    assert await talk.one("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'advance'") == 1


async def test_one_conversation_gets_one_message_for_all_that_is_due(talk: Talk, service: Corrections, publishes: Any) -> None:
    ids = publishes(reading(120), reading(30, metric="deaths"))
    await tells(talk, ids, "Cả nước có 120 ca mắc\n- cùng thời gian đó: 30 người qua đời")
    publishes(reading(150), reading(50, metric="deaths"))
    await service.look()
    await talk.rows(OVER)
    await service.work()
    await talk.step()
    assert len(talk.sender.sent) == 1
    assert all(part in talk.sender.texts[0] for part in ("120 ca", "150 ca", "30 người", "50 người"))
    assert await talk.one(STATES) == "sent sent"


async def test_stopped_nobody_gets_it(talk: Talk, service: Corrections, publishes: Any, database_url: str) -> None:
    await told_and_revised(talk, service, publishes)
    with connected(database_url, 5_000) as connection:
        stop(connection, corrections(connection)[0].id, "an")
    await talk.rows(OVER)
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "stopped")


async def test_sent_at_once_it_does_not_wait(talk: Talk, service: Corrections, publishes: Any, database_url: str) -> None:
    await told_and_revised(talk, service, publishes)
    with connected(database_url, 5_000) as connection:
        send_now(connection, corrections(connection)[0].id, "an")
    await service.work()
    assert await talk.one(STATES) == "sent"


@pytest.mark.parametrize(
    ("shut", "opened"),
    [
        ("owner = 'operator'", "owner = 'bot'"),
        ("owner = 'queue'", "owner = 'bot'"),
        ("sending = 'blocked'", "sending = 'open'"),
        ("interacted_at = now() - interval '25 hours'", "interacted_at = now()"),
        ("interacted_at = NULL", "interacted_at = now()"),
    ],
)
async def test_whoever_cannot_be_written_to_waits_until_that_changes(
    talk: Talk, service: Corrections, publishes: Any, shut: str, opened: str
) -> None:
    talk.sender.window = datetime.timedelta(hours=24)
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    await talk.rows(f"UPDATE conversations SET {shut}")
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "waiting")
    await talk.rows(f"UPDATE conversations SET {opened}")
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (1, "sent")


async def test_whoever_stays_with_an_operator_for_seven_days_is_let_go(talk: Talk, service: Corrections, publishes: Any) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    await talk.rows("UPDATE conversations SET owner = 'operator'")
    await service.work()
    await talk.rows("UPDATE correction_recipients SET told_at = told_at - interval '7 days'")
    await talk.rows("UPDATE messages SET created_at = created_at - interval '7 days'")
    await talk.rows("UPDATE conversations SET owner = 'bot'")
    assert await service.send_due() == 0
    publishes(reading(150, as_of=DAY - datetime.timedelta(days=1)))  # any change makes the next look due
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "dropped")


async def test_a_channel_that_is_off_here_is_left_to_the_machine_that_has_it(
    talk: Talk, service: Corrections, publishes: Any, database_url: str
) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    without = Corrections(talk.pool, CATALOGUE, {}, database_url, HOLD)
    assert await without.send_due() == 0
    assert await service.send_due() == 1


@pytest.mark.parametrize(("ago", "sent"), [("29 days", 1), ("30 days", 0)])
async def test_on_the_page_it_waits_for_the_next_visit_while_the_session_can_live(
    talk: Talk, service: Corrections, publishes: Any, ago: str, sent: int
) -> None:
    await told_and_revised(talk, service, publishes, channel="webchat", address="session-1")
    await talk.rows(OVER)
    await talk.rows("UPDATE conversations SET created_at = now() - %s::interval, interacted_at = now() - interval '6 days'", ago)
    await service.work()
    assert await talk.rows(f"{SENT} AND delivery = 'sent'") == [{"count": sent}]


async def test_whoever_asks_again_and_is_told_the_new_number_gets_no_correction(
    talk: Talk, service: Corrections, publishes: Any
) -> None:
    await tells(talk, publishes(reading(120)), "Cả nước có 120 ca mắc")
    ids = publishes(reading(150))
    await service.look()
    await talk.rows(OVER)
    await tells(talk, ids, "Cả nước có 150 ca mắc")
    assert await service.send_due() == 0
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "dropped")


async def test_several_machines_at_once_send_each_message_once(
    talk: Talk, service: Corrections, publishes: Any, database_url: str
) -> None:
    ids = publishes(reading(120))
    for n in range(25):
        await tells(talk, ids, "Cả nước có 120 ca mắc", address=f"citizen-{n}")
    publishes(reading(150))
    machines = [machine(talk, database_url) for _ in range(4)]
    await asyncio.gather(*(one.look() for one in machines))
    await talk.rows(OVER)
    await asyncio.gather(*(one.work() for one in machines))
    assert await talk.one(SENT) == 25
    per_conversation = "SELECT max(count) FROM (SELECT count(*) FROM messages WHERE response_key = 'utter_figures_corrected' GROUP BY conversation_id) AS each"
    assert await talk.one(per_conversation) == 1


async def test_stop_and_send_at_the_same_moment_agree(
    talk: Talk, service: Corrections, publishes: Any, database_url: str
) -> None:
    """Whoever comes second sees what the first did: stopped and sent never stand for the same conversation."""
    ids = publishes(reading(120))
    for n in range(20):
        await tells(talk, ids, "Cả nước có 120 ca mắc", address=f"citizen-{n}")
    publishes(reading(150))
    await service.look()
    await talk.rows(OVER)

    def stops() -> None:
        time.sleep(0.03)
        with connected(database_url, 10_000) as connection:
            stop(connection, corrections(connection)[0].id, "an")

    await asyncio.gather(service.send_due(), asyncio.to_thread(stops))
    sent = await talk.one("SELECT count(*) FROM correction_recipients WHERE state = 'sent'")
    assert await talk.one(SENT) == sent
    assert await talk.one("SELECT count(*) FROM correction_recipients WHERE state = 'stopped'") == 20 - sent


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE conversations SET owner = 'operator'",
        "UPDATE corrections SET state = 'stopped', decided_by = 'an', decided_at = now()",
    ],
)
async def test_what_is_being_decided_is_waited_for(
    talk: Talk, service: Corrections, publishes: Any, database_url: str, meanwhile: str
) -> None:
    """A take-over or a stop that is not committed yet counts: nothing slips out beside it."""
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    (row,) = await talk.rows("SELECT id FROM conversations")
    with psycopg.connect(database_url) as other:
        other.execute(meanwhile.encode())
        sending = asyncio.create_task(service.send(row["id"]))
        await asyncio.wait({sending}, timeout=0.5)
        assert not sending.done()
        other.commit()
        assert await sending is False
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "waiting")


async def test_an_error_in_the_middle_leaves_nothing_half_done(
    talk: Talk, service: Corrections, publishes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)

    async def breaks(*_: object) -> None:
        raise ConnectionError("the line is cut")

    with monkeypatch.context() as patched:
        patched.setattr(Queue, "defer", breaks)
        with pytest.raises(ConnectionError):
            await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "waiting")
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (1, "sent")


WORKER = """
import asyncio, datetime, sys
from bot.database import open_pool
from bot.dialogue.corrections import Corrections
from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.handoff.office import Office, prepare
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.dialogue.talk import CHANNEL, RecordingSender

async def main(url):
    pool, queue, catalogue = open_pool(url), Queue(url), Catalogue.load(ROOT, "dak-lak")
    prepare(Office(catalogue, Desks.load(ROOT, "dak-lak"), queue))
    async with pool, queue.app.open_async():
        hold = datetime.timedelta(hours=1)
        await Corrections(pool, catalogue, {CHANNEL: RecordingSender()}, url, hold).send_due()

asyncio.run(main(sys.argv[1]))
"""


async def test_a_worker_killed_with_everything_but_the_job_written_sends_nobody_twice(
    talk: Talk, service: Corrections, publishes: Any, database_url: str
) -> None:
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    with psycopg.connect(database_url) as lock:
        lock.execute("LOCK TABLE procrastinate_jobs IN ACCESS EXCLUSIVE MODE")  # the worker's last statement waits for us
        worker = subprocess.Popen([sys.executable, "-c", WORKER, database_url], cwd=ROOT)
        inserts = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 60
        try:
            while not await talk.rows(inserts):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        await talk.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        lock.rollback()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "waiting")
    for _ in range(2):
        await service.work()
        await talk.step()
    assert len(talk.sender.sent) == 1


async def test_without_news_nothing_is_looked_for(talk: Talk, service: Corrections, publishes: Any) -> None:
    await service.look()
    await tells(talk, publishes(reading(120)), "Cả nước có 120 ca mắc")
    await service.look()
    looked = service._looked
    await service.look()
    assert service._looked == looked
    publishes(reading(150))
    await service.look()
    assert await talk.one("SELECT count(*) FROM corrections") == 1


async def test_an_answer_past_its_date_is_not_sent(talk: Talk, publishes: Any, database_url: str) -> None:
    late = replace(CATALOGUE, today=lambda: datetime.date(2040, 1, 1))
    service = Corrections(talk.pool, late, {CHANNEL: talk.sender}, database_url, HOLD)
    await told_and_revised(talk, service, publishes)
    await talk.rows(OVER)
    await service.work()
    assert (await talk.one(SENT), await talk.one(STATES)) == (0, "waiting")


# ---- the words


def correction(metric: str, span: Any, value: int = 10**9, **changes: Any) -> Correction:
    made = Correction(
        id=1,
        subject=Subject("bulletin", metric, "ba-ria-vung-tau-until-2025", span, DAY),
        days={"day": 1, "week": 7, "month": 30, "total": None}[span],
        starts_at=None,
        ends_at=None,
        told_value=value,
        new_value=value + 1,
        new_ids=(1,),
        issuer="Sở Y tế tỉnh " * 15,
        url="https://soyte.example/1",
        fetched_at=NOW,
        state="proposed",
        proposed_at=NOW,
        send_at=NOW,
        decided_by=None,
        decided_at=None,
    )
    return replace(made, **changes)


@pytest.mark.parametrize("metric", ["cases", "deaths", "doses", "first_doses", "second_doses"])
@pytest.mark.parametrize("span", ["day", "week", "month", "total"])
@pytest.mark.parametrize("hours", [None, NOW])
def test_the_longest_correction_is_short_enough(metric: str, span: Any, hours: datetime.datetime | None) -> None:
    one = correction(metric, span, starts_at=hours and hours - datetime.timedelta(hours=24, minutes=1), ends_at=hours)
    for due in ([one], [one] * 5):
        answer = message(CATALOGUE, PLACES, due)
        assert len(answer.text) <= MOST_CHARACTERS_OF_A_CORRECTION
        assert "{" not in answer.text
        assert "1.000.000.001" in answer.text
        assert not answer.withdrawn
    assert CATALOGUE.fragments["figure_corrected_more"] in answer.text


def test_what_fits_is_told_in_full() -> None:
    due = [correction("cases", "day", issuer="WHO"), correction("deaths", "day", issuer="WHO")]
    text = message(CATALOGUE, PLACES, due).text
    assert text.count("1.000.000.001") == 2
    assert CATALOGUE.fragments["figure_corrected_more"] not in text
