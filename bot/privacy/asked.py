"""A citizen's own word about their data, answered before Rasa and whoever owns the conversation: erase it, or leave it.

Rasa asks ("xóa dữ liệu của tôi" is an intent); the two buttons below its question come here. Who waits for a person or talks with
one is not heard by Rasa: then a table knows the words (data/directory/erase_words.yml).
"""

from __future__ import annotations

from functools import cache

import structlog

from bot.database import Pool
from bot.dialogue import conversations
from bot.dialogue.conversations import Waiting
from bot.handoff.telling import Address, store
from bot.languages.catalogue import Catalogue
from bot.languages.danger import danger_sign
from bot.languages.normalise import fold
from bot.languages.phrases import words_of
from bot.messages import Outgoing, Payload
from bot.privacy import erasure
from bot.settings import ROOT
from bot.yaml_files import read_yaml

log = structlog.get_logger(__name__)

ERASE, KEEP = "erase_my_data", "keep_my_data"
ASKED, ERASED, KEPT = "utter_delete_my_data", "utter_data_erased", "utter_data_kept"
TABLE = "data/directory/erase_words.yml"
# Longer lines tell something besides: whoever answers the citizen reads it.
MOST_WORDS = 12
LOOKED_AT = 200


class DataRequests:
    """`replies` is asked by the turn."""

    def __init__(self, pool: Pool, catalogue: Catalogue) -> None:
        self._pool, self._catalogue = pool, catalogue

    async def replies(self, waiting: Waiting, payload: Payload | None) -> list[Outgoing] | None:
        """What is said to one of the two buttons, and to the wish where Rasa is not asked; None for everything else."""
        if payload is None:
            is_wish = waiting.owner != "bot" and waiting.author == "citizen" and asks_to_erase(waiting.text)
            return await self._told(ASKED, waiting) if is_wish else None
        if payload.intent == ERASE:
            await self._erase(waiting)
            return []
        return await self._told(KEPT, waiting) if payload.intent == KEEP else None

    async def _told(self, key: str, waiting: Waiting) -> list[Outgoing]:
        """Whoever owns the conversation: it is between the citizen and Loa alone."""
        said = self._said(key, waiting.language)
        if waiting.owner == "bot":
            return [said]
        to = Address(waiting.conversation_id, waiting.channel, waiting.address, waiting.language)
        async with self._pool.connection() as connection, connection.transaction():
            await store(connection, to, said, in_reply_to=waiting.id, send_key=f"data:{waiting.id}")
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
        return self._catalogue.answer(key, values, language).as_outgoing()


def asks_to_erase(text: str) -> bool:
    """Whether a short text holds one of the table's phrases; danger is heard before it."""
    words = [fold(word) for word in words_of(text[:LOOKED_AT])]
    said = f" {' '.join(words)} "
    return len(words) <= MOST_WORDS and any(phrase in said for phrase in _phrases()) and not danger_sign(text)


@cache
def _phrases() -> tuple[str, ...]:
    table = read_yaml(ROOT / TABLE)["erase"]
    return tuple(f" {' '.join(fold(word) for word in words_of(phrase))} " for phrases in table.values() for phrase in phrases)
