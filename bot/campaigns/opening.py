"""Somebody came through a campaign: which, what to greet them with, and how its code is read from what they typed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.campaigns.codes import spoken_codes
from bot.database import DictConnection
from bot.languages.catalogue import Catalogue
from bot.messages import Incoming, Outgoing, Payload

# The response key of a campaign's own words: by it they are taken out of the history within the hour (counting.py).
OWN_WELCOME = "campaign_welcome"
WELCOME, AGAIN = "utter_campaign_welcome", "utter_campaign_again"
USUAL_WELCOME = "utter_welcome"


@dataclass(frozen=True)
class Opening:
    """A link that was opened, of a campaign that runs. `topic`: the intent that is answered at once; `welcome`: its own words,
    approved; "" for none. `knows_loa`: the citizen has been told before who answers here."""

    topic: str
    language: str
    place: str
    welcome: str
    knows_loa: bool

    @property
    def payload(self) -> Payload | None:
        """The topic's answer, in the campaign's language or for its place, as a button would ask for it."""
        if not self.topic:
            return None
        if self.language != "vi":
            return Payload(self.topic, language=self.language)
        return Payload(self.topic, place=self.place or None)

    def spoken_in(self, language: str) -> str:
        """The campaign's language; whoever talks in another one than Vietnamese is not brought back by a Vietnamese link."""
        return language if self.language == "vi" else self.language

    def greeting(self, catalogue: Catalogue, language: str) -> list[Outgoing]:
        """What stands before the topic's answer, in the conversation's language; a campaign's own words as they are."""
        if self.welcome:
            revision = hashlib.sha256(self.welcome.encode()).hexdigest()[:8]
            return [Outgoing(self.welcome, key=OWN_WELCOME, revision=revision, language=self.language)]
        answer = catalogue.answer(AGAIN if self.knows_loa else WELCOME, language=language)
        if answer.language != language:  # not translated yet: the usual welcome may be, and the answer comes in any case
            answer = catalogue.answer(USUAL_WELCOME, language=language)
        return [] if self.knows_loa and answer.key == USUAL_WELCOME else [answer.as_outgoing()]


async def opening_of(connection: DictConnection, message_id: int) -> Opening | None:
    """The campaign whose link brought this message, while it runs; None for anything else: then Loa greets as always."""
    cursor = await connection.execute(
        """SELECT coalesce(k.topic, '') AS topic, k.language, coalesce(k.place, '') AS place, coalesce(w.welcome, '') AS welcome,
                   m.channel = 'webchat' OR EXISTS (SELECT FROM messages e WHERE e.conversation_id = c.id AND e.id < m.id
                                                       AND e.direction = 'outgoing') AS knows_loa
            FROM messages m JOIN conversations c ON c.id = m.conversation_id AND c.campaign_opened_at = m.created_at
            JOIN campaigns_running k ON k.code = lower(c.campaign)
            LEFT JOIN LATERAL (SELECT t.welcome FROM campaign_texts t WHERE t.campaign_id = k.id AND t.state = 'approved'
                               ORDER BY t.id DESC LIMIT 1) w ON true
            WHERE m.id = %s AND (k.topic IS NOT NULL OR coalesce(w.welcome, '') <> '')""",
        [message_id],
    )
    row = await cursor.fetchone()
    return Opening(**cast(dict[str, Any], row)) if row else None


async def with_typed_code(connection: DictConnection, incoming: Incoming) -> Incoming:
    """The message with the code that its words carry (`#tet2026 tiêm ở đâu`, `mã Tết 2026`) taken out of them.

    Only codes of campaigns: a citizen's own hashtags and numbers stay words.
    """
    if incoming.kind != "text" or incoming.campaign or incoming.payload:
        return incoming
    for spoken in spoken_codes(incoming.text):
        cursor = await connection.execute("SELECT code FROM campaigns WHERE replace(code, '-', '') = %s", [spoken.key])
        if row := await cursor.fetchone():
            found = replace(incoming, campaign=str(row["code"]), text=spoken.rest)
            return found if spoken.rest or incoming.attachments else replace(found, kind="start")
    return incoming


async def answers_link(connection: DictConnection, conversation_id: int) -> bool:
    """Whether a link that was opened in a talk under way is to be answered: of a campaign that runs, not answered a minute ago.

    Inside the transaction that noted it.
    """
    cursor = await connection.execute(
        """SELECT 1 FROM conversations c JOIN campaigns_running k ON k.code = lower(c.campaign)
            WHERE c.id = %s AND c.campaign_opened_at = now()
              AND NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.kind = 'start'
                                 AND m.created_at >= c.campaign_at AND m.created_at > now() - interval '1 minute')""",
        [conversation_id],
    )
    return await cursor.fetchone() is not None
