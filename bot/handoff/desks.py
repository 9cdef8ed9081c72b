"""The desks where people answer: whom each serves, when it is open, when it opens next (data/directory/desks.yml)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.languages.normalise import fold, normalise
from bot.yaml_files import read_yaml

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# A desk that does not open within this time has no hours that could be told.
LOOK_AHEAD_DAYS = 30
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_HOLIDAY = re.compile(r"(?:\d{4}-)?\d{2}-\d{2}")

# Minutes of a day: from, to.
Span = tuple[int, int]


class DesksError(Exception):
    """data/directory/desks.yml is broken; the message names the desk and what is expected."""


@dataclass(frozen=True)
class Desk:
    """`hours`: spans by day of the week, Monday first. `serves`: what it is limited to, by `places`, `languages`, `reasons`."""

    id: str
    name: str
    province: str
    is_default: bool
    is_on: bool
    is_confirmed: bool
    hours: tuple[tuple[Span, ...], ...]
    holidays: frozenset[str]
    call: tuple[str, ...] = ()
    serves: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_open(self, now: datetime.datetime) -> bool:
        local = now.astimezone(VIETNAM)
        minute = local.hour * 60 + local.minute
        return any(begins <= minute < ends for begins, ends in self._spans(local.date()))

    def opens_next(self, now: datetime.datetime) -> datetime.datetime | None:
        """The next moment at which it opens; None when it has no hours within a month."""
        local = now.astimezone(VIETNAM)
        for days in range(LOOK_AHEAD_DAYS):
            day = local.date() + datetime.timedelta(days=days)
            for begins, _ in self._spans(day):
                opens = datetime.datetime.combine(day, datetime.time(begins // 60, begins % 60), VIETNAM)
                if opens > local:
                    return opens
        return None

    def suits(self, place: str | None, language: str, reason: str) -> int:
        """How narrowly this desk is for such a case; -1 when it is for others."""
        given = {"places": place, "languages": language, "reasons": reason}
        if any(given[what] not in allowed for what, allowed in self.serves.items()):
            return -1
        return len(self.serves) if self.serves or self.is_default else -1

    def _spans(self, day: datetime.date) -> tuple[Span, ...]:
        is_holiday = {f"{day:%m-%d}", day.isoformat()} & self.holidays
        return () if is_holiday else self.hours[day.weekday()]


@dataclass(frozen=True)
class Desks:
    """The desks of one province."""

    all: tuple[Desk, ...]
    default: Desk
    position_words: frozenset[str] = frozenset()

    @classmethod
    def load(cls, root: Path, province: str) -> Desks:
        """Read data/directory/desks.yml below `root`; raises DesksError."""
        raw = read_yaml(root / "data/directory/desks.yml")
        holidays = _holidays(raw.get("holidays") or ())
        desks = tuple(
            _desk(id_, entry, holidays) for id_, entry in (raw.get("desks") or {}).items() if entry.get("province") == province
        )
        defaults = [desk for desk in desks if desk.is_default]
        if len(defaults) != 1:
            raise DesksError(f"{province} needs exactly one desk with is_default: true, not {len(defaults)}")
        return cls(desks, defaults[0], frozenset(_plain(words) for words in raw.get("asks_position") or ()))

    def named(self, id_: str) -> Desk:
        """The desk, or the default one for an id that the file no longer has."""
        return next((desk for desk in self.all if desk.id == id_), self.default)

    def __contains__(self, id_: object) -> bool:
        return any(desk.id == id_ for desk in self.all)

    def for_case(self, place: str | None, language: str, reason: str) -> Desk:
        """The narrowest desk that is switched on and for such a case; else the default one."""
        suiting = [desk for desk in self.all if desk.is_on and desk.suits(place, language, reason) >= 0]
        return max(suiting, key=lambda desk: desk.suits(place, language, reason), default=self.default)

    def asks_position(self, text: str) -> bool:
        """Whether somebody who waits asks when it is their turn; longer talk is for the person they wait for."""
        said = _plain(text)
        return len(said.split()) <= 12 and any(f" {words} " in f" {said} " for words in self.position_words)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(normalise(text))))


def _desk(id_: str, raw: Mapping[str, Any], holidays: frozenset[str]) -> Desk:
    try:
        return Desk(
            id=id_,
            name=str(raw["name"]),
            province=str(raw["province"]),
            is_default=bool(raw.get("is_default", False)),
            is_on=bool(raw["is_on"]),
            is_confirmed=bool(raw["confirmed"]),
            hours=_hours(raw["hours"]),
            holidays=(holidays if raw.get("common_holidays", True) else frozenset()) | _holidays(raw.get("holidays") or (), id_),
            call=tuple(map(str, raw.get("call") or ())),
            serves={what: frozenset(map(str, values)) for what, values in (raw.get("serves") or {}).items()},
        )
    except KeyError as error:
        raise DesksError(f"desk {id_} has no {error.args[0]}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise DesksError(f"desk {id_} is not written as expected: {error}") from error


def _hours(raw: Mapping[str, Collection[str]]) -> tuple[tuple[Span, ...], ...]:
    if unknown := set(raw) - set(DAYS):
        raise ValueError(f"hours are for the days {', '.join(DAYS)}, not {', '.join(sorted(unknown))}")
    return tuple(tuple(sorted(_span(text) for text in raw.get(day) or ())) for day in DAYS)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(str(text))
    if match is None:
        raise ValueError(f'hours are written "07:00-11:30", not {text!r}')
    begins, ends = (int(part[:2]) * 60 + int(part[3:5]) for part in str(text).split("-"))
    if begins >= ends:
        raise ValueError(f"{text!r} ends before it begins; hours over midnight are two spans")
    return begins, ends


def _holidays(raw: Collection[object], desk: str = "") -> frozenset[str]:
    days = frozenset(map(str, raw))
    if wrong := sorted(day for day in days if not _HOLIDAY.fullmatch(day)):
        whose = f"of desk {desk} " if desk else ""
        raise DesksError(f'holidays {whose}are "MM-DD" or "YYYY-MM-DD" in quotes, not {wrong[0]!r}')
    return days
