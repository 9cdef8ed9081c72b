"""/insights/report: the weekly report to read, and as a PDF to hand over."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.database import Pool
from bot.insights.insights_page import HERE, ROLES
from bot.insights.report import Report, Reporter, Week, WeekRefused
from bot.insights.report_pdf import pdf
from bot.insights.rollups import VIETNAM
from bot.languages.catalogue import Catalogue
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import HEADERS, Layout

PAGE = "/insights/report"


class ReportPage:
    def __init__(self, root: Path, pool: Pool, door: Door, catalogue: Catalogue) -> None:
        self._pool, self._door = pool, door
        # insights.css is served by the page of insights.
        self._layout = Layout(root, HERE / "templates", "insights", static=(HERE / "static/insights.css",))
        self._reporter = Reporter(root, catalogue)

    def routes(self) -> list[BaseRoute]:
        return [StaffRoute(PAGE, self.show, self._door, ROLES), StaffRoute(f"{PAGE}.pdf", self.download, self._door, ROLES)]

    async def show(self, visit: Visit) -> Response:
        """`?week=2026-W47`; the last week that is over without it."""
        asked, report, refused = visit.request.query_params.get("week", ""), None, ""
        try:
            report = await self._report(asked)
        except WeekRefused as reason:
            refused = self._layout.words[reason.reason]
        values = {"report": report, "asked": str(report.week) if report else asked[:20], "refused": refused}
        return self._layout.page(visit.request, "report.html", visit.person, visit.csrf, values, 422 if refused else 200)

    async def download(self, visit: Visit) -> Response:
        try:
            report = await self._report(visit.request.query_params.get("week", ""))
        except WeekRefused:
            return await self.show(visit)
        content = await asyncio.to_thread(pdf, report, _now())
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="loa-{report.week}.pdf"'}
        return Response(content, 200, headers, "application/pdf")

    async def _report(self, asked: str) -> Report:
        week = Week.parse(asked, _now().date())
        async with self._pool.connection() as connection:
            return await self._reporter.read(connection, week, _now())


def _now() -> datetime.datetime:
    return datetime.datetime.now(VIETNAM)
