"""The table: one row a measure, Loa beside stock Rasa, then what was expected and whether it is met."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from bench.loa import Start
from bench.measure import Phase, median, percentile
from bench.phases import CITIZENS, LONG_TURNS, Measured

EARLY = (3, 12)
LATE = (LONG_TURNS - 9, LONG_TURNS)
NOT_MEASURED = "–"


@dataclass(frozen=True)
class LoaResult:
    measured: Measured
    starts: Sequence[Start]
    model_bytes: int
    degraded: int


@dataclass(frozen=True)
class StockResult:
    measured: Measured
    training: float
    ready: float
    model_bytes: int
    epochs: int


@dataclass(frozen=True)
class Row:
    """`loa` and `stock` in `unit`; None where the measure does not exist or was not taken."""

    measure: str
    unit: str
    loa: float | None
    stock: float | None
    note: str = ""

    def cells(self) -> tuple[str, str, str, str]:
        name = f"{self.measure}, {self.unit}" if self.unit else self.measure
        return f"{name} {self.note}".strip(), number(self.loa), number(self.stock), self.ratio()

    def ratio(self) -> str:
        if self.loa is None or not self.stock or math.isnan(self.loa) or math.isnan(self.stock):
            return ""
        return f"{number(self.loa / self.stock)} ×"


@dataclass(frozen=True)
class Expectation:
    sentence: str
    found: str
    is_met: bool | None

    def cells(self) -> tuple[str, str, str]:
        return self.sentence, self.found, {True: "met", False: "NOT MET", None: "not measured"}[self.is_met]


@dataclass(frozen=True)
class Report:
    loa: LoaResult
    stock: StockResult | None
    heading: str
    notes: Sequence[str] = field(default_factory=tuple)

    def rows(self) -> list[Row]:
        return [*self._speed(), *self._cpu(), *self._long_talks(), *self._memory(), *self._starts(), *self._quality()]

    def expectations(self) -> list[Expectation]:
        loa, stock = self.loa.measured, self.stock.measured if self.stock else None
        speed = _ratio(_speed(loa), _speed(stock))
        cpu = _ratio(_cpu_together(loa), _cpu_together(stock))
        growth = _ratio(_late(loa, 0.95), _early(loa, 0.95))
        again = self.loa.starts[-1]
        wrong = _lost(loa) + _surplus(loa) + self.loa.degraded
        return [
            Expectation("at least 3 × stock Rasa's messages/s", f"{number(speed)} ×", _holds(speed, speed and speed >= 3)),
            Expectation("at most a third of its CPU a message", f"{number(cpu)} ×", _holds(cpu, cpu and cpu <= 1 / 3)),
            Expectation(
                f"p95 of message {LONG_TURNS} at most 1.5 × message 3",
                f"{number(growth)} ×",
                _holds(growth, growth and growth <= 1.5),
            ),
            Expectation("gateway accepts webhooks in under 3 s", f"{number(again.accepting)} s", again.accepting < 3),
            Expectation("all ready in under 60 s after the first run", f"{number(again.ready)} s", again.ready < 60),
            Expectation("no message lost, answered twice or answered without the model", f"{wrong} of them", wrong == 0),
        ]

    def print(self, console: Console) -> None:
        console.print(self.heading, markup=False, highlight=False)
        console.print(rich_table(("measure", "Loa", "stock Rasa", "Loa / stock"), [row.cells() for row in self.rows()]))
        console.print(rich_table(("expected", "found", ""), [expectation.cells() for expectation in self.expectations()]))
        for note in self.notes:
            console.print(f"- {note}", markup=False, highlight=False)

    def markdown(self) -> str:
        parts = [
            self.heading,
            markdown_table(("measure", "Loa", "stock Rasa", "Loa / stock"), [row.cells() for row in self.rows()]),
            markdown_table(("expected", "found", ""), [expectation.cells() for expectation in self.expectations()]),
            "\n".join(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(parts) + "\n"

    @property
    def _both(self) -> tuple[Measured, Measured | None]:
        return self.loa.measured, self.stock.measured if self.stock else None

    def _speed(self) -> Iterator[Row]:
        loa, stock = self._both
        yield Row(f"throughput, {CITIZENS} citizens", "messages/s", _speed(loa), _speed(stock), f"(Loa's rounds: {_rounds(loa)})")
        for share in (50, 95):
            yield Row(f"reply, {CITIZENS} citizens, p{share}", "ms", _together(loa, share), _together(stock, share))
        for share in (50, 95):
            yield Row(f"reply, 1 citizen, p{share}", "ms", _alone(loa, share), _alone(stock, share))
        for share in (50, 99):
            yield Row(f"acknowledgement, {CITIZENS} citizens, p{share}", "ms", _acknowledged(loa.together, share), None)
        for share in (50, 99):
            yield Row(f"acknowledgement, 1 citizen, p{share}", "ms", _acknowledged([loa.alone], share), None)

    def _cpu(self) -> Iterator[Row]:
        loa, stock = self._both
        yield Row(f"CPU a message, {CITIZENS} citizens, all processes", "ms", _cpu_together(loa), _cpu_together(stock))
        for name in _names(loa, stock):
            yield Row(f"– {name}", "ms", _cpu_of(loa, name), _cpu_of(stock, name))
        yield Row("CPU a message, 1 citizen, all processes", "ms", _cpu_alone(loa), _cpu_alone(stock))

    def _long_talks(self) -> Iterator[Row]:
        loa, stock = self._both
        for share in (50, 95):
            yield Row(
                f"messages {EARLY[0]}–{EARLY[1]} of a conversation, p{share}",
                "ms",
                _early(loa, share / 100),
                _early(stock, share / 100),
            )
        for share in (50, 95):
            yield Row(f"messages {LATE[0]}–{LATE[1]}, p{share}", "ms", _late(loa, share / 100), _late(stock, share / 100))

    def _memory(self) -> Iterator[Row]:
        loa, stock = self._both
        yield Row("resident memory, all processes", "MB", _megabytes(loa), _megabytes(stock))
        for name in _names(loa, stock):
            yield Row(f"– {name}", "MB", _megabytes(loa, name), _megabytes(stock, name))

    def _starts(self) -> Iterator[Row]:
        first, again = self.loa.starts[0], self.loa.starts[-1]
        stock = self.stock
        epochs = f"(stock: {stock.epochs} epoch{'s' if stock.epochs > 1 else ''})" if stock else ""
        yield Row("training", "s", first.training, stock.training if stock else None, epochs)
        yield Row("model file", "MB", self.loa.model_bytes / 1e6, stock.model_bytes / 1e6 if stock else None)
        yield Row("first start, training included: accepts webhooks", "s", first.accepting, None)
        yield Row("first start, training included: all ready", "s", first.ready, None)
        yield Row("later start: accepts webhooks", "s", again.accepting, stock.ready if stock else None)
        yield Row("later start: all ready", "s", again.ready, stock.ready if stock else None)

    def _quality(self) -> Iterator[Row]:
        loa, stock = self._both
        yield Row("messages sent", "", _messages(loa), _messages(stock))
        yield Row("messages without a reply", "", _lost(loa), _lost(stock) if stock else None)
        yield Row("replies nobody had asked for", "", _surplus(loa), None)
        yield Row("turns answered without the model", "", self.loa.degraded, None)
        yield Row("other programs meanwhile", "cores", _elsewhere(loa), _elsewhere(stock))


def number(value: float | None) -> str:
    """Three digits that matter: 0.123, 4.56, 78.9, 1234."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _speed(found: Measured | None) -> float | None:
    return median([phase.messages_per_second for phase in found.together]) if found else None


