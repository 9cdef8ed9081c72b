"""Where a turn begins: what the rules say is next is taken, with what its button means and the campaign that it came through."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.campaigns.opening import Opening, opening_of
from bot.channels import guard
from bot.channels.guard import Hold, Take, Tell
from bot.channels.payloads import meant_by, menu_payloads
from bot.database import DictConnection, Pool
from bot.dialogue import conversations
from bot.dialogue.conversations import Lately, Waiting
from bot.dialogue.delivery import Delivery
from bot.dialogue.queue import TryAgain
from bot.languages.catalogue import Catalogue
from bot.messages import Payload
from bot.metrics import NOTICES


@dataclass(frozen=True)
class Begun:
    """A turn that is taken: its messages, what its button meant, the notice that stands for an answer ("": silence), and the
    campaign that it came through."""

    waiting: Waiting
    payload: Payload | None
    notice: str | None
    opening: Opening | None = None

    @property
    def told_language(self) -> str | None:
        """The language that a link or a button says."""
        if self.opening:
            return self.waiting.language
        return self.payload.language if self.payload else None


class Beginning:
    """Finds the next turn of a conversation and begins it."""

    def __init__(self, pool: Pool, catalogue: Catalogue, delivery: Delivery, a_minute: int) -> None:
        self._pool, self._catalogue, self._delivery, self._a_minute = pool, catalogue, delivery, a_minute
        self._menu = menu_payloads(catalogue)

    async def next(self, conversation_id: int) -> Begun | None:
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
        is_pushed = self._delivery.is_pushed(lately.channel)
        async with self._pool.connection() as connection:
            notice = self._catalogue.answer(step.notice, language=lately.language).as_outgoing()
            delivery = "waiting" if is_pushed else "sent"
            await conversations.tell(connection, conversation_id, lately.queue[0].id, notice, delivery=delivery)
        if is_pushed:
            await self._delivery.deliver(conversation_id)
