"""Staff pages over the real database, without the rest of the gateway: who works there, and with which browser."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.rows import dict_row
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from bot.database import DictConnection, Pool, open_pool
from bot.languages.interface import interface_words
from bot.settings import ROOT
from bot.staff import accounts
from bot.staff.accounts import Role
from bot.staff.pages import StaffPages
from bot.staff.sessions import Rules

OWN_PASSWORD = "con bò ăn cỏ ven sông"
SECRET = "a secret for tests of at least 32 characters"


class Office:
    """The database of the staff pages, in the words of the tests."""

    def __init__(self, url: str) -> None:
        self.url = url

    def does(self, work: Callable[[DictConnection], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
                return await work(connection)

        # In a thread: where a browser is played too, an event loop runs already.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def adds(self, name: str, role: Role = "content") -> str:
        """The first password of a new account."""
        return str(self.does(lambda connection: accounts.add(connection, name, role, "test")))

    def settles(self, name: str, role: Role = "content") -> str:
        """An account whose password needs no change any more."""
        password = self.adds(name, role)
        self.rows("UPDATE operators SET must_change_password = false WHERE name = %s", name)
        return password

    def hires(self, name: str, role: Role = "content") -> str:
        """An account with an open session, whose token is returned: for tests that are not about logging in."""
        token = f"token-of-{name}"
        self.rows(
            "INSERT INTO operators (name, role, password_hash, must_change_password) VALUES (%s, %s, '-', false) ON CONFLICT DO NOTHING",
            name,
            role,
        )
        self.rows(
            "INSERT INTO staff_sessions (token_hash, operator_id) SELECT sha256(%s), id FROM operators WHERE name = %s ON CONFLICT DO NOTHING",
            token.encode(),
            name,
        )
        return token

    def log(self, *actions: str) -> list[tuple[str, str]]:
        rows = self.rows("SELECT actor, action FROM audit_log WHERE action = ANY(%s) ORDER BY id", list(actions))
        return [(row["actor"], row["action"]) for row in rows]


class Browser:
    """One browser of one person: cookies, and forms filled in as the page shows them."""

    def __init__(self, app: Starlette, address: tuple[str, int] = ("203.0.113.7", 40000)) -> None:
        self.http = TestClient(app, base_url="https://loa.test", follow_redirects=False, client=address)

    def opens(self, path: str, **arguments: Any) -> Any:
        return self.http.get(path, **arguments)

    def csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.opens(path).text)
        assert found, path
        return found[1]

    def sends(self, path: str, page: str | None = None, **fields: str) -> Any:
        """Post a form that stands on `page` (the path itself if it is none else)."""
        return self.http.post(path, data={"csrf": self.csrf(page or path), **fields})

    def carries(self, token: str) -> None:
        """The cookie of a session and no other."""
        self.http.cookies.clear()
        self.http.cookies.set("__Host-loa-staff", token, domain="loa.test")

    def logs_in(self, name: str, password: str, **fields: str) -> Any:
        return self.sends("/staff/login", name=name, password=password, **fields)


def application(
    url: str, more: Callable[[StaffPages, Pool], list[BaseRoute]] | None = None, rules: Rules | None = None
) -> Starlette:
    pool = open_pool(url, max_size=4)
    staff = StaffPages(ROOT, pool, SECRET, rules)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    app = Starlette(routes=[*staff.routes(), *(more(staff, pool) if more else [])], lifespan=lifespan)
    app.state.door = staff.door
    return app


class Server:
    """The running application; every browser has its own cookies, all of them one event loop."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        self.client = TestClient(app)

    def visitor(self, address: tuple[str, int] = ("203.0.113.7", 40000)) -> Browser:
        browser = Browser(self.app, address)
        browser.http.portal = self.client.portal
        return browser

    def staff(self, office: Office, name: str, role: Role = "content") -> Browser:
        """Who is logged in already."""
        browser = self.visitor()
        browser.carries(office.hires(name, role))
        return browser


def reasons(response: Any) -> list[str]:
    """The keys of the reasons that a page gives."""
    return [key for key, sentence in interface_words(ROOT, "staff")["reasons"].items() if sentence in response.text]
