"""Corrections of told figures: looked for each minute, sent when their time of reflection is over and nobody stopped them.

The store decides who was told what (bot/figures/correction_store.py); here it is decided who can be told now. A conversation
gets one message for all that is due. It is stored, marked and deferred in one transaction, then delivered like any other: a
process that dies before leaves it unsent, one that dies after leaves a stored message, and neither sends it twice.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import structlog

from bot.channels.sending import Sender
from bot.channels.webchat import CHANNEL as WEBCHAT
from bot.channels.webchat import SESSION_DAYS
from bot.database import DictConnection, Pool
from bot.dialogue.delivery import WINDOW_MARGIN
from bot.figures.correction_store import Correction, Proposed, close_finished, correction_of, propose
from bot.figures.corrections import TOLD_WITHIN, published_address
from bot.figures.places import FigurePlaces
from bot.figures.readings import METRICS, VIETNAM
from bot.figures.store import WRITE_MILLISECONDS, connected
from bot.handoff.telling import Address, store
from bot.languages.catalogue import Answer, Catalogue
from bot.languages.figure_lines import corrected_lines
from bot.metrics import CORRECTIONS
from bot.settings import ROOT

log = structlog.get_logger(__name__)

RESPONSE = "utter_figures_corrected"
# A message about an old number must not keep answers waiting in a platform's rate limit.
CONVERSATIONS_A_MINUTE = 200
# Figures that did not change need no look each minute; a message that was under way at the last look needs one some time.
LOOK_AGAIN_SECONDS = 600.0

# Nobody is written to who has left, or outside the channel's window (`windows`).
WRITABLE = """conversation.sending = 'open' AND EXISTS (
    SELECT FROM unnest(%(channels)s::text[], %(windows)s::interval[]) AS may (channel, within)
     WHERE may.channel = conversation.channel AND (may.within IS NULL OR now() < may.within +
           CASE WHEN may.channel = %(webchat)s THEN conversation.created_at ELSE conversation.interacted_at END))"""
# A person's talk and a closed conversation wait too.
REACHABLE = f"conversation.owner = 'bot' AND {WRITABLE}"
DUE = "c.state = 'proposed' AND c.send_at <= now() AND r.state = 'waiting' AND r.told_at > now() - %(told_within)s::interval"
# ruff: noqa: S608  (put together of the constants above)
DUE_CONVERSATIONS = f"""
    SELECT r.conversation_id FROM correction_recipients r JOIN corrections c ON c.id = r.correction_id
      JOIN conversations AS conversation ON conversation.id = r.conversation_id
     WHERE {DUE} AND {REACHABLE} GROUP BY 1 ORDER BY min(r.told_at) LIMIT %(limit)s"""
LOCKED_CONVERSATION = f"""
    SELECT id, channel, address, language FROM conversations AS conversation
     WHERE id = %(id)s AND {REACHABLE} FOR NO KEY UPDATE"""
DUE_CORRECTIONS = f"""
    SELECT c.* FROM corrections c JOIN correction_recipients r ON r.correction_id = c.id
     WHERE r.conversation_id = %(id)s AND {DUE} ORDER BY c.span <> 'total', c.place, c.metric, c.as_of DESC, c.id
       FOR SHARE OF c"""
# By an answer of their own, or one that is on its way: nothing is left to correct.
TOLD_SINCE = """
    UPDATE correction_recipients r SET state = 'dropped', reason = 'was told the new number since', finished_at = now()
      FROM corrections c
     WHERE c.id = r.correction_id AND r.conversation_id = %s AND c.id = ANY(%s::bigint[]) AND r.state = 'waiting'
       AND EXISTS (SELECT FROM messages m
                    WHERE m.conversation_id = r.conversation_id AND m.id > r.message_id AND m.direction = 'outgoing'
                      AND m.delivery IN ('sent', 'waiting', 'sending') AND m.figures @> c.new_ids AND m.figures <> '{}')"""


class Corrections:
    """`senders`: the channels that push and are switched on here. `hold`: how long staff may look first."""

    def __init__(
        self, pool: Pool, catalogue: Catalogue, senders: Mapping[str, Sender], url: str, hold: datetime.timedelta
    ) -> None:
        self._pool, self._catalogue, self._senders = pool, catalogue, senders
        self._url, self._hold = url, hold
        self._looked: tuple[int, float] = (-1, 0.0)

    async def work(self) -> None:
        """What the periodic job does: look, send, close."""
        await self.look()
        await self.send_due()
        await asyncio.to_thread(self._close)

    async def look(self) -> None:
        """Propose what is wrong by now, unless no figure has changed since the last look."""
        version = await self._version()
        if version == self._looked[0] and time.monotonic() - self._looked[1] < LOOK_AGAIN_SECONDS:
            return
        done = await asyncio.to_thread(self._propose)
        self._looked = (version, time.monotonic())
        for change, ids in vars(done).items():
            if ids:
                log.info("figure_corrections_changed", change=change, corrections=ids)

    async def send_due(self) -> int:
        """Store the messages that are due, a conversation at a time; how many."""
        sent = 0
        for conversation_id in await self._due():
            sent += await self.send(conversation_id)
        return sent

    async def send(self, conversation_id: int) -> bool:
        """One message for all that is due in this conversation; False when nothing is, or nobody can be reached there now."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(LOCKED_CONVERSATION.encode(), self._values(id=conversation_id))
            conversation = cast(dict[str, Any] | None, await cursor.fetchone())
            due = await self._due_in(connection, conversation_id) if conversation else []
            if conversation is None or not due:
                return False
            answer = message(self._catalogue, FigurePlaces.below(ROOT), due, conversation["language"])
            if answer.withdrawn:
                log.error("figure_correction_withdrawn", key=RESPONSE)
                return False
            await self._store(connection, conversation, due, answer)
        CORRECTIONS.labels(conversation["channel"]).inc()
        log.info("figure_correction_stored", conversation=conversation_id, corrections=[one.id for one in due])
        return True

    async def _due(self) -> list[int]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(DUE_CONVERSATIONS.encode(), self._values(limit=CONVERSATIONS_A_MINUTE))
            return [int(cast(int, row["conversation_id"])) for row in await cursor.fetchall()]

    async def _due_in(self, connection: DictConnection, conversation_id: int) -> list[Correction]:
        """The corrections that this conversation waits for, locked: nobody stops them and nobody else sends them meanwhile."""
        cursor = await connection.execute(DUE_CORRECTIONS.encode(), self._values(id=conversation_id))
        rows = {row["id"]: row for row in cast(list[dict[str, Any]], await cursor.fetchall())}
        await connection.execute(TOLD_SINCE, [conversation_id, list(rows)])
        cursor = await connection.execute(
            """SELECT correction_id FROM correction_recipients
                WHERE conversation_id = %s AND correction_id = ANY(%s::bigint[]) AND state = 'waiting' FOR UPDATE""",
            [conversation_id, list(rows)],
        )
        waiting = {row["correction_id"] for row in await cursor.fetchall()}
        return [correction_of(row) for id_, row in rows.items() if id_ in waiting]

    async def _store(
        self, connection: DictConnection, conversation: Mapping[str, Any], due: Sequence[Correction], answer: Answer
    ) -> None:
        stored = await store(connection, Address(**conversation), answer.as_outgoing())
        await connection.execute(
            """UPDATE correction_recipients SET state = 'sent', sent_id = %s, finished_at = now()
                WHERE conversation_id = %s AND correction_id = ANY(%s::bigint[])""",
            [stored, conversation["id"], [one.id for one in due]],
        )

    def _values(self, **more: Any) -> dict[str, Any]:
        return {**writable_values(windows(self._senders)), "told_within": TOLD_WITHIN, **more}

    def _propose(self) -> Proposed:
        now = datetime.datetime.now(datetime.UTC)
        with connected(self._url, WRITE_MILLISECONDS) as connection:
            return propose(connection, FigurePlaces.below(ROOT), units(self._catalogue), now, self._hold)

    def _close(self) -> None:
        with connected(self._url, WRITE_MILLISECONDS) as connection:
            close_finished(connection)

    async def _version(self) -> int:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT version FROM figures_version")
            row = await cursor.fetchone()
            return int(cast(int, row["version"])) if row else 0


