"""/insights: what citizens ask and how it went, over 7, 30 or 90 days, from the daily roll-ups alone.

The counts change when the roll-ups do, every ten minutes: until then a visit is served from what was read and drawn before.
Pictures are drawn in a thread, when a browser asks for them.
"""

from __future__ import annotations

import asyncio
import datetime
from collections import OrderedDict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.campaigns.tables import Cell, as_csv, hidden, shown
from bot.database import DictConnection, Pool
from bot.insights import numbers
from bot.insights.named import Namer
from bot.insights.numbers import MEASURES, Days, Span
from bot.insights.rollups import VIETNAM
from bot.insights.shown import Picture, View
from bot.languages.catalogue import Catalogue
from bot.staff.accounts import Role
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import HEADERS, Layout

HERE = Path(__file__).parent
PAGE = "/insights"
ROLES: tuple[Role, ...] = ("senior", "content", "admin")
SPANS = (7, 30, 90)
USUAL = 30
KEPT_VIEWS, KEPT_PICTURES = 8, 48
# matplotlib writes style attributes; the picture runs nothing, wherever it is opened.
PICTURE_HEADERS = {
    **HEADERS,
    "Cache-Control": "private, max-age=600",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


class InsightsPage:
    def __init__(self, root: Path, pool: Pool, door: Door, catalogue: Catalogue) -> None:
        self._pool, self._door = pool, door
        static = (HERE / "static/insights.css",)
        self._layout = Layout(root, HERE / "templates", "insights", static=static)
        self._namer = Namer(root, catalogue, self._layout.words)
        self._views: OrderedDict[tuple[Any, ...], View] = OrderedDict()
        self._pictures: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self._drawing = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        return [
            *self._layout.static_routes(),
            StaffRoute(PAGE, self.show, self._door, ROLES),
            StaffRoute(f"{PAGE}/export.csv", self.export, self._door, ROLES),
            StaffRoute(f"{PAGE}/pictures/{{name}}.svg", self.picture, self._door, ROLES),
        ]

    async def show(self, visit: Visit) -> Response:
        """`?days=`: 7, 30 or 90; anything else is 30."""
        count = _asked(visit.request)
        async with self._pool.connection() as connection:
            counted_at, view = await self._view(connection, count)
            today = await self._today(connection)
        values = {
            "count": count,
            "spans": SPANS,
            "view": view,
            "span": view.span,
            "missing": len(view.span.days.all()) - len(view.span.counted),
            "before_missing": len(view.before.days.all()) - len(view.before.counted),
            # Names are read from files at the first visit.
            "shown": await asyncio.to_thread(_shown, view),
            "today": today,
            "counted_at": counted_at,
            "version": int(counted_at.timestamp()) if counted_at else 0,
        }
        return self._layout.page(visit.request, "insights.html", visit.person, visit.csrf, values)

    async def picture(self, visit: Visit) -> Response:
        count = _asked(visit.request)
        async with self._pool.connection() as connection:
            counted_at, view = await self._view(connection, count)
        picture = await asyncio.to_thread(view.picture, str(visit.request.path_params["name"]))
        if picture is None or not picture.rows:
            return self._door.refusal(visit.request, visit.person, "form_unreadable", 404)
        content = await self._drawn((view.span.days, counted_at, picture.name), picture)
        return Response(content, 200, PICTURE_HEADERS, "image/svg+xml")

    async def export(self, visit: Visit) -> Response:
        """A line for each day and part of it, cells as in the tables."""
        days = Days.until(_yesterday(), _asked(visit.request))
        async with self._pool.connection() as connection:
            rows = await numbers.daily_rows(connection, days)
        content = await asyncio.to_thread(self._csv, rows)
        name = f"loa-{days.first}-{days.last}.csv"
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, 200, headers, "text/csv; charset=utf-8")

    def _csv(self, rows: list[dict[str, Any]]) -> bytes:
        words = self._layout.words
        head = [*words["csv_heads"].values(), *(words["measures"][measure] for measure in MEASURES)]
        cells = _hidden_by_day(rows)
        lines = [
            [
                row["day"].isoformat(),
                words["parts"][row["part"]],
                row["key"],
                "" if row["part"] == "all" else self._namer.of(row["part"], row["key"]),
                *(cells[number, measure] for measure in MEASURES),
            ]
            for number, row in enumerate(rows)
        ]
        return as_csv(head, lines)

    async def _view(self, connection: DictConnection, count: int) -> tuple[datetime.datetime | None, View]:
        counted_at, days = await numbers.counted_at(connection), Days.until(_yesterday(), count)
        key = (days, counted_at)
        if key not in self._views:
            span, before = await numbers.read(connection, days), await numbers.read(connection, days.before)
            self._views[key] = View(span, before, self._layout.words, self._namer)
            while len(self._views) > KEPT_VIEWS:
                self._views.popitem(last=False)
        return counted_at, self._views[key]

    async def _today(self, connection: DictConnection) -> dict[str, Cell]:
        today = datetime.datetime.now(VIETNAM).date()
        span: Span = await numbers.read(connection, Days(today, today))
        return {name: shown(span.total[name]) for name in ("messages", "conversations")}

    async def _drawn(self, key: tuple[Any, ...], picture: Picture) -> bytes:
        """One at a time: several who ask for a picture at once wait for one drawing."""
        async with self._drawing:
            if key not in self._pictures:
                self._pictures[key] = await asyncio.to_thread(picture.draw)
                while len(self._pictures) > KEPT_PICTURES:
                    self._pictures.popitem(last=False)
            return self._pictures[key]


def _shown(view: View) -> dict[str, Any]:
    return {
        "tiles": view.tiles(),
        "pictures": view.pictures(),
        "answers": view.answers(),
        "figures": view.figures(),
        "deliveries": view.deliveries(),
        "cases": view.cases(),
    }


def _hidden_by_day(rows: list[dict[str, Any]]) -> dict[tuple[int, str], Cell]:
    """Within a day, a dimension's few are hidden together: none can be worked out from the day's sum."""
    groups: dict[tuple[Any, str], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row["day"], row["part"]), []).append(number)
    cells: dict[tuple[int, str], Cell] = {}
    for group in groups.values():
        for measure in MEASURES:
            column = hidden([rows[number][measure] for number in group])
            cells.update({(number, measure): cell for number, cell in zip(group, column, strict=True)})
    return cells


def _asked(request: Request) -> int:
    asked = request.query_params.get("days", "")
    return int(asked) if asked in {str(span) for span in SPANS} else USUAL


def _yesterday() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date() - datetime.timedelta(days=1)
