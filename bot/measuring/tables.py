"""The tables of the measured understanding, as lines: on the screen at once, in reports/ at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from bot.measuring.judging import Doubt, Judged
from bot.measuring.measures import Summary, calibration_error, curve, f1_by_intent, reliability
from bot.settings import ROOT

REPORTS = ROOT / "reports"
THRESHOLDS = tuple(per_cent / 100 for per_cent in range(30, 95, 5))
# One column for each field of Summary, in its order.
HEADS = ("n", "lenient", "strict", "F1 len.", "F1 str.", "top 3", "answered", "wrong", "no limits", "high risk", "alarms")
LEGEND = """
lenient: the first guess is the label or the accepted alternative; strict: the label. F1: mean over the intents asked.
answered: sure enough for config.yml; wrong: answered with another topic, as a share of all; no limits: the same without
other_medical and out_of_scope as guesses; high risk: wrong with an answer of `risk: high`; alarms: taken for an emergency."""


class Report:
    """Lines on the screen, kept for the file."""

    def __init__(self, name: str) -> None:
        REPORTS.mkdir(exist_ok=True)
        self.name = name
        self._lines: list[str] = []

    def say(self, line: str = "") -> None:
        print(line, flush=True)
        self._lines.append(line)

    def say_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.say(line)

    def path(self, ending: str) -> Path:
        return REPORTS / f"{self.name}{ending}"

    def write(self, more: Iterable[str] = ()) -> None:
        """The file gets `more` after what was said."""
        self.path(".txt").write_text("\n".join([*self._lines, *more]) + "\n", encoding="utf-8")
        print(f"\nwritten: {self.path('.txt')} and pictures beside it")


def heads(first: str) -> str:
    return f"\n{first:<12}{'spelling':<20}" + "".join(f"{head:>10}" for head in HEADS)


def row(name: str, spelling: str, found: Summary) -> str:
    cells = (f"{value:>10}" if isinstance(value, int) else f"{value:>10.3f}" for value in astuple(found))
    return f"{name:<12}{spelling:<20}{''.join(cells)}"


def threshold_lines(judged: Mapping[str, Sequence[Judged]], doubt: Doubt) -> Iterator[str]:
    """By spelling: how true the probabilities are, and what each threshold would answer."""
    for spelling, found in judged.items():
        error = calibration_error(reliability(found))
        yield f"\n{spelling}: {len(found)} questions, expected calibration error {error:.3f}"
        yield "threshold  answered  of these right   wrong of all   no limits"
        for point in curve(found, THRESHOLDS, doubt.ambiguity):
            mark = "  <- config.yml" if abs(point.threshold - doubt.threshold) < 0.001 else ""
            shares = f"{point.coverage:>10.3f}{point.accuracy:>16.3f}{point.wrong:>15.3f}{point.wrong_topic:>12.3f}"
            yield f"{point.threshold:>9.2f}{shares}{mark}"


def f1_lines(judged: Sequence[Judged]) -> list[str]:
    strict, lenient = f1_by_intent(judged), {name: f1 for name, f1, _ in f1_by_intent(judged, lenient=True)}
    lines = [f"{f1:.2f}  {lenient[intent]:.2f}  {intent} ({number})" for intent, f1, number in strict]
    return ["", "F1 by intent as typed, worst first: strict, lenient, intent (questions)", *lines]
