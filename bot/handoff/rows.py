"""Cases as they are read: one, those that wait, somebody's own, those that are over."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from bot.database import DictConnection


@dataclass(frozen=True)
class Case:
    """A case with its conversation. `operator`: the name of whoever claimed it, None while it waits and where somebody types in
    the platform's inbox. `last_line`: the citizen's last words (a button is none), not masked. `owner`: who may answer now."""

    id: int
    conversation_id: int
    channel: str
    address: str
    language: str
    place: str | None
    topic: str | None
    reason: str
    is_urgent: bool
    state: str
    operator_id: int | None
    operator: str | None
    desk: str
    opened_at: datetime.datetime
    waiting_since: datetime.datetime
    claimed_at: datetime.datetime | None
    ended_at: datetime.datetime | None
    citizen_at: datetime.datetime | None
    operator_at: datetime.datetime | None
    unanswered_since: datetime.datetime | None
    outcome: str | None
    label: str | None
    transfer_to: str | None
    contact: str | None
    last_line: str
    owner: str
    sending: str
    interacted_at: datetime.datetime | None


QueueRow = Case

SELECT: LiteralString = """
    SELECT k.id, k.conversation_id, c.channel, c.address, c.language, k.place, k.topic, k.reason, k.is_urgent, k.state,
           k.operator_id, o.name AS operator, k.desk, k.opened_at, k.waiting_since, k.claimed_at, k.ended_at, k.citizen_at,
           k.operator_at, k.unanswered_since, k.outcome, k.label, k.transfer_to, k.contact, c.owner, c.sending, c.interacted_at,
           coalesce((SELECT left(m.text, 400) FROM messages m
                      WHERE m.conversation_id = c.id AND m.direction = 'incoming' AND m.author = 'citizen' AND m.text <> ''
                      ORDER BY m.id DESC LIMIT 1), '') AS last_line
      FROM cases k JOIN conversations c ON c.id = k.conversation_id LEFT JOIN operators o ON o.id = k.operator_id"""
# As the list is worked off: danger first, then who waits in the chat, then what was left; the longest wait first.
WORK_ORDER: LiteralString = "k.is_urgent DESC, c.owner <> 'queue', k.waiting_since, k.id"


async def get(connection: DictConnection, case_id: int) -> Case | None:
    found = await _cases(connection, "WHERE k.id = %s", [case_id])
    return found[0] if found else None


async def point(connection: DictConnection, case: Case) -> str | None:
    """The last place on the map that the citizen sent, `12.667,108.038`: while the case was open, or on the day before."""
    cursor = await connection.execute(
        """SELECT place FROM messages WHERE conversation_id = %s AND direction = 'incoming' AND kind = 'location' AND place <> ''
              AND turn <> 'withdrawn' AND created_at > %s - interval '1 day' AND created_at <= coalesce(%s, now())
            ORDER BY id DESC LIMIT 1""",
        [case.conversation_id, case.opened_at, case.ended_at],
    )
    row = cast(dict[str, str] | None, await cursor.fetchone())
    return row["place"] if row else None


async def waiting(connection: DictConnection, desks: Collection[str] | None = None, limit: int = 200) -> list[Case]:
    """What nobody has claimed yet, in the order of work; `desks`: only theirs."""
    if desks is None:
        return await _cases(connection, "WHERE k.state = 'waiting' ORDER BY " + WORK_ORDER + " LIMIT %s", [limit])
    where: LiteralString = "WHERE k.state = 'waiting' AND k.desk = ANY(%s) ORDER BY " + WORK_ORDER + " LIMIT %s"
    return await _cases(connection, where, [list(desks), limit])


async def mine(connection: DictConnection, operator_id: int, limit: int = 200) -> list[Case]:
    """What this operator has claimed: whoever waits longest for an answer first."""
    where: LiteralString = (
        "WHERE k.state = 'claimed' AND k.operator_id = %s ORDER BY k.is_urgent DESC, k.unanswered_since NULLS LAST, k.id LIMIT %s"
    )
    return await _cases(connection, where, [operator_id, limit])


async def past(
    connection: DictConnection,
    *,
    conversation_id: int | None = None,
    desk: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Case]:
    """What is over, the newest first; of one conversation, of one desk, or of all.
    `before`: the id of the last case of the page before."""
    values: list[Any] = []
    where: LiteralString = "WHERE k.state = 'ended'"
    if conversation_id is not None:
        where += " AND k.conversation_id = %s"
        values.append(conversation_id)
    if desk is not None:
        where += " AND k.desk = %s"
        values.append(desk)
    if before is not None:
        where += " AND (k.ended_at, k.id) < (SELECT ended_at, id FROM cases WHERE id = %s)"
        values.append(before)
    return await _cases(connection, where + " ORDER BY k.ended_at DESC, k.id DESC LIMIT %s", [*values, limit])


async def last_question(connection: DictConnection, conversation_id: int, talk: Collection[str]) -> str:
    """The citizen's last words that the bot did not take for mere talk (`talk`: intents); empty for none."""
    cursor = await connection.execute(
        """SELECT text FROM messages WHERE conversation_id = %s AND direction = 'incoming' AND author = 'citizen' AND text <> ''
              AND turn <> 'withdrawn' AND coalesce(understood ->> 'intent', '') <> ALL(%s) ORDER BY id DESC LIMIT 1""",
        [conversation_id, list(talk)],
    )
    row = cast(dict[str, str] | None, await cursor.fetchone())
    return row["text"] if row else ""


async def _cases(connection: DictConnection, where: LiteralString, values: Sequence[object]) -> list[Case]:
    cursor = await connection.execute(SELECT + " " + where, values)
    return [Case(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
