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
# A session that was seen less than this ago is not written again; where sessions are short, less than a tenth of their life.
SEEN_EVERY = datetime.timedelta(minutes=1)


@dataclass(frozen=True)
class Rules:
    """What the province demands: how long a session lives without its person, and which roles need a second factor."""

    idle: datetime.timedelta = IDLE
    totp_roles: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Person:
    """Who is logged in with this request. The role is read each time: a change holds at once.

    `must_enrol`: the role needs a second factor and the account has none. `seconds_left`: until the session is over if
    nothing else happens.
    """

    id: int
    name: str
    role: Role
    must_change_password: bool
    must_enrol: bool = False
    needs_approval: bool = False
    seconds_left: int = int(IDLE.total_seconds())


async def start(connection: DictConnection, operator_id: int) -> str:
    """The token of a new session; those that are over by age are swept out."""
    token = secrets.token_urlsafe(32)
    await connection.execute("DELETE FROM staff_sessions WHERE started_at < now() - %s", [LONGEST])
    await connection.execute(
        "INSERT INTO staff_sessions (token_hash, operator_id) VALUES (%s, %s)", [token_hash(token), operator_id]
    )
    await connection.execute("UPDATE operators SET last_seen_at = now() WHERE id = %s", [operator_id])
    return token


async def person(connection: DictConnection, token: str, rules: Rules, *, is_background: bool = False) -> Person | None:
    """Whose session this is; None when it is over, unknown, or its account closed.

    Being asked keeps it alive, unless the page asks by itself (`is_background`): nobody need be there for that.
    """
    found = await connection.execute(
        """SELECT o.id, o.name, o.role, o.must_change_password, o.needs_approval,
                  o.totp_secret IS NULL AND o.role = ANY(%(roles)s) AS must_enrol,
                  s.last_seen_at < now() - %(seen)s AS is_due,
                  extract(epoch FROM least(
                      CASE WHEN %(background)s OR s.last_seen_at >= now() - %(seen)s THEN s.last_seen_at ELSE now() END
                          + %(idle)s,
                      s.started_at + %(longest)s) - now())::integer AS seconds_left
             FROM staff_sessions s JOIN operators o ON o.id = s.operator_id
            WHERE s.token_hash = %(hash)s AND s.last_seen_at > now() - %(idle)s AND s.started_at > now() - %(longest)s
              AND o.disabled_at IS NULL""",
        {
            "hash": token_hash(token),
            "idle": rules.idle,
            "longest": LONGEST,
            "seen": min(SEEN_EVERY, rules.idle / 10),
            "roles": list(rules.totp_roles),
            "background": is_background,
        },
    )
    row = cast(dict[str, Any] | None, await found.fetchone())
    if row is None:
        return None
    if row.pop("is_due") and not is_background:
        await connection.execute(
            """WITH seen AS (UPDATE staff_sessions SET last_seen_at = now() WHERE token_hash = %s RETURNING operator_id)
               UPDATE operators SET last_seen_at = now() WHERE id IN (SELECT operator_id FROM seen)""",
            [token_hash(token)],
        )
    return Person(**row)


async def end(connection: DictConnection, token: str) -> None:
    await connection.execute("DELETE FROM staff_sessions WHERE token_hash = %s", [token_hash(token)])


async def end_all(connection: DictConnection, operator_id: int, *, but: str = "") -> None:
    """`but`: the token of the session that stays."""
    await connection.execute(
        "DELETE FROM staff_sessions WHERE operator_id = %s AND token_hash <> %s", [operator_id, token_hash(but)]
    )


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
