"""`make bench-figures`: what a bad feed costs those who ask, and how often feeds are asked.

1. The same questions at the same pace while the feeds are well, refuse, are silent, drip or answer 500: no answer may be slower.
2. A thousand questions a minute from two action servers on one database, beside a worker: each feed is asked at most once an
   interval, by the log of the simulated hosts.

Real actions, the embedded PostgreSQL and hosts on 127.0.0.1; nothing leaves the machine. Exit code 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psycopg
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rich.console import Console
from rich.table import Table

from bench.embedded import migrated_postgres
from bench.loa import OURS
from bench.measure import load_average, machine, median, percentile
from bench.outcome import keep, say
from bot.settings import ROOT
from tests.simulators.feeds import FeedHost, Play, a_drip, a_late_answer, a_status, a_versioned_file, fixture

DOCUMENTS = {
    "FEED_WHO_URL": ("/who.csv", "weekly.csv", "text/csv"),
    "FEED_VNCDC_URL": ("/vncdc", "vncdc_by_current.json", "application/json"),
    "FEED_TIEMCHUNG_URL": ("/tiemchung", "tiemchung_all.json", "application/json"),
}
QUESTIONS_A_MINUTE = 1000
# Far shorter than in service, so that feeds fall due many times while questions are asked.
SHORT_INTERVAL_MINUTES = 0.1
MEASURED_INTERVAL_MINUTES = 0.2
SERVERS = 2
# Beyond what the same questions differ by from run to run.
MAY_DIFFER_BY = 1.25
MAY_DIFFER_BY_SECONDS = 0.01


@dataclass(frozen=True)
class Asked:
    """One run: seconds of every answer, and how often each document was asked for meanwhile."""

    name: str
    seconds: Sequence[float]
    fetches: Mapping[str, list[float]]

    @property
    def shortest_gap(self) -> float:
        """Seconds between two fetches of one document, at least."""
        return min(
            (after - before for moments in self.fetches.values() for before, after in pairwise(moments)), default=float("inf")
        )


@dataclass(frozen=True)
class Rounds:
    """The same run several times, among the others: of a percentile the median counts, so that one busy moment does not."""

    name: str
    runs: Sequence[Asked]

    def at(self, share: float) -> float:
        """Milliseconds."""
        return median([percentile(run.seconds, share) for run in self.runs]) * 1000

    @property
    def slowest(self) -> float:
        return max(max(run.seconds) for run in self.runs) * 1000

    @property
    def requests(self) -> int:
        return sum(len(moments) for run in self.runs for moments in run.fetches.values())

    @property
    def questions(self) -> int:
        return sum(len(run.seconds) for run in self.runs)


def well(body: bytes, content_type: str) -> Play:
    return a_versioned_file(body, content_type)


# None: nobody listens at the address.
FAULTS: dict[str, Callable[[bytes, str], Play] | None] = {
    "well": well,
    "refuses": None,
    "answers 500": lambda *_: a_status(500),
    "silent": lambda body, _: a_late_answer(body, seconds=60),
    "drips": lambda body, _: a_drip(body, pause=1),
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    if options.ask:
        return _ask_and_print(json.loads(options.ask))
    before = load_average()
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-", ignore_cleanup_errors=True) as folder,
        migrated_postgres(Path(folder)) as url,
    ):
        rounds = [
            [_run(name, play, url, folder, options.seconds, SHORT_INTERVAL_MINUTES) for name, play in FAULTS.items()]
            for _ in range(options.rounds)
        ]
        runs = [Rounds(of_one[0].name, of_one) for of_one in zip(*rounds, strict=True)]
        many = _run("1,000 a minute", well, url, folder, options.minute, MEASURED_INTERVAL_MINUTES, worker=True)
    now = datetime.datetime.now(datetime.UTC)
    heading = f"{now:%Y-%m-%d %H:%M} UTC, {machine()}; load average {before} before, {load_average()} after"
    failures = _failures(runs, many)
    for line in [heading, *_sentences(many), *(failures or ["both hold"])]:
        say(line)
    Console().print(_table(runs))
    keep("figures", _markdown(heading, runs, many, failures))
    return 1 if failures else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each of the five runs; the median counts (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="of each run (default %(default)s)")
    parser.add_argument("--minute", type=float, default=60, help="seconds of 1,000 questions a minute (default %(default)s)")
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _run(
    name: str,
    play: Callable[[bytes, str], Play] | None,
    url: str,
    folder: str,
    seconds: float,
    minutes: float,
    *,
    worker: bool = False,
) -> Asked:
    """Ask for `seconds` from SERVERS processes; without a `play` the hosts are closed."""
    say(f"{name}: {seconds:.0f} s")
    host = FeedHost()
    host.documents = {path: [well(fixture(file), kind)] for path, file, kind in DOCUMENTS.values()}
    addresses = {setting: host.address(path) for setting, (path, _, _) in DOCUMENTS.items()}
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith(OURS)},
        **addresses,
        "LOA_ENV_FILE": os.devnull,
        "LOA_HOME": folder,
        "LOA_DATABASE_URL": url,
        "LOA_FIGURES_MINUTES": str(minutes),
        "LOA_LOG_FORMAT": "json",
    }
    _read_once(environment)
    if play:
        host.documents = {path: [play(fixture(file), kind)] for path, file, kind in DOCUMENTS.values()}
    else:
        host.close()
    _make_due(url)
    host.requests.clear()
    job = {"seconds": seconds, "a_minute": QUESTIONS_A_MINUTE / SERVERS}
    command = [sys.executable, "-m", "bench.figures", "--ask"]
    jobs = [{**job, "reads_feeds": worker and number == 0} for number in range(SERVERS)]
    servers = [
        subprocess.Popen([*command, json.dumps(one)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for one in jobs
    ]
    try:
        answers = [json.loads(server.communicate(timeout=seconds + 60)[0].splitlines()[-1]) for server in servers]
    finally:
        for server in servers:
            server.kill()
            server.wait()
        if play:
            host.close()
    paths = [path for path, _, _ in DOCUMENTS.values()]
    fetches = {path: [request.at for request in host.requests if request.path == path] for path in paths}
    return Asked(name, [value for one in answers for value in one], fetches)


def _read_once(environment: Mapping[str, str]) -> None:
    """A citizen's question finds figures there, as it does in service."""
    command = [sys.executable, "-m", "bot.cli", "figures", "refresh"]
    subprocess.run(command, cwd=ROOT, env=dict(environment), check=True, stdout=subprocess.DEVNULL)


