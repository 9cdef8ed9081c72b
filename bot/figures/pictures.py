"""The pictures of figures over HTTP: `GET /figures/<place>/<metric>.png?weeks=8`, public, the same bytes for everybody.

    /figures/vn/cases.png   /figures/dak-lak/deaths.svg?weeks=12   → 200 with an ETag; 404 when no week of it is known

Drawing is bounded whatever is asked: one thread draws, several who ask for one picture wait for one drawing, the last ones are
kept, and a queue that is full answers 503. The figures are read at most every few seconds.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.figures import chart
from bot.figures.known import Known
from bot.figures.places import FigurePlaces
from bot.figures.readings import METRICS, UNKNOWN_PLACE
from bot.figures.weeks import Bar, Weekly, as_value, weekly
from bot.languages.figure_lines import picture_words
from bot.log import where

log = structlog.get_logger(__name__)

WEEKS = 8
FEWEST_WEEKS, MOST_WEEKS = 2, 16
KEPT_PICTURES = 64
MOST_WAITING = 16
READ_AGAIN_SECONDS = 3.0
MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
HEADERS = {
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # An SVG opened by itself is a document: it may do nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors *",
}


class NotNow(Exception):
    """More pictures are waiting to be drawn than one thread gets done while somebody waits, or drawing failed."""


@dataclass(frozen=True)
class Wanted:
    """Which picture an address means."""

    place: str
    metric: str
    weeks: int
    suffix: str

    @classmethod
    def parse(cls, path: str, query: Mapping[str, str]) -> Wanted | None:
        """`/figures/vn/cases.png` with `weeks`; None for what is no picture of ours."""
        parts = path.strip("/").split("/")
        if len(parts) != 3 or parts[0] != "figures":
            return None
        metric, _, suffix = parts[2].partition(".")
        weeks = query.get("weeks", str(WEEKS))
        if metric not in METRICS or suffix not in MEDIA_TYPES or not (weeks.isascii() and weeks.isdigit() and len(weeks) < 3):
            return None
        return cls(parts[1], metric, int(weeks), suffix) if FEWEST_WEEKS <= int(weeks) <= MOST_WEEKS else None


@dataclass
class Pictures:
    """`read` gives what may be told (it blocks, in a thread); `words` are the catalogue's fragments."""

    read: Callable[[], Known]
    places: Callable[[], FigurePlaces]
    words: Mapping[str, str]
    today: Callable[[], datetime.date]
    _kept: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _drawing: dict[str, asyncio.Future[bytes]] = field(default_factory=dict)
    _known: tuple[float, Known] | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    # matplotlib keeps its fonts in one place: two threads at once would break them.
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "pictures"))

    def routes(self) -> list[Route]:
        return [Route("/figures/{place}/{name}", self.serve, methods=["GET"])]

    async def serve(self, request: Request) -> Response:
        wanted = Wanted.parse(request.url.path, request.query_params)
        try:
            body = await self._body(wanted) if wanted else None
        except NotNow as reason:
            return JSONResponse({"error": str(reason)}, 503, {"Retry-After": "2"})
        if wanted is None or body is None:
            return JSONResponse({"error": "no figures for this picture"}, 404, {"Cache-Control": "public, max-age=60"})
        headers = {**HEADERS, "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(body, 200, headers, MEDIA_TYPES[wanted.suffix])

    async def picture(self, url: str) -> bytes | None:
        """The picture behind the `url` of an attachment of ours; None when there is none, or none in time."""
        parts = urlsplit(url)
        wanted = Wanted.parse(parts.path, dict(parse_qsl(parts.query)))
        try:
            return await self._body(wanted) if wanted else None
        except NotNow:
            return None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _body(self, wanted: Wanted) -> bytes | None:
        known, places = await self._read()
        if wanted.place not in places or wanted.place == UNKNOWN_PLACE:
            return None
        found = await asyncio.to_thread(weekly, known, wanted.metric, wanted.place, places, self.today(), weeks=wanted.weeks)
        if found is None:
            return None
        words = _words(found, places, self.words)
        key = repr((wanted.suffix, found.bars, words))
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        try:
            return await asyncio.shield(self._drawing.get(key) or self._draw(key, found, words, wanted.suffix))
        except (ArithmeticError, LookupError, TypeError, ValueError, OSError, RuntimeError) as error:
            log.error("picture_not_drawn", place=wanted.place, metric=wanted.metric, error=where(error))
            raise NotNow("the picture could not be drawn") from error

    def _draw(self, key: str, found: Weekly, words: chart.Words, suffix: str) -> asyncio.Future[bytes]:
        if len(self._drawing) >= MOST_WAITING:
            raise NotNow("too many pictures are being drawn")
        draw = chart.png if suffix == "png" else _svg
        drawing = asyncio.get_running_loop().run_in_executor(self._thread, draw, found.bars, words)
        self._drawing[key] = drawing
        drawing.add_done_callback(lambda done: self._drawn(key, done))
        return drawing

    def _drawn(self, key: str, done: asyncio.Future[bytes]) -> None:
        self._drawing.pop(key, None)
        if done.cancelled() or done.exception():
            return
        self._kept[key] = done.result()
        while len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)

    async def _read(self) -> tuple[Known, FigurePlaces]:
        async with self._reading:
            if self._known is None or time.monotonic() - self._known[0] > READ_AGAIN_SECONDS:
                self._known = (time.monotonic(), await asyncio.to_thread(self.read))
            return self._known[1], await asyncio.to_thread(self.places)


def _words(found: Weekly, places: FigurePlaces, fragments: Mapping[str, str]) -> chart.Words:
    said: dict[str, Any] = picture_words(as_value(found, places), fragments)
    return chart.Words(**said)


def _svg(bars: tuple[Bar, ...], words: chart.Words) -> bytes:
    return chart.svg(bars, words).encode()
