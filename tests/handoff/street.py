"""A citizen, the bot and the desk together: turns are taken, messages are sent, Rasa is played by a script."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from bot.database import open_pool
from bot.dialogue.conversations import Waiting
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine, EngineAnswer, EngineUnavailable
from bot.dialogue.queue import Queue
from bot.dialogue.turn import Turns
from bot.handoff import cases, office
from bot.handoff.office import Limits, Office, prepare
from bot.handoff.timeouts import Timeouts
from bot.messages import Button, Outgoing, Payload
from tests.dialogue.talk import CHANNEL, RecordingSender, Talk
from tests.handoff.room import CATALOGUE, DESKS, SHUT, Clock

# What Rasa makes of these words: the response and the intent.
SCRIPT: Mapping[str, tuple[str, str]] = {
    "người": ("utter_talk_to_human", "talk_to_human"),
    "hở": ("utter_hand_over", "nlu_fallback"),
    "vô ích": ("utter_hand_over", "not_helpful"),
    "tím môi khó thở": ("utter_emergency", "emergency"),
    "em nằm im không phản ứng gì": ("utter_emergency", "emergency"),
    "/emergency": ("utter_emergency", "emergency"),
    "/talk_to_human": ("utter_talk_to_human", "talk_to_human"),
}


class ScriptedEngine(Engine):
    """Answers by SCRIPT, and whatever else with `utter_greet` and what it was asked. `during` happens once, while it thinks."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "token", "dak-lak")
        self.asked: list[str] = []
        self.judged: list[str] = []
        self.is_away = False
        self.during: Callable[[], Awaitable[object]] | None = None

    async def ask(self, waiting: Waiting, payload: Payload | None) -> EngineAnswer:
        words = str(payload) if payload else waiting.text
        self.asked.append(words)
        if self.during:
            during, self.during = self.during, None
            await during()
        key, intent = SCRIPT.get(words, ("utter_greet", "vaccine_where"))
        reply = Outgoing(f"answer to {words}", (Button("Xem", "/emergency"),), key=key)
        return EngineAnswer([reply], {"intent": intent, "ranking": [[intent, 0.9]], "entities": []})

    async def is_danger(self, text: str) -> bool:
        self.judged.append(text)
        if self.is_away:
            raise EngineUnavailable("unreachable")
        return SCRIPT.get(text, ("", ""))[1] == "emergency"


class Street(Talk):
    """One citizen; operators by name."""

    engine: ScriptedEngine
    clock: Clock

    async def hires(self, name: str, role: str = "operator") -> int:
        return int(
            await self.one("INSERT INTO operators (name, role, password_hash) VALUES (%s, %s, '') RETURNING id", name, role)
        )

    async def asks(self, text: str) -> None:
        await self.says(text)
        assert await self.step()

    async def taps(self, payload: str) -> None:
        await self.presses(payload)
        assert await self.step()

    async def desk(self, action: str, name: str, *arguments: Any, goes_on: bool = True, **named: Any) -> Any:
        """`desk("claim", "hanh")`: on the newest case, as a page would; then the bot goes on, if it shall."""
        operator_id = await self.one("SELECT id FROM operators WHERE name = %s", name)
        case_id = await self.one("SELECT max(id) FROM cases")
        async with self.pool.connection() as connection, connection.transaction():
            done = await getattr(cases, action)(connection, case_id, operator_id, name, *arguments, **named)
        if goes_on:
            await self.step()
        return done

    async def writes(self, name: str, text: str, key: str) -> Any:
        return await self.desk("send", name, Outgoing(text), key=key)

    async def minutes_pass(self, minutes: int) -> None:
        """Everything noted so far lies further back; then the clock's work is done."""
        columns = ["waiting_since", "claimed_at", "citizen_at", "operator_at", "unanswered_since"]
        moved = ", ".join(f"{column} = {column} - make_interval(mins => {minutes})" for column in columns)
        await self.rows(f"UPDATE cases SET {moved} WHERE state <> 'ended'")
        await self.rows(
            "UPDATE conversations SET operator_until = operator_until - make_interval(mins => %s)"
            " WHERE operator_until IS NOT NULL",
            minutes,
        )
        await self.rows("UPDATE messages SET created_at = created_at - make_interval(mins => %s)", minutes)
        await Timeouts(self.pool).walk()
        await self.step()

    def shuts(self) -> None:
        self.clock.now = SHUT

    @property
    def told(self) -> Sequence[str]:
        """The keys of what reached the citizen."""
        return self.sender.keys

    async def owner(self) -> str:
        return str(await self.one("SELECT owner FROM conversations"))

    async def case(self) -> dict[str, Any]:
        return dict((await self.rows("SELECT * FROM cases ORDER BY id DESC LIMIT 1"))[0])


@contextlib.asynccontextmanager
async def opened_street(database_url: str) -> AsyncIterator[Street]:
    pool, queue, sender, clock, engine = (
        open_pool(database_url),
        Queue(database_url),
        RecordingSender(),
        Clock(),
        ScriptedEngine(),
    )
    prepare(Office(CATALOGUE, DESKS, queue, Limits(), clock))
    turns = Turns(pool, engine, CATALOGUE, Delivery(pool, {CHANNEL: sender}), 20, 0)
    async with pool, queue.app.open_async():
        street = Street(pool, queue, turns, sender)
        street.engine, street.clock = engine, clock
        try:
            yield street
        finally:
            await engine.close()


def with_another_desk() -> str:
    """The province has one more desk, for whatever it is asked."""
    other = dataclasses.replace(DESKS.default, id="cdc", name="CDC", is_default=False)
    prepare(dataclasses.replace(office.office(), desks=dataclasses.replace(DESKS, all=(DESKS.default, other))))
    return other.id


def without_the_desk() -> None:
    """desks.yml says that it is switched off."""
    here = office.office()
    off = dataclasses.replace(here.desks.default, is_on=False)
    prepare(dataclasses.replace(here, desks=dataclasses.replace(here.desks, all=(off,), default=off)))
