"""The store of conversations and messages. Every function takes the connection, so the caller decides the transaction."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from psycopg.types.json import Jsonb

from bot.database import OUTGOING_CHANNEL, DictConnection
from bot.messages import Incoming, Outgoing


@dataclass(frozen=True)
class Waiting:
    """An incoming message whose turn has not been taken, with what the turn must know of its conversation."""

    id: int
    conversation_id: int
    channel: str
    address: str
    kind: str
    text: str
    payload: str | None
    owner: str
    language: str
    attempt: int
    received_at: datetime.datetime


@dataclass(frozen=True)
class Undelivered:
    id: int
    channel: str
    address: str
    message: Outgoing
    attempts: int
    created_at: datetime.datetime
    send_after: datetime.datetime | None


async def store_incoming(connection: DictConnection, incoming: Incoming) -> tuple[int, int | None]:
    """(conversation id, message id); the message id is None when this provider id was stored before."""
    conversation = await _one(
        connection,
        """INSERT INTO conversations (channel, address, language) VALUES (%s, %s, coalesce(%s, 'vi'))
           ON CONFLICT (channel, address) DO UPDATE SET last_message_at = now(), sending = 'open' RETURNING id""",
        [incoming.channel, incoming.address, incoming.language],
    )
    conversation_id = int(cast(int, conversation["id"]))
    message = await _maybe(
        connection,
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, kind, text, payload, turn)
           VALUES (%s, 'incoming', 'citizen', %s, %s, %s, %s, %s, 'waiting')
           ON CONFLICT (channel, provider_id) WHERE direction = 'incoming' DO NOTHING RETURNING id""",
        [conversation_id, incoming.channel, incoming.provider_id, incoming.kind, incoming.text, incoming.payload],
    )
    return conversation_id, int(cast(int, message["id"])) if message else None


async def next_waiting(connection: DictConnection, conversation_id: int) -> Waiting | None:
    """The oldest incoming message without a turn; counts the attempt, so that a retry after a crash is known as one."""
    row = await _maybe(
        connection,
        """UPDATE messages m SET turn_attempts = m.turn_attempts + 1 FROM conversations c
           WHERE c.id = m.conversation_id AND m.id = (
               SELECT id FROM messages WHERE conversation_id = %s AND turn = 'waiting' ORDER BY id LIMIT 1)
           RETURNING m.id, m.conversation_id, m.channel, c.address, m.kind, m.text, m.payload, c.owner, c.language,
                     m.turn_attempts AS attempt, m.created_at AS received_at""",
        [conversation_id],
    )
    return Waiting(**cast(dict[str, Any], row)) if row else None


# One statement and so one transaction and one trip: the owner is asked under the row's lock, the turn ends only if it
# still waits, and replies are stored only by whoever ended it, and only for the bot.
FINISH_TURN: LiteralString = """
    WITH conversation AS (
        SELECT id, owner FROM conversations WHERE id = %(conversation_id)s FOR NO KEY UPDATE
    ), done AS (
        UPDATE messages SET turn = CASE WHEN conversation.owner = 'bot' THEN %(outcome)s ELSE 'human' END,
               understood = %(understood)s, finished_at = now()
        FROM conversation WHERE messages.id = %(message_id)s AND turn = 'waiting' RETURNING conversation.owner
    ), stored AS (
        INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, source, response_key, revision,
                              language, in_reply_to, delivery)
        SELECT %(conversation_id)s, 'outgoing', r.author, %(channel)s, r.text, r.buttons, r.source, r.response_key, r.revision,
               r.language, %(message_id)s, %(delivery)s
        FROM done, ROWS FROM (jsonb_to_recordset(%(replies)s) AS (
            author text, text text, buttons jsonb, source jsonb, response_key text, revision text, language text))
            WITH ORDINALITY AS r (author, text, buttons, source, response_key, revision, language, number)
        WHERE done.owner = 'bot' ORDER BY r.number RETURNING id
    )
    SELECT (SELECT count(*) FROM done) AS done,
           CASE WHEN EXISTS (SELECT 1 FROM stored) THEN pg_notify(%(announced)s, %(address)s) END AS announced
"""


async def finish_turn(
    connection: DictConnection,
    waiting: Waiting,
    replies: Sequence[Outgoing],
    *,
    outcome: str,
    understood: dict[str, Any] | None = None,
    delivery: str = "waiting",
) -> bool:
    """Store the replies and mark the turn done, in one transaction; False when another worker was first.

    Replies are dropped when the conversation left the bot's hands meanwhile: nothing is sent after a take-over.
    """
    row = await _maybe(
        connection,
        FINISH_TURN,
        {
            "conversation_id": waiting.conversation_id,
            "message_id": waiting.id,
            "channel": waiting.channel,
            "outcome": outcome,
            "understood": Jsonb(understood) if understood else None,
            "delivery": delivery,
            "replies": Jsonb([_stored(reply) for reply in replies]),
            "announced": OUTGOING_CHANNEL,
            "address": f"{waiting.channel}:{waiting.address}",
        },
    )
    return row is not None and row["done"] == 1


