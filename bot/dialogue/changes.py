"""What a citizen did to a message that they had sent, or without a message: edited, withdrew, followed, left."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any, cast

from bot.campaigns.opening import answers_link
from bot.database import DictConnection
from bot.dialogue import conversations, sends
from bot.messages import Edited, Incoming, Interaction, Withdrawn

# Following, opening the chat and a campaign's link often come within a minute: they are one welcome.
GREET_AGAIN_AFTER = datetime.timedelta(hours=24)
GREETED = frozenset({"follow", "chat_now", "referral"})


async def edit(connection: DictConnection, edited: Edited) -> tuple[int, int | None]:
    """(conversation, message that now waits for a turn, or None). Inside a transaction.

    While its turn waits, the message gets the new words; a turn that is under way then is taken again. Was it answered, the new
    words are a new message. An edit that changes no words (a link's preview, a reaction) is nothing, and so is one that comes
    after a later edit or after the deletion. Does it come before its message, it takes the message's place.
    """
    cursor = await connection.execute(
        """SELECT id, conversation_id, text, turn,
                  turn = 'withdrawn' OR coalesce(edited_at > %s, edited_at = 'infinity', false) AS is_over
           FROM messages WHERE direction = 'incoming' AND channel = %s AND provider_id = %s FOR UPDATE""",
        [edited.sent_at, edited.channel, edited.provider_id],
    )
    row = cast(dict[str, Any] | None, await cursor.fetchone())
    if row and (row["text"] == edited.text or row["is_over"]):
        return row["conversation_id"], None
    if row and row["turn"] == "waiting":
        await connection.execute(
            "UPDATE messages SET text = %s, kind = 'text', edits = edits + 1 WHERE id = %s", [edited.text, row["id"]]
        )
        await _note_edit(connection, edited)
        return row["conversation_id"], None
    provider_id = _edited_id(edited) if row else edited.provider_id
    again = Incoming(edited.channel, edited.address, provider_id, "text", text=edited.text, sent_at=edited.sent_at)
    stored = await conversations.store_incoming(connection, again)
    if row is None and stored[1] is None:  # the message itself was stored at this moment
        return await edit(connection, edited)
    await _note_edit(connection, edited)
    return stored


async def _note_edit(connection: DictConnection, edited: Edited) -> None:
    await connection.execute(
        "UPDATE messages SET edited_at = %s WHERE direction = 'incoming' AND channel = %s AND provider_id = %s",
        [edited.sent_at, edited.channel, edited.provider_id],
    )


async def withdraw(connection: DictConnection, withdrawn: Withdrawn) -> int:
    """Blank the message's words and end its turn if it waits; returns the conversation. Inside a transaction.

    A message that comes after its own withdrawal finds its place taken and is never answered.
    """
    cursor = await connection.execute(
        """INSERT INTO conversations AS c (channel, address) VALUES (%s, %s)
           ON CONFLICT (channel, address) DO UPDATE SET owner = c.owner RETURNING id""",
        [withdrawn.channel, withdrawn.address],
    )
    conversation_id = int(cast(dict[str, int], await cursor.fetchone())["id"])
    await connection.execute(
        """INSERT INTO messages AS m (conversation_id, direction, author, channel, provider_id, turn, finished_at)
           VALUES (%s, 'incoming', 'citizen', %s, %s, 'withdrawn', now())
           ON CONFLICT (channel, provider_id) WHERE direction = 'incoming' DO NOTHING""",
        [conversation_id, withdrawn.channel, withdrawn.provider_id],
    )
    await connection.execute(
        """UPDATE messages SET text = '', payload = NULL, attachments = '[]', place = NULL, understood = NULL, edits = edits + 1,
                  edited_at = 'infinity',
                  turn = CASE WHEN turn = 'waiting' THEN 'withdrawn' ELSE turn END, finished_at = coalesce(finished_at, now())
           WHERE direction = 'incoming' AND channel = %(channel)s AND conversation_id = %(conversation_id)s
             AND (provider_id = %(id)s OR starts_with(provider_id, %(edits)s))""",
        {
            "channel": withdrawn.channel,
            "conversation_id": conversation_id,
            "id": withdrawn.provider_id,
            "edits": f"{withdrawn.provider_id}#",
        },
    )
    return conversation_id


async def interact(connection: DictConnection, interaction: Interaction) -> tuple[int | None, int | None]:
    """(conversation, the welcome's message if one is due). Inside a transaction."""
    if interaction.kind == "unfollow":
        return await _leave(connection, interaction), None
    conversation_id = await conversations.conversation_of(
        connection,
        interaction.channel,
        interaction.address,
        campaign=interaction.campaign,
        interacted_at=interaction.sent_at,
    )
    is_greeted = await _was_greeted(connection, conversation_id) and not await answers_link(connection, conversation_id)
    if interaction.kind not in GREETED or is_greeted:
        return conversation_id, None
    start = Incoming(
        interaction.channel,
        interaction.address,
        f"{interaction.kind}:{interaction.provider_id}",
        "start",
        sent_at=interaction.sent_at,
    )
    return await conversations.store_incoming(connection, start)


async def _leave(connection: DictConnection, interaction: Interaction) -> int | None:
    """Close to sending, unless the citizen has come back since: events arrive late and in any order."""
    cursor = await connection.execute(
        """SELECT id FROM conversations WHERE channel = %s AND address = %s
              AND (interacted_at > coalesce(%s, now())) IS NOT TRUE FOR NO KEY UPDATE""",
        [interaction.channel, interaction.address, interaction.sent_at],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    conversation_id = int(cast(int, row["id"]))
    await sends.close_to_sending(connection, conversation_id)
    return conversation_id


async def _was_greeted(connection: DictConnection, conversation_id: int) -> bool:
    """The conversation's row is locked: of two events at once the second sees the first one's welcome."""
    cursor = await connection.execute(
        "SELECT 1 FROM messages WHERE conversation_id = %s AND kind = 'start' AND created_at > now() - %s LIMIT 1",
        [conversation_id, GREET_AGAIN_AFTER],
    )
    return await cursor.fetchone() is not None


def _edited_id(edited: Edited) -> str:
    """The same for a redelivery of this edit, another for the next one."""
    return f"{edited.provider_id}#{hashlib.sha256(edited.text.encode()).hexdigest()[:12]}"
