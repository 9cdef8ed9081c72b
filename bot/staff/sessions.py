"""Sessions of staff: a random token in the cookie, its hash in the database, ended by idleness, age or the person."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, cast

from bot.database import DictConnection
from bot.staff.accounts import Role

IDLE = datetime.timedelta(minutes=30)
LONGEST = datetime.timedelta(hours=12)
# A session that was seen less than this ago is not written again.
SEEN_EVERY = datetime.timedelta(minutes=1)


@dataclass(frozen=True)
class Person:
    """Who is logged in with this request. The role is read each time: a change holds at once."""

    id: int
    name: str
    role: Role
    must_change_password: bool


async def start(connection: DictConnection, operator_id: int) -> str:
    """The token of a new session; those that are over are swept out."""
    token = secrets.token_urlsafe(32)
    await connection.execute(
        "DELETE FROM staff_sessions WHERE last_seen_at < now() - %s OR started_at < now() - %s", [IDLE, LONGEST]
    )
    await connection.execute("INSERT INTO staff_sessions (token_hash, operator_id) VALUES (%s, %s)", [_hash(token), operator_id])
    return token


async def person(connection: DictConnection, token: str) -> Person | None:
    """Whose session this is; None when it is over, unknown, or its account closed. Being asked keeps it alive."""
    found = await connection.execute(
        """SELECT o.id, o.name, o.role, o.must_change_password, s.last_seen_at < now() - %(seen)s AS is_due
             FROM staff_sessions s JOIN operators o ON o.id = s.operator_id
            WHERE s.token_hash = %(hash)s AND s.last_seen_at > now() - %(idle)s AND s.started_at > now() - %(longest)s
              AND o.disabled_at IS NULL""",
        {"hash": _hash(token), "idle": IDLE, "longest": LONGEST, "seen": SEEN_EVERY},
    )
    row = cast(dict[str, Any] | None, await found.fetchone())
    if row is None:
        return None
    if row.pop("is_due"):
        await connection.execute("UPDATE staff_sessions SET last_seen_at = now() WHERE token_hash = %s", [_hash(token)])
    return Person(**row)


async def end(connection: DictConnection, token: str) -> None:
    await connection.execute("DELETE FROM staff_sessions WHERE token_hash = %s", [_hash(token)])


async def end_all(connection: DictConnection, operator_id: int) -> None:
    await connection.execute("DELETE FROM staff_sessions WHERE operator_id = %s", [operator_id])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
