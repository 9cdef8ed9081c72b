"""What a platform is told when its call cannot be taken, and how long it waits for our answer: for every channel in one place."""

from __future__ import annotations

import time
from collections.abc import Awaitable

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channels.body import BadBody
from bot.messages import NotStored
from bot.metrics import ACKNOWLEDGE_SECONDS, WEBHOOKS_REFUSED

WEBHOOKS = "/webhooks/"
OTHERS = {"/webchat/messages": "webchat"}


async def acknowledged(channel: str, answer: Awaitable[Response]) -> Response:
    """The webhook's own answer; 4xx for a body of no shape, 503 for what was not stored, so that the platform sends it again."""
    try:
        return await answer
    except BadBody as error:
        return refused(channel, "body", str(error), error.status)
    except NotStored:
        return JSONResponse({"error": "not stored, send it again"}, 503)


def refused(channel: str, reason: str, sentence: str, status: int = 403) -> JSONResponse:
    """Counted under `reason`; the sentence is for whoever looks at the platform's log."""
    WEBHOOKS_REFUSED.labels(channel, reason).inc()
    return JSONResponse({"error": sentence}, status)


class AcknowledgeTimes:
    """ASGI middleware; anything but the calls that bring messages passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        channel = _channel(scope)
        if channel is None:
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        await self._app(scope, receive, send)
        if scope.get("endpoint"):  # an address that nobody serves gets no label of its own
            ACKNOWLEDGE_SECONDS.labels(channel).observe(time.monotonic() - began)


def _channel(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope.get("method") != "POST":
        return None
    path = str(scope["path"])
    return path.removeprefix(WEBHOOKS) if path.startswith(WEBHOOKS) else OTHERS.get(path)
