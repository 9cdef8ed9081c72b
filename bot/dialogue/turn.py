"""One turn: who owns the conversation? → Rasa → replies stored with the turn's end → delivery.

Killed at any point, the next worker goes on: a turn that is not marked done is taken again (Rasa's channel drops what
the first attempt left in its tracker), a turn that is done only still delivers.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.content.replies import allowed
from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.answering import Answered, Answering, Asking
from bot.dialogue.asides import Aside
from bot.dialogue.beginning import Beginning, Begun
from bot.dialogue.conversations import Waiting
from bot.dialogue.delivery import Delivery
from bot.dialogue.desk_side import DeskSide
from bot.dialogue.engine import Engine, EngineUnavailable
from bot.dialogue.queue import TryAgain
from bot.handoff.handing_over import wish
from bot.handoff.moving import Happening
from bot.languages.catalogue import Catalogue
from bot.languages.danger import danger_sign_in_any
from bot.log import where
from bot.messages import Outgoing
from bot.metrics import ANSWER_SECONDS, TURN_SECONDS, TURNS

log = structlog.get_logger(__name__)

RETRY_ENGINE_SECONDS = 1.0


class Turns:
    """Takes the turns of conversations, one at a time each; `advance` is what the queue calls."""

    def __init__(
        self,
        pool: Pool,
        engine: Engine,
        catalogue: Catalogue,
        delivery: Delivery,
        deadline_seconds: float,
        messages_a_minute: int,
        aside: Aside | None = None,
        asking: Asking | None = None,
    ) -> None:
        self._pool, self._catalogue, self._delivery, self._aside = pool, catalogue, delivery, aside
        self._deadline = datetime.timedelta(seconds=deadline_seconds)
        self._beginning = Beginning(pool, catalogue, delivery, messages_a_minute)
        self.answering = Answering(pool, engine, catalogue, delivery, asking)
        self._desk_side = DeskSide(pool, engine)

    async def advance(self, conversation_id: int) -> None:
        """Take every waiting turn of the conversation in order, then deliver; raises TryAgain to be called later."""
        is_only_delivery = True
        while begun := await self._beginning.next(conversation_id):
            is_only_delivery = False
            await self._take(begun)
            if self._delivery.is_pushed(begun.waiting.channel):
                await self._delivery.deliver(conversation_id)
        if is_only_delivery:
            await self._delivery.deliver(conversation_id)

    async def _take(self, begun: Begun) -> None:
        waiting = begun.waiting
        try:
            if await self._is_aside(begun) or await self._desk_side.settles(begun):
                return
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: without the desk the bot still answers
            log.error("desk_failed", message=waiting.id, error=where(error))
        answered = self.answering.greeted(begun, await self._answered(begun))
        is_typed = waiting.payload is None
        wished = wish(answered.replies, answered.understood, is_typed=is_typed) if waiting.owner == "bot" else None
        replies = await self.answering.behind_notices(begun, answered)
        language = self.answering.language(begun, answered)
        await self._finish(waiting, replies, answered.outcome, answered.understood, language, wished)

    async def _is_aside(self, begun: Begun) -> bool:
        """Whether the message was none for bot or desk, and is settled."""
        said = await self._aside(begun.waiting, begun.payload) if self._aside and begun.notice is None else None
        if said is not None:
            await self._finish(begun.waiting, said, "answered")
        return said is not None

    async def _answered(self, begun: Begun) -> Answered:
        """Raises TryAgain while Rasa is away and there is time."""
        waiting = begun.waiting
        try:
            return await self.answering.answer(begun)
        except EngineUnavailable as reason:
            # Whoever is in danger is answered without the model rather than late.
            waits_for_model = reason.is_planned and not await self._is_in_danger(waiting)
            if waits_for_model or _now() < waiting.received_at + self._deadline:
                log.info("turn_waits_for_engine", message=waiting.id, attempt=waiting.attempt, reason=str(reason))
                raise TryAgain(_now() + datetime.timedelta(seconds=RETRY_ENGINE_SECONDS)) from reason
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: whatever broke, the citizen is not left in silence
            log.error("turn_failed", message=waiting.id, error=where(error))
        return await self.answering.without_the_model(begun)

    async def _is_in_danger(self, waiting: Waiting) -> bool:
        """Whether this message or one that waits behind it says so."""
        async with self._pool.connection() as connection:
            lately = await conversations.lately(connection, waiting.conversation_id)
        behind = lately.queue if lately else ()
        return danger_sign_in_any([waiting.text, *(queued.words for queued in behind)]) is not None

    async def _finish(
        self,
        waiting: Waiting,
        replies: Sequence[Outgoing],
        outcome: str,
        understood: Mapping[str, Any] | None = None,
        language: str | None = None,
        wished: Happening | None = None,
    ) -> None:
        """End the turn; where the bot's answer is that a person is needed, its case is opened in the same transaction."""
        replies = [allowed(self._catalogue, reply) for reply in replies]
        delivery = "waiting" if self._delivery.is_pushed(waiting.channel) else "sent"
        finish = functools.partial(
            conversations.finish_turn, outcome=outcome, understood=understood, delivery=delivery, language=language
        )
        async with self._pool.connection() as connection:
            first = None
            if wished is not None:
                spoken = replace(waiting, language=language or waiting.language)
                first = await self._desk_side.hand_over(connection, finish, spoken, replies, wished)
            if first is None:
                first = await finish(connection, waiting, replies)
        if first:
            TURNS.labels(outcome).inc()
            seconds = (_now() - waiting.received_at).total_seconds()
            TURN_SECONDS.observe(seconds)
            if delivery == "sent" and replies:
                ANSWER_SECONDS.labels(waiting.channel).observe(seconds)
            log.info("turn_finished", message=waiting.id, outcome=outcome, replies=len(replies), attempt=waiting.attempt)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
