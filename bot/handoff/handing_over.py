"""When the bot hands over: which of its answers mean a person is needed, and whether there is anybody to hand over to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from bot.database import DictConnection
from bot.handoff.desks import Desk
from bot.handoff.moving import Happening, guessed
from bot.handoff.office import office
from bot.handoff.ownership import Event
from bot.messages import Outgoing

# The bot's answers that tell whom to call: with a desk, people come here instead.
ASKED, GAVE_UP, EMERGENCY = "utter_talk_to_human", "utter_hand_over", "utter_emergency"
SORRY = "utter_desk_gave_up"
NOT_UNDERSTOOD = "nlu_fallback"
# The button of an hour ago, pressed while somebody is there; a wish for a person while nobody is.
_IN_HOURS: Mapping[Event, Event] = {Event.LEFT_QUESTION: Event.ASKED}
_OUT_OF_HOURS: Mapping[Event, Event] = {Event.ASKED: Event.ASKED_OUT_OF_HOURS}


def wish(replies: Sequence[Outgoing], understood: Mapping[str, Any], *, is_typed: bool) -> Happening | None:
    """What the bot's replies ask of the desk. A button about emergencies is a question; words may be a person in danger."""
    keys = {reply.key for reply in replies}
    if EMERGENCY in keys:
        return Happening(Event.IN_DANGER, "bot", reason="emergency") if is_typed else None
    if ASKED in keys:
        return Happening(Event.ASKED, "citizen", reason="asked")
    if GAVE_UP in keys:
        gave_up = "not_understood" if understood.get("intent") == NOT_UNDERSTOOD else "not_helpful"
        return Happening(Event.ASKED, "bot", reason=gave_up)
    return None


def without_the_hotline(replies: Sequence[Outgoing]) -> list[Outgoing]:
    """The replies that are given beside what the desk tells: whoever did not ask for a person hears why one is called."""
    return [_sorry(reply.language) if reply.key == GAVE_UP else reply for reply in replies if reply.key != ASKED]


def _sorry(language: str) -> Outgoing:
    return office().catalogue.answer(SORRY, language=language).as_outgoing()


async def possible(connection: DictConnection, conversation_id: int, language: str, wished: Happening) -> Happening | None:
    """The wish as it can be met now, at this desk: a shut one says when it opens, and alarms nobody. None: there is no desk."""
    desk = await desk_for(connection, conversation_id, language, wished.reason)
    if desk is None:
        return None
    now = office().now()
    if desk.is_open(now):
        return replace(wished, event=_IN_HOURS.get(wished.event, wished.event), desk=desk.id)
    if wished.event == Event.IN_DANGER or desk.opens_next(now) is None:
        return None
    return replace(wished, event=_OUT_OF_HOURS.get(wished.event, wished.event), desk=desk.id)


async def desk_for(connection: DictConnection, conversation_id: int, language: str, reason: str) -> Desk | None:
    """The desk of the open case, or the one that such a case would go to; None when it is switched off or nobody works there."""
    cursor = await connection.execute("SELECT desk FROM cases WHERE conversation_id = %s AND state <> 'ended'", [conversation_id])
    row = cast(dict[str, str] | None, await cursor.fetchone())
    if not await has_staff(connection):
        return None
    desks = office().desks
    if row is not None:
        desk = desks.named(row["desk"])
    else:
        _, place = await guessed(connection, conversation_id)
        desk = desks.for_case(place, language, reason)
    return desk if desk.is_on else None


async def has_staff(connection: DictConnection) -> bool:
    """Whether citizens are handed over at all: somebody's work is to answer them. Who runs Loa may help, and watches no queue."""
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT FROM operators WHERE role IN ('operator', 'senior') AND disabled_at IS NULL) AS found"
    )
    return bool(cast(dict[str, Any], await cursor.fetchone())["found"])