def _make_due(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE feed_state SET due_at = now(), failures = 0")


def _ask_and_print(job: Mapping[str, float]) -> int:
    """In a process of its own, an action server's: ask at an even pace and print the seconds of every answer."""
    print(json.dumps(asyncio.run(_ask(job["seconds"], job["a_minute"], reads_feeds=bool(job["reads_feeds"])))))
    return 0


async def _ask(seconds: float, a_minute: float, *, reads_feeds: bool) -> list[float]:
    await _answer("cases")  # imports and the table of places
    worker = asyncio.create_task(_read_feeds()) if reads_feeds else None
    answers, started = [], time.monotonic()
    for number in range(int(seconds * a_minute / 60)):
        await asyncio.sleep(max(0.0, started + number * 60 / a_minute - time.monotonic()))
        answers.append(asyncio.create_task(_answer("cases" if number % 2 else "vaccination")))
    found = await asyncio.gather(*answers)
    if worker:
        worker.cancel()
    return found


async def _read_feeds() -> None:
    """What a worker does once a minute, done once a second."""
    from bot.figures.refresh import refreshed
    from bot.settings import Settings

    settings = Settings.from_environment()
    while True:
        await refreshed(settings, str(settings.database_url))
        await asyncio.sleep(1)


async def _answer(group: str) -> float:
    from actions.figures import ActionCaseFigures, ActionVaccinationFigures

    action = ActionCaseFigures() if group == "cases" else ActionVaccinationFigures()
    message = {"text": "hôm nay cả nước bao nhiêu ca", "intent": {"name": ""}, "entities": []}
    tracker = Tracker("citizen", {}, message, [], False, None, {}, None)  # noqa: FBT003
    dispatcher = CollectingDispatcher()
    started = time.monotonic()
    await action.run(dispatcher, tracker, {})
    seconds = time.monotonic() - started
    if not dispatcher.messages:
        raise RuntimeError("a question was not answered")
    return seconds


def _failures(runs: Sequence[Rounds], many: Asked) -> list[str]:
    live, *bad = runs
    slower = [
        f"NOT MET: {run.name}: p{share * 100:.0f} is {run.at(share):.0f} ms, with good feeds {live.at(share):.0f} ms"
        for run in bad
        for share in (0.5, 0.95)
        if run.at(share) > live.at(share) * MAY_DIFFER_BY + MAY_DIFFER_BY_SECONDS * 1000
    ]
    everybody = [*runs, Rounds(many.name, [many])]
    waited = [f"NOT MET: somebody waited {run.slowest:.0f} ms ({run.name})" for run in everybody if run.slowest > 2000]
    interval = MEASURED_INTERVAL_MINUTES * 60
    often = [f"NOT MET: a feed was asked twice within {many.shortest_gap:.1f} s"] if many.shortest_gap < interval else []
    unread = [] if all(many.fetches.values()) else ["NOT MET: a feed was not asked at all"]
    return [*slower, *waited, *often, *unread]


def _sentences(many: Asked) -> list[str]:
    counts = ", ".join(f"{path} {len(moments)}" for path, moments in many.fetches.items())
    return [
        f"{len(many.seconds)} questions from {SERVERS} action servers, interval {MEASURED_INTERVAL_MINUTES * 60:.0f} s: "
        f"requests {counts}; at least {many.shortest_gap:.1f} s apart; p95 {percentile(many.seconds, 0.95) * 1000:.0f} ms"
    ]


COLUMNS = ("feeds", "questions", "p50, ms", "p95, ms", "slowest, ms", "requests to feeds")


def _cells(run: Rounds) -> tuple[str, ...]:
    requests = "–" if FAULTS[run.name] is None else str(run.requests)
    return run.name, str(run.questions), f"{run.at(0.5):.1f}", f"{run.at(0.95):.1f}", f"{run.slowest:.1f}", requests


def _table(runs: Sequence[Rounds]) -> Table:
    table = Table(*COLUMNS)
    for run in runs:
        table.add_row(*_cells(run))
    return table


def _markdown(heading: str, runs: Sequence[Rounds], many: Asked, failures: Sequence[str]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, runs)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return "\n\n".join([heading, table, *_sentences(many), *(failures or ["both hold"])]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
