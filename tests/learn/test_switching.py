"""While another model is being loaded messages wait for it; whoever is in danger does not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.dialogue.talk import Talk, talking
from tests.simulators.rasa import RasaSimulator
from tests.simulators.server import Answer


@pytest_asyncio.fixture
async def talk(database_url: str, rasa: RasaSimulator) -> AsyncIterator[Talk]:
    """A conversation whose deadline is always over."""
    async with talking(database_url, rasa, deadline=-1) as begun:
        yield begun


@pytest.fixture
def switching(talk: Talk, rasa: RasaSimulator, monkeypatch: pytest.MonkeyPatch) -> RasaSimulator:
    rasa.faults.append(Answer(503, {}))
    monkeypatch.setattr(talk.turns.answering.engine, "_is_switching", lambda: True)
    return rasa


async def test_a_message_waits_and_is_answered_by_the_new_model(talk: Talk, switching: RasaSimulator) -> None:
    await talk.says("xét nghiệm ở đâu")
    assert await talk.step() is False
    assert talk.sender.sent == []
    assert await talk.step() is True
    assert talk.sender.texts == ["answer to xét nghiệm ở đâu"]


async def test_whoever_is_in_danger_is_answered_without_the_model(talk: Talk, switching: RasaSimulator) -> None:
    await talk.says("mẹ tôi không thở được")
    assert await talk.step() is True
    assert talk.sender.keys == ["utter_emergency"]


async def test_a_rasa_that_is_away_by_itself_is_not_waited_for(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.faults.append(Answer(503, {}))
    await talk.says("xét nghiệm ở đâu")
    assert await talk.step() is True
    assert talk.sender.texts != ["answer to xét nghiệm ở đâu"]


async def test_a_cry_for_help_behind_a_waiting_message_is_not_kept_waiting(talk: Talk, switching: RasaSimulator) -> None:
    switching.faults.append(Answer(503, {}))
    await talk.says("xét nghiệm ở đâu")
    assert await talk.step() is False
    await talk.says("mẹ tôi không thở được")
    switching.faults += [Answer(503, {})] * 3
    assert await talk.step() is True
    assert talk.sender.keys[-1] == "utter_emergency"
