"""The clips over HTTP: `GET /audio/<tag>/<key>-<hash>.mp3`, public, in ranges where a player asks for them.

The address names the content, so a browser keeps it for a year; a version that is gone is 404.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from bot.assets import KEPT_FOR_A_YEAR
from bot.languages.audio import MEDIA_TYPES, Clips

HEADERS = {
    "Cache-Control": KEPT_FOR_A_YEAR,
    "X-Content-Type-Options": "nosniff",
    # The widget plays it on a portal's page.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; media-src 'self'; frame-ancestors *",
}


class ClipFiles:
    """The route of all clips."""

    def __init__(self, clips: Clips) -> None:
        self._clips = clips

    def routes(self) -> list[Route]:
        return [Route("/audio/{tag}/{name}", self.serve, methods=["GET"])]

    async def serve(self, request: Request) -> Response:
        path = self._clips.file(request.url.path.removeprefix("/"))
        if path is None:
            return JSONResponse({"error": "there is no such clip"}, 404, {"Cache-Control": "public, max-age=60"})
        return FileResponse(path, headers=HEADERS, media_type=MEDIA_TYPES[path.suffix])
