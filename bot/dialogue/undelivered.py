"""What was never delivered: messages that ended otherwise than `sent`, with the platform's reason; and those worth another try.

Only `failed` is tried again: `unknown` may have arrived, `blocked` and `outside_window` would be refused again. And only what is
still the last word: whoever got something newer since is not sent the old answer.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import entry
from bot.database import DictConnection


@dataclass(frozen=True)
class Undelivered:
    """Messages of one channel with one end and one reason. Times are aware, UTC."""

    channel: str
    status: str
    reason: str
    count: int
    oldest: datetime.datetime
    newest: datetime.datetime


async def undelivered(connection: DictConnection, since: datetime.datetime, channel: str | None = None) -> list[Undelivered]:
    """By channel, the most first."""
    cursor = await connection.execute(
        """SELECT channel, delivery AS status, coalesce(delivery_error, '') AS reason, count(*)::int AS count,
                  min(created_at) AS oldest, max(created_at) AS newest
             FROM messages
            WHERE direction = 'outgoing' AND delivery IN ('failed', 'unknown', 'blocked', 'outside_window')
              AND created_at > %(since)s AND channel = coalesce(%(channel)s, channel)
            GROUP BY 1, 2, 3 ORDER BY channel, count DESC, status, reason""",
        {"since": since, "channel": channel},
    )
    return [Undelivered(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def send_again(connection: DictConnection, channel: str, since: datetime.datetime, by: str) -> int:
    """Let the failed messages of a channel wait once more; how many. The next sweep asks for their jobs."""
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE messages SET delivery = 'waiting', delivery_attempts = 0, send_after = NULL, finished_at = NULL
                 FROM conversations
                WHERE conversations.id = conversation_id AND sending = 'open' AND direction = 'outgoing' AND delivery = 'failed'
                  AND messages.channel = %(channel)s AND messages.created_at > %(since)s
                  AND NOT EXISTS (SELECT FROM messages later WHERE later.conversation_id = messages.conversation_id
                                     AND later.id > messages.id AND later.direction = 'outgoing' AND later.delivery = 'sent')""",
            {"channel": channel, "since": since},
        )
        count = cursor.rowcount
        await connection.execute(*entry(by, "undelivered_sent_again", channel, count=count))
    return count
