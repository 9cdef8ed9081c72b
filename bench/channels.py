"""`make bench-channels`: what the platforms see of Loa, with and without Rasa.

1. Rasa is down: 35 webhooks a second for a minute, Zalo, Telegram and Messenger mixed. How soon are they acknowledged?
2. Rasa comes up: is every message answered, once, in its conversation's order, and how long does that take?
3. All is well: 5 messages a second for a minute. How soon does the answer reach the platform?

The real gateway with its worker, Rasa with the trained model, action server and embedded PostgreSQL; the platforms are played
by one process on 127.0.0.1. Exit code 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.rows import dict_row

from bench import platforms
from bench.embedded import migrated_postgres
from bench.loa import NOWHERE, OURS
from bench.measure import load_average, percentile
from bench.outcome import held_to_limits, say
from bench.platforms import Posted
from bench.processes import Program, ProgramFailed, answers, free_port
from bot import model
from bot.settings import ROOT, Settings
from bot.yaml_files import read_yaml

CITIZENS = 210
FLOOD_A_SECOND = 35.0
STEADY_A_SECOND = 5.0
START_SECONDS = 240.0
DRAIN_SECONDS = 900.0
LIMIT_ACKNOWLEDGE_P99 = 0.5
LIMIT_ANSWER_P95 = 3.0
RASA_TOKEN = "bench-token"

MESSAGES = """
    SELECT asked.provider_id AS asked, asked.conversation_id AS conversation, asked.turn,
           array_remove(array_agg(answer.provider_ids[1] ORDER BY answer.id), NULL) AS arrived
      FROM messages asked LEFT JOIN messages answer ON answer.in_reply_to = asked.id
     WHERE asked.direction = 'incoming' GROUP BY asked.id
     ORDER BY asked.conversation_id, coalesce(asked.sent_at, asked.created_at), asked.id"""
# A message that was sent again although its first try had arrived.
TWICE = "SELECT id FROM messages WHERE delivery_attempts > 1 AND cardinality(provider_ids) > 1"
UNDONE = "SELECT count(*) FROM messages WHERE turn = 'waiting' OR delivery IN ('waiting', 'sending')"


@dataclass(frozen=True)
class Row:
    """One message by its platform's id, its turn's end, and when each of its replies arrived."""

    asked: str
    conversation: int
    turn: str
    at: Sequence[float]


@dataclass(frozen=True)
class Result:
    """`drained`: seconds from Rasa's first sign of readiness to the last answer."""

    flood: Posted
    steady: Posted
    rows: Sequence[Row]
    drained: float
    surplus: int

    @property
    def answers(self) -> list[float]:
        """Seconds from the webhook to the first reply's arrival, while all was well."""
        return [row.at[0] - self.steady.at[row.asked] for row in self.rows if row.at and row.asked in self.steady.at]

    @property
    def lost(self) -> int:
        stored = {row.asked for row in self.rows if row.at}
        return len(({*self.flood.at} | {*self.steady.at}) - stored)

    @property
    def swapped(self) -> int:
        """Answers that overtook the one before them in their conversation."""
        pairs = zip(self.rows, self.rows[1:], strict=False)
        return sum(a.conversation == b.conversation and bool(a.at and b.at) and max(a.at) > min(b.at) for a, b in pairs)

    @property
    def degraded(self) -> int:
        return sum(row.turn != "answered" for row in self.rows)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    before = load_average()
    try:
        with tempfile.TemporaryDirectory(prefix="loa-bench-", ignore_cleanup_errors=True) as folder:
            result = _measured(options, _model(options.model), Path(folder))
    except ProgramFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return held_to_limits("channels", "Channels", before, _measures(result), missed_limits(result))


