"""What a person should look at, as `loa check` lists it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`severity`: error (must not be released, or the channel does not work), expired (withdrawn by itself), review (due), ok.

    `key` is what it is about (a response, a channel), `sentence` says what to do."""

    severity: str
    key: str
    sentence: str
