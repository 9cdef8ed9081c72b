"""One turn: who owns the conversation? → Rasa → replies stored with the turn's end → delivery.

Killed at any point, the next worker goes on: a turn that is not marked done is taken again (Rasa's channel drops what
the first attempt left in its tracker), a turn that is done only still delivers.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.campaigns.opening import Opening, opening_of
from bot.channels import guard
from bot.channels.guard import Hold, Take, Tell
from bot.channels.payloads import meant_by, menu_payloads
from bot.content.fronting import behind_notices
from bot.content.replies import allowed
from bot.database import DictConnection, Pool
from bot.dialogue import conversations, located
from bot.dialogue.asides import Aside
from bot.dialogue.conversations import Lately, Waiting
from bot.dialogue.degrade import degraded_answer
from bot.dialogue.delivery import Delivery
from bot.dialogue.engine import Engine, EngineUnavailable
from bot.dialogue.queue import TryAgain
from bot.handoff.handing_over import possible, wish, without_the_hotline
from bot.handoff.hearing import Said, heard, in_danger, only_a_model_hears
from bot.handoff.moving import Happening, move, move_from, situation
from bot.handoff.office import office
from bot.handoff.ownership import OWNERS, Event, edge
from bot.languages.catalogue import Answer, Catalogue
from bot.languages.choices import chosen_language
from bot.languages.danger import danger_sign_in_any
from bot.log import where
from bot.messages import Outgoing, Payload
from bot.metrics import ANSWER_SECONDS, NOTICES, TURN_SECONDS, TURNS

log = structlog.get_logger(__name__)

RETRY_ENGINE_SECONDS = 1.0
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
class Begun:
    """A turn that is taken: its messages, what its button meant, the notice that stands for an answer ("": silence), and the
    campaign that it came through."""

    waiting: Waiting
    payload: Payload | None
    notice: str | None
    opening: Opening | None = None


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
        self._pool = pool
        self._aside, self._asking = aside, asking
        self._engine = engine
        self._catalogue = catalogue
        self._menu = menu_payloads(catalogue)
        self._delivery = delivery
        self._a_minute = messages_a_minute
        self._deadline = datetime.timedelta(seconds=deadline_seconds)

    async def advance(self, conversation_id: int) -> None:
        """Take every waiting turn of the conversation in order, then deliver; raises TryAgain to be called later."""
        is_only_delivery = True
        while begun := await self._next(conversation_id):
            is_only_delivery = False
            await self._take(begun)
            if self._delivery.is_pushed(begun.waiting.channel):
                await self._delivery.deliver(conversation_id)
        if is_only_delivery:
            await self._delivery.deliver(conversation_id)

    async def _next(self, conversation_id: int) -> Begun | None:
        """What the rules say is next, begun; raises TryAgain while the citizen is still typing line after line."""
        while True:
            async with self._pool.connection() as connection:
                lately = await conversations.lately(connection, conversation_id)
                if lately is None:
                    return None
                step = self._step(lately)
                if isinstance(step, Hold):
                    raise TryAgain(step.until)
                if isinstance(step, Take):
                    waiting = await conversations.take(connection, step.ids)
                    if waiting is None:  # withdrawn at this moment
                        continue
                    if opening := await opening_of(connection, waiting.id) if waiting.kind == "start" else None:
                        waiting = replace(waiting, language=opening.spoken_in(waiting.language))
                        return Begun(waiting, opening.payload, step.notice, opening)
                    return Begun(waiting, await self._meaning(connection, waiting), step.notice)
            await self._tell(conversation_id, lately, step)

    def _step(self, lately: Lately) -> guard.Step:
        """Messages to a person are not joined, held or commented on."""
        if lately.owner != "bot":
            return Take((lately.queue[0].id,))
        return guard.next_step(lately.queue, lately.recent, lately.now, a_minute=self._a_minute)

    async def _meaning(self, connection: DictConnection, waiting: Waiting) -> Payload | None:
        """What a button, a place on the map or an operator who gave the conversation back says."""
        if waiting.author == "operator":
            return Payload.parse(waiting.payload or "")
        if waiting.payload:
            return await meant_by(connection, waiting.conversation_id, waiting.payload, self._menu)
        return Payload.parse(str(Payload("inform_place", waiting.place))) if waiting.place else None

    async def _tell(self, conversation_id: int, lately: Lately, step: Tell) -> None:
        NOTICES.labels(step.notice).inc()
        async with self._pool.connection() as connection:
            notice = _outgoing(self._catalogue.answer(step.notice, language=lately.language))
            delivery = "waiting" if self._delivery.is_pushed(lately.channel) else "sent"
            await conversations.tell(connection, conversation_id, lately.queue[0].id, notice, delivery=delivery)
        if self._delivery.is_pushed(lately.channel):
            await self._delivery.deliver(conversation_id)

    async def _take(self, begun: Begun) -> None:
        waiting = begun.waiting
        try:
            if await self._is_aside(begun) or await self._is_for_the_desk(begun):
                return
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: without the desk the bot still answers
            log.error("desk_failed", message=waiting.id, error=where(error))
        try:
            replies, outcome, understood = await self._replies(begun)
        except EngineUnavailable as reason:
            # Whoever is in danger is answered without the model rather than late.
            waits_for_model = reason.is_planned and not await self._is_in_danger(waiting)
            if waits_for_model or _now() < waiting.received_at + self._deadline:
                log.info("turn_waits_for_engine", message=waiting.id, attempt=waiting.attempt, reason=str(reason))
                raise TryAgain(_now() + datetime.timedelta(seconds=RETRY_ENGINE_SECONDS)) from reason
            replies, outcome, understood = [await self._degraded(begun)], "degraded", {}
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: whatever broke, the citizen is not left in silence
            log.error("turn_failed", message=waiting.id, error=where(error))
            replies, outcome, understood = [await self._degraded(begun)], "degraded", {}
        if begun.opening and outcome in {"answered", "degraded"} and begun.notice is None:
            replies = [*begun.opening.greeting(self._catalogue, waiting.language), *replies]
        wished = wish(replies, understood, is_typed=waiting.payload is None) if waiting.owner == "bot" else None
        if begun.notice is None:
            replies = await self._behind_notices(begun, replies, understood)
        await self._finish(waiting, replies, outcome, understood, self._language(begun, understood), wished)

    async def _behind_notices(self, begun: Begun, replies: list[Outgoing], understood: dict[str, Any]) -> list[Outgoing]:
        """What staff put in front of answers, first."""
        waiting, place = begun.waiting, begun.payload.place if begun.payload else None
        language = self._language(begun, understood) or waiting.language
        return await behind_notices(
            self._pool, self._catalogue, waiting.conversation_id, replies, understood, place=place, language=language
        )

    async def _is_in_danger(self, waiting: Waiting) -> bool:
        """Whether this message or one that waits behind it says so."""
        async with self._pool.connection() as connection:
            lately = await conversations.lately(connection, waiting.conversation_id)
        behind = lately.queue if lately else ()
        return danger_sign_in_any([waiting.text, *(queued.words for queued in behind)]) is not None

    async def _is_aside(self, begun: Begun) -> bool:
        """Whether the message was none for bot or desk, and is settled."""
        said = await self._aside(begun.waiting, begun.payload) if self._aside and begun.notice is None else None
        if said is not None:
            await self._finish(begun.waiting, list(said), "answered", {}, None, None)
        return said is not None

    async def _is_for_the_desk(self, begun: Begun) -> bool:
        """Whether the message was something between the citizen and the desk, and is settled."""
        waiting = begun.waiting
        happening = await self._heard(begun) if not begun.notice and waiting.author == "citizen" else None
        if happening is None:
            return False
        async with self._pool.connection() as connection, connection.transaction():
            now = await situation(connection, waiting.conversation_id)
            if happening.event == Event.LEFT_QUESTION:
                happening = await possible(connection, waiting.conversation_id, waiting.language, happening)
            if happening is None or (edge(now.state, happening.event) is None and OWNERS[now.state] == "bot"):
                return False
            if await conversations.finish_turn(connection, waiting, [], outcome="answered"):
                await move_from(connection, now, replace(happening, in_reply_to=waiting.id))
                TURNS.labels("desk").inc()
        log.info("message_for_the_desk", message=waiting.id, moved_by=happening.event.value)
        return True

    async def _heard(self, begun: Begun) -> Happening | None:
        """What the message means to the desk. Of the model's opinion only danger counts: the bot does not answer who waits."""
        waiting = begun.waiting
        said = Said(waiting.text, begun.payload, waiting.owner, waiting.awaits_contact)
        if (happening := heard(said, office().desks)) or not only_a_model_hears(said):
            return happening
        try:
            return in_danger() if await self._engine.is_danger(said.text) else None
        except EngineUnavailable as reason:
            log.info("danger_without_the_model", message=waiting.id, reason=str(reason))
            return None

    async def _replies(self, begun: Begun) -> tuple[list[Outgoing], str, dict[str, Any]]:
        waiting = begun.waiting
        if waiting.owner != "bot":
            return [], "human", {}
        if begun.notice is not None:
            NOTICES.labels(begun.notice or "silence").inc()
            notices = [_outgoing(self._catalogue.answer(begun.notice, language=waiting.language))] if begun.notice else []
            return notices, "answered" if notices else "silent", {}
        payload = begun.payload
        if begun.opening and payload is None:
            return [], "answered", {}
        if key := self._fixed_answer(waiting, payload):
            answer = await self._near(waiting) or self._catalogue.answer(key, language=waiting.language)
            return [_outgoing(answer)], "answered", {}
        async with self._delivery.working(waiting.channel, waiting.address):
            said = await self._engine.ask(waiting, payload)
        replies = list(said.replies)
        if self._asking and begun.opening is None:
            replies = await self._asking(waiting, replies)
        return replies, "answered", said.understood

    async def _near(self, waiting: Waiting) -> Answer | None:
        """Which communes a place on the map may be in; None where there is no such place, or none of ours near it."""
        if waiting.payload or not waiting.place:
            return None
        return await asyncio.to_thread(located.near, self._catalogue, waiting.place, waiting.language)

    def _fixed_answer(self, waiting: Waiting, payload: Payload | None) -> str | None:
        """The answer to what Rasa need not be asked."""
        if waiting.payload is not None:
            return UNKNOWN_BUTTON if payload is None or payload.intent not in self._catalogue.intents else None
        return None if waiting.text or payload else WITHOUT_WORDS.get(waiting.kind, "utter_unsupported_media")

    def _language(self, begun: Begun, understood: dict[str, Any]) -> str | None:
        """The language that the conversation goes on in, when the turn has shown one: a choice holds also while Rasa is down."""
        told = begun.waiting.language if begun.opening else begun.payload.language if begun.payload else None
        shown = told or (understood.get("conversation_language") if understood else chosen_language(begun.waiting.text))
        return str(shown) if shown in self._catalogue.languages else None

    async def _degraded(self, begun: Begun) -> Outgoing:
        waiting = begun.waiting
        async with self._pool.connection() as connection:
            last = await conversations.last_response_key(connection, waiting.conversation_id)
        menu_was_shown = last == "utter_topic_menu"
        return _outgoing(
            degraded_answer(
                self._catalogue, waiting.text, begun.payload, menu_was_shown=menu_was_shown, language=waiting.language
            )
        )

    async def _finish(
        self,
        waiting: Waiting,
        replies: list[Outgoing],
        outcome: str,
        understood: dict[str, Any],
        language: str | None,
        wished: Happening | None,
    ) -> None:
        """End the turn; where the bot's answer is that a person is needed, its case is opened in the same transaction."""
        replies = [allowed(self._catalogue, reply) for reply in replies]
        delivery = "waiting" if self._delivery.is_pushed(waiting.channel) else "sent"
        finish = functools.partial(
            conversations.finish_turn, outcome=outcome, understood=understood, delivery=delivery, language=language
        )
        async with self._pool.connection() as connection:
            first = None if wished is None else await self._hand_over(connection, finish, waiting, replies, wished, language)
            if first is None:
                first = await finish(connection, waiting, replies)
        if first:
            TURNS.labels(outcome).inc()
            seconds = (_now() - waiting.received_at).total_seconds()
            TURN_SECONDS.observe(seconds)
            if delivery == "sent" and replies:
                ANSWER_SECONDS.labels(waiting.channel).observe(seconds)
            log.info("turn_finished", message=waiting.id, outcome=outcome, replies=len(replies), attempt=waiting.attempt)

    async def _hand_over(
        self,
        connection: DictConnection,
        finish: Callable[..., Awaitable[bool]],
        waiting: Waiting,
        replies: list[Outgoing],
        wished: Happening,
        language: str | None,
    ) -> bool | None:
        """Whether this worker ended the turn, with its case; None when there is no desk: then the replies say whom to call."""
        try:
            async with connection.transaction():
                met = await possible(connection, waiting.conversation_id, language or waiting.language, wished)
                if met is None:
                    return None
                first = await finish(connection, waiting, without_the_hotline(replies))
                if first:
                    await move(connection, waiting.conversation_id, replace(met, in_reply_to=waiting.id))
                return first
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: whom to call is told in any case
            log.error("hand_over_failed", message=waiting.id, error=where(error))
            return None


def _outgoing(answer: Answer) -> Outgoing:
    return Outgoing.from_reply(answer.as_reply())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
