"""Databases for tests: made once, emptied after a test and given to the next one. Copying one anew costs ten times as much."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from bot.database import Pool

# Dead rows add up.
MOST_USES = 100
# A connection that was closed is gone a moment later.
RENAME_TRIES, RENAME_PAUSE_SECONDS = 40, 0.025
# What a test may have done to the database beside its rows.
SHAPE = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT format('%s %s %s', relname, relkind, relnatts) AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s %s', adrelid, adnum, pg_get_expr(adbin, adrelid)) FROM pg_attrdef
        UNION ALL SELECT format('%s %s %s', tgrelid, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT format('%s %s', proname, md5(prosrc)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s', conname, conrelid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT format('%s %s', setdatabase, setconfig) FROM pg_db_role_setting
    ) AS lines"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


class WithDatabase:
    """Whose database can be looked into."""

    pool: Pool

    async def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql.encode(), values)
            return list(await cursor.fetchall()) if cursor.description else []

    async def one(self, sql: str, *values: object) -> Any:
        (row,) = await self.rows(sql, *values)
        return next(iter(row.values())) if len(row) == 1 else row


class Databases:
    """`template`: the address of a migrated database that nobody is connected to."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._numbers = itertools.count(1)
        self._free: list[tuple[str, int]] = []
        with psycopg.connect(template) as connection:
            self._shape = _shape(connection)
            self._filled = _filled(connection)

    @contextlib.contextmanager
    def one(self) -> Iterator[str]:
        """The address of a migrated database without rows."""
        name, uses = self._free.pop() if self._free else (self._copy(), 0)
        yield self._address(name)
        if uses < MOST_USES and self._is_empty_again(name) and (renamed := self._renamed(name)):
            self._free.append((renamed, uses + 1))
        else:
            self._does(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _address(self, name: str) -> str:
        return self._template.replace("/loa?", f"/{name}?")

    def _copy(self) -> str:
        name = self._new_name()
        self._does(f'CREATE DATABASE "{name}" TEMPLATE loa')
        return name

    def _renamed(self, name: str) -> str | None:
        """What a process keeps of a database, it keeps by its address: that is never the same again. None: somebody is still in it."""
        new = self._new_name()
        for _ in range(RENAME_TRIES):
            try:
                self._does(f'ALTER DATABASE "{name}" RENAME TO "{new}"')
            except psycopg.errors.ObjectInUse:
                time.sleep(RENAME_PAUSE_SECONDS)
            else:
                return new
        return None

    def _new_name(self) -> str:
        return f"test_{os.getpid()}_{next(self._numbers)}"

    def _does(self, statement: str) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _is_empty_again(self, name: str) -> bool:
        try:
            with psycopg.connect(self._address(name)) as connection:
                connection.execute(OTHERS)
                return _empty(connection, self._filled) if _shape(connection) == self._shape else False
        except psycopg.Error:
            return False


def _shape(connection: psycopg.Connection) -> object:
    row = connection.execute(SHAPE).fetchone()
    return row[0] if row else None


def _filled(connection: psycopg.Connection) -> dict[str, int]:
    """Tables with rows, and how many."""
    names = [str(name) for (name,) in connection.execute(TABLES)]
    counts = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, (SELECT count(*) FROM {})").format(sql.Literal(name), sql.Identifier(name)) for name in names
    )
    return {str(name): int(count) for name, count in connection.execute(counts) if count}


def _empty(connection: psycopg.Connection, kept: dict[str, int]) -> bool:
    """False when rows that the migrations made were changed in number."""
    filled = _filled(connection)
    if {name: filled.get(name) for name in kept} != kept:
        return False
    # Neither triggers nor foreign keys: the order does not matter, and logs that may only grow are emptied too.
    connection.execute("SET session_replication_role = replica")
    for name in filled.keys() - kept.keys():
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    for (name,) in connection.execute(SEQUENCES).fetchall():
        connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)))
    return True
