"""How old the people in a message are: `61 tuổi`, `bé 7 tháng`, `sinh năm 1960`, `U70`, `học lớp 4`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.people.numbers import NUMBER, number
from bot.people.reading import BREAKS, COMMA, Reading, marked_or_not
from bot.people.vocabulary import Hit, Vocabulary

INFANT, CHILD, ADOLESCENT, ADULT, OLDER = "infant", "child", "adolescent", "adult", "older"
YEARS, MONTHS = "years", "months"
CHILD_FROM_YEARS, ADOLESCENT_FROM_YEARS, ADULT_FROM_YEARS, OLDER_FROM_YEARS = 1, 12, 18, 60
OLDEST_YEARS, MOST_MONTHS = 120, 60
BYSTANDER_WITHIN_WORDS = 4
LAST_CLASS_OF_CHILDREN, LAST_CLASS = 5, 12

_UNITS = frozenset({"tuổi", "tuoi", "tủi", "t", "tháng", "thang", "th"})
_BIRTH = frozenset({"sinh", "sn", "sanh"})
_CLASS = frozenset({"lớp", "lop"})
# "lúc 5 tuổi", "từ năm 19 tuổi": an age of then. "năm nay 57 tuổi" is one of now.
_THEN = "lúc|hồi|khi|!năm|từ năm|từ lúc|từ hồi|lên|từ khi|hồi lên|khi mới|lúc mới|đến năm|!tới năm"
_BOUND = "trên|dưới|từ|đến|!tới|hơn|ngoài|gần|khoảng|!tầm|chưa đến|chưa tới|chưa đủ|chưa|đủ|!quá|ngót|đã ngoài|!độ"


_N = rf"(?P<n>{NUMBER})"
_YEARS = marked_or_not(
    rf"(?:(?<!\S)(?P<then>{_THEN}) )?(?:(?<!\S)(?P<bound>{_BOUND}) )*(?:(?P<to>\d{{1,2}}) (?:đến|tới|hay|hoặc) (?:dưới )?)?"
    rf"(?<!\S){_N} (?:tuổi|tủi|t(?! \d))(?!\S)(?P<up> (?:trở lên|trở xuống|trở đi))?"
)
_RANGE = marked_or_not(r"(?<!\S)(?P<n>\d{1,2})[-–](?P<to>\d{1,2}) tuổi(?!\S)")
_MONTHS_OLD = marked_or_not(rf"(?<!\S){_N} (?:tháng tuổi|thang tuoi|th tuổi)(?!\S)")
_NOT_AN_AGE = "trước|nay|rồi|qua|nữa|tuổi|đầu|giữa|cuối|một|mới|thì|sau"
_A_BABYS_MONTHS = marked_or_not(
    r"(?<!\S)(?P<baby>bé|em bé|con|cháu|trẻ|nhóc|con gái|con trai|thằng bé|thằng cu|sinh đôi|đứa nhỏ|em nhỏ)"
    rf"(?P<between>(?: (?![,.\d])\S+){{0,3}}?) {_N} tháng(?! (?:{_NOT_AN_AGE}))(?!\S)"
)
_NO_BABYS_MONTHS = marked_or_not(r"(?<!\S)(?:bầu|thai|bú|cách|sau|trước|uống|trị|bị|mổ|tiêm|chích|khỏi|thuốc|!cứ|!mỗi|mắc)(?!\S)")
_WEEKS_OLD = marked_or_not(rf"(?<!\S)(?<!(?:thai) )(?<!(?:thai nhi) ){_N} (?:tuần|ngày) tuổi(?!\S)")
_BORN = marked_or_not(
    r"(?<!\S)(?<!(?:học) )(?:(?:sinh|sanh)(?: vào)? năm |năm sinh |sn ?)(?P<year>19\d\d|20[0-4]\d|\d\d)(?![\w/])"
    r"|(?<!\S)(?:sinh|sanh)(?: ngày| vào| vào ngày)? (?:\d{1,2}[/.-]\d{1,2}[/.-])?(?P<on>19\d\d|20[0-4]\d)(?![\w/])"
)
_DECADE = re.compile(r"(?<!\S)u(?P<n>[3-9]0)(?!\S)")
# "bà nội ngoài 80", "ba má đều trên 70", "năm nay 57,": years without the word for them.
_NEXT = r" [,.]|$| (?:bị|mà|mới|rồi|đều|có|đang|sáng|nhưng|dương|lên|hay|và)"
_BARE = marked_or_not(
    r"(?<!\S)(?P<how>(?:đã |đều |cũng |tuổi )?ngoài|đều trên|đều ngoài|năm nay|tuổi đã ngoài)"
    rf" (?P<n>\d\d(?![\d/.,:–-])|(?:năm|sáu|bảy|tám|chín) (?:mươi|chục)(?: {NUMBER})?)(?={_NEXT})"
)
_CLASS_OF = marked_or_not(rf"(?P<teacher>(?<!\S)(?:dạy|giáo viên|cô giáo|thầy giáo|chủ nhiệm|cô) )?(?<!\S)lớp {_N}(?!\S)")


@dataclass(frozen=True)
class Age:
    """`is_about`: counted from a year of birth or a decade, so it can be a year off."""

    value: int
    unit: str
    group: str
    is_about: bool
    first: int
    last: int


@dataclass(frozen=True)
class AgeGroup:
    """`group`: infant, child, adolescent, adult or older."""

    group: str
    first: int
    last: int


def group_of(value: int, unit: str) -> str:
    """The age group of so many years or months."""
    years = value if unit == YEARS else value // 12
    if years < CHILD_FROM_YEARS:
        return INFANT
    if years < ADOLESCENT_FROM_YEARS:
        return CHILD
    if years < ADULT_FROM_YEARS:
        return ADOLESCENT
    return ADULT if years < OLDER_FROM_YEARS else OLDER


def ages_in(reading: Reading, vocabulary: Vocabulary, today: datetime.date) -> tuple[Age, ...]:
    """Ages of today, from left to right; bounds ("trên 65 tuổi"), ages of the past ("lúc 5 tuổi") and those of people who
    only live there ("nhà có bà cụ 85 tuổi") are none."""
    ages = (age for age in _ages(reading, today) if not _is_a_bystanders(age, reading, vocabulary))
    return tuple(sorted(ages, key=lambda age: age.first))


def age_groups_in(reading: Reading, vocabulary: Vocabulary, ages: Sequence[Age], hits: Iterable[Hit]) -> tuple[AgeGroup, ...]:
    """The groups of the ages said; else of bounds and classes at school; else of the nouns ("trẻ em", "người già")."""
    if ages:
        return tuple(AgeGroup(age.group, age.first, age.last) for age in ages)
    named = tuple(_said_groups(reading)) or tuple(AgeGroup(h.key, h.first, h.last) for h in hits if h.kind == "group")
    return tuple(group for group in named if not _is_a_bystanders(group, reading, vocabulary))


def _is_a_bystanders(said: Age | AgeGroup, reading: Reading, vocabulary: Vocabulary) -> bool:
    row = reading.words
    for at in range(said.first, max(0, said.first - BYSTANDER_WITHIN_WORDS), -1):
        if vocabulary.words["bystanders"].ending_at(row, at):
            return True
        if row[at - 1] in BREAKS:
            return False
    return False


def _ages(reading: Reading, today: datetime.date) -> Iterable[Age]:
    said = frozenset(reading.words)
    if said & _UNITS:
        yield from _years(reading)
        yield from _months(reading)
    if said & _BIRTH or any(word.startswith("sn") for word in said):
        yield from _of_birth(reading, today)
    if "nay" in said:
        yield from _this_year(reading)


def _years(reading: Reading) -> Iterable[Age]:
    for found in _YEARS.finditer(reading.text):
        if not (found["then"] or found["bound"] or found["to"] or found["up"]):
            yield from _age(reading, found, number(found["n"]), YEARS)


def _of_birth(reading: Reading, today: datetime.date) -> Iterable[Age]:
    for found in _BORN.finditer(reading.text):
        years = today.year - _year(int(found["year"] or found["on"]), today)
        yield from _age(reading, found, years, YEARS, is_about=True)


def _this_year(reading: Reading) -> Iterable[Age]:
    """As in "tôi năm nay 45, bị gút"."""
    for found in _BARE.finditer(reading.text):
        if found["how"].endswith("nay"):
            yield from _age(reading, found, number(found["n"]), YEARS)


def _months(reading: Reading) -> Iterable[Age]:
    for found in _MONTHS_OLD.finditer(reading.text):
        yield from _age(reading, found, number(found["n"]), MONTHS)
    for found in _A_BABYS_MONTHS.finditer(reading.text):
        before = reading.text[max(0, found.start() - 8) : found.start()].rpartition(COMMA)[2]
        if not _NO_BABYS_MONTHS.search(found["between"] + " ") and not _NO_BABYS_MONTHS.search(before):
            yield from _age(reading, found, number(found["n"]), MONTHS)
    for found in _WEEKS_OLD.finditer(reading.text):
        yield from _age(reading, found, 0, MONTHS)


def _age(reading: Reading, found: re.Match[str], value: int, unit: str, *, is_about: bool = False) -> Iterable[Age]:
    most = OLDEST_YEARS if unit == YEARS else MOST_MONTHS
    if (0 < value <= most) or (unit == MONTHS and value == 0):
        first, last = reading.words_from(found.start("n" if "n" in found.groupdict() else 0), found.end())
        yield Age(value, unit, group_of(value, unit), is_about, first, last)


def _year(said: int, today: datetime.date) -> int:
    """`85` → 1985, `15` → 2015: two digits are of the last hundred years."""
    if said > 99:
        return said
    return said + (2000 if said <= today.year % 100 else 1900)


def _said_groups(reading: Reading) -> Iterable[AgeGroup]:
    if frozenset(reading.words) & _UNITS:
        yield from _bounds(reading)
    for pattern in (_DECADE, _BARE):
        for found in pattern.finditer(reading.text):
            # U70 are the sixties.
            years = number(found["n"]) - (10 if pattern is _DECADE else 0)
            yield _said(reading, found, group_of(years, YEARS))
    if frozenset(reading.words) & _CLASS:
        yield from _classes(reading)


def _bounds(reading: Reading) -> Iterable[AgeGroup]:
    """As in "trên 65 tuổi", "từ 5 đến 11 tuổi"."""
    for found in (*_YEARS.finditer(reading.text), *_RANGE.finditer(reading.text)):
        named = found.groupdict()
        if not named.get("then"):
            below = (named.get("bound") or "") in {"dưới", "duoi"} or "xuống" in (named.get("up") or "")
            years = number(found["n"]) - (1 if below else 0)
            yield _said(reading, found, group_of(max(0, years), YEARS))


def _classes(reading: Reading) -> Iterable[AgeGroup]:
    for found in _CLASS_OF.finditer(reading.text):
        if found["teacher"] is None and 1 <= number(found["n"]) <= LAST_CLASS:
            yield _said(reading, found, CHILD if number(found["n"]) <= LAST_CLASS_OF_CHILDREN else ADOLESCENT)


def _said(reading: Reading, found: re.Match[str], group: str) -> AgeGroup:
    return AgeGroup(group, *reading.words_from(found.start(), found.end()))
