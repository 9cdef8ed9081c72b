"""How operators read a line of a list, a span of time, what is left of a channel's window, an address to open. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.channels.rendering import shortened
from bot.masking import masked_words

LINE_CHARACTERS = 110
# A message may be long; no more of it is looked at for its line.
LOOKED_AT = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


def masked_line(text: str) -> str:
    """A message as one short line of a list, without numbers and addresses that name somebody."""
    return shortened(masked_words(" ".join(text[:LOOKED_AT].split())), LINE_CHARACTERS)


def span(seconds: float, words: Mapping[str, str]) -> str:
    """`words`: `spans` of interface/desk.yml. Under a minute it is now; from two days on whole days."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return words["now"]
    if whole < HOUR:
        return words["minutes"].format(n=whole // MINUTE)
    if whole < 2 * DAY:
        hours, minutes = whole // HOUR, whole % HOUR // MINUTE
        return words["hours_minutes"].format(h=hours, m=minutes) if minutes and hours < 12 else words["hours"].format(n=hours)
    return words["days"].format(n=whole // DAY)


def window_left(
    interacted_at: datetime.datetime | None, window: datetime.timedelta | None, now: datetime.datetime
) -> datetime.timedelta | None:
    """How long the channel still lets an operator write; None for ever, zero when the time is over."""
    if window is None:
        return None
    return max(datetime.timedelta(0), (interacted_at or now - window) + window - now)


def safe_host(url: str) -> str:
    """The host of an address that may be offered for opening; empty for anything but https."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "" if parts.scheme == "https" and not parts.username else ""
    except ValueError:
        return ""
