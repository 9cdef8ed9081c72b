"""Everybody who asked is told what is new, once, in waking hours, where the platform allows it; and nobody else."""

from __future__ import annotations

import asyncio
import datetime
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from bot.dialogue.queue import Queue
from bot.figures.gate import Judged
from bot.figures.readings import Reading, Window
from bot.figures.store import connected, record
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.messages import Incoming
from bot.settings import ROOT
from bot.subscriptions import sending
from bot.subscriptions.editions import Edition, State, answer_keys, answer_mark, is_for
from bot.subscriptions.sending import Round, message
from tests.dialogue.talk import CHANNEL
from tests.subscriptions.conftest import ANSWER, CATALOGUE, MORNING, Citizen, changed

SENT = "SELECT count(*) FROM messages WHERE response_key = 'utter_news'"
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
TODAY = datetime.datetime.now(VIETNAM).date()


async def rounds(citizen: Citizen, catalogue: Catalogue = CATALOGUE, now: datetime.datetime = MORNING, times: int = 2) -> int:
    """How many messages were stored in all; what is stored is sent too."""
    sent = 0
    for _ in range(times):
        sent += await citizen.news(catalogue, now).send_due()
        await citizen.talk.step()
    return sent


async def test_a_changed_answer_is_told_once_with_the_way_out(citizen: Citizen) -> None:
    await citizen.subscribes()
    assert await rounds(citizen) == 0, "nothing is new"
    assert await rounds(citizen, changed()) == 1
    assert citizen.talk.sender.keys == ["utter_news"]
    assert citizen.offered == ["/wear_mask", "/unsubscribe"]
    assert CATALOGUE.title("wear_mask") in citizen.talk.sender.texts[0]


async def test_a_review_without_new_words_is_no_news(citizen: Citizen) -> None:
    await citizen.subscribes()
    assert await rounds(citizen, changed(CATALOGUE.entries[ANSWER].text, reviewed=TODAY, revision="another")) == 0


async def test_a_machine_with_the_old_texts_tells_nothing(citizen: Citizen) -> None:
    """While machines are exchanged one after the other both texts are there."""
    await citizen.subscribes("answer:wear_mask:changes")
    for hours in range(0, 12, 4):
        await rounds(citizen, changed(), MORNING + HOUR * hours)
        await rounds(citizen, CATALOGUE, MORNING + HOUR * hours)
    assert await citizen.talk.one(SENT) == 1


@pytest.mark.parametrize(
    ("hour", "hows"),
    [(6, []), (7, ["daily", "changes"]), (9, ["daily", "changes"]), (10, ["changes"]), (19, ["changes"]), (20, [])],
)
def test_each_has_its_hours(hour: int, hows: list[str]) -> None:
    assert Round(MORNING.replace(hour=hour).astimezone(datetime.UTC), {}).hows == hows


async def test_outside_its_hours_it_waits(citizen: Citizen) -> None:
    await citizen.subscribes("answer:wear_mask:daily")
    assert await rounds(citizen, changed(), MORNING.replace(hour=6)) == 0
    assert await rounds(citizen, changed(), MORNING.replace(hour=10)) == 0
    assert await rounds(citizen, changed(), MORNING.replace(hour=9)) == 1


async def test_changes_leave_time_between_messages_and_mornings_a_day(citizen: Citizen) -> None:
    await citizen.subscribes("answer:wear_mask:changes")
    first, second, third = changed("một"), changed("hai"), changed("ba")
    assert await rounds(citizen, first) == 1
    assert await rounds(citizen, second, MORNING + 2 * HOUR) == 0
    assert await rounds(citizen, second, MORNING + 4 * HOUR) == 1
    await citizen.talk.rows("UPDATE subscriptions SET how = 'daily'")
    assert await rounds(citizen, third, MORNING + HOUR) == 0
    assert await rounds(citizen, third, MORNING + DAY) == 1


async def test_one_message_tells_all_that_is_new(citizen: Citizen, publishes: Any) -> None:
    await citizen.subscribes("answer:wear_mask:daily")
    await citizen.subscribes("figures:dak-lak:changes")
    await citizen.subscribes("notices:dak-lak:daily")
    publishes(120)
    await notice(citizen, "Ngày mai điểm tiêm dời sang nhà văn hóa.")
    assert await rounds(citizen, changed()) == 1
    text = citizen.talk.sender.texts[0]
    assert all(part in text for part in ("120", "nhà văn hóa", CATALOGUE.title("wear_mask"), "CDC Đắk Lắk"))
    assert await citizen.talk.one("SELECT figures <> '{}' FROM messages WHERE response_key = 'utter_news'"), "for corrections"
    assert (citizen.talk.sender.sent[0].source or {})["issuer"] == "CDC Đắk Lắk"


