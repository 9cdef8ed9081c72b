"""What a bulletin must be before anybody may propose it: text of a form, a command or a CSV cell, read strictly. Pure.

Every problem names its column, what stood there and a reason out of locales/vi/interface/bulletins.yml.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bot.figures.places import MERGED_ON, FigurePlaces
from bot.figures.readings import COUNTRY, METRICS, UNKNOWN_PLACE, VIETNAM, Kind, Window
from bot.languages.normalise import fold

# The columns of a bulletin, in the order in which people see them.
COLUMNS = ("place", "kind", "starts", "ends", *METRICS, "issuer", "url", "note")
FIRST_DAY = datetime.date(2020, 1, 1)
MOST = 10**10
LIMITS = {"issuer": 200, "url": 500, "note": 1000}

_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2,4})")
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_HOUR = re.compile(r"(\d{1,2}) ?(?::|h|giờ|g) ?(?:(\d{2})(?::\d{2})?)?(?: ?phút)?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:[. \u00a0\u202f]\d{3})+")
_BETWEEN = re.compile(r"(?:[\s,]|T(?=\d)|ngày)+")


@dataclass(frozen=True)
class Problem:
    """`column`: one of COLUMNS, or "" for the whole; `reason`: a key of `problems`; `values` fill its sentence."""

    column: str
    value: str
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)


class DraftRefused(Exception):
    """All that is wrong with it, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem.column}: {problem.reason}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Draft:
    """A bulletin that is well-formed. Whether its numbers can be true is the gate's affair."""

    place: str
    as_of: datetime.date
    window: Window
    values: Mapping[str, int]
    issuer: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class _Moment:
    """A day, and an hour where one was written."""

    day: datetime.date
    at: datetime.datetime | None


class _Wrong(Exception):
    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


def read_draft(
    fields: Mapping[str, str], places: FigurePlaces, kind_names: Mapping[str, list[str]], now: datetime.datetime
) -> Draft:
    """The bulletin in these texts; raises DraftRefused with all problems.

    `place`: a key or a name; `starts`, `ends`: `10/02/2022` or `16:00 10/02/2022`; numbers: `1234` or `1.234`.
    """
    return _Reader(fields, places, kind_names, now).draft()


