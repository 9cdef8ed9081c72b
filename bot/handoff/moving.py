"""Walking one edge of the table: the owner, the case, what is void, what is noted and what is told, in one transaction.

The conversation's row is locked first and its state read under the lock, so of two events at once the second finds what the
first has left.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Literal, cast

from psycopg.types.json import Jsonb

from bot.database import DictConnection
from bot.handoff import telling
from bot.handoff.office import office
from bot.handoff.ownership import HAS_CASE, OWNERS, Edge, Effect, Event, Notice, State, edge, state_of
from bot.handoff.telling import Address

# Ordinary talk is in the messages already.
UNNOTED = frozenset({Event.WROTE, Event.ASKED_POSITION})
NEEDS_OFFER = frozenset({Event.TRANSFER_AGREED, Event.TRANSFER_REFUSED})
# What messages of the last turns may tell a case.
LOOKED_AT = 10
NOT_A_TOPIC = frozenset({"talk", "limits"})
# What became of a case; said in words under `outcomes` of locales/vi/interface/desk.yml.
Outcome = Literal[
    "answered", "referred", "no_reply", "not_ours", "other", "solved", "gave_back", "went_back", "citizen_silent", "returned"
]  # fmt: skip


@dataclass(frozen=True)
class Happening:
    """An event and what it brings. `actor`: citizen, bot, clock, or an operator's name."""

    event: Event
    actor: str
    operator_id: int | None = None
    reason: str = "asked"
    desk: str | None = None
    topic: str | None = None
    outcome: Outcome | None = None
    label: str | None = None
    contact: str | None = None
    is_urgent: bool = False
    until: datetime.datetime | None = None
    in_reply_to: int | None = None


@dataclass(frozen=True)
class Situation:
    """A locked conversation with its open case. `case` holds the columns of its row."""

    to: Address
    state: State
    case: dict[str, Any] | None

    @property
    def case_id(self) -> int | None:
        return int(self.case["id"]) if self.case else None


@dataclass(frozen=True)
class Moved:
    before: State
    edge: Edge
    case_id: int | None


async def situation(connection: DictConnection, conversation_id: int) -> Situation:
    """Locks the conversation until the transaction ends; raises LookupError for an unknown one."""
    cursor = await connection.execute(
        """SELECT id, channel, address, language, owner, operator_until IS NOT NULL AS is_in_inbox
             FROM conversations WHERE id = %s FOR NO KEY UPDATE""",
        [conversation_id],
    )
    row = cast(dict[str, Any] | None, await cursor.fetchone())
    if row is None:
        raise LookupError("there is no such conversation")
    cursor = await connection.execute(
        "SELECT * FROM cases WHERE conversation_id = %s AND state <> 'ended' FOR UPDATE", [conversation_id]
    )
    case = cast(dict[str, Any] | None, await cursor.fetchone())
    state = state_of(row["owner"], has_case=case is not None, is_in_inbox=row["is_in_inbox"])
    return Situation(Address(row["id"], row["channel"], row["address"], row["language"]), state, case)


async def move(connection: DictConnection, conversation_id: int, happening: Happening) -> Moved | None:
    """Let it happen; None when it changes nothing in this state. Inside a transaction."""
    return await move_from(connection, await situation(connection, conversation_id), happening)


async def move_from(connection: DictConnection, now: Situation, happening: Happening) -> Moved | None:
    """The same for a conversation that the caller has locked."""
    way = edge(now.state, happening.event)
    if way is None or (happening.event in NEEDS_OFFER and not (now.case and now.case["transfer_to"])):
        return None
    is_new = Effect.OPEN in way.effects and now.case is None
    case_id = await _open(connection, now, happening) if is_new else now.case_id
    if case_id is not None:
        await _change(connection, case_id, way, happening)
    await _own(connection, now, way, happening)
    if Effect.VOID in way.effects:
        await _void(connection, now.to.id)
    notice = way.notice if await _is_due(connection, now, case_id, way) else None
    if case_id is not None and (is_new or notice or happening.event not in UNNOTED):
        await _note(connection, case_id, now.state, way, happening, notice, is_new=is_new)
    if notice:
        await _tell(connection, now, case_id, way, notice, happening)
    if Effect.ANSWER in way.effects and happening.topic:
        await _ask_the_bot(connection, now, happening)
    return Moved(now.state, way, case_id if way.to in HAS_CASE else None)


