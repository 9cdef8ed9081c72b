"""The desk, assembled: /desk, /desk/past, /desk/cases/…, their live events, and the approval of what new staff write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.audit import entry
from bot.channels.sending import Signs
from bot.content.lines import lines
from bot.database import Pool
from bot.desk import drafts
from bot.desk.board import Board
from bot.desk.case_page import CasePage
from bot.desk.checks import Known
from bot.desk.events import Events
from bot.desk.live import DeskNews
from bot.desk.rendering import Rendering, order_of
from bot.desk.room import DESK, DESK_ROLES, SENIOR_ROLES, Room, case_id_of, refusal
from bot.desk.shown import why_shut
from bot.directory.places import Places
from bot.handoff import cases, rows
from bot.handoff.cases import CaseRefused
from bot.handoff.desks import Desks
from bot.handoff.handing_over import has_staff
from bot.handoff.office import office
from bot.languages.catalogue import Catalogue
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import Layout, redirect

HERE = Path(__file__).parent
PAST = f"{DESK}/past"
PAST_A_PAGE = 50
MOST_REASON = 300


class DeskPages:
    """`windows`: how long after a citizen's last sign of life each channel that is on lets a person write; None for ever.
    `public_url`: an address of ours, which may be sent without a question. `signs`: of the channels that can show that a person
    is writing."""

    def __init__(
        self,
        root: Path,
        url: str,
        pool: Pool,
        door: Door,
        catalogue: Catalogue,
        windows: Mapping[str, timedelta | None],
        public_url: str = "",
        signs: Signs | None = None,
    ) -> None:
        layout = Layout(root, HERE / "templates", "desk", "in_force", static=(HERE / "static/desk.css", HERE / "static/desk.js"))
        desks = Desks.load(root, catalogue.province)
        self._news = DeskNews(url)
        rendering = Rendering(layout, catalogue, partial(Places.below, root), desks)
        known = Known.by(catalogue, public_url)
        self._room = Room(pool, door, layout, catalogue, desks, rendering, windows, known, signs or {})
        self._board = Board(pool, self._news, rendering)
        self._cases = CasePage(self._room)
        self._events = Events(self._room, self._board, self._news, self._cases)
        # Nobody hears of a change in between: the door's pages and the streams share one board.
        self.listen = self._news.listen

    def routes(self) -> list[BaseRoute]:
        door = self._room.door
        return [
            *self._room.layout.static_routes(),
            StaffRoute(DESK, self.queue, door, DESK_ROLES),
            StaffRoute(f"{DESK}/claim", self.claim, door, DESK_ROLES, "POST"),
            StaffRoute(PAST, self.past, door, DESK_ROLES),
            StaffRoute(f"{DESK}/drafts/{{id:int}}/approve", self.approve, door, SENIOR_ROLES, "POST"),
            StaffRoute(f"{DESK}/drafts/{{id:int}}/refuse", self.refuse, door, SENIOR_ROLES, "POST"),
            *self._events.routes(),
            *self._cases.routes(),
        ]

    async def queue(self, visit: Visit) -> Response:
        return await self._queue(visit)

    async def claim(self, visit: Visit) -> Response:
        """From a row of the queue; then the case is shown."""
        case_id = case_id_of(visit.form["case"])
        try:
            async with self._room.pool.connection() as connection, connection.transaction():
                await cases.claim(connection, case_id, visit.person.id, visit.person.name)
                await connection.execute(*entry(visit.person.name, "case_claimed", f"case:{case_id}"))
        except CaseRefused as refused:
            return await self._queue(visit, refusal(refused, self._room.layout.words), 409)
        return redirect(f"{DESK}/cases/{case_id}?done=claimed")

    async def approve(self, visit: Visit) -> Response:
        try:
            async with self._room.pool.connection() as connection, connection.transaction():
                is_sent = await drafts.approve(connection, case_id_of(visit.request.path_params["id"]), visit.person)
        except CaseRefused as refused:
            return await self._queue(visit, refusal(refused, self._room.layout.words), 409)
        if not is_sent:
            return await self._queue(visit, self._room.layout.words["refused"]["draft_void"], 409)
        return redirect(f"{DESK}?done=approved")

    async def refuse(self, visit: Visit) -> Response:
        reason = visit.form["reason"].strip()[:MOST_REASON]
        try:
            async with self._room.pool.connection() as connection, connection.transaction():
                await drafts.refuse(connection, case_id_of(visit.request.path_params["id"]), visit.person, reason)
        except CaseRefused as refused:
            return await self._queue(visit, refusal(refused, self._room.layout.words), 409)
        return redirect(f"{DESK}?done=refused")

    async def past(self, visit: Visit) -> Response:
        """A page of what is over, the newest first."""
        rendering, before = self._room.rendering, case_id_of(visit.request.query_params.get("before", ""))
        desk = self._room.desk_asked_for(visit)
        async with self._room.pool.connection() as connection, connection.transaction():
            found = await rows.past(connection, desk=desk or None, before=before or None, limit=PAST_A_PAGE + 1)
            await connection.execute(*entry(visit.person.name, "past_cases_viewed", desk))
        shown = [
            {
                "case": case,
                "title": rendering.title(case.topic),
                "address": rendering.address(case),
                "place": rendering.place(case.place),
            }
            for case in found[:PAST_A_PAGE]
        ]
        older = found[PAST_A_PAGE - 1].id if len(found) > PAST_A_PAGE else None
        values = {"shown": shown, "older": older, "is_later": bool(before), "desk": desk, "desks": self._room.desks.all}
        return self._room.layout.page(visit.request, "past.html", visit.person, visit.csrf, values)

    async def _queue(self, visit: Visit, refused: str = "", status: int = 200) -> Response:
        desk = self._room.desk_asked_for(visit)
        shown = [one for one in (await self._board.shown(anew=True)).values() if desk in ("", one.row.desk)]
        shown.sort(key=lambda one: order_of(one.row))
        groups = {name: [one for one in shown if one.group(visit.person.id) == name] for name in ("waiting", "mine", "others")}
        decides = visit.person.role in SENIOR_ROLES
        async with self._room.pool.connection() as connection:
            waiting = await drafts.waiting(connection) if decides else []
            is_staffed = await has_staff(connection)
            await connection.execute(*entry(visit.person.name, "queue_viewed", desk))
        asked_for = [one for one in self._room.desks.all if desk in ("", one.id)]
        values = {
            "groups": groups,
            "desk": desk,
            "desks": self._room.desks.all,
            "shut": why_shut(asked_for, office().now(), self._room.layout.words, is_staffed=is_staffed),
            "decides": decides,
            "drafts": [part.html() for part in self._room.rendering.drafts(waiting, visit.person, visit.csrf)],
            "refused": refused,
            "in_force": lines(self._room.catalogue, self._room.layout.words),
            "done": self._room.done(visit),
            "again": DESK,
        }
        return self._room.layout.page(visit.request, "desk.html", visit.person, visit.csrf, values, status)
