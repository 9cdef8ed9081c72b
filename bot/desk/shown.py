"""How operators read a line of a list, a span of time, what is left of a channel's window, an address to open. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from bot.channels.rendering import shortened
from bot.handoff.desks import Desk
from bot.masking import masked_words
from bot.staff.layout import moment

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


def why_shut(desks: Sequence[Desk], now: datetime.datetime, words: Mapping[str, str], *, is_staffed: bool) -> list[str]:
    """Why nobody is handed over to these desks now, a sentence for each; empty while all are open."""
    if not is_staffed:
        return [words["desk_nobody"]]
    sentences = []
    for desk in desks:
        opens = desk.opens_next(now) if desk.is_on else None
        if desk.is_on and desk.is_open(now):
            continue
        told = {"name": desk.name, "opens": moment(opens) if opens else ""}
        sentences.append(words["desk_shut" if opens else "desk_off"].format_map(told))
    return sentences
