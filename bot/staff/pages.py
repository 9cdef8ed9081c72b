"""/staff/login with its second step, /staff/logout, /staff/password, /staff/session; and the door for the other rooms."""

from __future__ import annotations

import hmac
from pathlib import Path

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.audit import entry
from bot.campaigns.described import Describer
from bot.channels.body import BadBody
from bot.database import Pool
from bot.staff import accounts, passwords, sessions
from bot.staff.accounts import ROLES
from bot.staff.audit_page import AuditPage
from bot.staff.audit_words import Details
from bot.staff.door import (
    FORM_COOKIE,
    LOGIN,
    LOGOUT,
    PASSWORD,
    SESSION,
    SESSION_COOKIE,
    STEP_COOKIE,
    Door,
    StaffRoute,
    Visit,
    forget_cookie,
    form_cookie,
    inside,
    set_cookie,
)
from bot.staff.forms import Form, read_form
from bot.staff.layout import HEADERS, HERE, HOME, NAVIGATION, Layout, redirect
from bot.staff.login import LoginRefused, check_password, login, login_with_code
from bot.staff.people_page import PeoplePage
from bot.staff.sessions import Rules
from bot.staff.totp import Vault
from bot.staff.totp_page import TotpPage

log = structlog.get_logger(__name__)

CODE = "/staff/login/code"
MOST_LOGIN_BYTES = 16 * 1024
STATUS = {"login_wrong": 401, "login_locked": 429, "login_too_many": 429, "code_wrong": 401}


class StaffPages:
    """`door` is handed to the other rooms that have staff pages. `describer`: see audit_words.Details."""

    def __init__(
        self, root: Path, pool: Pool, secret: str, rules: Rules | None = None, describer: Describer | None = None
    ) -> None:
        rules = rules or Rules()
        self._pool = pool
        self._vault = Vault(secret)
        self._layout = Layout(root, HERE / "templates", "staff_pages")
        self.door = Door(pool, secret, self._layout, rules)
        self._totp = TotpPage(pool, self._vault, self._layout, self.door, rules)
        self._people = PeoplePage(pool, self._layout, self.door, rules)
        self._audit = AuditPage(pool, self._layout, self.door, Details(root, describer))

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/static/staff.css", self._layout.files.serve),
            Route("/static/staff.js", self._layout.files.serve),
            Route(LOGIN, self.login_page),
            Route(LOGIN, self.log_in, methods=["POST"]),
            Route(CODE, self.code_page),
            Route(CODE, self.take_code, methods=["POST"]),
            StaffRoute(LOGOUT, self.log_out, self.door, ROLES, "POST"),
            StaffRoute(HOME, self.start, self.door, ROLES),
            StaffRoute(PASSWORD, self.password_page, self.door, ROLES),
            StaffRoute(PASSWORD, self.change_password, self.door, ROLES, "POST"),
            StaffRoute(SESSION, self.time_left, self.door, ROLES, is_background=True),
            StaffRoute(SESSION, self.time_left, self.door, ROLES, "POST"),
            *self._totp.routes(),
            *self._people.routes(),
            *self._audit.routes(),
        ]

    async def start(self, visit: Visit) -> Response:
        return redirect(next(path for path, _, roles in NAVIGATION if visit.person.role in roles))

    async def login_page(self, request: Request) -> Response:
        return self._login(request, "session_over" if "over" in request.query_params else "")

    async def log_in(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        try:
            entered = await login(self._pool, form["name"], form["password"], _address(request))
        except LoginRefused as refused:
            return self._login(request, refused.reason, form["name"], form["next"], STATUS[refused.reason])
        except (psycopg.OperationalError, PoolTimeout) as error:
            log.warning("staff_page_without_database", error=type(error).__name__)
            return self._login(request, "database_away", form["name"], form["next"], 503)
        following = inside(form["next"], HOME)
        if entered.needs_code:
            response = redirect(f"{CODE}?next={following}")
            set_cookie(response, STEP_COOKIE, entered.token)
            return response
        return _logged_in(following, entered.token)

    async def code_page(self, request: Request) -> Response:
        return self._code(request) if STEP_COOKIE in request.cookies else redirect(LOGIN)

    async def take_code(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        try:
            step = request.cookies.get(STEP_COOKIE, "")
            token = await login_with_code(self._pool, self._vault, step, form["code"], _address(request))
        except LoginRefused as refused:
            if refused.reason == "step_over":
                response = self._login(request, "step_over", following=form["next"], status=401)
                forget_cookie(response, STEP_COOKIE)
                return response
            return self._code(request, refused.reason, form["next"], STATUS[refused.reason])
        except (psycopg.OperationalError, PoolTimeout) as error:
            log.warning("staff_page_without_database", error=type(error).__name__)
            return self._code(request, "database_away", form["next"], 503)
        return _logged_in(inside(form["next"], HOME), token)

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
            await check_password(self._pool, person, visit.form["old"])
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

    async def time_left(self, visit: Visit) -> Response:
        """For staff.js: asked, it tells; posted, it also keeps the session alive, as any page does."""
        return JSONResponse({"seconds_left": visit.person.seconds_left}, headers=HEADERS)

    async def _form(self, request: Request) -> Form | Response:
        """What was posted before there is a session, or the page that says why it does not count."""
        try:
            form = await read_form(request, MOST_LOGIN_BYTES)
        except BadBody as error:
            return self._login(request, "form_unreadable", status=error.status)
        binding = request.cookies.get(FORM_COOKIE, "")
        if not binding or not hmac.compare_digest(form["csrf"].encode(), self.door.csrf_of(binding).encode()):
            return self._login(request, "cookie_missing" if not binding else "form_not_ours", form["name"], form["next"], 403)
        return form

    def _login(self, request: Request, reason: str = "", name: str = "", following: str = "", status: int = 200) -> Response:
        return self._before_login(request, "login.html", {"reason": reason, "name": name}, following, status)

    def _code(self, request: Request, reason: str = "", following: str = "", status: int = 200) -> Response:
        return self._before_login(request, "code.html", {"reason": reason}, following, status)

    def _before_login(self, request: Request, template: str, values: dict[str, str], following: str, status: int) -> Response:
        binding = form_cookie(request)
        values = {**values, "next": inside(following or request.query_params.get("next", ""), HOME)}
        response = self._layout.page(request, template, None, self.door.csrf_of(binding), values, status)
        set_cookie(response, FORM_COOKIE, binding)
        return response

    def _password(self, visit: Visit, reason: str = "", status: int = 200) -> Response:
        values = {"reason": reason, "shortest": passwords.SHORTEST}
        return self._layout.page(visit.request, "password.html", visit.person, visit.csrf, values, status)


def _logged_in(following: str, token: str) -> Response:
    response = redirect(following)
    set_cookie(response, SESSION_COOKIE, token)
    forget_cookie(response, FORM_COOKIE)
    forget_cookie(response, STEP_COOKIE)
    return response


def _address(request: Request) -> str | None:
    return request.client.host if request.client else None
