"""Not faster than a platform allows: so many calls a second over all, and one at a time for each citizen."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

# Those who were written to longer ago than this are forgotten.
REMEMBERED = 10_000
KEPT_SECONDS = 30.0


class Pace:
    """Of this process alone: several machines share a platform's limit, and its 429 is what settles it then."""

    def __init__(self, per_second: float, per_address_seconds: float) -> None:
        self._every = 1 / per_second
        self._per_address = per_address_seconds
        self._next = 0.0
        self._next_of: OrderedDict[str, float] = OrderedDict()
        self._kept: OrderedDict[str, float] = OrderedDict()

    def turn_in(self, address: str) -> float:
        """Seconds until this address's turn. The turn is kept for it: who comes back then waits no more."""
        now = time.monotonic()
        at = self._kept[address] = self._taken(address, now)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return max(0.0, at - now)

    async def wait(self, address: str) -> None:
        """Until it is this address's turn, which is over then."""
        now = time.monotonic()
        at = self._taken(address, now)
        if at > now:
            await asyncio.sleep(at - now)

    def _taken(self, address: str, now: float) -> float:
        """The turn that was kept, or a new one; nobody came back for one that is long over."""
        at = self._kept.pop(address, None)
        return self._give(address, now) if at is None or at < now - KEPT_SECONDS else at

    def _give(self, address: str, now: float) -> float:
        """The places in the queue are given out at once, in the order of asking."""
        at = max(now, self._next, self._next_of.get(address, 0.0))
        # A citizen who must wait for their own second does not keep the others waiting.
        self._next = max(now, self._next) + self._every
        self._next_of[address] = at + self._per_address
        self._next_of.move_to_end(address)
        while len(self._next_of) > REMEMBERED:
            self._next_of.popitem(last=False)
        return at

    def is_free(self) -> bool:
        """Whether a call that may as well be left out would keep nobody waiting; takes the place if so."""
        now = time.monotonic()
        if self._next > now:
            return False
        self._next = now + self._every
        return True