# ---- figures


@pytest.fixture
def publishes(database_url: str) -> Iterator[Any]:
    with connected(database_url, 10_000) as connection:

        def publish(value: int, as_of: datetime.date = TODAY - 2 * DAY, place: str = "dak-lak") -> None:
            now = datetime.datetime.now(datetime.UTC)
            made = Reading("bulletin", "cases", place, as_of, Window("total"), value, "CDC Đắk Lắk", "https://cdc.example", now)
            record(connection, "bulletin", [Judged(made, "good")], {})

        yield publish


async def test_new_figures_of_the_place_and_of_no_other(citizen: Citizen, publishes: Any) -> None:
    publishes(100, TODAY - 3 * DAY)
    await citizen.subscribes("figures:dak-lak:changes")
    assert await rounds(citizen) == 0, "they were there when the person subscribed"
    publishes(5_000, place="thanh-hoa")
    assert await rounds(citizen) == 0
    publishes(120)
    assert await rounds(citizen) == 1
    assert "120" in citizen.talk.sender.texts[0]


async def test_old_figures_are_no_news(citizen: Citizen, publishes: Any) -> None:
    await citizen.subscribes("figures:dak-lak:changes")
    publishes(120, TODAY - 60 * DAY)
    assert await rounds(citizen) == 0


async def test_whoever_asked_and_was_told_is_not_told_again(citizen: Citizen, publishes: Any) -> None:
    await citizen.subscribes("figures:dak-lak:changes")
    publishes(120)
    await citizen.talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, figures, delivery)
           SELECT id, 'outgoing', 'bot', channel, '120 ca', ARRAY(SELECT id FROM readings), 'sent' FROM conversations"""
    )
    assert await rounds(citizen) == 0
    await citizen.talk.rows("UPDATE messages SET figures = '{}'")
    assert await rounds(citizen) == 0, "and stays told"


async def test_whoever_asked_and_was_given_the_new_answer_is_not_told_again(citizen: Citizen) -> None:
    await citizen.subscribes("answer:wear_mask:changes")
    await rounds(citizen, changed(), MORNING.replace(hour=3))  # seen by night
    await citizen.talk.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, response_key, delivery)
           SELECT id, 'outgoing', 'bot', channel, '…', %s, 'sent' FROM conversations""",
        ANSWER,
    )
    assert await rounds(citizen, changed()) == 0


# ---- notices and answers that are not to be told


async def notice(
    citizen: Citizen, text: str, *, state: str = "approved", places: tuple[str, ...] = (), ends: str = "1 day"
) -> None:
    await citizen.talk.rows(
        """INSERT INTO notices (scope, subject, places, text, starts_at, ends_at, written_by, state, decided_by, decided_at)
           SELECT %s, %s, %s, %s, now() - interval '2 days', now() + %s::interval, 'a', %s, who, CASE WHEN who <> '' THEN now() END
             FROM (SELECT %s::text AS who) AS decided""",
        "place" if places else "all",
        places[0] if places else "",
        list(places),
        text,
        ends,
        state,
        None if state == "proposed" else "b",
    )


async def test_notices_that_run_where_the_person_wants_to_know(citizen: Citizen) -> None:
    await citizen.subscribes("notices:dak-lak:changes")
    await notice(citizen, "của nơi khác", places=("thanh-hoa",))
    await notice(citizen, "chưa duyệt", state="proposed")
    await notice(citizen, "đã hết hạn", ends="-1 minute")
    assert await rounds(citizen) == 0
    await notice(citizen, "cho mọi người")
    await notice(citizen, "của tỉnh", places=("dak-lak", "buon-ho-phuong"))
    assert await rounds(citizen) == 1
    told = citizen.talk.sender.texts[0]
    assert [text in told for text in ("cho mọi người", "của tỉnh", "của nơi khác", "chưa duyệt", "đã hết hạn")] == [
        *(True, True, False, False, False)
    ]


