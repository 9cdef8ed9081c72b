"""Fetching one document of a feed: with a deadline, limits, and a name for every fault.

No feed is trusted to be well: its host may be down, slow, behind a login page, misconfigured or taken over.
"""

from __future__ import annotations

import codecs
import ssl
import tempfile
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
import urllib3

from bot.figures.readings import FeedError
from bot.figures.validators import Validators
from bot.figures.watchdog import Watchdog, watched_session

DEADLINE_SECONDS = 8.0
# For each address of the host; resolving its name has the system's own limit. Everything after that ends at the deadline.
CONNECT_SECONDS = 3.0
# The longest silence between two pieces of the document.
SILENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.5
TRIES = 2
MOST_REDIRECTS = 3
MEGABYTE = 1024 * 1024
MOST_BYTES = 64 * MEGABYTE
IN_MEMORY_BYTES = MEGABYTE
PIECE_BYTES = 64 * 1024
LONGEST_LINE = 100_000
LONGEST_VALIDATOR = 512
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A browser's usual wishes without what we cannot unpack.
HEADERS = {"Accept-Encoding": "gzip, deflate", "Accept": "application/json, text/csv;q=0.9, */*;q=0.5", "User-Agent": "Loa"}
UNPACKED = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


@dataclass(frozen=True)
class NotModified:
    """The document is still the one that `validators` belong to."""

    validators: Validators
    url: str


