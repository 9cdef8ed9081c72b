"""Loa under test: the real `loa up` in a data folder of its own, with its embedded PostgreSQL and the web chat."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.measure import Group
from bench.processes import Program, end_postmaster, free_port, postmaster

OURS = ("LOA_", "TELEGRAM_", "ZALO_", "MESSENGER_", "FEED_")
# Nobody listens there: no question may leave the machine.
NOWHERE = "http://127.0.0.1:9"
FIRST_START_SECONDS = 1200.0
# What `loa up` starts, by a word of its command line.
PARTS = {"bot.serving:create": "gateway and worker", "rasa": "rasa", "rasa_sdk": "actions"}


@dataclass(frozen=True)
class Start:
    """Seconds from the command to the first stored message, to /health/ready, and of training in between (0: none)."""

    accepting: float
    ready: float
    training: float


class Loa:
    """`start` and `stop` may be called again and again on the same data."""

    name = "Loa"
    door = "webchat"

    def __init__(self, folder: Path) -> None:
        self._home = folder / "loa"
        self._home.mkdir()
        self._log = folder / "loa.log"
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._program: Program | None = None

    def start(self) -> Start:
        """Run `loa up` until all is ready; raises ProgramFailed."""
        program = self._program = Program([sys.executable, "-m", "bot.cli", "up"], self._environment(), self._log)
        with httpx.Client(base_url=self.address, timeout=5, trust_env=False) as client:
            accepting = program.wait_until(lambda: _takes_a_message(client), 60, pause=0.02)
            training = _Training(program.process)
            ready = program.wait_until(lambda: training.looked_at() and _is_ready(client), FIRST_START_SECONDS, pause=0.1)
        return Start(accepting, ready, training.seconds)

    def stop(self) -> None:
        if self._program:
            self._program.end()
        end_postmaster(self._home / "postgres")

    def groups(self) -> list[Group]:
        assert self._program
        supervisor = self._program.process
        found = [Group(name, child) for child in supervisor.children() if (name := _part(child))]
        server = postmaster(self._home / "postgres")
        return [*found, Group("supervisor", supervisor, alone=True), *([Group("postgresql", server)] if server else [])]

    def model_bytes(self) -> int:
        return max((self._home / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime).stat().st_size

    def degraded_turns(self) -> int:
        """Turns since the last start that were answered without the model."""
        lines = httpx.get(f"{self.address}/metrics", timeout=5, trust_env=False).text.splitlines()
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith('loa_turns_total{outcome="degraded"}'))

    def _environment(self) -> dict[str, str]:
        """Ours alone: a deployment's .env in the checkout (a Telegram token, a database) must not be touched."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
            "LOA_ENV_FILE": os.devnull,
            "LOA_HOME": str(self._home),
            "LOA_HTTP_PORT": str(self._port),
            "LOA_MESSAGES_A_MINUTE": "0",  # a citizen of the bench asks as fast as answers come
            "FEED_WHO_URL": NOWHERE,
            "PYTHONUNBUFFERED": "1",
        }


class _Training:
    """Watches for the `loa train` that a first start runs."""

    def __init__(self, supervisor: psutil.Process) -> None:
        self._supervisor = supervisor
        self._ages: dict[int, float] = {}

    @property
    def seconds(self) -> float:
        return sum(self._ages.values())

    def looked_at(self) -> bool:
        """Always True; notes how long training has run by now."""
        for child in self._supervisor.children():
            if "train" in _command(child):
                with contextlib.suppress(psutil.Error):
                    self._ages[child.pid] = time.time() - float(child.create_time())
        return True


def _takes_a_message(client: httpx.Client) -> bool:
    try:
        token = client.post("/webchat/session").raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        return client.post("/webchat/messages", json={"text": "xin chào"}, headers=headers).status_code == 202
    except httpx.HTTPError:
        return False


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def _part(process: psutil.Process) -> str | None:
    return next((name for word, name in PARTS.items() if word in _command(process)), None)


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