def windows(senders: Mapping[str, Sender]) -> dict[str, datetime.timedelta | None]:
    """How long after a citizen's last sign of life each channel may write, None for ever. A page's session ends some days after
    it began, which is when its conversation began, a moment earlier."""
    return {name: sender.window for name, sender in senders.items()} | {WEBCHAT: datetime.timedelta(days=SESSION_DAYS)}


def writable_values(windows: Mapping[str, datetime.timedelta | None]) -> dict[str, Any]:
    """What WRITABLE is asked with."""
    within = [window and window - WINDOW_MARGIN for window in windows.values()]
    return {"channels": list(windows), "windows": within, "webchat": WEBCHAT}


def units(catalogue: Catalogue) -> dict[str, str]:
    """What stands behind a number in an answer, by metric."""
    return {metric: catalogue.fragments[f"figure_unit_{metric}"] for metric in METRICS}


def message(catalogue: Catalogue, places: FigurePlaces, due: Sequence[Correction], language: str = "vi") -> Answer:
    """The one message about these corrections, as a citizen gets it."""
    lead = due[0]
    entry_length = len(catalogue.entries[RESPONSE].text)
    values = {
        "corrected": corrected_lines([_as_value(one, places) for one in due], catalogue.fragments, beside=entry_length),
        "figures": sorted({id_ for one in due for id_ in one.new_ids}),
        "published": {
            "issuer": lead.issuer,
            "as_of": lead.subject.as_of.isoformat(),
            "url": published_address(lead.subject.feed, lead.url),
            "fetched_on": lead.fetched_at.astimezone(VIETNAM).date().isoformat(),
        },
    }
    return catalogue.answer(RESPONSE, values, language)


def _as_value(correction: Correction, places: FigurePlaces) -> dict[str, Any]:
    subject = correction.subject
    return {
        "metric": subject.metric,
        "place_name": places.unit(subject.place).name,
        "kind": subject.span,
        "days": correction.days,
        "as_of": subject.as_of.isoformat(),
        "starts_at": correction.starts_at.isoformat() if correction.starts_at else None,
        "ends_at": correction.ends_at.isoformat() if correction.ends_at else None,
        "told_value": correction.told_value,
        "value": correction.new_value,
        "issuer": correction.issuer,
    }
