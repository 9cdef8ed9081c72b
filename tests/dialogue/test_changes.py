"""Edited, withdrawn, followed, left: what a citizen does without a new message, and events in the wrong order."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from bot.messages import Edited
from tests.dialogue.talk import ADDRESS, CHANNEL, Talk
from tests.simulators.rasa import RasaSimulator

NOW = datetime.datetime(2025, 11, 23, 8, 0, tzinfo=datetime.UTC)


def texts(rasa: RasaSimulator) -> list[str]:
    return [turn["text"] for turn in rasa.turns]


async def test_an_edit_before_its_turn_replaces_the_words(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("xét nghiem o dau", "m1")
    await talk.edits("m1", "xét nghiệm ở đâu")
    await talk.step()
    assert texts(rasa) == ["xét nghiệm ở đâu"]


async def test_an_edit_while_rasa_thinks_is_answered_and_the_old_words_are_not(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.released.clear()
    await talk.says("cũ", "m1")
    turn = asyncio.create_task(talk.step())
    while not rasa.turns:
        await asyncio.sleep(0.01)
    await talk.edits("m1", "mới")
    rasa.released.set()
    assert await turn
    assert talk.sender.texts == ["answer to mới"]
    first, second = rasa.turns
    assert first["message"] != second["message"], "or Rasa would repeat its answer to the old words"


async def test_an_edit_after_the_answer_is_a_new_message_once(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("cũ", "m1")
    await talk.step()
    for _ in range(2):
        await talk.edits("m1", "mới")
        await talk.step()
    assert texts(rasa) == ["cũ", "mới"]


async def test_an_edit_that_changes_no_words_is_nothing(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("tiêm ở đâu", "m1")
    await talk.step()
    await talk.edits("m1", "tiêm ở đâu")
    await talk.step()
    assert texts(rasa) == ["tiêm ở đâu"]


async def test_a_message_withdrawn_before_its_turn_is_blanked_and_not_answered(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("số căn cước của tôi là 0123", "m1")
    await talk.withdraws("m1")
    await talk.step()
    assert rasa.turns == []
    assert await talk.one("SELECT text, turn FROM messages") == {"text": "", "turn": "withdrawn"}


async def test_a_message_withdrawn_while_rasa_thinks_is_not_answered(talk: Talk, rasa: RasaSimulator) -> None:
    rasa.released.clear()
    await talk.says("câu hỏi", "m1")
    turn = asyncio.create_task(talk.step())
    while not rasa.turns:
        await asyncio.sleep(0.01)
    await talk.withdraws("m1")
    rasa.released.set()
    assert await turn
    assert talk.sender.sent == []


async def test_an_answered_message_is_blanked_with_its_edits(talk: Talk) -> None:
    await talk.says("riêng tư", "m1")
    await talk.step()
    await talk.edits("m1", "riêng tư hơn")
    await talk.step()
    await talk.withdraws("m1")
    rows = await talk.rows("SELECT text, turn FROM messages WHERE direction = 'incoming'")
    assert rows == [{"text": "", "turn": "answered"}, {"text": "", "turn": "answered"}]


async def test_a_message_that_comes_after_its_own_withdrawal_is_not_answered(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.withdraws("m1")
    await talk.says("đã xóa", "m1")
    await talk.step()
    assert rasa.turns == []


async def test_of_two_edits_the_newer_one_counts_however_late_and_often_they_come(talk: Talk, rasa: RasaSimulator) -> None:
    first, second = (
        Edited(CHANNEL, ADDRESS, "m1", text, NOW + datetime.timedelta(seconds=s)) for s, text in ((5, "hai"), (9, "ba"))
    )
    await talk.says("một", "m1", at=NOW)
    for edit in (second, first, second, first):
        await talk.happens(edit)
    await talk.step()
    for edit in (first, second):
        await talk.happens(edit)
    await talk.step()
    assert texts(rasa) == ["ba"]


async def test_after_the_answer_too_an_older_edit_is_nothing(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("một", "m1", at=NOW)
    await talk.step()
    for seconds, text in ((9, "ba"), (5, "hai"), (9, "ba"), (5, "hai")):
        await talk.happens(Edited(CHANNEL, ADDRESS, "m1", text, NOW + datetime.timedelta(seconds=seconds)))
        await talk.step()
    assert texts(rasa) == ["một", "ba"]


async def test_an_edit_that_comes_before_its_message_stands_for_it(talk: Talk, rasa: RasaSimulator) -> None:
    edit = Edited(CHANNEL, ADDRESS, "m1", "mới", NOW + datetime.timedelta(seconds=5))
    await talk.happens(edit)
    await talk.says("cũ", "m1", at=NOW)
    await talk.step()
    await talk.happens(edit)
    await talk.says("cũ", "m1", at=NOW)
    await talk.step()
    assert texts(rasa) == ["mới"]


async def test_an_edit_that_comes_after_the_deletion_brings_nothing_back(talk: Talk, rasa: RasaSimulator) -> None:
    await talk.says("cũ", "m1", at=NOW)
    await talk.step()
    await talk.withdraws("m1")
    for at in (NOW, None):
        await talk.happens(Edited(CHANNEL, ADDRESS, "m1", "riêng tư", at))
    await talk.step()
    assert texts(rasa) == ["cũ"]
    assert await talk.one("SELECT text FROM messages WHERE direction = 'incoming'") == ""


async def test_of_several_joined_messages_one_withdrawn_leaves_the_others(talk: Talk, rasa: RasaSimulator) -> None:
    await typed_a_moment_ago(talk, "một", "hai", "ba", "bốn")
    await talk.withdraws("in-2")
    await talk.step()
    assert texts(rasa) == ["một\nba\nbốn"]


async def test_the_first_of_joined_messages_withdrawn_while_rasa_thinks(talk: Talk, rasa: RasaSimulator) -> None:
    await typed_a_moment_ago(talk, "một", "hai", "ba", "bốn")
    rasa.released.clear()
    turn = asyncio.create_task(talk.step())
    while not rasa.turns:
        await asyncio.sleep(0.01)
    await talk.withdraws("in-1")
    rasa.released.set()
    await turn
    assert texts(rasa) == ["một\nhai\nba\nbốn", "hai\nba\nbốn"]
    assert talk.sender.texts == ["answer to hai\nba\nbốn"]


@pytest.mark.parametrize("kind", ["follow", "chat_now", "referral"])
async def test_whoever_comes_is_greeted_once(talk: Talk, kind: str) -> None:
    for _ in range(2):
        await talk.does(kind, "e1")
    await talk.does("chat_now", "e2")
    await talk.step()
    assert talk.sender.keys == ["utter_welcome"]


async def test_two_events_at_once_are_one_welcome(talk: Talk) -> None:
    await asyncio.gather(*(talk.does(kind, "e1") for kind in ("follow", "chat_now", "referral") * 3))
    await talk.step()
    assert talk.sender.keys == ["utter_welcome"]


async def test_opting_in_is_no_reason_to_greet(talk: Talk) -> None:
    await talk.does("opted_in")
    await talk.step()
    assert talk.sender.sent == []


async def test_whoever_leaves_is_not_written_to_until_they_come_back(talk: Talk) -> None:
    await talk.says("xin chào", at=NOW)
    await talk.does("unfollow", sent_at=NOW + datetime.timedelta(seconds=5))
    await talk.step()
    assert talk.sender.sent == []
    assert await talk.one("SELECT delivery FROM messages WHERE direction = 'outgoing'") == "blocked"
    await talk.says("tôi đây", at=NOW + datetime.timedelta(seconds=9))
    await talk.step()
    assert talk.sender.texts == ["answer to tôi đây"]


async def test_an_old_goodbye_that_comes_late_closes_nothing(talk: Talk) -> None:
    await talk.says("tôi quay lại rồi", at=NOW)
    await talk.does("unfollow", sent_at=NOW - datetime.timedelta(minutes=5))
    await talk.step()
    assert len(talk.sender.sent) == 1


async def test_somebody_unknown_who_leaves_is_nobody(talk: Talk) -> None:
    await talk.does("unfollow")
    assert await talk.rows("SELECT 1 FROM conversations") == []


async def test_a_sign_of_life_moves_the_window_and_never_back(talk: Talk) -> None:
    await talk.does("opted_in", sent_at=NOW)
    await talk.says("cũ, gửi lại muộn", at=NOW - datetime.timedelta(hours=3))
    assert await talk.one("SELECT interacted_at FROM conversations") == NOW
    await talk.says("đồng hồ chạy nhanh", at=NOW + datetime.timedelta(days=3000))
    assert await talk.one("SELECT interacted_at <= now() AND interacted_at > now() - interval '1 minute' FROM conversations")


async def test_the_campaign_of_the_newest_link_is_kept(talk: Talk) -> None:
    await talk.does("referral", "e1", campaign="tet-2026")
    await talk.says("xin chào")
    assert await talk.one("SELECT campaign FROM conversations") == "tet-2026"
    await talk.says("xin chào", campaign="SO5")
    assert await talk.one("SELECT campaign, campaign_at IS NOT NULL AS dated FROM conversations") == {
        "campaign": "SO5",
        "dated": True,
    }


async def typed_a_moment_ago(talk: Talk, *words: str) -> None:
    """Typed within a second, ten seconds ago: nobody need be waited for."""
    for text in words:
        await talk.says(text)
    await talk.rows("UPDATE messages SET created_at = created_at - interval '10 seconds'")
