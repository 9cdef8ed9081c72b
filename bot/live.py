"""What another process just stored, told here at once: PostgreSQL's LISTEN/NOTIFY, so any number of gateways works."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

import psycopg
import structlog

from bot.database import OUTGOING_CHANNEL, TYPING

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0


class Heard(asyncio.Event):
    """Set when there may be new replies. `is_typing`: a person writes to the citizen; whoever shows it sets it back."""

    is_typing = False


class LiveReplies:
    """Wakes whoever waits for replies of one conversation, named `<channel>:<address>`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[str, set[Heard]] = defaultdict(set)

    @contextlib.contextmanager
    def subscription(self, conversation: str) -> Iterator[Heard]:
        """An event that is set whenever the conversation may have new replies; the waiter clears it."""
        event = Heard()
        self._waiting[conversation].add(event)
        try:
            yield event
        finally:
            self._waiting[conversation].discard(event)
            if not self._waiting[conversation]:
                del self._waiting[conversation]

    async def listen(self) -> None:
        """Until cancelled. After a lost connection everybody is woken once: something may have been missed."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {OUTGOING_CHANNEL}".encode())
                    self._wake_all()
                    async for notice in connection.notifies():
                        self._wake(notice.payload)
            except psycopg.Error as error:
                log.warning("live_replies_lost", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _wake(self, told: str) -> None:
        conversation = told.removeprefix(TYPING)
        for event in self._waiting.get(conversation, ()):
            event.is_typing = event.is_typing or told != conversation
            event.set()

    def _wake_all(self) -> None:
        for conversation in list(self._waiting):
            self._wake(conversation)
