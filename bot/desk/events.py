"""Live pages: server-sent events over the desk's news. Every stream begins with the whole truth and then tells what changed, so
that a page that lost its connection, or lands on another gateway, is right again at once.

    data: {"lists": ["waiting", "mine", "others"], "full": true, "gone": [],
           "rows": [{"key": "17", "group": "waiting", "html": "<li … data-order="…">"}]}
    data: {"lists": ["items"], …, "state": "claimed:3:", "window": "còn 5 giờ"}
    data: {"typing": "lan", "author": "operator"}          a colleague, or the citizen
    event: over          the session is over: log in again
"""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from bot.audit import Action, entry
from bot.desk import drafts
from bot.desk.board import Board
from bot.desk.case_page import CASE, CasePage
from bot.desk.live import QUEUE, DeskNews, News
from bot.desk.rendering import Part
from bot.desk.room import DESK, DESK_ROLES, SENIOR_ROLES, Room, case_id_of
from bot.desk.transcript import MOST_MESSAGES, transcript
from bot.handoff import rows
from bot.metrics import LIVE_STREAMS
from bot.staff.door import StaffRoute, Visit
from bot.staff.layout import HEADERS

# A proxy cuts what says nothing for half a minute (deploy/nginx.conf).
KEEPALIVE_SECONDS = 15.0
# What happens within this time reaches a page in one piece: a busy queue is read a few times a second, not at every word.
GATHER_SECONDS = 0.25
# A change is among the newest messages: an older one does not change any more.
NEWEST = 30
ABOUT = "about"
STREAM_HEADERS = {**HEADERS, "X-Accel-Buffering": "no"}

# Within this time a page that connects anew is no other view.
NOTED_FOR = datetime.timedelta(hours=1)

# What a page shows, by key: what each part was made of.
Shown = dict[str, object]


