"""Live pages: a stream begins with the whole truth, tells what changed, and ends with the session."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request

from bot.database import open_pool
from bot.desk import events
from bot.desk.live import QUEUE, DeskNews
from bot.desk.pages import DeskPages
from bot.settings import ROOT
from bot.staff.accounts import Role
from bot.staff.door import Visit
from bot.staff.pages import StaffPages
from bot.staff.sessions import Person
from tests.desk.conftest import WINDOWS, WORDS, Desk, catalogue, does, sends
from tests.office import SECRET


def test_news_wake_who_shows_the_case_and_who_shows_all() -> None:
    news = DeskNews("")
    with news.subscription(7) as seven, news.subscription(8) as eight, news.subscription(QUEUE) as queue:
        news.hear('{"case": 7, "kind": "message"}')
        assert [one.changed.is_set() for one in (seven, eight, queue)] == [True, False, True]
        for one in (seven, queue):
            one.taken()
        news.hear('{"case": 7, "kind": "typing", "name": "lan"}')
        assert (seven.taken(), seven.taken(), queue.changed.is_set()) == ({"lan"}, set(), False)


@pytest.mark.parametrize("payload", ["", "x", "[]", "null", '{"case": "x", "kind": "y"}', "{}"])
def test_a_notice_that_cannot_be_read_wakes_everybody(payload: str) -> None:
    news = DeskNews("")
    with news.subscription(7) as seven:
        news.hear(payload)
        assert seven.changed.is_set()


def test_a_page_that_has_gone_is_forgotten() -> None:
    news = DeskNews("")
    with news.subscription(7):
        pass
    assert news._pages == {}


class Page:
    """An open page that follows its stream. `shown`: the rows by list and key, as a browser would have them."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.shown: dict[str, dict[str, str]] = {}
        self.told: list[dict[str, Any]] = []

    async def follows(self, until: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            async for line in self._lines:
                if line.startswith("data: "):
                    self._take(json.loads(line[6:]))
                if line.startswith("event: over"):
                    self.told.append({"over": True})
                if until():
                    return

    def _take(self, change: dict[str, Any]) -> None:
        self.told.append(change)
        if change.get("full"):
            for name in change["lists"]:
                self.shown[name] = {}
        for name in change.get("lists", ()):
            rows = self.shown.setdefault(name, {})
            for key in (*change["gone"], *(row["key"] for row in change["rows"])):
                rows.pop(key, None)
        for row in change.get("rows", ()):
            self.shown[row["group"] or change["lists"][0]][row["key"]] = row["html"]

    def keys(self, name: str) -> list[int]:
        return sorted(int(key) for key in self.shown.get(name, ()))


Play = Callable[[DeskPages, Visit], Awaitable[None]]


def plays(desk: Desk, play: Play, name: str = "lan", role: Role = "operator") -> None:
    """A gateway of its own, in which somebody has a page open."""
    token = desk.office.hires(name, role)
    [row] = desk.office.rows("SELECT id FROM operators WHERE name = %s", name)
    headers = [(b"cookie", f"__Host-loa-staff={token}".encode())]
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})
    visit = Visit(request, Person(row["id"], name, role, False), "csrf", None)  # type: ignore[arg-type]

    async def run() -> None:
        async with open_pool(desk.office.url, max_size=3) as pool:
            staff = StaffPages(ROOT, pool, SECRET)
            pages = DeskPages(ROOT, desk.office.url, pool, staff.door, catalogue(), WINDOWS)
            listening = asyncio.create_task(pages.listen())
            await play(pages, visit)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    asyncio.run(run())


def test_a_page_of_the_queue_follows_what_happens(desk: Desk) -> None:
    first = desk.asks("câu thứ nhất")
    binh = desk.comes("binh")

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._queue(visit, ""))
        await page.follows(lambda: page.keys("waiting") == [first])
        assert page.told[0]["full"]
        second = await asyncio.to_thread(desk.asks, "câu thứ hai")
        await page.follows(lambda: page.keys("waiting") == [first, second])
        assert [row["key"] for row in page.told[-1]["rows"]] == [str(second)], "only what changed is told"
        await asyncio.to_thread(does, binh, first, "claim")
        await page.follows(lambda: (page.keys("waiting"), page.keys("others")) == ([second], [first]))
        await asyncio.to_thread(desk.says, desk.case(second)["conversation_id"], "alo có ai không")
        await page.follows(lambda: "alo có ai không" in page.shown["waiting"][str(second)])
        await asyncio.to_thread(does, binh, first, "close", outcome="answered")
        await page.follows(lambda: page.keys("others") == [])

    plays(desk, play)


def test_a_page_narrowed_to_a_desk_hears_of_no_other(desk: Desk) -> None:
    desk.asks()

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._queue(visit, "another-desk"))
        await page.follows(lambda: bool(page.told))
        assert page.keys("waiting") == []

    plays(desk, play)