def _rounds(found: Measured) -> str:
    return ", ".join(f"{phase.messages_per_second:.0f}" for phase in found.together)


def _together(found: Measured | None, share: int) -> float | None:
    return 1000 * percentile([reply for phase in found.together for reply in phase.replies], share / 100) if found else None


def _alone(found: Measured | None, share: int) -> float | None:
    return 1000 * percentile(found.alone.replies, share / 100) if found else None


def _acknowledged(phases: Sequence[Phase], share: int) -> float:
    return 1000 * percentile([seconds for phase in phases for seconds in phase.acknowledgements], share / 100)


def _early(found: Measured | None, share: float) -> float | None:
    return 1000 * percentile(found.long_talks.replies_at(*EARLY), share) if found else None


def _late(found: Measured | None, share: float) -> float | None:
    return 1000 * percentile(found.long_talks.replies_at(*LATE), share) if found else None


def _cpu_of(found: Measured | None, name: str) -> float | None:
    """Milliseconds a message of one process over all rounds of many citizens."""
    if found is None or name not in found.memory:
        return None
    messages = sum(phase.messages for phase in found.together)
    return 1000 * sum(phase.cpu[name] for phase in found.together) / messages


def _cpu_together(found: Measured | None) -> float | None:
    return sum(_cpu_of(found, name) or 0.0 for name in found.memory) if found else None


def _cpu_alone(found: Measured | None) -> float | None:
    return 1000 * sum(found.alone.cpu.values()) / found.alone.messages if found else None


def _megabytes(found: Measured | None, name: str | None = None) -> float | None:
    if found is None or (name and name not in found.memory):
        return None
    return (found.memory[name] if name else sum(found.memory.values())) / 1e6


def _names(loa: Measured, stock: Measured | None) -> list[str]:
    return list(dict.fromkeys([*loa.memory, *(stock.memory if stock else ())]))


def _messages(found: Measured | None) -> int | None:
    return sum(phase.messages for phase in found.phases) if found else None


def _lost(found: Measured) -> int:
    return sum(phase.seen.lost for phase in found.phases)


def _surplus(found: Measured) -> int:
    return sum(phase.seen.surplus for phase in found.phases)


def _elsewhere(found: Measured | None) -> float | None:
    return median([phase.others + phase.stolen for phase in found.together]) if found else None


def _ratio(loa: float | None, other: float | None) -> float | None:
    if loa is None or not other or math.isnan(loa) or math.isnan(other):
        return None
    return loa / other


def _holds(value: float | None, condition: object) -> bool | None:
    return None if value is None else bool(condition)


def rich_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*heads)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    return table


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
