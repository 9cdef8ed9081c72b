"""One piece of work in the service's database, for commands that need nothing else of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import psycopg
import typer
from psycopg.rows import dict_row
from rich.console import Console

from bot.database import DictConnection
from bot.postgres import known_address
from bot.settings import Settings, SettingsError

T = TypeVar("T")

errors = Console(stderr=True, soft_wrap=True)

NEEDS_DATABASE = "This needs the database: start Loa, or set LOA_DATABASE_URL."


def needed_address(settings: Settings) -> str:
    """The database's address; where none is known, one sentence and exit code 2."""
    url = known_address(settings)
    if url is None:
        errors.print(NEEDS_DATABASE, style="bold red")
        raise typer.Exit(2)
    return url


def in_database(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    """The work's result. Raises SettingsError when no database is known, psycopg's errors as they come."""
    url = known_address(settings)
    if url is None:
        raise SettingsError(NEEDS_DATABASE)

    async def run() -> T:
        connect = psycopg.AsyncConnection.connect
        async with await connect(url, autocommit=True, connect_timeout=10, row_factory=dict_row) as connection:
            return await work(cast(DictConnection, connection))

    return asyncio.run(run())


def carried_out(
    settings: Settings,
    work: Callable[[DictConnection], Awaitable[T]],
    refusal: type[Exception],
    sentence: Callable[[Any], str] = str,
) -> T:
    """The work's result; what stands in its way is one sentence and exit code 1. `sentence` tells what the refusal says."""
    try:
        return in_database(settings, work)
    except refusal as refused:
        errors.print(f"loa: {sentence(refused)}", style="bold red", markup=False)
    except psycopg.OperationalError as error:
        errors.print(f"loa: the database does not answer ({type(error).__name__})", style="bold red", markup=False)
    raise typer.Exit(1)