def _stored(reply: Outgoing) -> dict[str, Any]:
    return {
        "author": reply.author,
        "text": reply.text,
        "buttons": [button.as_dict() for button in reply.buttons],
        "source": dict(reply.source) if reply.source else None,
        "response_key": reply.key,
        "revision": reply.revision,
        "language": reply.language,
    }


async def mark_abandoned_sends(connection: DictConnection, conversation_id: int) -> int:
    """Messages a dead worker left between our call and the platform's answer: `unknown`, and never sent twice."""
    cursor = await connection.execute(
        """UPDATE messages SET delivery = 'unknown', delivery_error = 'the worker stopped while the platform was answering'
           WHERE conversation_id = %s AND delivery = 'sending'""",
        [conversation_id],
    )
    return cursor.rowcount


async def next_undelivered(connection: DictConnection, conversation_id: int) -> Undelivered | None:
    row = await _maybe(
        connection,
        """SELECT m.id, m.channel, c.address, m.text, m.buttons, m.source, m.response_key, m.revision, m.language, m.author,
                  m.delivery_attempts AS attempts, m.created_at, m.send_after
           FROM messages m JOIN conversations c ON c.id = m.conversation_id
           WHERE m.conversation_id = %s AND m.delivery = 'waiting' ORDER BY m.id LIMIT 1""",
        [conversation_id],
    )
    if row is None:
        return None
    fields = cast(dict[str, Any], row)
    message = Outgoing.from_reply({**fields, "key": fields["response_key"]})
    return Undelivered(
        fields["id"],
        fields["channel"],
        fields["address"],
        message,
        fields["attempts"],
        fields["created_at"],
        fields["send_after"],
    )


async def claim_send(connection: DictConnection, message_id: int) -> bool:
    """Mark the message as being sent; False when another worker did so before."""
    row = await _maybe(
        connection,
        """UPDATE messages SET delivery = 'sending', delivery_attempts = delivery_attempts + 1
           WHERE id = %s AND delivery = 'waiting' RETURNING id""",
        [message_id],
    )
    return row is not None


async def finish_send(
    connection: DictConnection,
    message_id: int,
    status: str,
    *,
    provider_id: str | None = None,
    error: str | None = None,
    send_after: datetime.datetime | None = None,
) -> None:
    """Store what became of one send. `waiting` with `send_after` means: again, not before then."""
    await connection.execute(
        """UPDATE messages SET delivery = %s, provider_id = coalesce(%s, provider_id), delivery_error = %s, send_after = %s,
                  finished_at = CASE WHEN %s = 'waiting' THEN NULL ELSE now() END WHERE id = %s""",
        [status, provider_id, error, send_after, status, message_id],
    )


async def close_to_sending(connection: DictConnection, conversation_id: int) -> None:
    """The citizen blocked us: what still waits is `blocked`, and nothing more is tried until they write again."""
    await connection.execute("UPDATE conversations SET sending = 'blocked' WHERE id = %s", [conversation_id])
    await connection.execute(
        "UPDATE messages SET delivery = 'blocked' WHERE conversation_id = %s AND delivery = 'waiting'", [conversation_id]
    )


async def last_response_key(connection: DictConnection, conversation_id: int) -> str | None:
    """The key of the last answer of ours in this conversation."""
    row = await _maybe(
        connection,
        "SELECT response_key FROM messages WHERE conversation_id = %s AND direction = 'outgoing' ORDER BY id DESC LIMIT 1",
        [conversation_id],
    )
    return cast(str | None, row["response_key"]) if row else None


async def outgoing_after(
    connection: DictConnection, channel: str, address: str, after: int, limit: int = 200
) -> list[dict[str, Any]]:
    """The replies of one conversation with an id above `after`, oldest first: what an event stream still has to show."""
    cursor = await connection.execute(
        """SELECT m.id, m.author, m.text, m.buttons, m.source FROM messages m
           JOIN conversations c ON c.id = m.conversation_id
           WHERE c.channel = %s AND c.address = %s AND m.direction = 'outgoing' AND m.id > %s ORDER BY m.id LIMIT %s""",
        [channel, address, after, limit],
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())


async def conversations_with_work(connection: DictConnection) -> list[int]:
    """Conversations that hold an untaken turn or an unsent message older than a minute: the safety net below the queue."""
    cursor = await connection.execute(
        """SELECT DISTINCT conversation_id FROM messages
           WHERE (turn = 'waiting' OR (delivery = 'waiting' AND (send_after IS NULL OR send_after < now())))
             AND created_at < now() - interval '60 seconds'"""
    )
    return [int(cast(int, row["conversation_id"])) for row in await cursor.fetchall()]


async def _maybe(
    connection: DictConnection, sql: LiteralString, values: Sequence[object] | dict[str, object]
) -> dict[str, object] | None:
    cursor = await connection.execute(sql, values)
    return await cursor.fetchone()


async def _one(connection: DictConnection, sql: LiteralString, values: Sequence[object]) -> dict[str, object]:
    row = await _maybe(connection, sql, values)
    if row is None:
        raise LookupError("the database returned no row where one was expected")
    return row
