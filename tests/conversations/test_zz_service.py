"""`loa up`: parts that crash come back, a second one is refused, Ctrl-C stops everything, PostgreSQL too."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from bot.channels.payloads import short_id
from tests.gateway import ROOT, free_port
from tests.simulators.telegram import TelegramSimulator
from tests.stack import Citizen, Stack


def test_telegram_is_answered_by_the_real_model_with_the_source_as_text(
    stack: Stack, telegram_platform: TelegramSimulator
) -> None:
    before = len(telegram_platform.sent)
    telegram_platform.citizen_writes("tiêm vắc xin ở đâu", chat=4711)
    sent = telegram_platform.wait_for_sent(before + 1)[-1]
    assert "TT 13/2026/TT-BYT" in sent["text"]
    assert short_id("/vaccine_cost") in sent["buttons"]


def test_ask_in_the_terminal_gives_the_answer(stack: Stack) -> None:
    port = stack.address.rpartition(":")[2]
    run = subprocess.run(
        [sys.executable, "-m", "bot.cli", "ask", "5K là gì"],
        cwd=ROOT,
        env={**os.environ, "LOA_HTTP_PORT": port},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr
    assert "14/5/2025" in run.stdout


def test_metrics_and_health_are_served(stack: Stack) -> None:
    assert httpx.get(f"{stack.address}/health/live", timeout=30).json() == {"live": True}
    ready = httpx.get(f"{stack.address}/health/ready", timeout=30)
    assert (ready.status_code, set(ready.json()["parts"])) == (200, {"database", "worker", "rasa", "actions", "figures"})
    assert "loa_turns_total" in httpx.get(f"{stack.address}/metrics", timeout=30).text


def test_a_second_service_on_the_same_home_or_port_is_refused_with_one_sentence(stack: Stack, tmp_path: Path) -> None:
    port = stack.address.rpartition(":")[2]
    for environment, said in (
        ({"LOA_HOME": str(stack.home), "LOA_HTTP_PORT": str(free_port())}, "already running"),
        ({"LOA_HOME": str(tmp_path / "h"), "LOA_HTTP_PORT": port}, f"Port {port}"),
        ({"LOA_HOME": str(tmp_path / "h"), "TELEGRAM_WEBHOOK_SECRET": "x"}, "TELEGRAM_TOKEN is missing"),
        ({"LOA_HOME": str(tmp_path / "h"), "LOA_PROVINCE": "ha-noi"}, "LOA_PROVINCE must be one of"),
        ({"LOA_HOME": "/proc/loa"}, "cannot be written"),
        ({"LOA_HOME": str(tmp_path / "h"), "LOA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "database cannot be used"),
    ):
        run = _up(environment)
        assert run.returncode == 2, run.stdout + run.stderr
        sentences = [line for line in run.stderr.splitlines() if line.strip()]
        assert said in " ".join(sentences)
        assert "Traceback" not in run.stderr + run.stdout


def test_a_crashed_action_server_and_rasa_come_back_and_nothing_is_lost(stack: Stack) -> None:
    lines_before = len(stack.lines)
    for name in ("rasa_sdk", "rasa run"):
        process = next(p for p in psutil.process_iter(["cmdline"]) if _is_child(p, stack) and name in _command(p))
        process.send_signal(signal.SIGKILL)
    stack.wait_for_line(r"rasa \| ended with exit code -9", after=lines_before)
    ready = httpx.get(f"{stack.address}/health/ready", timeout=30)
    assert ready.status_code == 503
    assert "crashed" in ready.json()["parts"]["rasa"]["reason"]
    citizen = Citizen(stack)
    citizen.says("có ai không, xét nghiệm ở đâu")
    assert citizen.replies[0]["response_key"] == "utter_testing_where"
    _until_ready(stack)


def test_a_dead_database_is_started_again_and_no_stored_message_is_lost(stack: Stack) -> None:
    lines_before = len(stack.lines)
    postmaster = int((stack.home / "postgres/postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    stack.wait_for_line("PostgreSQL died", after=lines_before)
    _until_ready(stack)
    citizen = Citizen(stack)
    citizen.says("xét nghiệm ở đâu")
    assert citizen.replies[0]["response_key"] == "utter_testing_where"


def test_the_log_holds_no_word_of_a_citizen(stack: Stack) -> None:
    secret = "mật-khẩu-không-ai-biết 0987654321"
    Citizen(stack).says(f"tiêm ở đâu {secret}")
    log = "\n".join(stack.lines)
    assert "turn_finished" in log
    assert "mật-khẩu-không-ai-biết" not in log
    assert "0987654321" not in log


def test_ctrl_c_stops_everything_and_a_second_start_neither_trains_nor_downloads(stack: Stack) -> None:
    children = [p for p in psutil.process_iter() if _is_child(p, stack)]
    assert len(children) >= 3
    assert stack.stop() == 0
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert not any("postgres" in p.name() and str(stack.home) in _command(p) for p in psutil.process_iter())
    lines_before = len(stack.lines)
    started = time.monotonic()
    stack.start()
    assert time.monotonic() - started < 200
    second = "\n".join(stack.lines[lines_before:])
    assert "train" not in second
    assert re.search(r"database ready$", second, re.M), "no migration runs twice"


def _up(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot.cli", "up"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=180)


def _is_child(process: psutil.Process, stack: Stack) -> bool:
    try:
        return any(parent.pid == stack._process.pid for parent in process.parents())
    except psutil.Error:
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _until_ready(stack: Stack, seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while httpx.get(f"{stack.address}/health/ready", timeout=30).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.3)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_rasa_and_the_action_server_listen_on_the_loopback_only(stack: Stack) -> None:
    listening = [
        c.laddr.ip
        for p in psutil.process_iter()
        if _is_child(p, stack)
        for c in p.net_connections("inet")
        if c.status == "LISTEN"
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}
