"""Stock Rasa under test: the project of stock_project.py, its REST channel, its SQL tracker store on the same PostgreSQL."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx

from bench.measure import Group
from bench.processes import Program, end_postmaster, free_port, postmaster
from bench.stock_project import write_project
from bot.postgres import EmbeddedPostgres
from bot.settings import ROOT

# As an operator would start it; nothing here changes how fast it is.
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
TRAINING_SECONDS = 3600.0
START_SECONDS = 600.0


class Stock:
    """`train` once, then `start` and `stop`."""

    name = "stock Rasa"
    door = "rest"

    def __init__(self, folder: Path, epochs: int, *, with_stories: bool) -> None:
        self._project = folder / "stock"
        self._project.mkdir()
        self._log = folder / "stock.log"
        self._data = folder / "stock-postgres"
        self._postgres = EmbeddedPostgres(self._data)
        self._epochs = epochs
        self._with_stories = with_stories
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._programs: list[Program] = []

    def train(self) -> float:
        """Seconds of `rasa train`; raises ProgramFailed."""
        write_project(self._project, self._postgres.start(), self._epochs, with_stories=self._with_stories)
        return self._rasa(
            "train", "--data", str(ROOT / "data/nlu"), "data", "--fixed-model-name", "stock", "--out", "."
        ).wait_for_end(TRAINING_SECONDS)

    def start(self) -> float:
        """Seconds from the command to the first answer; raises ProgramFailed."""
        program = self._rasa(
            "run", "--model", "stock.tar.gz", "--interface", "127.0.0.1", "--port", str(self._port),
        )  # fmt: skip
        with httpx.Client(base_url=self.address, timeout=30, trust_env=False) as client:
            return program.wait_until(lambda: _answers(client), START_SECONDS, pause=0.1)

    def stop(self) -> None:
        for program in self._programs:
            program.end()
        if self._postgres.url:
            self._postgres.stop()
        end_postmaster(self._data)

    def groups(self) -> list[Group]:
        server = postmaster(self._data)
        return [Group("rasa", self._programs[-1].process), *([Group("postgresql", server)] if server else [])]

    def model_bytes(self) -> int:
        return (self._project / "stock.tar.gz").stat().st_size

    def _rasa(self, *arguments: str) -> Program:
        command = [sys.executable, "-m", "rasa", *arguments]
        program = Program(command, {**os.environ, **QUIET}, self._log, folder=self._project)
        self._programs.append(program)
        return program


def _answers(client: httpx.Client) -> bool:
    try:
        response = client.post("/webhooks/rest/webhook", json={"sender": "first", "message": "xin chào"})
        return response.status_code == 200 and bool(response.json())
    except (httpx.HTTPError, ValueError):
        return False
