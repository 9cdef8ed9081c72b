"""Erasing what is known of a person, and handing it over: by the citizen in their conversation, or by staff for them.

Erased is erased: the conversation's row goes and all that points at it. What stays is a receipt that names nobody.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from psycopg.types.json import Jsonb

from bot.audit import entry
from bot.database import DictConnection
from bot.learn.forgetting import forget
from bot.privacy import person_data

# Read aloud on the phone without a doubt: no 0 and O, no 1 and I.
RECEIPT_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
RECEIPT_GROUPS, RECEIPT_GROUP = 3, 4
CITIZEN = "citizen"


@dataclass(frozen=True)
class Erased:
    """What was erased. `address` and `language` are for telling the person, and are kept nowhere else."""

    receipt: str
    channel: str
    address: str
    language: str
    counts: Mapping[str, int]


async def conversation_id_of(connection: DictConnection, channel: str, address: str) -> int | None:
    cursor = await connection.execute("SELECT id FROM conversations WHERE channel = %s AND address = %s", [channel, address])
    row = await cursor.fetchone()
    return int(cast(int, row["id"])) if row else None


async def export(connection: DictConnection, conversation_id: int, *, asked_by: str) -> dict[str, Any] | None:
    """All rows of this conversation by table, with Rasa's memory of it; None when there is no such conversation."""
    async with connection.transaction():
        found = {table: rows async for table, rows in person_data.rows(connection, conversation_id) if rows}
        if person_data.ROOT_TABLE not in found:
            return None
        found["trackers"] = await _tracker(connection, conversation_id)
        await connection.execute(*entry(asked_by, "privacy_export", f"conversation:{conversation_id}"))
    return cast(dict[str, Any], json.loads(json.dumps(found, default=str)))


async def erase(connection: DictConnection, conversation_id: int, *, asked_by: str) -> Erased | None:
    """Delete all of this conversation in one transaction; None when there is no such conversation (any more).

    `asked_by`: CITIZEN, or who of the staff does it, who is written into the audit log.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT channel, address, language FROM conversations WHERE id = %s FOR UPDATE", [conversation_id]
        )
        who = await cursor.fetchone()
        if who is None:
            return None
        counts = {table: len(rows) async for table, rows in person_data.rows(connection, conversation_id) if rows}
        if questions := await forget(connection, conversation_id):
            counts["learn_questions"] = questions
        channel, address = str(who["channel"]), str(who["address"])
        gone = await connection.execute("DELETE FROM trackers WHERE sender_id = %s", [f"{channel}:{conversation_id}"])
        counts["trackers"] = gone.rowcount
        await connection.execute("DELETE FROM conversations WHERE id = %s", [conversation_id])
        receipt = new_receipt()
        await connection.execute(
            "INSERT INTO erasures (receipt, asked_by, channel, erased) VALUES (%s, %s, %s, %s)",
            [receipt, asked_by, channel, Jsonb(counts)],
        )
        if asked_by != CITIZEN:
            await connection.execute(*entry(asked_by, "privacy_erase", receipt, rows=sum(counts.values())))
    return Erased(receipt, channel, address, str(who["language"]), counts)


def new_receipt() -> str:
    letters = [secrets.choice(RECEIPT_LETTERS) for _ in range(RECEIPT_GROUPS * RECEIPT_GROUP)]
    return "-".join("".join(letters[at : at + RECEIPT_GROUP]) for at in range(0, len(letters), RECEIPT_GROUP))


async def _tracker(connection: DictConnection, conversation_id: int) -> list[dict[str, Any]]:
    cursor = await connection.execute(
        """SELECT t.* FROM trackers t JOIN conversations c ON t.sender_id = c.channel || ':' || c.id WHERE c.id = %s""",
        [conversation_id],
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())
