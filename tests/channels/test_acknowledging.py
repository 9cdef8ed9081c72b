"""The time to our answer is measured for the calls that bring messages, and for no others."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.acknowledging import AcknowledgeTimes


async def fine(_: Request) -> Response:
    return Response()


APP = Starlette(
    routes=[
        Route("/webhooks/zalo", fine, methods=["GET", "POST"]),
        Route("/webchat/messages", fine, methods=["POST"]),
        Route("/webchat/session", fine, methods=["POST"]),
    ],
    middleware=[Middleware(AcknowledgeTimes)],
)


@pytest.mark.parametrize(
    ("method", "path", "channel", "is_measured"),
    [
        ("POST", "/webhooks/zalo", "zalo", True),
        ("POST", "/webchat/messages", "webchat", True),
        ("GET", "/webhooks/zalo", "zalo", False),
        ("POST", "/webhooks/nobody", "nobody", False),
        ("POST", "/webchat/session", "webchat", False),
    ],
)
async def test_only_calls_that_bring_messages_are_measured(method: str, path: str, channel: str, is_measured: bool) -> None:
    before = measured(channel)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://test") as client:
        await client.request(method, path)
    assert measured(channel) == before + is_measured


def measured(channel: str) -> float:
    return REGISTRY.get_sample_value("loa_acknowledge_seconds_count", {"channel": channel}) or 0.0
