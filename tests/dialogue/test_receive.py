"""A platform is told 200 only for what is stored, and is not kept waiting while the database is slow."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest
from prometheus_client import REGISTRY

from bot.database import open_pool
from bot.dialogue.queue import Queue
from bot.dialogue.receive import store_and_defer, store_event
from bot.messages import Edited, Event, Incoming, Interaction, NotStored, Withdrawn
from tests.dialogue.talk import ADDRESS, CHANNEL, Talk

MESSAGE = Incoming(CHANNEL, ADDRESS, "m1", "text", text="xin chào")


async def test_a_slow_database_is_not_waited_for_and_nothing_is_stored_twice(talk: Talk, database_url: str) -> None:
    with psycopg.connect(database_url) as lock:
        lock.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(NotStored):
            await store_and_defer(talk.pool, talk.queue, MESSAGE, within=0.3)
        assert time.monotonic() - began < 30, "the table is locked for good"
        lock.rollback()
    # The platform sends it again; the first try may have come through meanwhile.
    received = await store_and_defer(talk.pool, talk.queue, MESSAGE)
    assert received.conversation_id
    await asyncio.sleep(0.2)
    assert await talk.one("SELECT count(*) FROM messages") == 1
    assert await talk.one("SELECT count(*) FROM procrastinate_jobs") == 1


@pytest.mark.parametrize(
    "event",
    [
        MESSAGE,
        Edited(CHANNEL, ADDRESS, "m1", "x"),
        Withdrawn(CHANNEL, ADDRESS, "m1"),
        Interaction(CHANNEL, ADDRESS, "follow", "e1"),
    ],
)
async def test_without_a_database_no_event_is_acknowledged(event: Event) -> None:
    pool = open_pool("postgresql://nobody@127.0.0.1:1/none", min_size=0)
    await pool.open(wait=False)
    try:
        with pytest.raises(NotStored):
            await store_event(pool, Queue("postgresql://nobody@127.0.0.1:1/none"), event, within=0.5)
    finally:
        await pool.close(timeout=1)


async def test_a_redelivery_is_counted_and_changes_nothing(talk: Talk) -> None:
    labels = {"channel": CHANNEL}
    before = REGISTRY.get_sample_value("loa_messages_duplicate_total", labels) or 0
    first, second = [await talk.happens(MESSAGE) for _ in range(2)]
    assert first and first.message_id
    assert second and second.message_id is None
    assert REGISTRY.get_sample_value("loa_messages_duplicate_total", labels) == before + 1


async def test_many_redeliveries_at_once_are_one_message_and_one_job(talk: Talk) -> None:
    await asyncio.gather(*(talk.happens(MESSAGE) for _ in range(10)))
    assert await talk.one("SELECT count(*) FROM messages") == 1
    assert await talk.one("SELECT count(*) FROM procrastinate_jobs") == 1
