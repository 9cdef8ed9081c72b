"""Numbers as Vietnamese write them in words: `sáu mươi hai`, `tám lăm`, `mười`."""

from __future__ import annotations

from bot.languages.normalise import fold, with_and_without_marks

# "mốt, lăm, nhăm" follow tens; "bẩy" is "bảy" in the north.
_ONES = {"một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5, "nhăm": 5, "sáu": 6, "bảy": 7, "bẩy": 7}
_ONES |= {"tám": 8, "chín": 9}
_VALUE = {fold(word): value for word, value in _ONES.items()}
_ONE = f"(?:{'|'.join(_ONES)})"
_WORDS = rf"(?:{_ONE} (?:mươi|chục)(?: {_ONE})?|mười(?: {_ONE})?|{_ONE} (?:mốt|lăm|nhăm)|{_ONE})"

# A pattern for one whole number below 1000; give what it finds to `number`.
NUMBER = rf"(?:\d{{1,3}}(?![\d/.,:–-])|{with_and_without_marks(_WORDS)})"


def number(found: str) -> int:
    """`sáu mươi hai` → 62; only for what NUMBER finds."""
    if found.isdigit():
        return int(found)
    words = fold(found).split()
    if words[0] == "muoi":
        return 10 + sum(_VALUE[word] for word in words[1:])
    tens = _VALUE[words[0]]
    if len(words) == 1:
        return tens
    return tens * 10 + sum(_VALUE[word] for word in words[1:] if word not in {"muoi", "chuc"})
