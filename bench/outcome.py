"""How a benchmark ends: what it found stands on the screen and in bench/results/, and its exit code says whether that will do."""

from __future__ import annotations

import datetime
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.table import Table

from bench.measure import load_average, machine
from bench.processes import ProgramFailed

RESULTS = Path(__file__).parent / "results"
HEAD = ("measure", "found", "limit")


class Report(Protocol):
    def print(self, console: Console) -> None: ...

    def markdown(self) -> str: ...


def reported(measure: Callable[[Path], Report], name: str = "") -> int:
    """Measure in a folder that is gone afterwards, and tell it; Ctrl-C ends what was started in order."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        with tempfile.TemporaryDirectory(prefix="loa-bench-", ignore_cleanup_errors=True) as folder:
            report = measure(Path(folder))
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        return 130
    except ProgramFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    report.print(Console())
    keep(name, report.markdown())
    return 0


def held_to_limits(name: str, title: str, before: str, rows: Sequence[tuple[str, str, str]], missed: Sequence[str]) -> int:
    """`before`: the load average at the start; `rows`: measure, found, limit; `missed`: a sentence for every limit."""
    now = datetime.datetime.now(datetime.UTC)
    heading = f"{now:%Y-%m-%d %H:%M} UTC, {machine()}; load average {before} before, {load_average()} after"
    table = Table(*HEAD)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    for line in [heading, *(missed or ["all limits are kept"])]:
        say(line)
    lines = [f"| {' | '.join(row)} |" for row in (HEAD, ("---", "---:", "---"), *rows)]
    keep(name, "\n".join([f"# {title}\n\n{heading}\n", *lines, "", *(missed or ["All limits are kept."])]) + "\n")
    return 1 if missed else 0


def keep(name: str, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d-%H%M%S}{f'-{name}' if name else ''}.md"
    path.write_text(text, encoding="utf-8")
    say(f"written: {path}")


def say(line: str) -> None:
    print(f"   bench | {line}", flush=True)


def _stop(*_: object) -> None:
    """The first signal ends everything in order, which takes seconds; a second one must not cut that short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    say("stopping what was started …")
    raise KeyboardInterrupt
