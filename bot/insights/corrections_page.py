"""/insights/figures/corrections: numbers that citizens were told and that have changed; staff look, stop, or send at once."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.dialogue.corrections import message
from bot.figures import correction_store
from bot.figures.correction_store import Correction, CorrectionRefused, Recipient
from bot.figures.places import FigurePlaces
from bot.figures.store import READ_MILLISECONDS, Connection, connected
from bot.insights.figures_page import HERE, ROLES
from bot.languages.catalogue import Catalogue
from bot.masking import masked
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import Layout, redirect

PAGE = "/insights/figures/corrections"
MOST_PAST = 30

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """A correction as staff see it. `preview`: the message, if this were the only one."""

    correction: Correction
    label: str
    place_name: str
    preview: str = ""
    recipients: Sequence[Recipient] = ()

    @property
    def more(self) -> int:
        return self.correction.count() - len(self.recipients)


class CorrectionsPage:
    """`url`: the database's address."""

    def __init__(self, root: Path, url: str, door: Door, catalogue: Catalogue) -> None:
        self._root, self._url, self._door, self._catalogue = root, url, door, catalogue
        # figures.css is served by the page of figures.
        self._layout = Layout(root, HERE / "templates", "corrections", static=(HERE / "static/figures.css",))

    def routes(self) -> list[BaseRoute]:
        return [
            StaffRoute(PAGE, self.list, self._door, ROLES),
            StaffRoute(f"{PAGE}/{{id:int}}/stop", self.stop, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/{{id:int}}/send", self.send, self._door, ROLES, "POST"),
        ]

    async def list(self, visit: Visit) -> Response:
        return await self._page(visit.request, visit)

    async def stop(self, visit: Visit) -> Response:
        return await self._decide(visit, "stopped", correction_store.stop)

    async def send(self, visit: Visit) -> Response:
        return await self._decide(visit, "sent_now", correction_store.send_now)

    async def _decide(self, visit: Visit, done: str, decide: Callable[[Connection, int, str], None]) -> Response:
        correction_id = int(visit.request.path_params["id"])
        if correction_id >= 2**63:
            return self._door.refusal(visit.request, visit.person, "form_unreadable", 400)
        try:
            await self._with(lambda connection: decide(connection, correction_id, visit.person.name))
        except CorrectionRefused:
            return await self._page(visit.request, visit, refused=self._layout.words["not_waiting"], status=409)
        return redirect(f"{PAGE}?done={done}")

    async def _page(self, request: Request, visit: Visit, *, refused: str = "", status: int = 200) -> Response:
        waiting, past = await self._with(self._shown)
        said: Mapping[str, str] = self._layout.words["done"]
        values = {
            "waiting": waiting,
            "past": past,
            "refused": refused,
            "done": said.get(request.query_params.get("done", ""), ""),
            "masked": masked,
            "now": datetime.datetime.now(datetime.UTC),
        }
        return self._layout.page(request, "corrections.html", visit.person, visit.csrf, values, status)

    def _shown(self, connection: Connection) -> tuple[Sequence[Shown], Sequence[Shown]]:
        places = FigurePlaces.below(self._root)
        waiting = [
            self._one(one, places, message(self._catalogue, places, [one]).text, correction_store.recipients(connection, one.id))
            for one in correction_store.corrections(connection, is_open=True)
        ]
        over = correction_store.corrections(connection, is_open=False, limit=MOST_PAST)
        return waiting, [self._one(one, places) for one in over]

    def _one(
        self, correction: Correction, places: FigurePlaces, preview: str = "", recipients: Sequence[Recipient] = ()
    ) -> Shown:
        subject = correction.subject
        ending = "_total" if subject.span == "total" else ""
        label = self._catalogue.fragments[f"figure_what_{subject.metric}{ending}"]
        return Shown(correction, label, places.unit(subject.place).name, preview, recipients)

    async def _with(self, work: Callable[[Connection], T]) -> T:
        """In a thread; the door says so when the database is away."""

        def run() -> T:
            with connected(self._url, READ_MILLISECONDS * 5) as connection:
                return work(connection)

        return await asyncio.to_thread(run)
