"""Words of new staff that wait until a senior has read them. Approved, they are sent as their author's, once."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import Action, entry
from bot.database import DictConnection
from bot.handoff import cases
from bot.handoff.cases import CaseRefused
from bot.messages import Outgoing
from bot.staff.sessions import Person

# What these roles write needs no second pair of eyes.
FREE_ROLES = frozenset({"senior", "admin"})
MOST_WAITING = 100


@dataclass(frozen=True)
class Draft:
    """Words that wait. `author_id` wrote them."""

    id: int
    case_id: int
    author_id: int
    name: str
    text: str
    key: str
    at: datetime.datetime


def must_wait(person: Person) -> bool:
    """Whether what this person writes themselves waits for a senior."""
    return person.needs_approval and person.role not in FREE_ROLES


async def hold(connection: DictConnection, case_id: int, person: Person, text: str, key: str) -> None:
    """Keep the words for a senior; posted twice, kept once. Raises CaseRefused unless the case is the author's."""
    case = await cases.get(connection, case_id)
    if case is None or case.operator_id != person.id:
        raise CaseRefused("not_owner")
    made = await connection.execute(
        "INSERT INTO drafts (case_id, operator_id, key, text) VALUES (%s, %s, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING id",
        [case_id, person.id, key, text],
    )
    if row := await made.fetchone():
        await connection.execute(*entry(person.name, "draft_written", f"case:{case_id}", draft=row["id"], characters=len(text)))


async def waiting(connection: DictConnection) -> list[Draft]:
    found = await connection.execute(
        """SELECT d.id, d.case_id, d.operator_id AS author_id, o.name, d.text, d.key, d.at
             FROM drafts d JOIN operators o ON o.id = d.operator_id
            WHERE d.state = 'waiting' ORDER BY d.id LIMIT %s""",
        [MOST_WAITING],
    )
    return [Draft(**cast(dict[str, Any], row)) for row in await found.fetchall()]


async def approve(connection: DictConnection, draft_id: int, person: Person) -> bool:
    """Send the words; False when the case has left its author's hands meanwhile: then nothing is sent. Inside a transaction."""
    draft = await _locked(connection, draft_id, person)
    try:
        message = Outgoing(draft.text, author="operator")
        await cases.send(connection, draft.case_id, draft.author_id, draft.name, message, key=draft.key)
    except CaseRefused:
        await _decide(connection, draft, person, "draft_void")
        return False
    await _decide(connection, draft, person, "draft_sent")
    return True


async def refuse(connection: DictConnection, draft_id: int, person: Person, reason: str) -> None:
    """The author reads the reason. Inside a transaction."""
    if not reason:
        raise CaseRefused("reason_missing")
    await _decide(connection, await _locked(connection, draft_id, person), person, "draft_refused", reason)


async def _locked(connection: DictConnection, draft_id: int, person: Person) -> Draft:
    found = await connection.execute(
        """SELECT d.id, d.case_id, d.operator_id AS author_id, o.name, d.text, d.key, d.at, d.state
             FROM drafts d JOIN operators o ON o.id = d.operator_id WHERE d.id = %s FOR UPDATE OF d""",
        [draft_id],
    )
    row = cast(dict[str, Any] | None, await found.fetchone())
    if row is None or row.pop("state") != "waiting":
        raise CaseRefused("draft_decided")
    if row["author_id"] == person.id:
        raise CaseRefused("draft_own")
    return Draft(**row)


async def _decide(connection: DictConnection, draft: Draft, person: Person, action: Action, reason: str = "") -> None:
    await connection.execute(
        "UPDATE drafts SET state = %s, decided_by = %s, decided_at = now(), reason = %s WHERE id = %s",
        [action.removeprefix("draft_"), person.id, reason, draft.id],
    )
    await connection.execute(*entry(person.name, action, f"case:{draft.case_id}", draft=draft.id, author=draft.name))
