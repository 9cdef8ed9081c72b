"""Keeps what is in force in this process as it is in the database: heard at once, and looked at again every two seconds.

A gateway that hears nothing for a while (a broken connection) is at most the two seconds behind. While the database is away, what
was known last holds; nothing is stored meanwhile either.
"""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot.content import store
from bot.database import Pool
from bot.languages.in_force import InForce

log = structlog.get_logger(__name__)

CHANNEL = "loa_content"
LOOK_AGAIN_SECONDS = 2.0
RECONNECT_SECONDS = 1.0


class Keeping:
    def __init__(self, url: str, pool: Pool, in_force: InForce) -> None:
        self._url, self._pool, self._in_force = url, pool, in_force
        self._heard = asyncio.Event()

    async def refresh(self) -> bool:
        """Read what is in force; False when the database is away."""
        try:
            async with self._pool.connection() as connection:
                found = await store.in_force(connection)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("content_not_read", error=type(error).__name__)
            return False
        if self._in_force.fill(*found):
            log.info("content_changed", withdrawn=len(found[0]), notices=len(found[1]), verdicts=len(found[2]))
        return True

    async def work(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._look())

    async def _look(self) -> None:
        while True:
            self._heard.clear()
            await self.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOK_AGAIN_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    self._heard.set()
                    async for _ in connection.notifies():
                        self._heard.set()
            except psycopg.Error as error:
                log.warning("content_not_heard", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)
