"""Which numbers that citizens were told are wrong by now, and who was told them. Pure.

A message keeps the readings that it told (messages.figures), not the sums it made of them. The same arithmetic as then
(bot/figures/told.py) is done again over these readings; told is what also stands in the message's words. Done over the
versions that count today, it gives the new number: a province summed over its parts is corrected with its new sum.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from bot.figures.checks import is_whole_country
from bot.figures.known import BULLETIN, Known, Stored
from bot.figures.places import Era, Unit
from bot.figures.readings import COUNTRY
from bot.figures.told import Figure, Parts, Span, all_figures
from bot.languages.figure_lines import number


@dataclass(frozen=True)
class Tolerance:
    """A change is corrected when it is at least this `share` of the told number and at least this `count`."""

    share: float
    count: int


# A figure that was told longer ago has done its work, for good or bad.
TOLD_WITHIN = datetime.timedelta(days=7)
# A total moves by small corrections all the time; of a day's number a twentieth is something else than what was told.
_OF_A_TIME = Tolerance(share=0.05, count=5)
TOLERANCES: Mapping[Span, Tolerance] = {
    "total": Tolerance(share=0.01, count=10),
    "day": _OF_A_TIME,
    "week": _OF_A_TIME,
    "month": _OF_A_TIME,
}


class Places(Parts, Protocol):
    """What is needed of FigurePlaces."""

    def all(self, era: Era) -> list[Unit]: ...


@dataclass(frozen=True)
class Said:
    """A delivered message of ours with the readings that it told."""

    id: int
    conversation_id: int
    text: str
    reading_ids: tuple[int, ...]
    told_at: datetime.datetime


@dataclass(frozen=True, order=True)
class Subject:
    """What a told number is about, whatever its value."""

    feed: str
    metric: str
    place: str
    span: Span
    as_of: datetime.date

    @classmethod
    def of(cls, figure: Figure) -> Subject:
        return cls(figure.feed, figure.metric, figure.place, figure.window_kind, figure.as_of)


@dataclass(frozen=True)
class Wrong:
    """A number that was told, what it is now, and the last message that told it, by conversation."""

    told: Figure
    now: Figure
    messages: Mapping[int, Said]


def is_worth_a_correction(span: Span, told: int, now: int) -> bool:
    """Whether a change is beyond the tolerance of its span."""
    tolerance, change = TOLERANCES[span], abs(now - told)
    return change >= tolerance.count and change >= tolerance.share * abs(told)


def wrong_by_now(
    messages: Iterable[Said],
    told: Mapping[int, Stored],
    current: Mapping[int, Stored],
    places: Places,
    units: Mapping[str, str],
    today: datetime.date,
) -> dict[tuple[Subject, int], Wrong]:
    """By subject and told value. `told`: the readings of the messages by id; `current`: for each id the version that counts now,
    absent where none is good. `units`: what stands behind a number in an answer, by metric (`ca`).

    Of each conversation the last message about a subject counts: whoever was told the new number since needs no correction.
    """
    worked_out = _WorkedOut(told, current, places, today)
    last: dict[tuple[int, Subject], tuple[Said, Figure]] = {}
    for said in sorted(messages, key=lambda said: said.id):
        for figure in figures_said(said, worked_out.told(said.reading_ids), units):
            last[said.conversation_id, Subject.of(figure)] = (said, figure)
    found: dict[tuple[Subject, int], Wrong] = {}
    for (conversation_id, subject), (said, figure) in last.items():
        now = worked_out.now(said.reading_ids).get(subject)
        if now is None or not is_worth_a_correction(subject.span, figure.value, now.value):
            continue
        known = found.get((subject, figure.value))
        found[subject, figure.value] = Wrong(figure, now, {**(known.messages if known else {}), conversation_id: said})
    return found


def figures_said(said: Said, possible: Sequence[Figure], units: Mapping[str, str]) -> list[Figure]:
    """Those that stand in the message's words; zero has none there and is believed of all readings of its metric together."""
    aligned = [figure for figure in possible if _is_newest_or_compared(figure, possible)]
    stand_there = [figure for figure in aligned if _stands_in(said, figure, aligned, units)]
    return [figure for figure in stand_there if not any(_is_part_of(figure, other) for other in stand_there)]


