"""A file as a browser gets it: gzipped, named by its content, kept by the browser as long as that name holds."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
}
_IMPORT = re.compile(r'@import "([^"]+)";\n')
KEPT_FOR_A_YEAR = "public, max-age=31536000, immutable"
ASK_EVERY_TIME = "no-cache"
COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: plain and gzipped, with the hash that names this version of it."""

    body: bytes
    gzipped: bytes
    media_type: str
    version: str

    @classmethod
    def of(cls, text: str, suffix: str) -> Asset:
        body = text.encode()
        version = hashlib.sha256(body).hexdigest()[:12]
        return cls(body, gzip.compress(body, mtime=0), MEDIA_TYPES[suffix], version)

    def response(self, request: Request, headers: Mapping[str, str], status: int = 200) -> Response:
        """Gzipped for whoever takes it; 304 without a body for whoever has this version already."""
        named = {**COMMON_HEADERS, **headers, "ETag": f'W/"{self.version}"', "Vary": "Accept-Encoding"}
        if status == 200 and self.version in request.headers.get("if-none-match", ""):
            return Response(None, 304, named)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.gzipped, status, {**named, "Content-Encoding": "gzip"}, self.media_type)
        return Response(self.body, status, named, self.media_type)


@dataclass(frozen=True)
class StaticFiles:
    """The styles and scripts of one room, by file name."""

    assets: Mapping[str, Asset]

    @classmethod
    def load(cls, *paths: Path) -> StaticFiles:
        return cls({path.name: Asset.of(_text(path), path.suffix) for path in paths})

    @property
    def versions(self) -> dict[str, str]:
        return {name: asset.version for name, asset in self.assets.items()}

    async def serve(self, request: Request) -> Response:
        """The file that the address ends with; kept for a year under the address that names its version."""
        asset = self.assets[request.url.path.rpartition("/")[2]]
        is_named_version = request.query_params.get("v") == asset.version
        return asset.response(request, {"Cache-Control": KEPT_FOR_A_YEAR if is_named_version else ASK_EVERY_TIME})


def _text(path: Path) -> str:
    """With what a style sheet imports in its place: one request less."""
    text = path.read_text("utf-8")
    return _IMPORT.sub(lambda found: _text(path.parent / found[1]), text) if path.suffix == ".css" else text
