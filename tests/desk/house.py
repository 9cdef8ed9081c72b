"""The whole gateway in this process, with a clock that a test can turn and a Rasa that it can script: for two real browsers."""

from __future__ import annotations

import dataclasses
import datetime
import os
import threading
import time
from pathlib import Path
from typing import Any, Self

import uvicorn

from bot.handoff.office import office, prepare
from bot.web import create_app
from tests.gateway import free_port
from tests.office import Office
from tests.simulators.rasa import RasaSimulator

# Monday morning and Sunday night in Viet Nam.
IN_HOURS = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
OUT_OF_HOURS = datetime.datetime(2026, 11, 22, 15, 0, tzinfo=datetime.UTC)


class House:
    """Use as a context manager."""

    def __init__(self, url: str, home: Path) -> None:
        self.office, self.rasa, self.now = Office(url), RasaSimulator(), IN_HOURS
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = {
            "LOA_HOME": str(home),
            "LOA_DATABASE_URL": url,
            "LOA_RASA_URL": self.rasa.url,
            "LOA_RASA_TOKEN": "test-token",
            "LOA_ACTIONS_URL": self.rasa.url,
            "LOA_HTTP_PORT": str(self.port),
            "LOA_TURN_DEADLINE_SECONDS": "60",
            "FEED_WHO_URL": "http://127.0.0.1:9",
        }

    def __enter__(self) -> Self:
        os.environ.update(self._settings)
        try:
            app = create_app()
        finally:
            for name in self._settings:
                del os.environ[name]
        self._desk = dataclasses.replace(office(), now=lambda: self.now)
        config = uvicorn.Config(app, port=self.port, log_level="critical", ws="none", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the gateway did not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.rasa.close()

    def empties(self) -> None:
        """No citizens, nobody logged in, working hours."""
        prepare(self._desk)  # tests of other files prepared theirs
        self.rasa.forget()
        self.now = IN_HOURS
        self.office.rows("TRUNCATE conversations CASCADE")
        self.office.rows("DELETE FROM staff_sessions")

    def wait_for(self, sql: str, *values: Any, seconds: float = 60) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if rows := self.office.rows(sql, *values):
                return rows
            time.sleep(0.05)
        raise AssertionError(f"nothing came for: {sql}")
