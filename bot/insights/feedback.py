"""The buttons "helpful" and "not helpful" under some answers, counted per wording of the answer (bot/insights/rollups.py).

Not under every answer: under the first telling of a sourced answer in a conversation, at most once a day there, and of these
under every third, chosen by a hash, so that a turn that is taken twice asks both times or neither. Never beside an alarm, a
hand-over or a greeting. "Not helpful" goes the way of those words when they are typed: other topics, then a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from bot.database import Pool
from bot.dialogue.conversations import Waiting
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Outgoing, Payload

log = structlog.get_logger(__name__)

HELPFUL, NOT_HELPFUL = "helpful", "not_helpful"
THANKS = "utter_feedback_thanks"
WORDS = {HELPFUL: "feedback_helpful", NOT_HELPFUL: "feedback_not_helpful"}
# Of the answers that could be asked about, one in so many is.
ONE_IN = 3
# As many as Zalo shows below one message.
MOST_BUTTONS = 5
# Whoever reads these has no mind for a question about us.
NEVER_BESIDE = frozenset({"utter_emergency", "utter_talk_to_human", "utter_hand_over", "utter_apology", "utter_withdrawn"})


class Feedback:
    def __init__(self, pool: Pool, catalogue: Catalogue) -> None:
        self._pool, self._catalogue = pool, catalogue

    async def asked(self, waiting: Waiting, replies: Sequence[Outgoing]) -> list[Outgoing]:
        """The replies to a message, the last one with the two buttons where the rule says so."""
        if not may_ask(replies) or not is_drawn(waiting.conversation_id, replies[-1]):
            return list(replies)
        try:
            was_here = await self._was_here(waiting, replies[-1].key)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("feedback_not_asked", message=waiting.id, error=type(error).__name__)
            return list(replies)
        return list(replies) if was_here else self._with_buttons(replies)

    async def replies(self, waiting: Waiting, payload: Payload | None) -> list[Outgoing] | None:
        """Thanks for "helpful"; None for every other message. What was pressed is counted from the stored messages."""
        if payload is None or payload.intent != HELPFUL:
            return None
        # With a person there the bot says nothing between.
        answer = self._catalogue.answer(THANKS, language=waiting.language)
        return [answer.as_outgoing()] if waiting.owner == "bot" else []

    async def _was_here(self, waiting: Waiting, key: str) -> bool:
        """Whether this conversation was told the answer before, or was asked about any within a day."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """SELECT EXISTS (SELECT FROM messages WHERE conversation_id = %(id)s AND direction = 'outgoing'
                                     AND (response_key = %(key)s OR (created_at > now() - interval '1 day'
                                          AND buttons @? '$[*].payload ? (@ starts with "/helpful{")'))) AS is_so""",
                {"id": waiting.conversation_id, "key": key},
            )
            return bool(cast(dict[str, Any], await cursor.fetchone())["is_so"])

    def _with_buttons(self, replies: Sequence[Outgoing]) -> list[Outgoing]:
        *before, last = replies
        buttons = tuple(
            Button(self._catalogue.fragment(key, last.language), str(Payload(intent, answer=last.revision)))
            for intent, key in WORDS.items()
        )
        return [*before, replace(last, buttons=(*last.buttons, *buttons))]


def may_ask(replies: Sequence[Outgoing]) -> bool:
    """Pure: whether these replies leave room and reason for the question."""
    if not replies or any(reply.key in NEVER_BESIDE or reply.key.startswith("utter_desk_") for reply in replies):
        return False
    last = replies[-1]
    has_wording = bool(last.key) and Payload.parse(str(Payload(HELPFUL, answer=last.revision))) is not None
    return last.source is not None and last.author == "bot" and has_wording and len(last.buttons) + len(WORDS) <= MOST_BUTTONS


def is_drawn(conversation_id: int, reply: Outgoing) -> bool:
    """The same for an answer's wording in a conversation however often it is asked."""
    seed = f"{conversation_id} {reply.key} {reply.revision}"
    return hashlib.sha256(seed.encode()).digest()[0] % ONE_IN == 0
