"""What citizens handed over and the verdicts on it, in PostgreSQL. A trigger tells every gateway (migration 0026)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.audit import Action, entry
from bot.content.rules import REASON_LETTERS, ContentRefused, day_of, decide, today, waiting
from bot.database import DictConnection
from bot.messages import clean_text

CLAIM_LETTERS, VERDICT_LETTERS, SOURCE_LETTERS = 300, 600, 200
LONGEST_VERDICT_DAYS = 365
VERDICTS = ("wrong", "misleading", "outdated", "right")


@dataclass(frozen=True)
class StoredVerdict:
    """`state`: proposed, rejected, published, over. `reports`: how many citizens asked about it."""

    id: int
    claim: str
    verdict: str
    text: str
    source_issuer: str
    source_title: str
    source_number: str
    source_date: datetime.date
    source_url: str
    valid_until: datetime.date
    written_by: str
    written_at: datetime.datetime
    decided_by: str
    state: str
    reports: int
    told: int


@dataclass(frozen=True)
class WantedVerdict:
    """As it was typed; `reports`: the reports that it answers."""

    claim: str
    verdict: str
    text: str
    source_issuer: str
    source_title: str
    source_number: str
    source_date: str
    source_url: str
    valid_until: str
    reports: tuple[int, ...] = ()


async def propose_verdict(connection: DictConnection, wanted: WantedVerdict, by: str, is_url: Callable[[str], bool]) -> int:
    """It waits for a second person, and so do its reports."""
    claim = " ".join(clean_text(wanted.claim).split())
    text = clean_text(wanted.text).strip()
    issuer, title, number = (
        " ".join(clean_text(part).split()) for part in (wanted.source_issuer, wanted.source_title, wanted.source_number)
    )
    day, until = day_of(wanted.source_date, "source_date"), day_of(wanted.valid_until, "valid_until")
    url, now = wanted.source_url.strip(), today()
    rules = (
        (0 < len(claim) <= CLAIM_LETTERS, "claim", "claim_shape"),
        (wanted.verdict in VERDICTS, "verdict", "verdict_unknown"),
        (0 < len(text) <= VERDICT_LETTERS, "text", "verdict_shape"),
        (0 < len(issuer) <= SOURCE_LETTERS, "source_issuer", "source_shape"),
        (0 < len(title) <= SOURCE_LETTERS, "source_title", "source_shape"),
        (len(number) <= SOURCE_LETTERS, "source_number", "source_shape"),
        (day <= now, "source_date", "source_date_ahead"),
        (not url or is_url(url), "source_url", "url_shape"),
        (until >= now, "valid_until", "ends_past"),
        ((until - now).days <= LONGEST_VERDICT_DAYS, "valid_until", "ends_late"),
    )
    for is_fine, field, reason in rules:
        if not is_fine:
            raise ContentRefused(reason, field)
    async with connection.transaction():
        cursor = await connection.execute(
            """INSERT INTO rumour_verdicts (claim, verdict, text, source_issuer, source_title, source_number, source_date,
                                            source_url, valid_until, written_by)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [claim, wanted.verdict, text, issuer, title, number, day, url, until, by],
        )
        id_ = cast(dict[str, int], await cursor.fetchone())["id"]
        cursor = await connection.execute(
            "UPDATE rumour_reports SET state = 'proposed', verdict_id = %s WHERE id = ANY(%s::bigint[]) AND state = 'open'",
            [id_, list(wanted.reports)],
        )
        await connection.execute(
            *entry(by, "verdict_proposed", f"verdict:{id_}", verdict=wanted.verdict, reports=cursor.rowcount)
        )
    return id_


async def decide_verdict(connection: DictConnection, id_: int, by: str, *, approve: bool) -> None:
    """Published, those who asked and agreed are told (bot/content/telling.py); rejected, their reports are open again."""
    async with connection.transaction():
        row = await waiting(connection, "SELECT written_by, state FROM rumour_verdicts WHERE id = %s", id_, by)
        await decide(connection, "UPDATE rumour_verdicts", id_, by, approve=approve)
        if approve:
            await connection.execute(
                """UPDATE rumour_verdicts SET wordings = coalesce(
                       (SELECT array_agg(DISTINCT left(r.text, 300)) FROM rumour_reports r WHERE r.verdict_id = %(id)s), '{}')
                    WHERE id = %(id)s""",
                {"id": id_},
            )
            await connection.execute(
                """UPDATE rumour_reports SET state = 'answered', telling = 'waiting', decided_by = %s, decided_at = now()
                    WHERE verdict_id = %s AND state = 'proposed'""",
                [by, id_],
            )
        else:
            await connection.execute(
                "UPDATE rumour_reports SET state = 'open', verdict_id = NULL WHERE verdict_id = %s AND state = 'proposed'", [id_]
            )
        action: Action = "verdict_published" if approve else "verdict_rejected"
        await connection.execute(*entry(by, action, f"verdict:{id_}", written_by=row["written_by"]))


