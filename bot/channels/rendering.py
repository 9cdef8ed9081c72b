"""One `Outgoing` in the forms that platforms can show: readable parts, button titles that fit, groups. Pure functions.

Limits are the platform's own; `measure` says how it counts (characters, or UTF-16 units for Telegram).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import regex

from bot.graphemes import GRAPHEME, end_within
from bot.messages import Attachment, Button

Measure = Callable[[str], int]
T = TypeVar("T")

ELLIPSIS = "…"
# Where a long text may be cut, the best first. A part is at least a third of the limit long, so that a heading with one
# word does not become a message of its own.
PARAGRAPH = regex.compile(r"\n\s*\n")
SENTENCE = regex.compile(r"(?<=[.!?…][\"”’)]?)\s+")
LINE = regex.compile(r"\n")
# A space between two digits is part of a phone number or an amount: 1900 9095.
WORD = regex.compile(r"(?<!\d)\s+|\s+(?!\d)")
BOUNDARIES = (PARAGRAPH, SENTENCE, LINE, WORD)


def utf16_units(text: str) -> int:
    """How Telegram counts: an emoji beyond the basic plane is two."""
    return len(text.encode("utf-16-le")) // 2


def split(text: str, limit: int, measure: Measure = len) -> list[str]:
    """Parts of at most `limit`, in NFC, cut at a paragraph, a sentence, a line or a word, and never inside a letter with its
    marks, unless that letter alone is longer than the limit."""
    rest = unicodedata.normalize("NFC", text).strip()
    parts: list[str] = []
    while measure(rest) > limit:
        end = _end_of_part(rest, _fitting(rest, limit, measure))
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [part for part in (*parts, rest) if part]


def shortened(text: str, limit: int, measure: Measure = len) -> str:
    """The beginning of the text with an ellipsis, cut between words where it can be; the text itself when it fits."""
    normal = unicodedata.normalize("NFC", text).strip()
    if measure(normal) <= limit:
        return normal
    room = _fitting(normal, limit - measure(ELLIPSIS), measure)
    cuts = [m.start() for m in WORD.finditer(normal[: room + 1]) if m.start() > 0]
    end = cuts[-1] if cuts else end_within(normal, room)
    return normal[:end].rstrip(" ,;:-–") + ELLIPSIS


def titles(buttons: Sequence[Button], limit: int, measure: Measure = len) -> list[str]:
    """A title for each button, at most `limit` long and no two alike: what tells them apart is kept when they are cut."""
    whole = [unicodedata.normalize("NFC", button.title).strip() for button in buttons]
    found = [shortened(title, limit, measure) for title in whole]
    for shorter in (_middle_left_out, _end_only):
        for index in _doubled(found):
            found[index] = shorter(whole[index], limit, measure)
    for number, index in enumerate(_doubled(found), start=1):
        mark = f" {number}"
        found[index] = shortened(whole[index], limit - measure(mark), measure) + mark
    return found


def grouped(items: Iterable[T], size: int) -> list[tuple[T, ...]]:
    """The items in groups of at most `size`, in order."""
    listed = list(items)
    return [tuple(listed[start : start + size]) for start in range(0, len(listed), size)]


def spelled(button: Button) -> str:
    """A link or a phone number as a line of text, for platforms without such a button."""
    return f"{button.title}: {button.url or button.phone}"


def clip_line(clip: Attachment, public_url: str) -> str:
    """A clip as a line of text, for platforms that cannot play it."""
    return f"{clip.alt}: {public_url}/{clip.url}"


def is_same_text(one: str, other: str) -> bool:
    return squeezed(one) == squeezed(other)


def squeezed(text: str) -> str:
    """What is left of a text when platforms have changed its spaces, its case and its normal form."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _end_of_part(text: str, room: int) -> int:
    """Where the first part ends; `room` characters fit."""
    for boundary in BOUNDARIES:
        # One character further is looked at: a text whose words end exactly at the limit is not cut before.
        cuts = [int(m.start()) for m in boundary.finditer(text[: room + 1]) if m.start() >= max(room // 3, 1)]
        if cuts:
            return cuts[-1]
    return end_within(text, room)


def _fitting(text: str, limit: int, measure: Measure) -> int:
    """How many characters of the text fit into `limit`, one at least."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle]) <= limit else (low, middle - 1)
    return low


def _middle_left_out(title: str, limit: int, measure: Measure) -> str:
    words = title.split()
    for tail in range(len(words) - 1, 0, -1):
        end = " ".join(words[-tail:])
        for head in range(len(words) - tail, 0, -1):
            candidate = f"{' '.join(words[:head])}{ELLIPSIS}{end}"
            if measure(candidate) <= limit and head < len(words) - tail:
                return candidate
    return shortened(title, limit, measure)


def _end_only(title: str, limit: int, measure: Measure) -> str:
    for letter in list(GRAPHEME.finditer(title))[1:]:
        candidate = ELLIPSIS + title[letter.start() :].lstrip()
        if measure(candidate) <= limit:
            return candidate if measure(title) > limit else title
    return shortened(title, limit, measure)


def _doubled(found: Sequence[str]) -> Iterator[int]:
    """The places of titles that stand more than once; found before any is changed."""
    counted = Counter(found)
    yield from [index for index, title in enumerate(found) if counted[title] > 1]
