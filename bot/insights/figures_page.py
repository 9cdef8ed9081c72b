"""/insights/figures: the official figures for everybody to read, and below them the work of those who look after them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bot.figures import acceptance, bulletins
from bot.figures.bulletin_csv import NEEDED, FileRefused
from bot.figures.bulletin_draft import COLUMNS, DraftRefused, Problem
from bot.figures.bulletins import BulletinRefused, Doubted
from bot.figures.readings import COUNTRY, METRICS, UNKNOWN_PLACE, VIETNAM
from bot.figures.store import READ_MILLISECONDS, Connection, connected
from bot.insights.figures_view import FEW_ROWS, MOST_ROWS, FiguresView, Work
from bot.staff.accounts import Role
from bot.staff.door import Door, StaffRoute, Visit, duty
from bot.staff.layout import HEADERS, Layout, redirect
from bot.staff.sessions import Person

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
PAGE = "/insights/figures"
# Who looks after the figures; bulletins.ROLES says the same to the store.
ROLES: tuple[Role, ...] = ("content", "senior", "admin")
# What citizens see changes with the feeds, every ten minutes: a crowd at the page is served from one look at the database.
KEPT_SECONDS = 5.0
KEPT_PAGES = 100
READERS = 4
PICK = re.compile(r"pick-[0-9]{1,18}")
DAYS_AND_HOURS = ("starts_day", "starts_time", "ends_day", "ends_time")

T = TypeVar("T")


class FiguresPage:
    """`url`: the database's address; `fragments`: the words of the pictures; `province`: whose page this is."""

    def __init__(self, root: Path, url: str, door: Door, province: str, fragments: Mapping[str, str]) -> None:
        self._root, self._url, self._door, self._province = root, url, door, province
        self._fragments = fragments
        self._layout = Layout(root, HERE / "templates", "bulletins", "figures_page", static=(HERE / "static/figures.css",))
        self._made: FiguresView | None = None
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._free = asyncio.Semaphore(READERS)

    def routes(self) -> list[BaseRoute]:
        return [
            *self._layout.static_routes(),
            Route(PAGE, self.figures),
            StaffRoute(f"{PAGE}/bulletins", self.enter, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/import", self.take_file, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/bulletins/approve", self.approve_picked, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/bulletins/{{id:int}}/approve", self.approve, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/bulletins/{{id:int}}/reject", self.reject, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/bulletins/{{id:int}}/withdraw", self.withdraw, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/held", self.ask, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/held/{{id:int}}/accept", self.accept, self._door, ROLES, "POST"),
            StaffRoute(f"{PAGE}/held/{{id:int}}/end", self.end, self._door, ROLES, "POST"),
        ]

    async def figures(self, request: Request) -> Response:
        """`?place=`: a key of figure places. Everybody may read; staff see their part below."""
        person = await self._person(request)
        if person and (first := duty(person)):
            return redirect(first)
        place = await self._place(request.query_params.get("place", ""))
        most_rows = MOST_ROWS if request.query_params.get("rows") == "all" else FEW_ROWS
        if person is None:
            return await self._for_citizens(request, place, most_rows)
        return await self._page(request, person, place, most_rows=most_rows, done=self._done(request))

    async def enter(self, visit: Visit) -> Response:
        fields = _bulletin_fields(visit.form.fields)
        try:
            await self._in_thread(lambda: self._with(lambda c: bulletins.propose(c, bulletins.draft(fields), visit.person.name)))
        except DraftRefused as refused:
            return await self._again(visit, problems=_by_column(refused.problems), typed=visit.form.fields)
        return self._back("proposed", fields.get("place", ""))

    async def take_file(self, visit: Visit) -> Response:
        """A file, or what was pasted; the file counts if both came."""
        content: bytes | str = visit.form.files.get("file") or visit.form["text"]
        if not content.strip():
            return await self._again(visit, file_problems=[self._layout.words["import_nothing"]])
        try:
            made = await self._in_thread(lambda: self._with(lambda c: bulletins.import_csv(c, content, visit.person.name)))
        except FileRefused as refused:
            return await self._again(visit, file_problems=bulletins.file_problems(refused), pasted=visit.form["text"])
        return self._back("imported", visit.form["place"], len(made))

    async def approve(self, visit: Visit) -> Response:
        override = visit.form["override"]
        return await self._decide(visit, "approved", lambda c, i, by: bulletins.approve(c, i, by, override=override))

    async def approve_picked(self, visit: Visit) -> Response:
        """Those whose boxes are ticked, each by itself: what the gate doubts is left for a look and a reason."""
        picked = [int(name[5:]) for name in visit.form.fields if PICK.fullmatch(name)]
        if not picked:
            return await self._again(visit, refused=self._layout.words["picked_none"])
        left = await self._in_thread(lambda: self._with(lambda c: _approve_each(c, picked, visit.person.name)))
        if left:
            sentence = self._layout.words["picked_left"].format(left=", ".join(map(str, left)))
            return await self._again(visit, refused=sentence, status=409)
        return self._back("approved_many", visit.form["place"], len(picked))

    async def reject(self, visit: Visit) -> Response:
        return await self._decide(visit, "rejected", lambda c, i, by: bulletins.reject(c, i, by, visit.form["because"]))

    async def withdraw(self, visit: Visit) -> Response:
        return await self._decide(visit, "withdrawn", lambda c, i, by: bulletins.withdraw(c, i, by, visit.form["because"]))

    async def ask(self, visit: Visit) -> Response:
        """That a series which the gate holds back be told."""
        series, because, name = acceptance.series_named(visit.form["series"]), visit.form["because"], visit.person.name
        try:
            await self._in_thread(lambda: self._with(lambda c: acceptance.ask(c, series, name, because)))
        except BulletinRefused as refused:
            return await self._again(visit, refused=str(refused), status=409)
        return self._back("held_asked", visit.form["place"])

    async def accept(self, visit: Visit) -> Response:
        return await self._decide(visit, "held_accepted", acceptance.accept)

    async def end(self, visit: Visit) -> Response:
        return await self._decide(visit, "held_ended", lambda c, i, by: acceptance.end(c, i, by, visit.form["because"]))

    async def _decide(self, visit: Visit, done: str, decide: Callable[[Connection, int, str], Any]) -> Response:
        bulletin_id = int(visit.request.path_params["id"])
        if bulletin_id >= 2**63:
            return self._door.refusal(visit.request, visit.person, "form_unreadable", 400)
        try:
            await self._in_thread(lambda: self._with(lambda c: decide(c, bulletin_id, visit.person.name)))
        except BulletinRefused as refused:
            return await self._again(visit, refused=str(refused), status=409)
        except (Doubted, DraftRefused) as error:
            # The doubts stand with the proposal when the page is shown again; so does the field for the reason.
            sentences = [bulletins.problem_sentence(p) for p in error.problems] if isinstance(error, DraftRefused) else []
            return await self._again(visit, refused=" ".join(sentences) or self._layout.words["doubted"], status=409)
        return self._back(done, visit.form["place"])

    async def _for_citizens(self, request: Request, place: str, most_rows: int) -> Response:
        key = f"{place} {most_rows}"
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept[0] > KEPT_SECONDS:
            async with self._free:
                page = await self._page(request, None, place, most_rows=most_rows)
            self._kept[key] = (time.monotonic(), bytes(page.body))
            while len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)
        return HTMLResponse(self._kept[key][1], headers=HEADERS)

    async def _again(self, visit: Visit, *, status: int = 422, **values: Any) -> Response:
        """The page with what was wrong, and what was typed."""
        place = await self._place(visit.form["place"])
        return await self._page(visit.request, visit.person, place, status=status, **values)

    async def _page(
        self, request: Request, person: Person | None, place: str, *, most_rows: int = FEW_ROWS, status: int = 200, **values: Any
    ) -> Response:
        view = await self._view()
        today = datetime.datetime.now(VIETNAM).date()
        given: dict[str, Any] = {
            "view": await self._in_thread(lambda: view.public(place, today, most_rows)),
            "places": [
                ("country", [view.places.unit(COUNTRY)]),
                ("today", view.places.all("today")),
                ("until_2025", view.places.all("until_2025")),
            ],
            "work": await self._work(view) if person and person.role in ROLES else None,
            "is_staff": bool(person and person.role in ROLES),
            "metrics": METRICS,
            "reasons_of": view.reasons,
            "place_of": view.name,
            "columns": ", ".join(self._layout.words["columns"][column][0] for column in COLUMNS),
            "needed_columns": ", ".join(self._layout.words["columns"][column][0] for column in NEEDED),
            "sentence_of": bulletins.problem_sentence,
            "name_of": acceptance.name_of,
        }
        nothing: dict[str, Any] = {"done": "", "refused": "", "problems": {}, "file_problems": [], "pasted": ""}
        typed: Mapping[str, str] = values.pop("typed", {})
        given["typed"] = {name: typed.get(name, "") for name in (*COLUMNS, *DAYS_AND_HOURS)}
        csrf = self._door.csrf(request) if person else ""
        return self._layout.page(request, "figures.html", person, csrf, {**given, **nothing, **values}, status)

    async def _work(self, view: FiguresView) -> Work | None:
        """None while the database is away: the public part still stands."""
        try:
            return await self._in_thread(view.work)
        except psycopg.Error as error:
            log.warning("staff_page_without_database", error=type(error).__name__)
            return None

    async def _person(self, request: Request) -> Person | None:
        """Nobody while the database is away: the figures that came with the release are still shown."""
        with contextlib.suppress(psycopg.OperationalError, PoolTimeout):
            return await self._door.person(request)
        return None

    async def _place(self, asked: str) -> str:
        view = await self._view()
        return asked if asked in view.places and asked != UNKNOWN_PLACE else self._province

    async def _view(self) -> FiguresView:
        """Made at the first visit: the gateway starts without reading the places."""
        if self._made is None:
            self._made = await self._in_thread(lambda: FiguresView(self._root, self._url, self._layout.words, self._fragments))
        return self._made

    def _done(self, request: Request) -> str:
        words: Mapping[str, str] = self._layout.words["done"]
        count = request.query_params.get("count", "")
        given = count if count.isascii() and count.isdigit() and len(count) < 6 else ""
        return words.get(request.query_params.get("done", ""), "").format(count=given)

    def _back(self, done: str, place: str = "", count: int = 0) -> Response:
        where = f"&place={place}" if self._made and place in self._made.places else ""
        return redirect(f"{PAGE}?done={done}{where}{f'&count={count}' if count else ''}#staff")

    def _with(self, work: Callable[[Connection], T]) -> T:
        with connected(self._url, READ_MILLISECONDS * 5) as connection:
            return work(connection)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


def _approve_each(connection: Connection, picked: Sequence[int], by: str) -> list[int]:
    """The ids that could not be approved."""
    left = []
    for bulletin_id in picked:
        try:
            bulletins.approve(connection, bulletin_id, by)
        except (BulletinRefused, Doubted, DraftRefused):
            left.append(bulletin_id)
    return left


def _bulletin_fields(form: Mapping[str, str]) -> dict[str, str]:
    """The page asks for day and hour in two fields each."""
    fields = {column: form.get(column, "") for column in COLUMNS}
    for edge in ("starts", "ends"):
        fields[edge] = " ".join(filter(None, (form.get(f"{edge}_time", ""), form.get(f"{edge}_day", ""))))
    return fields


def _by_column(problems: Sequence[Problem]) -> dict[str, str]:
    """The first problem of each field, in words."""
    return {problem.column: bulletins.problem_sentence(problem) for problem in reversed(problems)}
