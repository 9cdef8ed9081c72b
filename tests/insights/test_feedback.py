"""The buttons "helpful" and "not helpful": under some answers, at most once a day, and what pressing them does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from bot.dialogue.asides import first_of
from bot.insights import feedback
from bot.insights.feedback import Feedback, is_drawn, may_ask
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Outgoing, Payload
from bot.settings import ROOT
from tests.dialogue.talk import Talk, talking
from tests.simulators.rasa import RasaSimulator, with_reply

SOURCE = {
    "id": "x",
    "number": "1",
    "title": "t",
    "issuer": "i",
    "date": "2023-10-29",
    "url": "https://a.vn",
    "reviewed": "2026-11-22",
}
ANSWER = Outgoing("Xét nghiệm ở trạm y tế", source=SOURCE, key="utter_testing_where", revision="1a2b3c4d")
HELPFUL, NOT_HELPFUL = ('/helpful{"answer":"1a2b3c4d"}', '/not_helpful{"answer":"1a2b3c4d"}')


@pytest_asyncio.fixture
async def talk(database_url: str, rasa: RasaSimulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    """Every answer is drawn."""
    monkeypatch.setattr(feedback, "ONE_IN", 1)
    async with talking(
        database_url, rasa, a_minute=0, aside=lambda pool, catalogue: first_of(Feedback(pool, catalogue).replies)
    ) as begun:
        begun.turns.answering.asking = Feedback(begun.pool, Catalogue.load(ROOT, "dak-lak")).asked
        yield begun


def answers(rasa: RasaSimulator, **fields: Any) -> None:
    rasa.faults.append(with_reply(**{"key": ANSWER.key, "revision": ANSWER.revision, "source": SOURCE, **fields}))


async def asks(talk: Talk, text: str) -> list[str]:
    """The payloads below the last answer."""
    await talk.says(text)
    await talk.step()
    return [button.payload for button in talk.sender.sent[-1].buttons]


@pytest.mark.parametrize(
    "replies",
    [
        [],
        [replace(ANSWER, source=None)],
        [replace(ANSWER, key="utter_emergency")],
        [replace(ANSWER, key="utter_hand_over")],
        [replace(ANSWER, key="utter_desk_shut")],
        [replace(ANSWER, key="utter_emergency"), ANSWER],
        [ANSWER, replace(ANSWER, source=None)],
        [replace(ANSWER, author="operator")],
        [replace(ANSWER, revision="")],
        [replace(ANSWER, buttons=(Button("x", "/hotline"),) * 4)],
    ],
)
def test_nobody_is_asked_beside_an_alarm_a_hand_over_small_talk_or_many_buttons(replies: list[Outgoing]) -> None:
    assert not may_ask(replies)
    assert may_ask([replace(ANSWER, source=None), ANSWER]), "or the rule asks nobody at all"


def test_about_every_third_is_drawn_and_always_the_same() -> None:
    drawn = [is_drawn(number, ANSWER) for number in range(3000)]
    assert 800 < sum(drawn) < 1200
    assert drawn == [is_drawn(number, ANSWER) for number in range(3000)]


def test_a_button_names_the_wording_under_which_it_stands() -> None:
    assert Payload.parse(HELPFUL) == Payload("helpful", answer="1a2b3c4d")
    assert str(Payload("helpful", answer="1a2b3c4d")) == HELPFUL
    for text in ('/helpful{"answer":"0912-345"}', '/helpful{"answer":""}', '/helpful{"answer":"1a2b3c4d","place":"x"}'):
        assert Payload.parse(text) is None


async def test_the_first_telling_is_asked_about_and_no_other_on_that_day(talk: Talk, rasa: RasaSimulator) -> None:
    answers(rasa)
    answers(rasa)
    answers(rasa, key="utter_vaccine_where", revision="ffff0000")
    assert await asks(talk, "xét nghiệm ở đâu") == [HELPFUL, NOT_HELPFUL]
    assert await asks(talk, "nhắc lại xem xét nghiệm chỗ nào") == []
    assert await asks(talk, "tiêm ở đâu") == []
    await talk.rows("UPDATE messages SET created_at = created_at - interval '25 hours'")
    answers(rasa)
    answers(rasa, key="utter_vaccine_cost", revision="eeee0000")
    assert await asks(talk, "xét nghiệm ở đâu vậy") == [], "told before, however long ago"
    assert len(await asks(talk, "tiêm hết bao nhiêu")) == 2


async def test_helpful_is_thanked_for_without_rasa(talk: Talk, rasa: RasaSimulator) -> None:
    answers(rasa)
    await asks(talk, "xét nghiệm ở đâu")
    await talk.presses(HELPFUL)
    await talk.step()
    assert talk.sender.keys[-1] == feedback.THANKS
    assert len(rasa.turns) == 1


async def test_not_helpful_goes_the_way_of_the_words(talk: Talk, rasa: RasaSimulator) -> None:
    answers(rasa)
    await asks(talk, "xét nghiệm ở đâu")
    await talk.presses(NOT_HELPFUL)
    await talk.step()
    assert rasa.turns[-1]["payload"] == NOT_HELPFUL
    assert Payload.parse(rasa.turns[-1]["payload"]).intent == "not_helpful"  # type: ignore[union-attr]


async def test_a_button_that_was_never_shown_is_none_of_ours(talk: Talk) -> None:
    await talk.presses(HELPFUL)
    await talk.step()
    assert talk.sender.keys == ["utter_old_button"]


async def test_without_the_database_the_answer_goes_out_as_it_is(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> bool:
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(Feedback, "_was_here", away)
    waiting = type("W", (), {"id": 1, "conversation_id": 1})()
    assert await talk.turns.answering.asking(waiting, [ANSWER]) == [ANSWER]  # type: ignore[misc]
