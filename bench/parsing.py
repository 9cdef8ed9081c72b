"""One model in a process of its own: `python -m bench.parsing JOB RESULT` trains it or lets the real Rasa agent parse with it.

Both files are JSON; a job is a TrainingJob or a ParsingJob, its result a Trained or a Parsed. Rasa's own lines go to the log.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.processes import Program
from bench.stock import QUIET
from bot.settings import ROOT

FALLBACK = "nlu_fallback"
WARM_UP = 20
SECONDS = 3600.0
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_INTRA_OP_PARALLELISM_THREADS": "1",
    "TF_INTER_OP_PARALLELISM_THREADS": "1",
}


@dataclass(frozen=True)
class TrainingJob:
    config: str
    data: str
    folder: str
    name: str


@dataclass(frozen=True)
class Trained:
    """`seconds` of the clock and of all cores, from the data to the model file, without the imports; `in_components`: of the
    clock, what Rasa's components took to train, without reading the data and packing the model."""

    seconds: float
    cpu_seconds: float
    in_components: float
    path: str


@dataclass(frozen=True)
class ParsingJob:
    """Parse these one after the other; on one core with one thread if `on_one_core`."""

    model: str
    messages: Sequence[str]
    on_one_core: bool


@dataclass(frozen=True)
class Parsed:
    """Of every message, the seconds of the clock, those of CPU and the likeliest intent, the fallback apart."""

    seconds: Sequence[float]
    cpu_seconds: Sequence[float]
    guesses: Sequence[str]


def train(job: TrainingJob, folder: Path) -> Trained:
    """In a process of its own; raises ProgramFailed."""
    return Trained(**_run("train", job, folder, {"RASA_MAX_CACHE_SIZE": "0"}))


def parse(job: ParsingJob, folder: Path) -> Parsed:
    """In a process of its own; raises ProgramFailed."""
    return Parsed(**_run("parse", job, folder, ONE_THREAD if job.on_one_core else {}))


def _run(task: str, job: TrainingJob | ParsingJob, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    asked, told = folder / "job.json", folder / "result.json"
    asked.write_text(json.dumps({"task": task, **asdict(job)}), encoding="utf-8")
    command = [sys.executable, "-m", "bench.parsing", str(asked), str(told)]
    program = Program(
        command, {**os.environ, **QUIET, **environment, "PYTHONPATH": str(ROOT)}, folder / "parsing.log", folder=folder
    )
    try:
        program.wait_for_end(SECONDS)
    finally:
        program.end()
    return dict(json.loads(told.read_text(encoding="utf-8")))


def _trained(job: TrainingJob) -> Trained:
    from rasa.engine.recipes import default_components
    from rasa.model_training import train_nlu

    assert default_components  # every component of Rasa's, TensorFlow with them
    for component in yaml.safe_load(Path(job.config).read_text(encoding="utf-8"))["pipeline"]:
        if "." in component["name"]:
            importlib.import_module(component["name"].rpartition(".")[0])
    components = _Components()
    started, of_cpu = time.perf_counter(), _cpu_seconds()
    path = train_nlu(job.config, job.data, job.folder, fixed_model_name=job.name)
    return Trained(time.perf_counter() - started, _cpu_seconds() - of_cpu, components.seconds, str(path))


class _Components(logging.Handler):
    """Rasa logs "Starting to train component …" and "Finished training …", one component after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._started = 0.0
        logger = logging.getLogger("rasa.engine.training.hooks")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if line.startswith("Starting to train"):
            self._started = time.perf_counter()
        elif line.startswith("Finished training"):
            self.seconds += time.perf_counter() - self._started


def _parsed(job: ParsingJob) -> Parsed:
    if job.on_one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    # As `rasa run` does; without it Rasa prints every message that it parses.
    logging.getLogger().setLevel(logging.WARNING)
    configure_structlog(logging.WARNING)
    return asyncio.run(_parse_all(Agent.load(job.model), job.messages))


async def _parse_all(agent: Any, messages: Sequence[str]) -> Parsed:
    for text in messages[:WARM_UP]:
        await agent.parse_message(text)
    seconds, cpu_seconds, guesses = [], [], []
    for text in messages:
        started, of_cpu = time.perf_counter(), time.thread_time()
        seen = await agent.parse_message(text)
        cpu_seconds.append(time.thread_time() - of_cpu)
        seconds.append(time.perf_counter() - started)
        guesses.append(_likeliest(seen))
    return Parsed(seconds, cpu_seconds, guesses)


def _likeliest(seen: Mapping[str, Any]) -> str:
    names = [guess["name"] for guess in seen["intent_ranking"]] or [seen["intent"]["name"]]
    return next((str(name) for name in names if name != FALLBACK), "")


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main(asked: str, told: str) -> None:
    job = json.loads(Path(asked).read_text(encoding="utf-8"))
    found = _trained(TrainingJob(**job)) if job.pop("task") == "train" else _parsed(ParsingJob(**job))
    Path(told).write_text(json.dumps(asdict(found)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
