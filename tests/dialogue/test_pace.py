"""Many messages at once, in any order, the same again and again: over the real database."""

from __future__ import annotations

import asyncio
import datetime
import time

from tests.dialogue.talk import Talk
from tests.simulators.rasa import RasaSimulator

NOW = datetime.datetime(2025, 11, 23, 8, 0, tzinfo=datetime.UTC)


async def test_fifty_messages_in_five_seconds_are_answered_together_in_order(talk: Talk, rasa: RasaSimulator) -> None:
    for number in range(50):
        await talk.says(f"câu {number}")
    assert not await talk.step(), "somebody is still typing"
    assert rasa.turns == []
    await talk.rows("UPDATE messages SET created_at = created_at - interval '20 seconds' WHERE direction = 'incoming'")
    await until_done(talk)
    assert "\n".join(turn["text"] for turn in rasa.turns).split("\n") == [f"câu {number}" for number in range(50)]
    assert len(talk.sender.sent) <= 4
    rows = await talk.rows("SELECT turn, count(*) AS n FROM messages WHERE direction = 'incoming' GROUP BY turn")
    assert rows == [{"turn": "answered", "n": 50}]


async def test_who_goes_on_beyond_the_limit_is_told_once_and_answered(talk: Talk, rasa: RasaSimulator) -> None:
    for number in range(20):
        await talk.says(f"câu {number}")
        await talk.rows("UPDATE messages SET created_at = created_at - interval '2 seconds'")
        await talk.step()
    assert len(rasa.turns) == 20
    for number in range(20, 25):
        await talk.says(f"câu {number}")
        assert not await talk.step()
    assert talk.sender.keys.count("utter_too_many_messages") == 1
    await talk.rows("UPDATE messages SET created_at = created_at - interval '6 seconds' WHERE turn = 'waiting'")
    await talk.step()
    assert rasa.turns[-1]["text"] == "\n".join(f"câu {number}" for number in range(20, 25))


async def test_what_waits_is_taken_in_the_order_of_the_platforms_clock(talk: Talk, rasa: RasaSimulator) -> None:
    for text, seconds in (("ba", 2), ("một", 0), ("hai", 1)):
        await talk.says(text, at=NOW + datetime.timedelta(seconds=seconds))
        await talk.rows("UPDATE messages SET created_at = created_at - interval '10 seconds'")
    await until_done(talk)
    assert [turn["text"] for turn in rasa.turns] == ["một", "hai", "ba"]


async def test_what_was_begun_stays_first_whatever_the_clock_says(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.go_down()
    await talk.says("một", at=NOW)
    assert not await talk.step()
    await talk.says("không", at=NOW - datetime.timedelta(seconds=5))
    rasa.come_up()
    await until_done(talk)
    assert talk.sender.texts == ["answer to một", "answer to không"]


async def test_joined_messages_taken_again_are_the_same_for_rasa(talk: Talk, rasa: RasaSimulator) -> None:
    for text in ("một", "hai", "ba"):
        await talk.says(text)
    await talk.rows("UPDATE messages SET created_at = created_at - interval '5 seconds'")
    rasa.go_down()
    assert not await talk.step()
    await talk.says("bốn")
    rasa.come_up()
    await until_done(talk)
    assert talk.sender.texts == ["answer to một\nhai\nba", "answer to bốn"]


async def test_two_machines_that_talk_with_each_other_fall_silent(talk: Talk) -> None:
    for _ in range(12):
        await talk.says("Cảm ơn bạn đã liên hệ. Chúng tôi sẽ trả lời sớm.")
        await talk.rows("UPDATE messages SET created_at = created_at - interval '5 seconds'")
        await talk.step()
    assert talk.sender.keys == ["utter_greet"] * 4 + ["utter_same_again"]
    assert await talk.one("SELECT count(*) FROM messages WHERE turn = 'silent'") == 7
    await talk.says("ba tôi khó thở quá")
    await talk.step()
    assert talk.sender.texts[-1] == "answer to ba tôi khó thở quá"


async def test_our_own_answer_sent_back_is_not_answered_for_ever(talk: Talk) -> None:
    await talk.says("xin chào các bạn nhé")
    await talk.step()
    for _ in range(5):
        await talk.rows("UPDATE messages SET created_at = created_at - interval '5 seconds'")
        await talk.says(talk.sender.texts[-1])
        await talk.step()
    assert talk.sender.keys == ["utter_greet", "utter_same_again"]


async def test_messages_to_a_person_are_neither_joined_nor_held(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.hears("op-1", "Chào bác")
    for number in range(30):
        await talk.says(f"câu {number}")
    assert await talk.step()
    rows = await talk.rows("SELECT turn, joined_to FROM messages WHERE direction = 'incoming' GROUP BY 1, 2")
    assert rows == [{"turn": "human", "joined_to": None}]
    assert rasa.turns == talk.sender.sent == []


async def test_hostile_texts_are_stored_and_taken(talk: Talk) -> None:
    from bot.messages import clean_text

    for text in ("x" * 10_000, "a\x00b", "\ud800 lone", "\u202eđảo chữ\u202c", "z" + "\u0335" * 2000, "😀" * 500):
        await talk.says(clean_text(text))
        await talk.rows("UPDATE messages SET created_at = created_at - interval '10 seconds'")
        await talk.step()
    assert len(talk.sender.sent) == 6


async def until_done(talk: Talk, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await talk.step():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
