"""What a pressed button means. A payload counts only if a message of ours in this conversation carried it.

Platforms limit what a button brings back (Telegram 64 bytes) or show it (Zalo), so buttons carry `short_id(payload)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from bot.database import DictConnection
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Payload

PREFIX = "loa-"
DIGITS = 20
# What channels offer beside messages: commands, a persistent menu, the first page of the web chat.
MENU_INTENTS = ("help_menu", "choose_language", "unsubscribe", "talk_to_human", "hotline")
MENU_RESPONSES = ("utter_welcome", "utter_topic_menu")


def short_id(payload: str) -> str:
    """24 ASCII characters, the same for a payload on every machine and for ever (SQL: loa_short_id)."""
    return PREFIX + hashlib.sha256(payload.encode()).hexdigest()[:DIGITS]


def menu_payloads(catalogue: Catalogue) -> frozenset[str]:
    """The payloads that a citizen may send without a message of ours before."""
    buttons: list[Button] = [button for key in MENU_RESPONSES for button in catalogue.answer(key).buttons]
    offered = {b.payload for b in (*buttons, *catalogue.language_buttons()) if b.payload}
    return frozenset(offered | {f"/{intent}" for intent in MENU_INTENTS})


async def meant_by(connection: DictConnection, conversation_id: int, text: str, menu: Collection[str] = ()) -> Payload | None:
    """The payload that `text` (itself, or its short id) stands for; None if we never offered it here."""
    known = next((payload for payload in menu if text in (payload, short_id(payload))), None)
    return Payload.parse(known or await _offered(connection, conversation_id, text) or "")


async def _offered(connection: DictConnection, conversation_id: int, text: str) -> str | None:
    cursor = await connection.execute(
        """WITH named AS (SELECT coalesce((SELECT payload FROM payload_ids WHERE id = %(text)s), %(text)s) AS payload)
           SELECT payload FROM named WHERE EXISTS (
               SELECT 1 FROM messages WHERE conversation_id = %(conversation_id)s AND direction = 'outgoing'
                  AND buttons @> jsonb_build_array(jsonb_build_object('payload', named.payload)))""",
        {"text": text, "conversation_id": conversation_id},
    )
    row = await cursor.fetchone()
    return str(row["payload"]) if row else None
