"""One conversation as its operator reads it: messages with what the bot understood, what happened to the case, notes, drafts.

Each becomes an Item with a key that stays and an order among all; a page that was told of a change exchanges the item.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from bot.database import DictConnection

MOST_MESSAGES = 120
# Events that stand in the transcript as messages already.
SEEN_AS_MESSAGES = ("wrote", "sent")

Kind = Literal["message", "event", "note", "draft"]


@dataclass(frozen=True)
class Item:
    """`fields`: the columns of its kind, as the template shows them."""

    kind: Kind
    id: int
    at: datetime.datetime
    fields: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.id}"

    @property
    def order(self) -> str:
        """Sorts as text; of one moment the message comes before what it led to."""
        moment = self.at.astimezone(datetime.UTC).strftime("%Y%m%d%H%M%S%f")
        return f"{moment}-{'0' if self.kind == 'message' else '1'}-{self.id:012d}"


@dataclass(frozen=True)
class Transcript:
    """`older`: the id of the first message shown, when there are others before it. `sent`: drafts that became messages."""

    items: Sequence[Item]
    older: int | None
    sent: Sequence[str] = ()


async def transcript(
    connection: DictConnection,
    conversation_id: int,
    *,
    before: int | None = None,
    most: int = MOST_MESSAGES,
    ended_at: datetime.datetime | None = None,
) -> Transcript:
    """The newest messages, or those before one of them, with all that happened in their time. `ended_at`: of a case that is over;
    what the citizen says afterwards is for the bot alone."""
    messages = await _messages(connection, conversation_id, before, most, ended_at)
    is_cut = len(messages) > most
    shown = messages[:most]
    since = shown[-1].at if is_cut else None
    until = shown[0].at if before and shown else None
    beside = [item for read in (_events, _notes, _drafts) for item in await read(connection, conversation_id)]
    sent = [item.key for item in beside if item.fields.get("state") == "sent"]
    around = [
        item
        for item in beside
        if item.key not in sent
        and (since is None or item.at >= since)
        and (until is None or item.at <= until)
        and (ended_at is None or item.kind != "event" or item.at <= ended_at)
    ]
    return Transcript(sorted([*shown, *around], key=lambda item: item.order), shown[-1].id if is_cut else None, sent)


async def _messages(
    connection: DictConnection, conversation_id: int, before: int | None, most: int, ended_at: datetime.datetime | None
) -> list[Item]:
    """Newest first, one more than are shown; behind the end only the answer to what the operator asked the bot in giving back."""
    found = await connection.execute(
        """SELECT m.id, m.created_at AS at, m.author, m.kind, m.text, m.payload, m.language, m.attachments, m.place, m.edits,
                  m.turn, m.understood, m.delivery, m.delivery_error, m.response_key, m.buttons, m.in_reply_to, o.name
             FROM messages m LEFT JOIN operators o ON o.id = m.operator_id
            WHERE m.conversation_id = %s AND (%s::bigint IS NULL OR m.id < %s)
              AND (%s::timestamptz IS NULL OR m.created_at <= %s
                   OR EXISTS (SELECT FROM messages a WHERE a.id = m.in_reply_to AND a.author = 'operator' AND a.created_at <= %s))
            ORDER BY m.id DESC LIMIT %s""",
        [conversation_id, before, before, ended_at, ended_at, ended_at, most + 1],
    )
    return [_item("message", row) for row in await found.fetchall()]


async def _events(connection: DictConnection, conversation_id: int) -> list[Item]:
    found = await connection.execute(
        """SELECT e.id, e.at, e.event, e.actor, e.detail, e.case_id FROM case_events e JOIN cases c ON c.id = e.case_id
            WHERE c.conversation_id = %s AND e.event <> ALL(%s) ORDER BY e.id DESC LIMIT %s""",
        [conversation_id, list(SEEN_AS_MESSAGES), MOST_MESSAGES],
    )
    return [_item("event", row) for row in await found.fetchall()]


async def _notes(connection: DictConnection, conversation_id: int) -> list[Item]:
    found = await connection.execute(
        """SELECT n.id, n.at, n.text, o.name, n.case_id FROM case_notes n JOIN cases c ON c.id = n.case_id
             JOIN operators o ON o.id = n.operator_id
            WHERE c.conversation_id = %s ORDER BY n.id DESC LIMIT %s""",
        [conversation_id, MOST_MESSAGES],
    )
    return [_item("note", row) for row in await found.fetchall()]


async def _drafts(connection: DictConnection, conversation_id: int) -> list[Item]:
    found = await connection.execute(
        """SELECT d.id, d.at, d.text, d.state, d.reason, o.name, s.name AS decided_by FROM drafts d
             JOIN cases c ON c.id = d.case_id JOIN operators o ON o.id = d.operator_id
             LEFT JOIN operators s ON s.id = d.decided_by
            WHERE c.conversation_id = %s ORDER BY d.id DESC LIMIT %s""",
        [conversation_id, MOST_MESSAGES],
    )
    return [_item("draft", row) for row in await found.fetchall()]


def _item(kind: Kind, row: dict[str, object]) -> Item:
    fields = cast(dict[str, Any], row)
    return Item(kind, int(fields["id"]), fields["at"], fields)
