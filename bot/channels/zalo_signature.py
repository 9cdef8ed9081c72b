"""Who signed a webhook of Zalo: `X-ZEvent-Signature: mac=<hex>`, hex = sha256(first + raw body + timestamp + secret).

Plain SHA-256, not HMAC. What the documentation calls "appId", "timeStamp" and "OAsecretKey" is seen in the field as app id or
OA id, header `X-ZEvent-Timestamp` or the body's `timestamp`, and the webhook page's "OA Secret Key" or the app's secret: a small
set of candidates is tried, and which one matched is counted, so that the set can shrink one day.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.settings import ZaloSettings

SIGNATURE_HEADER = "x-zevent-signature"
TIMESTAMP_HEADER = "x-zevent-timestamp"
# On a redelivery: how often the event was sent before.
RETRY_HEADER = "num_retry"
# Zalo sends an event again after 30 s, 5 min, 15 min, 30 min and 1 h, added up at the most; it is signed for its first time.
RETRIES_END = datetime.timedelta(hours=2)

_MAC = re.compile(r"\s*(?:mac\s*=\s*)?\"?([0-9a-fA-F]{64})\"?\s*")
_MILLISECONDS = re.compile(r"\d{12,14}")


@dataclass(frozen=True)
class Signed:
    """One webhook as it came; nothing of it is believed yet."""

    raw: bytes
    signature: str
    header_timestamp: str
    retry: str = ""

    @property
    def mac(self) -> str | None:
        """The 64 hex digits, None when the header is missing or of another form."""
        match = _MAC.fullmatch(self.signature)
        return match[1].lower() if match else None

    @property
    def body_timestamp(self) -> str:
        try:
            body = json.loads(self.raw)
        except (ValueError, RecursionError):
            return ""
        found = body.get("timestamp") if isinstance(body, dict) else None
        # A string in most events, a number in some.
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


@dataclass(frozen=True)
class Candidate:
    """One way to sign: which id stands first, where the timestamp is from, the setting that holds the secret."""

    first: str
    timestamp: str
    secret: str
    signed_at: datetime.datetime | None

    def __str__(self) -> str:
        return f"{self.first} + body + {self.timestamp} timestamp + {self.secret}"


def candidates(settings: ZaloSettings, signed: Signed) -> Iterator[tuple[Candidate, str]]:
    """(candidate, the MAC that it gives), the likeliest first; without those whose timestamp is missing."""
    firsts = (("app_id", settings.app_id), ("oa_id", settings.oa_id))
    timestamps = (("body", signed.body_timestamp), ("header", signed.header_timestamp))
    for (secret, key), (first, identity), (place, timestamp) in itertools.product(settings.secrets, firsts, timestamps):
        if timestamp:
            mac = hashlib.sha256(identity.encode() + signed.raw + _utf8(timestamp) + key.encode()).hexdigest()
            yield Candidate(first, place, secret, moment(timestamp)), mac


def matching(settings: ZaloSettings, signed: Signed) -> Candidate | None:
    """The first candidate that signed this; every one is computed and compared in constant time."""
    given = signed.mac
    if given is None:
        return None
    found: Sequence[Candidate] = [
        candidate for candidate, mac in candidates(settings, signed) if hmac.compare_digest(mac.encode(), given.encode())
    ]
    return found[0] if found else None


def is_stale(candidate: Candidate, signed: Signed, now: datetime.datetime, stale_seconds: float) -> bool:
    """Whether the signed moment is too far from now.

    A redelivery is signed for the moment of the event, up to two hours ago. Its header is not signed, so anybody may add it to
    a captured event: what that gains is an event that was stored before, under the same id, and changes nothing.
    """
    if candidate.signed_at is None:
        return True
    allowed = datetime.timedelta(seconds=stale_seconds)
    age = now - candidate.signed_at
    is_redelivery = signed.retry.isascii() and signed.retry.isdigit() and int(signed.retry[:9]) > 0
    return age < -allowed or age > (allowed + RETRIES_END if is_redelivery else allowed)


def moment(milliseconds: str) -> datetime.datetime | None:
    """`1543908534741` as a time; None for anything else."""
    if not (milliseconds.isascii() and _MILLISECONDS.fullmatch(milliseconds)):
        return None
    return datetime.datetime.fromtimestamp(int(milliseconds) / 1000, datetime.UTC)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
