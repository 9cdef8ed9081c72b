"""/staff/login, /staff/logout, /staff/password."""

from __future__ import annotations

import hmac
from pathlib import Path

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.audit import entry
from bot.channels.body import BadBody
from bot.database import Pool
from bot.staff import accounts, passwords, sessions
from bot.staff.accounts import ROLES
from bot.staff.door import (
    FORM_COOKIE,
    LOGIN,
    PASSWORD,
    SESSION_COOKIE,
    Door,
    StaffRoute,
    Visit,
    forget_cookie,
    form_cookie,
    inside,
    set_cookie,
)
from bot.staff.forms import read_form
from bot.staff.layout import HERE, Layout, redirect
from bot.staff.login import LoginRefused, count_password_try, forget_try, login

log = structlog.get_logger(__name__)

HOME = "/insights/figures"
MOST_LOGIN_BYTES = 16 * 1024
STATUS = {"login_wrong": 401, "login_locked": 429, "login_too_many": 429}


class StaffPages:
    """`door` is handed to the other rooms that have staff pages."""

    def __init__(self, root: Path, pool: Pool, secret: str) -> None:
        self._pool = pool
        self._layout = Layout(root, HERE / "templates")
        self.door = Door(pool, secret, self._layout)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/static/staff.css", self._layout.files.serve),
            Route(LOGIN, self.login_page),
            Route(LOGIN, self.log_in, methods=["POST"]),
            StaffRoute("/staff/logout", self.log_out, self.door, ROLES, "POST"),
            StaffRoute(PASSWORD, self.password_page, self.door, ROLES),
            StaffRoute(PASSWORD, self.change_password, self.door, ROLES, "POST"),
        ]

    async def login_page(self, request: Request) -> Response:
        return self._login(request, "session_over" if "over" in request.query_params else "")

    async def log_in(self, request: Request) -> Response:
        try:
            form = await read_form(request, MOST_LOGIN_BYTES)
        except BadBody as error:
            return self._login(request, "form_unreadable", status=error.status)
        binding = request.cookies.get(FORM_COOKIE, "")
        if not binding or not hmac.compare_digest(form["csrf"].encode(), self.door.csrf_of(binding).encode()):
            return self._login(request, "cookie_missing" if not binding else "form_not_ours", form["name"], form["next"], 403)
        try:
            token = await login(self._pool, form["name"], form["password"], request.client.host if request.client else None)
        except LoginRefused as refused:
            return self._login(request, refused.reason, form["name"], form["next"], STATUS[refused.reason])
        except (psycopg.OperationalError, PoolTimeout) as error:
            log.warning("staff_page_without_database", error=type(error).__name__)
            return self._login(request, "database_away", form["name"], form["next"], 503)
        response = redirect(inside(form["next"], HOME))
        set_cookie(response, SESSION_COOKIE, token)
        forget_cookie(response, FORM_COOKIE)
        return response

    async def log_out(self, visit: Visit) -> Response:
        """`everywhere` ends the sessions on other devices too."""
        async with self._pool.connection() as connection, connection.transaction():
            if visit.form["everywhere"]:
                await sessions.end_all(connection, visit.person.id)
            else:
                await sessions.end(connection, visit.request.cookies[SESSION_COOKIE])
            await connection.execute(*entry(visit.person.name, "logout", everywhere=bool(visit.form["everywhere"])))
        response = redirect(LOGIN)
        forget_cookie(response, SESSION_COOKIE)
        return response

    async def password_page(self, visit: Visit) -> Response:
        return self._password(visit)

    async def change_password(self, visit: Visit) -> Response:
        person, new = visit.person, visit.form["new"]
        if new != visit.form["again"]:
            return self._password(visit, "password_differs", 422)
        try:
            await self._check_old(person, visit.form["old"])
            passwords.check_strength(new, person.name)
        except LoginRefused as refused:
            return self._password(visit, refused.reason, STATUS.get(refused.reason, 422))
        except passwords.WeakPassword as weak:
            return self._password(visit, weak.reason, 422)
        if new == visit.form["old"]:
            return self._password(visit, "password_is_old", 422)
        async with self._pool.connection() as connection:
            await accounts.change_password(connection, person.id, person.name, new)
            token = await sessions.start(connection, person.id)
        response = redirect(HOME)
        set_cookie(response, SESSION_COOKIE, token)
        return response

    async def _check_old(self, person: sessions.Person, password: str) -> None:
        """Raises LoginRefused: whoever finds an open browser must not guess the password from inside."""
        async with self._pool.connection() as connection:
            failure_id = await count_password_try(connection, person.name)
            kept = await accounts.password_hash(connection, person.id)
        if not await passwords.matches(kept, password):
            raise LoginRefused("password_old_wrong")
        async with self._pool.connection() as connection:
            await forget_try(connection, failure_id)

    def _login(self, request: Request, reason: str = "", name: str = "", following: str = "", status: int = 200) -> Response:
        binding = form_cookie(request)
        values = {"reason": reason, "name": name, "next": inside(following or request.query_params.get("next", ""), HOME)}
        response = self._layout.page(request, "login.html", None, self.door.csrf_of(binding), values, status)
        set_cookie(response, FORM_COOKIE, binding)
        return response

    def _password(self, visit: Visit, reason: str = "", status: int = 200) -> Response:
        values = {"reason": reason, "shortest": passwords.SHORTEST}
        return self._layout.page(visit.request, "password.html", visit.person, visit.csrf, values, status)
