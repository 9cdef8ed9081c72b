"""One supervisor over Rasa, the action server and the gateway: prefixed logs, restarts with a growing pause, one Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot import ports

PARTS_FILE = "parts.json"
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# A part that ran this long is well again: its next crash starts from the shortest pause.
WELL_AFTER_SECONDS = 60.0
STOP_SECONDS = 8.0
MAX_LINE_BYTES = 1024 * 1024
# The second alternative is the second line of pkg_resources' warning, the only one that has two.
LIBRARY_WARNING = re.compile(r"site-packages/\S+:\d+: \w*Warning: |^Implementing implicit namespace packages ")
COLOURS = {"rasa": 35, "actions": 36, "gateway": 32, "train": 33}


@dataclass
class Part:
    """One child process. `name` prefixes its log lines and names it in /health/ready. `port`: where it listens. `move` is awaited
    before it is started again, when it ended and another program answers on that port."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    move: Callable[[], Awaitable[None]] | None = None
    restarts: int = 0
    is_renewed: bool = False
    process: asyncio.subprocess.Process | None = None


class Supervisor:
    """Keeps parts running until `stop`; notes crashes in a file so that the gateway can tell them in /health/ready."""

    def __init__(self, folder: Path, notes: Path, *, quiet: bool = False) -> None:
        self._folder = folder
        self._notes_file = notes
        self._notes: dict[str, str] = {}
        self._quiet = quiet
        self._parts: list[Part] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._write_notes()

    def start(self, part: Part) -> None:
        """Run the part from now on, again after each crash."""
        self._parts.append(part)
        self._keepers.append(asyncio.create_task(self._keep(part)))

    async def run_to_end(self, part: Part) -> int:
        """Run the part once and return its exit code; `stop` ends it too."""
        self._parts.append(part)
        return await self._run_once(part)

    async def renew(self, part: Part, command: Sequence[str]) -> None:
        """Run the part with another command from now on. It is ended here and started again at once: that is no crash."""
        part.command, part.is_renewed = command, True
        await self._end(part)

    async def stop(self) -> None:
        """End every part; none is left when this returns."""
        self._over.set()
        await asyncio.gather(*(self._end(part) for part in self._parts))
        # Not cancelled at once: one may be making a process just now, which it ends itself.
        _, held = await asyncio.wait(self._keepers, timeout=STOP_SECONDS) if self._keepers else (set(), set())
        for keeper in held:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, part: Part) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._over.is_set():
            started, part.is_renewed = time.monotonic(), False
            code = await self._run_once(part)
            if self._over.is_set():
                return
            if part.is_renewed:
                continue
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - started > WELL_AFTER_SECONDS else pause
            part.restarts += 1
            self.note(part.name, f"crashed {part.restarts} times (last exit code {code}), starts again in {pause:.0f} s")
            say(part.name, f"ended with exit code {code}; starting again in {pause:.0f} s")
            if part.port is not None and await asyncio.to_thread(ports.is_answered, part.port):
                self.note(part.name, f"another program listens on its port {part.port}")
                say(part.name, f"another program listens on port {part.port}")
                if part.move:
                    try:
                        await part.move()
                    except OSError as error:  # it is tried again after the next end
                        say(part.name, f"cannot move to another port: {error}")
            await self._rest(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _rest(self, seconds: float) -> None:
        """Until then, or until all is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _run_once(self, part: Part) -> int:
        part.process = await asyncio.create_subprocess_exec(
            *part.command,
            cwd=self._folder,
            env={**os.environ, **part.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then ends the children in order
            limit=MAX_LINE_BYTES,
        )
        try:
            if part.is_renewed or self._over.is_set():  # while the process was being made
                await self._end(part)
            if part.process.stdout:
                await self._copy_log(part.name, part.process.stdout)
            return await part.process.wait()
        finally:
            await self._end(part)

    async def _copy_log(self, name: str, stream: asyncio.StreamReader) -> None:
        is_noise = LibraryWarnings()
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # a line above the limit: the stream drops it and goes on
                continue
            if not line:
                return
            if not self._quiet and not is_noise(line.decode("utf-8", "replace")):
                say(name, line.decode("utf-8", "replace").rstrip())

    async def _end(self, part: Part) -> None:
        process = part.process
        if process is None or process.returncode is not None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            _signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    def is_running(self, part: Part) -> bool:
        return part.process is not None and part.process.returncode is None

    def is_listening(self, part: Part) -> bool:
        """Whether the part itself, and not another program, answers on its port."""
        return self.is_running(part) and (
            part.port is None or (part.process is not None and ports.listens(part.process.pid, part.port))
        )

    def note(self, name: str, sentence: str) -> None:
        """What /health/ready adds about `name` while it is down."""
        self._notes[name] = sentence
        self._write_notes()

    def _write_notes(self) -> None:
        temporary = self._notes_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._notes))
        temporary.replace(self._notes_file)


class LibraryWarnings:
    """Recognises the two lines of a Python warning raised inside an installed library.

    Rasa's old dependencies print dozens at each start (PYTHONWARNINGS does not reach them: they reset the filters);
    an operator would no longer see the line that matters. Warnings in our own files are kept.
    """

    def __init__(self) -> None:
        self._in_warning = False

    def __call__(self, line: str) -> bool:
        """Whether `line` belongs to such a warning; call it once for each line, in order."""
        if LIBRARY_WARNING.search(line):
            self._in_warning = True
            return True
        was_in_warning, self._in_warning = self._in_warning, False
        return was_in_warning and line.startswith("  ")


def say(name: str, line: str) -> None:
    """One prefixed line on standard output; a closed pipe must not end the service."""
    prefix = f"{name:>8} | "
    coloured = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m" if sys.stdout.isatty() else prefix
    try:
        sys.stdout.write(f"{coloured}{line}\n")
        sys.stdout.flush()
    except OSError:
        return


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
