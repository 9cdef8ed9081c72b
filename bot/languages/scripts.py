"""Which writing a text is in, where the writing alone says the language: Khmer, Tai Viet, Lao, Thai, Cham. Pure."""

from __future__ import annotations

import re
from collections import Counter

# The blocks of Unicode and the tag of the one language of ours, or of our neighbours, that is written so.
_BLOCKS = {
    "km": "\u1780-\u17ff\u19e0-\u19ff",
    "blt-Tavt": "\uaa80-\uaadf",
    "lo": "\u0e80-\u0eff",
    "th": "\u0e00-\u0e7f",
    "cjm-Cham": "\uaa00-\uaa5f",
}
_IN_SCRIPT = re.compile("|".join(f"(?P<{tag.replace('-', '_')}>[{block}])" for tag, block in _BLOCKS.items()))
_OF_A_WORD = re.compile(r"[^\W\d_]")
# Zero-width spaces, joiners, marks of direction and the byte order mark; Khmer is broken into lines with the first.
_ZERO_WIDTH = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
# A word at least. Loanwords in Latin letters stand in many a Khmer message, so a third of the letters is enough.
LEAST_LETTERS = 3
LEAST_SHARE = 0.3


# A text in this writing is answered as the language that has texts; the others have none here.
BY_SCRIPT = {"km": "km", "blt-Tavt": "blt-Latn"}


def without_zero_width(text: str) -> str:
    """The text without characters that nobody sees."""
    return text if text.isascii() else _ZERO_WIDTH.sub("", text)


def script_language(text: str) -> str | None:
    """`km`, `blt-Tavt`, `lo`, `th` or `cjm-Cham` when about a third of the letters are of that writing; else None."""
    if text.isascii():
        return None
    found = Counter(str(match.lastgroup) for match in _IN_SCRIPT.finditer(text))
    if not found:
        return None
    name, number = found.most_common(1)[0]
    others = sum(not _IN_SCRIPT.match(letter) for letter in _OF_A_WORD.findall(text))
    return name.replace("_", "-") if number >= LEAST_LETTERS and number >= LEAST_SHARE * (number + others) else None


def written_in(text: str) -> str | None:
    """The language of ours whose writing the text is in; None for Latin letters, and for a writing that we have no texts in."""
    return BY_SCRIPT.get(script_language(text) or "")
