"""The desk without pages: cases are moved as pages, turns and the clock do it; nothing is delivered, only stored."""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections.abc import AsyncIterator
from typing import Any

from bot.database import Pool, open_pool
from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.handoff.moving import Happening, Moved, move
from bot.handoff.office import Limits, Office, prepare
from bot.handoff.ownership import Event
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.databases import WithDatabase

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
DESKS = Desks.load(ROOT, "dak-lak")
# A Monday: the desk is open at nine, shut at eight in the evening.
OPEN = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
SHUT = datetime.datetime(2026, 11, 23, 13, 0, tzinfo=datetime.UTC)


class Clock:
    """The time of day by which desks open and shut."""

    def __init__(self) -> None:
        self.now = OPEN

    def __call__(self) -> datetime.datetime:
        return self.now


class Room(WithDatabase):
    """Citizens with a conversation each, operators with an account each."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self.pool, self.clock = pool, clock
        self._numbers = itertools.count(1)

    async def citizen(self, *, channel: str = "zalo", language: str = "vi", owner: str = "bot") -> int:
        return int(
            await self.one(
                "INSERT INTO conversations (channel, address, language, owner) VALUES (%s, %s, %s, %s) RETURNING id",
                channel,
                f"citizen-{next(self._numbers)}",
                language,
                owner,
            )
        )

    async def operator(self, name: str, role: str = "operator") -> int:
        return int(
            await self.one("INSERT INTO operators (name, role, password_hash) VALUES (%s, %s, '') RETURNING id", name, role)
        )

    async def happens(self, conversation_id: int, event: Event, actor: str = "citizen", **fields: Any) -> Moved | None:
        async with self.pool.connection() as connection, connection.transaction():
            return await move(connection, conversation_id, Happening(event, actor, **fields))

    async def told(self, conversation_id: int) -> list[str]:
        rows = await self.rows(
            "SELECT response_key FROM messages WHERE conversation_id = %s AND direction = 'outgoing' ORDER BY id", conversation_id
        )
        return [str(row["response_key"]) for row in rows]

    async def owner(self, conversation_id: int) -> str:
        return str(await self.one("SELECT owner FROM conversations WHERE id = %s", conversation_id))


@contextlib.asynccontextmanager
async def opened_room(database_url: str) -> AsyncIterator[Room]:
    pool, queue, clock = open_pool(database_url), Queue(database_url), Clock()
    prepare(Office(CATALOGUE, DESKS, queue, Limits(), clock))
    async with pool, queue.app.open_async():
        yield Room(pool, clock)
