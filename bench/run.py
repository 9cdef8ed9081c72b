"""`make bench`: Loa and stock Rasa on this machine, one after the other; a table on the screen and in bench/results/.

Everything is bounded in count and time, talks to 127.0.0.1 alone, and is gone at the end, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.loa import Loa
from bench.measure import load_average, machine
from bench.outcome import reported, say
from bench.phases import Plan, measured
from bench.stock import Stock
from bench.table import LoaResult, Report, StockResult

SEED = 20261122
STARTS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return reported(lambda folder: _measure_all(options, folder))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="messages in each round of 16 citizens (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of 16 citizens; the median counts (default %(default)s)")
    parser.add_argument("--long", type=int, default=5, help="conversations of 300 messages (default %(default)s)")
    parser.add_argument("--epochs", type=int, default=1, help="of stock Rasa's training (default %(default)s)")
    parser.add_argument("--skip-stock", action="store_true", help="measure Loa alone")
    parser.add_argument("--rules-only", action="store_true", help="give stock Rasa no stories: TED and UnexpecTED stay untrained")
    parser.add_argument("--quick", action="store_true", help="a fifth of the messages, one round, one long conversation")
    return parser.parse_args(arguments)


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(max(100, options.messages // 5), rounds=1, alone=50, long_talks=1, seed=SEED)
    return Plan(options.messages, options.rounds, alone=max(50, options.messages // 4), long_talks=options.long, seed=SEED)


def _measure_all(options: argparse.Namespace, folder: Path) -> Report:
    plan, before = _plan(options), load_average()
    loa = _measure_loa(plan, folder)
    stock = None if options.skip_stock else _measure_stock(options, plan, folder)
    now = datetime.datetime.now(datetime.UTC)
    heading = (
        f"{now:%Y-%m-%d %H:%M} UTC, {machine()}; load average {before} before, {load_average()} after; "
        f"{plan.rounds} × {plan.messages} messages, seed {plan.seed}"
    )
    return Report(loa, stock, heading, _notes(options))


def _measure_loa(plan: Plan, folder: Path) -> LoaResult:
    loa = Loa(folder)
    starts = []
    try:
        for number in range(STARTS):
            say(f"Loa: start {number + 1} of {STARTS}" + (", trains first" if number == 0 else ""))
            starts.append(loa.start())
            if number < STARTS - 1:
                loa.stop()
        before = loa.degraded_turns()  # what was asked while the model was still loading
        found = measured(loa, plan, say)
        return LoaResult(found, starts, loa.model_bytes(), loa.degraded_turns() - before)
    finally:
        loa.stop()


def _measure_stock(options: argparse.Namespace, plan: Plan, folder: Path) -> StockResult:
    stock = Stock(folder, options.epochs, with_stories=not options.rules_only)
    try:
        say(f"stock Rasa: training, {options.epochs} epoch(s); this takes minutes")
        training = stock.train()
        say(f"stock Rasa: trained in {training:.0f} s; starting")
        ready = stock.start()
        return StockResult(measured(stock, plan, say), training, ready, stock.model_bytes(), options.epochs)
    finally:
        stock.stop()


def _notes(options: argparse.Namespace) -> list[str]:
    stories = "our rules alone" if options.rules_only else "our rules, each also as a story"
    return [
        "A reply is counted from the POST: Loa's until its event arrives on the open stream, stock Rasa's until its HTTP answer.",
        "CPU and throughput are those of the rounds of 16 citizens; the load generator's own CPU is not in them.",
        "Memory: resident set; of PostgreSQL's processes the proportional set, so that shared buffers count once.",
        f"Stock Rasa: the pipeline and policies of `rasa init`, our training data, {stories}; answers are plain texts.",
        "What stock Rasa's answer costs does not depend on its epochs; how often it is right does, and is not measured here.",
    ]


if __name__ == "__main__":
    sys.exit(main())
