"""The sign "typing …" while an answer is made: shown again before the platform takes it away, and gone with the answer.

A quick answer needs no sign, so the first one waits for a moment. Each sign is the platform's for some seconds: one that is on
its way when the answer is ready is waited for, or it would stand below the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

FIRST_AFTER_SECONDS = 0.3
EVERY_SECONDS = 4.0
LONGEST_SECONDS = 25.0
# A turn that broke off is tried again within a second, here or in another process; nobody shows the sign for longer than that.
LINGER_SECONDS = 3.0
ON_ITS_WAY_SECONDS = 1.0


class _Sign:
    def __init__(self, until: float) -> None:
        self.until = until
        self.over = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Working:
    """`show(address)` shows the platform's sign once and never raises."""

    def __init__(self, show: Callable[[str], Awaitable[None]]) -> None:
        self._show = show
        self._signs: dict[str, _Sign] = {}

    @contextlib.asynccontextmanager
    async def shown(self, address: str) -> AsyncIterator[None]:
        """Shown while this is held; when it ends by an error, a little longer, for the next attempt."""
        sign = self._begin(address)
        is_done = False
        try:
            yield
            is_done = True
        finally:
            sign.until = min(sign.until, time.monotonic() + LINGER_SECONDS)
            if is_done:
                await self.end(address)

    async def end(self, address: str) -> None:
        """Call it before something is sent; returns once no sign is on its way any more."""
        sign = self._signs.pop(address, None)
        if sign is None or sign.task is None:
            return
        sign.over.set()
        await asyncio.wait({sign.task}, timeout=ON_ITS_WAY_SECONDS)
        sign.task.cancel()

    async def stop(self) -> None:
        for address in list(self._signs):
            await self.end(address)

    def _begin(self, address: str) -> _Sign:
        until = time.monotonic() + LONGEST_SECONDS
        sign = self._signs.get(address)
        if sign is None:
            sign = self._signs[address] = _Sign(until)
            sign.task = asyncio.create_task(self._repeat(address, sign))
        sign.until = until
        return sign

    async def _repeat(self, address: str, sign: _Sign) -> None:
        pause = FIRST_AFTER_SECONDS
        while not await _is_over(sign, pause) and time.monotonic() < sign.until:
            await self._show(address)
            pause = EVERY_SECONDS
        if self._signs.get(address) is sign:
            del self._signs[address]


async def _is_over(sign: _Sign, seconds: float) -> bool:
    try:
        await asyncio.wait_for(sign.over.wait(), seconds)
    except TimeoutError:
        return False
    return True
