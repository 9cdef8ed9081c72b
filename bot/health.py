"""Is every part of the service well? 503 with the reason per part while one is not."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import psycopg_pool
from prometheus_client import Gauge

from bot.database import Pool
from bot.dialogue.engine import Engine, certificates_for
from bot.metrics import FEED_SUCCESS_AGE, NEWEST_READING_AGE
from bot.supervisor import PARTS_FILE

LIVING_WORKERS = "SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds' LIMIT 1"
# A feed that nobody tried for a day has been turned off.
FEEDS_DOWN = """SELECT feed, error, to_char(error_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since FROM feed_state
                 WHERE error IS NOT NULL AND attempted_at > now() - interval '1 day' ORDER BY rank, feed"""
AGES_OF_FIGURES = """
    SELECT feed, extract(epoch FROM now() - succeeded_at)::float8 AS since_success,
           (SELECT extract(epoch FROM now() - (max(as_of) + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')::float8
              FROM readings WHERE readings.feed = feed_state.feed AND verdict = 'good') AS since_newest
      FROM feed_state"""


@dataclass(frozen=True)
class Part:
    ok: bool
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok} | ({"reason": self.reason} if self.reason else {})


class Health:
    """Looks at the database, Rasa and the action server, and at what the supervisor noted about its children."""

    def __init__(self, pool: Pool, engine: Engine, actions_url: str, run_folder: Path) -> None:
        self._pool = pool
        self._engine = engine
        self._actions = httpx.AsyncClient(
            base_url=actions_url, timeout=2.0, verify=certificates_for(actions_url), trust_env=False
        )
        self._parts_file = run_folder / PARTS_FILE
        # None: the workers are processes of their own, and their heartbeats in the database tell.
        self.worker: Part | None = Part(ok=False, reason="not started")

    async def parts(self) -> dict[str, Part]:
        """Name → state, in the order a person would look."""
        ready, reason = await self._engine.is_ready()
        database = await self._database()
        found = {
            "database": database,
            "worker": self.worker or await self._workers_elsewhere(),
            "rasa": Part(ok=ready, reason=reason),
            "actions": await self._action_server(),
            "figures": await self._figures() if database.ok else Part(ok=True, reason="not known (no database)"),
        }
        return {name: self._with_restarts(name, part) for name, part in found.items()}

    async def measure_figures(self) -> None:
        """Bring the gauges of the figures up to date: any machine may have read the feeds, so the database is asked."""
        with contextlib.suppress(psycopg.Error, psycopg_pool.PoolTimeout):
            async with self._pool.connection(timeout=2) as connection:
                rows = await (await connection.execute(AGES_OF_FIGURES)).fetchall()
            for row in rows:
                _measure(FEED_SUCCESS_AGE, row["feed"], row["since_success"])
                _measure(NEWEST_READING_AGE, row["feed"], row["since_newest"])

    async def close(self) -> None:
        await self._actions.aclose()

    async def _database(self) -> Part:
        try:
            async with self._pool.connection(timeout=2) as connection:
                await connection.execute("SELECT 1")
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            return Part(ok=False, reason=f"not reachable ({type(error).__name__})")
        return Part(ok=True)

    async def _workers_elsewhere(self) -> Part:
        try:
            async with self._pool.connection(timeout=2) as connection:
                cursor = await connection.execute(LIVING_WORKERS)
                alive = await cursor.fetchone()
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            return Part(ok=False, reason=f"not known ({type(error).__name__})")
        return Part(ok=True) if alive else Part(ok=False, reason="no `loa worker` has given a sign of life for 30 seconds")

    async def _action_server(self) -> Part:
        try:
            response = await self._actions.get("/health")
        except httpx.HTTPError as error:
            return Part(ok=False, reason=f"not reachable ({type(error).__name__})")
        return Part(ok=response.status_code == 200, reason="" if response.status_code == 200 else f"HTTP {response.status_code}")

    async def _figures(self) -> Part:
        """Always ok: without a feed the last good figures are told with their day, and the service need not go."""
        try:
            async with self._pool.connection(timeout=2) as connection:
                down = await (await connection.execute(FEEDS_DOWN)).fetchall()
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            return Part(ok=True, reason=f"not known ({type(error).__name__})")
        return Part(ok=True, reason="; ".join(f"{row['feed']}: {row['error']} (since {row['since']} UTC)" for row in down))

    def _with_restarts(self, name: str, part: Part) -> Part:
        """Adds the supervisor's word on a part that is down ("crashed 3 times, next start in 8 s")."""
        note = self._notes().get(name)
        return part if part.ok or not note else Part(ok=False, reason=f"{part.reason}; {note}" if part.reason else note)

    def _notes(self) -> dict[str, str]:
        try:
            notes = json.loads(self._parts_file.read_text())
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}


def _measure(gauge: Gauge, feed: object, seconds: object) -> None:
    if isinstance(seconds, float):
        gauge.labels(feed).set(seconds)
