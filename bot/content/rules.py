"""What every change of content keeps to: two people, an end, and a sentence for what cannot be done."""

from __future__ import annotations

import datetime
from typing import Any, LiteralString, cast
from zoneinfo import ZoneInfo

from bot.database import DictConnection

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
REASON_LETTERS = 500


class ContentRefused(Exception):
    """What was asked cannot be done. `reason`: a key of locales/vi/interface/content.yml, `refused`; `field`: where."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


async def waiting(connection: DictConnection, query: LiteralString, id_: int, by: str) -> dict[str, Any]:
    """The row, locked; raises ContentRefused when it waits for nobody, or for somebody else than who wrote it."""
    cursor = await connection.execute(query + " FOR NO KEY UPDATE", [id_])
    row = cast(dict[str, Any] | None, await cursor.fetchone())
    if row is None or row["state"] != "proposed":
        raise ContentRefused("not_waiting")
    if row["written_by"] == by:
        raise ContentRefused("own_words")
    return row


async def decide(connection: DictConnection, update: LiteralString, id_: int, by: str, *, approve: bool) -> None:
    """`update`: the statement up to its values."""
    state = "approved" if approve else "rejected"
    await connection.execute(f"{update} SET state = %s, decided_by = %s, decided_at = now() WHERE id = %s", [state, by, id_])


def moment_of(typed: str, field: str, *, is_end: bool = False) -> datetime.datetime:
    """`2026-11-30T18:00` in Vietnam; of a day its beginning, or with `is_end` its last minute."""
    try:
        found = datetime.datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise ContentRefused("time_shape", field) from error
    if not 2020 <= found.year <= 2100 or found.tzinfo is not None:
        raise ContentRefused("time_shape", field)
    if is_end and len(typed.strip()) == len("2026-11-30"):
        found += datetime.timedelta(days=1, minutes=-1)
    return found.replace(tzinfo=VIETNAM)


def check_end(end: datetime.datetime, longest: datetime.timedelta, field: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if end <= now:
        raise ContentRefused("ends_past", field)
    if end - now > longest:
        raise ContentRefused("ends_late", field)


def day_of(typed: str, field: str) -> datetime.date:
    try:
        found = datetime.date.fromisoformat(typed.strip())
    except ValueError as error:
        raise ContentRefused("day_shape", field) from error
    if not 2000 <= found.year <= 2100:
        raise ContentRefused("day_shape", field)
    return found


def today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()
