"""How long a platform waits for our answer to its call, measured for every channel in one place."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.metrics import ACKNOWLEDGE_SECONDS

WEBHOOKS = "/webhooks/"
OTHERS = {"/webchat/messages": "webchat"}


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
