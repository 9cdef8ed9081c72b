"""Ports of this machine: held so that no other start of Loa chooses them, and looked at to know who answers there."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 1.0
# In Linux's tables of sockets.
LISTENING = "0A"


def hold(preferred: int = 0) -> socket.socket:
    """A socket on `preferred` of the loopback when nobody has that, else on any free port. While it is open, every other start
    that asks for a port gets another one.

    It never listens. Linux lets a second socket bind beside it if both allow that (SO_REUSEADDR) and neither listens yet, so our
    own part can; the permission is given after the bind, which is why two starts cannot hold the same port.
    """
    held = socket.socket()
    try:
        held.bind((LOOPBACK, preferred))
    except OSError:
        held.bind((LOOPBACK, 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


def is_answered(port: int, host: str = LOOPBACK) -> bool:
    """Whether anybody listens there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), ANSWER_SECONDS):
        return True
    return False


def listens(pid: int, port: int) -> bool:
    """Whether it is this process that listens on the port. True as well where the system does not let us look."""
    process = Path(f"/proc/{pid}")
    try:
        opened = {_target(file) for file in (process / "fd").iterdir()}
        rows = [line.split() for table in ("tcp", "tcp6") for line in _lines(process / "net" / table)]
    except OSError:
        return process.exists() or not Path("/proc/self").exists()
    return any(
        row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port and f"socket:[{row[9]}]" in opened for row in rows
    )


def _target(file: Path) -> str:
    with contextlib.suppress(FileNotFoundError):  # closed meanwhile
        return str(file.readlink())
    return ""


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.exists() else []