class Events:
    def __init__(self, room: Room, board: Board, news: DeskNews, page: CasePage) -> None:
        self._room, self._board, self._news, self._page = room, board, news, page

    def routes(self) -> list[BaseRoute]:
        door = self._room.door
        return [
            StaffRoute(f"{DESK}/events", self.queue, door, DESK_ROLES, is_background=True),
            StaffRoute(f"{CASE}/events", self.case, door, DESK_ROLES, is_background=True),
        ]

    async def queue(self, visit: Visit) -> Response:
        desk = self._room.desk_asked_for(visit)
        await self._note(visit, "queue_viewed", desk)
        return _stream(self._queue(visit, desk))

    async def case(self, visit: Visit) -> Response:
        case_id = case_id_of(visit.request.path_params["id"])
        await self._note(visit, "case_viewed", f"case:{case_id}")
        return _stream(self._case(visit, case_id))

    async def _note(self, visit: Visit, action: Action, what: str) -> None:
        """A stream shows what its page shows. Who opened that lately is in the log already, however often the network fails."""
        async with self._room.pool.connection() as connection:
            found = await connection.execute(
                """SELECT 1 FROM audit_log WHERE at > now() - %s AND actor = %s AND action = %s AND object = %s LIMIT 1""",
                [NOTED_FOR, visit.person.name, action, what],
            )
            if await found.fetchone() is None:
                await connection.execute(*entry(visit.person.name, action, what))

    async def _queue(self, visit: Visit, desk: str) -> AsyncIterator[str]:
        """The open cases, and for seniors the words that wait for them."""
        shown: Shown = {}
        proposed: Shown | None = {} if visit.person.role in SENIOR_ROLES else None
        is_first = True
        with self._news.subscription(QUEUE) as news, LIVE_STREAMS.track_inprogress():
            yield "retry: 1000\n\n"
            while True:
                news.taken()
                try:
                    told = [await self._queue_change(visit, desk, shown, is_full=is_first)]
                    if proposed is not None:
                        told.append(await self._drafts_change(visit, proposed, is_full=is_first))
                except (psycopg.OperationalError, PoolTimeout):
                    return  # the page comes back when the database does
                for change in told:
                    if change["rows"] or change["gone"] or is_first:
                        yield _data(change)
                is_first = False
                async for line in self._wait(visit, news):
                    yield line
                    if line.startswith("event: over"):
                        return

    async def _case(self, visit: Visit, case_id: int) -> AsyncIterator[str]:
        shown: Shown = {}
        is_first = True
        with self._news.subscription(case_id) as news, LIVE_STREAMS.track_inprogress():
            yield "retry: 1000\n\n"
            typing: set[str] = set()
            while True:
                for name in typing - {visit.person.name}:
                    author = "operator" if name else "citizen"
                    yield _data({"typing": name or self._room.layout.words["author_citizen"], "author": author})
                try:
                    change = await self._case_change(case_id, shown, is_first=is_first)
                except (psycopg.OperationalError, PoolTimeout):
                    return
                if change is None:
                    return
                if change:
                    yield _data(change)
                is_first = False
                async for line in self._wait(visit, news):
                    yield line
                    if line.startswith("event: over"):
                        return
                typing = news.taken()

    async def _queue_change(self, visit: Visit, desk: str, shown: Shown, *, is_full: bool) -> dict[str, Any]:
        open_now = await self._board.shown()
        parts = [one.part(visit.person.id) for one in open_now.values() if desk in ("", one.row.desk)]
        return {"lists": ["waiting", "mine", "others"], "full": is_full, **_changed(parts, shown)}

    async def _drafts_change(self, visit: Visit, shown: Shown, *, is_full: bool) -> dict[str, Any]:
        async with self._room.pool.connection() as connection:
            waiting = await drafts.waiting(connection)
        parts = self._room.rendering.drafts(waiting, visit.person, visit.csrf)
        return {"lists": ["drafts"], "full": is_full, **_changed(parts, shown)}

    async def _case_change(self, case_id: int, shown: Shown, *, is_first: bool) -> dict[str, Any] | None:
        """Empty when nothing has changed; None without such a case. What fell off the beginning stays on the page."""
        async with self._room.pool.connection() as connection:
            case = await rows.get(connection, case_id)
            if case is None:
                return None
            most = MOST_MESSAGES if is_first else NEWEST
            talk = await transcript(connection, case.conversation_id, most=most, ended_at=case.ended_at)
            point = await rows.point(connection, case)
        about = {"state": self._page.state(case, point), "window": self._room.window(case)}
        is_known = shown.get(ABOUT) == about
        before = dict(shown)
        change = _changed(self._room.rendering.items(talk.items), shown)
        gone = [key for key in talk.sent if key in before]
        shown |= {**before, **shown, ABOUT: about}
        for key in gone:
            del shown[key]
        if not (change["rows"] or gone) and is_known:
            return {}
        return {"lists": ["items"], "full": False, **change, "gone": gone, **about}

    async def _wait(self, visit: Visit, news: News) -> AsyncIterator[str]:
        """Until there is news, with signs of life; says when the session is over."""
        while True:
            began = time.monotonic()
            try:
                await asyncio.wait_for(news.changed.wait(), KEEPALIVE_SECONDS)
            except TimeoutError:
                try:
                    person = await self._room.door.person(visit.request, is_background=True)
                except (psycopg.OperationalError, PoolTimeout):
                    person = visit.person
                if person is None or person.role != visit.person.role:
                    yield "event: over\ndata: {}\n\n"
                    return
                yield ": still here\n\n"
                continue
            await asyncio.sleep(max(0.0, GATHER_SECONDS - (time.monotonic() - began)))
            return


def _changed(parts: Sequence[Part], shown: Shown) -> dict[str, Any]:
    """The rows that are new or look different, and the keys that are gone; `shown` is brought up to date."""
    fresh = [part for part in parts if part.key not in shown or shown[part.key] != (part.made_of, part.group)]
    now = {part.key: (part.made_of, part.group) for part in parts}
    gone = [key for key in shown if key not in now]
    shown.clear()
    shown.update(now)
    return {"rows": [{"key": p.key, "group": p.group, "html": p.html()} for p in fresh], "gone": gone}


def _data(change: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(change, ensure_ascii=False)}\n\n"


def _stream(lines: AsyncIterator[str]) -> Response:
    return StreamingResponse(lines, media_type="text/event-stream", headers=STREAM_HEADERS)
