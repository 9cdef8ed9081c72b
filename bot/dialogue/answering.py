"""What a citizen is told: Rasa's answer, one that needs no Rasa, or the one while it is away; and what staff put in front."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.content.fronting import behind_notices
from bot.database import Pool
from bot.dialogue import conversations, located
from bot.dialogue.beginning import Begun
from bot.dialogue.conversations import Waiting
from bot.dialogue.degrade import degraded_answer
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine
from bot.languages.catalogue import Answer, Catalogue
from bot.languages.choices import chosen_language
from bot.messages import Outgoing, Payload
from bot.metrics import NOTICES

WITHOUT_WORDS: Mapping[str, str] = {
    "group": "utter_group_chat",
    "start": "utter_welcome",
    "text": "utter_empty_message",
    "location": "utter_location_received",
}
# A button that no message of ours in this conversation carried: of a talk that was erased, or somebody's own invention.
UNKNOWN_BUTTON = "utter_old_button"

# Puts a question about an answer below it, now and then; must not raise because the database is away.
Asking = Callable[[Waiting, list[Outgoing]], Awaitable[list[Outgoing]]]


@dataclass(frozen=True)
class Answered:
    """The replies, how the turn ends with them, and what the model understood."""

    replies: Sequence[Outgoing]
    outcome: str
    understood: Mapping[str, Any] = field(default_factory=dict)


class Answering:
    """`asking` looks at Rasa's replies once more before they are stored."""

    def __init__(
        self, pool: Pool, engine: Engine, catalogue: Catalogue, delivery: Delivery, asking: Asking | None = None
    ) -> None:
        self.engine, self.asking = engine, asking
        self._pool, self._catalogue, self._delivery = pool, catalogue, delivery

    async def answer(self, begun: Begun) -> Answered:
        """Raises EngineUnavailable. A person who owns the conversation is not interrupted."""
        waiting = begun.waiting
        if waiting.owner != "bot":
            return Answered([], "human")
        if begun.notice is not None:
            NOTICES.labels(begun.notice or "silence").inc()
            return Answered([self._said(begun.notice, waiting)], "answered") if begun.notice else Answered([], "silent")
        if begun.opening and begun.payload is None:
            return Answered([], "answered")
        if key := self._fixed_answer(waiting, begun.payload):
            near = await self._near(waiting)
            return Answered([near.as_outgoing() if near else self._said(key, waiting)], "answered")
        async with self._delivery.working(waiting.channel, waiting.address):
            said = await self.engine.ask(waiting, begun.payload)
        replies = list(said.replies)
        if self.asking and begun.opening is None:
            replies = await self.asking(waiting, replies)
        return Answered(replies, "answered", said.understood)

    async def without_the_model(self, begun: Begun) -> Answered:
        waiting = begun.waiting
        async with self._pool.connection() as connection:
            last = await conversations.last_response_key(connection, waiting.conversation_id)
        menu_was_shown = last == "utter_topic_menu"
        answer = degraded_answer(
            self._catalogue, waiting.text, begun.payload, menu_was_shown=menu_was_shown, language=waiting.language
        )
        return Answered([answer.as_outgoing()], "degraded")

    def greeted(self, begun: Begun, answered: Answered) -> Answered:
        """With the greeting of the campaign that it came through."""
        if begun.opening is None or begun.notice is not None or answered.outcome not in {"answered", "degraded"}:
            return answered
        greeting = begun.opening.greeting(self._catalogue, begun.waiting.language)
        return replace(answered, replies=[*greeting, *answered.replies])

    async def behind_notices(self, begun: Begun, answered: Answered) -> Sequence[Outgoing]:
        """The replies with what staff put in front of answers first."""
        if begun.notice is not None:
            return answered.replies
        return await behind_notices(
            self._pool,
            self._catalogue,
            begun.waiting.conversation_id,
            answered.replies,
            answered.understood,
            place=begun.payload.place if begun.payload else None,
            language=self.language(begun, answered) or begun.waiting.language,
        )

    def language(self, begun: Begun, answered: Answered) -> str | None:
        """The language that the conversation goes on in, when the turn has shown one: a choice holds also while Rasa is down."""
        understood = answered.understood
        in_words = understood.get("conversation_language") if understood else chosen_language(begun.waiting.text)
        shown = begun.told_language or in_words
        return str(shown) if shown in self._catalogue.languages else None

    def _fixed_answer(self, waiting: Waiting, payload: Payload | None) -> str | None:
        """The answer to what Rasa need not be asked."""
        if waiting.payload is not None:
            return UNKNOWN_BUTTON if payload is None or payload.intent not in self._catalogue.intents else None
        return None if waiting.text or payload else WITHOUT_WORDS.get(waiting.kind, "utter_unsupported_media")

    async def _near(self, waiting: Waiting) -> Answer | None:
        """Which communes a place on the map may be in; None where there is no such place, or none of ours near it."""
        if waiting.payload or not waiting.place:
            return None
        return await asyncio.to_thread(located.near, self._catalogue, waiting.place, waiting.language)

    def _said(self, key: str, waiting: Waiting) -> Outgoing:
        return self._catalogue.answer(key, language=waiting.language).as_outgoing()
