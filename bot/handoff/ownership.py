"""Who may answer a citizen, and what takes a conversation from one hand to another: one table, no database, no words.

Nothing else moves `conversations.owner`. Each edge says where it leads, what the citizen is told, and what happens beside it.
An event that has no edge from a state changes nothing there: a late click, a second claim, a clock that another one overtook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    BOT = "bot"  # the bot answers
    LISTED = "listed"  # the bot answers, and a case waits on the desk's list
    QUEUE = "queue"  # the citizen waits for a person; nobody answers
    OPERATOR = "operator"  # a person of the desk answers
    INBOX = "inbox"  # a person answers in the platform's own inbox
    CLOSED = "closed"  # a talk with people is over; the next word starts with the bot


class Event(StrEnum):
    # of the citizen
    WROTE = "wrote"
    ASKED = "asked"
    ASKED_OUT_OF_HOURS = "asked_out_of_hours"
    IN_DANGER = "urgent"
    LEFT_QUESTION = "left_question"
    LEFT_NOTHING = "left_nothing"
    GAVE_CONTACT = "gave_contact"
    ASKED_POSITION = "asked_position"
    WENT_BACK = "went_back"
    TRANSFER_AGREED = "transferred"
    TRANSFER_REFUSED = "transfer_refused"
    # of the desk
    FILED = "filed"
    CLAIMED = "claimed"
    SENT = "sent"
    RELEASED = "released"
    GIVEN_BACK = "gave_back"
    TRANSFER_ASKED = "transfer_asked"
    CLOSED = "closed"
    # of the platform's inbox
    TYPED_ELSEWHERE = "platform"
    # of the clock
    UNCLAIMED = "unclaimed"
    DESK_CLOSED = "desk_closed"
    OPERATOR_SILENT = "operator_silent"
    CITIZEN_SILENT = "citizen_silent"
    INBOX_SILENT = "inbox_silent"


class Notice(StrEnum):
    """What the citizen is told: the key of the response; `_no_wait` is put behind where no wait can be told honestly."""

    QUEUED = "utter_desk_queued"
    QUEUED_AGAIN = "utter_desk_queued_again"
    POSITION = "utter_desk_position"
    MOVED = "utter_desk_moved"
    CLAIMED = "utter_desk_claimed"
    UNCLAIMED = "utter_desk_unclaimed"
    DANGER = "utter_emergency"
    ALERTED = "utter_desk_alerted"
    SHUT = "utter_desk_shut"
    STILL_LISTED = "utter_desk_still_listed"
    LEFT = "utter_desk_left"
    NOT_LEFT = "utter_desk_not_left"
    CONTACT_KEPT = "utter_desk_contact_kept"
    WITHDREW = "utter_desk_withdrawn"
    TRANSFER = "utter_desk_transfer"
    NOT_MOVED = "utter_desk_not_moved"
    BACK = "utter_desk_back"
    CLOSED = "utter_desk_closed"
    CLOSED_IN_SILENCE = "utter_desk_closed_in_silence"


class Effect(StrEnum):
    OPEN = "open"  # a case, if the conversation has none
    WAIT = "wait"  # the case waits for whoever claims it, from now on
    CLAIM = "claim"
    END = "end"
    URGENT = "urgent"
    VOID = "void"  # what the bot has not sent is not sent any more
    OFFER = "offer"  # a transfer, until the citizen has answered
    MOVE = "move"  # to the desk that was offered
    CONSENT = "consent"
    ANSWER = "answer"  # the bot answers the topic that the operator named
    ONCE = "once"  # the notice is given once a case
    SPARINGLY = "sparingly"  # the notice is not given twice within a minute


@dataclass(frozen=True)
class Edge:
    to: State
    notice: Notice | None = None
    effects: frozenset[Effect] = frozenset()


def _edge(to: State, notice: Notice | None = None, *effects: Effect) -> Edge:
    return Edge(to, notice, frozenset(effects))


_TAKEN_IN_INBOX = _edge(State.INBOX, None, Effect.OPEN, Effect.CLAIM, Effect.VOID)
_TAKEN = _edge(State.OPERATOR, Notice.CLAIMED, Effect.CLAIM, Effect.VOID)

EDGES: Mapping[State, Mapping[Event, Edge]] = {
    State.BOT: {
        Event.WROTE: _edge(State.BOT),
        Event.ASKED: _edge(State.QUEUE, Notice.QUEUED, Effect.OPEN, Effect.WAIT),
        Event.ASKED_OUT_OF_HOURS: _edge(State.BOT, Notice.SHUT),
        Event.IN_DANGER: _edge(State.LISTED, Notice.ALERTED, Effect.OPEN, Effect.URGENT, Effect.ONCE),
        Event.LEFT_QUESTION: _edge(State.LISTED, Notice.LEFT, Effect.OPEN, Effect.CONSENT),
        Event.LEFT_NOTHING: _edge(State.BOT, Notice.NOT_LEFT),
        Event.FILED: _edge(State.LISTED, None, Effect.OPEN),
        Event.TYPED_ELSEWHERE: _TAKEN_IN_INBOX,
    },
    State.LISTED: {
        Event.WROTE: _edge(State.LISTED),
        Event.ASKED: _edge(State.QUEUE, Notice.QUEUED, Effect.WAIT),
        Event.ASKED_OUT_OF_HOURS: _edge(State.LISTED, Notice.STILL_LISTED),
        Event.IN_DANGER: _edge(State.LISTED, Notice.ALERTED, Effect.URGENT, Effect.ONCE),
        Event.LEFT_QUESTION: _edge(State.LISTED, Notice.LEFT, Effect.CONSENT, Effect.SPARINGLY),
        Event.GAVE_CONTACT: _edge(State.LISTED, Notice.CONTACT_KEPT),
        Event.ASKED_POSITION: _edge(State.LISTED, Notice.POSITION, Effect.SPARINGLY),
        Event.WENT_BACK: _edge(State.BOT, Notice.WITHDREW, Effect.END),
        Event.FILED: _edge(State.LISTED),
        Event.CLAIMED: _TAKEN,
        Event.CLOSED: _edge(State.BOT, Notice.CLOSED, Effect.END),
        Event.TYPED_ELSEWHERE: _TAKEN_IN_INBOX,
    },
    State.QUEUE: {
        Event.WROTE: _edge(State.QUEUE),
        Event.IN_DANGER: _edge(State.QUEUE, Notice.DANGER, Effect.URGENT, Effect.SPARINGLY),
        Event.ASKED_POSITION: _edge(State.QUEUE, Notice.POSITION, Effect.SPARINGLY),
        Event.WENT_BACK: _edge(State.BOT, Notice.WITHDREW, Effect.END),
        Event.FILED: _edge(State.QUEUE),
        Event.CLAIMED: _TAKEN,
        Event.CLOSED: _edge(State.CLOSED, Notice.CLOSED, Effect.END),
        Event.TYPED_ELSEWHERE: _TAKEN_IN_INBOX,
        Event.UNCLAIMED: _edge(State.LISTED, Notice.UNCLAIMED),
        Event.DESK_CLOSED: _edge(State.LISTED, Notice.STILL_LISTED),
    },
    State.OPERATOR: {
        Event.WROTE: _edge(State.OPERATOR),
        Event.IN_DANGER: _edge(State.OPERATOR, Notice.DANGER, Effect.URGENT, Effect.ONCE),
        Event.TRANSFER_AGREED: _edge(State.QUEUE, Notice.MOVED, Effect.MOVE, Effect.WAIT),
        Event.TRANSFER_REFUSED: _edge(State.OPERATOR, Notice.NOT_MOVED),
        Event.FILED: _edge(State.OPERATOR),
        Event.SENT: _edge(State.OPERATOR),
        Event.RELEASED: _edge(State.QUEUE, Notice.QUEUED_AGAIN, Effect.WAIT),
        Event.GIVEN_BACK: _edge(State.BOT, Notice.BACK, Effect.END, Effect.ANSWER),
        Event.TRANSFER_ASKED: _edge(State.OPERATOR, Notice.TRANSFER, Effect.OFFER),
        Event.CLOSED: _edge(State.CLOSED, Notice.CLOSED, Effect.END),
        Event.TYPED_ELSEWHERE: _edge(State.OPERATOR),
        Event.OPERATOR_SILENT: _edge(State.QUEUE, Notice.QUEUED_AGAIN, Effect.WAIT),
        Event.CITIZEN_SILENT: _edge(State.CLOSED, Notice.CLOSED_IN_SILENCE, Effect.END),
    },
    State.INBOX: {
        Event.WROTE: _edge(State.INBOX),
        Event.IN_DANGER: _edge(State.INBOX, None, Effect.URGENT),
        Event.FILED: _edge(State.INBOX),
        Event.CLAIMED: _TAKEN,
        Event.TYPED_ELSEWHERE: _TAKEN_IN_INBOX,
        Event.INBOX_SILENT: _edge(State.BOT, Notice.BACK, Effect.END),
    },
    State.CLOSED: {
        Event.WROTE: _edge(State.BOT),
        Event.FILED: _edge(State.LISTED, None, Effect.OPEN),
        Event.TYPED_ELSEWHERE: _TAKEN_IN_INBOX,
    },
}
OWNERS: Mapping[State, str] = {
    State.BOT: "bot",
    State.LISTED: "bot",
    State.QUEUE: "queue",
    State.OPERATOR: "operator",
    State.INBOX: "operator",
    State.CLOSED: "closed",
}
HAS_CASE = frozenset({State.LISTED, State.QUEUE, State.OPERATOR, State.INBOX})


def edge(state: State, event: Event) -> Edge | None:
    """Where the event leads from this state; None when it changes nothing here."""
    return EDGES[state].get(event)


def state_of(owner: str, *, has_case: bool, is_in_inbox: bool) -> State:
    """The state of a conversation as the database holds it."""
    if owner == "bot":
        return State.LISTED if has_case else State.BOT
    if owner == "operator":
        return State.INBOX if is_in_inbox else State.OPERATOR
    return State(owner)
