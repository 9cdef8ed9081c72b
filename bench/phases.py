"""What is done with a running service, the same for both: warm up, one citizen, sixteen citizens, long conversations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.load import Job
from bench.measure import Group, Phase, memory, under_load

CITIZENS = 16
# A usual conversation. Short ones favour stock Rasa, whose turns grow dearer as the conversation grows.
USUAL_TURNS = 8
LONG_TURNS = 300
PHASE_SECONDS = 300.0
LONG_SECONDS = 900.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much is sent: messages of each round of sixteen citizens, of the lone citizen, and how many long conversations."""

    messages: int
    rounds: int
    alone: int
    long_talks: int
    seed: int

    @property
    def warm_up(self) -> int:
        return max(100, self.messages // 5)


class Service(Protocol):
    name: str
    door: str
    address: str

    def groups(self) -> list[Group]: ...


@dataclass(frozen=True)
class Measured:
    """What the phases showed of one service. Bytes by process; everything else inside the phases."""

    alone: Phase
    together: Sequence[Phase]
    long_talks: Phase
    memory: dict[str, int]

    @property
    def phases(self) -> list[Phase]:
        return [self.alone, *self.together, self.long_talks]


def measured(service: Service, plan: Plan, say: Say) -> Measured:
    """Run every phase, one after the other."""
    groups = service.groups()

    def phase(citizens: int, messages: int, *, turns: int = USUAL_TURNS, seed: int = 0, seconds: float = PHASE_SECONDS) -> Phase:
        job = Job(service.door, service.address, citizens, messages, turns, plan.seed + seed, seconds)
        found = under_load(groups, job)
        say(f"{service.name}: {citizens} citizens, {found.messages} messages, {found.messages_per_second:.1f} a second")
        return found

    phase(CITIZENS, plan.warm_up)
    alone = phase(1, plan.alone, seed=1)
    together = [phase(CITIZENS, plan.messages, seed=2 + number) for number in range(plan.rounds)]
    long_talks = phase(1, plan.long_talks * LONG_TURNS, turns=LONG_TURNS, seed=100, seconds=LONG_SECONDS)
    return Measured(alone, together, long_talks, memory(groups))
