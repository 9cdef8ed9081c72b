"""What a citizen is told by an edge, and how a message of the desk is stored: in the transaction of what it tells."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, cast

from psycopg.types.json import Jsonb

from bot.channels.sending import is_pushed
from bot.database import OUTGOING_CHANNEL, DictConnection
from bot.handoff.desks import VIETNAM, Desk
from bot.handoff.office import office
from bot.handoff.ownership import Notice
from bot.handoff.waiting import place_of
from bot.messages import Outgoing

SPARINGLY = datetime.timedelta(minutes=1)
WITH_PLACE = frozenset({Notice.QUEUED, Notice.QUEUED_AGAIN, Notice.POSITION, Notice.MOVED})
NO_WAIT = "_no_wait"


@dataclass(frozen=True)
class Address:
    """The conversation that a message goes to."""

    id: int
    channel: str
    address: str
    language: str


async def tell(
    connection: DictConnection, to: Address, notice: Notice, desk: Desk, case_id: int | None, in_reply_to: int | None = None
) -> str:
    """Store the notice in the citizen's language; returns its key."""
    key, values = str(notice), _values(desk)
    if notice in WITH_PLACE and case_id is not None:
        place = await place_of(connection, case_id)
        # Nobody counts down while nobody works.
        minutes = place.minutes if desk.is_open(office().now()) else None
        values |= {"position": place.position, "minutes": minutes}
        key += NO_WAIT if minutes is None else ""
    await say(connection, to, key, values, in_reply_to)
    return key


async def say(connection: DictConnection, to: Address, key: str, values: dict[str, Any], in_reply_to: int | None = None) -> None:
    """Store an answer of the catalogue."""
    answer = office().catalogue.answer(key, values, to.language)
    await store(connection, to, answer.as_outgoing(), in_reply_to=in_reply_to)


async def was_told(connection: DictConnection, to: Address, notice: Notice) -> bool:
    """Within the last minute: a notice that is asked for again and again is given now and then."""
    cursor = await connection.execute(
        """SELECT 1 FROM messages WHERE conversation_id = %s AND direction = 'outgoing' AND created_at > now() - %s
              AND response_key IN (%s, %s) LIMIT 1""",
        [to.id, SPARINGLY, str(notice), f"{notice}{NO_WAIT}"],
    )
    return await cursor.fetchone() is not None


async def store(
    connection: DictConnection,
    to: Address,
    message: Outgoing,
    *,
    in_reply_to: int | None = None,
    operator_id: int | None = None,
    send_key: str | None = None,
) -> int | None:
    """Store a message and ask for its delivery; None when this `send_key` was stored before."""
    pushes = is_pushed(to.channel)
    cursor = await connection.execute(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, source, response_key, revision,
                                 language, attachments, figures, in_reply_to, delivery, operator_id, send_key)
           VALUES (%s, 'outgoing', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (conversation_id, send_key) WHERE send_key IS NOT NULL DO NOTHING RETURNING id""",
        [
            to.id,
            message.author,
            to.channel,
            message.text,
            Jsonb([button.as_dict() for button in message.buttons]),
            Jsonb(dict(message.source)) if message.source else None,
            message.key,
            message.revision,
            message.language,
            Jsonb([attachment.as_dict() for attachment in message.attachments]),
            list(message.figures),
            in_reply_to,
            "waiting" if pushes else "sent",
            operator_id,
            send_key,
        ],
    )
    row = cast(dict[str, int] | None, await cursor.fetchone())
    if row is None:
        return None
    await connection.execute("SELECT pg_notify(%s, %s)", [OUTGOING_CHANNEL, f"{to.channel}:{to.address}"])
    if pushes:
        await office().queue.defer(connection, to.id)
    return row["id"]


def _values(desk: Desk) -> dict[str, Any]:
    """Numbers and names only: the words around them are translated."""
    now = office().now()
    opens = desk.opens_next(now)
    return {
        "desk": desk.name,
        "claim_minutes": round(office().limits.claim.total_seconds() / 60),
        "opens": f"{opens.astimezone(VIETNAM):%H:%M, %d/%m/%Y}" if opens else "",
        **({"contacts": list(desk.call)} if desk.call else {}),
    }