async def test_an_answer_past_its_date_or_withdrawn_is_not_told(citizen: Citizen) -> None:
    await citizen.subscribes("answer:wear_mask:changes")
    old = changed(valid_until=CATALOGUE.today() - DAY)
    assert await rounds(citizen, old) == 0
    await citizen.talk.rows(
        """INSERT INTO withdrawals (response_key, reason, withdrawn_by, until)
           VALUES (%s, 'sai', 'a', now() + interval '1 day')""",
        ANSWER,
    )
    assert await rounds(citizen, changed()) == 0
    await citizen.talk.rows("UPDATE withdrawals SET ended_by = 'b', ended_at = now()")
    assert await rounds(citizen, changed()) == 1


async def test_without_words_that_are_valid_nothing_is_sent_and_nothing_lost(citizen: Citizen) -> None:
    await citizen.subscribes()
    late = changed()
    expired = replace(late.entries["utter_news"], valid_until=CATALOGUE.today() - DAY)
    assert await rounds(citizen, replace(late, entries={**late.entries, "utter_news": expired})) == 0
    assert await rounds(citizen, late) == 1


# ---- whom


@pytest.mark.parametrize(
    ("shut", "opened"),
    [
        ("owner = 'operator'", "owner = 'bot'"),
        ("owner = 'queue'", "owner = 'closed'"),
        ("sending = 'blocked'", "sending = 'open'"),
        ("interacted_at = now() - interval '7 days'", "interacted_at = now()"),
    ],
)
async def test_whoever_cannot_be_written_to_waits_until_that_changes(citizen: Citizen, shut: str, opened: str) -> None:
    await citizen.subscribes()
    await citizen.talk.rows(f"UPDATE conversations SET {shut}")
    assert await rounds(citizen, changed()) == 0
    await citizen.talk.rows(f"UPDATE conversations SET {opened}")
    assert await rounds(citizen, changed()) == 1


async def test_a_channel_that_is_off_here_is_left_to_the_machine_that_has_it(citizen: Citizen) -> None:
    await citizen.subscribes()
    without = citizen.news(changed())
    without._senders = {}
    assert await without.send_due() == 0
    assert await rounds(citizen, changed()) == 1


async def test_whoever_stopped_gets_nothing(citizen: Citizen) -> None:
    await citizen.subscribes()
    await citizen.presses("/unsubscribe")
    assert await rounds(citizen, changed()) == 0


