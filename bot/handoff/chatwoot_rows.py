"""What Loa remembers of its conversations in a Chatwoot: where they stand there, what was told, what is due."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from psycopg.types.json import Jsonb

from bot.database import DictConnection
from bot.handoff import cases

# Wakes the workers of all machines.
WAKE_CHANNEL = "loa_chatwoot"
# What is looked at although nothing was told.
LOOK_EVERY = datetime.timedelta(seconds=60)
MOST_DUE = 100
NOT_DELIVERED = ("failed", "blocked", "outside_window", "unknown")
# Any number that no other lock takes.
LOCK = 7_105_054


async def due(connection: DictConnection) -> list[int]:
    """The conversations that have something to tell or to be looked at: of open cases, and of those that were over since."""
    found = await connection.execute(
        """WITH asked AS (
               SELECT k.conversation_id AS id, k.is_urgent, k.waiting_since
                 FROM cases k LEFT JOIN chatwoot_conversations w USING (conversation_id)
                WHERE k.state <> 'ended' AND (w.try_after IS NULL OR w.try_after <= now())
                  AND (w.case_id IS DISTINCT FROM k.id OR w.is_due OR w.status NOT IN ('open', 'snoozed')
                       OR w.looked_at IS NULL OR w.looked_at < now() - %(every)s
                       OR EXISTS (SELECT FROM messages m WHERE m.conversation_id = k.conversation_id AND m.id > w.mirrored_id
                                     AND m.delivery IS DISTINCT FROM 'withdrawn')
                       OR EXISTS (SELECT FROM messages m WHERE m.conversation_id = k.conversation_id
                                     AND m.send_key LIKE 'chatwoot:%%' AND m.delivery = ANY(%(not_delivered)s)
                                     AND NOT EXISTS (SELECT FROM chatwoot_notes n WHERE n.about = 'delivery:' || m.id)))
               UNION ALL
               SELECT w.conversation_id, false, now() FROM chatwoot_conversations w
                WHERE (w.is_due OR w.status IN ('open', 'snoozed')) AND w.chatwoot_id IS NOT NULL
                  AND (w.try_after IS NULL OR w.try_after <= now())
                  AND (w.is_due OR NOT EXISTS (SELECT FROM cases k
                                                WHERE k.conversation_id = w.conversation_id AND k.state <> 'ended'))
               UNION ALL
               SELECT n.conversation_id, false, now() FROM chatwoot_notes n JOIN chatwoot_conversations w USING (conversation_id)
                WHERE n.posted_at IS NULL AND w.chatwoot_id IS NOT NULL AND (w.try_after IS NULL OR w.try_after <= now()))
           SELECT id FROM asked GROUP BY id ORDER BY bool_or(is_urgent) DESC, min(waiting_since), id LIMIT %(limit)s""",
        {"every": LOOK_EVERY, "limit": MOST_DUE, "not_delivered": list(NOT_DELIVERED)},
    )
    return [int(str(row["id"])) for row in await found.fetchall()]


def contact_of(conversation_id: int) -> str:
    """The name that Chatwoot knows the citizen's contact by (`identifier`)."""
    return f"loa-{conversation_id}"


async def here_of(connection: DictConnection, conversation_id: int) -> dict[str, Any]:
    await connection.execute(
        "INSERT INTO chatwoot_conversations (conversation_id) VALUES (%s) ON CONFLICT DO NOTHING", [conversation_id]
    )
    found = await connection.execute("SELECT * FROM chatwoot_conversations WHERE conversation_id = %s", [conversation_id])
    return cast(dict[str, Any], await found.fetchone())


async def open_case(connection: DictConnection, conversation_id: int) -> cases.Case | None:
    found = await connection.execute("SELECT id FROM cases WHERE conversation_id = %s AND state <> 'ended'", [conversation_id])
    row = cast(dict[str, int] | None, await found.fetchone())
    return await cases.get(connection, row["id"]) if row else None


async def messages(
    connection: DictConnection,
    conversation_id: int,
    after: int,
    until: int = 2**63 - 1,
    *,
    most: int = 200,
    is_newest: bool = False,
) -> Sequence[dict[str, Any]]:
    """What was said after and until these ids, oldest first; what was taken back before it was sent was never said."""
    found = await connection.execute(
        """SELECT m.id, m.author, m.kind, m.text, m.payload, m.attachments, m.send_key, o.name AS operator
             FROM messages m LEFT JOIN operators o ON o.id = m.operator_id
            WHERE m.conversation_id = %(id)s AND m.id > %(after)s AND m.id <= %(until)s
              AND m.delivery IS DISTINCT FROM 'withdrawn'
            ORDER BY CASE WHEN %(newest)s THEN -m.id ELSE m.id END LIMIT %(most)s""",
        {"id": conversation_id, "after": after, "until": until, "newest": is_newest, "most": most},
    )
    return sorted(cast(list[dict[str, Any]], await found.fetchall()), key=lambda row: row["id"])


async def save(connection: DictConnection, conversation_id: int, **values: Any) -> None:
    names = ", ".join(f"{name} = %({name})s" for name in values)
    statement = f"UPDATE chatwoot_conversations SET {names} WHERE conversation_id = %(conversation)s"  # noqa: S608  our own names
    await connection.execute(statement.encode(), {**values, "conversation": conversation_id})


async def known(connection: DictConnection, chatwoot_id: int) -> int | None:
    found = await connection.execute("SELECT conversation_id FROM chatwoot_conversations WHERE chatwoot_id = %s", [chatwoot_id])
    row = cast(dict[str, int] | None, await found.fetchone())
    return row["conversation_id"] if row else None


async def is_new(connection: DictConnection, message_id: int, conversation_id: int) -> bool:
    taken = await connection.execute(
        "INSERT INTO chatwoot_received (id, conversation_id) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING RETURNING 1 AS new",
        [message_id, conversation_id],
    )
    return await taken.fetchone() is not None


async def look_at(connection: DictConnection, chatwoot_id: int) -> None:
    await connection.execute("UPDATE chatwoot_conversations SET is_due = true WHERE chatwoot_id = %s", [chatwoot_id])
    await connection.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


async def note(connection: DictConnection, conversation_id: int, about: str, words: str, **detail: Any) -> None:
    await connection.execute(
        """INSERT INTO chatwoot_notes (conversation_id, about, words, detail) VALUES (%s, %s, %s, %s)
           ON CONFLICT (about) DO NOTHING""",
        [conversation_id, about, words, Jsonb(detail)],
    )
    await connection.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


@contextlib.asynccontextmanager
async def locked(connection: DictConnection, conversation_id: int) -> AsyncIterator[bool]:
    """Held while Chatwoot is called, by whichever worker is first; it goes with the connection if the worker dies."""
    found = await connection.execute("SELECT pg_try_advisory_lock(%s, %s) AS ours", [LOCK % 2**31, conversation_id % 2**31])
    is_ours = bool(cast(dict[str, Any], await found.fetchone())["ours"])
    try:
        yield is_ours
    finally:
        if is_ours and not connection.closed:
            await connection.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK % 2**31, conversation_id % 2**31])
