"""The ground under every simulator: a real HTTP server on the loopback, in a thread, that records what it was sent."""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Request:
    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(path)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, sent as one line or in parts; `files` are the parts that have a file name."""
        if self.is_in_parts:
            return {name: body.decode() for name, (file, body) in self._parts().items() if file is None}
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def files(self) -> dict[str, tuple[str, bytes]]:
        """Name → file name and content."""
        parts = self._parts() if self.is_in_parts else {}
        return {name: (file, body) for name, (file, body) in parts.items() if file is not None}

    @property
    def is_in_parts(self) -> bool:
        return self.headers.get("content-type", "").startswith("multipart/form-data")

    def _parts(self) -> dict[str, tuple[str | None, bytes]]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): (part.get_filename(), part.get_payload(decode=True))
            for part in message.iter_parts()
        }


class Answer:
    def __init__(
        self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None, *, hang_up: bool = False
    ) -> None:
        self.status, self.headers, self.hang_up = status, headers or {}, hang_up
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


class Simulator:
    """Subclass and write `answer(request)`. `go_down()` refuses connections; `come_up()` listens on the same port again.

    `port`: where it listens; any free one without it.
    """

    port: int = 0

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._port = self.port
        self._connections: set[socket.socket] = set()
        self.come_up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def come_up(self) -> None:
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, self.rfile.read(length))
                simulator.requests.append(request)
                answer = simulator.answer(request)
                if answer.hang_up:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = _handle  # noqa: N815

            def log_message(self, *_: object) -> None:
                return

            def setup(self) -> None:
                super().setup()
                simulator._connections.add(self.connection)

            def finish(self) -> None:
                simulator._connections.discard(self.connection)
                super().finish()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                return  # a client that was killed in the middle is part of the play

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def go_down(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # kept-alive connections too, as when a machine goes away

    close = go_down
