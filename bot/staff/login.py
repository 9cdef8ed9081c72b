"""Logging in: every try is counted before its password is looked at, so that a hundred at once are a hundred tries."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import entry
from bot.database import DictConnection, Pool
from bot.staff import accounts, passwords, sessions, totp
from bot.staff.accounts import NAME
from bot.staff.sessions import token_hash
from bot.staff.totp import Vault

# This many wrong passwords for a name within the window: no more are looked at until the first of them is that old.
LOCK_FAILURES = 5
LOCK_MINUTES = 15
# An office shares one address: this stops a script, not a forgetful colleague.
MOST_FAILURES_OF_ADDRESS = 30
# Between the right password and the code.
STEP_LIVES = datetime.timedelta(minutes=5)
# Tries are counted one after the other, on all gateways: any number that nobody else takes.
TRY_LOCK = 7_105_053


class LoginRefused(Exception):
    """`reason` is a key of locales/vi/interface/staff.yml. It does not tell whether the name exists."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Entered:
    """The token of a session; with `needs_code` only of a step towards one, in which the second factor is asked for."""

    token: str
    needs_code: bool


async def login(pool: Pool, name: str, password: str, address: str | None) -> Entered:
    """Raises LoginRefused. `address`: of the browser, None where it is not known."""
    name = name.strip().casefold()
    source = network(address)
    is_name = NAME.fullmatch(name) is not None
    async with pool.connection() as connection:
        failure_id = await _count_try(connection, name if is_name else "", source)
        found = await connection.execute(
            """SELECT id, password_hash, totp_secret IS NOT NULL AS needs_code
                 FROM operators WHERE name = %s AND disabled_at IS NULL""",
            [name if is_name else ""],
        )
        row = cast(dict[str, Any] | None, await found.fetchone())
    # No connection is held while argon2 works.
    is_right = await passwords.matches(str(row["password_hash"]) if row else None, password)
    async with pool.connection() as connection, connection.transaction():
        if is_right and row is not None and row["needs_code"]:
            # Only this try: who knows the password alone must not get new tries at the code by it.
            await forget_try(connection, failure_id)
            return Entered(await _start_step(connection, row["id"]), needs_code=True)
        if is_right and row is not None:
            await connection.execute("DELETE FROM login_failures WHERE name = %s OR id = %s", [name, failure_id])
            await connection.execute(*entry(name, "login", name, address=source))
            return Entered(await sessions.start(connection, row["id"]), needs_code=False)
        await connection.execute(*entry(name if is_name else "?", "login_refused", address=source))
    raise LoginRefused("login_wrong")


async def login_with_code(pool: Pool, vault: Vault, step: str, code: str, address: str | None) -> str:
    """The token of a new session; raises LoginRefused. Wrong codes and wrong passwords are counted together."""
    source = network(address)
    async with pool.connection() as connection:
        found = await connection.execute(
            """SELECT o.id, o.name FROM login_steps s JOIN operators o ON o.id = s.operator_id
                WHERE s.token_hash = %s AND s.started_at > now() - %s AND o.disabled_at IS NULL""",
            [token_hash(step), STEP_LIVES],
        )
        row = cast(dict[str, Any] | None, await found.fetchone())
        if row is None:
            raise LoginRefused("step_over")
        await _count_try(connection, row["name"], source)
        async with connection.transaction():
            factor = await totp.take(connection, vault, row["id"], code)
            if factor:
                await connection.execute("DELETE FROM login_failures WHERE name = %s", [row["name"]])
                await connection.execute("DELETE FROM login_steps WHERE token_hash = %s", [token_hash(step)])
                await connection.execute(*entry(row["name"], "login", row["name"], address=source, second_factor=factor))
                return await sessions.start(connection, row["id"])
            await connection.execute(*entry(row["name"], "code_refused", row["name"], address=source))
    raise LoginRefused("code_wrong")


async def check_password(pool: Pool, person: sessions.Person, password: str) -> None:
    """Raises LoginRefused: whoever finds an open browser must not guess the password from inside."""
    async with pool.connection() as connection:
        failure_id = await _count_try(connection, person.name, "")
        kept = await accounts.password_hash(connection, person.id)
    if not await passwords.matches(kept, password):
        raise LoginRefused("password_old_wrong")
    async with pool.connection() as connection:
        await forget_try(connection, failure_id)


async def forget_try(connection: DictConnection, failure_id: int) -> None:
    await connection.execute("DELETE FROM login_failures WHERE id = %s", [failure_id])


async def _start_step(connection: DictConnection, operator_id: int) -> str:
    token = secrets.token_urlsafe(32)
    await connection.execute("DELETE FROM login_steps WHERE started_at < now() - %s", [STEP_LIVES])
    await connection.execute(
        "INSERT INTO login_steps (token_hash, operator_id) VALUES (%s, %s)", [token_hash(token), operator_id]
    )
    return token


async def _count_try(connection: DictConnection, name: str, address: str) -> int:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [TRY_LOCK])
        found = await connection.execute(
            """SELECT count(*) FILTER (WHERE name = %(name)s AND name <> '') AS of_name,
                      count(*) FILTER (WHERE address = %(address)s AND address <> '') AS of_address
                 FROM login_failures
                WHERE (name = %(name)s OR address = %(address)s) AND at > now() - make_interval(mins => %(minutes)s)""",
            {"name": name, "address": address, "minutes": LOCK_MINUTES},
        )
        counts = cast(dict[str, Any], await found.fetchone())
        if counts["of_name"] >= LOCK_FAILURES:
            raise LoginRefused("login_locked")
        if counts["of_address"] >= MOST_FAILURES_OF_ADDRESS:
            raise LoginRefused("login_too_many")
        await connection.execute("DELETE FROM login_failures WHERE at < now() - interval '1 day'")
        made = await connection.execute(
            "INSERT INTO login_failures (name, address) VALUES (%s, %s) RETURNING id", [name, address]
        )
        return int(cast(dict[str, Any], await made.fetchone())["id"])


def network(address: str | None) -> str:
    """One IPv4 address, or the /64 that one IPv6 customer has; empty for this machine: a proxy that names nobody."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if ip.is_loopback:
        return ""
    return str(ipaddress.ip_network(f"{ip}/64", strict=False)) if ip.version == 6 else str(ip)
