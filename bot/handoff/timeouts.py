"""The clock's edges: nobody claims, the desk shuts, an operator or a citizen falls silent, a person leaves the platform's inbox.

Each conversation is moved in a transaction of its own, and whether it is due is asked again under its lock: on several machines,
and with an operator who claims in this very second, each edge is walked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import structlog

from bot.database import DictConnection, Pool
from bot.handoff.moving import Happening, Outcome, guessed, move_from, situation
from bot.handoff.office import office
from bot.handoff.ownership import Event

log = structlog.get_logger(__name__)

CLOCK = "clock"
AT_ONCE = 500

SHUT: LiteralString = "c.owner = 'queue' AND k.desk = ANY(%(shut)s)"
UNCLAIMED: LiteralString = "c.owner = 'queue' AND k.waiting_since < now() - %(claim)s"
OPERATOR_SILENT: LiteralString = "c.owner = 'operator' AND c.operator_until IS NULL AND k.unanswered_since < now() - %(silent)s"
CITIZEN_SILENT: LiteralString = (
    "c.owner = 'operator' AND c.operator_until IS NULL"
    " AND greatest(k.claimed_at, k.citizen_at, k.operator_at) < now() - %(close)s"
)
INBOX_SILENT: LiteralString = "c.owner = 'operator' AND c.operator_until < now()"
# In this order: of a citizen who has been silent for hours the operator owes no answer.
DUE: Sequence[tuple[Event, LiteralString, Outcome | None]] = (
    (Event.INBOX_SILENT, INBOX_SILENT, "returned"),
    (Event.CITIZEN_SILENT, CITIZEN_SILENT, "citizen_silent"),
    (Event.OPERATOR_SILENT, OPERATOR_SILENT, None),
    (Event.DESK_CLOSED, SHUT, None),
    (Event.UNCLAIMED, UNCLAIMED, None),
)
OPEN_CASES: LiteralString = "FROM conversations c LEFT JOIN cases k ON k.conversation_id = c.id AND k.state <> 'ended' WHERE "


class Timeouts:
    """`work` is what the periodic job does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def work(self) -> None:
        await self.walk()
        await self.guess()

    async def guess(self) -> int:
        """What a waiting case is about, where the citizen has said so only after it was opened; how many were named."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, conversation_id FROM cases WHERE state = 'waiting' AND topic IS NULL ORDER BY id LIMIT %s", [AT_ONCE]
            )
            return sum(
                [
                    await _named(connection, int(str(row["id"])), int(str(row["conversation_id"])))
                    for row in await cursor.fetchall()
                ]
            )

    async def walk(self) -> dict[Event, int]:
        """Walk every edge that is due; how many conversations by event."""
        return {event: await self._walk(event, where, outcome) for event, where, outcome in DUE}

    async def _walk(self, event: Event, where: LiteralString, outcome: Outcome | None) -> int:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT c.id " + OPEN_CASES + where + " ORDER BY c.id LIMIT %(limit)s", _limits() | {"limit": AT_ONCE}
            )
            ids = [int(str(row["id"])) for row in await cursor.fetchall()]
            return sum([await self._move(connection, id_, event, where, outcome) for id_ in ids])

    async def _move(
        self, connection: DictConnection, conversation_id: int, event: Event, where: LiteralString, outcome: Outcome | None
    ) -> bool:
        async with connection.transaction():
            now = await situation(connection, conversation_id)
            cursor = await connection.execute(
                "SELECT 1 " + OPEN_CASES + where + " AND c.id = %(id)s", _limits() | {"id": conversation_id}
            )
            if await cursor.fetchone() is None:
                return False
            moved = await move_from(connection, now, Happening(event, CLOCK, outcome=outcome))
        log.info("case_moved_by_the_clock", conversation=conversation_id, case=now.case_id, moved_by=event.value)
        return moved is not None


async def _named(connection: DictConnection, case_id: int, conversation_id: int) -> bool:
    topic, place = await guessed(connection, conversation_id)
    if topic is None:
        return False
    await connection.execute(
        "UPDATE cases SET topic = %s, place = coalesce(place, %s) WHERE id = %s AND state = 'waiting' AND topic IS NULL",
        [topic, place, case_id],
    )
    return True


def _limits() -> dict[str, Any]:
    here = office()
    shut = [desk.id for desk in here.desks.all if not desk.is_open(here.now())]
    return {**{name: getattr(here.limits, name) for name in ("claim", "silent", "close")}, "shut": shut}
