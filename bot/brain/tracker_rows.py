"""Where tracker rows are kept: PostgreSQL, or this process's memory when there is no server (`rasa shell`)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from bot.database import SafePool

T = TypeVar("T")
Connection = psycopg.AsyncConnection[Any]

POOL_SIZE = 8
# The gateway waits ten seconds for a whole turn; a database that does not answer sooner is down.
WAIT_SECONDS = 3.0

READ = """
    SELECT sender_id, events, slots, intent, confidence, ranking, language, place, last_message_id
    FROM trackers WHERE sender_id = %s
"""
WRITE = """
    INSERT INTO trackers (sender_id, events, slots, intent, confidence, ranking, language, place, last_message_id, updated_at)
    VALUES (%(sender_id)s, %(events)s, %(slots)s, %(intent)s, %(confidence)s, %(ranking)s, %(language)s, %(place)s,
            %(last_message_id)s, now())
    ON CONFLICT (sender_id) DO UPDATE SET
        events = EXCLUDED.events, slots = EXCLUDED.slots, intent = EXCLUDED.intent, confidence = EXCLUDED.confidence,
        ranking = EXCLUDED.ranking, language = EXCLUDED.language, place = EXCLUDED.place,
        last_message_id = EXCLUDED.last_message_id, updated_at = now()
"""


@dataclass(frozen=True)
class Row:
    """One conversation: Rasa's events as dicts, slot values, and what was understood of the last message."""

    sender_id: str
    events: list[dict[str, Any]]
    slots: Mapping[str, Any]
    intent: str | None
    confidence: float | None
    ranking: list[list[Any]]
    language: str | None
    place: str | None
    last_message_id: str | None


class Rows(Protocol):
    async def read(self, sender_id: str) -> Row | None: ...
    async def write(self, row: Row) -> None: ...
    async def keys(self) -> list[str]: ...
    async def close(self) -> None: ...


class MemoryRows:
    """Rows as text, so that nothing is shared with a live tracker."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    async def read(self, sender_id: str) -> Row | None:
        kept = self._rows.get(sender_id)
        return Row(**json.loads(kept)) if kept else None

    async def write(self, row: Row) -> None:
        self._rows[row.sender_id] = json.dumps(row.__dict__)

    async def keys(self) -> list[str]:
        return list(self._rows)

    async def close(self) -> None:
        """Nothing to close."""


class PostgresRows:
    """One read and one upsert a turn. The pool opens with the first turn, inside the loop that will use it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: SafePool[psycopg.AsyncConnection[Any]] | None = None

    async def read(self, sender_id: str) -> Row | None:
        async def work(connection: Connection) -> Row | None:
            async with connection.cursor(row_factory=class_row(Row)) as cursor:
                await cursor.execute(READ, [sender_id])
                return await cursor.fetchone()

        return await self._with_connection(work)

    async def write(self, row: Row) -> None:
        values = {**row.__dict__, "events": Jsonb(row.events), "slots": Jsonb(row.slots), "ranking": Jsonb(row.ranking)}

        async def work(connection: Connection) -> None:
            await connection.execute(WRITE, values)

        await self._with_connection(work)

    async def keys(self) -> list[str]:
        async def work(connection: Connection) -> list[str]:
            cursor = await connection.execute("SELECT sender_id FROM trackers ORDER BY sender_id")
            return [str(found[0]) for found in await cursor.fetchall()]

        return await self._with_connection(work)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _with_connection(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work`, once more if the connection proved dead: reads and upserts may be repeated.

        After a restart of the server all pooled connections are dead; they are thrown out together. To ask each
        connection before each use instead would cost two trips a turn.
        """
        pool = await self._opened()
        try:
            async with pool.connection() as connection:
                return await work(connection)
        except psycopg.OperationalError:
            await pool.check()
        async with pool.connection() as connection:
            return await work(connection)

    async def _opened(self) -> SafePool[psycopg.AsyncConnection[Any]]:
        if self._pool is None:
            pool: SafePool[psycopg.AsyncConnection[Any]] = SafePool(
                self._url,
                kwargs={"autocommit": True},
                min_size=1,
                max_size=POOL_SIZE,
                timeout=WAIT_SECONDS,
                open=False,
                name="trackers",
            )
            self._pool = pool
            await pool.open()
        return self._pool
