"""`make bench-desk`: what operators see of a busy evening.

200 open cases, 100,000 that are over, 20 operators who each have the queue and one conversation open; citizens write 35 messages
a second. How soon does a message stand in the queue of every operator, and in the conversation of whoever has it open? How long
does the queue's page take, in peace and under that load?

The real gateway with its worker and embedded PostgreSQL. Exit code 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg

from bench.embedded import migrated_postgres
from bench.loa import NOWHERE, OURS
from bench.measure import load_average, percentile
from bench.outcome import held_to_limits, say
from bench.processes import Program, ProgramFailed, answers, free_port
from bot.settings import ROOT

CASES, OPERATORS, PAST_CASES = 200, 20, 100_000
A_SECOND = 35.0
OPENED = 30
LIMIT_REACHES_P95, LIMIT_PAGE = 1.0, 0.1
# After the last message: what has not come by then is lost.
WAIT_SECONDS = 10.0

PAST = """
    WITH talks AS (
        INSERT INTO conversations (channel, address, language, interacted_at)
        SELECT 'zalo', 'past-' || n, 'vi', now() FROM generate_series(1, %(count)s) AS n RETURNING id)
    INSERT INTO cases (conversation_id, desk, reason, state, language, topic, opened_at, claimed_at, ended_at, operator_id)
    SELECT id, 'dak-lak', 'asked', 'ended', 'vi', 'vaccine_where', now() - interval '1 day' - make_interval(secs => id),
           now() - interval '1 day', now() - make_interval(secs => id), (SELECT min(id) FROM operators) FROM talks"""
PAST_MESSAGES = """
    INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
    SELECT id, 'incoming', 'citizen', 'zalo', 'past-' || id, 'một câu hỏi đã được trả lời từ lâu', 'human'
      FROM conversations WHERE address LIKE 'past-%'"""
OPEN = """
    INSERT INTO cases (conversation_id, desk, reason, language, topic, opened_at, waiting_since)
    SELECT id, 'dak-lak', 'asked', 'vi', 'vaccine_where', now(), now() - make_interval(secs => id % 900)
      FROM conversations WHERE channel = 'webchat'"""
CLAIM = """
    UPDATE cases SET state = 'claimed', claimed_at = now(), operator_id = o.id
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM operators) o,
           (SELECT id, row_number() OVER (ORDER BY id) AS n FROM cases WHERE state = 'waiting') k
     WHERE cases.id = k.id AND k.n = o.n"""


@dataclass
class Result:
    """Seconds. `lost`: messages that some page never showed."""

    in_queues: list[float] = field(default_factory=list)
    in_conversations: list[float] = field(default_factory=list)
    page_in_peace: list[float] = field(default_factory=list)
    page_under_load: list[float] = field(default_factory=list)
    past_page: list[float] = field(default_factory=list)
    messages: int = 0
    lost: int = 0


@dataclass
class Page:
    """An operator's open stream, of one case or of the queue. `seen`: when each message's number was first shown."""

    case_id: int | None
    seen: dict[int, float] = field(default_factory=dict)

    def take(self, change: dict[str, Any]) -> None:
        now = time.monotonic()
        for row in change.get("rows", ()):
            for part in row["html"].split("tin số ")[1:]:
                self.seen.setdefault(int(part.split(maxsplit=1)[0].partition("<")[0]), now)


class Evening:
    def __init__(self, address: str, url: str) -> None:
        self._address, self._url = address, url
        self._pages: list[Page] = []
        self._sent: dict[int, tuple[float, int]] = {}

    def fill(self, tokens: Sequence[str]) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            for number, token in enumerate(tokens):
                connection.execute(
                    "INSERT INTO operators (name, role, password_hash, must_change_password) VALUES (%s, 'operator', '-', false)",
                    [f"operator-{number}"],
                )
                connection.execute(
                    """INSERT INTO staff_sessions (token_hash, operator_id)
                       SELECT sha256(%s), id FROM operators WHERE name = %s""",
                    [token.encode(), f"operator-{number}"],
                )
            for table in ("cases", "messages"):
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            connection.execute(PAST.encode(), {"count": PAST_CASES})
            connection.execute(PAST_MESSAGES)
            for table in ("cases", "messages"):
                connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())

    def opens_cases(self) -> dict[int, int]:
        """Case of each conversation, by the conversation's id; every operator has claimed one."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("UPDATE conversations SET owner = 'queue' WHERE channel = 'webchat'")
            connection.execute(OPEN)
            connection.execute(CLAIM)
            connection.execute(
                """UPDATE conversations SET owner = 'operator'
                    WHERE id IN (SELECT conversation_id FROM cases WHERE state = 'claimed')"""
            )
            connection.execute("VACUUM ANALYZE")
            return dict(connection.execute("SELECT conversation_id, id FROM cases WHERE state <> 'ended'").fetchall())

    def claimed(self) -> list[int]:
        with psycopg.connect(self._url) as connection:
            found = connection.execute("SELECT id FROM cases WHERE state = 'claimed' ORDER BY operator_id").fetchall()
        return [int(row[0]) for row in found]

    async def play(self, tokens: Sequence[str], seconds: float) -> Result:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=self._address, trust_env=False, timeout=30, limits=limits) as http:
            citizens = [(await http.post("/webchat/session")).json()["token"] for _ in range(CASES)]
            await asyncio.gather(*(self._write(http, token, "xin gặp người") for token in citizens))
            addresses = self._conversations(citizens)
            cases = self.opens_cases()
            result = Result()
            result.page_in_peace = await self._opened(http, "/desk", tokens)
            result.past_page = await self._opened(http, "/desk/past", tokens)
            listening = [
                asyncio.create_task(self._listen(http, path, token, page))
                for token, case_id in zip(tokens, self.claimed(), strict=True)
                for path, page in (("/desk/events", Page(None)), (f"/desk/cases/{case_id}/events", Page(case_id)))
            ]
            await asyncio.sleep(3)
            writing = asyncio.create_task(self._flood(http, citizens, [cases[id_] for id_ in addresses], seconds))
            result.page_under_load = await self._opened(http, "/desk", tokens, pause=seconds / OPENED / 1.2)
            await writing
            await asyncio.sleep(WAIT_SECONDS)
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
        self._judge(result)
        return result

    def _conversations(self, citizens: Sequence[str]) -> list[int]:
        """The conversation of each session, in their order."""
        subjects = [jwt.decode(token, options={"verify_signature": False})["sub"] for token in citizens]
        with psycopg.connect(self._url) as connection:
            found = dict(connection.execute("SELECT address, id FROM conversations WHERE channel = 'webchat'").fetchall())
        return [int(found[subject]) for subject in subjects]

    async def _write(self, http: httpx.AsyncClient, token: str, text: str) -> None:
        answer = await http.post("/webchat/messages", json={"text": text}, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()

    async def _flood(self, http: httpx.AsyncClient, citizens: Sequence[str], cases: Sequence[int], seconds: float) -> None:
        """At their times, whatever the answers do."""
        began, writing = time.monotonic(), []
        for number in range(int(A_SECOND * seconds)):
            await asyncio.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
            who = random.randrange(len(citizens))
            self._sent[number] = (time.monotonic(), cases[who])
            writing.append(asyncio.create_task(self._write(http, citizens[who], f"tin số {number} của tối nay")))
        await asyncio.gather(*writing)

    async def _opened(self, http: httpx.AsyncClient, path: str, tokens: Sequence[str], pause: float = 0.05) -> list[float]:
        """How long the page takes, asked for one after the other."""
        taken = []
        for number in range(OPENED):
            began = time.monotonic()
            answer = await http.get(path, headers=_cookie(tokens[number % len(tokens)]))
            taken.append(time.monotonic() - began)
            if answer.status_code != 200:
                raise ProgramFailed(f"{path} was answered with {answer.status_code}")
            await asyncio.sleep(pause)
        return taken[1:]  # the first one compiles templates

    async def _listen(self, http: httpx.AsyncClient, path: str, token: str, page: Page) -> None:
        self._pages.append(page)
        async with http.stream("GET", path, headers=_cookie(token), timeout=None) as stream:
            if stream.status_code != 200:
                raise ProgramFailed(f"{path} was answered with {stream.status_code}")
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    page.take(json.loads(line[6:]))

    def _judge(self, result: Result) -> None:
        """A row shows a citizen's last words: what two wrote within one look is there with the later one."""
        result.messages = len(self._sent)
        of_case: dict[int, list[int]] = {}
        for number, (_, case_id) in self._sent.items():
            of_case.setdefault(case_id, []).append(number)
        for page in self._pages:
            for case_id, numbers in of_case.items():
                if page.case_id not in (None, case_id):
                    continue
                shown = float("inf")
                for number in reversed(numbers):
                    own = page.seen.get(number, float("inf"))
                    shown = min(shown, own) if page.case_id is None else own
                    if shown == float("inf"):
                        result.lost += 1
                        continue
                    seconds = shown - self._sent[number][0]
                    (result.in_queues if page.case_id is None else result.in_conversations).append(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of messages (default %(default)s)")
    options = parser.parse_args(arguments)
    before = load_average()
    try:
        with tempfile.TemporaryDirectory(prefix="loa-bench-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
            result = _measured(options.seconds, Path(folder), stack)
    except ProgramFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return held_to_limits("desk", "The desk", before, _measures(result), missed_limits(result))


def missed_limits(result: Result) -> list[str]:
    limits = {
        f"queue p95 is {percentile(result.in_queues, 0.95):.2f} s": not percentile(result.in_queues, 0.95) < LIMIT_REACHES_P95,
        f"conversation p95 is {percentile(result.in_conversations, 0.95):.2f} s": not percentile(result.in_conversations, 0.95)
        < LIMIT_REACHES_P95,
        f"the queue's page takes {percentile(result.page_in_peace, 0.95) * 1000:.0f} ms": not percentile(
            result.page_in_peace, 0.95
        )
        < LIMIT_PAGE,
        f"{result.lost} messages never reached a page": result.lost > 0,
    }
    return [f"NOT MET: {sentence}" for sentence, is_missed in limits.items() if is_missed]


def _measured(seconds: float, folder: Path, stack: ExitStack) -> Result:
    url, port = stack.enter_context(migrated_postgres(folder)), free_port()
    address = f"http://127.0.0.1:{port}"
    (folder / "home").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        "LOA_ENV_FILE": os.devnull,
        "LOA_HOME": str(folder / "home"),
        "LOA_DATABASE_URL": url,
        "LOA_RASA_URL": NOWHERE,
        "LOA_RASA_TOKEN": "bench-token",
        "LOA_ACTIONS_URL": NOWHERE,
        "LOA_MESSAGES_A_MINUTE": "0",
        "FEED_WHO_URL": NOWHERE,
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "bot.serving:create", "--port", str(port), "--ws", "none"]
    gateway = Program([*command, "--no-access-log", "--log-level", "warning"], environment, folder / "gateway.log", folder=ROOT)
    stack.callback(gateway.end)
    gateway.wait_until(lambda: answers(f"{address}/health/live"), 60, pause=0.1)
    tokens = [f"token-of-operator-{number}" for number in range(OPERATORS)]
    evening = Evening(address, url)
    say(f"{PAST_CASES:,} cases are over, {CASES} are open")
    evening.fill(tokens)
    say(f"{A_SECOND:.0f} messages/s for {seconds:.0f} s, {OPERATORS} operators look on")
    return asyncio.run(evening.play(tokens, seconds))


def _cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"__Host-loa-staff={token}"}


def _measures(result: Result) -> list[tuple[str, str, str]]:
    return [
        ("messages / pages that look on", f"{result.messages} / {2 * OPERATORS}", ""),
        ("message to the queue of every operator p50 / p95 / slowest, ms", _milliseconds(result.in_queues), "p95 < 1,000"),
        ("message to its open conversation p50 / p95 / slowest, ms", _milliseconds(result.in_conversations), "p95 < 1,000"),
        ("/desk in peace p50 / p95 / slowest, ms", _milliseconds(result.page_in_peace), "p95 < 100"),
        ("/desk under that load p50 / p95 / slowest, ms", _milliseconds(result.page_under_load), ""),
        ("/desk/past p50 / p95 / slowest, ms", _milliseconds(result.past_page), ""),
        ("never shown", str(result.lost), "0"),
    ]


def _milliseconds(seconds: Sequence[float]) -> str:
    values = (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds, default=float("nan")))
    return " / ".join(f"{value * 1000:.0f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
