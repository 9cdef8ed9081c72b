"""The open cases as all pages of this gateway show them: read once for all, rendered once for each change."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bot.database import DictConnection, Pool
from bot.desk.live import DeskNews
from bot.desk.rendering import Part, Rendering
from bot.handoff.rows import SELECT, WORK_ORDER, Case

MOST_OPEN = 500
# A row says how long somebody has waited; pages count on by themselves, a fresh page shows it to this second.
SHOWN_FOR_SECONDS = 20.0


@dataclass(frozen=True)
class Shown:
    """A case with its rendering."""

    row: Case
    html: str
    at: float

    def part(self, operator_id: int) -> Part:
        return Part(str(self.row.id), self.row, lambda: self.html, self.group(operator_id))

    def group(self, operator_id: int) -> str:
        """The list of this person's page in which it stands."""
        if self.row.state == "waiting":
            return "waiting"
        return "mine" if self.row.operator_id == operator_id else "others"


class Board:
    """`shown()` never returns what was read before the last notice."""

    def __init__(self, pool: Pool, news: DeskNews, rendering: Rendering) -> None:
        self._pool, self._news, self._rendering = pool, news, rendering
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._shown: dict[int, Shown] = {}

    async def shown(self, *, anew: bool = False) -> Mapping[int, Shown]:
        """All open cases by their id. `anew`: also when nothing was told, for a page that is just opened."""
        asked_at = time.monotonic()
        async with self._lock:
            if self._read_at <= self._news.changed_at or (anew and self._read_at < asked_at):
                await self._read()
            return self._shown

    async def _read(self) -> None:
        began, now = time.monotonic(), datetime.datetime.now(datetime.UTC)
        async with self._pool.connection() as connection:
            rows = await open_cases(connection)
        before = self._shown
        shown: dict[int, Shown] = {}
        for row in rows:
            known = before.get(row.id)
            is_fresh = known is not None and known.row == row and began - known.at < SHOWN_FOR_SECONDS
            shown[row.id] = known if known and is_fresh else Shown(row, self._rendering.row(row, now), began)
        self._shown, self._read_at = shown, began


async def open_cases(connection: DictConnection) -> list[Case]:
    """What waits and what is claimed, in the order of work."""
    found = await connection.execute(SELECT + " WHERE k.state <> 'ended' ORDER BY " + WORK_ORDER + " LIMIT %s", [MOST_OPEN])
    return [Case(**cast(dict[str, Any], row)) for row in await found.fetchall()]
