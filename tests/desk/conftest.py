"""The desk over the real database: cases as they come to it, and the browsers of those who work there."""

from __future__ import annotations

import contextlib
import datetime
import functools
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.database import open_pool
from bot.desk.pages import DeskPages
from bot.dialogue.queue import Queue
from bot.handoff import cases
from bot.handoff.desks import Desks
from bot.handoff.office import Office as HandoffOffice
from bot.handoff.office import prepare
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from bot.staff.accounts import Role
from bot.staff.pages import StaffPages
from tests.databases import Databases
from tests.desk.house import House
from tests.office import SECRET, Browser, Office

WORDS = interface_words(ROOT, "staff", "desk")
WINDOWS = {"zalo": datetime.timedelta(days=7), "telegram": None}
PLACE = "buon-ho-phuong"

# The addresses at which a platform was asked to show that a person is writing.
SIGNS: list[str] = []


async def shown_typing(address: str) -> None:
    SIGNS.append(address)


@functools.cache
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


class Desk:
    """Cases and people, in the words of the tests."""

    def __init__(self, url: str, client: TestClient) -> None:
        self.office, self._client = Office(url), client
        self._numbers = itertools.count(1)

    def writes(self, text: str = "xin gặp người", *, channel: str = "zalo", language: str = "vi", **columns: Any) -> int:
        """A citizen's message in a conversation of its own; the id of the conversation."""
        address = f"citizen-{next(self._numbers):06d}"
        [row] = self.office.rows(
            "INSERT INTO conversations (channel, address, language, interacted_at) VALUES (%s, %s, %s, now()) RETURNING id",
            channel,
            address,
            language,
        )
        self.says(row["id"], text, channel=channel, **columns)
        return int(row["id"])

    def says(self, conversation_id: int, text: str, *, channel: str = "zalo", turn: str = "human", **columns: Any) -> int:
        names = "".join(f", {name}" for name in columns)
        places = ", %s" * len(columns)
        [row] = self.office.rows(
            f"""INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn{names})
                VALUES (%s, 'incoming', 'citizen', %s, gen_random_uuid()::text, %s, %s{places}) RETURNING id""",
            conversation_id,
            channel,
            text,
            turn,
            *columns.values(),
        )
        return int(row["id"])

    def asks(self, text: str = "xin gặp người", *, reason: str = "asked", topic: str | None = None, **columns: Any) -> int:
        """A citizen who waits; the id of the case."""
        conversation_id = self.writes(text, **columns)
        return int(self.office.does(lambda c: opened(c, conversation_id, reason, topic)))

    def case(self, case_id: int) -> dict[str, Any]:
        [row] = self.office.rows(
            """SELECT k.*, c.owner, o.name AS operator FROM cases k JOIN conversations c ON c.id = k.conversation_id
               LEFT JOIN operators o ON o.id = k.operator_id WHERE k.id = %s""",
            case_id,
        )
        return row

    def sent(self, case_id: int) -> list[str]:
        rows = self.office.rows(
            """SELECT m.text FROM messages m JOIN cases k ON k.conversation_id = m.conversation_id
                WHERE k.id = %s AND m.author = 'operator' AND m.direction = 'outgoing' ORDER BY m.id""",
            case_id,
        )
        return [row["text"] for row in rows]

    def comes(self, name: str, role: Role = "operator", *, is_new: bool = False) -> Browser:
        """Somebody of the staff at a browser of their own, logged in."""
        browser = Browser(self._client.app)  # type: ignore[arg-type]
        browser.http.portal = self._client.portal
        browser.carries(self.office.hires(name, role))
        self.office.rows("UPDATE operators SET needs_approval = %s WHERE name = %s", is_new, name)
        return browser

    def holds(self, name: str, case_id: int, *, role: Role = "operator", is_new: bool = False) -> Browser:
        """Somebody who has claimed the case."""
        browser = self.comes(name, role, is_new=is_new)
        assert does(browser, case_id, "claim").status_code == 303
        return browser

    def audited(self, case_id: int) -> list[tuple[str, str]]:
        rows = self.office.rows("SELECT actor, action FROM audit_log WHERE object = %s ORDER BY id", f"case:{case_id}")
        return [(row["actor"], row["action"]) for row in rows if row["action"] != "case_viewed"]


async def opened(connection: Any, conversation_id: int, reason: str, topic: str | None) -> int:
    async with connection.transaction():
        return await cases.open_case(connection, conversation_id, reason=reason, topic=topic, urgent=reason == "emergency")


def does(browser: Browser, case_id: int, action: str, **fields: str) -> Any:
    """Post one of the forms of the case's page."""
    return browser.sends(f"/desk/cases/{case_id}/{action}", f"/desk/cases/{case_id}", **fields)


def sends(browser: Browser, case_id: int, text: str, key: str = "a-key-of-a-form", **fields: str) -> Any:
    return does(browser, case_id, "send", text=text, key=key, **fields)


def app_of(url: str) -> Starlette:
    pool, queue = open_pool(url, max_size=6), Queue(url)
    staff = StaffPages(ROOT, pool, SECRET)
    desk = DeskPages(ROOT, url, pool, staff.door, catalogue(), WINDOWS, signs={"telegram": shown_typing})
    prepare(HandoffOffice(catalogue(), Desks.load(ROOT, "dak-lak"), queue))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool, queue.app.open_async():
            yield

    return Starlette(routes=[*staff.routes(), *desk.routes()], lifespan=lifespan)


@pytest.fixture(scope="package")
def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One gateway for the browsers of all files; `house.empties()` comes before a test."""
    with databases.one() as url, House(url, tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture(scope="module")
def running(shared_database_url: str) -> Iterator[tuple[str, TestClient]]:
    """One application for the tests of a file."""
    with TestClient(app_of(shared_database_url)) as client:
        yield shared_database_url, client


@pytest.fixture
def desk(running: tuple[str, TestClient]) -> Desk:
    """No citizens, no cases; the log and the accounts stay."""
    url, client = running
    found = Desk(url, client)
    found.office.rows("TRUNCATE conversations CASCADE")
    return found
