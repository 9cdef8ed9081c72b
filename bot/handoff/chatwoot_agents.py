"""What agents of a Chatwoot do with Loa's cases: words claim one and go to the citizen, a status ends it or gives it back."""

from __future__ import annotations

import secrets
from typing import Any, cast

import structlog

from bot.audit import entry
from bot.database import DictConnection, Pool
from bot.handoff import cases
from bot.handoff.cases import CaseRefused
from bot.handoff.chatwoot_api import AgentMessage
from bot.handoff.chatwoot_rows import is_new, known, note, open_case
from bot.handoff.moving import situation
from bot.messages import Outgoing, clean_text

log = structlog.get_logger(__name__)

# The account in whose name agents act. It has no password that anybody could type.
ACCOUNT, NO_PASSWORD = "chatwoot", "!"


class Agents:
    """Every step is a transaction of its own; what is refused becomes a note for the agents."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._operator_id: int | None = None

    async def take(self, said: AgentMessage) -> None:
        """Store an agent's words for the citizen, or a note that says why not. Told again, nothing happens."""
        async with self._pool.connection() as connection:
            await self.operator(connection)
            async with connection.transaction():
                conversation_id = await known(connection, said.chatwoot_id)
                if conversation_id is not None and await is_new(connection, said.id, conversation_id):
                    await self._take(connection, conversation_id, said)

    async def obey(self, connection: DictConnection, conversation_id: int, status: str) -> None:
        """An agent has set this status."""
        operator_id = await self.operator(connection)
        try:
            async with connection.transaction():
                now = await situation(connection, conversation_id)
                if now.case_id is None:
                    if status == "open":
                        await self._claimed(connection, conversation_id, ACCOUNT)
                    return
                if status == "resolved":
                    await cases.close(connection, now.case_id, operator_id, ACCOUNT, "solved", None)
                    await connection.execute(*entry(ACCOUNT, "case_closed", f"case:{now.case_id}"))
                elif status == "pending":
                    await self._claimed(connection, conversation_id, ACCOUNT)
                    await cases.give_back(connection, now.case_id, operator_id, ACCOUNT)
                    await connection.execute(*entry(ACCOUNT, "case_given_back", f"case:{now.case_id}"))
        except CaseRefused as no:
            words = "refused_claimed_by" if no.reason == "claimed_by" else "refused_other"
            await note(connection, conversation_id, f"status:{conversation_id}:{secrets.token_hex(8)}", words, **no.values)

    async def types(self, chatwoot_id: int) -> tuple[str, str] | None:
        """An agent is writing: the citizen's channel and address, None where agents have no case."""
        async with self._pool.connection() as connection:
            conversation_id = await known(connection, chatwoot_id)
            case = await open_case(connection, conversation_id) if conversation_id is not None else None
            return await cases.type(connection, case.id, await self.operator(connection), ACCOUNT) if case else None

    async def operator(self, connection: DictConnection) -> int:
        """The account of the agents: made on first use, opened again if Chatwoot was off for a time. Asked first outside of any
        transaction: what is rolled back would be remembered here."""
        if self._operator_id is None:
            await enable_account(connection)
            found = await connection.execute("SELECT id FROM operators WHERE name = %s", [ACCOUNT])
            self._operator_id = int(cast(dict[str, Any], await found.fetchone())["id"])
        return self._operator_id

    async def _take(self, connection: DictConnection, conversation_id: int, said: AgentMessage) -> None:
        if said.files:
            await note(connection, conversation_id, f"files:{said.id}", "files_not_sent", count=said.files)
        if not clean_text(said.text).strip():
            return
        try:
            async with connection.transaction():
                await self._send(connection, conversation_id, said)
        except CaseRefused as no:
            words = "refused_claimed_by" if no.reason == "claimed_by" else "refused_other"
            await note(connection, conversation_id, f"refused:{said.id}", words, **no.values)
            log.info("agents_message_refused", conversation=conversation_id, chatwoot_message=said.id, reason=no.reason)

    async def _send(self, connection: DictConnection, conversation_id: int, said: AgentMessage) -> None:
        case_id = await self._claimed(connection, conversation_id, said.name)
        message = Outgoing(text=clean_text(said.text), author="operator")
        key = f"chatwoot:{said.id}"
        stored = await cases.send(connection, case_id, await self.operator(connection), said.name, message, key=key)
        await connection.execute(*entry(f"chatwoot:{said.name}", "message_sent", f"case:{case_id}", message=stored))

    async def _claimed(self, connection: DictConnection, conversation_id: int, name: str) -> int:
        """The case of the conversation in the agents' hands: the one that waits, or a new one when they write by themselves."""
        now = await situation(connection, conversation_id)
        case_id = now.case_id or await cases.open_case(connection, conversation_id, reason="phone")
        before = await cases.get(connection, case_id)
        operator_id = await self.operator(connection)
        await cases.claim(connection, case_id, operator_id, name)
        if before is None or before.operator_id != operator_id:
            await connection.execute(*entry(f"chatwoot:{name}", "case_claimed", f"case:{case_id}"))
        return case_id


async def enable_account(connection: DictConnection) -> None:
    """The account of the agents counts as somebody who works at the desk; nobody can log in with it."""
    await connection.execute(
        """INSERT INTO operators (name, role, password_hash, must_change_password) VALUES (%s, 'operator', %s, false)
           ON CONFLICT (name) DO UPDATE SET disabled_at = NULL WHERE operators.password_hash = %s""",
        [ACCOUNT, NO_PASSWORD, NO_PASSWORD],
    )


async def disable_account(connection: DictConnection) -> None:
    """Chatwoot is switched off: its agents are at the desk no longer."""
    await connection.execute(
        "UPDATE operators SET disabled_at = now() WHERE name = %s AND password_hash = %s AND disabled_at IS NULL",
        [ACCOUNT, NO_PASSWORD],
    )
