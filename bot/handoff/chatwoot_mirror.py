"""Loa's cases as a Chatwoot shows them: made when they are handed over, told message by message, their status kept in step."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, cast

import structlog

from bot.database import DictConnection, Pool
from bot.handoff import cases
from bot.handoff.chatwoot_agents import Agents
from bot.handoff.chatwoot_api import ChatwootApi, ChatwootAway, ChatwootRefused
from bot.handoff.chatwoot_rows import (
    LOOK_EVERY,
    NOT_DELIVERED,
    contact_of,
    here_of,
    is_new,
    locked,
    messages,
    note,
    open_case,
    save,
)
from bot.handoff.chatwoot_words import Words
from bot.handoff.moving import situation
from bot.handoff.office import office
from bot.handoff.telling import say

log = structlog.get_logger(__name__)

INTRO_MESSAGES = 20
BEFORE = datetime.timedelta(minutes=1)
LONGEST_BACKOFF_SECONDS = 60.0
# A hiccup is not told to citizens; what lasts is.
AWAY_AFTER = datetime.timedelta(seconds=30)
AWAY = "utter_desk_away"


class Mirror:
    def __init__(self, pool: Pool, api: ChatwootApi, words: Words, agents: Agents) -> None:
        self._pool, self._api, self._words, self._agents = pool, api, words, agents

    async def conversation(self, conversation_id: int) -> None:
        """Bring this conversation up to date on both sides. One worker at a time; another one leaves it alone."""
        async with self._pool.connection() as connection, locked(connection, conversation_id) as is_ours:
            if not is_ours:
                return
            try:
                await self._mirror(connection, conversation_id)
            except (ChatwootAway, ChatwootRefused) as error:
                await self._failed(connection, conversation_id, error)
            else:
                await save(connection, conversation_id, tries=0, try_after=None)

    async def _mirror(self, connection: DictConnection, conversation_id: int) -> None:
        case = await open_case(connection, conversation_id)
        here = await here_of(connection, conversation_id)
        if case and here["chatwoot_id"] is None:
            await self._make(connection, case, here)
        if here["chatwoot_id"] is None:
            return
        if case and here["case_id"] != case.id:
            await self._introduce(connection, case, here)
        # Before the citizen's words: Chatwoot itself would open what was resolved, which looks like an agent's hand.
        await self._look(connection, conversation_id, here)
        if case and await open_case(connection, conversation_id):
            await self._tell_messages(connection, case, here)
        await self._tell_notes(connection, conversation_id, here)

    async def _make(self, connection: DictConnection, case: cases.Case, here: dict[str, Any]) -> None:
        identifier = contact_of(case.conversation_id)
        attributes = {"channel": case.channel, "language": case.language, "desk": case.desk, "place": case.place or ""}
        made = await self._api.conversation_for(identifier, self._words.contact(case), attributes)
        # What stood there before this case was told or refused in its time.
        for said in await self._api.said_by_agents(made):
            if said.created < (case.opened_at - BEFORE).timestamp():
                await is_new(connection, said.id, case.conversation_id)
        status = await self._api.status(made)
        await save(connection, case.conversation_id, chatwoot_id=made, status=status)
        here |= {"chatwoot_id": made, "status": status}

    async def _introduce(self, connection: DictConnection, case: cases.Case, here: dict[str, Any]) -> None:
        """A note that tells what went before; from the citizen's last words on, everything stands there by itself."""
        found = await connection.execute(
            """SELECT max(id) AS last FROM messages WHERE conversation_id = %s AND author = 'citizen' AND created_at <= %s""",
            [case.conversation_id, case.opened_at],
        )
        last = int(cast(dict[str, Any], await found.fetchone())["last"] or 1)
        before = await messages(connection, case.conversation_id, 0, last - 1, most=INTRO_MESSAGES, is_newest=True)
        await self._post(
            connection, case.conversation_id, here, f"loa:case:{case.id}", self._words.intro(case, before), is_private=True
        )
        here["mirrored_id"] = max(here["mirrored_id"], last - 1)
        await save(connection, case.conversation_id, case_id=case.id, mirrored_id=here["mirrored_id"])

    async def _tell_messages(self, connection: DictConnection, case: cases.Case, here: dict[str, Any]) -> None:
        for message in await messages(connection, case.conversation_id, here["mirrored_id"]):
            # What an agent wrote stands there already.
            if not str(message["send_key"] or "").startswith("chatwoot:"):
                is_citizens = message["author"] == "citizen"
                text = self._words.said(message, is_note=not is_citizens)
                source = f"loa:{message['id']}"
                await self._post(connection, case.conversation_id, here, source, text, is_private=not is_citizens)
            await save(connection, case.conversation_id, mirrored_id=message["id"])

    async def _tell_notes(self, connection: DictConnection, conversation_id: int, here: dict[str, Any]) -> None:
        found = await connection.execute(
            """SELECT id, delivery, text FROM messages m WHERE conversation_id = %s AND send_key LIKE 'chatwoot:%%'
                  AND delivery = ANY(%s) AND NOT EXISTS (SELECT FROM chatwoot_notes n WHERE n.about = 'delivery:' || m.id)""",
            [conversation_id, list(NOT_DELIVERED)],
        )
        for row in cast(list[dict[str, Any]], await found.fetchall()):
            about, words = f"delivery:{row['id']}", f"delivery_{row['delivery']}"
            await note(connection, conversation_id, about, words, text=row["text"][:200])
        found = await connection.execute(
            "SELECT id, words, detail FROM chatwoot_notes WHERE conversation_id = %s AND posted_at IS NULL ORDER BY id",
            [conversation_id],
        )
        for row in cast(list[dict[str, Any]], await found.fetchall()):
            text = self._words.note(row["words"], row["detail"])
            await self._post(connection, conversation_id, here, f"loa:note:{row['id']}", text, is_private=True)
            await connection.execute("UPDATE chatwoot_notes SET posted_at = now() WHERE id = %s", [row["id"]])

    async def _look(self, connection: DictConnection, conversation_id: int, here: dict[str, Any]) -> None:
        """What agents wrote and did there, also what no webhook told; then the status that follows from the case."""
        number, looked_at = here["chatwoot_id"], here["looked_at"]
        is_fresh = looked_at is not None and looked_at > _now() - LOOK_EVERY and not here["is_due"]
        if is_fresh and await self._wanted(connection, conversation_id, here["status"]) == here["status"]:
            return
        await save(connection, conversation_id, is_due=False)
        for said in await self._api.said_by_agents(number):
            await self._agents.take(said)
        status = await self._api.status(number)
        if status != here["status"]:
            await self._agents.obey(connection, conversation_id, status)
            await save(connection, conversation_id, status=status)
        wanted = await self._wanted(connection, conversation_id, status)
        if wanted != status:
            await self._api.set_status(number, wanted)
        await save(connection, conversation_id, status=wanted, looked_at=_now())

    async def _wanted(self, connection: DictConnection, conversation_id: int, status: str) -> str:
        """Open while people have it; pending while the bot speaks, where it may also rest at resolved."""
        found = await connection.execute(
            """SELECT c.owner, EXISTS (SELECT FROM cases k WHERE k.conversation_id = c.id AND k.state <> 'ended') AS has_case
                 FROM conversations c WHERE c.id = %s""",
            [conversation_id],
        )
        row = cast(dict[str, Any], await found.fetchone())
        if row["has_case"]:
            return "snoozed" if status == "snoozed" else "open"
        if row["owner"] == "closed" or status == "resolved":
            return "resolved"
        return "pending"

    async def _post(
        self,
        connection: DictConnection,
        conversation_id: int,
        here: Mapping[str, Any],
        source: str,
        text: str,
        *,
        is_private: bool,
    ) -> None:
        """Once: a worker that died while it posted this left its name, and it is looked up before it is posted again."""
        number = here["chatwoot_id"]
        # The name stays behind, also when all went well: the next post writes its own over it.
        if here["posting"] == source and await self._api.has(number, source):
            return
        await save(connection, conversation_id, posting=source)
        try:
            await self._api.post(number, text, source, is_private=is_private)
        except ChatwootRefused as error:
            if error.status != 422:
                raise
            # This one message will never be taken; the others must not wait behind it.
            log.error("chatwoot_takes_no_such_message", conversation=conversation_id, source=source)

    async def _failed(self, connection: DictConnection, conversation_id: int, error: ChatwootAway | ChatwootRefused) -> None:
        if isinstance(error, ChatwootRefused) and error.status == 404:
            # Deleted there: made again.
            await save(connection, conversation_id, chatwoot_id=None, case_id=None, status="pending")
        found = await connection.execute(
            """UPDATE chatwoot_conversations SET tries = tries + 1, looked_at = NULL,
                      try_after = now() + make_interval(secs => least(2 ^ least(tries, 10), %s)) WHERE conversation_id = %s
               RETURNING tries, told_away""",
            [LONGEST_BACKOFF_SECONDS, conversation_id],
        )
        row = cast(dict[str, Any], await found.fetchone())
        log.warning("chatwoot_not_reached", conversation=conversation_id, error=str(error), tries=row["tries"])
        case = await open_case(connection, conversation_id)
        is_told = case is None or case.owner != "queue" or row["told_away"] == case.id
        if case and not is_told and case.waiting_since < _now() - AWAY_AFTER:
            await self._tell_away(connection, case)

    async def _tell_away(self, connection: DictConnection, case: cases.Case) -> None:
        async with connection.transaction():
            now = await situation(connection, case.conversation_id)
            await save(connection, case.conversation_id, told_away=case.id)
            await say(connection, now.to, AWAY, {"desk": office().desks.named(case.desk).name})


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
