"""Plays the hosts of official figures over real HTTP: whole, unchanged, late, cut off, dripping, moved, huge, packed to burst,
untrusted, broken, or somebody else's web page.

By hand: `python -m tests.simulators.feeds weekly html` serves the weekly file once and then web pages, and prints each request.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import hashlib
import ipaddress
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FIXTURES = Path(__file__).parents[1] / "figures" / "fixtures"
WHO_PATH = "/COVID/WHO-COVID-19-global-data.csv"
MEGABYTE = 1024 * 1024
OTHER_COUNTRY = b"2023-12-03,ZM,Zambia,AFRO,12,349600,0,4069\n"


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


@dataclass
class Play:
    """One scripted answer. `pieces` are sent with `pause` seconds before each, after `before` seconds of silence; `length` is
    what Content-Length claims. `header_pause`: headers come without end, one a pause. A validator that the request repeats: 304."""

    status: int = 200
    pieces: Sequence[bytes] = ()
    pause: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    before: float = 0.0
    header_pause: float = 0.0
    is_chunked: bool = False


def a_file(body: bytes, content_type: str = "text/csv", **headers: str) -> Play:
    return Play(pieces=[body], headers={"Content-Type": content_type, **_named(headers)}, length=len(body))


def a_versioned_file(body: bytes, content_type: str = "text/csv") -> Play:
    """With a strong ETag of its content."""
    return a_file(body, content_type, ETag=f'"{hashlib.sha256(body).hexdigest()[:16]}"')


def a_chunked_file(body: bytes) -> Play:
    middle = len(body) // 2
    return Play(pieces=[body[:middle], body[middle:]], is_chunked=True)


def a_packed_file(body: bytes) -> Play:
    return a_file(gzip.compress(body), Content_Encoding="gzip")


def a_status(status: int, **headers: str) -> Play:
    return Play(status=status, headers=_named(headers), length=0)


def a_web_page(content_type: str = "text/html; charset=utf-8") -> Play:
    return a_file(b"<!doctype html><html><body>Please sign in</body></html>", content_type)


def a_late_answer(body: bytes, seconds: float) -> Play:
    return Play(pieces=[body], before=seconds, length=len(body))


def a_drip(body: bytes, pause: float) -> Play:
    """One byte at a time, each before any read limit runs out."""
    return Play(pieces=[body[i : i + 1] for i in range(len(body))], pause=pause, length=len(body))


def dripping_headers(pause: float) -> Play:
    """The body never begins."""
    return Play(header_pause=pause)


def a_cut_file(body: bytes) -> Play:
    """Half of what the header promised; then the connection ends."""
    return Play(pieces=[body[: len(body) // 2]], length=len(body))


def a_huge_file(header: bytes, line: bytes, megabytes: int, *, is_announced: bool = False) -> Play:
    """Not announced, the reader must notice for itself."""
    megabyte = line * (MEGABYTE // len(line))
    pieces = [header, *[megabyte] * megabytes]
    return Play(pieces=pieces, length=sum(map(len, pieces)) if is_announced else None)


def a_gzip_bomb(megabytes: int) -> Play:
    """A thousandth of what it unpacks to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b"Date_reported\n") + packer.flush(zlib.Z_FULL_FLUSH)
    megabyte = packer.compress(b"0" * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return a_file(start + megabyte * megabytes, Content_Encoding="gzip")


def a_redirect(to: str = "", status: int = 302, pieces: Sequence[bytes] = ()) -> Play:
    """To the same address, and so in a circle, if `to` is empty."""
    return Play(status=status, headers={"Location": to or WHO_PATH}, pieces=pieces, length=sum(map(len, pieces)))


def a_drifted_file(body: bytes, old: bytes, new: bytes) -> Play:
    """The same file after somebody renamed a column or a field."""
    if old not in body:
        raise ValueError(f"{old!r} is not in the file")
    return a_file(body.replace(old, new))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Request(NamedTuple):
    path: str
    headers: dict[str, str]  # names in lower case
    at: float = 0.0  # of time.monotonic()


class FeedHost:
    """`plays` are used up one a request; the last one stays. `documents`: plays of their own for a path (without its query).
    `requests` is the log. With a `certificate` it speaks TLS."""

    def __init__(self, certificate: Certificate | None = None, port: int = 0) -> None:
        self.plays: list[Play] = [a_file(fixture("weekly.csv"))]
        self.documents: dict[str, list[Play]] = {}
        self.requests: list[Request] = []
        self.on_request: Callable[[], None] = lambda: None
        self._scheme = "https" if certificate else "http"
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.host = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
            # The handshake belongs to the request's thread: a client that refuses us must not stop the listener.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return self.address(WHO_PATH)

    def address(self, path: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}{path}"

    def asked(self, path: str) -> int:
        """How often a document was asked for."""
        return sum(request.path.partition("?")[0] == path for request in self.requests)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def next_play(self, path: str) -> Play:
        with self._lock:
            plays = self.documents.get(path.partition("?")[0], self.plays)
            return plays.pop(0) if len(plays) > 1 else plays[0]

    def wait(self, seconds: float) -> bool:
        """True when the host is being closed."""
        return bool(seconds) and self._closing.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.close_connection = True
        host = self.server.host
        headers = {name.lower(): value for name, value in self.headers.items()}
        host.requests.append(Request(self.path, headers, time.monotonic()))
        play = host.next_play(self.path)
        host.on_request()
        host.wait(play.before)
        if _is_unchanged(play, headers):
            play = replace(play, status=304, pieces=(), length=None)
        self._send_headers(play)
        self._send_body(play)

    def _send_headers(self, play: Play) -> None:
        self.send_response(play.status)
        for name, value in play.headers.items():
            self.send_header(name, value)
        if play.length is not None:
            self.send_header("Content-Length", str(play.length))
        if play.is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        while play.header_pause and not self.server.host.wait(play.header_pause):
            self.flush_headers()
            self.send_header("X-More", "to come")
        self.end_headers()

    def _send_body(self, play: Play) -> None:
        for piece in play.pieces:
            self.server.host.wait(play.pause)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if play.is_chunked else piece)
        if play.is_chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    host: FeedHost

    def handle_error(self, *_: object) -> None:
        return  # a reader that gives up in the middle is part of the play


