"""The pool of connections: nothing that a client does may cost one."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from bot.database import Pool, open_pool


@pytest.mark.parametrize("later", range(4), ids="{} steps later".format)
async def test_a_client_that_leaves_costs_no_connection(database_url: str, later: int) -> None:
    """Whoever waits for it gets it, at whatever moment the other one is cancelled."""
    async with open_pool(database_url, min_size=1, max_size=1) as pool:
        await pool.wait()
        has_it = asyncio.Event()
        async with anyio.create_task_group() as clients:
            clients.start_soon(_holds, pool, has_it)
            await has_it.wait()
            waiting = asyncio.create_task(_asks(pool))
            for _ in range(later):
                await asyncio.sleep(0)
            clients.cancel_scope.cancel()
        assert await waiting == 1
        assert await _asks(pool) == 1


async def _holds(pool: Pool, has_it: asyncio.Event) -> None:
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
        has_it.set()
        await asyncio.Event().wait()


async def _asks(pool: Pool) -> object:
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT 1 AS one")).fetchone()
        return row and row["one"]
