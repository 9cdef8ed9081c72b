"""Copies in a Chatwoot of what Loa has deleted, by a citizen's word, by staff or by age: a trigger notes them, here they go.

Chatwoot deletes a contact together with its conversations (`DELETE /contacts/{id}`, with the token of an administrator).
"""

from __future__ import annotations

from typing import Any, cast

import structlog

from bot.database import DictConnection
from bot.handoff.chatwoot_api import ChatwootApi, ChatwootAway, ChatwootRefused
from bot.handoff.chatwoot_rows import contact_of, locked
from bot.settings import ChatwootSettings

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 20
LONGEST_BACKOFF_SECONDS = 3600.0


async def delete_copies(connection: DictConnection, api: ChatwootApi) -> None:
    """All that are due, until Chatwoot fails; the others wait for the next time."""
    found = await connection.execute(
        """SELECT number FROM chatwoot_copies WHERE try_after IS NULL OR try_after <= now() ORDER BY since, number LIMIT %s""",
        [MOST_AT_ONCE],
    )
    for row in cast(list[dict[str, Any]], await found.fetchall()):
        if await _delete(connection, api, int(row["number"])) is not None:
            return


async def deleted_at_once(connection: DictConnection, settings: ChatwootSettings | None, conversation_id: int) -> str:
    """For whoever erased a conversation by hand: a sentence on its copy; empty when there is none."""
    found = await connection.execute("SELECT 1 FROM chatwoot_copies WHERE number = %s", [conversation_id])
    if await found.fetchone() is None:
        return ""
    contact = contact_of(conversation_id)
    if settings is None:
        return f"A Chatwoot that is not set up any more may hold a copy: delete its contact {contact} there by hand."
    api = ChatwootApi(settings)
    try:
        failed = await _delete(connection, api, conversation_id)
    finally:
        await api.close()
    if failed is None:
        return f"Chatwoot: the contact {contact} is deleted there with its conversations."
    return f"Chatwoot: the contact {contact} is not deleted there yet ({failed}). Loa tries again while it serves."


async def _delete(connection: DictConnection, api: ChatwootApi, conversation_id: int) -> str | None:
    """None when the copy is gone, else why not. Under the lock with which it was made, so that nothing is added behind."""
    async with locked(connection, conversation_id) as is_ours:
        if not is_ours:
            return "it is being worked on"
        try:
            await api.delete_contact(contact_of(conversation_id))
        except (ChatwootAway, ChatwootRefused) as error:
            await connection.execute(
                """UPDATE chatwoot_copies SET tries = tries + 1,
                          try_after = now() + make_interval(secs => least(2 ^ least(tries + 1, 12), %s))
                    WHERE number = %s""",
                [LONGEST_BACKOFF_SECONDS, conversation_id],
            )
            log.warning("chatwoot_copy_not_deleted", conversation=conversation_id, error=str(error))
            return str(error)
        await connection.execute("DELETE FROM chatwoot_copies WHERE number = %s", [conversation_id])
        log.info("chatwoot_copy_deleted", conversation=conversation_id)
        return None
