"""HTTP sessions that end at a deadline whatever the server does, and that follow no redirect by themselves."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any, ClassVar, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests would first read the redirect's body, however large. The fetch follows redirects."""
        return None


def watched_session(watchdog: Watchdog) -> requests.Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _WatchedAdapter(watchdog))
    return session


class Watchdog:
    """Ends the connections of one fetch at its deadline: a server that drips its headers never meets a read limit."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._is_over = False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def watch(self, connected: Any) -> None:
        # A second handle of the same connection: shutting down an SSLSocket itself while another thread reads it is not safe.
        handle = socket.socket(fileno=os.dup(connected.fileno()))
        with self._lock:
            self._handles.append(handle)
        if self._is_over:
            self._end()

    def _end(self) -> None:
        self._is_over = True
        with self._lock:
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


class _WatchedConnection(HTTPConnection):
    """Mixed in before the pool's own kind of connection, plain or TLS."""

    watchdog: ClassVar[Watchdog]

    def connect(self) -> None:
        super().connect()
        self.watchdog.watch(self.sock)


class _WatchedAdapter(HTTPAdapter):
    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, _WatchedConnection):
            pool.ConnectionCls = type("Connection", (_WatchedConnection, pool.ConnectionCls), {"watchdog": self._watchdog})
        return pool
