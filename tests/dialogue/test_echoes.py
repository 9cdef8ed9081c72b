"""A person who types in the platform's inbox takes the conversation over; the bot's own words coming back do not."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from bot.channels.sending import SendFailed, SendLater, SendUnknown
from bot.database import OUTGOING_CHANNEL
from bot.handoff.ownership import Event
from bot.handoff.timeouts import Timeouts
from bot.messages import Outgoing
from tests.dialogue.talk import ADDRESS, CHANNEL, Talk
from tests.simulators.rasa import RasaSimulator

OWNER = "SELECT owner FROM conversations"


async def answered(talk: Talk) -> None:
    await talk.says("xin chào")
    assert await talk.step()


async def test_our_own_words_coming_back_change_nothing(talk: Talk) -> None:
    talk.sender.ids = [("part-1", "part-2")]
    await answered(talk)
    for id_ in ("part-1", "part-2", "part-1"):
        await talk.hears(id_, "bất cứ phần nào")
    assert await talk.one(OWNER) == "bot"
    assert await talk.one("SELECT count(*) FROM messages WHERE direction = 'outgoing'") == 1


async def test_a_persons_words_take_over_and_the_bot_stays_quiet(talk: Talk) -> None:
    await answered(talk)
    for _ in range(2):  # the platform delivers twice
        await talk.hears("op-1", "Tôi là Hạnh, để tôi giúp", "hanh")
    assert await talk.one(OWNER) == "operator"
    stored = await talk.one("SELECT author, delivery, text, provider_id FROM messages WHERE author = 'operator'")
    assert stored == {"author": "operator", "delivery": "sent", "text": "Tôi là Hạnh, để tôi giúp", "provider_id": "op-1"}
    await talk.says("cảm ơn chị")
    await talk.step()
    assert await talk.one("SELECT turn FROM messages WHERE text = 'cảm ơn chị'") == "human"
    assert len(talk.sender.sent) == 1


async def test_what_the_bot_had_not_sent_is_void(talk: Talk) -> None:
    talk.sender.faults = [SendLater("429", 60)]
    await talk.says("xin chào")
    assert not await talk.step()
    await talk.hears("op-1", "Chào bác")
    await talk.step()
    assert talk.sender.sent == []
    assert await talk.one("SELECT delivery FROM messages WHERE author = 'bot'") == "withdrawn"


async def test_a_turn_that_is_under_way_is_not_answered_after_a_take_over(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.released.clear()
    await talk.says("xin chào")
    turn = asyncio.create_task(talk.step())
    while not rasa.turns:
        await asyncio.sleep(0.01)
    await talk.hears("op-1", "Để tôi")
    rasa.released.set()
    await turn
    assert talk.sender.sent == []
    assert await talk.one("SELECT turn FROM messages WHERE direction = 'incoming'") == "human"


async def test_an_echo_that_overtakes_the_platforms_answer_is_known_as_ours(talk: Talk) -> None:
    async def echoed_before_the_answer(message: Outgoing) -> None:
        await talk.hears("sent-1", message.text)
        assert await talk.one("SELECT count(*) FROM echoes") == 1

    talk.sender.during = echoed_before_the_answer
    await answered(talk)
    assert await talk.one(OWNER) == "bot"
    assert await talk.one("SELECT count(*) FROM echoes") == 0
    assert await talk.one("SELECT count(*) FROM messages WHERE direction = 'outgoing'") == 1


async def test_a_person_who_types_during_a_send_is_heard_before_the_next_one(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("một")
    await talk.says("hai")

    async def somebody_types(_: Outgoing) -> None:
        await talk.hears("op-1", "Để tôi trả lời")

    talk.sender.during = somebody_types
    await talk.step()
    assert await talk.one(OWNER) == "operator"
    assert talk.sender.texts == ["answer to một"]
    assert [row["turn"] for row in await talk.rows("SELECT turn FROM messages WHERE direction = 'incoming' ORDER BY id")] == [
        "answered",
        "human",
    ]


async def test_an_echo_tells_that_a_send_whose_call_broke_has_arrived(talk: Talk) -> None:
    talk.sender.faults = [SendUnknown("the connection broke")]
    await talk.says("xin chào")
    await talk.step()
    assert await talk.one("SELECT delivery FROM messages WHERE author = 'bot'") == "unknown"
    await talk.hears("late-1", "Answer to  xin chào\n\nNguồn: …")
    assert await talk.one(OWNER) == "bot"
    assert await talk.one("SELECT delivery FROM messages WHERE author = 'bot'") == "sent"
    await talk.hears("op-1", "Chào bác, tôi nghe đây")
    assert await talk.one(OWNER) == "operator", "the guard must be able to fail"


@pytest.mark.parametrize("words", ["", "to", "xin chào"])
async def test_a_persons_few_words_are_not_taken_for_a_lost_send_of_ours(talk: Talk, words: str) -> None:
    """A picture has no words at all, and short ones stand in any text."""
    talk.sender.faults = [SendUnknown("the connection broke")]
    await talk.says("xin chào")
    await talk.step()
    await talk.hears("op-1", words)
    assert await talk.one(OWNER) == "operator"


async def test_parts_that_arrived_before_a_failure_are_ours(talk: Talk) -> None:
    talk.sender.faults = [SendFailed("the second part was refused", sent=("part-1",))]
    await talk.says("xin chào")
    await talk.step()
    await talk.hears("part-1", "answer")
    assert await talk.one(OWNER) == "bot"


async def test_after_the_operator_has_been_quiet_the_bot_answers_again(talk: Talk) -> None:
    await answered(talk)
    await talk.hears("op-1", "Chào bác")
    assert (await Timeouts(talk.pool).walk())[Event.INBOX_SILENT] == 0
    await talk.rows("UPDATE conversations SET operator_until = now() - interval '1 second'")
    assert (await Timeouts(talk.pool).walk())[Event.INBOX_SILENT] == 1
    assert await talk.one(OWNER) == "bot"
    assert await talk.one("SELECT outcome FROM cases WHERE state = 'ended'") == "returned"
    await talk.says("tiêm ở đâu")
    await talk.step()
    assert talk.sender.texts[-1] == "answer to tiêm ở đâu"


async def test_every_word_of_the_operator_makes_the_quiet_longer(talk: Talk) -> None:
    await talk.hears("op-1", "Chào bác")
    await talk.rows("UPDATE conversations SET operator_until = now() + interval '1 minute'")
    await talk.hears("op-2", "Bác cần gì ạ")
    assert await talk.one("SELECT operator_until > now() + interval '59 minutes' FROM conversations")


async def test_a_conversation_of_the_desk_stays_there_until_it_is_given_back(talk: Talk) -> None:
    await answered(talk)
    await talk.rows("UPDATE conversations SET owner = 'operator', operator_until = NULL")
    await talk.hears("op-1", "viết ở hộp thư của nền tảng")
    await Timeouts(talk.pool).work()
    assert await talk.one("SELECT owner, operator_until FROM conversations") == {"owner": "operator", "operator_until": None}


async def test_an_operator_may_write_first(talk: Talk) -> None:
    await talk.hears("op-1", "Chào bác, mời bác đi tiêm")
    row = await talk.one("SELECT owner, interacted_at FROM conversations")
    assert row == {"owner": "operator", "interacted_at": None}


async def test_two_gateways_hear_the_same_echo_at_once(talk: Talk) -> None:
    await answered(talk)
    await asyncio.gather(*(talk.hears("op-1", "Chào bác") for _ in range(8)))
    assert await talk.one("SELECT count(*) FROM messages WHERE author = 'operator'") == 1


async def test_a_persons_words_wake_whoever_watches(talk: Talk, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute(f"LISTEN {OUTGOING_CHANNEL}".encode())
        await talk.hears("op-1", "Chào bác")
        async for notice in listener.notifies(timeout=60, stop_after=1):
            assert notice.payload == f"{CHANNEL}:{ADDRESS}"
            return
    raise AssertionError("nobody was told")