async def _open(connection: DictConnection, now: Situation, happening: Happening) -> int:
    topic, place = await guessed(connection, now.to.id)
    desk = happening.desk or office().desks.for_case(place, now.to.language, happening.reason).id
    cursor = await connection.execute(
        """INSERT INTO cases (conversation_id, desk, reason, is_urgent, topic, place, language, citizen_at)
           SELECT %(id)s, %(desk)s, %(reason)s, %(urgent)s, %(topic)s, %(place)s, %(language)s,
                  (SELECT max(created_at) FROM messages WHERE conversation_id = %(id)s AND author = 'citizen')
           RETURNING id""",
        {
            "id": now.to.id,
            "desk": desk,
            "reason": happening.reason,
            "urgent": happening.is_urgent,
            "topic": happening.topic or topic,
            "place": place,
            "language": now.to.language,
        },
    )
    return int(cast(dict[str, int], await cursor.fetchone())["id"])


async def guessed(connection: DictConnection, conversation_id: int) -> tuple[str | None, str | None]:
    """The topic that the bot last took the citizen's words for, and the place that they last named."""
    cursor = await connection.execute(
        """SELECT understood, place FROM messages WHERE conversation_id = %s AND direction = 'incoming'
              AND (understood IS NOT NULL OR place IS NOT NULL) ORDER BY id DESC LIMIT %s""",
        [conversation_id, LOOKED_AT],
    )
    rows = cast(list[dict[str, Any]], await cursor.fetchall())
    topics = [intent for row in rows for intent in _intents(row["understood"] or {}) if _is_topic(intent)]
    places = [place for row in rows for place in _places(row)]
    return (topics[0] if topics else None), (places[0] if places else None)


def _intents(understood: dict[str, Any]) -> list[str]:
    """The one that was answered, else the likeliest one."""
    ranking = understood.get("ranking") or []
    first = [guess[0] for guess in ranking[:1] if isinstance(guess, list) and guess]
    return [str(intent) for intent in (understood.get("intent"), *first) if intent]


def _is_topic(intent: str) -> bool:
    known = office().catalogue.intents.get(intent)
    return known is not None and known.topic not in NOT_A_TOPIC


def _places(row: dict[str, Any]) -> list[str]:
    entities = (row["understood"] or {}).get("entities") or []
    named = [str(entity["value"]) for entity in entities if isinstance(entity, dict) and entity.get("entity") == "place"]
    return named + ([row["place"]] if row["place"] else [])


async def _change(connection: DictConnection, case_id: int, way: Edge, happening: Happening) -> None:
    of_the_desk = happening.event in {Event.SENT, Event.TYPED_ELSEWHERE}
    await connection.execute(
        """UPDATE cases SET
               state = CASE WHEN %(end)s THEN 'ended' WHEN %(claim)s THEN 'claimed' WHEN %(wait)s THEN 'waiting' ELSE state END,
               ended_at = CASE WHEN %(end)s THEN now() END,
               outcome = coalesce(%(outcome)s, outcome), label = coalesce(%(label)s, label),
               claimed_at = CASE WHEN %(claim)s AND NOT (state = 'claimed' AND operator_id IS NOT DISTINCT FROM %(operator)s)
                                 THEN now() ELSE claimed_at END,
               operator_id = CASE WHEN %(claim)s THEN %(operator)s WHEN %(wait)s THEN NULL ELSE operator_id END,
               waiting_since = CASE WHEN %(wait)s THEN now() ELSE waiting_since END,
               citizen_at = CASE WHEN %(wrote)s THEN now() ELSE citizen_at END,
               operator_at = CASE WHEN %(spoke)s THEN now() ELSE operator_at END,
               unanswered_since = CASE WHEN %(end)s OR %(wait)s OR %(spoke)s THEN NULL
                                       WHEN %(claim)s THEN now()
                                       WHEN %(wrote)s AND state = 'claimed' THEN coalesce(unanswered_since, now())
                                       ELSE unanswered_since END,
               is_urgent = is_urgent OR %(urgent)s,
               desk = CASE WHEN %(move)s THEN transfer_to ELSE desk END,
               transfer_to = CASE WHEN %(offer)s THEN %(desk)s WHEN %(settled)s THEN NULL ELSE transfer_to END,
               contact = coalesce(%(contact)s, contact),
               consented_at = CASE WHEN %(consent)s THEN coalesce(consented_at, now()) ELSE consented_at END
           WHERE id = %(id)s""",
        {
            "id": case_id,
            **{effect.value: effect in way.effects for effect in Effect},
            "urgent": Effect.URGENT in way.effects or happening.is_urgent,
            "wrote": happening.event == Event.WROTE,
            "spoke": of_the_desk,
            "settled": way.to != State.OPERATOR or happening.event in NEEDS_OFFER,
            "operator": happening.operator_id,
            "outcome": happening.outcome,
            "label": happening.label,
            "contact": happening.contact,
            "desk": happening.desk,
        },
    )


