"""What the bot could not answer is kept once, masked, without a way back to whoever asked."""

from __future__ import annotations

import datetime

import pytest

from bot.learn import collecting, store
from bot.privacy import erasure
from tests.learn.conftest import Talks
from tests.office import Office
from tests.privacy.person import found_in


def test_a_question_is_kept_masked_with_what_was_guessed(talks: Talks, office: Office) -> None:
    talks.asks("em tên là Hoa, sđt 0905123678, vé xe buýt bao nhiêu", ranking=[["nlu_fallback", 0.5], ["testing_cost", 0.4123]])
    (kept,) = talks.are_collected()
    assert kept["text"] == "em tên là [tên], sđt [điện thoại], vé xe buýt bao nhiêu"
    assert (kept["reason"], kept["language"], kept["guesses"]) == ("not_understood", "vi", [["testing_cost", 0.41]])
    assert kept["group_id"]


def test_a_turn_is_read_once(talks: Talks) -> None:
    talks.asks("vé xe buýt bao nhiêu")
    assert len(talks.are_collected()) == len(talks.are_collected()) == 1


def test_a_turn_of_this_moment_waits_and_is_not_lost(talks: Talks) -> None:
    talks.asks("vé xe buýt bao nhiêu", minutes=0)
    assert talks.are_collected(datetime.timedelta(minutes=2)) == []
    assert len(talks.are_collected()) == 1


def test_turns_that_ended_at_the_same_moment_are_all_read(talks: Talks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "STEP_ROWS", 2)
    for word in ("một", "hai", "ba"):
        talks.asks(f"{word} chiếc xe buýt")
    talks.office.rows("UPDATE messages SET finished_at = now() - interval '5 minutes'")
    for _ in range(2):
        talks.are_collected()
    assert len(talks.kept()) == 3


def test_only_what_a_citizen_typed_to_the_bot_is_kept(talks: Talks) -> None:
    for minutes, fields in enumerate(
        ({"turn": "human"}, {"turn": "degraded"}, {"author": "operator"}, {"payload": "/testing_where"}, {"kind": "image"}), 1
    ):
        talks.asks("vé xe buýt bao nhiêu", minutes=minutes, **fields)
    assert talks.are_collected() == []


def test_an_answer_that_did_not_help_counts_once_for_the_question_before(talks: Talks) -> None:
    talk = talks.asks("xét nghiệm ở đâu tại xã tôi", "testing_where", confidence=0.9, minutes=10)
    talks.asks("không đúng ý tôi", "not_helpful", talk=talk, minutes=9)
    talks.asks("", "not_helpful", talk=talk, minutes=8, payload="/not_helpful")
    assert [(kept["text"], kept["reason"]) for kept in talks.are_collected()] == [("xét nghiệm ở đâu tại xã tôi", "not_helpful")]


def test_what_was_kept_already_is_not_kept_again_for_a_complaint(talks: Talks) -> None:
    talk = talks.asks("vé xe buýt bao nhiêu", minutes=10)
    talks.asks("không đúng ý tôi", "not_helpful", talk=talk, minutes=9)
    assert [kept["reason"] for kept in talks.are_collected()] == ["not_understood"]


def test_a_question_that_called_a_person_says_so(talks: Talks, office: Office) -> None:
    talk = talks.asks("vé xe buýt bao nhiêu")
    office.rows(
        """INSERT INTO cases (conversation_id, desk, reason, language, opened_at)
           SELECT conversation_id, 'tinh', 'not_understood', 'vi', finished_at FROM messages WHERE conversation_id = %s""",
        talk,
    )
    assert [kept["reason"] for kept in talks.are_collected()] == ["handed_over"]


def test_lines_that_were_answered_together_are_one_question(talks: Talks, office: Office) -> None:
    talk = talks.asks("cho hỏi")
    first = office.rows("SELECT id FROM messages")[0]["id"]
    talks.asks("vé xe buýt bao nhiêu", talk=talk, joined_to=first)
    assert [kept["text"] for kept in talks.are_collected()] == ["cho hỏi vé xe buýt bao nhiêu"]


def test_nothing_is_kept_of_a_talk_that_was_erased_meanwhile(talks: Talks, office: Office) -> None:
    talk = talks.asks("trầm-hương-bí-mật ở đâu")
    office.does(lambda connection: erasure.erase(connection, talk, asked_by=erasure.CITIZEN))
    assert talks.are_collected() == []


def test_what_was_kept_goes_with_the_persons_data_and_others_keep_theirs(talks: Talks, office: Office) -> None:
    talk = talks.asks("trầm-hương-bí-mật ở đâu", minutes=10)
    talks.asks("trầm-hương mua ở đâu bây giờ", minutes=9)
    talks.asks("vé xe buýt bao nhiêu", minutes=8)
    talks.are_collected()
    assert "learn_questions" in found_in(office, "trầm-hương-bí-mật")
    office.does(lambda connection: erasure.erase(connection, talk, asked_by=erasure.CITIZEN))
    assert found_in(office, "trầm-hương-bí-mật") == []
    assert len(talks.kept()) == 2


def test_of_two_who_asked_the_same_one_stays(talks: Talks, office: Office) -> None:
    first = talks.asks("vé xe buýt bao nhiêu")
    talks.asks("vé xe buýt bao nhiêu")
    talks.are_collected()
    group = office.rows("SELECT id FROM learn_groups")[0]["id"]
    office.does(lambda c: store.propose(c, group, "testing_cost", ["vé xe buýt bao nhiêu"], "an"))
    office.does(lambda connection: erasure.erase(connection, first, asked_by=erasure.CITIZEN))
    assert [kept["text"] for kept in talks.kept()] == ["vé xe buýt bao nhiêu"]
    assert office.rows("SELECT examples FROM learn_decisions") == [{"examples": ["vé xe buýt bao nhiêu"]}]


def test_an_example_nobody_else_asked_goes_with_the_person(talks: Talks, office: Office) -> None:
    talk = talks.asks("vé xe buýt bao nhiêu")
    talks.are_collected()
    group = office.rows("SELECT id FROM learn_groups")[0]["id"]
    office.does(lambda c: store.propose(c, group, "testing_cost", ["vé xe buýt bao nhiêu"], "an"))
    office.does(lambda connection: erasure.erase(connection, talk, asked_by=erasure.CITIZEN))
    assert found_in(office, "xe buýt") == []
    assert office.rows("SELECT examples FROM learn_decisions") == [{"examples": []}]


def test_no_column_points_at_a_person(office: Office) -> None:
    columns = office.rows("SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'learn_questions'")
    assert {row["name"] for row in columns} == {"id", "group_id", "day", "language", "text", "plain", "reason", "guesses"}


def test_odd_understandings_stop_nothing(talks: Talks, office: Office) -> None:
    talks.asks("vé xe buýt bao nhiêu", ranking="x")
    talks.asks("😀😀", minutes=9)
    talks.asks("x" * 9_000 + " bao nhiêu", minutes=8)
    office.rows("UPDATE messages SET understood = understood || '{\"entities\": 3}'::jsonb")
    assert [len(kept["text"]) for kept in talks.are_collected()] == [20, 500]
