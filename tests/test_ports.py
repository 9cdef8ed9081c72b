"""Two starts at the same moment never share a port, and a part whose port another program took moves to another one."""

from __future__ import annotations

import asyncio
import http.server
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from bot import ports, service, supervisor
from bot.settings import Settings, SettingsError
from bot.supervisor import Part, Supervisor

SERVER = """
import http.server, os, sys
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = os.environ.get("LOA_ACTIONS_URL", "").encode()
        self.send_response(200); self.end_headers(); self.wfile.write(said)
    def log_message(self, *_): pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Door).serve_forever()
"""


class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of another program, which answers 200 to everything."""
    with http.server.HTTPServer((ports.LOOPBACK, 0), Door) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def part(name: str, port: int) -> Part:
    return Part(name, [sys.executable, "-S", "-c", SERVER, "--port", str(port)], port=port)


async def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def test_a_held_port_is_chosen_by_no_other_start_and_open_to_its_own_part() -> None:
    with ports.hold() as held:
        port = held.getsockname()[1]
        with ports.hold(port) as other:
            assert other.getsockname()[1] != port
        with http.server.HTTPServer((ports.LOOPBACK, port), Door):
            assert ports.is_answered(port)
            assert ports.listens(os.getpid(), port)
        assert not ports.is_answered(port)
    with ports.hold(port) as again:
        assert again.getsockname()[1] == port


def test_who_listens_is_known(stranger: int) -> None:
    with socket.socket() as bound:
        bound.bind((ports.LOOPBACK, 0))
        assert not ports.listens(os.getpid(), bound.getsockname()[1]), "bound is not listening"
    assert ports.listens(os.getpid(), stranger)
    assert not ports.listens(os.getppid(), stranger)
    assert not ports.listens(2**22 + 1, stranger), "no such process"


async def test_a_part_whose_port_another_program_took_moves_and_the_others_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: int, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.05)
    settings = Settings.from_environment({"LOA_HOME": str(tmp_path)})
    settings.run.mkdir()
    foundation = service.Foundation(None, "", "", "token", f"http://127.0.0.1:{stranger}")
    foundation.rasa_url = foundation.hold()
    running = Supervisor(tmp_path, tmp_path / "parts.json")
    with ports.hold() as held:
        gateway, rasa = part("gateway", held.getsockname()[1]), part("rasa", foundation.held[0].getsockname()[1])
        actions = part("actions", stranger)
        moving = service.Moving(settings, foundation, running, [gateway, rasa, actions])
        for each in (gateway, rasa, actions):
            each.move = None if each is gateway else partial(moving.move, each)
            running.start(each)
        assert not running.is_listening(actions), "the stranger answers there"
        await until(lambda: all(running.is_listening(each) for each in (gateway, rasa, actions)))
        await running.stop()
    assert actions.port not in (None, stranger)
    assert foundation.actions_url == f"http://127.0.0.1:{actions.port}"
    endpoints = yaml.safe_load((settings.run / "endpoints.yml").read_text())
    assert endpoints["action_endpoint"]["url"] == f"{foundation.actions_url}/webhook"
    assert {each.environment["LOA_ACTIONS_URL"] for each in (gateway, rasa, actions)} == {foundation.actions_url}
    assert (gateway.restarts, rasa.restarts) == (0, 0), "who calls it was started again, and that is no crash"
    assert f"another program listens on port {stranger}" in capsys.readouterr().out
    for each in foundation.held:
        each.close()


async def test_a_gateway_whose_port_another_program_took_ends_the_start_with_one_sentence(tmp_path: Path, stranger: int) -> None:
    settings = Settings.from_environment({"LOA_HOME": str(tmp_path), "LOA_HTTP_PORT": str(stranger)})
    running = Supervisor(tmp_path, tmp_path / "parts.json", quiet=True)
    gateway = part("gateway", stranger)
    running.start(gateway)
    with pytest.raises(SettingsError, match=f"Port {stranger} on .* cannot be used"):
        await asyncio.wait_for(service._ready(settings, running, [gateway]), 30)
    await running.stop()
