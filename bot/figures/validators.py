"""Which version of a document somebody has; apart from fetching it, so that who only keeps the note loads no HTTP library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Validators:
    """What the server said of its document's version; sent back, it may answer 304 "not modified" instead of the document."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}
