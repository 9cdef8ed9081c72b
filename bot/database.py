"""The database: one pool of psycopg connections, and forward-only migrations run on start under a lock."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do as long as every gateway, worker and command takes the same one.
MIGRATION_LOCK = 7_105_051
# The LISTEN/NOTIFY channel on which a stored reply is announced, its payload `<channel>:<address>`.
OUTGOING_CHANNEL = "loa_outgoing"
# Before that payload: a person is writing to the citizen.
TYPING = "typing:"
QUEUE_MIGRATION = "0002_queue"

C = TypeVar("C", bound=psycopg.AsyncConnection[Any])
DictConnection = psycopg.AsyncConnection[dict[str, object]]
Pool = AsyncConnectionPool[DictConnection]


class SafePool(AsyncConnectionPool[C]):
    """A connection is given back whatever happens to the one who had it. When a client leaves, Starlette cancels its task at
    every await; psycopg_pool, stopped while it hands the connection to somebody who has just begun to wait, would lose it for
    good and let that one wait in vain."""

    async def putconn(self, conn: C) -> None:
        await asyncio.shield(super().putconn(conn))


def open_pool(url: str, *, min_size: int = 2, max_size: int = 16) -> Pool:
    """A closed pool of dict-row connections; `async with` opens it. `url` is a libpq address."""
    return SafePool(
        url,
        connection_class=psycopg.AsyncConnection[dict[str, object]],
        kwargs={"row_factory": dict_row, "autocommit": True},
        min_size=min_size,
        max_size=max_size,
        open=False,
        timeout=5,
        name="loa",
    )


def migrate(url: str) -> list[str]:
    """Bring the schema of `url` up to date; returns the names applied now. Safe to run on several machines at once."""
    applied: list[str] = []
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {str(row[0]) for row in connection.execute("SELECT name FROM schema_migrations").fetchall()}
        for name, sql in _ours() + _queue_steps(first_install=QUEUE_MIGRATION not in done):
            if name in done:
                continue
            with connection.transaction():
                if sql:
                    connection.execute(sql.encode())
                connection.execute("INSERT INTO schema_migrations (name) VALUES (%s)", [name])
            applied.append(name)
    return applied


def _ours() -> list[tuple[str, str]]:
    return [(path.stem, _sql(path)) for path in sorted(MIGRATIONS.glob("[0-9]*"))]


def _sql(path: Path) -> str:
    return str(runpy.run_path(str(path))["SQL"]) if path.suffix == ".py" else path.read_text(encoding="utf-8")


def _queue_steps(*, first_install: bool) -> list[tuple[str, str]]:
    """procrastinate's own upgrade steps. A first install has them all in its schema: they are only noted as done."""
    from procrastinate.schema import SchemaManager  # here: `loa up` needs it once, and starts faster without it

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return [(f"queue/{step.stem}", "" if first_install else step.read_text(encoding="utf-8")) for step in steps]
