"""Whoever opens a campaign's link is greeted in its language and told at once what it is about; nobody else notices campaigns."""

from __future__ import annotations

from typing import Any

import pytest

from bot.campaigns import counting
from bot.campaigns.opening import OWN_WELCOME
from bot.messages import Incoming
from tests.dialogue.talk import ADDRESS, CHANNEL, Talk
from tests.simulators.rasa import RasaSimulator
from tests.simulators.server import Answer

GREETED = ["utter_campaign_welcome", "utter_greet"]


async def has_campaign(talk: Talk, code: str = "tet2026", topic: str | None = "testing_where", **fields: Any) -> None:
    values = {"code": code, "name": "Xét nghiệm dịp Tết", "topic": topic, "starts_on": "2020-01-01", "made_by": "an", **fields}
    await talk.rows(f"INSERT INTO campaigns ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})", *values.values())


async def has_words(talk: Talk, welcome: str, state: str = "approved") -> None:
    await talk.rows(
        """INSERT INTO campaign_texts (campaign_id, welcome, written_by, state, decided_by, decided_at)
           SELECT id, %s, 'an', %s, CASE WHEN %s <> 'proposed' THEN 'binh' END, CASE WHEN %s <> 'proposed' THEN now() END FROM campaigns""",
        welcome,
        state,
        state,
        state,
    )


async def opens(talk: Talk, code: str = "tet2026") -> None:
    """As Telegram, Messenger's Get Started and Zalo's `#CODE` report it."""
    number = len(await talk.rows("SELECT 1 FROM messages")) + 1
    await talk.happens(Incoming(CHANNEL, ADDRESS, f"start-{number}", "start", campaign=code))


async def test_a_link_is_greeted_and_its_topic_answered_at_once(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk)
    await opens(talk)
    assert await talk.step()
    assert talk.sender.keys == GREETED
    assert rasa.turns[0]["payload"] == "/testing_where"


async def test_the_answer_is_that_of_the_campaigns_place(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk, place="buon-ho-phuong")
    await opens(talk)
    await talk.step()
    assert rasa.turns[0]["payload"] == '/testing_where{"place": "buon-ho-phuong"}'


async def test_a_link_speaks_its_language_and_the_talk_goes_on_in_it(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk, language="en")
    await opens(talk)
    await talk.step()
    assert talk.sender.sent[0].language == "en"
    assert (rasa.turns[0]["payload"], rasa.turns[0]["metadata"]["language"]) == ('/testing_where{"language":"en"}', "en")
    assert await talk.one("SELECT language FROM conversations") == "en"


async def test_a_vietnamese_link_does_not_take_a_language_away(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk)
    await talk.says("hello")
    await talk.rows("UPDATE conversations SET language = 'en'")
    await talk.step()
    await opens(talk)
    await talk.step()
    assert rasa.turns[-1]["metadata"]["language"] == "en"
    assert await talk.one("SELECT language FROM conversations") == "en"


@pytest.mark.parametrize(
    "fields",
    [{"ends_on": "2020-02-01"}, {"starts_on": "2099-01-01"}, {"ended_at": "2020-01-05T00:00:00Z"}, {"code": "other-1"}],
)
async def test_a_code_that_does_not_run_is_an_ordinary_welcome(talk: Talk, fields: dict[str, str]) -> None:
    await has_campaign(talk, **fields)
    await opens(talk)
    await talk.step()
    assert talk.sender.keys == ["utter_welcome"]
    await talk.rows("UPDATE conversations SET campaign = NULL")
    assert await talk.rows("SELECT 1 FROM campaign_days") == []


async def test_only_approved_words_of_its_own_are_sent(talk: Talk) -> None:
    await has_campaign(talk, topic=None)
    await has_words(talk, "Chào <b>bạn</b>, đây là {province}.", "proposed")
    await opens(talk)
    await talk.step()
    await has_words(talk, "Bị từ chối.", "rejected")
    await opens(talk)
    await talk.step()
    assert talk.sender.keys == ["utter_welcome"] * 2
    await talk.rows(
        "UPDATE campaign_texts SET state = 'approved', decided_by = 'binh', decided_at = now() WHERE state = 'proposed'"
    )
    await opens(talk)
    await talk.step()
    assert (talk.sender.keys[2], talk.sender.texts[2]) == (OWN_WELCOME, "Chào <b>bạn</b>, đây là {province}.")


async def test_without_rasa_the_link_is_answered_from_the_catalogue(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk)
    rasa.faults = [Answer(503, {})] * 5
    await opens(talk)
    await talk.rows("UPDATE messages SET created_at = created_at - interval '1 hour'")
    await talk.rows("UPDATE conversations SET campaign_at = campaign_at - interval '1 hour'")
    await talk.rows("UPDATE conversations SET campaign_opened_at = (SELECT created_at FROM messages)")
    assert await talk.step()
    assert talk.sender.keys == ["utter_campaign_welcome", "utter_testing_where"]


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("#tet2026 tiêm ở đâu", "tiêm ở đâu"),
        ("Mã TET-2026: tiêm ở đâu ạ?", "tiêm ở đâu ạ"),
        ("mã số tet2026 tiêm ở đâu", "tiêm ở đâu"),
        ("mã Tết 2026 giá bao nhiêu", "giá bao nhiêu"),
    ],
)
async def test_a_code_before_a_question_is_taken_out_of_it(talk: Talk, said: str, question: str) -> None:
    await has_campaign(talk)
    await talk.says(said)
    await talk.step()
    assert talk.sender.texts == [f"answer to {question}"]
    assert await talk.one("SELECT campaign FROM conversations") == "tet2026"


@pytest.mark.parametrize("said", ["tet2026", "#tet2026", "Mã Tết 2026", "MA TET-2026.", "nhắn mã tet2026"])
async def test_a_code_from_the_loudspeaker_opens_the_campaign(talk: Talk, said: str) -> None:
    await has_campaign(talk)
    await talk.says(said)
    await talk.step()
    assert talk.sender.keys == GREETED


@pytest.mark.parametrize(
    "said", ["#covid19 lây thế nào", "mã 4729", "f0 là gì", "#2026", "mã tet2027 tiêm ở đâu", "tết 2026 có đi lại được không"]
)
async def test_other_words_with_digits_stay_words(talk: Talk, said: str) -> None:
    await has_campaign(talk)
    await talk.says(said)
    await talk.step()
    assert talk.sender.texts == [f"answer to {said}"]
    assert await talk.one("SELECT campaign FROM conversations") is None


async def test_a_link_opened_in_a_talk_under_way_is_answered_once(talk: Talk) -> None:
    await has_campaign(talk)
    await talk.does("follow", "e1")
    await talk.step()
    for number in (2, 3):
        await talk.does("referral", f"e{number}", campaign="tet2026")
        await talk.step()
    assert talk.sender.keys == ["utter_welcome", "utter_campaign_again", "utter_greet"]


async def test_a_redelivered_link_is_answered_once(talk: Talk) -> None:
    await has_campaign(talk)
    for _ in range(2):
        await talk.does("referral", "e1", campaign="tet2026")
        await talk.step()
    assert talk.sender.keys == GREETED


async def test_a_link_found_after_its_hour_is_an_ordinary_welcome(talk: Talk) -> None:
    await has_campaign(talk)
    await opens(talk)
    await talk.rows("UPDATE conversations SET campaign_at = now() - interval '51 minutes'")
    assert await counting.forget_people(talk.pool) == 1
    await talk.step()
    assert talk.sender.keys == ["utter_welcome"]
