"""What campaigns led to, in numbers. A person and a campaign are linked for less than an hour: then the link becomes counts."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog

from bot.campaigns.opening import AGAIN, OWN_WELCOME, WELCOME
from bot.database import DictConnection, Pool

log = structlog.get_logger(__name__)

# The job comes once a minute; with this a link is gone before the hour is over.
LINK_MINUTES = 50
MOST_AT_ONCE = 5_000


@dataclass(frozen=True)
class Row:
    """One row of campaign_days; `place` and `topic` are "" for what concerns the link or the conversation as a whole."""

    campaign_id: int
    day: datetime.date
    place: str
    topic: str
    opened: int
    started: int
    questions: int
    handed_over: int
    solved: int


async def count_opened(connection: DictConnection, code: str) -> None:
    """One more browser with a person before it. Nothing is kept of who it was; a campaign that does not run counts nothing."""
    await connection.execute(
        """INSERT INTO campaign_days AS d (campaign_id, day, opened)
            SELECT k.id, (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 1 FROM campaigns_running k WHERE k.code = %s
            ON CONFLICT (campaign_id, day, place, topic) DO UPDATE SET opened = d.opened + 1""",
        [code],
    )


async def rows(connection: DictConnection, campaign_ids: Sequence[int] | None = None) -> list[Row]:
    """All counts, with those of the conversations whose hour is not over yet. `campaign_ids`: only of these."""
    cursor = await connection.execute(
        """SELECT campaign_id, day, place, topic, sum(opened)::int AS opened, sum(started)::int AS started,
                  sum(questions)::int AS questions, sum(handed_over)::int AS handed_over, sum(solved)::int AS solved
           FROM (SELECT campaign_id, day, place, topic, opened, started, questions, handed_over, solved FROM campaign_days
                 UNION ALL
                 SELECT campaign_id, day, place, topic, 0, started, questions, handed_over, solved
                 FROM loa_campaign_share(ARRAY(SELECT id FROM conversations WHERE campaign IS NOT NULL))) counts
           WHERE %(ids)s::bigint[] IS NULL OR campaign_id = ANY(%(ids)s)
           GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
        {"ids": list(campaign_ids) if campaign_ids is not None else None},
    )
    return [Row(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def every_minute(pool: Pool) -> None:
    """The periodic job."""
    await forget_people(pool)


async def _forget_one(connection: DictConnection) -> bool:
    """The link of one conversation, and the greetings that say that there was one; False when no link is due."""
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE conversations SET campaign = NULL WHERE id = (
                   SELECT id FROM conversations WHERE campaign IS NOT NULL AND campaign_at < now() - make_interval(mins => %s)
                   ORDER BY campaign_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) RETURNING id""",
            [LINK_MINUTES],
        )
        row = await cursor.fetchone()
        if row is None:
            return False
        await connection.execute(
            """DELETE FROM messages WHERE conversation_id = %s AND response_key = ANY(%s)
                  AND created_at < now() - make_interval(mins => %s)""",
            [row["id"], [WELCOME, AGAIN], LINK_MINUTES],
        )
    return True


async def forget_people(pool: Pool) -> int:
    """Turn links that are nearly an hour old into counts (a trigger of migration 0023 adds them up); how many there were.

    One conversation a statement: two of them never wait for each other's rows.
    """
    done = 0
    async with pool.connection() as connection:
        while done < MOST_AT_ONCE and await _forget_one(connection):
            done += 1
        # A campaign's own words would say as much as its code.
        await connection.execute(
            "DELETE FROM messages WHERE response_key = %s AND created_at < now() - make_interval(mins => %s)",
            [OWN_WELCOME, LINK_MINUTES],
        )
    if done:
        log.info("campaign_links_counted", conversations=done)
    return done
