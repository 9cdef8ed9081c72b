"""The gate of the translators' page: a link opens the texts of one language and nothing else.

Every address below /translate is a TranslatorRoute. Whoever tries links that nobody was given is soon not looked at any more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.body import BadBody
from bot.database import Pool
from bot.directory.languages import VIETNAMESE, Languages
from bot.staff.forms import Form, read_form
from bot.staff.layout import Layout
from bot.staff.login import network
from bot.translate import invites
from bot.translate.invites import TOKEN, Invite

log = structlog.get_logger(__name__)

# More than a recording may have: what is too large is told beside the text, which is kept.
MOST_FORM_BYTES = 8 * 1024 * 1024
# Of somebody whose link could not be looked up.
MOST_TYPED_BYTES = 256 * 1024
MOST_WRONG = 30
WRONG_SECONDS = 15 * 60
MOST_NETWORKS = 10_000
STATUS = {"unknown": 404, "no_text": 404, "over": 410, "too_many": 429, "away": 503}
HEADERS = {"X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True)
class Guest:
    """A request that came through the gate. `home`: the address of their list."""

    request: Request
    invite: Invite
    home: str
    form: Form = field(default_factory=Form)


Handler = Callable[[Guest], Awaitable[Response]]


class TranslatorRoute(Route):
    """A page for whoever holds a link. There is no other way to make a route below /translate."""

    def __init__(self, path: str, handler: Handler, gate: Gate, method: str = "GET") -> None:
        async def guarded(request: Request) -> Response:
            response = await gate.let_in(request, handler)
            response.headers.update(HEADERS)
            return response

        super().__init__(f"/translate/{{token}}{path}", guarded, methods=[method], name=f"{method} /translate{path}")


class WrongTries:
    """Links that nobody was given, by the network they were tried from; of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[str, deque[float]] = {}

    def count(self, address: str) -> None:
        if not address:  # a proxy that names nobody: everybody would be locked out together
            return
        if address not in self._tries and len(self._tries) >= MOST_NETWORKS:
            self._tries.pop(next(iter(self._tries)))
        self._tries.setdefault(address, deque(maxlen=MOST_WRONG)).append(self._clock())

    def are_too_many(self, address: str) -> bool:
        tries = self._tries.get(address)
        return tries is not None and len(tries) == MOST_WRONG and self._clock() - tries[0] < WRONG_SECONDS


class Gate:
    """Knows whose link it is, and says plainly why one opens nothing."""

    def __init__(self, pool: Pool, layout: Layout, languages: Languages) -> None:
        self._pool, self._layout, self._languages = pool, layout, languages
        self.tries = WrongTries()

    async def let_in(self, request: Request, handler: Handler) -> Response:
        """A body is read for whoever was invited; of anybody else nothing is."""
        form = Form()
        try:
            invite, reason = await self._invite(request)
            if invite is None:
                return self.closed(request, reason)
            if request.method not in {"GET", "HEAD"}:
                form = await read_form(request, MOST_FORM_BYTES)
            if reason:
                return self.closed(request, reason, typed=form["text"])
            return await handler(Guest(request, invite, f"/translate/{request.path_params['token']}", form))
        except (psycopg.OperationalError, PoolTimeout) as error:
            log.warning("translators_page_without_database", error=type(error).__name__)
            return self.closed(request, "away", typed=form["text"] or await _typed(request))
        except BadBody as error:
            return self.closed(request, "unreadable", status=error.status)

    async def _invite(self, request: Request) -> tuple[Invite | None, str]:
        """(whose link it is, why it opens nothing). The address is not looked up once too many were wrong."""
        address = network(request.client.host if request.client else None)
        if self.tries.are_too_many(address):
            return None, "too_many"
        token = str(request.path_params["token"])
        invite = None
        if TOKEN.fullmatch(token):
            async with self._pool.connection() as connection:
                invite = await invites.of_token(connection, token)
        if invite is None:
            self.tries.count(address)
            return None, "unknown"
        is_translated = invite.tag in self._languages and invite.tag != VIETNAMESE
        return invite, "" if invite.is_open and is_translated else "over"

    def closed(self, request: Request, reason: str, *, typed: str = "", status: int = 0, home: str = "") -> Response:
        """`reason`: a key of `closed` in locales/vi/interface/translate.yml. What was typed comes back to be copied."""
        values = {"reason": reason, "typed": typed, "home": home}
        return self._layout.page(request, "closed.html", None, "", values, status or STATUS[reason])


async def _typed(request: Request) -> str:
    """What was sent to a service without its database, to be given back."""
    try:
        return (await read_form(request, MOST_TYPED_BYTES))["text"] if request.method == "POST" else ""
    except (BadBody, RuntimeError):  # RuntimeError: the body was read before
        return ""
