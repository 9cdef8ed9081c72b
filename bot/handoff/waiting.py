"""Where a citizen stands in the queue and how long it may take: counted, never guessed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from bot.database import DictConnection

# Fewer claims than this within the time looked back on say nothing about the next one.
LEAST_CLAIMS = 3
LOOK_BACK_MINUTES = 60
# A wait is told in steps, rounded up; a longer one is not told.
STEP_MINUTES = 5
LONGEST_TOLD_MINUTES = 60


@dataclass(frozen=True)
class Place:
    """`position` counts from 1. `minutes`: None when nothing honest can be said."""

    position: int
    minutes: int | None


def expected_minutes(position: int, claims: int) -> int | None:
    """How long until this place's turn, when `claims` cases were claimed within the last hour."""
    if claims < LEAST_CLAIMS:
        return None
    minutes = math.ceil(position * LOOK_BACK_MINUTES / claims / STEP_MINUTES) * STEP_MINUTES
    return minutes if minutes <= LONGEST_TOLD_MINUTES else None


async def place_of(connection: DictConnection, case_id: int) -> Place:
    """The place of a waiting case among those of its desk, in the order of the desk's list (bot/handoff/rows.py)."""
    cursor = await connection.execute(
        """WITH mine AS (SELECT id, desk FROM cases WHERE id = %(id)s), waiting AS (
               SELECT k.id, row_number() OVER (ORDER BY k.is_urgent DESC, c.owner <> 'queue', k.waiting_since, k.id) AS position
                 FROM cases k JOIN conversations c ON c.id = k.conversation_id
                WHERE k.state = 'waiting' AND k.desk = (SELECT desk FROM mine))
           SELECT coalesce((SELECT position FROM waiting WHERE id = %(id)s), 1) AS position,
                  (SELECT count(*) FROM cases JOIN mine USING (desk)
                    WHERE claimed_at > now() - make_interval(mins => %(minutes)s) AND operator_id IS NOT NULL) AS claims""",
        {"id": case_id, "minutes": LOOK_BACK_MINUTES},
    )
    row = cast(dict[str, int], await cursor.fetchone())
    return Place(row["position"], expected_minutes(row["position"], row["claims"]))