def _is_unchanged(play: Play, asked: dict[str, str]) -> bool:
    pairs = (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since"))
    named, wanted = next(((n, w) for n, w in pairs if n in play.headers and w in asked), ("", ""))
    return play.status == 200 and bool(named) and play.headers[named] == asked[wanted]


# ── certificates ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Certificate:
    """Files in PEM form; `chain` is also its own CA."""

    chain: Path
    key: Path


def a_certificate(folder: Path, host: str = "127.0.0.1", *, is_expired: bool = False) -> Certificate:
    """Self-signed: nobody trusts it unless it is pinned."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=-1 if is_expired else 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([_alternative_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / f"{host}.pem", folder / f"{host}.key")
    files.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return files


def _alternative_name(host: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────

PLAYS: dict[str, Callable[[], Play]] = {
    "weekly": lambda: a_versioned_file(fixture("weekly.csv")),
    "again": lambda: a_versioned_file(fixture("reported_again.csv")),
    "daily": lambda: a_versioned_file(fixture("daily_bom_crlf.csv")),
    "semicolons": lambda: a_versioned_file(fixture("spreadsheet_semicolons.csv")),
    "packed": lambda: a_packed_file(fixture("weekly.csv")),
    "html": a_web_page,
    "500": lambda: a_status(500),
    "429": lambda: a_status(429, Retry_After="5"),
    "late": lambda: a_late_answer(fixture("weekly.csv"), seconds=20),
    "drip": lambda: a_drip(fixture("weekly.csv"), pause=1),
    "headers": lambda: dripping_headers(1),
    "cut": lambda: a_cut_file(fixture("weekly.csv")),
    "huge": lambda: a_huge_file(OTHER_COUNTRY, OTHER_COUNTRY, 2048),
    "announced": lambda: a_huge_file(OTHER_COUNTRY, OTHER_COUNTRY, 2048, is_announced=True),
    "bomb": lambda: a_gzip_bomb(2048),
    "loop": a_redirect,
    "drift": lambda: a_drifted_file(fixture("weekly.csv"), b"Cumulative_cases", b"Total_cases"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Plays the host of a feed; set FEED_WHO_URL to the address it prints.")
    parser.add_argument(
        "plays", nargs="+", choices=PLAYS, metavar="play", help=f"one a request, the last one stays: {', '.join(PLAYS)}"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", type=Path, help="speak TLS with a self-signed certificate written into this folder")
    options = parser.parse_args()
    host = FeedHost(a_certificate(options.certificate) if options.certificate else None, options.port)
    host.plays = [PLAYS[name]() for name in options.plays]
    host.on_request = lambda: print(f"{time.strftime('%H:%M:%S')} {host.requests[-1].path}", flush=True)
    print(host.url, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    host.close()


if __name__ == "__main__":
    main()