def missed_limits(result: Result) -> list[str]:
    slow = percentile(result.flood.acknowledged, 0.99)
    answers = percentile(result.answers, 0.95)
    limits = {
        f"acknowledgement p99 is {slow * 1000:.0f} ms with Rasa down": not slow < LIMIT_ACKNOWLEDGE_P99,
        f"answer p95 is {answers:.2f} s": not answers < LIMIT_ANSWER_P95,
        f"{result.lost} messages were not answered": result.lost > 0,
        f"{result.surplus} messages arrived twice or belong to no answer": result.surplus > 0,
        f"{result.swapped} answers overtook another": result.swapped > 0,
        f"{result.degraded} answers came without the model": result.degraded > 0,
    }
    return [f"NOT MET: {sentence}" for sentence, is_missed in limits.items() if is_missed]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.channels", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of each of the two loads (default %(default)s)")
    parser.add_argument("--model", type=Path, help="a trained model instead of that of today's data")
    return parser.parse_args(arguments)


def _model(given: Path | None) -> Path:
    """Today's, trained if there is none yet."""
    if given:
        return given.resolve()
    settings = Settings.from_environment()
    return model.trained_model(settings) or model.train(settings, say)


def _measured(options: argparse.Namespace, trained: Path, folder: Path) -> Result:
    with ExitStack() as stack:
        stage = Stage(stack, folder)
        say(f"Rasa is down: {FLOOD_A_SECOND:.0f} webhooks/s for {options.seconds:.0f} s")
        flood = stage.post(FLOOD_A_SECOND, options.seconds, first=1_000_000)
        say("Rasa comes up")
        ready = stage.start_rasa(trained)
        say(f"ready; {stage.undone()} messages wait")
        stage.wait_until_done()
        drained = max((at for _, at in stage.sent()), default=ready) - ready
        say(f"all is well: {STEADY_A_SECOND:.0f} messages/s for {options.seconds:.0f} s")
        steady = stage.post(STEADY_A_SECOND, options.seconds, first=2_000_000)
        stage.wait_until_done()
        rows, surplus = stage.rows()
        return Result(flood, steady, rows, drained, surplus)


