"""When something happened: dates (`19/6`, `hôm qua`) and days since a contact, a positive test, first symptoms or a dose."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.people.numbers import NUMBER, number
from bot.people.reading import COMMA, Reading, marked_or_not
from bot.people.vocabulary import Hit, Hits

POSITIVE, CONTACT, SYMPTOMS, VACCINATION = "positive", "contact", "symptoms", "vaccination"
ROLES = (POSITIVE, CONTACT, SYMPTOMS, VACCINATION)
NEAR_WORDS = 8
LONGEST_EVENT_WORDS = 6
LONGEST_DAYS = 400
# A day longer ago is one of birth.
MOST_YEARS_AWAY = 10
LAST_ORDINAL_DAY = 21
# Without marks "sau" is "after" more often than six, "tu" is "from" and never four.
_N = rf"(?:(?!(?:sau|tu)(?!\S)){NUMBER})"
_DAYS_IN = {"ngày": 1, "ngay": 1, "hôm": 1, "hom": 1, "bữa": 1, "bua": 1, "tuần": 7, "tuan": 7, "tháng": 30, "thang": 30}
_UNIT = "ngày|hôm|bữa|tuần|tháng"
_BEFORE_A_DATE = "ngày|hôm|mùng|mồng|từ|đến|tới|vào|sáng|chiều|tối|trưa|bữa|hẹn|lịch|qua|nay|nhật|lúc|tháng|và|là|thứ \\S+"


_FULL_DATE = re.compile(r"(?<!\S)(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4}|\d{2})(?!\S)")
_SHORT_DATE = marked_or_not(rf"(?<!\S)(?P<cue>{_BEFORE_A_DATE}) (?P<d>\d{{1,2}})[/-](?P<m>\d{{1,2}})(?!\S)")
_SPOKEN_DATE = marked_or_not(
    r"(?<!\S)(?:ngày|mùng|mồng|hôm) (?P<d>\d{1,2}) tháng (?P<m>\d{1,2}|giêng|chạp)(?: năm (?P<y>\d{4}))?(?!\S)(?! (?:tuổi|lần))"
)
_COUNT = re.compile(_N)
_NO_MORE = frozenset({"hết", "het", "khỏi", "khoi", "dứt", "dut", "không", "khong", "chưa", "chua"})
_SOME = frozenset({"mấy", "may", "vài", "vai", "nhiều", "nhieu"})
_NAMED_DAYS = {
    0: "hôm nay|bữa nay|hôm ni|sáng nay|trưa nay|chiều nay|tối nay|hôm nay",
    1: "hôm qua|bữa qua|tối qua|chiều qua|sáng qua|đêm qua|trưa qua|sáng hôm qua|tối hôm qua|chiều hôm qua",
    2: "hôm kia|bữa kia|hôm kía",
}
_DAY_NAMES = {days: marked_or_not(rf"(?<!\S)(?:{names})(?!\S)") for days, names in _NAMED_DAYS.items()}
_LAST = {
    7: marked_or_not(r"(?<!\S)tuần (?:trước|rồi|qua|vừa rồi)(?!\S)"),
    30: marked_or_not(r"(?<!\S)tháng (?:trước|rồi|vừa rồi)(?!\S)"),
}
# "hôm thứ sáu", "từ ngày thứ 6", "ngày thứ sáu" name a day of the week.
_WEEKDAY = r"(?:hai|ba|tư|bốn|năm|sáu|bảy)(?!\S)"
_NTH_DAY = marked_or_not(
    rf"(?<!\S)(?<!(?:từ) )(?<!(?:hôm) )(?<!(?:vào) )(?:ngày thứ (?!{_WEEKDAY})|(?:là|sang|được|qua) ngày thứ )"
    rf"(?P<n>{NUMBER})(?!\S)"
)
_DAY_N = marked_or_not(r"(?<!\S)ngày (?P<n>\d{1,2})(?!\S)(?! (?:lần|viên|tháng|bữa|gói|ly|lít|cữ|ca|người|giờ|tiếng))")
# Today's own date is none of these.
_TODAY_NTH = marked_or_not(r"(?<!\S)(?:hôm nay|bữa nay|nay) (?:(?:là|đã|sang|được) ){0,2}ngày (?:thứ )?(?P<n>\d{1,2})(?!\S)")
_AGO = marked_or_not(
    rf"(?<!\S)(?:(?P<cue>cách đây|được|đã|mới|hơn|từ|khoảng|gần|đúng|qua) ){{0,3}}(?P<n>{_N}|nửa) (?P<unit>{_UNIT})(?!\S)"
    r"(?P<past> (?:nay|trước|rồi|qua|này|ni|hơn nay))?(?P<not> (?:nữa|một lần|mới|thì|sau|tuổi|tới|liền|đầu|cuối|giữa|là))?"
)
_NOT_AGO = marked_or_not(
    r"(?<!\S)(?:thứ|sau|trong|mỗi|cứ|ít nhất|tối thiểu|đợi|chờ|còn|cách|tháng|mấy|vòng|đủ|thêm|nghỉ|ly|hay|bầu|thai)$"
)


@dataclass(frozen=True)
class NamedDate:
    """A day that the message names, as a calendar day."""

    day: datetime.date
    first: int
    last: int


@dataclass(frozen=True)
class DaysSince:
    """`days` since `role` (positive, contact, symptoms, vaccination); `is_ordinal`: the so-many-eth day, the first being 1."""

    days: int
    role: str
    is_ordinal: bool
    first: int
    last: int


@dataclass(frozen=True)
class _Time:
    """A stretch of time before it is known since what. `is_sure`: the words themselves say that it lies in the past."""

    days: int
    is_ordinal: bool
    is_sure: bool
    first: int
    last: int


def dates_in(reading: Reading, today: datetime.date) -> tuple[NamedDate, ...]:
    """Dates from left to right; a day and month without a year is the nearest such day."""
    found: dict[int, NamedDate] = {}
    for pattern in (_FULL_DATE, _SHORT_DATE, _SPOKEN_DATE) if _has_number(reading) else ():
        for match in pattern.finditer(reading.text):
            day = _day(match, today)
            first, last = reading.words_from(match.start("d"), match.end())
            if day is not None and abs(day.year - today.year) <= MOST_YEARS_AWAY and first not in found:
                found[first] = NamedDate(day, first, last)
    for days, pattern in _DAY_NAMES.items():
        for match in pattern.finditer(reading.text):
            first, last = reading.words_from(match.start(), match.end())
            if not _is_counted(reading, first):
                found.setdefault(first, NamedDate(today - datetime.timedelta(days=days), first, last))
    return tuple(found[first] for first in sorted(found))


def days_since_in(
    reading: Reading, hits: Sequence[Hit], dates: Sequence[NamedDate], today: datetime.date
) -> tuple[DaysSince, ...]:
    """Times that belong to something that happened, from left to right."""
    events = Hits(hit for hit in hits if hit.kind == "event" and hit.key in ROLES)
    if not events:
        return ()
    said: list[DaysSince] = []
    for time in sorted([*_times(reading, today), *_of_dates(dates, today)], key=lambda time: (time.first, -time.last)):
        if said and time.first < said[-1].last:
            continue
        event = _event_of(time, events, reading)
        # "F0 ngày 20/11, hôm nay đi làm được chưa": what has a day already did not begin today.
        if event is not None and (time.is_sure or time.days or event.key not in {since.role for since in said}):
            said.append(DaysSince(time.days, event.key, time.is_ordinal, time.first, time.last))
    return tuple(said)


def _is_counted(reading: Reading, first: int) -> bool:
    """In "2 hôm nay" and "mấy hôm nay" days are counted; neither is today."""
    before = reading.words[first - 1] if first else ""
    return before in _SOME or _COUNT.fullmatch(before) is not None


def _has_number(reading: Reading) -> bool:
    return any(word[0].isdigit() for word in reading.words)


def _day(found: re.Match[str], today: datetime.date) -> datetime.date | None:
    named = found.groupdict()
    month = {"giêng": 1, "gieng": 1, "chạp": 12, "chap": 12}.get(named["m"]) or int(named["m"])
    year = int(named["y"]) if named.get("y") else None
    if year is not None:
        return _valid(year + 2000 if year < 100 else year, month, int(named["d"]))
    near = (_valid(today.year + shift, month, int(named["d"])) for shift in (-1, 0, 1))
    return min((day for day in near if day), key=lambda day: abs((day - today).days), default=None)


def _valid(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _is_no_more(hit: Hit, reading: Reading) -> bool:
    """Three days without a fever are not three days of fever: "hết sốt 3 ngày"."""
    return hit.key == SYMPTOMS and hit.first > 0 and reading.words[hit.first - 1] in _NO_MORE


def _times(reading: Reading, today: datetime.date) -> Iterable[_Time]:
    text = reading.text
    yield from _nth_days(reading, today)
    for days, pattern in _LAST.items():
        for match in pattern.finditer(text):
            yield _time(reading, match, days, is_ordinal=False, is_sure=True)
    for match in _AGO.finditer(text):
        if match["not"] is None and not _NOT_AGO.search(text[max(0, match.start() - 14) : match.start()].rstrip()):
            days = 15 if match["n"] in {"nửa", "nua"} else number(match["n"]) * _DAYS_IN[match["unit"]]
            yield _time(reading, match, days, is_ordinal=False, is_sure=bool(match["past"] or match["cue"]))


def _nth_days(reading: Reading, today: datetime.date) -> Iterable[_Time]:
    for match in _NTH_DAY.finditer(reading.text):
        yield _time(reading, match, number(match["n"]), is_ordinal=True, is_sure=True)
    for match in _TODAY_NTH.finditer(reading.text):
        if 1 <= number(match["n"]) <= LAST_ORDINAL_DAY and number(match["n"]) != today.day:
            yield _time(reading, match, number(match["n"]), is_ordinal=True, is_sure=True)
    for match in _DAY_N.finditer(reading.text):
        if 1 <= number(match["n"]) <= LAST_ORDINAL_DAY:
            yield _nth_or_date(_time(reading, match, number(match["n"]), is_ordinal=True, is_sure=False), today)


def _time(reading: Reading, match: re.Match[str], days: int, *, is_ordinal: bool, is_sure: bool) -> _Time:
    return _Time(days, is_ordinal, is_sure, *reading.words_from(match.start(), match.end()))


def _nth_or_date(time: _Time, today: datetime.date) -> _Time:
    """ "F0 ngày 3" is the third day, "dương tính ngày 19" the 19th of the month: the later beginning is the careful reading."""
    since_date = (today.day - time.days) % (today.replace(day=1) - datetime.timedelta(days=1)).day
    return replace(time, days=since_date, is_ordinal=False) if since_date < time.days - 1 else time


def _of_dates(dates: Sequence[NamedDate], today: datetime.date) -> Iterable[_Time]:
    for date in dates:
        days = (today - date.day).days
        if 0 <= days <= LONGEST_DAYS:
            yield _Time(days, is_ordinal=False, is_sure=days > 0, first=date.first, last=date.last)


def _event_of(time: _Time, events: Hits, reading: Reading) -> Hit | None:
    """The nearest thing that happened, in the same sentence; a time that may lie ahead must stand right behind it."""
    start, end = reading.sentence(time.first)
    around = events.within(max(start, time.first - NEAR_WORDS - LONGEST_EVENT_WORDS), min(end, time.last + NEAR_WORDS + 1))
    near = [(cost, event) for event in around if (cost := _cost(time, event, reading)) is not None]
    if time.is_ordinal:
        near = [(cost, event) for cost, event in near if not _is_no_more(event, reading)]
    nearest = min(near, key=lambda pair: pair[0])[1] if near else None
    return None if nearest is None or _is_no_more(nearest, reading) else nearest


def _cost(time: _Time, event: Hit, reading: Reading) -> int | None:
    between = reading.words[event.last : time.first] if event.last <= time.first else reading.words[time.last : event.first]
    far = len(between)
    if far > NEAR_WORDS or (COMMA in between and not time.is_ordinal):
        return None
    follows = event.last <= time.first
    if not time.is_sure and not (follows and len(between) == 0):
        # "F0 ngày 3", "sốt 3 ngày"; of today only what cannot be a plan.
        is_today = not time.is_ordinal and time.days == 0
        if not is_today or (event.key == VACCINATION and not _is_done(between)):
            return None
    return far


def _is_done(between: Sequence[str]) -> bool:
    return bool({"vừa", "vua", "mới", "moi", "đã", "da", "xong", "rồi", "roi"} & set(between))
