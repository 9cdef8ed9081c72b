"""/learn: what the bot could not answer, grouped; staff decide what a group is, a second person agrees to a topic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import BaseRoute

from bot.database import Pool
from bot.languages.catalogue import Catalogue
from bot.learn import store
from bot.learn.store import LearnRefused, Wanted
from bot.staff.accounts import Role
from bot.staff.door import Door, Handler, StaffRoute, Visit, or_refused
from bot.staff.layout import Layout, redirect

HERE = Path(__file__).parent
PAGE = "/learn"
ROLES: tuple[Role, ...] = ("content", "senior", "admin")
# A longer question is seldom a good example: it tells a story. It may be chosen, but is not by itself.
CHOSEN_LETTERS = 160
CHOSEN_EXAMPLES = 8
MOST_PAGES = 1_000
MOST_ID = 2**63


class LearnPages:
    """All pages below /learn."""

    def __init__(self, root: Path, pool: Pool, door: Door, catalogue: Catalogue) -> None:
        self._pool, self._door, self._catalogue = pool, door, catalogue
        static = (HERE / "static/learn.css", HERE / "static/learn.js")
        self._layout = Layout(root, HERE / "templates", "learn", static=static)

    def routes(self) -> list[BaseRoute]:
        one = f"{PAGE}/groups/{{id:int}}"
        pages: tuple[tuple[str, Handler, str], ...] = (
            (PAGE, self.overview, "GET"),
            (f"{PAGE}/tasks", self.tasks, "GET"),
            (f"{PAGE}/tasks/{{id:int}}", self.move_task, "POST"),
            (one, self.show, "GET"),
            (f"{one}/topic", self.propose, "POST"),
            (f"{one}/settle", self.settle, "POST"),
            (f"{one}/answer", self.answer, "POST"),
            (f"{one}/undo", self.undo, "POST"),
        )
        staff = [
            StaffRoute(path, or_refused(handler, LearnRefused, self._refused), self._door, ROLES, method)
            for path, handler, method in pages
        ]
        return [*staff, *self._layout.static_routes()]

    async def _refused(self, visit: Visit, refused: LearnRefused) -> Response:
        """The group as it is now, or the list."""
        if refused.reason == "unknown":
            return await self._list(visit, Wanted(), refused="unknown", status=404)
        return await self._show(visit, refused=refused.reason, status=409)

    async def overview(self, visit: Visit) -> Response:
        asked = visit.request.query_params
        state, page = asked.get("state", "open"), asked.get("page", "0")
        wanted = Wanted(
            state=state if state in store.STATES else "open",
            language=asked.get("language", "").replace("\x00", "")[:20],
            search=asked.get("q", "")[:200],
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 0,
        )
        return await self._list(visit, wanted)

    async def tasks(self, visit: Visit) -> Response:
        async with self._pool.connection() as connection:
            found = await store.tasks(connection)
        return self._page(visit, "learn_tasks.html", {"tasks": found})

    async def move_task(self, visit: Visit) -> Response:
        async with self._pool.connection() as connection:
            await store.move_task(connection, _id(visit), visit.form["task"], visit.person.name)
        return redirect(f"{PAGE}/tasks?done=task")

    async def show(self, visit: Visit) -> Response:
        return await self._show(visit)

    async def propose(self, visit: Visit) -> Response:
        topic = visit.form["topic"]
        if topic not in self._topic_names():
            raise LearnRefused("topic_unknown")
        async with self._pool.connection() as connection:
            shown = await store.get(connection, _id(visit))
            # Named by their words: whatever joined the group meanwhile is nothing that anybody saw.
            ticked = {visit.form[f"example_{number}"] for number in range(store.SHOWN_TEXTS)}
            chosen = [wording.text for wording in shown.wordings if wording.text in ticked]
            await store.propose(connection, _id(visit), topic, chosen, visit.person.name, visit.form["note"])
        return self._next(visit, "proposed")

    async def settle(self, visit: Visit) -> Response:
        kind = visit.form["kind"]
        async with self._pool.connection() as connection:
            await store.settle(connection, _id(visit), kind, visit.person.name, visit.form["note"])
        return self._next(visit, kind)

    async def answer(self, visit: Visit) -> Response:
        agree = visit.form["answer"] == "agree"
        async with self._pool.connection() as connection:
            decision = _number(visit.form["decision"])
            await store.answer_proposal(connection, _id(visit), decision, visit.person.name, agree=agree)
        return redirect(f"{PAGE}?state=proposed&done={'agreed' if agree else 'refused'}")

    async def undo(self, visit: Visit) -> Response:
        async with self._pool.connection() as connection:
            await store.undo(connection, _id(visit), _number(visit.form["decision"]), visit.person.name)
        return redirect(f"{PAGE}/groups/{_id(visit)}?done=undone")

    def _next(self, visit: Visit, done: str) -> Response:
        """Back to the list in the language that is being worked on: the next biggest group stands first there."""
        language = visit.form["language"] if visit.form["language"].replace("-", "").isalpha() else ""
        return redirect(f"{PAGE}?{urlencode({'done': done, 'group': _id(visit), 'language': language})}")

    async def _list(self, visit: Visit, wanted: Wanted, *, refused: str = "", status: int = 200) -> Response:
        async with self._pool.connection() as connection:
            listed, is_more = await store.listed(connection, wanted)
            counts = await store.counts(connection)
        values = {
            "listed": listed,
            "is_more": is_more and wanted.page < MOST_PAGES,
            "wanted": wanted,
            "counts": counts,
            "query": lambda **changed: urlencode({**_query(wanted), **changed}),
            "group": _digits(visit.request.query_params.get("group", "")),
            "refused": self._layout.words["refused"].get(refused, ""),
        }
        return self._page(visit, "learn.html", values, status)

    async def _show(self, visit: Visit, *, refused: str = "", status: int = 200) -> Response:
        async with self._pool.connection() as connection:
            shown = await store.get(connection, _id(visit))
            past = await store.history(connection, shown.group.id)
        likeliest = next((intent for intent, _ in shown.guesses if intent in self._topic_names()), "")
        short = [wording.text for wording in shown.wordings if len(wording.text) <= CHOSEN_LETTERS]
        values = {
            "shown": shown,
            "past": past,
            "topics": self._topics(),
            "likeliest": likeliest,
            "chosen": set((short or [wording.text for wording in shown.wordings])[:CHOSEN_EXAMPLES]),
            "refused": self._layout.words["refused"].get(refused, ""),
        }
        return self._page(visit, "learn_group.html", values, status)

    def _page(self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        done = self._layout.words["done"].get(visit.request.query_params.get("done", ""), "")
        names = {one.tag: one.name for one in self._catalogue.languages.all()}
        shared = {"done": done, "title_of": self._title, "name_of": lambda tag: names.get(tag, tag)}
        return self._layout.page(visit.request, template, visit.person, visit.csrf, {**shared, **values}, status)

    def _title(self, intent: str) -> str:
        return self._catalogue.title(intent)

    def _topics(self) -> dict[str, list[tuple[str, str]]]:
        """(intent, its title) by topic."""
        found: dict[str, list[tuple[str, str]]] = {}
        for intent in self._catalogue.intents.values():
            found.setdefault(intent.topic, []).append((intent.name, self._title(intent.name)))
        return found

    def _topic_names(self) -> frozenset[str]:
        return frozenset(self._catalogue.intents)


def _id(visit: Visit) -> int:
    found = int(visit.request.path_params["id"])
    if found >= MOST_ID:
        raise LearnRefused("unknown")
    return found


def _number(text: str) -> int:
    return int(text) if _digits(text) else -1


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 19 else ""


def _query(wanted: Wanted) -> dict[str, str]:
    return {"state": wanted.state, "language": wanted.language, "q": wanted.search}
