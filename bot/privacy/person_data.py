"""All that the database holds of one conversation, found by its foreign keys: a new table cannot be forgotten.

`tests/privacy/test_erasure.py` proves that every table which points at a conversation is deleted with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from psycopg import sql

from bot.database import DictConnection

ROOT_TABLE = "conversations"
# Pointers from one table to another that are deleted together. A table is visited once, by the shortest way.
POINTERS = """
    SELECT child.relname AS child, parent.relname AS parent, mine.attname AS mine, theirs.attname AS theirs,
           c.confdeltype AS on_delete
    FROM pg_constraint c
    JOIN pg_class child ON child.oid = c.conrelid JOIN pg_class parent ON parent.oid = c.confrelid
    JOIN pg_attribute mine ON mine.attrelid = c.conrelid AND mine.attnum = c.conkey[1]
    JOIN pg_attribute theirs ON theirs.attrelid = c.confrelid AND theirs.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND child.relnamespace = 'public'::regnamespace
    ORDER BY child.relname, mine.attnum
"""
# Of no use to the person, or a key to somebody else's door.
LEFT_OUT = frozenset({"send_key", "provider_ids", "payload_id", "token_hash", "joined_to"})


@dataclass(frozen=True)
class Pointer:
    child: str
    parent: str
    mine: str
    theirs: str
    on_delete: str

    @property
    def deletes(self) -> bool:
        return self.on_delete == "c"


async def pointers(connection: DictConnection) -> Sequence[Pointer]:
    cursor = await connection.execute(POINTERS)
    return [Pointer(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def rows(connection: DictConnection, conversation_id: int) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """(table, its rows of this conversation), the conversation itself first."""
    known = await pointers(connection)
    ways: list[tuple[str, tuple[Pointer, ...]]] = [(ROOT_TABLE, ())]
    visited = {ROOT_TABLE}
    while ways:
        table, way = ways.pop(0)
        yield table, await _read(connection, table, way, conversation_id)
        for pointer in known:
            if pointer.parent == table and pointer.deletes and pointer.child not in visited:
                visited.add(pointer.child)
                ways.append((pointer.child, (pointer, *way)))


async def _read(connection: DictConnection, table: str, way: tuple[Pointer, ...], conversation_id: int) -> list[dict[str, Any]]:
    """`way`: the pointers from the table up to the conversation."""
    joins = [
        sql.SQL("JOIN {parent} AS {above} ON {above}.{theirs} = {here}.{mine}").format(
            parent=sql.Identifier(pointer.parent),
            above=sql.Identifier(f"t{number + 1}"),
            here=sql.Identifier(f"t{number}"),
            theirs=sql.Identifier(pointer.theirs),
            mine=sql.Identifier(pointer.mine),
        )
        for number, pointer in enumerate(way)
    ]
    query = sql.SQL("SELECT t0.* FROM {table} AS t0 {joins} WHERE {root}.id = %s").format(
        table=sql.Identifier(table), joins=sql.SQL(" ").join(joins), root=sql.Identifier(f"t{len(way)}")
    )
    cursor = await connection.execute(query, [conversation_id])
    return [{name: value for name, value in row.items() if name not in LEFT_OUT} for row in await cursor.fetchall()]
