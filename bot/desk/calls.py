"""The citizen's side of a call: what they type about codes is answered here, before Rasa, whoever owns the conversation.

The turn asks `Calls.replies` with every message. A citizen who waits for a person or talks with one may be on the telephone as
well: there the bot says nothing, so the answer is stored with the link.
"""

from __future__ import annotations

import datetime
from typing import Any, cast

import structlog

from bot.database import DictConnection, Pool
from bot.desk import codes
from bot.desk.codes import GET_CODE, UNLINK, Asked, Code, CodeRefused, asked_of
from bot.dialogue.conversations import Waiting
from bot.handoff.telling import Address, store
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.messages import Button, Outgoing, Payload

log = structlog.get_logger(__name__)

CODE, LINKED, UNLINKED, OVER = "utter_call_code", "utter_call_linked", "utter_call_unlinked", "utter_call_over"
REFUSED = {name: f"utter_call_{name}" for name in ("code_unknown", "code_guesses", "code_full")}
# The button below a text: its words in locales/vi/phone.yml, and what it sends.
_GET, _END = ("call_button_code", GET_CODE), ("call_button_unlink", UNLINK)
BUTTONS = {LINKED: _END, REFUSED["code_unknown"]: _GET, REFUSED["code_guesses"]: _GET}


class Calls:
    def __init__(self, pool: Pool, catalogue: Catalogue) -> None:
        self._pool, self._catalogue = pool, catalogue

    async def replies(self, waiting: Waiting, _: Payload | None = None) -> list[Outgoing] | None:
        """What is said to a message about codes; None for every other message. Taken twice, it says the same."""
        asked = asked_of(waiting.text, waiting.payload)
        if asked is None:
            return None
        async with self._pool.connection() as connection, connection.transaction():
            if asked.is_bare and not await codes.is_waiting(connection, asked.code):
                return None
            reply = await self._reply(connection, asked, waiting)
            if waiting.owner != "bot":
                to = Address(waiting.conversation_id, waiting.channel, waiting.address, waiting.language)
                await store(connection, to, reply, in_reply_to=waiting.id, send_key=f"call:{waiting.id}")
        return [reply]

    async def _reply(self, connection: DictConnection, asked: Asked, waiting: Waiting) -> Outgoing:
        try:
            if asked.is_unlink:
                await codes.unlink_by_citizen(connection, waiting.conversation_id)
                return self.told(UNLINKED, waiting.language)
            if not asked.code:
                code = await codes.for_citizen(connection, waiting.conversation_id)
            else:
                code = await codes.link_by_citizen(connection, asked.code, waiting.conversation_id)
        except CodeRefused as refused:
            log.info("call_code_refused", conversation=waiting.conversation_id, reason=refused.reason)
            return self.told(REFUSED[refused.reason], waiting.language)
        return self.told(LINKED if code.is_linked else CODE, waiting.language, code)

    async def tell(self, connection: DictConnection, conversation_id: int, key: str, code: Code | None = None) -> None:
        """Say it in the chat, because of what the operator did."""
        found = await connection.execute(
            "SELECT id, channel, address, language FROM conversations WHERE id = %s", [conversation_id]
        )
        if row := cast(dict[str, Any] | None, await found.fetchone()):
            to = Address(**row)
            await store(connection, to, self.told(key, to.language, code))

    def told(self, key: str, language: str, code: Code | None = None) -> Outgoing:
        values = {"code": code.spoken, "until": clock(code.expires_at)} if code else {}
        reply = self._catalogue.answer(key, values, language).as_reply()
        if key in BUTTONS:
            words, payload = BUTTONS[key]
            button = Button(self._catalogue.fragment(words, language), payload)
            reply["buttons"] = [button.as_dict(), *reply["buttons"]]
        return Outgoing.from_reply(reply)


def clock(moment: datetime.datetime) -> str:
    """`14:05` in Viet Nam."""
    return f"{moment.astimezone(VIETNAM):%H:%M}"
