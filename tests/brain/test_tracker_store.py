"""Rasa's memory: bounded, one row a conversation, forgetting what a failed attempt left."""

from __future__ import annotations

import warnings
from typing import Any

import psycopg
import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.tracker_rows import MemoryRows, PostgresRows
from bot.brain.tracker_store import KEPT_TURNS, BoundedTrackerStore, TrackerUnavailable, bounded, trimmed, without_message
from bot.brain.turn import Turn, current_turn

with warnings.catch_warnings():  # Rasa warns of a change of its version 3.0 at every domain that has a slot
    warnings.simplefilter("ignore")
    DOMAIN = Domain.from_dict(
        {
            "version": "3.1",
            "intents": ["greet"],
            "entities": ["place"],
            "slots": {
                "place": {
                    "type": "text",
                    "influence_conversation": False,
                    "mappings": [{"type": "from_entity", "entity": "place"}],
                }
            },
            "responses": {"utter_greet": [{"text": "utter_greet"}]},
        }
    )
REPLY = {"key": "utter_greet", "text": "…"}


def begun() -> DialogueStateTracker:
    tracker = DialogueStateTracker("webchat:1", DOMAIN.slots)
    for event in (ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")):
        tracker.update(event)
    return tracker


def turn(tracker: DialogueStateTracker, number: int, place: str | None = None) -> DialogueStateTracker:
    ranking = [{"name": "greet", "confidence": 0.9}] * 9
    parsed = {"text": "chào", "intent": ranking[0], "entities": [], "intent_ranking": ranking, "text_tokens": [1, 2]}
    tracker.update(UserUttered("chào", ranking[0], [], parsed, message_id=str(number), metadata={"channel": "webchat"}))
    if place:
        tracker.update(SlotSet("place", place))
    tracker.update(ActionExecuted("utter_greet"))
    tracker.update(BotUttered("…", {"custom": {**REPLY, "n": number}}))
    tracker.update(ActionExecuted("action_listen"))
    return tracker


@pytest.fixture
async def store(database_url: str) -> Any:
    made = BoundedTrackerStore(DOMAIN, rows=PostgresRows(database_url))
    yield made
    await made.close()


async def test_a_conversation_comes_back_as_it_was_left(store: BoundedTrackerStore) -> None:
    assert await store.retrieve("webchat:1") is None
    await store.save(turn(begun(), 1, place="dak-lak"))
    tracker = await store.retrieve("webchat:1")
    assert tracker is not None
    assert tracker.get_slot("place") == "dak-lak"
    assert tracker.latest_message.message_id == "1"
    assert tracker.latest_action_name == "action_listen"


async def test_the_row_says_what_was_understood(store: BoundedTrackerStore, database_url: str) -> None:
    await store.save(turn(begun(), 7, place="dak-lak"))
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT intent, confidence, place, slots, last_message_id, jsonb_array_length(ranking) FROM trackers"
        ).fetchone()
    assert row is not None
    assert (row[0], round(row[1], 2), *row[2:]) == ("greet", 0.9, "dak-lak", {"place": "dak-lak"}, "7", 5)


async def test_an_empty_tracker_is_not_written(store: BoundedTrackerStore) -> None:
    await store.save(DialogueStateTracker("webchat:2", DOMAIN.slots))
    assert list(await store.keys()) == []


async def test_only_the_last_turns_are_kept_and_the_slots_stay(store: BoundedTrackerStore) -> None:
    tracker = turn(begun(), 0, place="thanh-hoa")
    for number in range(1, 40):
        await store.save(turn(tracker, number))
        again = await store.retrieve("webchat:1")
        assert again is not None
        tracker = again
    users = [event for event in tracker.events if isinstance(event, UserUttered)]
    assert [event.message_id for event in users] == [str(n) for n in range(40 - KEPT_TURNS, 40)]
    assert tracker.get_slot("place") == "thanh-hoa"
    assert isinstance(tracker.applied_events()[1], ActionExecuted)


async def test_turn_300_replays_no_more_events_than_turn_3(store: BoundedTrackerStore) -> None:
    tracker, lengths = begun(), []
    for number in range(300):
        await store.save(turn(tracker, number))
        again = await store.retrieve("webchat:1")
        assert again is not None
        tracker = again
        lengths.append(len(tracker.events))
    assert max(lengths[KEPT_TURNS:]) == lengths[-1]


async def test_a_second_attempt_does_not_see_what_the_first_left(store: BoundedTrackerStore) -> None:
    await store.save(turn(turn(begun(), 1), 2, place="dak-lak"))
    mark = current_turn.set(Turn("2", attempt=2))
    try:
        tracker = await store.retrieve("webchat:1")
    finally:
        current_turn.reset(mark)
    assert tracker is not None
    assert tracker.latest_message.message_id == "1"
    assert tracker.get_slot("place") is None
    assert tracker.latest_action_name == "action_listen"


async def test_the_replies_of_an_answered_message_can_be_repeated(store: BoundedTrackerStore) -> None:
    await store.save(turn(turn(begun(), 1), 2))
    answered = await store.answered("webchat:1", "2")
    assert answered is not None
    assert answered[0] == [{**REPLY, "n": 2}]
    assert answered[1]["intent"] == "greet"
    assert await store.answered("webchat:1", "1") is None
    assert await store.answered("webchat:9", "2") is None


async def test_words_of_turns_that_are_over_are_forgotten() -> None:
    events = trimmed([event.as_dict() for event in turn(turn(begun(), 1), 2).events])
    said = [event for event in events if event["event"] == "user"]
    assert [event["text"] for event in said] == ["", "chào"]
    assert len([event for event in events if event["event"] == "bot"]) == 1
    assert "text_tokens" not in said[1]["parse_data"]


async def test_a_database_that_is_away_is_noted_on_the_turn() -> None:
    away = BoundedTrackerStore(DOMAIN, rows=Away())
    now = Turn("1", attempt=1)
    mark = current_turn.set(now)
    try:
        with pytest.raises(TrackerUnavailable):
            await away.retrieve("webchat:1")
    finally:
        current_turn.reset(mark)
    assert now.failure == "OperationalError"


class Away(MemoryRows):
    async def read(self, sender_id: str) -> None:
        raise psycopg.OperationalError


async def test_without_a_server_conversations_live_in_memory() -> None:
    store = BoundedTrackerStore(DOMAIN, rows=MemoryRows())
    await store.save(turn(begun(), 1))
    assert await store.retrieve("webchat:1") is not None


async def test_a_slot_that_the_domain_no_longer_has_is_dropped() -> None:
    store = BoundedTrackerStore(DOMAIN, rows=MemoryRows())
    tracker = begun()
    tracker.slots = {**tracker.slots}
    tracker.events.append(SlotSet("gone", "x"))
    await store.save(turn(tracker, 1))
    again = await store.retrieve("webchat:1")
    assert again is not None
    assert all(not isinstance(event, SlotSet) for event in again.events)


def test_bounding_starts_with_a_listening_bot() -> None:
    tracker = begun()
    for number in range(20):
        turn(tracker, number, place="dak-lak" if number == 3 else None)
    cut = bounded([event.as_dict() for event in tracker.events], turns=2)
    assert [event.get("name") or event["event"] for event in cut[:3]] == ["place", "action_listen", "user"]


def test_dropping_a_message_keeps_the_later_ones() -> None:
    events = [event.as_dict() for event in turn(turn(begun(), 1), 2).events]
    kept = without_message(events, "1")
    assert [event["message_id"] for event in kept if event["event"] == "user"] == ["2"]
