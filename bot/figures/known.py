"""What is known of the figures: the readings of before with their verdicts, and which series stand still. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.figures.readings import Reading, Series

# Readings of approved bulletins carry this name of a feed.
BULLETIN = "bulletin"

# `good`: may be told. `suspect`: kept, never told. `incomplete`: its day was not over, or not yet filled in, when it was read.
Verdict = Literal["good", "suspect", "incomplete"]
# `revised`: the issuer corrected earlier days. `backlog`: late reports of many days arrived at once.
# `negative_day`: published below zero (always suspect). `accepted`: two people let it be told although the gate doubted it.
Mark = Literal["revised", "backlog", "negative_day", "accepted"]


@dataclass(frozen=True)
class Stored(Reading):
    """A reading as it is kept. `id` is None for one that came with Loa. `fetched_at`: when it was last seen with this value.

    `supersedes`: the id of the earlier reading of the same series and day whose value or verdict this one replaces.
    """

    id: int | None = None
    verdict: Verdict = "good"
    marks: frozenset[Mark] = frozenset()
    supersedes: int | None = None


@dataclass(frozen=True)
class Known:
    """All that may be told from. `stale`: series that stand still, and since when. `ranks`: the lower, the more a feed counts."""

    readings: Sequence[Stored]
    stale: Mapping[Series, datetime.date] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)


class History(Protocol):
    """The earlier good readings."""

    def series(self, feed: str, metric: str, place: str, kind: str) -> Sequence[Reading]:
        """Of one series, one reading for a day, oldest first."""

    def stale_since(self, series: Series) -> datetime.date | None:
        """Since when it was known to stand still: only the last months of a series are looked at again."""


class Remembered:
    """A History of readings at hand; of several for one day the last one given counts."""

    def __init__(self, readings: Iterable[Reading] = (), stale: Mapping[Series, datetime.date] | None = None) -> None:
        self._stale = stale or {}
        days: dict[Series, dict[datetime.date, Reading]] = {}
        for reading in readings:
            days.setdefault(reading.series, {})[reading.as_of] = reading
        self._series = {series: [of[day] for day in sorted(of)] for series, of in days.items()}

    def series(self, feed: str, metric: str, place: str, kind: str) -> Sequence[Reading]:
        return self._series.get(Series(feed, metric, place, kind), ())

    def stale_since(self, series: Series) -> datetime.date | None:
        return self._stale.get(series)
