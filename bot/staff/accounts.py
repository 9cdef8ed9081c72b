"""Staff accounts. Made, reset and closed with `loa operator`; nobody can make one from a page."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from bot.audit import entry
from bot.database import DictConnection
from bot.staff import passwords

Role = Literal["operator", "senior", "content", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class AccountError(Exception):
    """What was asked cannot be done with this name; the sentence says why."""


@dataclass(frozen=True)
class Account:
    name: str
    role: Role
    must_change_password: bool
    is_disabled: bool
    is_locked: bool
    created_at: datetime.datetime
    last_seen_at: datetime.datetime | None
    has_totp: bool = False
    needs_approval: bool = False
    sessions: int = 0


async def add(connection: DictConnection, name: str, role: Role, by: str, *, needs_approval: bool | None = None) -> str:
    """Make the account; returns its first password, which is shown once and kept nowhere.

    `needs_approval`: a senior reads what they write themselves before it is sent; None: so for operators, who are new then.
    """
    if not NAME.fullmatch(name):
        raise AccountError(
            f"{name!r} is no account name: 2 to 32 characters, small letters without diacritics, digits, . _ -, a letter first"
        )
    password = passwords.generated()
    password_hash = await passwords.hashed(password)
    is_watched = role == "operator" if needs_approval is None else needs_approval
    async with connection.transaction():
        made = await connection.execute(
            """INSERT INTO operators (name, role, password_hash, needs_approval) VALUES (%s, %s, %s, %s)
               ON CONFLICT (name) DO NOTHING RETURNING id""",
            [name, role, password_hash, is_watched],
        )
        if await made.fetchone() is None:
            raise AccountError(f"{name} exists already; `loa operator reset {name}` gives a new password")
        await connection.execute(*entry(by, "operator_added", name, role=role, needs_approval=is_watched))
    return password


async def reset(connection: DictConnection, name: str, by: str, role: Role | None = None) -> str:
    """A new first password; unlocks, takes the second factor away (the phone may be lost) and, if disabled, opens the account
    again; ends its sessions. `role`: a new role."""
    password = passwords.generated()
    password_hash = await passwords.hashed(password)
    async with connection.transaction():
        operator_id = await _id(connection, name)
        await connection.execute(
            """UPDATE operators
                  SET password_hash = %s, must_change_password = true, disabled_at = NULL, role = coalesce(%s, role),
                      totp_secret = NULL, totp_offered = NULL, totp_step = 0
               WHERE id = %s""",
            [password_hash, role, operator_id],
        )
        await connection.execute("DELETE FROM recovery_codes WHERE operator_id = %s", [operator_id])
        await _end_sessions(connection, operator_id)
        await connection.execute("DELETE FROM login_failures WHERE name = %s", [name])
        await connection.execute(*entry(by, "operator_reset", name, **({"role": role} if role else {})))
    return password


async def disable(connection: DictConnection, name: str, by: str) -> None:
    """Close the account and end its sessions at once."""
    async with connection.transaction():
        operator_id = await _id(connection, name)
        await connection.execute("UPDATE operators SET disabled_at = coalesce(disabled_at, now()) WHERE id = %s", [operator_id])
        await _end_sessions(connection, operator_id)
        await connection.execute(*entry(by, "operator_disabled", name))


async def set_role(connection: DictConnection, name: str, role: Role, by: str) -> None:
    """It holds from the next page on; the role before stands in the log."""
    async with connection.transaction():
        operator_id = await _id(connection, name)
        found = await connection.execute(
            """UPDATE operators o SET role = %s FROM operators before
                WHERE o.id = %s AND before.id = o.id RETURNING before.role""",
            [role, operator_id],
        )
        before = cast(dict[str, Any], await found.fetchone())["role"]
        if before != role:
            await connection.execute(*entry(by, "operator_role_changed", name, role=role, before=before))


async def set_needs_approval(connection: DictConnection, name: str, by: str, *, needed: bool) -> None:
    """Whether a senior reads what they write themselves before it is sent."""
    async with connection.transaction():
        operator_id = await _id(connection, name)
        await connection.execute("UPDATE operators SET needs_approval = %s WHERE id = %s", [needed, operator_id])
        await connection.execute(*entry(by, "operator_approval_set", name, needed=needed))


async def end_sessions(connection: DictConnection, name: str, by: str) -> None:
    """Log somebody out wherever they are logged in."""
    async with connection.transaction():
        await _end_sessions(connection, await _id(connection, name))
        await connection.execute(*entry(by, "operator_logged_out", name))


async def accounts(
    connection: DictConnection, lock_minutes: int, lock_failures: int, idle: datetime.timedelta = datetime.timedelta(minutes=30)
) -> list[Account]:
    """All accounts by name, closed ones too. `idle`: how long a session lives without its person."""
    found = await connection.execute(
        """SELECT name, role, must_change_password, disabled_at IS NOT NULL AS is_disabled, created_at, last_seen_at,
                  needs_approval, totp_secret IS NOT NULL AS has_totp,
                  (SELECT count(*) FROM staff_sessions s
                    WHERE s.operator_id = o.id AND s.last_seen_at > now() - %s) AS sessions,
                  (SELECT count(*) FROM login_failures f
                    WHERE f.name = o.name AND at > now() - make_interval(mins => %s)) >= %s AS is_locked
             FROM operators o ORDER BY name""",
        [idle, lock_minutes, lock_failures],
    )
    return [Account(**cast(dict[str, Any], row)) for row in await found.fetchall()]


async def change_password(connection: DictConnection, operator_id: int, name: str, password: str) -> None:
    """Keep the chosen password and end every session of the account: the caller starts a new one."""
    password_hash = await passwords.hashed(password)
    async with connection.transaction():
        await connection.execute(
            "UPDATE operators SET password_hash = %s, must_change_password = false WHERE id = %s", [password_hash, operator_id]
        )
        await _end_sessions(connection, operator_id)
        await connection.execute(*entry(name, "password_changed", name))


async def password_hash(connection: DictConnection, operator_id: int) -> str:
    found = await connection.execute("SELECT password_hash FROM operators WHERE id = %s", [operator_id])
    return str(cast(dict[str, object], await found.fetchone())["password_hash"])


async def _end_sessions(connection: DictConnection, operator_id: int) -> None:
    await connection.execute("DELETE FROM staff_sessions WHERE operator_id = %s", [operator_id])
    await connection.execute("DELETE FROM login_steps WHERE operator_id = %s", [operator_id])


async def _id(connection: DictConnection, name: str) -> int:
    found = await connection.execute("SELECT id FROM operators WHERE name = %s FOR UPDATE", [name])
    row = await found.fetchone()
    if row is None:
        raise AccountError(f"there is no account {name}; `loa operator list` shows all")
    return int(cast(int, row["id"]))
