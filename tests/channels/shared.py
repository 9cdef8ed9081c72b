"""One gateway for all tests of a file: its start takes seconds, and there are many tests."""

from __future__ import annotations

import time

import httpx
import psycopg

from tests.gateway import GatewayProcess


class SharedGateway(GatewayProcess):
    """`tidy()` before each test: the database is empty, the log and the counters begin anew.

    What the process itself remembers stays (who was seen as an operator, what was said once): such tests use addresses of
    their own.
    """

    _log_begins = 0
    _counted: dict[str, float] = {}  # noqa: RUF012  replaced, never changed

    def tidy(self) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'advance'")
                doing = connection.execute("SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'advance'")
                if doing.fetchone() is None:
                    break
                time.sleep(0.02)
            connection.execute("TRUNCATE conversations CASCADE")
        self._log_begins = len(super().log())
        self._counted = self._counters()

    def log(self) -> str:
        return super().log()[self._log_begins :]

    def metric(self, name: str) -> dict[str, float]:
        """`{labels: by how much it grew}` of one counter in this test."""
        grown = {line: value - self._counted.get(line, 0) for line, value in self._counters().items()}
        return {line[len(name) :]: value for line, value in grown.items() if line.startswith(f"{name}{{") and value}

    def _counters(self) -> dict[str, float]:
        lines = httpx.get(f"{self.address}/metrics", trust_env=False, timeout=30).text.splitlines()
        found = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in found}
