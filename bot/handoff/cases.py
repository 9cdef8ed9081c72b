"""Cases: what the desk does with a conversation. Each function moves it by the table of ownership.py, notes it in `case_events`
and tells the citizen, inside the caller's transaction (`async with connection.transaction()`). The entry in the audit log is
the caller's: it knows who is logged in.

Said twice, it is done once: a double click changes nothing. What cannot be done raises CaseRefused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, LiteralString, cast

from bot.database import OUTGOING_CHANNEL, TYPING, DictConnection
from bot.handoff.moving import Happening, Outcome, Situation, move, move_from, situation
from bot.handoff.office import office
from bot.handoff.ownership import Event, State
from bot.handoff.rows import Case, QueueRow, get, mine, past, waiting
from bot.handoff.telling import store
from bot.messages import Outgoing

__all__ = [
    "Case",
    "CaseRefused",
    "QueueRow",
    "citizen_types",
    "claim",
    "close",
    "get",
    "give_back",
    "mine",
    "note",
    "open_case",
    "past",
    "release",
    "send",
    "transfer",
    "type",
    "waiting",
]

EVENTS_OF_REASONS = {
    "asked": Event.ASKED,
    "not_understood": Event.ASKED,
    "not_helpful": Event.ASKED,
    "emergency": Event.IN_DANGER,
    "left": Event.LEFT_QUESTION,
    "phone": Event.FILED,
    "content": Event.FILED,
}

TYPES: LiteralString = """
    SELECT c.channel, c.address,
           pg_notify('loa_desk', json_build_object('case', k.id, 'conversation', c.id, 'kind', 'typing', 'name', %s::text)::text)
      FROM cases k JOIN conversations c ON c.id = k.conversation_id
     WHERE k.state = 'claimed' AND k.operator_id IS NOT NULL AND """


class CaseRefused(Exception):
    """`reason` is a key of `refused` in locales/vi/interface/desk.yml: unknown, ended, claimed_by (name), not_owner, empty,
    topic_unknown, desk_unknown, place_unknown. `values` fill its words."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


async def open_case(
    connection: DictConnection,
    conversation_id: int,
    *,
    reason: str,
    desk: str | None = None,
    urgent: bool = False,
    topic: str | None = None,
) -> int:
    """The case that people now have of this conversation: the one that is open, or a new one. `reason`: as in the table
    `cases`, but for `platform`. With `asked`, `not_understood` and `not_helpful` the citizen waits for a person from now on."""
    happening = Happening(EVENTS_OF_REASONS[reason], "bot", reason=reason, desk=desk, is_urgent=urgent, topic=topic)
    now = await situation(connection, conversation_id)
    moved = await move_from(connection, now, happening)
    case_id = (moved.case_id if moved else None) or now.case_id
    if case_id is None:
        moved = await move(connection, conversation_id, replace(happening, event=Event.FILED))
        case_id = cast(int, moved.case_id) if moved else 0
    return case_id


async def claim(connection: DictConnection, case_id: int, operator_id: int, name: str) -> Case:
    """The conversation is this operator's. Refused: `claimed_by` with the name of who was first, `ended`."""
    now = await _open(connection, case_id)
    if now.state == State.OPERATOR:
        await _refuse_others(connection, case_id, operator_id)
    else:
        await move_from(connection, now, Happening(Event.CLAIMED, name, operator_id))
    return cast(Case, await get(connection, case_id))


async def release(connection: DictConnection, case_id: int, operator_id: int, name: str) -> None:
    """Back to the queue."""
    await _act(connection, case_id, operator_id, Happening(Event.RELEASED, name, operator_id))


async def give_back(connection: DictConnection, case_id: int, operator_id: int, name: str, topic: str | None = None) -> None:
    """Back to the bot; with a topic (an intent) the bot answers it at once, in the citizen's language."""
    if topic is not None and topic not in office().catalogue.intents:
        raise CaseRefused("topic_unknown")
    given = Happening(Event.GIVEN_BACK, name, operator_id, topic=topic, outcome="gave_back")
    await _act(connection, case_id, operator_id, given)


async def transfer(connection: DictConnection, case_id: int, operator_id: int, name: str, desk: str) -> None:
    """Ask the citizen whether the other desk may go on; the case moves when they agree."""
    case = await get(connection, case_id)
    desks = office().desks
    if desk not in desks or not desks.named(desk).is_on or (case is not None and case.desk == desk):
        raise CaseRefused("desk_unknown")
    if case is None or case.transfer_to != desk:
        await _act(connection, case_id, operator_id, Happening(Event.TRANSFER_ASKED, name, operator_id, desk=desk))


