"""A part of a sound: players ask for bytes from the middle, and one browser plays nothing from whoever cannot give them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")


def part_of(content: bytes, media_type: str, request: Request, headers: Mapping[str, str]) -> Response:
    """The whole, or the one range that was asked for (RFC 9110, 14.2); several ranges are answered with the whole."""
    named = {**headers, "Accept-Ranges": "bytes"}
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or not (asked[1] or asked[2]):
        return Response(content, headers=named, media_type=media_type)
    size = len(content)
    first = int(asked[1]) if asked[1] else max(size - int(asked[2]), 0)
    last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
    if first > last:
        return Response(None, 416, {**named, "Content-Range": f"bytes */{size}"})
    return Response(content[first : last + 1], 206, {**named, "Content-Range": f"bytes {first}-{last}/{size}"}, media_type)
