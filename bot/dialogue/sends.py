"""What waits to be sent, and what became of each send. The caller of each function decides the transaction."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString, cast

from psycopg.types.json import Jsonb

from bot.database import DictConnection
from bot.dialogue.conversations import as_row
from bot.messages import Outgoing


@dataclass(frozen=True)
class Undelivered:
    """`interacted_at`: the citizen's last sign of life. `asked_at`: when the message came that this one answers."""

    id: int
    channel: str
    address: str
    message: Outgoing
    attempts: int
    created_at: datetime.datetime
    send_after: datetime.datetime | None
    is_open: bool
    interacted_at: datetime.datetime | None
    asked_at: datetime.datetime | None


@dataclass(frozen=True)
class Pending:
    """`has_echoes`: it must be known first whose words those are. `abandoned`: sends whose outcome nobody knows."""

    undelivered: Undelivered | None
    has_echoes: bool
    abandoned: int


# What a dead worker left between our call and the platform's answer is `unknown`, and never sent twice. The question is quoted
# where another one stands between it and its answer.
PENDING: LiteralString = """
    WITH abandoned AS (
        UPDATE messages SET delivery = 'unknown', delivery_error = 'the worker stopped while the platform was answering'
        WHERE %(is_first)s AND conversation_id = %(id)s AND delivery = 'sending' RETURNING id
    )
    SELECT (SELECT count(*) FROM abandoned) AS abandoned,
           EXISTS (SELECT FROM echoes WHERE conversation_id = %(id)s) AS has_echoes, next.*
    FROM (VALUES (1)) one LEFT JOIN LATERAL (
        SELECT m.id, m.channel, c.address, m.text, m.buttons, m.source, m.response_key, m.revision, m.language, m.author,
               m.attachments, m.delivery_attempts AS attempts, m.created_at, m.send_after, c.sending = 'open' AS is_open,
               c.interacted_at, asked.created_at AS asked_at,
               CASE WHEN EXISTS (SELECT 1 FROM messages later WHERE later.conversation_id = m.conversation_id
                                    AND later.direction = 'incoming' AND later.id > asked.id
                                    AND later.joined_to IS DISTINCT FROM asked.id) AND asked.author = 'citizen'
                    THEN asked.provider_id END AS quotes
        FROM messages m JOIN conversations c ON c.id = m.conversation_id LEFT JOIN messages asked ON asked.id = m.in_reply_to
        WHERE m.conversation_id = %(id)s AND m.delivery = 'waiting' ORDER BY m.id LIMIT 1
    ) next ON true
"""


async def pending(connection: DictConnection, conversation_id: int, *, is_first: bool = False) -> Pending:
    """What a delivery does next; `is_first`: it has just begun, so nothing of this conversation is on its way."""
    cursor = await connection.execute(PENDING, {"id": conversation_id, "is_first": is_first})
    fields = cast(dict[str, Any], await cursor.fetchone())
    found = Pending(None, fields["has_echoes"], fields["abandoned"])
    if fields["id"] is None:
        return found
    names = ("id", "channel", "address", "attempts", "created_at", "send_after", "is_open", "interacted_at", "asked_at")
    message = replace(Outgoing.from_reply({**fields, "key": fields["response_key"]}), author=fields["author"])
    return replace(found, undelivered=Undelivered(message=message, **{name: fields[name] for name in names}))


async def claim_send(connection: DictConnection, message_id: int) -> bool:
    """Mark the message as being sent; False when another worker did so before."""
    cursor = await connection.execute(
        """UPDATE messages SET delivery = 'sending', delivery_attempts = delivery_attempts + 1
           WHERE id = %s AND delivery = 'waiting'""",
        [message_id],
    )
    return cursor.rowcount == 1


async def replace_words(connection: DictConnection, message_id: int, instead: Outgoing) -> None:
    """What was stored was withdrawn before it was sent: the history says what the citizen read."""
    stored = as_row(instead)
    await connection.execute(
        """UPDATE messages SET text = %s, buttons = %s, source = %s, attachments = %s, figures = %s, revision = %s, language = %s
            WHERE id = %s""",
        [
            stored["text"],
            Jsonb(stored["buttons"]),
            Jsonb(stored["source"]) if stored["source"] else None,
            Jsonb(stored["attachments"]),
            stored["figures"],
            stored["revision"],
            stored["language"],
            message_id,
        ],
    )


async def finish_send(
    connection: DictConnection,
    message_id: int,
    status: str,
    *,
    provider_ids: Sequence[str] = (),
    error: str | None = None,
    send_after: datetime.datetime | None = None,
) -> None:
    """Store what became of one send. `waiting` with `send_after` means: again, not before then. `provider_ids`: of all parts."""
    await connection.execute(
        """UPDATE messages SET delivery = %s, provider_id = coalesce(%s, provider_id), provider_ids = provider_ids || %s::text[],
                  delivery_error = %s, send_after = %s, finished_at = CASE WHEN %s = 'waiting' THEN NULL ELSE now() END
           WHERE id = %s""",
        [status, provider_ids[-1] if provider_ids else None, list(provider_ids), error, send_after, status, message_id],
    )


async def close_to_sending(connection: DictConnection, conversation_id: int) -> None:
    """The citizen blocked us: what still waits is `blocked`, and nothing more is tried until they write again."""
    await connection.execute("UPDATE conversations SET sending = 'blocked' WHERE id = %s", [conversation_id])
    await connection.execute(
        "UPDATE messages SET delivery = 'blocked' WHERE conversation_id = %s AND delivery = 'waiting'", [conversation_id]
    )
