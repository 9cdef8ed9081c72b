"""A part that crashes comes back after a growing pause, and the note for /health/ready says so."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from bot import supervisor
from bot.supervisor import LibraryWarnings, Part, Supervisor


async def test_a_crashing_part_is_restarted_with_a_growing_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def shortened(_: Supervisor, seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(Supervisor, "_rest", shortened)
    running = Supervisor(tmp_path, tmp_path / "parts.json", quiet=True)
    running.start(Part("rasa", [sys.executable, "-S", "-c", "raise SystemExit(3)"]))
    while len(pauses) < 3:
        await asyncio.sleep(0.01)
    await running.stop()
    first = supervisor.FIRST_PAUSE_SECONDS
    assert pauses[:3] == [first, first * 2, first * 4]
    assert "last exit code 3" in json.loads((tmp_path / "parts.json").read_text())["rasa"]


async def test_stop_ends_a_part_that_ignores_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    is_deaf = tmp_path / "deaf"
    code = (
        f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(is_deaf)!r}, 'w').close(); time.sleep(60)"
    )
    running = Supervisor(tmp_path, tmp_path / "parts.json", quiet=True)
    part = Part("gateway", [sys.executable, "-S", "-c", code])
    running.start(part)
    while not is_deaf.exists():
        await asyncio.sleep(0.01)
    started = time.monotonic()
    await running.stop()
    assert time.monotonic() - started < 30
    assert part.process
    assert part.process.returncode == -9


async def test_a_part_that_crashed_does_not_keep_the_end_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 60.0)
    running = Supervisor(tmp_path, tmp_path / "parts.json", quiet=True)
    part = Part("rasa", [sys.executable, "-S", "-c", "raise SystemExit(3)"])
    running.start(part)
    while not part.restarts:
        await asyncio.sleep(0.01)
    await asyncio.wait_for(running.stop(), 50)


async def test_whatever_ends_a_parts_keeper_leaves_no_process_behind(tmp_path: Path) -> None:
    """A part that crashed may get its new process just when all are stopped: nobody ends that one but its keeper."""
    running = Supervisor(tmp_path, tmp_path / "parts.json", quiet=True)
    part = Part("rasa", [sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    running.start(part)
    while part.process is None:
        await asyncio.sleep(0.01)
    for keeper in running._keepers:
        keeper.cancel()
    await asyncio.gather(*running._keepers, return_exceptions=True)
    assert part.process.returncode is not None


async def test_a_line_without_end_does_not_stop_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "MAX_LINE_BYTES", 1000)
    running = Supervisor(tmp_path, tmp_path / "parts.json")
    await running.run_to_end(Part("rasa", [sys.executable, "-S", "-c", "print('x' * 100000); print('after')"]))
    assert "rasa | after" in capsys.readouterr().out


def test_only_warnings_of_installed_libraries_are_left_out() -> None:
    is_noise = LibraryWarnings()
    lines = [
        "/venv/lib/python3.11/site-packages/rasa/x.py:1: DeprecationWarning: old",
        "  import x",
        "  an indented line of ours",
        "/srv/loa/bot/turn.py:1: UserWarning: ours",
        "  our code",
    ]
    assert [is_noise(line) for line in lines] == [True, True, False, False, False]
