from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.people.person import entities as entities_of
from bot.people.person import person_in
from bot.people.vocabulary import Vocabulary
from bot.settings import ROOT
from tests.simulators.feeds import FeedHost

Run = Callable[..., Awaitable[tuple[str, dict[str, Any]]]]
TODAY = date(2026, 11, 22)
RASA_FIELDS = ("text", "buttons", "elements", "custom", "template", "response", "image", "attachment")


@pytest.fixture
def feed() -> Iterator[FeedHost]:
    simulator = FeedHost()
    yield simulator
    simulator.close()


@pytest.fixture(autouse=True)
def deployment(feed: FeedHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A deployment for Đắk Lắk without a database, whose feed is the simulator."""
    monkeypatch.setenv("LOA_HOME", str(tmp_path))
    monkeypatch.setenv("LOA_PROVINCE", "dak-lak")
    monkeypatch.setenv("FEED_WHO_URL", feed.url)


def people_in(text: str | None) -> list[dict[str, Any]]:
    """Who the message is about, as Rasa's pipeline says it (bot/brain/person.py)."""
    return entities_of(person_in(text or "", vocabulary(), TODAY))


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary.load(ROOT)


def said(text: str, intent: str, entities: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A citizen's message as Rasa keeps it."""
    return {"event": "user", "text": text, "parse_data": {"intent": {"name": intent}, "entities": entities or []}}


@pytest.fixture
def run() -> Run:
    """Runs an action after a citizen's message; gives the response key and its values."""

    async def run_action(
        action: Action,
        text: str = "",
        *,
        place: str | None = None,
        ambiguous: str | None = None,
        remembered: str | None = None,
        named: list[dict[str, Any]] | None = None,
        before: list[dict[str, Any]] | None = None,
    ):
        """`named`: entities with their places in the text. `before`: the events of earlier messages (`said`)."""
        places = {"place": place, "place_ambiguous": ambiguous}
        entities = [
            *({"entity": name, "value": value} for name, value in places.items() if value),
            *(named or ()),
            *people_in(text),
        ]
        tracker = Tracker(
            sender_id="citizen",
            slots={"place": remembered},
            latest_message={"text": text, "intent": {"name": ""}, "entities": entities},
            events=[*(before or ()), said(text, "", entities)],
            paused=False,
            followup_action=None,
            active_loop={},
            latest_action_name=None,
        )
        dispatcher = CollectingDispatcher()
        assert await action.run(dispatcher, tracker, {}) == []
        (message,) = dispatcher.messages
        assert message["text"] is None, "an action speaks no prose"
        return message["response"], {name: value for name, value in message.items() if name not in RASA_FIELDS}

    return run_action
