"""What our own account said on a platform: the bot's words coming back, or a person's who typed in the platform's inbox.

A person's words take the conversation over: nothing of the bot's is sent after them, until that person has been silent for a
while. Whose words they are is told by the platform's ids of what we sent. While a send is on its way its ids are not known
yet: the echo is kept and settled by the delivery, between two sends.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, cast

from bot.channels.rendering import squeezed
from bot.database import OUTGOING_CHANNEL, DictConnection
from bot.handoff.moving import Happening, move
from bot.handoff.ownership import Event
from bot.messages import Echo

OPERATOR_QUIET = datetime.timedelta(minutes=60)
# Where a call broke, the platform's id stayed unknown, and only the words can tell.
UNKNOWN_FOR_MINUTES = 15
# Shorter words are found in any text of ours ("vâng", a picture without words): they are a person's.
WORDS_OF_OURS_FROM = 20
TAKEN_OVER, OURS, LATER = "taken_over", "ours", "later"


@dataclass(frozen=True)
class Heard:
    """An echo of a known conversation. `until`: the bot is quiet so long."""

    conversation_id: int
    channel: str
    provider_id: str
    text: str
    operator: str | None
    until: datetime.datetime


async def hear(connection: DictConnection, echo: Echo, quiet: datetime.timedelta) -> tuple[int, str]:
    """(conversation, outcome); with `later` the caller must ask for a step of the conversation. Inside a transaction."""
    conversation_id = await _locked_conversation(connection, echo)
    until = datetime.datetime.now(datetime.UTC) + quiet
    heard = Heard(conversation_id, echo.channel, echo.provider_id, echo.text, echo.operator, until)
    if await _is_known(connection, heard):
        return conversation_id, OURS
    if await _is_sending(connection, conversation_id):
        await _keep(connection, heard)
        return conversation_id, LATER
    return conversation_id, await _decide(connection, heard)


async def settle(connection: DictConnection, conversation_id: int) -> list[Heard]:
    """Decide the echoes that were kept; call it only while no send of this conversation is on its way. Returns a person's."""
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE", [conversation_id])
        cursor = await connection.execute(
            """WITH kept AS (DELETE FROM echoes WHERE conversation_id = %s RETURNING *)
               SELECT conversation_id, channel, provider_id, text, operator, operator_until AS until
               FROM kept ORDER BY created_at""",
            [conversation_id],
        )
        kept = [Heard(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
        return [
            heard for heard in kept if not await _is_known(connection, heard) and await _decide(connection, heard) == TAKEN_OVER
        ]


async def _locked_conversation(connection: DictConnection, echo: Echo) -> int:
    """An echo is no sign of life of the citizen: nothing but the lock changes. An operator may write first."""
    cursor = await connection.execute(
        """INSERT INTO conversations AS c (channel, address) VALUES (%s, %s)
           ON CONFLICT (channel, address) DO UPDATE SET owner = c.owner RETURNING id""",
        [echo.channel, echo.address],
    )
    row = await cursor.fetchone()
    return int(cast(int, row["id"])) if row else 0


async def _is_known(connection: DictConnection, heard: Heard) -> bool:
    return await _finds(
        connection,
        """SELECT 1 FROM messages WHERE conversation_id = %s AND direction = 'outgoing' AND provider_ids @> ARRAY[%s::text]""",
        heard.conversation_id,
        heard.provider_id,
    )


async def _is_sending(connection: DictConnection, conversation_id: int) -> bool:
    return await _finds(
        connection, "SELECT 1 FROM messages WHERE conversation_id = %s AND delivery = 'sending' LIMIT 1", conversation_id
    )


async def _finds(connection: DictConnection, sql: Any, *values: object) -> bool:
    return await (await connection.execute(sql, values)).fetchone() is not None


async def _keep(connection: DictConnection, heard: Heard) -> None:
    await connection.execute(
        """INSERT INTO echoes (channel, conversation_id, provider_id, text, operator, operator_until)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        [heard.channel, heard.conversation_id, heard.provider_id, heard.text, heard.operator, heard.until],
    )


async def _decide(connection: DictConnection, heard: Heard) -> str:
    """Under the conversation's lock, the echo's id being none of ours."""
    arrived = await _of_unknown_outcome(connection, heard)
    if arrived is not None:
        await connection.execute(
            "UPDATE messages SET delivery = 'sent', delivery_error = NULL, provider_ids = provider_ids || %s::text WHERE id = %s",
            [heard.provider_id, arrived],
        )
        return OURS
    await _take_over(connection, heard)
    return TAKEN_OVER


async def _of_unknown_outcome(connection: DictConnection, heard: Heard) -> int | None:
    """The message of ours whose send broke and whose words these are (or a part of them): now we know that it arrived."""
    cursor = await connection.execute(
        """SELECT id, text FROM messages WHERE conversation_id = %s AND direction = 'outgoing' AND created_at > now() - %s
              AND (delivery = 'unknown' OR (delivery = 'sent' AND provider_ids = '{}')) ORDER BY id DESC""",
        [heard.conversation_id, datetime.timedelta(minutes=UNKNOWN_FOR_MINUTES)],
    )
    words = squeezed(heard.text)
    for row in await cursor.fetchall():
        ours = squeezed(str(row["text"]))
        is_a_part = len(words) >= WORDS_OF_OURS_FROM and words in ours
        if words.startswith(ours) or is_a_part:
            return int(cast(int, row["id"]))
    return None


async def _take_over(connection: DictConnection, heard: Heard) -> None:
    """The conversation is the person's; on the desk until it is given back. What the bot had not sent is void."""
    typed = Happening(Event.TYPED_ELSEWHERE, "platform", reason="platform", until=heard.until)
    await move(connection, heard.conversation_id, typed)
    await connection.execute(
        """WITH stored AS (
               INSERT INTO messages (conversation_id, direction, author, channel, provider_id, provider_ids, text, delivery,
                                     finished_at, response_key)
               VALUES (%s, 'outgoing', 'operator', %s, %s, ARRAY[%s::text], %s, 'sent', now(), '') RETURNING conversation_id)
           SELECT pg_notify(%s, channel || ':' || address) FROM conversations JOIN stored ON stored.conversation_id = id""",
        [heard.conversation_id, heard.channel, heard.provider_id, heard.provider_id, heard.text, OUTGOING_CHANNEL],
    )