async def end_verdict(connection: DictConnection, id_: int, by: str) -> None:
    """Not said any more; who still waits for it is not told."""
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE rumour_verdicts SET ended_by = %s, ended_at = now()
                WHERE id = %s AND ended_at IS NULL AND state = 'approved' RETURNING id""",
            [by, id_],
        )
        if await cursor.fetchone() is None:
            raise ContentRefused("verdict_over")
        await connection.execute(*entry(by, "verdict_ended", f"verdict:{id_}"))


async def verdicts(connection: DictConnection) -> list[StoredVerdict]:
    """What waits for a second person first, then the newest."""
    cursor = await connection.execute(
        """SELECT v.id, claim, verdict, text, source_issuer, source_title, source_number, source_date, source_url, valid_until,
                  written_by, written_at, coalesce(v.decided_by, '') AS decided_by,
                  CASE WHEN v.state = 'rejected' THEN 'rejected' WHEN v.state = 'proposed' THEN 'proposed'
                       WHEN ended_at IS NOT NULL OR valid_until < (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date THEN 'over'
                       ELSE 'published' END AS state,
                  (SELECT count(*) FROM rumour_reports r WHERE r.verdict_id = v.id) AS reports,
                  (SELECT count(*) FROM rumour_reports r WHERE r.verdict_id = v.id AND r.telling = 'sent') AS told
             FROM rumour_verdicts v WHERE v.state <> 'rejected' ORDER BY v.state <> 'proposed', v.id DESC LIMIT 200"""
    )
    return [StoredVerdict(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


@dataclass(frozen=True)
class Report:
    """`told`: of those that are over, what became of telling the citizen."""

    id: int
    text: str
    links: tuple[str, ...]
    pictures: tuple[str, ...]
    reported_at: datetime.datetime
    state: str


async def open_reports(connection: DictConnection, limit: int = 200) -> list[Report]:
    """The oldest first."""
    cursor = await connection.execute(
        """SELECT id, text, links, pictures, reported_at, state FROM rumour_reports WHERE state = 'open'
            ORDER BY reported_at, id LIMIT %s""",
        [limit],
    )
    return [_report(row) for row in await cursor.fetchall()]


async def report(connection: DictConnection, id_: int) -> Report:
    cursor = await connection.execute(
        "SELECT id, text, links, pictures, reported_at, state FROM rumour_reports WHERE id = %s", [id_]
    )
    row = await cursor.fetchone()
    if row is None:
        raise ContentRefused("report_gone")
    return _report(row)


async def dismiss(connection: DictConnection, id_: int, reason: str, by: str) -> None:
    """No verdict is possible, or it is no rumour. The citizen is told nothing."""
    reason = clean_text(reason).strip()
    if not 0 < len(reason) <= REASON_LETTERS:
        raise ContentRefused("reason_shape", "reason")
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE rumour_reports SET state = 'dismissed', reason = %s, decided_by = %s, decided_at = now()
                WHERE id = %s AND state = 'open' RETURNING id""",
            [reason, by, id_],
        )
        if await cursor.fetchone() is None:
            raise ContentRefused("report_gone")
        await connection.execute(*entry(by, "rumour_dismissed", f"report:{id_}"))


async def answer_with_known(connection: DictConnection, id_: int, known: str, by: str) -> None:
    """With a claim of data/directory/rumours.yml: its answer is approved, so nobody else is needed."""
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE rumour_reports SET state = 'answered', known = %s, telling = 'waiting', decided_by = %s, decided_at = now()
                WHERE id = %s AND state = 'open' RETURNING id""",
            [known, by, id_],
        )
        if await cursor.fetchone() is None:
            raise ContentRefused("report_gone")
        await connection.execute(*entry(by, "rumour_answered", f"report:{id_}", known=known))


def _report(row: Mapping[str, Any]) -> Report:
    lists = {name: tuple(row[name]) for name in ("links", "pictures")}
    return Report(**{**row, **lists})