def test_a_conversation_follows_messages_deliveries_and_its_state(desk: Desk) -> None:
    case_id = desk.asks("chào")
    conversation_id = desk.case(case_id)["conversation_id"]
    lan = desk.comes("lan")

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._case(visit, case_id))
        await page.follows(lambda: bool(page.shown))
        assert page.told[-1]["state"].startswith("waiting")
        await asyncio.to_thread(does, lan, case_id, "claim")
        await page.follows(lambda: page.told[-1].get("state", "").startswith("claimed"))
        await asyncio.to_thread(sends, lan, case_id, "Dạ tôi nghe")
        await page.follows(lambda: "Dạ tôi nghe" in "".join(page.shown["items"].values()))
        key, html = next((key, html) for key, html in page.shown["items"].items() if "Dạ tôi nghe" in html)
        assert "delivery waiting" in html
        update = "UPDATE messages SET delivery = 'failed' WHERE conversation_id = %s AND author = 'operator'"
        await asyncio.to_thread(desk.office.rows, update, conversation_id)
        await page.follows(lambda: "delivery failed" in page.shown["items"][key])
        await asyncio.to_thread(desk.office.rows, "SELECT pg_notify('loa_desk', %s)", typing(case_id, "binh"))
        await page.follows(lambda: page.told[-1] == {"typing": "binh", "author": "operator"})
        await asyncio.to_thread(desk.office.rows, "SELECT pg_notify('loa_desk', %s)", typing(case_id, ""))
        await page.follows(lambda: page.told[-1] == {"typing": WORDS["author_citizen"], "author": "citizen"})

    plays(desk, play)


def typing(case_id: int, name: str) -> str:
    return json.dumps({"case": case_id, "kind": "typing", "name": name})


def test_words_that_wait_reach_seniors_alone(desk: Desk) -> None:
    case_id = desk.asks()
    new = desk.holds("moi", case_id, is_new=True)

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._queue(visit, ""))
        await page.follows(lambda: bool(page.told))
        await asyncio.to_thread(sends, new, case_id, "duyệt giúp em")
        if visit.person.role == "senior":
            await page.follows(lambda: "duyệt giúp em" in "".join(page.shown["drafts"].values()))
        else:
            await asyncio.to_thread(does, new, case_id, "release")
            await page.follows(lambda: page.keys("waiting") == [case_id])
            assert "drafts" not in page.shown

    plays(desk, play, "mai", "senior")
    does(new, case_id, "claim")
    plays(desk, play, "lan", "operator")


def test_who_reads_a_stream_without_its_page_is_noted_once(desk: Desk) -> None:
    case_id = desk.asks()

    async def play(pages: DeskPages, visit: Visit) -> None:
        visit.request.scope["path_params"] = {"id": case_id}
        for _ in range(2):  # the network fails now and then
            await pages._events.queue(visit)
            await pages._events.case(visit)

    plays(desk, play, "minh")
    noted = desk.office.rows("SELECT action, object FROM audit_log WHERE actor = 'minh' ORDER BY id")
    assert [(row["action"], row["object"]) for row in noted] == [("queue_viewed", ""), ("case_viewed", f"case:{case_id}")]


def test_after_a_lost_connection_a_page_is_right_again(desk: Desk) -> None:
    first = desk.asks()

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._queue(visit, ""))
        await page.follows(lambda: page.keys("waiting") == [first])
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN loa_desk%%' AND datname = current_database()"
        await asyncio.to_thread(desk.office.rows, cut)
        second = await asyncio.to_thread(desk.asks)
        await page.follows(lambda: page.keys("waiting") == [first, second])

    plays(desk, play)


def test_a_stream_ends_with_the_session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_SECONDS", 0.05)

    async def play(pages: DeskPages, visit: Visit) -> None:
        page = Page(pages._events._queue(visit, ""))
        await page.follows(lambda: bool(page.told))
        await asyncio.to_thread(desk.office.rows, "DELETE FROM staff_sessions")
        await page.follows(lambda: page.told[-1] == {"over": True})
        with pytest.raises(StopAsyncIteration):
            await anext(page._lines)

    plays(desk, play)


def test_looking_on_keeps_no_session_alive(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_SECONDS", 0.05)

    async def play(pages: DeskPages, visit: Visit) -> None:
        old = "UPDATE staff_sessions SET last_seen_at = now() - interval '20 minutes'"
        await asyncio.to_thread(desk.office.rows, old)
        lines = pages._events._queue(visit, "")
        async with asyncio.timeout(60):
            while await anext(lines) != ": still here\n\n":
                pass

    plays(desk, play)
    assert desk.office.rows("SELECT 1 FROM staff_sessions WHERE last_seen_at > now() - interval '19 minutes'") == []
