"""Notices in PostgreSQL: proposed, approved by a second person, ended. A trigger tells every gateway (migration 0026)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import Action, entry
from bot.content.rules import ContentRefused, decide, moment_of, waiting
from bot.database import DictConnection
from bot.messages import clean_text

NOTICE_LETTERS = 500
# What staff put in force is looked at again, or it ends.
LONGEST_NOTICE = datetime.timedelta(days=60)
SCOPES = ("all", "topic", "place")


@dataclass(frozen=True)
class StoredNotice:
    """`state`: proposed, rejected, coming, running, over."""

    id: int
    scope: str
    subject: str
    text: str
    is_emergency: bool
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    written_by: str
    written_at: datetime.datetime
    decided_by: str
    state: str


@dataclass(frozen=True)
class WantedNotice:
    """As it was typed. `starts`, `ends`: `2026-11-30T18:00` or a day; no start: at once."""

    scope: str
    subject: str
    text: str
    starts: str
    ends: str
    is_emergency: bool = False


@dataclass(frozen=True)
class Subjects:
    """What a notice may be about. `covered`: a place and all that lies in it; empty for one that we do not know."""

    is_topic: Callable[[str], bool]
    covered: Callable[[str], Sequence[str]]


async def propose_notice(connection: DictConnection, wanted: WantedNotice, subjects: Subjects, by: str) -> int:
    """It waits for a second person."""
    now = datetime.datetime.now(datetime.UTC)
    text = clean_text(wanted.text).strip()
    starts = moment_of(wanted.starts, "starts") if wanted.starts.strip() else now
    ends = moment_of(wanted.ends, "ends", is_end=True)
    subject = "" if wanted.scope == "all" else wanted.subject
    places = list(subjects.covered(subject)) if wanted.scope == "place" else []
    rules = (
        (wanted.scope in SCOPES, "scope", "scope_unknown"),
        (wanted.scope != "topic" or subjects.is_topic(subject), "subject", "topic_unknown"),
        (wanted.scope != "place" or bool(places), "subject", "place_unknown"),
        (0 < len(text) <= NOTICE_LETTERS, "text", "notice_shape"),
        (ends > starts, "ends", "ends_before"),
        (ends - starts <= LONGEST_NOTICE and starts - now <= LONGEST_NOTICE, "ends", "ends_late"),
        (ends > now, "ends", "ends_past"),
    )
    for is_fine, field, reason in rules:
        if not is_fine:
            raise ContentRefused(reason, field)
    async with connection.transaction():
        cursor = await connection.execute(
            """INSERT INTO notices (scope, subject, places, text, is_emergency, starts_at, ends_at, written_by)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [wanted.scope, subject, places, text, wanted.is_emergency, starts, ends, by],
        )
        id_ = cast(dict[str, int], await cursor.fetchone())["id"]
        await connection.execute(
            *entry(by, "notice_proposed", f"notice:{id_}", scope=wanted.scope, about=subject, ends=ends.isoformat())
        )
    return id_


async def decide_notice(connection: DictConnection, id_: int, by: str, *, approve: bool) -> None:
    async with connection.transaction():
        row = await waiting(
            connection, "SELECT written_by, state, ends_at < now() AS is_past FROM notices WHERE id = %s", id_, by
        )
        if approve and row["is_past"]:
            raise ContentRefused("ends_past")
        await decide(connection, "UPDATE notices", id_, by, approve=approve)
        action: Action = "notice_approved" if approve else "notice_rejected"
        await connection.execute(*entry(by, action, f"notice:{id_}", written_by=row["written_by"]))


async def end_notice(connection: DictConnection, id_: int, by: str) -> None:
    """By anybody with the role, alone: less is said."""
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE notices SET ended_by = %s, ended_at = now() WHERE id = %s AND ended_at IS NULL AND state <> 'rejected'
                  AND ends_at > now() RETURNING id""",
            [by, id_],
        )
        if await cursor.fetchone() is None:
            raise ContentRefused("notice_over")
        await connection.execute(*entry(by, "notice_ended", f"notice:{id_}"))


async def notices(connection: DictConnection, over: int = 10) -> list[StoredNotice]:
    """What waits and runs, and the last that are over."""
    cursor = await connection.execute(
        """WITH told AS (
               SELECT id, scope, subject, text, is_emergency, starts_at, ends_at, written_by, written_at,
                      coalesce(decided_by, '') AS decided_by,
                      CASE WHEN state = 'rejected' THEN 'rejected'
                           WHEN ended_at IS NOT NULL OR ends_at <= now() THEN 'over'
                           WHEN state = 'proposed' THEN 'proposed'
                           WHEN starts_at > now() THEN 'coming' ELSE 'running' END AS state
                 FROM notices)
           SELECT * FROM told WHERE state IN ('proposed', 'coming', 'running')
           UNION ALL (SELECT * FROM told WHERE state IN ('over', 'rejected') ORDER BY id DESC LIMIT %s)""",
        [over],
    )
    found = [StoredNotice(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
    order = ("running", "proposed", "coming", "over", "rejected")
    return sorted(found, key=lambda one: (order.index(one.state), -one.id))
