"""CPU and memory of a service's processes, and what else the machine was doing meanwhile."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.load import Job, Seen
from bot.settings import ROOT

# The load process itself: start, imports, the last replies.
GRACE_SECONDS = 90.0


@dataclass(frozen=True)
class Group:
    """A process under the name it has in the table; with its children unless `alone`."""

    name: str
    process: psutil.Process
    alone: bool = False

    def members(self) -> list[psutil.Process]:
        return [self.process] if self.alone else [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time until now. Children that have ended count through their parent, which waited for them."""
        total = 0.0
        for member in self.members():
            try:
                times = member.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + (0 if self.alone else times.children_user + times.children_system)
        return total

    def memory_bytes(self) -> int:
        """Resident memory. What several members share (PostgreSQL's buffers) is counted once where the system tells (PSS)."""
        members, total = self.members(), 0
        for member in members:
            try:
                full = member.memory_full_info()
            except psutil.NoSuchProcess:
                continue
            total += full.rss if len(members) == 1 else getattr(full, "pss", full.rss)
        return total


@dataclass(frozen=True)
class Phase:
    """One load on one service. CPU in seconds by process; `others` and `stolen`: cores that were busy elsewhere."""

    citizens: int
    seen: Seen
    cpu: Mapping[str, float]
    others: float
    stolen: float

    @property
    def replies(self) -> list[float]:
        return [sample[1] for sample in self.seen.samples]

    @property
    def acknowledgements(self) -> list[float]:
        return [sample[2] for sample in self.seen.samples]

    @property
    def messages(self) -> int:
        return len(self.seen.samples)

    @property
    def messages_per_second(self) -> float:
        return self.messages / self.seen.seconds

    def replies_at(self, first: int, last: int) -> list[float]:
        """Replies to the messages from place `first` to place `last` of their conversations."""
        return [reply for place, reply, _ in self.seen.samples if first <= place <= last]


def under_load(groups: Sequence[Group], job: Job) -> Phase:
    """Run the load in its own process and look at the service before and after."""
    cpu_before, machine_before = _cpu(groups), psutil.cpu_times()
    seen = _load(job)
    cpu_after, machine_after = _cpu(groups), psutil.cpu_times()
    cpu = {name: cpu_after[name] - cpu_before[name] for name in cpu_after}
    busy = _busy(machine_after) - _busy(machine_before) - sum(cpu.values()) - seen.cpu_seconds
    stolen = getattr(machine_after, "steal", 0.0) - getattr(machine_before, "steal", 0.0)
    return Phase(job.citizens, seen, cpu, max(0.0, busy) / seen.seconds, stolen / seen.seconds)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value that at least `share` of all do not exceed. NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def memory(groups: Sequence[Group]) -> dict[str, int]:
    return {group.name: group.memory_bytes() for group in groups}


def machine() -> str:
    """One line: processor, cores, memory, system, versions."""
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def load_average() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def _cpu(groups: Sequence[Group]) -> dict[str, float]:
    return {group.name: group.cpu_seconds() for group in groups}


def _busy(times: object) -> float:
    return sum(float(getattr(times, name, 0.0)) for name in ("user", "nice", "system", "irq", "softirq"))


def _load(job: Job) -> Seen:
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(json.dumps(asdict(job)), timeout=job.seconds + GRACE_SECONDS)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise RuntimeError(f"the load process ended with exit code {process.returncode}")
    return _seen(output)


def _seen(output: str) -> Seen:
    raw = json.loads(output)
    return Seen(**{**raw, "samples": [tuple(sample) for sample in raw["samples"]]})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
