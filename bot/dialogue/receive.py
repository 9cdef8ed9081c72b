"""Receiving: store the message and ask for its turn, in one transaction. Then, and only then, the platform is told 200."""

from __future__ import annotations

import psycopg
import psycopg_pool
import structlog

from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.queue import Queue
from bot.messages import Incoming, NotStored, Received
from bot.metrics import MESSAGES_RECEIVED

log = structlog.get_logger(__name__)


async def store_and_defer(pool: Pool, queue: Queue, incoming: Incoming) -> Received:
    """No message without a job, no job without its message; raises NotStored when the database is away."""
    try:
        async with pool.connection() as connection, connection.transaction():
            conversation_id, message_id = await conversations.store_incoming(connection, incoming)
            if message_id is not None:
                await queue.defer(connection, conversation_id)
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        log.error("message_not_stored", channel=incoming.channel, error=type(error).__name__)
        raise NotStored(f"the database is not reachable ({type(error).__name__})") from error
    MESSAGES_RECEIVED.labels(incoming.channel, "again" if message_id is None else incoming.kind).inc()
    return Received(conversation_id, message_id)
