"""Turns are given out in the order of asking, and kept for whoever comes back."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels import pacing
from bot.channels.pacing import KEPT_SECONDS, Pace


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pacing, "time", made)
    return made


def test_one_address_waits_for_its_own_second_and_all_for_the_platform(clock: Clock) -> None:
    pace = Pace(per_second=10, per_address_seconds=1.0)
    assert pace.turn_in("a") == 0
    assert [round(pace.turn_in(name), 2) for name in "bcd"] == [0.1, 0.2, 0.3]


def test_a_turn_is_kept_for_who_comes_back_and_used_once(clock: Clock) -> None:
    pace = Pace(per_second=1, per_address_seconds=0.0)
    assert [pace.turn_in(name) for name in "abc"] == [0, 1, 2]
    clock.now += 1
    assert [pace.turn_in(name) for name in "cb"] == [1, 0], "asked again, nobody has moved back"
    asyncio.run(pace.wait("b"))
    assert pace.turn_in("b") == 2, "the next message stands at the end"


def test_a_turn_that_nobody_came_back_for_is_given_anew(clock: Clock) -> None:
    pace = Pace(per_second=1, per_address_seconds=0.0)
    pace.turn_in("a")
    clock.now += KEPT_SECONDS + 1
    assert [pace.turn_in("b"), pace.turn_in("a")] == [0, 1]
