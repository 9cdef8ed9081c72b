"""Reading a request's body at the border: bounded, UTF-8, a JSON object, or a sentence that says what was wrong."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request


class BadBody(Exception):
    """`status` is the HTTP answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def read_bytes(request: Request, limit: int) -> bytes:
    """The raw body (what signatures are computed over), at most `limit` bytes."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise BadBody(413, f"the body is larger than {limit} bytes")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise BadBody(400, "the body ended too early") from error
    return b"".join(chunks)


def parse_json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadBody(400, f"the body is not UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise BadBody(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadBody(400, "the body must be a JSON object")
    return body


async def read_json(request: Request, limit: int, *, empty_is: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON object of the body; `empty_is` stands for an empty body where the contract allows one."""
    raw = await read_bytes(request, limit)
    if not raw and empty_is is not None:
        return empty_is
    return parse_json(raw)
