"""A turn's side to the desk: what a citizen says to the people there, and the bot's answer that a person is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.database import DictConnection, Pool
from bot.dialogue import conversations
from bot.dialogue.beginning import Begun
from bot.dialogue.conversations import Waiting
from bot.dialogue.engine import Engine, EngineUnavailable
from bot.handoff.handing_over import possible, without_the_hotline
from bot.handoff.hearing import Said, heard, in_danger, only_a_model_hears
from bot.handoff.moving import Happening, move, move_from, situation
from bot.handoff.office import office
from bot.handoff.ownership import OWNERS, Event, edge
from bot.log import where
from bot.messages import Outgoing
from bot.metrics import TURNS

log = structlog.get_logger(__name__)

# Ends the turn with these replies; whether this worker was the one.
Finish = Callable[[DictConnection, Waiting, Sequence[Outgoing]], Awaitable[bool]]


class DeskSide:
    def __init__(self, pool: Pool, engine: Engine) -> None:
        self._pool, self._engine = pool, engine

    async def settles(self, begun: Begun) -> bool:
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

    async def hand_over(
        self, connection: DictConnection, finish: Finish, waiting: Waiting, replies: Sequence[Outgoing], wished: Happening
    ) -> bool | None:
        """Whether this worker ended the turn, its case opened in the same transaction; None when there is no desk: then the
        replies say whom to call. `waiting.language`: the one that the conversation goes on in."""
        try:
            async with connection.transaction():
                met = await possible(connection, waiting.conversation_id, waiting.language, wished)
                if met is None:
                    return None
                first = await finish(connection, waiting, without_the_hotline(replies))
                if first:
                    await move(connection, waiting.conversation_id, replace(met, in_reply_to=waiting.id))
                return first
        except Exception as error:  # noqa: BLE001  the turn's outermost handler: whom to call is told in any case
            log.error("hand_over_failed", message=waiting.id, error=where(error))
            return None
