"""The whole service as a citizen meets it: `loa up` itself, with Telegram and the WHO feed played by simulators."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.gateway import ROOT, Visitor, free_port

READY_SECONDS = 240  # the first run of a checkout trains the model within this time


class Stack:
    """One running service. `lines` is its whole log; `address` is where citizens write."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.lines: list[str] = []
        models = ROOT / ".loa/models"
        models.mkdir(parents=True, exist_ok=True)
        (home / "models").symlink_to(models)  # trained once for a checkout, not once for a run
        self._environment = {
            **os.environ,
            "LOA_HOME": str(home),
            "LOA_HTTP_PORT": str(free_port()),
            "LOA_TURN_DEADLINE_SECONDS": "60",  # on a busy machine the model is slow, not away
            "LOA_MESSAGES_A_MINUTE": "0",  # a citizen of a test types faster than people do
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.address = f"http://127.0.0.1:{self._environment['LOA_HTTP_PORT']}"

    def start(self) -> None:
        before = len(self.lines)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "up"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for_line(r"ready: http", READY_SECONDS, after=before)
        self.database_url = (self.home / "run/database_url").read_text()

    def wait_for_line(self, pattern: str, seconds: float = 120, *, after: int = 0) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.lines[after:]:
                if re.search(pattern, line):
                    return line
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no line like {pattern!r} came:\n" + "\n".join(self.lines[-60:]))

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(120)
        self._reader.join(5)
        assert self._process.stdout
        self._process.stdout.close()
        return code

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip())


class Citizen:
    """`citizen.says("…")`, `citizen.presses("Giá xét nghiệm")`: each waits until the turn is over."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._visitor = Visitor(stack.address)
        self.replies: list[dict[str, Any]] = []
        self.understood: dict[str, Any] = {}

    def says(self, text: str) -> None:
        self._post(text=text)

    def presses(self, title: str) -> None:
        buttons = [button for reply in self.replies for button in reply["buttons"]]
        payloads = [button["payload"] for button in buttons if button["title"] == title]
        assert payloads, f"there is no button {title!r} among {[b['title'] for b in buttons]}"
        self._post(payload=payloads[0])

    def _post(self, **message: str) -> None:
        response = self._visitor.posts(message)
        assert response.status_code == 202, response.text
        provider_id = f"%:{response.json()['id']}"
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            rows = self._stack.rows(
                "SELECT id, understood FROM messages WHERE provider_id LIKE %s AND turn <> 'waiting'", provider_id
            )
            if rows:
                self.understood = rows[0]["understood"] or {}
                self.replies = self._stack.rows("SELECT * FROM messages WHERE in_reply_to = %s ORDER BY id", rows[0]["id"])
                return
            time.sleep(0.02)
        raise AssertionError(f"no turn was taken for {message}\n" + "\n".join(self._stack.lines[-30:]))


class Bot:
    """What the bot did in its last turn, by key and value; prose is never asserted."""

    def __init__(self, citizen: Citizen) -> None:
        self._citizen = citizen

    def uses(self, *keys: str) -> None:
        used = [reply["response_key"] for reply in self._citizen.replies]
        assert used == list(keys), f"used {used}, understood {self._citizen.understood}"

    def answers(self, intent: str) -> None:
        """The topic of the first reply, in whichever of its wordings (`utter_testing_where_place`)."""
        key = self._citizen.replies[0]["response_key"] if self._citizen.replies else None
        assert key is not None and key.startswith(f"utter_{intent}"), f"used {key}, understood {self._citizen.understood}"

    def offers(self, *intents: str) -> None:
        offered = {button["payload"].removeprefix("/") for reply in self._citizen.replies for button in reply["buttons"]}
        assert set(intents) <= offered, f"offered {offered}"

    def names(self, value: str) -> None:
        assert any(value in reply["text"] for reply in self._citizen.replies), self._citizen.replies

    def begins_with_number(self, number: str) -> None:
        assert number in self._citizen.replies[0]["text"].split("\n")[0]

    def cites(self, document: str) -> None:
        cited = [reply["source"]["id"] for reply in self._citizen.replies if reply["source"]]
        assert document in cited, f"cited {cited}"