@dataclass(frozen=True)
class Fetched:
    """A whole document, unpacked. `url` is its public address. The file closes itself with the last reference to this."""

    file: IO[bytes]
    validators: Validators = field(default_factory=Validators)
    url: str = ""

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def read(self) -> bytes:
        self.file.seek(0)
        return self.file.read()

    def lines(self) -> Iterator[str]:
        """Text lines without their line feed, read as they are needed. Bytes that are not UTF-8 are replaced: in a world-wide
        file other countries' names are not ours to judge."""
        self.file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        rest = ""
        while piece := self.file.read(PIECE_BYTES):
            *whole, rest = (rest + decoder.decode(piece)).split("\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise FeedError("the file has no lines")
        rest += decoder.decode(b"", final=True)
        if rest:
            yield rest


@dataclass(frozen=True)
class _Ask:
    """One fetch. `deadline` is a moment of time.monotonic()."""

    url: str = field(repr=False)
    known: Validators | None
    most_bytes: int
    verify: bool | str
    seconds: float
    deadline: float

    @property
    def seconds_left(self) -> float:
        return self.deadline - time.monotonic()

    def late(self) -> FeedError:
        return FeedError(f"the file did not arrive within {self.seconds:.0f} s")


class _Passing(Exception):
    """A fault that may be gone in a moment; `wait` is what the server asked for, in seconds."""

    def __init__(self, sentence: str, wait: float = PAUSE_SECONDS) -> None:
        super().__init__(sentence)
        self.wait = wait


def fetch(
    url: str,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
    known: Validators | None = None,
    most_bytes: int = MOST_BYTES,
    verify: bool | str = True,
) -> Fetched | NotModified:
    """The document at `url`, or NotModified if it still is the one of `known`; else FeedError within `deadline_seconds`.

    `verify`: True, or the path of the one CA certificate that this host is trusted by. One try, and a second after a fault
    that may pass (network, 429, 5xx) if the wait that the server asks for fits before the deadline.
    """
    if verify is False:
        raise ValueError("a feed is never read from a host that nobody vouches for: name its CA instead")
    if isinstance(verify, str) and not Path(verify).is_file():
        raise FeedError(f"the pinned CA certificate is not there: {verify}")
    ask = _Ask(url, known, most_bytes, verify, deadline_seconds, time.monotonic() + deadline_seconds)
    with Watchdog(deadline_seconds) as watchdog, watched_session(watchdog) as session:
        for tries_left in reversed(range(TRIES)):
            try:
                return _try(session, ask)
            except _Passing as fault:
                if ask.seconds_left <= 0:
                    raise ask.late() from fault
                if not tries_left or fault.wait >= ask.seconds_left:
                    raise FeedError(str(fault)) from fault
                time.sleep(fault.wait)
    raise AssertionError("every try returns or raises")


def public_address(url: str) -> str:
    """`url` as it may be shown: without user, password, query and fragment, each of which may hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _try(session: requests.Session, ask: _Ask) -> Fetched | NotModified:
    url = ask.url
    try:
        for _ in range(MOST_REDIRECTS + 1):
            with _answer(session, url, ask) as response:
                if response.status_code not in REDIRECTS:
                    return _document(response, ask)
                url = _redirected(url, response)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _named(error) from error
    raise FeedError(f"the server redirects more than {MOST_REDIRECTS} times")


def _answer(session: requests.Session, url: str, ask: _Ask) -> requests.Response:
    headers = HEADERS | (ask.known.headers if ask.known else {})
    left = max(0.1, ask.seconds_left)
    limits = (min(CONNECT_SECONDS, left), min(SILENCE_SECONDS, left))
    return session.get(url, headers=headers, stream=True, timeout=limits, verify=ask.verify, allow_redirects=False)


def _redirected(url: str, response: requests.Response) -> str:
    location = urljoin(url, response.headers.get("Location", ""))
    scheme = urlsplit(location).scheme
    if location == url and "Location" not in response.headers:
        raise FeedError(f"the server answered {response.status_code} and names no other address")
    if scheme not in {"http", "https"} or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise FeedError(f"the server redirects from {urlsplit(url).scheme} to {scheme}")
    return location


def _document(response: requests.Response, ask: _Ask) -> Fetched | NotModified:
    if ask.seconds_left <= 0:  # to the libraries a connection that the watchdog ended looks like the end of the headers
        raise ask.late()
    status, address = response.status_code, public_address(ask.url)
    if status == 304 and ask.known:
        return NotModified(ask.known, address)
    if status == 429 or status >= 500:
        raise _Passing(f"the server answered {status}", _retry_after(response))
    if status != 200:
        raise FeedError(f"the server answered {status}")
    spool = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  (closes with the last reference to Fetched)
    fetched = Fetched(spool, _validators(response), address)
    for piece in _pieces(response, ask):
        fetched.file.write(piece)
    fetched.file.seek(0)
    _check_start(fetched.file.read(PIECE_BYTES))
    return fetched


def _pieces(response: requests.Response, ask: _Ask) -> Iterator[bytes]:
    """The unpacked body as it arrives. `read1` returns what is there: `iter_content` would sit on a dripping server."""
    too_large = FeedError(f"the file is larger than {ask.most_bytes / MEGABYTE:.0f} MB")
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed not in UNPACKED:
        raise FeedError(f"the file is packed in a way that was not asked for: {packed[:30]!r}")
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > ask.most_bytes:
        raise too_large
    size = 0
    while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
        size += len(piece)
        if size > ask.most_bytes:
            raise too_large
        if ask.seconds_left <= 0:
            raise ask.late()
        yield piece
    if ask.seconds_left <= 0:  # or like the end of the document
        raise ask.late()


def _check_start(start: bytes) -> None:
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise FeedError("the file is empty")
    if text.startswith(b"<"):
        raise FeedError("a web page came instead of the file")


def _validators(response: requests.Response) -> Validators:
    named = (response.headers.get(name, "").strip() for name in ("ETag", "Last-Modified"))
    return Validators(*(value if value.isascii() and 0 < len(value) <= LONGEST_VALIDATOR else None for value in named))


def _retry_after(response: requests.Response) -> float:
    """Retry-After in seconds, given as seconds or as a date; a short pause when it is absent or unreadable."""
    asked = response.headers.get("Retry-After", "")
    try:
        seconds = float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - time.time()
    except ValueError:
        return PAUSE_SECONDS
    return max(PAUSE_SECONDS, seconds)


def _named(error: Exception) -> Exception:
    """The fault without the address that libraries put into their messages. A certificate does not mend itself in a second."""
    if reason := _certificate_fault(error):
        return FeedError(f"the server's TLS certificate is not trusted: {reason}")
    return _Passing(f"the file could not be fetched ({type(error).__name__})")


def _certificate_fault(error: object) -> str | None:
    """What OpenSSL said about the certificate, wherever the libraries wrapped it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if not isinstance(error, BaseException):
        return None
    inner = [*error.args, getattr(error, "reason", None)]
    return next((reason for one in inner if one is not error and (reason := _certificate_fault(one))), None)
