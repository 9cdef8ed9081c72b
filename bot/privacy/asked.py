"""A citizen's own word about their data, answered before Rasa and whoever owns the conversation: erase it, or leave it.

Rasa asks ("xóa dữ liệu của tôi" is an intent); the two buttons below its question come here.
"""

from __future__ import annotations

import structlog

from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.conversations import Waiting
from bot.handoff.telling import Address, store
from bot.languages.catalogue import Catalogue
from bot.messages import Outgoing, Payload
from bot.privacy import erasure

log = structlog.get_logger(__name__)

ERASE, KEEP = "erase_my_data", "keep_my_data"
ERASED, KEPT = "utter_data_erased", "utter_data_kept"


class DataRequests:
    """`replies` is asked by the turn."""

    def __init__(self, pool: Pool, catalogue: Catalogue) -> None:
        self._pool, self._catalogue = pool, catalogue

    async def replies(self, waiting: Waiting, payload: Payload | None) -> list[Outgoing] | None:
        """What is said to one of the two buttons; None for everything else."""
        if payload is None or payload.intent not in (ERASE, KEEP):
            return None
        if payload.intent == KEEP:
            return [self._said(KEPT, waiting.language)]
        await self._erase(waiting)
        return []

    async def _erase(self, waiting: Waiting) -> None:
        """The receipt is said in a conversation of its own, which nothing leads to from what was erased, and which goes too."""
        async with self._pool.connection() as connection, connection.transaction():
            erased = await erasure.erase(connection, waiting.conversation_id, asked_by=erasure.CITIZEN)
            if erased is None:
                return
            fresh = await conversations.conversation_of(connection, erased.channel, erased.address, language=erased.language)
            await connection.execute("UPDATE conversations SET forget_at = now() + interval '1 day' WHERE id = %s", [fresh])
            to = Address(fresh, erased.channel, erased.address, erased.language)
            await store(connection, to, self._said(ERASED, erased.language, receipt=erased.receipt))
        log.info("erased_by_citizen", channel=erased.channel, rows=sum(erased.counts.values()))

    def _said(self, key: str, language: str, **values: str) -> Outgoing:
        return Outgoing.from_reply(self._catalogue.answer(key, values, language).as_reply())
