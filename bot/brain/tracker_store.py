"""Rasa's memory, bounded: the last turns of a conversation in one row, so that turn 300 costs what turn 3 costs.

Rasa's own SQL store reloads the whole session at every turn (p50 112 ms at 200 messages). Rules look one turn back;
the two turns kept here are enough for them, and the messages table is the history. What is kept is replayed and
featurised at every turn: five turns instead of two cost Rasa about half as much again.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet
from rasa.shared.core.events import Event as RasaEvent
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.tracker_rows import MemoryRows, PostgresRows, Row, Rows
from bot.brain.turn import Turn, conversation_language, current_turn, earlier_intents, language_is_chosen
from bot.settings import Settings

logger = logging.getLogger(__name__)

KEPT_TURNS = 2
KEPT_RANKING = 5
LISTEN = "action_listen"
SESSION_START = "action_session_start"
# The slots: what the citizen chose, and what the conversation has shown.
CHOSEN, SHOWN = "language_chosen", "language"
VIETNAMESE = "vi"
Event = dict[str, Any]


class TrackerUnavailable(Exception):
    """The database did not give or take a tracker; the message holds no word of the conversation."""


class BoundedTrackerStore(TrackerStore):  # type: ignore[misc]
    """Wrapped by Rasa's FailSafeTrackerStore, which answers a failed read with an empty tracker and goes on.

    A turn without its memory would be a wrong turn, so each failure is also written on the turn, and the channel
    answers 503: the gateway tries again.
    """

    def __init__(
        self,
        domain: Domain | None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        rows: Rows | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._rows = rows or _rows_of(Settings.from_environment().database_url)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        earlier_intents.set(())
        if not _is_kept():
            return None
        row = await self._guarded(lambda: self._rows.read(sender_id))
        if row is None:
            return self._begun_in_another_language(sender_id)
        events = [event for event in row.events if self._is_known(event)]
        turn = current_turn.get()
        if turn is not None and turn.attempt > 1:
            events = without_message(events, turn.message)
        earlier_intents.set(_intents(events))
        tracker = DialogueStateTracker.from_events(sender_id, _deserialised(events), self.domain.slots)
        self._take_language(tracker)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        if not tracker.events:  # Rasa saves the empty tracker of a new conversation before its first turn
            return
        await self.stream_events(tracker)
        row = _row(tracker)
        if _is_kept():
            await self._guarded(lambda: self._rows.write(row))
        if turn := current_turn.get():
            turn.understood = _understood(row)

    async def answered(self, sender_id: str, message: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
        """The replies and the understanding of `message` if it was the last one and was answered; else None."""
        row = await self._guarded(lambda: self._rows.read(sender_id))
        if row is None or row.last_message_id != message:
            return None
        replies = [event["data"]["custom"] for event in row.events if event["event"] == "bot" and event["data"].get("custom")]
        return (replies, _understood(row)) if replies else None

    async def keys(self) -> Iterable[str]:
        names: list[str] = await self._guarded(self._rows.keys)
        return names

    async def close(self) -> None:
        await self._rows.close()

    def _begun_in_another_language(self, sender_id: str) -> DialogueStateTracker | None:
        """The memory of a conversation that a link opened in another language than Vietnamese; None for all others, which Rasa
        begins by itself."""
        if (conversation_language.get() or VIETNAMESE) == VIETNAMESE:
            return None
        begun = [ActionExecuted(SESSION_START), SessionStarted(), ActionExecuted(LISTEN)]
        tracker = DialogueStateTracker.from_events(sender_id, begun, self.domain.slots)
        self._take_language(tracker)
        return tracker

    def _take_language(self, tracker: DialogueStateTracker) -> None:
        """The gateway knows of a choice that Rasa was not asked about: a link, or a button while Rasa was away. It holds like any
        other; back to Vietnamese it only undoes the other one, so that a Khmer message is answered in Khmer again."""
        slots = tracker.current_slot_values()
        shown = slots.get(CHOSEN) or slots.get(SHOWN)
        given = conversation_language.get()
        if given and given != (shown or VIETNAMESE) and {CHOSEN, SHOWN} <= set(slots):
            tracker.update(SlotSet(SHOWN, given))
            tracker.update(SlotSet(CHOSEN, None if given == VIETNAMESE else given))
            shown = given
        if shown:
            conversation_language.set(str(shown))
        language_is_chosen.set(bool(tracker.get_slot(CHOSEN)))

    def _is_known(self, event: Event) -> bool:
        """A slot that the domain no longer has would log an error at every turn."""
        return event["event"] != "slot" or any(slot.name == event["name"] for slot in self.domain.slots)

    @staticmethod
    async def _guarded(work: Callable[[], Any]) -> Any:
        try:
            return await work()
        except (psycopg.Error, PoolTimeout) as error:
            _note_failure(current_turn.get(), type(error).__name__)
            raise TrackerUnavailable(f"the trackers table did not answer ({type(error).__name__})") from error


@functools.cache
def _event_class(name: str) -> type[RasaEvent]:
    """Rasa looks through all its event classes for every event it reads; a sixth of a turn went there."""
    found: type[RasaEvent] = RasaEvent.resolve_by_type(name)
    return found


def _deserialised(events: Iterable[Event]) -> list[RasaEvent]:
    return [_event_class(event["event"])._from_parameters(event) for event in events]  # noqa: SLF001


def bounded(events: list[Event], turns: int = KEPT_TURNS) -> list[Event]:
    """The last `turns` turns, cut before a citizen's message, with the slots as they stood at the cut."""
    starts = [i for i, event in enumerate(events) if event["event"] == "user"]
    if len(starts) <= turns:
        return events
    cut = starts[-turns]
    listen = next(event for event in reversed(events[:cut]) if event.get("name") == LISTEN)
    return [*_slots_at(events[:cut]), listen, *events[cut:]]


