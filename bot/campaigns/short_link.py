"""/c/<code>: the short link on posts and posters. Public, without cookies; it leads the phone to the app that it has.

Search engines and the previews of posts get the page with its Open Graph tags and are not counted. An unknown or ended code is
the same page without a campaign: whoever scanned an old poster still finds Loa.
"""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import jinja2
import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.assets import COMMON_HEADERS, StaticFiles
from bot.campaigns import counting, store
from bot.campaigns.described import Describer, code_of
from bot.campaigns.drawing import card
from bot.campaigns.links import Link, Reaching, is_machine
from bot.campaigns.sheet import missing_letters
from bot.campaigns.store import Campaign, CampaignRefused, Words
from bot.database import Pool
from bot.directory.languages import VIETNAMESE

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
HEADERS = {
    **COMMON_HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Vary": "User-Agent",
}
# The database is slow or away: the links need it not.
LOOK_SECONDS = 1.5
KEPT_CARDS = 200
# Facebook knows these; of the others it is told nothing.
OG_LOCALES = {"vi": "vi_VN", "en": "en_US", "km": "km_KH"}
CARD_HEADERS = {**COMMON_HEADERS, "Cache-Control": "public, max-age=3600"}


@dataclass(frozen=True)
class Found:
    """What the database says of a code. `is_running`: its greeting waits at the other end."""

    campaign: Campaign | None = None
    words: Words | None = None
    is_running: bool = False


class ShortLinks:
    """The public routes of campaigns."""

    def __init__(self, pool: Pool, describer: Describer, reaching: Reaching) -> None:
        self._pool, self._describer, self._reaching = pool, describer, reaching
        self._files = StaticFiles.load(HERE / "static/short_link.css")
        self._page = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ).get_template("short_link.html")
        self._cards: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/static/short_link.css", self._files.serve),
            Route("/c/{code}/card.png", self.card),
            Route("/c/{code}", self.open),
        ]

    async def open(self, request: Request) -> Response:
        """`?all` shows every way also on a phone."""
        code, agent = code_of(request.path_params["code"]), request.headers.get("user-agent", "")
        is_person = request.method == "GET" and not is_machine(agent) and not _is_guess(request)
        found = await self._found(code, counts=is_person and "all" not in request.query_params)
        reach = await self._reaching.reach()
        carried = code if found.is_running else None
        language = found.campaign.language if found.campaign and found.is_running else "vi"
        way = reach.way_of(agent, found.campaign.spot) if found.campaign and found.is_running and is_person else None
        if way and "all" not in request.query_params:
            target = reach.link(way, carried, language)
            return RedirectResponse(_relative(target), 302, HEADERS)
        links = [reach.link(way, carried, language) for way in reach.ways()]
        return self._shown(found, code, links, reach.public_url)

    async def card(self, request: Request) -> Response:
        found = await self._found(code_of(request.path_params["code"]), counts=False)
        name, summary = self._name(found), self._summary(found)
        if missing_letters(summary) and found.campaign:
            summary = self._describer.summary(found.campaign, None, VIETNAMESE)
        if (name, summary) not in self._cards:
            owner, brand = self._owner(found), self._describer.ui("poster_brand")
            self._cards[name, summary] = await asyncio.to_thread(card, name, summary, owner, brand)
            if len(self._cards) > KEPT_CARDS:
                self._cards.popitem(last=False)
        return Response(self._cards[name, summary], media_type="image/png", headers=CARD_HEADERS)

    async def _found(self, code: str, *, counts: bool) -> Found:
        """Nothing found when the database is away: the page then shows the ways to Loa all the same."""
        if not code:
            return Found()
        try:
            async with asyncio.timeout(LOOK_SECONDS), self._pool.connection() as connection:
                campaign = await store.get(connection, code)
                words = await store.words_in_use(connection, campaign.id)
                if counts:
                    await counting.count_opened(connection, code)
                return Found(campaign, words, campaign.state(store.today()) == "running")
        except CampaignRefused:
            return Found()
        except (psycopg.OperationalError, PoolTimeout, TimeoutError) as error:
            log.warning("short_link_without_database", error=type(error).__name__)
            return Found()

    def _shown(self, found: Found, code: str, links: list[Link], public_url: str) -> Response:
        asked = found.campaign.language if found.campaign and found.is_running else VIETNAMESE
        spoken = self._describer.page_words(asked).language
        html = self._page.render(
            ui=functools.partial(self._describer.ui, language=spoken),
            vietnamese=self._describer.ui,
            name=self._name(found),
            summary=self._summary(found),
            asked=asked,
            language=spoken,
            og_locale=OG_LOCALES.get(spoken, ""),
            draft_note=self._describer.draft_note(spoken),
            is_over=not found.is_running,
            links=[(link.way, _relative(link)) for link in links],
            address=f"{public_url}/c/{code or 'loa'}",
            versions=self._files.versions,
        )
        return HTMLResponse(html, headers=HEADERS)

    def _name(self, found: Found) -> str:
        return found.campaign.name if found.campaign and found.is_running else self._describer.ui("page_title")

    def _owner(self, found: Found) -> str:
        """In the campaign's language, where the picture's font has its letters."""
        language = found.campaign.language if found.campaign and found.is_running else VIETNAMESE
        there = self._describer.ui("poster_owner", language)
        return self._describer.ui("poster_owner") if missing_letters(there) else there

    def _summary(self, found: Found) -> str:
        if found.campaign and found.is_running:
            return self._describer.summary(found.campaign, found.words)
        return self._describer.ui("page_lead")


def _relative(link: Link) -> str:
    """The web chat of this very host, also below a path: `../?c=…` from /c/<code>."""
    return link.url if link.way != "webchat" else f"../{link.url[link.url.find('?') :] if '?' in link.url else ''}"


def _is_guess(request: Request) -> bool:
    """A browser that loads the page in advance: nobody has opened it."""
    said = f"{request.headers.get('sec-purpose', '')} {request.headers.get('purpose', '')} {request.headers.get('x-moz', '')}"
    return "prefetch" in said or "preview" in said