async def close(
    connection: DictConnection, case_id: int, operator_id: int, name: str, outcome: Outcome, label: str | None
) -> None:
    """The talk is over; the citizen's next words start with the bot. Also for what still waits and needs no talk."""
    now = await _open(connection, case_id)
    await _refuse_others(connection, case_id, operator_id)
    happening = Happening(Event.CLOSED, name, operator_id, outcome=outcome, label=label or None)
    if await move_from(connection, now, happening) is None:
        raise CaseRefused("not_owner")


async def note(connection: DictConnection, case_id: int, operator_id: int, name: str, text: str) -> None:
    """Words for colleagues; never sent. Also on a case that is over."""
    if not text.strip():
        raise CaseRefused("empty")
    if await get(connection, case_id) is None:
        raise CaseRefused("unknown")
    await connection.execute(
        "INSERT INTO case_notes (case_id, operator_id, text) VALUES (%s, %s, %s)", [case_id, operator_id, text.strip()]
    )
    await connection.execute("UPDATE cases SET label = label WHERE id = %s", [case_id])  # told to the pages that are open


async def send(
    connection: DictConnection, case_id: int, operator_id: int, name: str, message: Outgoing, *, key: str
) -> int | None:
    """Store a message of whoever owns the case and hand it to delivery; its id. `key`: of the form. A form that comes again
    stores nothing and gives None, whatever became of the case meanwhile."""
    case = await get(connection, case_id)
    if case is None:
        raise CaseRefused("unknown")
    now = await situation(connection, case.conversation_id)
    cursor = await connection.execute(
        "SELECT 1 FROM messages WHERE conversation_id = %s AND send_key = %s", [case.conversation_id, key]
    )
    if await cursor.fetchone():
        return None
    if not message.text.strip():
        raise CaseRefused("empty")
    if now.case_id != case_id:
        raise CaseRefused("ended")
    await _refuse_others(connection, case_id, operator_id)
    if await move_from(connection, now, Happening(Event.SENT, name, operator_id)) is None:
        raise CaseRefused("not_owner")
    said = replace(message, author="operator")
    return await store(connection, now.to, said, operator_id=operator_id, send_key=key)


async def locate(connection: DictConnection, case_id: int, operator_id: int, place: str) -> None:
    """The citizen is from this place (a key of the directory), says whoever holds the case: answers are filled in for it."""
    await _open(connection, case_id)
    await _refuse_others(connection, case_id, operator_id)
    cursor = await connection.execute(
        "UPDATE cases SET place = %s WHERE id = %s AND state = 'claimed' AND operator_id = %s", [place, case_id, operator_id]
    )
    if not cursor.rowcount:
        raise CaseRefused("not_owner")


async def type(  # noqa: A001  (said as `cases.type`)
    connection: DictConnection, case_id: int, operator_id: int, name: str
) -> tuple[str, str] | None:
    """Whoever holds the case is typing: told to the open pages, the citizen's too, and kept nowhere. The citizen's channel
    and address, for a platform that can show it; None for who does not hold it."""
    cursor = await connection.execute(TYPES + "k.id = %s AND k.operator_id = %s", [name, case_id, operator_id])
    row = cast(dict[str, str] | None, await cursor.fetchone())
    if row is None:
        return None
    channel, address = row["channel"], row["address"]
    await connection.execute("SELECT pg_notify(%s, %s)", [OUTGOING_CHANNEL, f"{TYPING}{channel}:{address}"])
    return channel, address


async def citizen_types(connection: DictConnection, channel: str, address: str) -> None:
    """The citizen is typing: told to the page of whoever holds their case, without a name, and kept nowhere."""
    await connection.execute(TYPES + "c.channel = %s AND c.address = %s", ["", channel, address])


async def _act(connection: DictConnection, case_id: int, operator_id: int, happening: Happening) -> None:
    """What only the owner may do."""
    now = await _open(connection, case_id)
    await _refuse_others(connection, case_id, operator_id)
    if now.state != State.OPERATOR or await move_from(connection, now, happening) is None:
        raise CaseRefused("not_owner")


async def _open(connection: DictConnection, case_id: int) -> Situation:
    """The locked conversation of a case that is not over."""
    case = await get(connection, case_id)
    if case is None:
        raise CaseRefused("unknown")
    now = await situation(connection, case.conversation_id)
    if now.case_id != case_id:
        raise CaseRefused("ended")
    return now


async def _refuse_others(connection: DictConnection, case_id: int, operator_id: int) -> None:
    case = await get(connection, case_id)
    if case and case.state == "claimed" and case.operator and case.operator_id != operator_id:
        raise CaseRefused("claimed_by", name=case.operator)
