"""What a citizen's message means to the desk. Pure: whether it moves anything is for the table to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.handoff.desks import Desks
from bot.handoff.moving import Happening, Outcome
from bot.handoff.ownership import Event
from bot.languages.danger import danger_sign
from bot.messages import Payload

CITIZEN = "citizen"
BUTTONS: Mapping[str, Event] = {
    "desk_position": Event.ASKED_POSITION,
    "desk_back": Event.WENT_BACK,
    "desk_leave": Event.LEFT_QUESTION,
    "desk_leave_nothing": Event.LEFT_NOTHING,
    "desk_transfer_yes": Event.TRANSFER_AGREED,
    "desk_transfer_no": Event.TRANSFER_REFUSED,
}
# Buttons of the bot that are pressed by somebody who waits for a person.
BUTTONS_OF_WHO_WAITS: Mapping[str, Event] = {"talk_to_human": Event.ASKED_POSITION, "emergency": Event.IN_DANGER}
# A Vietnamese phone number as people type it.
_PHONE = re.compile(r"(?<![\w+])(?:\+?84|0)(?:[ .\-]?\d){8,10}(?!\d)")


@dataclass(frozen=True)
class Said:
    """A message in its conversation. `owner`: who may answer; `awaits_contact`: the citizen left a question and was asked how to
    be reached."""

    text: str
    payload: Payload | None
    owner: str
    awaits_contact: bool = False


def heard(said: Said, desks: Desks) -> Happening | None:
    """None for what only the bot or the person who answers has to do with."""
    if said.payload is not None:
        event = _pressed(said)
        outcome: Outcome | None = "went_back" if event == Event.WENT_BACK else None
        return Happening(event, CITIZEN, reason=_REASONS.get(event, "asked"), outcome=outcome) if event else None
    if said.owner == "bot":
        phone = contact_in(said.text) if said.awaits_contact else None
        is_left = phone is not None and danger_sign(said.text) is None
        return Happening(Event.GAVE_CONTACT, CITIZEN, contact=phone) if is_left else None
    if danger_sign(said.text):
        return in_danger()
    return Happening(Event.ASKED_POSITION, CITIZEN) if said.owner == "queue" and desks.asks_position(said.text) else None


def only_a_model_hears(said: Said) -> bool:
    """Words that no rule understands, from somebody who waits and whom nobody reads yet: the model may know danger in them."""
    return said.owner == "queue" and said.payload is None and bool(said.text)


def in_danger() -> Happening:
    return Happening(Event.IN_DANGER, CITIZEN, reason="emergency")


def contact_in(text: str) -> str | None:
    """The phone number that somebody left, digits only."""
    match = _PHONE.search(text)
    return re.sub(r"[ .\-]", "", match[0]) if match else None


_REASONS: Mapping[Event, str] = {Event.LEFT_QUESTION: "left", Event.IN_DANGER: "emergency"}


def _pressed(said: Said) -> Event | None:
    intent = said.payload.intent if said.payload else ""
    return BUTTONS.get(intent) or (BUTTONS_OF_WHO_WAITS.get(intent) if said.owner == "queue" else None)
