"""The door of the staff pages. A StaffRoute cannot be had without roles, and what is posted needs its form's token.

`tests/structure/test_staff_routes.py` walks the whole application and proves that no page stands beside the door.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.channels.body import BadBody
from bot.database import Pool
from bot.staff import sessions
from bot.staff.accounts import ROLES, Role
from bot.staff.forms import Form, read_form
from bot.staff.layout import HEADERS, Layout, redirect
from bot.staff.sessions import Person, Rules

log = structlog.get_logger(__name__)

# `__Host-`: only over https (browsers count this machine itself as such), for this host and all its paths.
SESSION_COOKIE = "__Host-loa-staff"
# Before the login there is no session that a form could belong to: a random cookie takes its place.
FORM_COOKIE = "__Host-loa-form"
# As much as deploy/nginx.conf lets through.
MOST_FORM_BYTES = 1024 * 1024
# Between the right password and the code of the second factor.
STEP_COOKIE = "__Host-loa-step"
LOGIN, PASSWORD, TOTP = "/staff/login", "/staff/password", "/staff/totp"
LOGOUT, SESSION = "/staff/logout", "/staff/session"
# Where a login may lead: our own staff pages.
INSIDE = re.compile(r"/(?:insights|desk|campaigns|learn|content|staff)(?:/[A-Za-z0-9_.-]+)*")


@dataclass(frozen=True)
class Visit:
    """A request that came through the door. `form` is empty for a GET; `csrf` goes into every form of the page."""

    request: Request
    person: Person
    csrf: str
    form: Form


Handler = Callable[[Visit], Awaitable[Response]]
Refusal = TypeVar("Refusal", bound=Exception)


def or_refused(handler: Handler, refusal: type[Refusal], shown: Callable[[Visit, Refusal], Awaitable[Response]]) -> Handler:
    """What cannot be done is a page that says why: `shown` makes it."""

    async def answered(visit: Visit) -> Response:
        try:
            return await handler(visit)
        except refusal as refused:
            return await shown(visit, refused)

    return answered


class StaffRoute(Route):
    """A page for the roles it names. There is no other way to make a route under the staff addresses.

    `is_background`: a page that asks by itself, again and again (a stream, a poll). It does not keep a session alive.
    """

    def __init__(
        self,
        path: str,
        handler: Handler,
        door: Door,
        roles: Collection[Role],
        method: str = "GET",
        *,
        is_background: bool = False,
    ) -> None:
        if not roles or not set(roles) <= set(ROLES):
            raise ValueError(f"{path} must name roles out of {', '.join(ROLES)}")
        self.roles = frozenset(roles)
        self.is_background = is_background

        async def guarded(request: Request) -> Response:
            return await door.let_in(request, handler, self.roles, is_background=is_background)

        super().__init__(path, guarded, methods=[method], name=f"{method} {path}")


class Door:
    """Knows who comes: reads the cookie, asks the database, checks role and form token, and shows the way to the login."""

    def __init__(self, pool: Pool, secret: str, layout: Layout, rules: Rules) -> None:
        self._pool = pool
        self._rules = rules
        self._key = hashlib.sha256(b"loa staff forms:" + secret.encode()).digest()
        self._layout = layout

    async def person(self, request: Request, *, is_background: bool = False) -> Person | None:
        """Who is logged in; None for a citizen. Whoever has a `duty` may do nothing else yet.

        A stream asks again with `is_background` while it is open: sessions end, and roles change.
        """
        token = request.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        async with self._pool.connection() as connection:
            return await sessions.person(connection, token, self._rules, is_background=is_background)

    def csrf(self, request: Request) -> str:
        """The token of this session's forms; empty without a session."""
        token = request.cookies.get(SESSION_COOKIE)
        return self.csrf_of(token) if token else ""

    def csrf_of(self, binding: str) -> str:
        return hmac.new(self._key, binding.encode(), hashlib.sha256).hexdigest()

    async def let_in(
        self, request: Request, handler: Handler, roles: Collection[Role], *, is_background: bool = False
    ) -> Response:
        try:
            return await self._let_in(request, handler, roles, is_background=is_background)
        except (psycopg.OperationalError, PoolTimeout) as error:
            log.warning("staff_page_without_database", error=type(error).__name__)
            return self.refusal(request, None, "database_away", 503)
        except BadBody as error:
            return self.refusal(request, None, "form_unreadable", error.status)

    async def _let_in(self, request: Request, handler: Handler, roles: Collection[Role], *, is_background: bool) -> Response:
        person = await self.person(request, is_background=is_background)
        if person is None:
            return self._to_login(request)
        if (first := duty(person)) and not _serves(request.url.path, first):
            return refused_data(first, 403) if wants_data(request) else redirect(first)
        if person.role not in roles:
            return self.refusal(request, person, "role_missing", 403)
        csrf = self.csrf(request)
        form = Form()
        if request.method not in {"GET", "HEAD"}:
            form = await read_form(request, MOST_FORM_BYTES)
            if not hmac.compare_digest(form["csrf"].encode(), csrf.encode()):
                return self.refusal(request, person, "form_not_ours", 403)
        return await handler(Visit(request, person, csrf, form))

    def refusal(self, request: Request, person: Person | None, reason: str, status: int) -> Response:
        """`reason`: a key of locales/vi/interface/staff.yml."""
        if wants_data(request):
            return refused_data(reason, status)
        csrf = self.csrf(request) if person else ""
        return self._layout.page(request, "refusal.html", person, csrf, {"reason": reason}, status)

    def _to_login(self, request: Request) -> Response:
        had_session = SESSION_COOKIE in request.cookies
        if wants_data(request):
            return refused_data("session_over" if had_session else "login_needed", 401)
        if request.method in {"GET", "HEAD"}:
            response = redirect(f"{LOGIN}?next={quote(request.url.path)}{'&over=1' if had_session else ''}")
        else:
            response = self.refusal(request, None, "session_over" if had_session else "login_needed", 401)
        if had_session:
            forget_cookie(response, SESSION_COOKIE)
        return response


def duty(person: Person) -> str | None:
    """The page on which this person has to do something before any other work: a password of their own, a second factor."""
    if person.must_change_password:
        return PASSWORD
    return TOTP if person.must_enrol else None


def wants_data(request: Request) -> bool:
    """A script asks, which would take the login page for its answer."""
    accepted = request.headers.get("accept", "")
    return "text/html" not in accepted and ("application/json" in accepted or "text/event-stream" in accepted)


def refused_data(reason: str, status: int) -> Response:
    return JSONResponse({"reason": reason}, status, HEADERS)


def _serves(path: str, first: str) -> bool:
    """Whether a page may be opened before the duty is done: its own, and the way out."""
    return path in {LOGOUT, SESSION, PASSWORD} or path == first or path.startswith(f"{first}/")


def form_cookie(request: Request) -> str:
    """The random cookie that a form before the login belongs to: the browser's, or a new one."""
    given = request.cookies.get(FORM_COOKIE, "")
    return given if re.fullmatch(r"[\w-]{43}", given, re.ASCII) else secrets.token_urlsafe(32)


def set_cookie(response: Response, name: str, value: str) -> None:
    """Secure always: a password that goes through plain http over a network is no longer one."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="lax")


def forget_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def inside(address: str, otherwise: str) -> str:
    """The address if it is one of our staff pages, else the other: a login must not lead out of the house."""
    return address if INSIDE.fullmatch(address) else otherwise
