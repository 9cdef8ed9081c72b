"""Who handed a rumour over and agreed to hear of it is told the verdict once, while their channel still lets us write.

Looked for each minute. The message is stored and the report marked in one transaction, so a process that dies tells nobody twice.
Whoever is outside the window waits for some days: they may write again. Then the report is dropped, with the reason.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import structlog

from bot.channels.sending import Sender
from bot.content.said import judged
from bot.database import DictConnection, Pool
from bot.dialogue.corrections import REACHABLE, windows, writable_values
from bot.directory.rumours import Rumours
from bot.handoff.telling import Address, store
from bot.languages.catalogue import VIETNAM, Answer, Catalogue
from bot.languages.in_force import Verdict

log = structlog.get_logger(__name__)

RESULT = "utter_report_result"
TOLD_WITHIN = datetime.timedelta(days=14)
# What is over is kept so long for the statistics of staff, without words that it could be known by.
KEPT_AFTER = datetime.timedelta(days=180)
CONVERSATIONS_A_MINUTE = 100

# ruff: noqa: S608  (put together of constants)
DUE_CONVERSATIONS = f"""
    SELECT r.conversation_id, min(r.decided_at) AS since FROM rumour_reports r
      JOIN conversations AS conversation ON conversation.id = r.conversation_id
     WHERE r.telling = 'waiting' AND {REACHABLE} GROUP BY 1 ORDER BY 2 LIMIT %(limit)s"""
LOCKED_CONVERSATION = f"""
    SELECT id, channel, address, language FROM conversations AS conversation
     WHERE id = %(id)s AND {REACHABLE} FOR NO KEY UPDATE"""
DUE_REPORTS = """
    SELECT id, verdict_id, known, reported_at FROM rumour_reports WHERE conversation_id = %s AND telling = 'waiting'
     ORDER BY id FOR UPDATE"""
DROP = """
    UPDATE rumour_reports r SET telling = 'dropped', told_at = now(), telling_reason =
           CASE WHEN c.sending <> 'open' THEN 'the citizen has left'
                WHEN v.ended_at IS NOT NULL OR v.valid_until < (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
                THEN 'the verdict is over'
                ELSE 'could not be reached in time' END
      FROM conversations c, rumour_reports same LEFT JOIN rumour_verdicts v ON v.id = same.verdict_id
     WHERE r.telling = 'waiting' AND c.id = r.conversation_id AND same.id = r.id
       AND (c.sending <> 'open' OR r.decided_at < now() - %s::interval OR v.ended_at IS NOT NULL
            OR v.valid_until < (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)"""


class Telling:
    """`senders`: the channels that push and are switched on here."""

    def __init__(self, pool: Pool, catalogue: Catalogue, rumours: Rumours, senders: Mapping[str, Sender]) -> None:
        self._pool, self._catalogue, self._rumours, self._senders = pool, catalogue, rumours, senders

    async def work(self) -> None:
        """What the periodic job does: drop what cannot be told, tell the rest, forget what is long over."""
        async with self._pool.connection() as connection:
            await connection.execute(DROP.encode(), [TOLD_WITHIN])
            await connection.execute(
                "DELETE FROM rumour_reports WHERE state IN ('answered', 'dismissed') AND decided_at < now() - %s", [KEPT_AFTER]
            )
            cursor = await connection.execute(DUE_CONVERSATIONS.encode(), self._values(limit=CONVERSATIONS_A_MINUTE))
            due = [int(cast(int, row["conversation_id"])) for row in await cursor.fetchall()]
        for conversation_id in due:
            await self.tell(conversation_id)

    async def tell(self, conversation_id: int) -> int:
        """How many messages were stored: one for each verdict, however often it was asked for."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(LOCKED_CONVERSATION.encode(), self._values(id=conversation_id))
            row = cast(dict[str, Any] | None, await cursor.fetchone())
            if row is None:
                return 0
            to = Address(**row)
            cursor = await connection.execute(DUE_REPORTS, [conversation_id])
            reports = cast(list[dict[str, Any]], await cursor.fetchall())
            told = 0
            for about in dict.fromkeys((report["verdict_id"], report["known"]) for report in reports):
                same = [report for report in reports if (report["verdict_id"], report["known"]) == about]
                told += await self._tell_one(connection, to, same)
        return told

    async def _tell_one(self, connection: DictConnection, to: Address, reports: Sequence[Mapping[str, Any]]) -> bool:
        answer = self._answer(reports[0], to.language)
        if answer is None or answer.withdrawn:  # withdrawn, or not heard of in this process yet: the next minute
            return False
        asked_on = f"{reports[0]['reported_at'].astimezone(VIETNAM):%d/%m/%Y}"
        before = self._catalogue.answer(RESULT, {"asked_on": asked_on}, answer.language)
        await store(connection, to, replace(answer, text=f"{before.text}\n\n{answer.text}").as_outgoing())
        await connection.execute(
            "UPDATE rumour_reports SET telling = 'sent', told_at = now() WHERE id = ANY(%s::bigint[])",
            [[report["id"] for report in reports]],
        )
        log.info("rumour_verdict_stored", conversation=to.id, reports=[report["id"] for report in reports])
        return True

    def _answer(self, report: Mapping[str, Any], language: str) -> Answer | None:
        if report["known"] is not None:
            known = self._rumours[report["known"]].answer if report["known"] in self._rumours else None
            return self._catalogue.answer(known, language=language) if known else None
        verdict: Verdict | None = next((v for v in self._catalogue.in_force.verdicts if v.id == report["verdict_id"]), None)
        return judged(self._catalogue, verdict, language) if verdict else None

    def _values(self, **more: Any) -> dict[str, Any]:
        return {**writable_values(windows(self._senders)), **more}
