"""What is deleted by itself, and after how long: one class of data after the other, in small steps, once a night.

The times and their reasons stand in docs/privacy.md; each has a setting. What is still being worked on is left alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from zoneinfo import ZoneInfo

import structlog
from psycopg.types.json import Jsonb

from bot.database import DictConnection, Pool

log = structlog.get_logger(__name__)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# In the night, when the fewest write; a machine that was off then makes up for it at the next hour of the night.
NIGHT = range(1, 5)
# So many rows a step: a citizen's message never waits for the round.
STEP_ROWS = 2_000


@dataclass(frozen=True)
class Rule:
    """`days` after which rows of `kind` go. `step` deletes or empties at most %(rows)s of them and returns one row for each."""

    kind: str
    days: int
    step: LiteralString


# `%(before)s`: the day before which rows are due.
STEPS: Mapping[str, LiteralString] = {
    "understood": """
        UPDATE messages SET understood = NULL WHERE id IN (
            SELECT id FROM messages WHERE created_at < %(before)s AND understood IS NOT NULL AND turn <> 'waiting'
            LIMIT %(rows)s) RETURNING id""",
    "trackers": """
        DELETE FROM trackers WHERE sender_id IN (
            SELECT sender_id FROM trackers WHERE updated_at < %(before)s LIMIT %(rows)s) RETURNING sender_id""",
    "contacts": """
        UPDATE cases SET contact = NULL WHERE id IN (
            SELECT id FROM cases WHERE ended_at < %(before)s AND contact IS NOT NULL LIMIT %(rows)s) RETURNING id""",
    "messages": """
        DELETE FROM messages WHERE id IN (
            SELECT m.id FROM messages m WHERE m.created_at < %(before)s AND m.turn IS DISTINCT FROM 'waiting'
               AND (m.delivery IS NULL OR m.delivery NOT IN ('waiting', 'sending'))
               AND NOT EXISTS (SELECT 1 FROM cases WHERE conversation_id = m.conversation_id AND state <> 'ended')
            ORDER BY m.created_at LIMIT %(rows)s) RETURNING id""",
    "cases": """
        DELETE FROM cases WHERE id IN (
            SELECT id FROM cases WHERE state = 'ended' AND ended_at < %(before)s LIMIT %(rows)s) RETURNING id""",
    "subscriptions": """
        DELETE FROM subscriptions WHERE id IN (
            SELECT s.id FROM subscriptions s JOIN conversations c ON c.id = s.conversation_id
             WHERE coalesce(s.ended_at, greatest(s.consented_at, c.interacted_at)) < %(before)s LIMIT %(rows)s) RETURNING id""",
    "conversations": """
        DELETE FROM conversations WHERE id IN (
            SELECT c.id FROM conversations c WHERE c.last_message_at < %(before)s
               AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation_id = c.id)
               AND NOT EXISTS (SELECT 1 FROM cases WHERE conversation_id = c.id)
               AND NOT EXISTS (SELECT 1 FROM subscriptions WHERE conversation_id = c.id AND ended_at IS NULL)
             LIMIT %(rows)s) RETURNING id""",
}
# The empty conversation of an erasure's receipt, unless the person has written again: then it is an ordinary one.
FORGET: LiteralString = """
    WITH due AS (SELECT id FROM conversations WHERE forget_at < now() LIMIT %(rows)s),
    written AS (SELECT id FROM due WHERE EXISTS (
        SELECT 1 FROM messages WHERE conversation_id = due.id AND direction = 'incoming')),
    kept AS (UPDATE conversations SET forget_at = NULL WHERE id IN (SELECT id FROM written) RETURNING id)
    DELETE FROM conversations WHERE id IN (SELECT id FROM due EXCEPT SELECT id FROM written) RETURNING id"""


def rules(days: Mapping[str, int]) -> Sequence[Rule]:
    """In the order in which they are applied: what hangs on something else goes first."""
    return [Rule(kind, days[kind], step) for kind, step in STEPS.items()]


class Retention:
    """`work` is called every minute and does its round once a night, one machine for all."""

    def __init__(self, pool: Pool, days: Mapping[str, int]) -> None:
        self._pool = pool
        self._rules = rules(days)

    async def work(self) -> None:
        now = datetime.datetime.now(VIETNAM)
        async with self._pool.connection() as connection:
            await forget(connection)
            if now.hour in NIGHT and await _begin(connection, now.date()):
                deleted = await sweep(connection, self._rules)
                await _finish(connection, now.date(), deleted)
                log.info("retention_round", **deleted)


async def sweep(connection: DictConnection, rules: Sequence[Rule], step_rows: int = STEP_ROWS) -> dict[str, int]:
    """Delete all that is due; how many rows of which kind. Each step is a transaction of its own."""
    return {rule.kind: await _apply(connection, rule, step_rows) for rule in rules}


async def due(connection: DictConnection, rules: Sequence[Rule]) -> dict[str, int]:
    """How many rows `sweep` would delete now; nothing is changed. What hangs on a kind before it is not counted with it."""
    counts: dict[str, int] = {}
    for rule in rules:
        async with connection.transaction(force_rollback=True):
            counts[rule.kind] = (await connection.execute(rule.step, _values(rule, 2**31 - 1))).rowcount
    return counts


async def forget(connection: DictConnection) -> int:
    return (await connection.execute(FORGET, {"rows": STEP_ROWS})).rowcount


async def _apply(connection: DictConnection, rule: Rule, step_rows: int) -> int:
    total = 0
    while True:
        count = (await connection.execute(rule.step, _values(rule, step_rows))).rowcount
        total += count
        if count < step_rows:
            return total


def _values(rule: Rule, rows: int) -> dict[str, object]:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=rule.days)
    return {"before": before, "rows": rows}


async def _begin(connection: DictConnection, day: datetime.date) -> bool:
    """False when this night's round was begun, unless its machine died an hour ago."""
    cursor = await connection.execute(
        """INSERT INTO retention_rounds AS r (day) VALUES (%s) ON CONFLICT (day) DO UPDATE SET began_at = now()
              WHERE r.finished_at IS NULL AND r.began_at < now() - interval '1 hour' RETURNING day""",
        [day],
    )
    return await cursor.fetchone() is not None


async def _finish(connection: DictConnection, day: datetime.date, deleted: Mapping[str, int]) -> None:
    await connection.execute(
        "UPDATE retention_rounds SET finished_at = now(), deleted = %s WHERE day = %s", [Jsonb(dict(deleted)), day]
    )


async def last_rounds(connection: DictConnection, limit: int = 7) -> list[dict[str, object]]:
    cursor = await connection.execute("SELECT * FROM retention_rounds ORDER BY day DESC LIMIT %s", [limit])
    return await cursor.fetchall()