def published_address(feed: str, url: str) -> str:
    """The address of the publication, without the password or the key that a feed's may hold."""
    parts = urlsplit(url)
    query = parts.query if feed == BULLETIN else ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, query, "")) if parts.scheme in {"http", "https"} else ""


def _is_newest_or_compared(figure: Figure, possible: Iterable[Figure]) -> bool:
    """An answer tells the newest week and, to compare, the one before it; not every seven days of a fortnight."""
    if figure.window_kind in {"day", "total"}:
        return True
    same = [other.as_of for other in possible if _whenever(Subject.of(other)) == _whenever(Subject.of(figure))]
    return (max(same) - figure.as_of).days in {0, figure.days}


def _whenever(subject: Subject) -> Subject:
    return replace(subject, as_of=datetime.date.min)


def _stands_in(said: Said, figure: Figure, possible: Iterable[Figure], units: Mapping[str, str]) -> bool:
    if figure.value == 0:
        return not any(_same_source(figure, other) and _is_within(figure, other) for other in possible)
    return re.search(rf"(?<![\d.,/]){re.escape(number(figure.value))} {units[figure.metric]}\b", said.text) is not None


def _is_part_of(figure: Figure, other: Figure) -> bool:
    """A day with all the cases of its week, a part with all the cases of its province: the number was told of the whole."""
    return figure.value == other.value and _same_source(figure, other) and _is_within(figure, other)


def _same_source(figure: Figure, other: Figure) -> bool:
    return (figure.feed, figure.metric) == (other.feed, other.metric)


def _is_within(figure: Figure, other: Figure) -> bool:
    return set(figure.reading_ids) < set(other.reading_ids)


class _WorkedOut:
    """The figures that readings give, once for all messages that told the same ones."""

    def __init__(self, told: Mapping[int, Stored], current: Mapping[int, Stored], places: Places, today: datetime.date) -> None:
        self._told, self._current, self._places, self._today = told, current, places, today
        self._before: dict[tuple[int, ...], list[Figure]] = {}
        self._now: dict[tuple[int, ...], dict[Subject, Figure]] = {}

    def told(self, ids: tuple[int, ...]) -> list[Figure]:
        if ids not in self._before:
            # It was good when it was told, whatever the gate says of it today.
            readings = [replace(self._told[id_], verdict="good") for id_ in ids if id_ in self._told]
            self._before[ids] = self._figures(readings)
        return self._before[ids]

    def now(self, ids: tuple[int, ...]) -> dict[Subject, Figure]:
        if ids not in self._now:
            readings = {self._current[id_].id: self._current[id_] for id_ in ids if id_ in self._current}
            self._now[ids] = {Subject.of(figure): figure for figure in self._figures(list(readings.values()))}
        return self._now[ids]

    def _figures(self, readings: Sequence[Stored]) -> list[Figure]:
        known, named = Known(readings), {reading.place for reading in readings}
        found: dict[Subject, Figure] = {}
        for place in [*self._summed(named), *sorted(named)]:
            for figure in all_figures(known, place, self._places, self._today):
                found.setdefault(Subject.of(figure), figure)
        return list(found.values())

    def _summed(self, named: set[str]) -> list[str]:
        """Places that have no reading of their own here and can be summed over those that have."""
        units = [unit.key for unit in self._places.all("today") if unit.key not in named]
        summed = [key for key in units if (parts := self._places.parts(key)) and set(parts) <= named and len(parts) > 1]
        return [*summed, *([COUNTRY] if COUNTRY not in named and is_whole_country(named) else [])]
