"""Programs that the benchmark starts: their log goes to a file, and nothing of them is left when it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import psutil

from bot.settings import ROOT

STOP_SECONDS = 40.0
LAST_LINES = 30


class ProgramFailed(Exception):
    """A program ended or did not come up in time; the message carries the end of its log."""


class Program:
    """One program in a session of its own, so that Ctrl-C reaches the benchmark alone, which then ends it in order."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, *, folder: Path = ROOT) -> None:
        self._log = log
        self.started = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.process = psutil.Process(self._process.pid)

    @property
    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self.started

    def wait_until(self, is_so: Callable[[], bool], within: float, pause: float) -> float:
        """Seconds from the start until `is_so()`; raises ProgramFailed."""
        while not is_so():
            if self._process.poll() is not None:
                raise ProgramFailed(f"it ended with exit code {self._process.returncode}:\n{self.last_lines()}")
            if self.seconds > within:
                raise ProgramFailed(f"it was not ready after {within:.0f} seconds:\n{self.last_lines()}")
            time.sleep(pause)
        return self.seconds

    def wait_for_end(self, within: float) -> float:
        """Seconds from the start to a good end; raises ProgramFailed."""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(f"it was not done after {within:.0f} seconds:\n{self.last_lines()}") from error
        if code != 0:
            raise ProgramFailed(f"it ended with exit code {code}:\n{self.last_lines()}")
        return self.seconds

    def end(self) -> None:
        """SIGTERM, then SIGKILL for whoever of its family is still there."""
        family = self._family()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                family = self._family() or family
        for member in family:
            if member.is_running():
                member.kill()
        psutil.wait_procs(family, timeout=5)
        self._process.wait()

    def last_lines(self) -> str:
        return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:])

    def _family(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def postmaster(data: Path) -> psutil.Process | None:
    """The PostgreSQL server of this data folder, if it runs. It is nobody's child: `pg_ctl` detaches it."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split("\n", 1)[0]))
        return process if str(data) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def end_postmaster(data: Path) -> None:
    """End a server that was left running; nothing happens when there is none."""
    server = postmaster(data)
    if server is None:
        return
    server.send_signal(signal.SIGINT)
    try:
        server.wait(10)
    except psutil.TimeoutExpired:
        server.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
