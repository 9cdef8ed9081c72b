"""The rules as citizens live them: danger first, one offer, then a person."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage

from bot.brain.channel import Replies
from bot.brain.turn import Turn, current_turn

GIBBERISH = "kè kè lơ thơ chum chúm"


class Conversation:
    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.turn = Turn("0", 1)

    async def says(self, text: str, intent: str | None = None) -> list[str]:
        """The keys of the replies; `intent` stands for a message understood as it for certain."""
        parsed = intent and {"text": text, "intent": {"name": intent, "confidence": 1.0}, "entities": [], "intent_ranking": []}
        output = Replies()
        mark = current_turn.set(self.turn)
        await self._agent.handle_message(UserMessage(text, output, "webchat:1", parse_data=parsed, input_channel="loa"))
        current_turn.reset(mark)
        return [reply["key"] for reply in output.replies]


@pytest.fixture
def citizen(agent: Any) -> Conversation:
    return Conversation(agent)


async def test_a_citizen_in_danger_is_told_to_call_before_anything_else(citizen: Conversation) -> None:
    assert await citizen.says("cho hỏi xét nghiệm ở đâu, mẹ tôi khó thở quá") == ["utter_emergency"]
    assert citizen.turn.understood["entities"][-1]["value"] == "cannot_breathe"
    assert citizen.turn.understood["ranking"][0] == ["emergency", 1.0]
    assert len(citizen.turn.understood["ranking"]) > 1


async def test_doubt_is_offered_once_and_then_handed_over(citizen: Conversation) -> None:
    said = [await citizen.says(GIBBERISH, "nlu_fallback") for _ in range(4)]
    assert said == [["utter_offer_topics_none"], ["utter_hand_over"], ["utter_hand_over"], ["utter_hand_over"]]


async def test_doubt_starts_anew_after_an_answer(citizen: Conversation) -> None:
    await citizen.says(GIBBERISH, "nlu_fallback")
    assert await citizen.says("xin chào") == ["utter_greet"]
    assert await citizen.says(GIBBERISH, "nlu_fallback") == ["utter_offer_topics_none"]


@pytest.mark.parametrize(("answer", "then"), [("deny", "utter_deny"), ("not_helpful", "utter_hand_over")])
async def test_a_refused_offer_is_handed_over(citizen: Conversation, answer: str, then: str) -> None:
    await citizen.says(GIBBERISH, "nlu_fallback")
    assert await citizen.says("không", answer) == ["utter_hand_over"]
    assert await citizen.says("không", answer) == [then]


async def test_after_danger_doubt_leads_to_people(citizen: Conversation) -> None:
    await citizen.says("con tôi co giật")
    assert await citizen.says(GIBBERISH, "nlu_fallback") == ["utter_hand_over"]


async def test_a_long_conversation_still_follows_the_rules(citizen: Conversation) -> None:
    for _ in range(20):
        assert await citizen.says("xin chào") == ["utter_greet"]
    assert await citizen.says(GIBBERISH, "nlu_fallback") == ["utter_offer_topics_none"]
    assert await citizen.says(GIBBERISH, "nlu_fallback") == ["utter_hand_over"]


async def test_a_place_is_remembered(citizen: Conversation, agent: Any) -> None:
    await citizen.says("tôi ở Krông Pắc")
    for _ in range(10):
        await citizen.says("xin chào")
    tracker = await agent.tracker_store.retrieve("webchat:1")
    assert tracker.get_slot("place") == "krong-pac-huyen"


async def test_a_silent_action_server_leaves_no_reply(citizen: Conversation) -> None:
    """The gateway takes silence for a failure and tries again (rasa #7630)."""
    assert await citizen.says("số ca", "case_figures") == []


async def test_an_empty_message_is_doubt(citizen: Conversation) -> None:
    assert await citizen.says("") == ["utter_offer_topics_none"]


async def test_an_answer_that_missed_leads_to_other_topics_and_then_to_people(citizen: Conversation) -> None:
    await citizen.says("giá xét nghiệm bao nhiêu", "testing_cost")
    assert (await citizen.says("không đúng ý tôi", "not_helpful"))[0] in {"utter_other_topics", "utter_not_helpful"}
    assert await citizen.says("vẫn không đúng", "not_helpful") == ["utter_hand_over"]
    assert await citizen.says("không đúng", "not_helpful") == ["utter_hand_over"]


async def test_the_price_of_what_was_just_answered(citizen: Conversation) -> None:
    await citizen.says("khi nào phải xét nghiệm", "testing_when")
    await citizen.says("cảm ơn", "thanks")
    assert await citizen.says("giá bao nhiêu?") == ["utter_testing_cost"]


async def test_a_follow_up_forgets_a_talk_of_another_session(citizen: Conversation, agent: Any) -> None:
    await citizen.says("khi nào phải xét nghiệm", "testing_when")
    await citizen.says("/session_start", "session_start")
    await citizen.says("giá bao nhiêu?")
    tracker = await agent.tracker_store.retrieve("webchat:1")
    assert tracker.latest_message.intent["confidence"] < 1
