"""Once a minute: read the turns that ended, keep what teaches something, and put it to the group of its like.

A turn is read when it has been over for a while, so that what is erased or withdrawn at once is never read; and once, because the
place that was reached is moved in the transaction that keeps the questions.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
from collections.abc import Iterable, Sequence
from typing import Any, LiteralString, cast

import structlog
from psycopg.types.json import Jsonb

from bot.database import DictConnection, Pool
from bot.learn.turns import FinishedTurn, Question, question_of, reason_of, searchable, teaches_as_complained

log = structlog.get_logger(__name__)

# Longer than any transaction that ends a turn: none can appear behind the place that was reached.
REST = datetime.timedelta(minutes=2)
STEP_ROWS = 500
# Steps a minute: what gathered while no worker ran is read in time, and other work is not kept waiting.
MOST_STEPS = 10
# Older questions teach nothing new, and the table does not grow without end.
KEPT_DAYS = 365

# `m.joined_to IS NULL`: lines that were answered together are one turn. The conversation's row is held: whoever erases it waits
# until its questions are kept, and finds them; a talk that is erased already is not found here.
_TURN: LiteralString = """
    SELECT m.id, m.conversation_id, m.finished_at, m.turn AS outcome, m.understood, c.language,
           m.author = 'citizen' AND m.kind = 'text' AND m.payload IS NULL AS is_typed,
           concat_ws(E'\\n', nullif(m.text, ''),
                     (SELECT string_agg(j.text, E'\\n' ORDER BY j.id) FROM messages j WHERE j.joined_to = m.id)) AS text,
           EXISTS (SELECT FROM cases k WHERE k.conversation_id = m.conversation_id AND k.opened_at = m.finished_at
                      AND k.reason IN ('not_understood', 'not_helpful')) AS handed_over
    FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.direction = 'incoming' AND m.joined_to IS NULL AND m.finished_at IS NOT NULL
"""
_NEXT: LiteralString = (
    _TURN
    + """ AND (m.finished_at, m.id) > (%s, %s) AND m.finished_at < now() - %s
          ORDER BY m.finished_at, m.id LIMIT %s FOR KEY SHARE OF c"""
)
_BEFORE: LiteralString = _TURN + " AND m.conversation_id = %s AND m.id < %s ORDER BY m.id DESC LIMIT 1"
_ALL: LiteralString = _TURN + " AND m.conversation_id = %s ORDER BY m.id"


class Collecting:
    """`work` is called every minute, one machine at a time."""

    def __init__(self, pool: Pool, rest: datetime.timedelta = REST) -> None:
        self._pool = pool
        self._rest = rest

    async def work(self) -> None:
        async with self._pool.connection() as connection:
            for _ in range(MOST_STEPS):
                if await collect(connection, self._rest) < STEP_ROWS:
                    break
            await group(connection)
            await connection.execute("DELETE FROM learn_questions WHERE day < current_date - %s::int", [KEPT_DAYS])
            await connection.execute(FORGET_EMPTY_GROUPS)


async def collect(connection: DictConnection, rest: datetime.timedelta = REST) -> int:
    """Read the next turns; how many there were."""
    async with connection.transaction():
        cursor = await connection.execute("SELECT finished_at, last_turn FROM learn_state FOR UPDATE")
        reached = cast(dict[str, Any], await cursor.fetchone())
        cursor = await connection.execute(_NEXT, [reached["finished_at"], reached["last_turn"], rest, STEP_ROWS])
        turns = [_turn(row) for row in await cursor.fetchall()]
        if not turns:
            return 0
        kept = [question for turn in turns if (question := await _question(connection, turn))]
        await _keep(connection, kept)
        await connection.execute("UPDATE learn_state SET finished_at = %s, last_turn = %s", [turns[-1].finished_at, turns[-1].id])
    if kept:
        log.info("unanswered_questions_kept", turns=len(turns), questions=len(kept))
    return len(turns)


async def questions_of(connection: DictConnection, conversation_id: int) -> list[Question]:
    """What was kept, or would be, of a conversation: found again by its words, since nothing points at it."""
    cursor = await connection.execute(_ALL, [conversation_id])
    turns = [_turn(row) for row in await cursor.fetchall()]
    return [question for turn in turns if (question := await _question(connection, turn))]


async def group(connection: DictConnection) -> int:
    """Put what was kept to the groups of its like, language by language; how many questions that were."""
    grouped = 0
    while True:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM learn_state FOR UPDATE")
            cursor = await connection.execute(
                "SELECT id, language, text FROM learn_questions WHERE group_id IS NULL ORDER BY id LIMIT %s", [STEP_ROWS]
            )
            rows = await cursor.fetchall()
            for language in sorted({str(row["language"]) for row in rows}):
                await _group(connection, language, [row for row in rows if row["language"] == language])
        grouped += len(rows)
        if len(rows) < STEP_ROWS:
            return grouped


async def _group(connection: DictConnection, language: str, rows: Sequence[dict[str, Any]]) -> None:
    cursor = await connection.execute(
        "SELECT id, leader FROM learn_groups WHERE language = %s AND leader <> '' ORDER BY id", [language]
    )
    known = await cursor.fetchall()
    ids = [int(cast(int, one["id"])) for one in known]
    # In a thread, and loaded late: neither a message nor the gateway's start waits for it.
    similar = await asyncio.to_thread(importlib.import_module, "bot.learn.similar")
    texts = [str(row["text"]) for row in rows]
    places: list[int] = await asyncio.to_thread(similar.assigned, [str(one["leader"]) for one in known], texts)
    for row, place in zip(rows, places, strict=True):
        if place == len(ids):
            made = await connection.execute(
                "INSERT INTO learn_groups (language, leader) VALUES (%s, %s) RETURNING id", [language, row["text"]]
            )
            ids.append(int(cast(dict[str, int], await made.fetchone())["id"]))
        await connection.execute("UPDATE learn_questions SET group_id = %s WHERE id = %s", [ids[place], row["id"]])


async def _question(connection: DictConnection, turn: FinishedTurn) -> Question | None:
    if turn.is_complaint:
        cursor = await connection.execute(_BEFORE, [turn.conversation_id, turn.id])
        row = await cursor.fetchone()
        before = _turn(row) if row else None
        return question_of(before, "not_helpful") if before and teaches_as_complained(before) else None
    reason = reason_of(turn)
    return question_of(turn, reason) if reason else None


async def _keep(connection: DictConnection, questions: Iterable[Question]) -> None:
    for one in questions:
        await connection.execute(
            "INSERT INTO learn_questions (day, language, text, plain, reason, guesses) VALUES (%s, %s, %s, %s, %s, %s)",
            [one.day, one.language, one.text, searchable(one.text), one.reason, Jsonb([list(guess) for guess in one.guesses])],
        )


def _turn(row: Any) -> FinishedTurn:
    return FinishedTurn(**{**cast(dict[str, Any], row), "understood": row["understood"] or {}, "text": row["text"] or ""})


FORGET_EMPTY_GROUPS: LiteralString = """
    DELETE FROM learn_groups g WHERE NOT EXISTS (SELECT FROM learn_questions q WHERE q.group_id = g.id)
       AND NOT EXISTS (SELECT FROM learn_decisions d WHERE d.group_id = g.id)
"""
