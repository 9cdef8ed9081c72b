"""Where a text may be cut: never inside what a reader sees as one letter.

Gia Rai `ơ̆` is two code points even in NFC, an emoji of a family five. Khmer writes a second consonant below the first with a
sign between the two (U+17D2), which Unicode's own rule would part: https://unicode.org/reports/tr29/ names India's scripts only.
"""

from __future__ import annotations

import regex

GRAPHEME = regex.compile(r"\X(?:(?<=\u17d2)(?=[\u1780-\u17b3])\X)*")


def end_within(text: str, room: int) -> int:
    """The last end of a letter within `room` characters; `room` itself, one at least, when the first letter is longer."""
    end = 0
    for match in GRAPHEME.finditer(text):
        if match.end() > room:
            break
        end = int(match.end())
    return end or max(room, 1)


def cut(text: str, limit: int) -> str:
    """The first `limit` characters at most, whole letters."""
    return text if len(text) <= limit else text[: end_within(text, limit)]
