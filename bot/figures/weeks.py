"""The last weeks of a figure, one number a week, for pictures and tables. A week that nobody published is a gap, no zero. Pure.

A week is seven days that end on the newest day with a number, so that a bulletin on a Wednesday and a file dated on Sundays both
show whole weeks. All weeks of one picture come from one feed: numbers of two counts do not stand side by side.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from bot.figures.known import Known
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM
from bot.figures.told import weeks_told

WEEK = datetime.timedelta(days=7)


@dataclass(frozen=True)
class Bar:
    """The seven days that end with `ends_on`; `value` is None where no figure was published."""

    ends_on: datetime.date
    value: int | None
    is_backlog: bool = False


@dataclass(frozen=True)
class Weekly:
    """`bars`, oldest first, the first and the last with a value. `summed_over`: the places whose figures were added up.
    `fetched_at`: when the newest number was read."""

    metric: str
    place: str
    bars: tuple[Bar, ...]
    issuer: str
    fetched_at: datetime.datetime
    stale_since: datetime.date | None
    summed_over: tuple[str, ...] = ()

    @property
    def known_weeks(self) -> int:
        return sum(bar.value is not None for bar in self.bars)


def weekly(known: Known, metric: str, place: str, places: FigurePlaces, today: datetime.date, *, weeks: int) -> Weekly | None:
    """The last `weeks` weeks of new cases, deaths or doses, up to the newest one known; None when there is none."""
    told = weeks_told(known, metric, place, places, today)
    if not told:
        return None
    newest = told[max(told)]
    days = [newest.as_of - WEEK * ago for ago in reversed(range(weeks))]
    bars = [Bar(day, told[day].value, "backlog" in told[day].marks) if day in told else Bar(day, None) for day in days]
    first = next(number for number, bar in enumerate(bars) if bar.value is not None)
    return Weekly(metric, place, tuple(bars[first:]), newest.issuer, newest.fetched_at, newest.stale_since, newest.summed_over)


def as_value(found: Weekly, places: FigurePlaces) -> dict[str, Any]:
    """As an answer's value, which travels as JSON: days as `2026-11-15`, places by their names."""
    return {
        "metric": found.metric,
        "place": found.place,
        "place_name": places.unit(found.place).name,
        "summed_over": part_names(found.place, found.summed_over, places),
        "bars": [{"ends_on": bar.ends_on.isoformat(), "value": bar.value, "is_backlog": bar.is_backlog} for bar in found.bars],
        "issuer": found.issuer,
        "fetched_on": found.fetched_at.astimezone(VIETNAM).date().isoformat(),
        "stale_since": found.stale_since.isoformat() if found.stale_since else None,
    }


def part_names(place: str, parts: tuple[str, ...], places: FigurePlaces) -> list[str]:
    """What a sum was made of, by name; nothing for a province that went on alone, or for the whole country."""
    names = [places.unit(part).name for part in parts if part in places.parts(place)]
    return names if len(names) > 1 else []
