"""The counts of some days, read from the roll-ups alone, and the days before them to compare with. Nothing here knows a person.

A span ends with yesterday: a day that is not over would look like a fall.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

from bot.campaigns.tables import FEWEST
from bot.database import DictConnection
from bot.insights.rollups import BOUNDS, ENDLESS

MEASURES = (
    "messages", "conversations", "by_bot", "questions", "answered", "fallback", "refused", "handed_over", "degraded", "typed",
    "understood", "emergencies",
)  # fmt: skip
OUTCOMES = ("answered", "fallback", "refused", "handed_over", "degraded")
PARTS = ("channel", "language", "place", "topic")
# A share of fewer says little and would tell of somebody.
FEWEST_FOR_A_SHARE = 20

Counts = Mapping[str, int]
NONE: Counts = dict.fromkeys(MEASURES, 0)


@dataclass(frozen=True)
class Days:
    """From `first` to `last`, both counted."""

    first: datetime.date
    last: datetime.date

    @classmethod
    def until(cls, last: datetime.date, count: int) -> Days:
        return cls(last - datetime.timedelta(days=count - 1), last)

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Days:
        """As many days, those before these."""
        return Days.until(self.first - datetime.timedelta(days=1), self.count)

    def all(self) -> list[datetime.date]:
        return [self.first + datetime.timedelta(days=number) for number in range(self.count)]


@dataclass(frozen=True)
class Told:
    """One wording of one answer."""

    key: str
    revision: str
    told: int
    asked: int
    helpful: int
    not_helpful: int

    @property
    def share(self) -> float | None:
        return share(self.helpful, self.helpful + self.not_helpful, FEWEST)


@dataclass(frozen=True)
class Span:
    """Everything that is counted of some days. `parts`: by channel, language, place and topic, the most first."""

    days: Days
    counted: frozenset[datetime.date]
    by_day: Mapping[datetime.date, Counts]
    parts: Mapping[str, Mapping[str, Counts]]
    answers: Sequence[Told] = ()
    answer_times: Mapping[int, int] = field(default_factory=dict)
    waits: Mapping[int, int] = field(default_factory=dict)
    cases: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[tuple[str, str], int] = field(default_factory=dict)
    deliveries: Mapping[tuple[str, str, str], int] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        return {measure: sum(day[measure] for day in self.by_day.values()) for measure in MEASURES}

    @property
    def is_empty(self) -> bool:
        return not self.total["messages"]

    def a_day(self, measure: str) -> float | None:
        """On average over the days that were counted."""
        return self.total[measure] / len(self.counted) if self.counted else None

    def share(self, measure: str, of: str) -> float | None:
        return share(self.total[measure], self.total[of])

    @property
    def helpful(self) -> float | None:
        yes, no = (sum(getattr(told, name) for told in self.answers) for name in ("helpful", "not_helpful"))
        return share(yes, yes + no)

    def sent(self, *statuses: str) -> int:
        return sum(count for (_, status, _), count in self.deliveries.items() if status in statuses)


def share(part: int, whole: int, fewest: int = FEWEST_FOR_A_SHARE) -> float | None:
    """None where the whole is too small to say anything."""
    return part / whole if whole >= fewest else None


def changed(now: float | None, before: float | None) -> float | None:
    """By how much of the number before; None where there is nothing to compare with."""
    return now / before - 1 if now is not None and before else None


def up_to(times: Mapping[int, int], part: float) -> int | None:
    """Seconds within which so large a part of all waits was over: an upper bound, as fine as the histogram."""
    whole = sum(times.values())
    if whole < FEWEST:
        return None
    passed = 0
    for bound in (*BOUNDS, ENDLESS):
        passed += times.get(bound, 0)
        if passed >= part * whole:
            return bound
    return ENDLESS


async def counted_at(connection: DictConnection) -> datetime.datetime | None:
    """When a day was counted last; pages made after it say the same until the next count."""
    row = (await _rows(connection, "SELECT max(counted_at) AS at FROM insight_rounds"))[0]
    return cast(datetime.datetime | None, row["at"])


async def read(connection: DictConnection, days: Days) -> Span:
    given = [days.first, days.last]
    rounds = await _rows(connection, "SELECT day FROM insight_rounds WHERE day BETWEEN %s AND %s", given)
    whole = await _rows(connection, "SELECT * FROM insight_days WHERE part = 'all' AND day BETWEEN %s AND %s ORDER BY day", given)
    parts: dict[str, dict[str, Counts]] = {part: {} for part in PARTS}
    for row in await _rows(connection, _BY_PART, given):
        parts[row["part"]][row["key"]] = _counts(row)
    told = await _rows(connection, _ANSWERS, given)
    times = await _rows(
        connection,
        "SELECT of, up_to, sum(count)::int AS count FROM insight_times WHERE day BETWEEN %s AND %s GROUP BY 1, 2",
        given,
    )
    cases = await _rows(
        connection, "SELECT reason, sum(count)::int AS count FROM insight_cases WHERE day BETWEEN %s AND %s GROUP BY 1", given
    )
    figures = await _rows(connection, _FIGURES, given)
    sends = await _rows(connection, _DELIVERIES, given)
    return Span(
        days,
        frozenset(row["day"] for row in rounds),
        {row["day"]: _counts(row) for row in whole},
        parts,
        [Told(**row) for row in told],
        {row["up_to"]: row["count"] for row in times if row["of"] == "answer"},
        {row["up_to"]: row["count"] for row in times if row["of"] == "person"},
        {row["reason"]: row["count"] for row in cases},
        {(row["metric"], row["place"]): row["count"] for row in figures},
        {(row["channel"], row["status"], row["reason"]): row["count"] for row in sends},
    )


async def daily_rows(connection: DictConnection, days: Days) -> list[dict[str, Any]]:
    """Every count of every day, for whoever goes on working with them."""
    return await _rows(
        connection, "SELECT * FROM insight_days WHERE day BETWEEN %s AND %s ORDER BY day, part, key", [days.first, days.last]
    )


_BY_PART: LiteralString = """
    SELECT part, key, sum(messages)::int AS messages, sum(conversations)::int AS conversations, sum(by_bot)::int AS by_bot,
           sum(questions)::int AS questions, sum(answered)::int AS answered, sum(fallback)::int AS fallback,
           sum(refused)::int AS refused, sum(handed_over)::int AS handed_over, sum(degraded)::int AS degraded,
           sum(typed)::int AS typed, sum(understood)::int AS understood, sum(emergencies)::int AS emergencies
    FROM insight_days WHERE part <> 'all' AND day BETWEEN %s AND %s GROUP BY 1, 2
    ORDER BY sum(CASE part WHEN 'topic' THEN questions ELSE messages END) DESC, key"""
_ANSWERS: LiteralString = """
    SELECT response_key AS key, revision, sum(told)::int AS told, sum(asked)::int AS asked, sum(helpful)::int AS helpful,
           sum(not_helpful)::int AS not_helpful
    FROM insight_answers WHERE day BETWEEN %s AND %s GROUP BY 1, 2 ORDER BY sum(told) DESC, 1, 2"""
_FIGURES: LiteralString = """
    SELECT metric, place, sum(told)::int AS count FROM insight_figures WHERE day BETWEEN %s AND %s GROUP BY 1, 2
    ORDER BY 3 DESC, 1, 2"""
_DELIVERIES: LiteralString = """
    SELECT channel, status, reason, sum(count)::int AS count FROM insight_deliveries WHERE day BETWEEN %s AND %s GROUP BY 1, 2, 3
    ORDER BY 4 DESC, 1, 2, 3"""


def _counts(row: Mapping[str, Any]) -> Counts:
    return {measure: int(row[measure]) for measure in MEASURES}


async def _rows(connection: DictConnection, sql: LiteralString, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], await (await connection.execute(sql, values)).fetchall())