async def _own(connection: DictConnection, now: Situation, way: Edge, happening: Happening) -> None:
    await connection.execute(
        """UPDATE conversations SET owner = %(owner)s,
                  operator_until = CASE WHEN NOT %(inbox)s THEN NULL ELSE coalesce(%(until)s, operator_until) END
           WHERE id = %(id)s AND (owner <> %(owner)s OR operator_until IS NOT NULL OR %(inbox)s)""",
        {"id": now.to.id, "owner": OWNERS[way.to], "inbox": way.to == State.INBOX, "until": happening.until},
    )


async def _void(connection: DictConnection, conversation_id: int) -> None:
    await connection.execute(
        """UPDATE messages SET delivery = 'withdrawn', finished_at = now()
           WHERE conversation_id = %s AND delivery = 'waiting' AND author = 'bot'""",
        [conversation_id],
    )


async def _is_due(connection: DictConnection, now: Situation, case_id: int | None, way: Edge) -> bool:
    if way.notice is None:
        return False
    if Effect.SPARINGLY in way.effects:
        return not await telling.was_told(connection, now.to, way.notice)
    if Effect.ONCE in way.effects and case_id is not None:
        cursor = await connection.execute(
            "SELECT 1 FROM case_events WHERE case_id = %s AND detail ->> 'notice' = %s LIMIT 1", [case_id, str(way.notice)]
        )
        return await cursor.fetchone() is None
    return True


async def _note(
    connection: DictConnection,
    case_id: int,
    before: State,
    way: Edge,
    happening: Happening,
    notice: Notice | None,
    *,
    is_new: bool,
) -> None:
    detail = {
        "from": before.value,
        "to": way.to.value,
        "notice": notice and notice.value,
        "reason": happening.reason if is_new else None,
        "desk": happening.desk,
        "topic": happening.topic,
        "outcome": happening.outcome,
    }
    name = "opened" if is_new else "topic" if happening.topic and Effect.ANSWER in way.effects else happening.event.value
    await connection.execute(
        "INSERT INTO case_events (case_id, event, actor, detail) VALUES (%s, %s, %s, %s)",
        [case_id, name, happening.actor, Jsonb({key: value for key, value in detail.items() if value is not None})],
    )


async def _tell(
    connection: DictConnection, now: Situation, case_id: int | None, way: Edge, notice: Notice, happening: Happening
) -> None:
    if Effect.OFFER in way.effects:
        shown = happening.desk
    elif case_id is None:
        shown = happening.desk or office().desks.for_case(None, now.to.language, happening.reason).id
    else:
        cursor = await connection.execute("SELECT desk FROM cases WHERE id = %s", [case_id])
        shown = cast(dict[str, str], await cursor.fetchone())["desk"]
    desk = office().desks.named(shown or "")
    await telling.tell(connection, now.to, notice, desk, case_id, happening.in_reply_to)


async def _ask_the_bot(connection: DictConnection, now: Situation, happening: Happening) -> None:
    """The operator's question takes a turn like a citizen's button: the bot answers it with today's figures and places."""
    await connection.execute(
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, kind, payload, operator_id, turn)
           VALUES (%s, 'incoming', 'operator', %s, 'desk:' || gen_random_uuid(), 'payload', %s, %s, 'waiting')""",
        [now.to.id, now.to.channel, f"/{happening.topic}", happening.operator_id],
    )
    await office().queue.defer(connection, now.to.id)
