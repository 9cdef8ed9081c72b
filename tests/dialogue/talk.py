"""A conversation without a gateway process: events stored as channels do, steps taken when the test says so."""

from __future__ import annotations

import contextlib
import datetime
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from bot.database import Pool, open_pool
from bot.dialogue.asides import Aside
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine
from bot.dialogue.queue import Queue, TryAgain
from bot.dialogue.receive import store_event
from bot.dialogue.turn import Turns
from bot.findings import Finding
from bot.handoff.desks import Desks
from bot.handoff.office import Office, prepare
from bot.languages.catalogue import Catalogue
from bot.messages import Echo, Edited, Event, Incoming, Interaction, Outgoing, Received, Withdrawn
from bot.settings import ROOT
from tests.databases import WithDatabase
from tests.simulators.rasa import RasaSimulator

CHANNEL, ADDRESS = "zalo", "citizen-1"
QUIET = datetime.timedelta(minutes=60)


class RecordingSender:
    """A platform that notes what it was asked to send; `during` happens while it has taken a message and not answered yet."""

    def __init__(self) -> None:
        self.window: datetime.timedelta | None = None
        self.operator_window: datetime.timedelta | None = None
        self.sent: list[Outgoing] = []
        self.faults: list[Exception] = []
        self.ids: list[str | tuple[str, ...]] = []
        self.during: Callable[[Outgoing], Awaitable[object]] | None = None
        self.turns_in: list[float] = []
        self._numbers = itertools.count(1)

    def turn_in(self, address: str) -> float:
        return self.turns_in.pop(0) if self.turns_in else 0.0

    async def send(self, address: str, message: Outgoing) -> str | tuple[str, ...]:
        if self.during:
            await self.during(message)
        if self.faults:
            raise self.faults.pop(0)
        self.sent.append(message)
        return self.ids.pop(0) if self.ids else f"sent-{next(self._numbers)}"

    async def check(self) -> list[Finding]:
        return []

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.sent]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.sent]


class Talk(WithDatabase):
    """One citizen on one channel. `says` only stores; `step` lets the bot go on as far as it can."""

    def __init__(self, pool: Pool, queue: Queue, turns: Turns, sender: RecordingSender) -> None:
        self.pool, self.queue, self.turns, self.sender = pool, queue, turns, sender
        self._numbers = itertools.count(1)

    async def happens(self, event: Event) -> Received | None:
        return await store_event(self.pool, self.queue, event, quiet=QUIET, within=10)

    async def says(
        self, text: str, id_: str | None = None, *, at: datetime.datetime | None = None, **fields: Any
    ) -> Received | None:
        return await self.happens(
            Incoming(CHANNEL, ADDRESS, id_ or f"in-{next(self._numbers)}", "text", text=text, sent_at=at, **fields)
        )

    async def presses(self, payload: str) -> None:
        await self.happens(Incoming(CHANNEL, ADDRESS, f"in-{next(self._numbers)}", "payload", payload=payload))

    async def edits(self, id_: str, text: str) -> None:
        await self.happens(Edited(CHANNEL, ADDRESS, id_, text))

    async def withdraws(self, id_: str) -> None:
        await self.happens(Withdrawn(CHANNEL, ADDRESS, id_))

    async def hears(self, id_: str, text: str, operator: str | None = None) -> None:
        await self.happens(Echo(CHANNEL, ADDRESS, id_, text, operator))

    async def does(self, kind: Any, id_: str = "1", **fields: Any) -> None:
        await self.happens(Interaction(CHANNEL, ADDRESS, kind, id_, **fields))

    async def step(self) -> bool:
        """Whether all is done; False when the rest is to be tried later."""
        (row,) = await self.rows("SELECT id FROM conversations")
        try:
            await self.turns.advance(row["id"])
        except TryAgain:
            return False
        return True


@contextlib.asynccontextmanager
async def talking(
    database_url: str,
    rasa: RasaSimulator,
    *,
    a_minute: int = 20,
    deadline: float = 20,
    aside: Callable[[Pool, Catalogue], Aside] | None = None,
) -> AsyncIterator[Talk]:
    pool, queue, sender = open_pool(database_url), Queue(database_url), RecordingSender()
    engine = Engine(rasa.url, "test-token", "dak-lak")
    catalogue = Catalogue.load(ROOT, "dak-lak")
    prepare(Office(catalogue, Desks.load(ROOT, "dak-lak"), queue))
    before_rasa = aside(pool, catalogue) if aside else None
    turns = Turns(pool, engine, catalogue, Delivery(pool, {CHANNEL: sender}), deadline, a_minute, before_rasa)
    async with pool, queue.app.open_async():
        try:
            yield Talk(pool, queue, turns, sender)
        finally:
            await engine.close()
