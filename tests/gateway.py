"""The gateway as a process of its own, so that a test can kill it as a power cut would.

Its imports take longer than most of what is tested: they are done once, in a process that each gateway is forked from.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
import time
import uuid
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
import uvicorn
from psycopg.rows import dict_row

from tests.dates import keep_answers_valid

ROOT = Path(__file__).parent.parent

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        "bot.serving",
        "bot.web",
        "uvicorn",
        "uvicorn.protocols.http.auto",
        "uvicorn.loops.auto",
        "uvicorn.lifespan.on",
        "tests.dates",
    ]
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayProcess:
    """uvicorn with the real application; `environment` adds settings. Use as a context manager."""

    def __init__(self, database_url: str, rasa_url: str, home: Path, **environment: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.database_url = database_url
        (home / "run").mkdir(parents=True, exist_ok=True)
        self._log = home / "gateway.log"
        self._environment = {
            **os.environ,
            "LOA_HOME": str(home),
            "LOA_DATABASE_URL": database_url,
            "LOA_RASA_URL": rasa_url,
            "LOA_RASA_TOKEN": "test-token",
            "LOA_ACTIONS_URL": rasa_url,
            "LOA_LOG_FORMAT": "json",
            "LOA_HTTP_PORT": str(self.port),
            "LOA_TURN_DEADLINE_SECONDS": "60",  # on a busy machine Rasa is slow, not away
            "FEED_WHO_URL": "http://127.0.0.1:9",  # nobody listens there: no test reads the real feed
            **environment,
        }
        self._process: multiprocessing.context.ForkServerProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, **environment: str) -> None:
        arguments = ({**self._environment, **environment}, self._log, self.port)
        self._process = FORKED.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.address}/health/live", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"the gateway did not start:\n{self.log()}")

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        assert self._process
        self._process.kill()
        self._process.join()

    def stop(self) -> None:
        if self._process and self._process.is_alive():
            self._process.terminate()
            self._process.join(10)
            if self._process.is_alive():
                self.kill()

    def log(self) -> str:
        return self._log.read_text()

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def replies(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM messages WHERE direction = 'outgoing' ORDER BY id")

    def wait_for(self, sql: str, *values: Any, seconds: float = 60) -> list[dict[str, Any]]:
        """Rows of `sql` as soon as there are any; fails with the gateway's log."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            while time.monotonic() < deadline:
                if rows := connection.execute(sql.encode(), values).fetchall():
                    return rows
                time.sleep(0.05)
        raise AssertionError(f"nothing came for: {sql}\n{self.log()[-4000:]}")

    def does_now(self, job: str) -> None:
        """What each worker asks for once a minute, now."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) VALUES ('default', %s, %s, '{\"timestamp\": 0}')",
                [job, job],
            )

    def wait_for_replies(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        self.wait_for("SELECT 1 FROM messages WHERE direction = 'outgoing' OFFSET %s", count - 1, seconds=seconds)
        return self.replies()


def _serve(environment: dict[str, str], log: Path, port: int) -> None:
    """In the forked process: what `uvicorn --factory bot.serving:create` does."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    keep_answers_valid()
    random.seed()  # a copy must not count like its sisters
    uvicorn.run(
        "bot.serving:create",
        factory=True,
        port=port,
        ws="none",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


class Visitor:
    """Somebody on the web chat, over real HTTP."""

    def __init__(self, address: str, **session: str) -> None:
        self.address = address
        self.token = self.call("POST", "/webchat/session", json=session or None).json()["token"]

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return httpx.request(method, f"{self.address}{path}", timeout=30, trust_env=False, **arguments)

    def posts(self, body: Any = None, *, message_id: str | None = None, **fields: Any) -> httpx.Response:
        content = body if body is not None else {**fields, **({"id": message_id} if message_id else {})}
        return self.call("POST", "/webchat/messages", json=content, headers={"Authorization": f"Bearer {self.token}"})

    def writes(self, text: str, message_id: str | None = None) -> None:
        response = self.posts(text=text, message_id=message_id or uuid.uuid4().hex)
        assert response.status_code == 202, response.text