class _Reader:
    def __init__(
        self, fields: Mapping[str, str], places: FigurePlaces, kind_names: Mapping[str, list[str]], now: datetime.datetime
    ) -> None:
        self._fields = {column: fields.get(column, "").strip() for column in COLUMNS}
        self._places, self._kind_names, self._now = places, kind_names, now
        self._problems: list[Problem] = []

    def draft(self) -> Draft:
        values = {metric: value for metric in METRICS if (value := self._tried(metric, self._number)) is not None}
        if not values and not any(problem.column in METRICS for problem in self._problems):
            self._problems.append(Problem("cases", "", "no_value"))
        issuer, url, note = (self._tried(column, self._text) for column in LIMITS)
        kind: Kind | None = self._tried("kind", self._kind)
        ends = self._tried("ends", self._moment)
        starts = self._tried("starts", self._moment) if self._fields["starts"] else None
        window = self._window(kind, starts, ends) if kind and ends and not self._is_wrong("starts") else None
        place = self._tried("place", lambda text: self._place(text, _as_of(ends) if ends else None))
        if self._problems or window is None or ends is None:
            raise DraftRefused(sorted(self._problems, key=lambda problem: COLUMNS.index(problem.column)))
        return Draft(str(place), _as_of(ends), window, values, str(issuer), str(url), str(note))

    def _tried(self, column: str, read: Any) -> Any:
        try:
            return read(self._fields[column]) if column not in LIMITS else self._text(column)
        except _Wrong as wrong:
            self._problems.append(Problem(column, self._fields[column], wrong.reason, wrong.values))
            return None

    def _is_wrong(self, column: str) -> bool:
        return any(problem.column == column for problem in self._problems)

    def _text(self, column: str) -> str:
        text = self._fields[column]
        if not text and column != "note":
            raise _Wrong("missing")
        if len(text) > LIMITS[column]:
            raise _Wrong("text_too_long", limit=LIMITS[column])
        if column == "url" and not _is_https(text):
            raise _Wrong("url_not_https")
        return text

    def _number(self, text: str) -> int | None:
        if not text:
            return None
        if text.startswith(("-", "−")):
            raise _Wrong("number_negative")
        if "," in text:
            raise _Wrong("number_comma")
        if not (text.isascii() and text.isdigit()) and not _GROUPED.fullmatch(text):
            raise _Wrong("number_unreadable")
        value = int(re.sub(r"\D", "", text))
        if value >= MOST:
            raise _Wrong("number_too_large")
        return value

    def _kind(self, text: str) -> Kind:
        if not text:
            raise _Wrong("missing")
        found = [kind for kind, names in self._kind_names.items() if same(text, kind) or any(same(text, name) for name in names)]
        if found and found[0] in {"day", "week", "total"}:
            return found[0]  # type: ignore[return-value]
        raise _Wrong("kind_unknown")

    def _moment(self, text: str) -> _Moment:
        if not text:
            raise _Wrong("missing")
        day, rest = _day(text)
        if day < FIRST_DAY:
            raise _Wrong("day_too_old")
        rest = _BETWEEN.sub(" ", rest).strip()
        if not rest:
            return _Moment(day, None)
        hour = _HOUR.fullmatch(rest)
        if not hour or int(hour[1]) > 23 or int(hour[2] or 0) > 59:
            raise _Wrong("moment_unreadable")
        return _Moment(day, datetime.datetime.combine(day, datetime.time(int(hour[1]), int(hour[2] or 0)), VIETNAM))

    def _window(self, kind: Kind, starts: _Moment | None, ends: _Moment) -> Window | None:
        try:
            _check_length(kind, starts, ends)
        except _Wrong as wrong:
            column = "starts" if wrong.reason in {"starts_missing", "total_has_no_start"} else "ends"
            self._problems.append(Problem(column, self._fields[column], wrong.reason))
            return None
        end = ends.at or datetime.datetime.combine(ends.day + datetime.timedelta(days=1), datetime.time(), VIETNAM)
        if end > self._now:
            self._problems.append(Problem("ends", self._fields["ends"], "not_over"))
        return Window(kind, starts.at if starts else None, ends.at)

    def _place(self, text: str, as_of: datetime.date | None) -> str:
        if not text:
            raise _Wrong("missing")
        is_today = as_of is None or as_of >= MERGED_ON
        key = text if text in self._places else self._places.by_name(text, era="today" if is_today else "until_2025")
        if key is None and is_today and self._places.by_name(text, era="until_2025"):
            raise _Wrong("place_ended")
        if key is None or key == UNKNOWN_PLACE:
            raise _Wrong("place_unknown")
        if key != COUNTRY and as_of and (self._places.unit(key).era == "today") != is_today:
            raise _Wrong("place_ended" if is_today else "place_not_yet")
        return key


def same(text: str, other: str) -> bool:
    """The same words, whatever their case, marks and spaces."""
    return plain(text) == plain(other)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", fold(text).lower()).strip()


def _as_of(ends: _Moment) -> datetime.date:
    """The day that ends then: what ends at 00:00 was the day before."""
    return (ends.at - datetime.timedelta(microseconds=1)).date() if ends.at else ends.day


def _day(text: str) -> tuple[datetime.date, str]:
    """The day in a text and what else stands there."""
    if iso := _ISO_DAY.search(text):
        year, month, day = iso.groups()
        found = iso
    elif local := _DAY.search(text):
        day, month, year = local.groups()
        found = local
    else:
        raise _Wrong("moment_unreadable")
    if len(year) != 4:
        raise _Wrong("year_short")
    try:
        return datetime.date(int(year), int(month), int(day)), f"{text[: found.start()]} {text[found.end() :]}"
    except ValueError as error:
        raise _Wrong("month_first" if int(month) > 12 >= int(day) else "moment_unreadable") from error


def _check_length(kind: Kind, starts: _Moment | None, ends: _Moment) -> None:
    if kind == "total":
        if starts:
            raise _Wrong("total_has_no_start")
        return
    days = 1 if kind == "day" else 7
    wrong = "day_is_24_hours" if kind == "day" else "week_is_7_days"
    if starts is None:
        if ends.at:
            raise _Wrong("starts_missing")
        return
    if (starts.at is None) != (ends.at is None):
        raise _Wrong("times_differ")
    if starts.at and ends.at:
        is_right = ends.at - starts.at == datetime.timedelta(days=days)
    else:
        is_right = (ends.day - starts.day).days == days - 1
    if not is_right:
        raise _Wrong(wrong)


def _is_https(text: str) -> bool:
    """An address that anybody can open: https, a host with a dot, nobody's password, no spaces."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        is_named = bool(parts.port is None or 0 < parts.port < 65536)
    except ValueError:
        return False
    clean = not re.search(r"[\s<>\"\\^`{|}\x00-\x1f\x7f]", text)
    return parts.scheme == "https" and "." in host.strip(".") and is_named and "@" not in parts.netloc and clean
