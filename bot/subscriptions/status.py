"""How subscriptions stand: how many of what on which channel, how many of them wait for news and why. Counts, never people."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.database import DictConnection
from bot.dialogue.corrections import WRITABLE, writable_values
from bot.subscriptions.sending import NEW, Round
from bot.subscriptions.store import NEWS

# What keeps news from somebody now, the first that holds: `hour` is waited for, the others may last.
REASONS = ("blocked", "person", "off", "window", "hour")
# ruff: noqa: S608  (put together of constants)
STANDING = f"""
    SELECT s.kind, s.subject, s.channel, s.how, count(*) AS active,
           count(*) FILTER (WHERE s.told < new.number) AS due,
           {", ".join(f"count(*) FILTER (WHERE s.told < new.number AND why = '{reason}') AS {reason}" for reason in REASONS)}
      FROM subscriptions s JOIN conversations AS conversation ON conversation.id = s.conversation_id
      LEFT JOIN {NEW} USING (kind, subject)
     CROSS JOIN LATERAL (SELECT CASE
           WHEN conversation.sending <> 'open' THEN 'blocked'
           WHEN conversation.owner NOT IN ('bot', 'closed') THEN 'person'
           WHEN NOT conversation.channel = ANY(%(channels)s) THEN 'off'
           WHEN NOT ({WRITABLE}) THEN 'window'
           ELSE 'hour' END AS why) AS held
     WHERE s.ended_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
DELIVERED = """
    SELECT channel, delivery, count(*) AS messages FROM messages
     WHERE response_key = %s AND direction = 'outgoing' AND created_at > now() - interval '7 days' GROUP BY 1, 2 ORDER BY 1, 2"""
ENDED = "SELECT count(*) AS ended FROM subscriptions WHERE ended_at > now() - interval '7 days'"


# How long after a citizen's last word each channel that is switched on may write.
Windows = Mapping[str, datetime.timedelta | None]


@dataclass(frozen=True)
class Standing:
    """`rows`: kind, subject, channel, how, active, due and a count for each of REASONS. `delivered`: what became of the messages
    of the last seven days. `ended`: subscriptions that were ended within them."""

    rows: tuple[Mapping[str, Any], ...]
    delivered: tuple[Mapping[str, Any], ...]
    ended: int


async def standing(connection: DictConnection, windows: Windows, this: Round) -> Standing:
    values = {**this.values(), **writable_values(windows)}
    rows = await (await connection.execute(STANDING.encode(), values)).fetchall()
    delivered = await (await connection.execute(DELIVERED, [NEWS])).fetchall()
    ended = cast(dict[str, int], await (await connection.execute(ENDED)).fetchone())
    return Standing(tuple(rows), tuple(delivered), ended["ended"])