def without_message(events: list[Event], message: str) -> list[Event]:
    """The events without what an earlier attempt at this message left: its turn, up to the next citizen's message."""
    kept, dropping = [], False
    for event in events:
        if event["event"] == "user":
            dropping = event.get("message_id") == message
        if not dropping:
            kept.append(event)
    return kept


def _intents(events: Iterable[Event]) -> tuple[str, ...]:
    """What the messages of this session were understood as, newest first."""
    found: list[str] = []
    for event in events:
        if event["event"] in {"session_started", "restart"}:
            found.clear()
        elif event["event"] == "user" and (name := ((event.get("parse_data") or {}).get("intent") or {}).get("name")):
            found.insert(0, str(name))
    return tuple(found)


def trimmed(events: list[Event]) -> list[Event]:
    """Without what no rule and no replay needs: model ids, long rankings, and the words of turns that are over."""
    last = max((i for i, event in enumerate(events) if event["event"] == "user"), default=0)
    return [_trim(event, is_over=i < last) for i, event in enumerate(events) if i >= last or event["event"] != "bot"]


def _trim(event: Event, *, is_over: bool) -> Event:
    metadata = {k: v for k, v in (event.get("metadata") or {}).items() if k not in {"model_id", "assistant_id"}}
    slim = {key: value for key, value in event.items() if value is not None and key != "metadata"}
    if metadata and event["event"] == "user":
        slim["metadata"] = metadata
    if event["event"] == "user":
        parsed = event.get("parse_data") or {}
        slim["parse_data"] = {
            "intent": parsed.get("intent") or {},
            "entities": parsed.get("entities") or [],
            "intent_ranking": [] if is_over else (parsed.get("intent_ranking") or [])[:KEPT_RANKING],
        }
        slim["text"] = "" if is_over else event.get("text") or ""
    return slim


def _slots_at(events: list[Event]) -> list[Event]:
    """One event per slot that is set after `events`; a new session begins with none, Rasa then carries them over."""
    latest: dict[str, Event] = {}
    for event in events:
        if event["event"] in {"session_started", "reset_slots", "restart"}:
            latest.clear()
        elif event["event"] == "slot":
            latest[event["name"]] = event
    return [event for event in latest.values() if event.get("value") is not None]


def _row(tracker: DialogueStateTracker) -> Row:
    message = tracker.latest_message
    slots = {name: value for name, value in tracker.current_slot_values().items() if value is not None}
    slots.pop("session_started_metadata", None)
    ranking = (message.parse_data or {}).get("intent_ranking") or [] if message else []
    intent = (message.intent or {}) if message else {}
    return Row(
        sender_id=tracker.sender_id,
        events=trimmed(bounded([event.as_dict() for event in tracker.events])),
        slots=slots,
        intent=intent.get("name"),
        confidence=_rounded(intent.get("confidence")),
        ranking=[[guess.get("name"), _rounded(guess.get("confidence"))] for guess in ranking[:KEPT_RANKING]],
        language=slots.get(CHOSEN) or slots.get(SHOWN),
        place=slots.get("place"),
        last_message_id=message.message_id if message else None,
    )


def _understood(row: Row) -> dict[str, Any]:
    """What the channel tells the gateway of the row's last message."""
    said: Event = next((event for event in reversed(row.events) if event["event"] == "user"), {})
    parsed = said.get("parse_data") or {}
    return {
        "intent": row.intent,
        "confidence": row.confidence,
        "ranking": row.ranking,
        "conversation_language": row.language,
        "entities": named_entities(said.get("text") or "", parsed.get("entities") or []),
    }


def named_entities(text: str, entities: Iterable[Event]) -> list[dict[str, Any]]:
    """What Rasa found in `text`, with the words that say it."""
    return [
        {"entity": e.get("entity"), "value": e.get("value"), "text": text[e["start"] : e["end"]] if "start" in e else ""}
        for e in entities
    ]


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(float(confidence), 4)


def _is_kept() -> bool:
    turn = current_turn.get()
    return turn is None or turn.is_kept


def _note_failure(turn: Turn | None, reason: str) -> None:
    if turn is not None:
        turn.failure = reason


def _rows_of(url: str | None) -> Rows:
    if url:
        return PostgresRows(url)
    logger.warning("LOA_DATABASE_URL is not set: conversations are kept in memory and end with this process.")
    return MemoryRows()
