"""What happened on the desk, told to the open pages of this gateway: PostgreSQL's LISTEN/NOTIFY, so any number of gateways works.

A notice only says which case has changed. Whoever is woken reads the database; after a lost connection everybody is woken.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import structlog

log = structlog.get_logger(__name__)

CHANNEL = "loa_desk"
RECONNECT_SECONDS = 1.0
QUEUE = 0  # the subscription of pages that show all cases; cases are numbered from 1 on


@dataclass(eq=False)
class News:
    """One open page. The waiter takes what came and clears it. `typing`: who is writing in the case right now."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    typing: set[str] = field(default_factory=set)

    def taken(self) -> set[str]:
        self.changed.clear()
        typing, self.typing = self.typing, set()
        return typing


class DeskNews:
    """`changed_at`: the clock (time.monotonic) of the last notice; what was read after it is up to date."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pages: dict[int, set[News]] = defaultdict(set)
        self.changed_at = time.monotonic()

    @contextlib.contextmanager
    def subscription(self, case_id: int) -> Iterator[News]:
        """Of one case, or with QUEUE of all."""
        news = News()
        self._pages[case_id].add(news)
        try:
            yield news
        finally:
            self._pages[case_id].discard(news)
            if not self._pages[case_id]:
                del self._pages[case_id]

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}".encode())
                    self.wake_all()
                    async for notice in connection.notifies():
                        self.hear(notice.payload)
            except psycopg.Error as error:
                log.warning("desk_news_lost", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    def hear(self, payload: str) -> None:
        """`{"case": 17, "kind": "message"}`, `{"case": 17, "kind": "typing", "name": "lan"}`; anything else wakes everybody."""
        try:
            told = json.loads(payload)
            case_id, kind, name = int(told["case"]), str(told["kind"]), str(told.get("name") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            self.wake_all()
            return
        for news in self._pages.get(case_id, ()):
            if kind == "typing":
                news.typing.add(name)
            news.changed.set()
        if kind != "typing":
            self._wake(QUEUE)

    def wake_all(self) -> None:
        for case_id in list(self._pages):
            self._wake(case_id)

    def _wake(self, case_id: int) -> None:
        self.changed_at = time.monotonic()
        for news in self._pages.get(case_id, ()):
            news.changed.set()
