"""Whether somebody in a message is pregnant, breastfeeding, planning a child or has just given birth, and how far on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.people.days import POSITIVE
from bot.people.numbers import NUMBER, number
from bot.people.reading import Reading, marked_or_not
from bot.people.vocabulary import COVID, Hit, Hits, Vocabulary

PREGNANT, BREASTFEEDING, PLANNING, GAVE_BIRTH = "pregnant", "breastfeeding", "planning", "gave_birth"
# Of several, the one that asks for the most care.
STATES = (PREGNANT, BREASTFEEDING, GAVE_BIRTH, PLANNING)
EARLY, LATER = "early", "later"
LINES = frozenset({"vạch", "vach"})
LATER_FROM_WEEKS = 13
# The fourth month begins in week 13 or 14; the third ends on either side of the line.
LATER_FROM_MONTHS, EARLY_TO_MONTHS = 4, 2
MOST_WEEKS, MOST_MONTHS = 42, 10
WEEKS, MONTHS, TRIMESTER = "weeks", "months", "trimester"


_SO_FAR = rf"(?P<n>{NUMBER}) (?P<unit>tuần|tháng|w|week|weeks)(?! (?:đầu|giữa|cuối|trước))"
_FAR = marked_or_not(
    r"(?<!\S)(?<!(?:sảy|sẩy|phá|nạo|hút) )(?:thai|bầu|bầu bì|nghén|thai kỳ|tuổi thai)(?: (?![,.\d])\S+){0,3}?"
    rf" (?:(?P<unit_before>tuần|tháng) (?:thai )?(?:thứ )?(?P<nth>{NUMBER})|{_SO_FAR})(?!\S)"
)
_WEEKS_THEN_PREGNANT = marked_or_not(rf"(?<!\S)(?P<n>{NUMBER}) (?P<unit>tuần|tháng) (?:thai|mang thai|bầu)(?!\S)")
_WEEK_OF_PREGNANCY = marked_or_not(rf"(?<!\S)tuần thai (?:thứ )?(?P<n>{NUMBER})(?!\S)")
_TRIMESTER = marked_or_not(r"(?<!\S)(?:3|ba) tháng (?P<which>đầu|giữa|cuối)(?!\S)")
_SO_LONG_NOW = marked_or_not(
    r"được (?:(?:hơn|gần|khoảng|tầm|chừng|đúng) )?"
    rf"(?:(?:(?!(?:sau) ){NUMBER}|mấy) (?:tuần|tháng|ngày|w|week|weeks)(?! nữa)|(?:tuần|tháng)(?: thứ)? {NUMBER})(?!\S)"
)
_FEEDS = marked_or_not(r"(?<!\S)cho (?:bé|con|em bé|cháu)(?: (?![,.])\S+){1,3} bú(?!\S)")
_CAN, _NOW = frozenset({"được", "duoc"}), frozenset({"đang", "dang"})
# "Có thai được không", "… được chưa", "… được sau 3 tháng".
_ENDS_A_QUESTION = frozenset({",", ".", "không", "khong", "chưa", "chua", "hay", "sau", "lại", "lai", "nữa", "nua", "vậy", "vay"})
_TRIMESTERS = {"đầu": 1, "dau": 1, "giữa": 2, "giua": 2, "cuối": 3, "cuoi": 3}


@dataclass(frozen=True)
class Pregnancy:
    """`stage` (before week 13: early, else later) and `length` in `unit` (weeks, months, trimester) only when they were said."""

    state: str
    stage: str | None
    length: int | None
    unit: str | None
    first: int
    last: int


def pregnancy_in(reading: Reading, hits: Sequence[Hit], vocabulary: Vocabulary) -> Pregnancy | None:
    """The state that asks for the most care; what is denied ("không mang thai") is none."""
    told = [hit for hit in hits if hit.kind == "pregnancy" and not _is_denied(hit, reading, vocabulary)]
    length, unit = _length(reading) if told or "thai" in reading.words else (None, None)
    states = [(_state(hit, reading), hit) for hit in told]
    if not states:
        return _by_its_weeks(reading) if length else _feeding(reading)
    state, hit = min(states, key=lambda pair: STATES.index(pair[0]))
    if state != PREGNANT:
        return Pregnancy(state, None, None, None, hit.first, hit.last)
    return Pregnancy(state, _stage(length, unit), length, unit, hit.first, hit.last)


def with_pregnancy_tests(reading: Reading, hits: Hits, vocabulary: Vocabulary) -> Hits:
    """ "Trễ kinh, thử que lên 2 vạch" is no covid: the two lines become a pregnancy, unless covid is named besides."""
    words, row = vocabulary.words, reading.words
    if not any(words["late_period"].starting_at(row, at) for at in range(len(row))):
        return hits
    if any(words["of_a_covid_test"].starting_at(row, at) for at in range(len(row))):
        return hits
    lines = {hit for hit in hits if hit.key in {POSITIVE, COVID} and not LINES.isdisjoint(row[hit.first : hit.last])}
    tests = (Hit("pregnancy", PREGNANT, hit.first, hit.last) if hit.kind == "event" else None for hit in lines)
    return Hits(sorted((*(hit for hit in hits if hit not in lines), *filter(None, tests)), key=lambda hit: hit.first))


def _is_denied(hit: Hit, reading: Reading, vocabulary: Vocabulary) -> bool:
    row, words = reading.words, vocabulary.words
    if words["not"].ending_at(row, hit.first + 1) > 1:  # "chưa" + "có thai"
        return True
    at = hit.first
    for _ in range(3):
        if length := words["not"].ending_at(row, at):
            return not (at > length and row[at - length - 1] in words["before_a_question_tag"])
        if words["no_longer"].ending_at(row, at):
            return True
        if not at or row[at - 1] not in words["fillers"]:
            return False
        at -= 1
    return False


def _state(hit: Hit, reading: Reading) -> str:
    """Who asks "có thai được không" asks about later; not so "có thai được 20 tuần", "đang mang thai được tiêm không"."""
    row = reading.words
    can = hit.last - 1 if hit.key == PLANNING else hit.last
    after = row[can : can + 6]
    if not after or after[0] not in _CAN:
        return hit.key
    if _SO_LONG_NOW.match(" ".join(after)):
        return PREGNANT
    is_now = hit.first > 0 and row[hit.first - 1] in _NOW
    return hit.key if is_now or (after[1:] and after[1] not in _ENDS_A_QUESTION) else PLANNING


def _by_its_weeks(reading: Reading) -> Pregnancy | None:
    """As in "thai 20 tuan": without diacritics the word alone would be too little."""
    found = next(_lengths(reading), None)
    if found is None:
        return None
    length, unit, match = found
    return Pregnancy(PREGNANT, _stage(length, unit), length, unit, *reading.words_from(match.start(), match.end()))


def _feeding(reading: Reading) -> Pregnancy | None:
    """As in "cho bé 2 tháng bú"."""
    found = _FEEDS.search(reading.text)
    if found is None:
        return None
    return Pregnancy(BREASTFEEDING, None, None, None, *reading.words_from(found.start(), found.end()))


def _length(reading: Reading) -> tuple[int | None, str | None]:
    found = next(_lengths(reading), None)
    if found is not None:
        return found[0], found[1]
    trimester = _TRIMESTER.search(reading.text)
    return (_TRIMESTERS[trimester["which"]], TRIMESTER) if trimester else (None, None)


def _lengths(reading: Reading) -> Iterator[tuple[int, str, re.Match[str]]]:
    for pattern in (_FAR, _WEEKS_THEN_PREGNANT, _WEEK_OF_PREGNANCY):
        for match in pattern.finditer(reading.text):
            named = match.groupdict()
            length = number(named.get("n") or named["nth"])
            unit = named.get("unit") or named.get("unit_before") or "tuần"
            weeks = unit not in {"tháng", "thang"}
            if 0 < length <= (MOST_WEEKS if weeks else MOST_MONTHS):
                yield length, WEEKS if weeks else MONTHS, match


def _stage(length: int | None, unit: str | None) -> str | None:
    if length is None:
        return None
    if unit == WEEKS:
        return LATER if length >= LATER_FROM_WEEKS else EARLY
    if unit == TRIMESTER:
        return EARLY if length == 1 else LATER
    return LATER if length >= LATER_FROM_MONTHS else EARLY if length <= EARLY_TO_MONTHS else None