class Stage:
    """The service under test and the platforms around it; `stack` ends all of it."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        (folder / "home/run").mkdir(parents=True)
        self.database_url = stack.enter_context(migrated_postgres(folder))
        ports = {name: free_port() for name in ("platforms", "gateway", "rasa", "actions")}
        self._addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self._ports = ports
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            **model.QUIET_RASA,
            **platforms.settings(self._addresses["platforms"]),
            "LOA_ENV_FILE": os.devnull,
            "LOA_HOME": str(folder / "home"),
            "LOA_DATABASE_URL": self.database_url,
            "LOA_RASA_URL": self._addresses["rasa"],
            "LOA_RASA_TOKEN": RASA_TOKEN,
            "LOA_ACTIONS_URL": self._addresses["actions"],
            "LOA_MESSAGES_A_MINUTE": "0",  # every message is answered by itself
            "LOA_TURN_DEADLINE_SECONDS": str(DRAIN_SECONDS),  # nothing is answered without the model
            "FEED_WHO_URL": NOWHERE,
            "PYTHONUNBUFFERED": "1",
        }
        self._platforms = self._play_platforms()
        self._authorise_zalo()
        command = ["-m", "uvicorn", "--factory", "bot.serving:create", "--port", str(ports["gateway"]), "--ws", "none"]
        gateway = self._start("gateway", [*command, "--no-access-log", "--log-level", "warning"])
        gateway.wait_until(lambda: answers(f"{self._addresses['gateway']}/health/live"), 60, pause=0.1)

    def post(self, a_second: float, seconds: float, *, first: int) -> Posted:
        load = {"a_second": a_second, "seconds": seconds, "citizens": CITIZENS, "first": first}
        return Posted(**self._ask({"post": {"gateway": self._addresses["gateway"], **load}}))

    def sent(self) -> list[tuple[str, float]]:
        return [(name, at) for name, at in self._ask({"sent": {"after": 0}})]

    def start_rasa(self, trained: Path) -> float:
        """When it was ready, in seconds since 1970."""
        content = read_yaml(ROOT / "endpoints.yml")
        content["action_endpoint"]["url"] = f"{self._addresses['actions']}/webhook"
        endpoints = self._folder / "endpoints.yml"
        endpoints.write_text(yaml.safe_dump(content), encoding="utf-8")
        self._start("actions", ["-m", "rasa_sdk", "--actions", "actions", "--port", str(self._ports["actions"])])
        rasa = self._start(
            "rasa",
            [
                *(
                    "-m",
                    "rasa",
                    "run",
                    "--model",
                    str(trained),
                    "--endpoints",
                    str(endpoints),
                    "--credentials",
                    "credentials.yml",
                ),
                *("--interface", "127.0.0.1", "--port", str(self._ports["rasa"])),
            ],
        )
        rasa.wait_until(lambda: answers(f"{self._addresses['gateway']}/health/ready"), START_SECONDS, pause=0.1)
        return time.time()

    def undone(self) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(UNDONE).fetchone()
        return int(row[0]) if row else 0

    def wait_until_done(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.undone() and time.monotonic() < deadline:
            time.sleep(0.5)

    def rows(self) -> tuple[list[Row], int]:
        """What was stored, with the moments of arrival; and how many arrivals are too many."""
        arrived = dict(self.sent())
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            stored = connection.execute(MESSAGES).fetchall()
            twice = len(connection.execute(TWICE).fetchall())
            known = {
                name for row in connection.execute("SELECT unnest(provider_ids) AS name FROM messages") for name in row.values()
            }
        rows = [
            Row(row["asked"], row["conversation"], row["turn"], [arrived[id_] for id_ in row["arrived"] if id_ in arrived])
            for row in stored
        ]
        return rows, len(set(arrived) - known) + twice

    def _play_platforms(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench.platforms", str(self._ports["platforms"])]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def _ask(self, job: Mapping[str, Any]) -> Any:
        assert self._platforms.stdin
        assert self._platforms.stdout
        self._platforms.stdin.write(json.dumps(job) + "\n")
        self._platforms.stdin.flush()
        return json.loads(self._platforms.stdout.readline())

    def _authorise_zalo(self) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                """INSERT INTO zalo_tokens (app_id, oa_id, access_token, refresh_token, obtained_at, expires_at)
                   VALUES (%s, %s, 'access', 'refresh', now(), now() + interval '25 hours')""",
                [platforms.APP, platforms.OA],
            )

    def _start(self, name: str, command: Sequence[str]) -> Program:
        program = Program([sys.executable, *command], self._environment, self._folder / f"{name}.log")
        self._stack.callback(program.end)
        return program


def _measures(result: Result) -> list[tuple[str, str, str]]:
    flood, steady = result.flood, result.steady
    down, well = f"Rasa down, {FLOOD_A_SECOND:.0f}/s", f"all well, {STEADY_A_SECOND:.0f}/s"
    return [
        (f"{down}: webhooks (with those sent again)", f"{len(flood.at)} ({len(flood.acknowledged)})", ""),
        (f"{down}: acknowledgement p50 / p99 / slowest, ms", _milliseconds(flood.acknowledged), "p99 < 500"),
        ("Rasa up: until the last waiting message was answered, s", f"{result.drained:.1f}", ""),
        ("Rasa up: answers a second", f"{len(flood.at) / max(result.drained, 0.001):.0f}", ""),
        (f"{well}: messages", str(len(steady.at)), ""),
        (f"{well}: acknowledgement p50 / p99 / slowest, ms", _milliseconds(steady.acknowledged), ""),
        (f"{well}: webhook to answer p50 / p95 / slowest, ms", _milliseconds(result.answers, 0.95), "p95 < 3,000"),
        ("lost / doubled / overtaken / without the model", _counts(result), "0 / 0 / 0 / 0"),
    ]


def _milliseconds(seconds: Sequence[float], share: float = 0.99) -> str:
    values = (percentile(seconds, 0.5), percentile(seconds, share), max(seconds, default=float("nan")))
    return " / ".join(f"{value * 1000:.0f}" for value in values)


def _counts(result: Result) -> str:
    return f"{result.lost} / {result.surplus} / {result.swapped} / {result.degraded}"


if __name__ == "__main__":
    sys.exit(main())
