"""The links of a campaign, one for each way to Loa that this deployment has. Pure but for asking Telegram for the bot's name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

import httpx
import structlog

from bot.settings import Settings, TelegramSettings

log = structlog.get_logger(__name__)

Way = Literal["short", "webchat", "zalo", "messenger", "telegram"]
# A bot's name hardly ever changes; whether Telegram answers changes by the minute.
NAME_KEPT_SECONDS = 3600.0
FAILURE_KEPT_SECONDS = 60.0
ASK_SECONDS = 3.0
_NAME = re.compile(r"[A-Za-z0-9_]{3,64}")

# Apps that open a link inside themselves say so; the first that fits. Messenger's own words stand before Facebook's.
_INSIDE: tuple[tuple[str, Way], ...] = (
    ("zalo", "zalo"),
    ("messenger", "messenger"),
    ("orca", "messenger"),
    ("fban/", "messenger"),
    ("fbav/", "messenger"),
    ("fb_iab", "messenger"),
    ("telegram", "telegram"),
)
_PHONES = ("android", "iphone", "ipod", "windows phone", "mobile")
# On a phone whose browser does not say more: the app in which the link was posted, else the one that nearly every phone here has.
_OF_SPOT: Mapping[str, Way] = {"fanpage": "messenger", "zalo": "zalo", "telegram": "telegram", "portal": "webchat"}
_USUAL: tuple[Way, ...] = ("zalo", "messenger", "telegram")
_MACHINES = re.compile(
    r"(?<!cu)bot\b|bot[/;)]|crawl|spider|slurp|preview|fetch|facebookexternalhit|facebookcatalog|meta-external|whatsapp|skypeuri|vkshare|"
    r"embedly|validator|monitor|headless|lighthouse|curl|wget|python|java/|go-http|okhttp|axios|libwww|httpclient|scrap",
    re.I,
)


@dataclass(frozen=True)
class Link:
    """`page`: the id of the Messenger page, where there are several."""

    way: Way
    url: str
    page: str = ""


@dataclass(frozen=True)
class Reach:
    """The ways to Loa. `public_url` has no trailing slash."""

    public_url: str
    telegram: str = ""
    messenger: tuple[str, ...] = ()
    zalo: str = ""

    def link(self, way: Way, code: str | None = None, language: str = "vi", page: str = "") -> Link:
        """Without a code the way alone."""
        if way == "telegram":
            return Link(way, f"https://t.me/{self.telegram}" + (f"?start={quote(code)}" if code else ""))
        if way == "messenger":
            page = page or self.messenger[0]
            return Link(way, f"https://m.me/{quote(page)}" + (f"?ref={quote(code)}" if code else ""), page)
        if way == "zalo":
            return Link(way, f"https://zalo.me/{self.zalo}" + (f"?text=%23{quote(code)}" if code else ""))
        if way == "short" and code:
            return Link(way, f"{self.public_url}/c/{quote(code)}")
        asked = {**({"c": code} if code else {}), **({"lang": language} if language != "vi" else {})}
        return Link("webchat", f"{self.public_url}/" + (f"?{urlencode(asked)}" if asked else ""))

    def ways(self) -> tuple[Way, ...]:
        """Those that are there, the most used first."""
        there: dict[Way, bool] = {
            "zalo": bool(self.zalo),
            "messenger": bool(self.messenger),
            "telegram": bool(self.telegram),
            "webchat": True,
        }
        return tuple(way for way, is_there in there.items() if is_there)

    def links(self, code: str, language: str = "vi") -> list[Link]:
        """To copy: the short link first, then each way, each page of Messenger."""
        found = [self.link("short", code)]
        for way in self.ways():
            pages = self.messenger if way == "messenger" else ("",)
            found += [self.link(way, code, language, page) for page in pages]
        return found

    def way_of(self, user_agent: str, spot: str) -> Way | None:
        """The app that this phone opens best; None: show them all."""
        agent, there = user_agent.lower(), self.ways()
        inside = next((way for mark, way in _INSIDE if mark in agent), None)
        if inside in there:
            return inside
        if inside or not any(mark in agent for mark in _PHONES):
            return None
        if (posted := _OF_SPOT.get(spot)) in there:
            return posted
        return next((way for way in _USUAL if way in there), None)


def is_machine(user_agent: str) -> bool:
    """Whether nobody sits behind it: search engines, the previews of posts, scripts, and who does not say what it is."""
    return not user_agent.strip() or _MACHINES.search(user_agent) is not None


class Reaching:
    """Knows the ways of this deployment; asks Telegram for the bot's name and keeps the answer."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._name, self._until = "", 0.0

    @property
    def has_public_url(self) -> bool:
        return bool(self._settings.public_url)

    @property
    def has_telegram(self) -> bool:
        return self._settings.telegram is not None

    async def reach(self) -> Reach:
        settings = self._settings
        return Reach(
            public_url=settings.public_url or settings.address,
            telegram=await self._telegram(settings.telegram) if settings.telegram else "",
            messenger=tuple(settings.messenger.pages) if settings.messenger else (),
            zalo=settings.zalo.oa_id if settings.zalo else "",
        )

    async def _telegram(self, telegram: TelegramSettings) -> str:
        if self._clock() < self._until:
            return self._name
        found = await _bot_name(telegram)
        self._name = found or self._name
        self._until = self._clock() + (NAME_KEPT_SECONDS if found else FAILURE_KEPT_SECONDS)
        return self._name


async def _bot_name(telegram: TelegramSettings) -> str:
    """ "" when Telegram does not tell: the other ways are shown without it."""
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{telegram.api_url}/bot{telegram.token}/getMe")
        name = str(answer.json()["result"]["username"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("telegram_name_not_known", error=type(error).__name__)
        return ""
    return name if _NAME.fullmatch(name) else ""
