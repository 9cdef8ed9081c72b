"""Whole talks between a citizen, the bot and the desk."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.handoff.cases import CaseRefused
from bot.handoff.timeouts import Timeouts
from tests.handoff.street import Street, without_the_desk


async def test_without_an_account_at_the_desk_the_citizen_is_told_whom_to_call(street: Street) -> None:
    await street.asks("người")
    assert street.told == ["utter_talk_to_human"]
    assert await street.owner() == "bot"
    assert await street.one("SELECT count(*) FROM cases") == 0


async def test_a_desk_that_is_switched_off_changes_nothing(street: Street) -> None:
    await street.hires("hanh")
    without_the_desk()
    for words in ("người", "hở", "tím môi khó thở"):
        await street.asks(words)
    assert street.told == ["utter_talk_to_human", "utter_hand_over", "utter_emergency"]
    assert await street.one("SELECT count(*) FROM cases") == 0


@pytest.mark.parametrize("name", ["content", "admin"])
async def test_accounts_that_do_not_answer_citizens_open_no_desk(street: Street, name: str) -> None:
    await street.hires("hanh", name)
    await street.asks("người")
    assert street.told == ["utter_talk_to_human"]


@pytest.mark.parametrize(
    ("words", "reason", "why"),
    [
        ("người", "asked", []),
        ("hở", "not_understood", ["utter_desk_gave_up"]),
        ("vô ích", "not_helpful", ["utter_desk_gave_up"]),
    ],
)
async def test_a_citizen_is_handed_over_in_the_turn_itself(street: Street, words: str, reason: str, why: list[str]) -> None:
    await street.hires("hanh")
    await street.asks("tiêm ở đâu")
    await street.asks(words)
    assert street.told == ["utter_greet", *why, "utter_desk_queued_no_wait"], "whom to call stands in there, too"
    case = await street.case()
    assert (case["reason"], case["state"], case["topic"]) == (reason, "waiting", "vaccine_where")
    assert await street.owner() == "queue"
    told = await street.one("SELECT in_reply_to, text FROM messages WHERE response_key LIKE 'utter_desk_queued%%'")
    assert told["in_reply_to"] == await street.one("SELECT max(id) FROM messages WHERE direction = 'incoming'")
    assert "19009095" in told["text"]
    assert "{" not in told["text"]


async def test_while_a_citizen_waits_their_words_only_reach_the_desk(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    before = list(street.engine.asked)
    await street.asks("tôi ở Buôn Hồ")
    assert street.engine.asked == before
    assert street.told == ["utter_desk_queued_no_wait"]
    assert await street.one("SELECT turn FROM messages WHERE text = 'tôi ở Buôn Hồ'") == "human"
    assert (await street.case())["citizen_at"] is not None


async def test_who_waits_may_ask_for_the_position_and_go_back_to_the_bot(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.asks("đến lượt tôi chưa")
    await street.taps("/desk_position")
    assert street.told[1:] == ["utter_desk_position_no_wait"], "not twice within a minute"
    await street.taps("/desk_back")
    assert street.told[-1] == "utter_desk_withdrawn"
    assert await street.owner() == "bot"
    await street.asks("tiêm ở đâu")
    assert street.told[-1] == "utter_greet"
    await street.taps("/desk_position")
    assert street.told[-1] == "utter_old_button"


async def test_danger_is_answered_while_the_citizen_waits_and_puts_the_case_on_top(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.asks("mẹ tôi khó thở, tím môi")
    assert street.told[-1] == "utter_emergency"
    assert (await street.case())["is_urgent"]
    assert await street.owner() == "queue"
    await street.desk("claim", "hanh")
    said = len(street.told)
    for _ in range(2):
        await street.asks("mẹ tôi khó thở, tím môi")
    assert street.told[said:] == [], "115 was told in this case; now a person answers"


async def test_danger_that_only_the_model_hears_is_told_while_nobody_reads(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    asked = list(street.engine.asked)
    street.engine.is_away = True
    await street.asks("em nằm im không phản ứng gì")
    assert street.told == ["utter_desk_queued_no_wait"], "without the model the words reach the desk all the same"
    street.engine.is_away = False
    await street.asks("tôi ở Buôn Hồ")
    assert not (await street.case())["is_urgent"]
    await street.asks("em nằm im không phản ứng gì")
    assert street.told[1:] == ["utter_emergency"]
    assert ((await street.case())["is_urgent"], await street.owner()) == (True, "queue")
    assert street.engine.asked == asked, "the bot was asked for no answer"
    await street.desk("claim", "hanh")
    judged = list(street.engine.judged)
    await street.asks("em nằm im không phản ứng gì")
    assert (street.told[-1], street.engine.judged) == ("utter_desk_claimed", judged), "now a person reads it"


async def test_danger_typed_to_an_operator_who_may_look_elsewhere_is_answered_with_115_once(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    said = len(street.told)
    with capture_logs() as logs:
        for _ in range(2):
            await street.asks("mẹ tôi khó thở, tím môi")
    assert street.told[said:] == ["utter_emergency"]
    assert (await street.case())["is_urgent"]
    assert await street.owner() == "operator"
    assert [line["event"] for line in logs if line["log_level"] == "error"] == []


async def test_an_emergency_is_answered_first_and_then_the_desk_is_told(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("tím môi khó thở")
    assert street.told == ["utter_emergency", "utter_desk_alerted"]
    assert ((await street.case())["reason"], (await street.case())["is_urgent"], await street.owner()) == (
        "emergency",
        True,
        "bot",
    )
    await street.asks("tím môi khó thở")
    assert street.told[2:] == ["utter_emergency"], "the alert is told once"
    await street.desk("claim", "hanh")
    assert await street.owner() == "operator"


async def test_a_button_about_emergencies_alarms_nobody(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("xin chào")
    await street.taps("/emergency")
    assert street.told == ["utter_greet", "utter_emergency"]
    assert await street.one("SELECT count(*) FROM cases") == 0


async def test_a_talk_with_an_operator_from_claim_to_close(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    await street.writes("hanh", "Chào bác, tôi là Hạnh", "k1")
    await street.asks("cảm ơn chị")
    await street.desk("close", "hanh", "answered", "tiêm chủng")
    assert street.told == ["utter_desk_queued_no_wait", "utter_desk_claimed", "", "utter_desk_closed"]
    assert await street.owner() == "closed"
    case = await street.case()
    assert (case["state"], case["outcome"], case["label"]) == ("ended", "answered", "tiêm chủng")
    with pytest.raises(CaseRefused):
        await street.writes("hanh", "còn nữa", "k2")
    await street.asks("tiêm ở đâu")
    assert (await street.owner(), street.told[-1]) == ("bot", "utter_greet")


async def test_given_back_with_a_topic_the_bot_answers_it_at_once(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    await street.desk("give_back", "hanh", "vaccine_where")
    assert street.engine.asked[-1] == "/vaccine_where"
    assert street.told[-2:] == ["utter_desk_back", "utter_greet"]
    assert await street.owner() == "bot"
    assert street.sender.sent[-1].quotes == "", "nobody's message is quoted: an operator asked"


async def test_out_of_hours_the_question_may_be_left_with_a_number(street: Street) -> None:
    await street.hires("hanh")
    street.shuts()
    await street.asks("người")
    assert street.told == ["utter_desk_shut"]
    assert "07:00, 24/11/2026" in street.sender.texts[0]
    assert await street.one("SELECT count(*) FROM cases") == 0, "without consent nothing is kept for people"
    await street.taps("/desk_leave")
    await street.asks("số của tôi là 0912 345 678")
    await street.asks("tiêm ở đâu")
    assert street.told[1:] == ["utter_desk_left", "utter_desk_contact_kept", "utter_greet"]
    case = await street.case()
    assert (case["reason"], case["contact"], case["consented_at"] is not None) == ("left", "0912345678", True)
    await street.asks("người")
    assert street.told[-1] == "utter_desk_still_listed"
    await street.taps("/desk_back")
    assert (street.told[-1], (await street.case())["state"]) == ("utter_desk_withdrawn", "ended")


async def test_out_of_hours_the_question_need_not_be_left(street: Street) -> None:
    await street.hires("hanh")
    street.shuts()
    await street.asks("hở")
    await street.taps("/desk_leave_nothing")
    await street.asks("số của tôi là 0912 345 678")
    assert street.told == ["utter_desk_gave_up", "utter_desk_shut", "utter_desk_not_left", "utter_greet"]
    assert await street.one("SELECT count(*) FROM cases") == 0


async def test_out_of_hours_an_emergency_promises_nobody(street: Street) -> None:
    await street.hires("hanh")
    street.shuts()
    await street.asks("tím môi khó thở")
    assert street.told == ["utter_emergency"]


async def test_a_button_of_last_night_finds_the_desk_open(street: Street) -> None:
    await street.hires("hanh")
    open_again = street.clock.now
    street.shuts()
    await street.asks("người")
    street.clock.now = open_again
    await street.taps("/desk_leave")
    assert street.told[-1] == "utter_desk_queued_no_wait"


async def test_nobody_claims_and_the_citizen_is_told_once_and_stays_listed(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    for minutes in (9, 2, 30):
        await street.minutes_pass(minutes)
    assert street.told == ["utter_desk_queued_no_wait", "utter_desk_unclaimed"]
    assert ((await street.case())["state"], await street.owner()) == ("waiting", "bot")
    await street.asks("tiêm ở đâu")
    assert street.told[-1] == "utter_greet"
    await street.desk("claim", "hanh")
    assert street.told[-1] == "utter_desk_claimed"


async def test_an_operator_who_leaves_a_citizen_waiting_loses_the_case(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    await street.writes("hanh", "Chào bác", "k1")
    await street.minutes_pass(20)
    assert await street.owner() == "operator", "it is the citizen who is silent"
    await street.asks("tôi ở Buôn Hồ")
    for _ in range(3):
        await street.minutes_pass(6)
        await street.says("chị ơi")
    await street.step()
    assert await street.owner() == "queue"
    assert street.told[-1] == "utter_desk_queued_again_no_wait"
    assert (await street.case())["operator_id"] is None


async def test_a_silent_citizen_is_told_that_the_talk_is_over(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    await street.writes("hanh", "Chào bác", "k1")
    await street.minutes_pass(12 * 60 + 1)
    assert (street.told[-1], await street.owner()) == ("utter_desk_closed_in_silence", "closed")
    await street.minutes_pass(60)
    assert street.told.count("utter_desk_closed_in_silence") == 1


async def test_who_still_waits_when_the_desk_shuts_is_told(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    street.shuts()
    await street.minutes_pass(1)
    assert (street.told[-1], await street.owner()) == ("utter_desk_still_listed", "bot")


async def test_a_wait_is_told_from_what_was_claimed_lately(street: Street) -> None:
    await street.hires("hanh")
    await street.rows(
        """WITH other AS (INSERT INTO conversations (channel, address) SELECT 'zalo', 'o' || n FROM generate_series(1, 6) n
                          RETURNING id)
           INSERT INTO cases (conversation_id, desk, reason, state, language, operator_id, claimed_at, ended_at)
           SELECT other.id, 'dak-lak', 'asked', 'ended', 'vi', operators.id, now(), now() FROM other, operators"""
    )
    await street.rows("DELETE FROM conversations WHERE address = 'o1'")
    await street.says("người")
    (row,) = await street.rows("SELECT id FROM conversations WHERE address NOT LIKE 'o%%'")
    await street.turns.advance(row["id"])
    assert street.told == ["utter_desk_queued"]
    assert "số 1, có thể phải chờ khoảng 15 phút" in street.sender.texts[0]
    street.shuts()
    await street.presses("/desk_position")
    await street.turns.advance(row["id"])
    assert street.told[-1] == "utter_desk_position_no_wait", "nobody counts down while the desk is shut"


async def test_a_person_in_the_platforms_inbox_takes_over_a_waiting_case_and_the_bot_says_when_it_is_back(street: Street) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.hears("op-1", "Chào bác, tôi trả lời đây")
    await street.asks("cảm ơn")
    case = await street.case()
    assert (case["state"], case["operator_id"], await street.owner()) == ("claimed", None, "operator")
    await street.minutes_pass(61)
    assert street.told == ["utter_desk_queued_no_wait", "utter_desk_back"]
    assert ((await street.case())["outcome"], await street.owner()) == ("returned", "bot")


async def test_the_citizen_agrees_to_another_desk_by_a_button(street: Street, second_desk: str) -> None:
    await street.hires("hanh")
    await street.asks("người")
    await street.desk("claim", "hanh")
    await street.desk("transfer", "hanh", second_desk)
    assert [button.payload for button in street.sender.sent[-1].buttons] == ["/desk_transfer_yes", "/desk_transfer_no"]
    assert "CDC" in street.sender.texts[-1]
    await street.taps("/desk_transfer_no")
    await street.taps("/desk_transfer_yes")
    assert (await street.case())["desk"] == "dak-lak", "the question was answered"
    await street.desk("transfer", "hanh", second_desk)
    await street.taps("/desk_transfer_yes")
    assert ((await street.case())["desk"], await street.owner()) == (second_desk, "queue")
    assert street.told[-1] == "utter_desk_moved_no_wait"


async def test_notices_are_told_in_the_citizens_language(street: Street) -> None:
    await street.hires("hanh")
    await street.says("người", language="en")
    await street.step()
    vietnamese = street.turns._catalogue.answer("utter_desk_queued_no_wait", {}, "vi").revision
    sent = street.sender.sent[-1]
    assert (await street.case())["language"] == "en"
    assert sent.language == "en" or sent.revision == vietnamese, "English once it is written, until then Vietnamese"


async def test_a_broken_desk_never_leaves_the_citizen_without_an_answer(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    await street.hires("hanh")

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("bot.dialogue.desk_side.move", broken)
    await street.asks("người")
    assert street.told == ["utter_talk_to_human"]
    assert await street.one("SELECT turn FROM messages WHERE direction = 'incoming'") == "answered"


async def test_what_a_left_question_is_about_is_known_once_the_citizen_has_asked_it(street: Street) -> None:
    await street.hires("hanh")
    street.shuts()
    await street.asks("người")
    await street.taps("/desk_leave")
    assert await Timeouts(street.pool).guess() == 0
    assert (await street.case())["topic"] is None
    await street.asks("tiêm ở đâu")
    assert await Timeouts(street.pool).guess() == 1
    assert (await street.case())["topic"] == "vaccine_where"
