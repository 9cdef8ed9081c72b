"""The kill switch in PostgreSQL: answers withdrawn, with an end, and restored. A trigger tells every gateway (migration 0026)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import entry
from bot.content.rules import REASON_LETTERS, ContentRefused, check_end, moment_of
from bot.database import DictConnection
from bot.languages.catalogue import Catalogue
from bot.languages.in_force import NEVER_WITHDRAWN
from bot.messages import clean_text

NO_VARIANTS = frozenset({"rumours", "talk", "limits", "system"})
# What staff put in force is looked at again, or it ends.
LONGEST_WITHDRAWAL = datetime.timedelta(days=180)


@dataclass(frozen=True)
class OpenWithdrawal:
    id: int
    response_key: str
    language: str
    reason: str
    withdrawn_by: str
    withdrawn_at: datetime.datetime
    until: datetime.datetime


async def withdraw(
    connection: DictConnection,
    key: str,
    reason: str,
    until: str,
    by: str,
    *,
    language: str = "",
    known: Callable[[str, str], bool],
) -> OpenWithdrawal:
    """At once, on all machines. A withdrawal that is open already gets this end and reason. `known`: (key, language)."""
    reason, end = clean_text(reason).strip(), moment_of(until, "until", is_end=True)
    if not known(key, language):
        raise ContentRefused("key_unknown", "key")
    if key in NEVER_WITHDRAWN:
        raise ContentRefused("never_withdrawn", "key")
    if not 0 < len(reason) <= REASON_LETTERS:
        raise ContentRefused("reason_shape", "reason")
    check_end(end, LONGEST_WITHDRAWAL, "until")
    async with connection.transaction():
        await _lock(connection, f"{key} {language}")
        before = await _open(connection, key, language)
        if before is not None and (before.reason, before.until, before.withdrawn_by) == (reason, end, by):
            return before  # the same form twice
        if before is not None:
            await _end_withdrawal(connection, before.id, by)
        await connection.execute(
            "INSERT INTO withdrawals (response_key, language, reason, withdrawn_by, until) VALUES (%s, %s, %s, %s, %s)",
            [key, language or None, reason, by, end],
        )
        await connection.execute(*entry(by, "answer_withdrawn", key, language=language, until=end.isoformat(), reason=reason))
        made = await _open(connection, key, language)
    assert made is not None  # noqa: S101  (inserted above)
    return made


async def withdraw_all(
    connection: DictConnection,
    keys: Sequence[str],
    reason: str,
    until: str,
    by: str,
    *,
    language: str = "",
    known: Callable[[str, str], bool],
) -> list[OpenWithdrawal]:
    """All of them or none; of the second and later ones those that have this language."""
    first, *others = keys
    wanted = [first, *(key for key in others if known(key, language))]
    async with connection.transaction():
        return [await withdraw(connection, key, reason, until, by, language=language, known=known) for key in wanted]


def variants(catalogue: Catalogue, key: str) -> list[str]:
    """The other answers to the same intent: Loa picks one of them by what the citizen names, and they often say the same.

    Debunks are none of each other, and of talk nothing is an answer.
    """
    intent = intent_of(catalogue, key)
    if not intent or catalogue.intents[intent].topic in NO_VARIANTS:
        return []
    return [other for other in catalogue.entries if other != key and intent_of(catalogue, other) == intent]


def intent_of(catalogue: Catalogue, key: str) -> str:
    """The intent that an answer is to; "" for one that answers none."""
    name = key.removeprefix("utter_")
    return max((intent for intent in catalogue.intents if name == intent or name.startswith(f"{intent}_")), key=len, default="")


async def restore(connection: DictConnection, key: str, by: str, *, language: str = "") -> None:
    async with connection.transaction():
        await _lock(connection, f"{key} {language}")
        found = await _open(connection, key, language)
        if found is None:
            raise ContentRefused("not_withdrawn", "key")
        await _end_withdrawal(connection, found.id, by)
        await connection.execute(*entry(by, "answer_restored", key, language=language, withdrawn_by=found.withdrawn_by))


async def withdrawals(connection: DictConnection) -> list[OpenWithdrawal]:
    """Those that hold now, the newest first."""
    cursor = await connection.execute(
        """SELECT id, response_key, coalesce(language, '') AS language, reason, withdrawn_by, withdrawn_at, until FROM withdrawals
            WHERE ended_at IS NULL AND until > now() ORDER BY id DESC"""
    )
    return [OpenWithdrawal(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def _open(connection: DictConnection, key: str, language: str) -> OpenWithdrawal | None:
    """One that nobody has ended, also past its time."""
    cursor = await connection.execute(
        """SELECT id, response_key, coalesce(language, '') AS language, reason, withdrawn_by, withdrawn_at, until FROM withdrawals
            WHERE ended_at IS NULL AND response_key = %s AND coalesce(language, '') = %s""",
        [key, language],
    )
    row = await cursor.fetchone()
    return OpenWithdrawal(**cast(dict[str, Any], row)) if row else None


async def _end_withdrawal(connection: DictConnection, id_: int, by: str) -> None:
    await connection.execute("UPDATE withdrawals SET ended_by = %s, ended_at = now() WHERE id = %s", [by, id_])


async def _lock(connection: DictConnection, name: str) -> None:
    """Two at once about the same answer: one after the other."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('content ' || %s, 0))", [name])
