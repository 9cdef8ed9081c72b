"""New worries: topics that are asked clearly more than in the weeks before. Pure.

A topic counts by conversations a day, so that one person who asks thirty times is one. It rises if, measured by its share of all
that was asked in the four weeks before,

- at least FLOOR conversations asked it this week (fewer are chance, and would point at people),
- they are at least TIMES as many as were to be expected, and
- the surplus is at least SIGMAS standard deviations: of counting, and of the fifth by which a week differs from another anyway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

FLOOR = 20
TIMES = 1.5
SIGMAS = 3.0
WEEKLY_VARIATION = 0.2
# Fewer weeks before say nothing about what is usual.
FEWEST_WEEKS, MOST_WEEKS = 2, 4
# Expected so seldom, a factor of it would be a number without meaning.
HARDLY_EVER = 2.0


@dataclass(frozen=True)
class Rise:
    """`expected`: conversations of a usual week of this size."""

    topic: str
    count: int
    expected: float

    @property
    def is_new(self) -> bool:
        return self.expected < HARDLY_EVER

    @property
    def times(self) -> float:
        return self.count / self.expected if self.expected else math.inf


def rises(week: Mapping[str, int], before: Mapping[str, int]) -> list[Rise]:
    """The topics that rise, the strongest surplus first. `before`: the sums of the weeks before."""
    whole, whole_before = sum(week.values()), sum(before.values())
    if not whole or not whole_before:
        return []
    found = [Rise(topic, count, before.get(topic, 0) / whole_before * whole) for topic, count in week.items()]
    return sorted((rise for rise in found if _rises(rise)), key=lambda rise: (rise.expected - rise.count, rise.topic))


def _rises(rise: Rise) -> bool:
    expected = max(rise.expected, 0.5)
    deviation = math.sqrt(expected + (WEEKLY_VARIATION * expected) ** 2)
    return rise.count >= FLOOR and rise.count >= TIMES * expected and rise.count - expected >= SIGMAS * deviation
