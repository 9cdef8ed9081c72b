"""One piece of work in the service's database, for commands that need nothing else of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import psycopg
from psycopg.rows import dict_row

from bot.database import DictConnection
from bot.postgres import known_address
from bot.settings import Settings, SettingsError

T = TypeVar("T")


def in_database(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    """The work's result. Raises SettingsError when no database is known, psycopg's errors as they come."""
    url = known_address(settings)
    if url is None:
        raise SettingsError("This needs the database: start Loa, or set LOA_DATABASE_URL.")

    async def run() -> T:
        connect = psycopg.AsyncConnection.connect
        async with await connect(url, autocommit=True, connect_timeout=10, row_factory=dict_row) as connection:
            return await work(cast(DictConnection, connection))

    return asyncio.run(run())
