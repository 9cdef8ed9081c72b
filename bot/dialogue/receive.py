"""Receiving: store the event and ask for its turn, in one transaction. Then, and only then, the platform is told 200."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import psycopg_pool
import structlog

from bot.campaigns.opening import with_typed_code
from bot.database import DictConnection, Pool
from bot.dialogue import changes, conversations, echoes
from bot.dialogue.queue import Queue
from bot.messages import Echo, Edited, Event, Incoming, Interaction, NotStored, Received, Withdrawn
from bot.metrics import DUPLICATES, MESSAGES_RECEIVED, TAKE_OVERS

log = structlog.get_logger(__name__)

# Zalo wants its 200 within two seconds.
WITHIN_SECONDS = 1.5
T = TypeVar("T")
_late: set[asyncio.Task[object]] = set()


async def store_event(
    pool: Pool, queue: Queue, event: Event, *, quiet: datetime.timedelta = echoes.OPERATOR_QUIET, within: float = WITHIN_SECONDS
) -> Received | None:
    """Store whatever a channel reports; where it was stored for an `Incoming`. Raises NotStored: answer 503."""
    if isinstance(event, Incoming):
        return await store_and_defer(pool, queue, event, within=within)
    if isinstance(event, Echo):
        await _stored(pool, event.channel, lambda c: _hear(c, queue, event, quiet), within)
    elif isinstance(event, Edited):
        await _stored(pool, event.channel, lambda c: _edit(c, queue, event), within)
    elif isinstance(event, Withdrawn):
        await _stored(pool, event.channel, lambda c: changes.withdraw(c, event), within)
        MESSAGES_RECEIVED.labels(event.channel, "withdrawn").inc()
    else:
        await _stored(pool, event.channel, lambda c: _interact(c, queue, event), within)
    return None


async def store_and_defer(pool: Pool, queue: Queue, incoming: Incoming, *, within: float = WITHIN_SECONDS) -> Received:
    """No message without a job, no job without its message; raises NotStored when the database is away or slow."""

    async def store(connection: DictConnection) -> tuple[int, int | None]:
        conversation_id, message_id = await conversations.store_incoming(connection, await with_typed_code(connection, incoming))
        if message_id is not None:
            await queue.defer(connection, conversation_id)
        return conversation_id, message_id

    conversation_id, message_id = await _stored(pool, incoming.channel, store, within)
    if message_id is None:
        DUPLICATES.labels(incoming.channel).inc()
    else:
        MESSAGES_RECEIVED.labels(incoming.channel, incoming.kind).inc()
    return Received(conversation_id, message_id)


async def _hear(connection: DictConnection, queue: Queue, echo: Echo, quiet: datetime.timedelta) -> None:
    conversation_id, outcome = await echoes.hear(connection, echo, quiet)
    if outcome == echoes.LATER:
        await queue.defer(connection, conversation_id)
    if outcome == echoes.TAKEN_OVER:
        TAKE_OVERS.labels(echo.channel).inc()
        log.info("operator_took_over", conversation=conversation_id, channel=echo.channel)


async def _edit(connection: DictConnection, queue: Queue, edited: Edited) -> None:
    conversation_id, message_id = await changes.edit(connection, edited)
    if message_id is not None:
        await queue.defer(connection, conversation_id)
    MESSAGES_RECEIVED.labels(edited.channel, "edited").inc()


async def _interact(connection: DictConnection, queue: Queue, interaction: Interaction) -> None:
    conversation_id, message_id = await changes.interact(connection, interaction)
    if conversation_id is not None and message_id is not None:
        await queue.defer(connection, conversation_id)
    MESSAGES_RECEIVED.labels(interaction.channel, interaction.kind).inc()


async def _stored(pool: Pool, channel: str, store: Callable[[DictConnection], Awaitable[T]], within: float) -> T:
    """One transaction, answered for within `within` seconds.

    Too slow, it is not cancelled: it may be about to commit, and a platform that sends the event again finds it stored.
    """

    async def run() -> T:
        async with pool.connection() as connection, connection.transaction():
            return await store(connection)

    task = asyncio.ensure_future(run())
    done, _ = await asyncio.wait({task}, timeout=within)
    if not done:
        _late.add(task)
        task.add_done_callback(_forget)
        log.error("message_not_stored", channel=channel, error="too slow")
        raise NotStored(f"the database did not answer within {within} seconds")
    try:
        return task.result()
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        log.error("message_not_stored", channel=channel, error=type(error).__name__)
        raise NotStored(f"the database is not reachable ({type(error).__name__})") from error


def _forget(task: asyncio.Task[object]) -> None:
    """The citizen's side was told 503 long ago; the task's error, if it has one, was told with it."""
    _late.discard(task)
    if not task.cancelled():
        task.exception()
