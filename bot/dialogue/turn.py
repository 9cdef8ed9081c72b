"""One turn: who owns the conversation? → Rasa → replies stored with the turn's end → delivery.

Killed at any point, the next worker goes on: a turn that is not marked done is taken again (Rasa's channel drops what
the first attempt left in its tracker), a turn that is done only still delivers.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import structlog

from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.conversations import Waiting
from bot.dialogue.degrade import degraded_answer
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine, EngineUnavailable
from bot.dialogue.queue import TryAgain
from bot.languages.catalogue import Answer, Catalogue
from bot.log import where
from bot.messages import Outgoing
from bot.metrics import TURN_SECONDS, TURNS

log = structlog.get_logger(__name__)

RETRY_ENGINE_SECONDS = 1.0
WITHOUT_WORDS: Mapping[str, str] = {
    "group": "utter_group_chat",
    "start": "utter_welcome",
    "text": "utter_empty_message",
}


class Turns:
    """Takes the turns of conversations, one at a time each; `advance` is what the queue calls."""

    def __init__(self, pool: Pool, engine: Engine, catalogue: Catalogue, delivery: Delivery, deadline_seconds: float) -> None:
        self._pool = pool
        self._engine = engine
        self._catalogue = catalogue
        self._delivery = delivery
        self._deadline = datetime.timedelta(seconds=deadline_seconds)

    async def advance(self, conversation_id: int) -> None:
        """Take every waiting turn of the conversation in order, then deliver; raises TryAgain to be called later."""
        is_only_delivery = True
        while waiting := await self._next(conversation_id):
            is_only_delivery = False
            await self._take(waiting)
            if self._delivery.is_pushed(waiting.channel):
                await self._delivery.deliver(conversation_id)
        if is_only_delivery:
            await self._delivery.deliver(conversation_id)

    async def _next(self, conversation_id: int) -> Waiting | None:
        async with self._pool.connection() as connection:
            return await conversations.next_waiting(connection, conversation_id)

    async def _take(self, waiting: Waiting) -> None:
        try:
            replies, outcome, understood = await self._replies(waiting)
        except EngineUnavailable as reason:
            if _now() < waiting.received_at + self._deadline:
                log.info("turn_waits_for_engine", message=waiting.id, attempt=waiting.attempt, reason=str(reason))
                raise TryAgain(_now() + datetime.timedelta(seconds=RETRY_ENGINE_SECONDS)) from reason
            replies, outcome, understood = [await self._degraded(waiting)], "degraded", {}
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: whatever broke, the citizen is not left in silence
            log.error("turn_failed", message=waiting.id, error=where(error))
            replies, outcome, understood = [await self._degraded(waiting)], "degraded", {}
        await self._finish(waiting, replies, outcome, understood)

    async def _replies(self, waiting: Waiting) -> tuple[list[Outgoing], str, dict[str, Any]]:
        if waiting.owner != "bot":
            return [], "human", {}
        payload = self._catalogue.payload(waiting.payload)
        if payload is None and not (waiting.text or waiting.payload):
            key = WITHOUT_WORDS.get(waiting.kind, "utter_unsupported_media")
            return [_outgoing(self._catalogue.answer(key))], "answered", {}
        answer = await self._engine.ask(waiting, payload)
        return list(answer.replies), "answered", answer.understood

    async def _degraded(self, waiting: Waiting) -> Outgoing:
        async with self._pool.connection() as connection:
            last = await conversations.last_response_key(connection, waiting.conversation_id)
        payload = self._catalogue.payload(waiting.payload)
        return _outgoing(degraded_answer(self._catalogue, waiting.text, payload, menu_was_shown=last == "utter_topic_menu"))

    async def _finish(self, waiting: Waiting, replies: list[Outgoing], outcome: str, understood: dict[str, Any]) -> None:
        delivery = "waiting" if self._delivery.is_pushed(waiting.channel) else "sent"
        async with self._pool.connection() as connection:
            first = await conversations.finish_turn(
                connection, waiting, replies, outcome=outcome, understood=understood, delivery=delivery
            )
        if first:
            TURNS.labels(outcome).inc()
            TURN_SECONDS.observe((_now() - waiting.received_at).total_seconds())
            log.info("turn_finished", message=waiting.id, outcome=outcome, replies=len(replies), attempt=waiting.attempt)


def _outgoing(answer: Answer) -> Outgoing:
    return Outgoing.from_reply(answer.as_reply())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