async def test_a_round_takes_no_more_of_a_channel_than_its_pace(citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowd(citizen, 8)
    monkeypatch.setattr(sending, "A_MINUTE", {CHANNEL: 5})
    assert [await citizen.news(changed()).send_due() for _ in range(3)] == [5, 4, 0]


# ---- once


async def crowd(citizen: Citizen, others: int) -> None:
    """As many others who want the same."""
    await citizen.subscribes()
    for n in range(others):
        await citizen.talk.happens(Incoming(CHANNEL, f"citizen-{n + 2}", f"c-{n}", "text", text="chào"))
    await citizen.talk.rows("UPDATE messages SET turn = 'answered' WHERE turn = 'waiting'")
    await citizen.talk.rows(
        """INSERT INTO subscriptions (conversation_id, kind, subject, how, consent_text, consent_revision, consent_language, channel, told)
           SELECT c.id, s.kind, s.subject, s.how, '', '', 'vi', s.channel, s.told FROM subscriptions s, conversations c
            WHERE c.id <> s.conversation_id"""
    )


async def test_several_machines_at_once_tell_each_person_once(citizen: Citizen) -> None:
    await crowd(citizen, 15)
    await asyncio.gather(*(citizen.news(changed()).send_due() for _ in range(4)))
    each = "SELECT count(*), max(n) AS most FROM (SELECT count(*) AS n FROM messages WHERE response_key = 'utter_news' GROUP BY conversation_id) AS each"
    assert await citizen.talk.rows(each) == [{"count": 16, "most": 1}]


async def test_a_take_over_that_is_not_committed_yet_is_waited_for(citizen: Citizen, database_url: str) -> None:
    await citizen.subscribes()
    with psycopg.connect(database_url) as other:
        other.execute("UPDATE conversations SET owner = 'operator'")
        going = asyncio.create_task(citizen.news(changed()).send_due())
        await asyncio.wait({going}, timeout=0.4)
        assert not going.done()
        other.commit()
        assert await going == 0


async def test_an_error_in_the_middle_leaves_nothing_half_done(citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    await citizen.subscribes()

    async def breaks(*_: object) -> None:
        raise ConnectionError("the line is cut")

    with monkeypatch.context() as patched:
        patched.setattr(Queue, "defer", breaks)
        with pytest.raises(ConnectionError):
            await citizen.news(changed()).send_due()
    assert await citizen.talk.one(SENT) == 0
    assert await rounds(citizen, changed()) == 1


WORKER = """
import asyncio, datetime, sys
from tests.dates import keep_answers_valid
keep_answers_valid()  # before catalogues are loaded
from bot.database import open_pool
from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.handoff.office import Office, prepare
from bot.settings import ROOT
from bot.subscriptions.editions import Editions
from bot.subscriptions.sending import News
from tests.dialogue.talk import CHANNEL, RecordingSender
from tests.subscriptions.conftest import MORNING, changed

async def main(url):
    pool, queue, catalogue = open_pool(url), Queue(url), changed()
    prepare(Office(catalogue, Desks.load(ROOT, "dak-lak"), queue))
    async with pool, queue.app.open_async():
        await News(pool, catalogue, Editions(catalogue, url), {CHANNEL: RecordingSender()}, now=lambda: MORNING).send_due()

asyncio.run(main(sys.argv[1]))
"""


async def test_a_worker_killed_with_everything_but_the_job_written_tells_nobody_twice(
    citizen: Citizen, database_url: str
) -> None:
    await crowd(citizen, 2)
    with psycopg.connect(database_url) as lock:
        lock.execute("LOCK TABLE procrastinate_jobs IN ACCESS EXCLUSIVE MODE")  # the worker's last statement waits for us
        worker = subprocess.Popen([sys.executable, "-c", WORKER, database_url], cwd=ROOT)
        waits = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 60
        try:
            while not await citizen.talk.rows(waits):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        await citizen.talk.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        lock.rollback()
    assert await citizen.talk.one(SENT) == 0
    assert [await citizen.news(changed()).send_due() for _ in range(2)] == [3, 0]


# ---- the words


def edition(number: int, state: State) -> Edition:
    return Edition(number, datetime.datetime.now(datetime.UTC), state)


def test_the_longest_message_is_one_message() -> None:
    notices = [edition(n, State("notices", "", str(n), notice="Điểm tiêm " * 50)) for n in range(4)]
    answers = [edition(9 + n, State("answer", intent, "m")) for n, intent in enumerate(list(CATALOGUE.intents)[20:28])]
    said = message(CATALOGUE, [*notices, *answers])
    assert said is not None
    assert len(said.text) <= 2_000
    assert "{" not in said.text
    assert len(said.buttons) + 1 <= 5, "with the way back to Vietnamese"
    assert said.buttons[-1].payload == "/unsubscribe"


def test_in_another_language_the_stop_and_the_vietnamese_words_are_there() -> None:
    said = message(CATALOGUE, [edition(1, State("answer", "emergency", "m"))], "rad")
    assert said is not None
    assert "/unsubscribe" in [button.payload for button in said.buttons]
    assert "DỪNG" in said.text


def test_the_words_of_an_answer_are_those_of_its_variants() -> None:
    keys = answer_keys(CATALOGUE, "case_figures")
    assert {"utter_case_figures", "utter_case_figures_place"} <= set(keys)
    assert not {
        key for intent in CATALOGUE.intents for key in answer_keys(CATALOGUE, intent) if key == "utter_case_figures"
    } - set(keys)
    assert "utter_vaccine_types" not in answer_keys(CATALOGUE, "vaccine_where")
    variant = replace(CATALOGUE.entries["utter_case_figures_place"], text="khác")
    other = replace(CATALOGUE, entries={**CATALOGUE.entries, variant.key: variant})
    assert answer_mark(other, "case_figures") != answer_mark(CATALOGUE, "case_figures")
    assert answer_mark(other, "wear_mask") == answer_mark(CATALOGUE, "wear_mask")


def test_a_notice_without_a_place_is_for_everybody() -> None:
    assert is_for(State("notices", "", "1", notice="x"), ("notices", "buon-ho-phuong"))
    assert not is_for(State("notices", "", "1", notice="x", places=frozenset({"dak-lak"})), ("notices", "thanh-hoa"))
    assert not is_for(State("figures", "dak-lak", "1"), ("notices", "dak-lak"))
