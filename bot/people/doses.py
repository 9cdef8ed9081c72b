"""Which dose a message speaks of: `mũi 2`, `liều ba`, `đã tiêm 2 mũi`, `mũi nhắc lại`. "sổ mũi 2 ngày" is a nose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.languages.normalise import fold
from bot.people.reading import BREAKS, Reading, marked_or_not
from bot.people.vocabulary import Vocabulary

BOOSTER = "booster"
RECEIVED, ASKED = "received", "asked"
NEAR_WORDS = 4

_NUMBERS = {"một": 1, "đầu": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5}
_VALUE = {fold(word): value for word, value in _NUMBERS.items()}
# "mũi năm ngoái" is last year's, "mui nam" could be: five needs its mark.
_WORD = r"một|đầu(?: tiên)?|hai|ba|bốn|tư|!năm(?! (?:ngoái|trước|nay))"
_NOSE = "sổ|xổ|số|chảy|nghẹt|ngạt|tịt|nước|viêm|rửa|mổ|đau|khâu|may|polyp|xịt|trong|hỉ|xì|nhỏ|máu"
_OTHER = "uốn ván|dại|cúm|viêm gan|hpv|sởi|phế cầu|insulin|ngừa dại|nọc rắn|khớp"


_NTH = marked_or_not(
    rf"(?:(?<!\S)(?P<nose>{_NOSE}) )?(?<!\S)(?:mũi|liều) (?:thứ |số |tiêm |vắc xin |covid |nhắc lại |nhắc |bổ sung ){{0,2}}"
    rf"(?P<n>[1-6]|{_WORD})(?!\S)(?! (?:ngày|hôm|tuần|tháng|viên|mg|ml|lần|gói|ống|giờ|độ|bên|bữa|trăm|buổi))"
    rf"(?P<other> (?:vắc xin )?(?:{_OTHER}))?"
)
_MANY = marked_or_not(
    rf"(?:(?<!\S)(?P<nose>khâu|may) )?(?<!\S)(?P<n>[1-6]|một|hai|ba|bốn|năm) (?:mũi|liều)(?!\S)(?! (?:kim|khâu|thuốc))"
    rf"(?P<other> (?:vắc xin )?(?:{_OTHER}))?"
)
_BOOSTER = marked_or_not(
    r"(?<!\S)(?:mũi|liều|tiêm|chích) (?:nhắc lại|nhắc|tăng cường|bổ sung)(?!\S)(?! (?:[1-6]|một|hai|ba|bốn|thứ)(?!\S))"
)


@dataclass(frozen=True)
class Dose:
    """`number`: which dose, or how many were given; None for a booster. `role`: received, asked, or None when it is not said."""

    number: int | None
    role: str | None
    first: int
    last: int


def doses_in(reading: Reading, vocabulary: Vocabulary) -> tuple[Dose, ...]:
    """From left to right."""
    if not frozenset(reading.words) & {"mũi", "mui", "liều", "lieu", "nhắc", "nhac"}:
        return ()
    return tuple(sorted(_doses(reading, vocabulary), key=lambda dose: dose.first))


def _doses(reading: Reading, vocabulary: Vocabulary) -> Iterable[Dose]:
    taken: set[int] = set()
    for pattern in (_NTH, _MANY, _BOOSTER):
        for found in pattern.finditer(reading.text):
            named = found.groupdict()
            first, last = reading.words_from(found.start(), found.end())
            if named.get("nose") or named.get("other") or taken & set(range(first, last)):
                continue
            taken.update(range(first, last))
            given = named.get("n")
            default = RECEIVED if pattern is _MANY else None
            yield Dose(_number(given) if given else None, _role(reading, vocabulary, first, last) or default, first, last)


def _number(said: str) -> int:
    return int(said) if said.isdigit() else _VALUE[fold(said).split()[0]]


def _role(reading: Reading, vocabulary: Vocabulary, first: int, last: int) -> str | None:
    """The nearest word that says whether the dose was given or is asked about."""
    row, received, asked = reading.words, vocabulary.words["received"], vocabulary.words["asked"]
    for place in range(first, max(-1, first - NEAR_WORDS), -1):
        if place < len(row) and row[place] in BREAKS and place < first:
            break
        if asked.ending_at(row, place):
            return ASKED
        if received.ending_at(row, place):
            return RECEIVED
    return _role_behind(reading, vocabulary, last)


def _role_behind(reading: Reading, vocabulary: Vocabulary, last: int) -> str | None:
    row = reading.words
    for place in range(last, min(last + NEAR_WORDS, len(row))):
        if row[place] in BREAKS:
            return None
        if row[place] in vocabulary.words["done"] or _is_time_passed(row[place : place + 2]):
            return RECEIVED
        if vocabulary.words["asked_behind"].starting_at(row, place):
            return ASKED
    return None


def _is_time_passed(pair: Sequence[str]) -> bool:
    """As in "mũi 2 được 3 ngày"."""
    return len(pair) == 2 and pair[0] in {"được", "duoc", "cách", "cach"} and (pair[1].isdigit() or pair[1] in {"đây", "day"})
