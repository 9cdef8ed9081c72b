"""Plays the host of the WHO's file: whole, late, cut off, dripping, broken or somebody else's web page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FIXTURES = Path(__file__).parents[1] / "figures" / "fixtures"


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


@dataclass
class Play:
    """One scripted answer. `pieces` are sent with `pause` seconds before each; `length` is what Content-Length claims."""

    status: int = 200
    pieces: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    before: float = 0.0


def a_file(body: bytes, content_type: str = "text/csv", **headers: str) -> Play:
    return Play(pieces=[body], headers={"Content-Type": content_type, **headers}, length=len(body))


def a_status(status: int, **headers: str) -> Play:
    return Play(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, length=0)


def a_web_page(content_type: str = "text/html; charset=utf-8") -> Play:
    return a_file(b"<!doctype html><html><body>Please sign in</body></html>", content_type)


def a_late_answer(body: bytes, seconds: float) -> Play:
    return Play(pieces=[body], before=seconds, length=len(body))


def a_drip(body: bytes, pause: float) -> Play:
    """One byte at a time, each before any read limit runs out."""
    return Play(pieces=[body[i : i + 1] for i in range(len(body))], pause=pause, length=len(body))


def a_cut_file(body: bytes) -> Play:
    """Half of what the header promised; then the connection ends."""
    return Play(pieces=[body[: len(body) // 2]], length=len(body))


def a_huge_file(header: bytes, line: bytes, megabytes: int) -> Play:
    """Its length is not announced: the reader must notice for itself."""
    megabyte = line * (1024 * 1024 // len(line))
    return Play(pieces=[header, *[megabyte] * megabytes])


class WhoFeed:
    """`plays` are used up one a request; the last one stays. `requests` holds (path, headers in lower case)."""

    def __init__(self) -> None:
        self.plays: list[Play] = [a_file(fixture("weekly.csv"))]
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.on_request: Callable[[], None] = lambda: None
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feed.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                play = feed.plays.pop(0) if len(feed.plays) > 1 else feed.plays[0]
                feed.on_request()
                feed._wait(play.before)
                self.send_response(play.status)
                for name, value in play.headers.items():
                    self.send_header(name, value)
                if play.length is not None:
                    self.send_header("Content-Length", str(play.length))
                self.end_headers()
                for piece in play.pieces:
                    feed._wait(play.pause)
                    self.wfile.write(piece)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                return  # a reader that gives up in the middle is part of the play

        self._closing = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/COVID/WHO-COVID-19-global-data.csv"

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._closing.wait(seconds)
