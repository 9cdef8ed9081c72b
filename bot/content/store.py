"""All that is in force, read from PostgreSQL in one go."""

from __future__ import annotations

from typing import Any, cast

from bot.database import DictConnection
from bot.languages.in_force import Notice, Verdict, Withdrawal


async def in_force(connection: DictConnection) -> tuple[list[Withdrawal], list[Notice], list[Verdict]]:
    """All that is or will be in force; the clock decides in memory."""
    cursor = await connection.execute(
        "SELECT response_key AS key, language, until FROM withdrawals WHERE ended_at IS NULL AND until > now() ORDER BY id"
    )
    withdrawals = [Withdrawal(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
    cursor = await connection.execute(
        """SELECT id, scope, subject, places, text, is_emergency, starts_at, ends_at FROM notices
            WHERE state = 'approved' AND ended_at IS NULL AND ends_at > now() ORDER BY id"""
    )
    rows = cast(list[dict[str, Any]], await cursor.fetchall())
    notices = [Notice(**{**row, "places": frozenset(row["places"])}) for row in rows]
    cursor = await connection.execute(
        """SELECT id, claim, wordings, verdict, text, source_issuer AS issuer, source_title AS title, source_number AS number,
                  source_date AS date, source_url AS url, valid_until,
                  (decided_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS approved_on
             FROM rumour_verdicts WHERE state = 'approved' AND ended_at IS NULL
              AND valid_until >= (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date ORDER BY id"""
    )
    rows = cast(list[dict[str, Any]], await cursor.fetchall())
    return withdrawals, notices, [Verdict(**{**row, "wordings": tuple(row["wordings"])}) for row in rows]
