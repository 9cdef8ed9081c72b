"""Order, redelivery, a Rasa that is down, an operator who took over."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.gateway import GatewayProcess, Visitor
from tests.simulators.rasa import RasaSimulator, with_reply
from tests.simulators.server import Answer

ALL_TAKEN = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM messages WHERE turn = 'waiting')"


def test_redelivered_message_is_answered_once(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    for _ in range(3):
        visitor.writes("xin chào", message_id="same")
    gateway.wait_for_replies(1)
    time.sleep(0.5)
    assert len(gateway.replies()) == 1


def test_messages_of_one_conversation_are_answered_in_order_and_one_at_a_time(
    gateway: GatewayProcess, rasa: RasaSimulator
) -> None:
    visitor = Visitor(gateway.address)
    for number in range(20):
        visitor.writes(str(number))
    gateway.wait_for(ALL_TAKEN)
    asked = [turn["text"] for turn in rasa.turns]
    assert "\n".join(asked).split("\n") == [str(n) for n in range(20)]
    assert [r["text"] for r in gateway.replies()] == [f"answer to {text}" for text in asked]
    assert len(asked) < 10, "what is typed line after line is answered together"


def test_many_visitors_at_once_are_all_answered(gateway: GatewayProcess) -> None:
    visitors = [Visitor(gateway.address) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda visitor: [visitor.writes(f"câu {n}") for n in range(5)], visitors))
    gateway.wait_for(ALL_TAKEN)
    per_conversation = gateway.rows(
        """SELECT string_agg(text, E'\n' ORDER BY id) AS answers FROM messages WHERE direction = 'outgoing' GROUP BY conversation_id"""
    )
    spoken = [row["answers"].replace("answer to ", "") for row in per_conversation]
    assert spoken == ["\n".join(f"câu {n}" for n in range(5))] * 12


def test_a_turn_waits_for_rasa_and_is_answered_when_it_comes_back(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    rasa.go_down()
    Visitor(gateway.address).writes("xin chào")
    time.sleep(1)
    assert gateway.replies() == []
    rasa.come_up()
    assert gateway.wait_for_replies(1)[0]["text"] == "answer to xin chào"


def test_after_the_deadline_the_ladder_answers_keyword_then_menu_then_hotline(
    database_url: str, rasa: RasaSimulator, tmp_path: Path
) -> None:
    rasa.go_down()
    each_for_itself = {"LOA_MESSAGES_A_MINUTE": "0", "LOA_TURN_DEADLINE_SECONDS": "3"}
    with GatewayProcess(database_url, rasa.url, tmp_path, **each_for_itself) as gateway:
        visitor = Visitor(gateway.address)
        for text in ("xet nghiem o dau vay", "abc xyz", "abc xyz nữa"):
            visitor.writes(text)
        keys = [r["response_key"] for r in gateway.wait_for_replies(3)]
        assert keys == ["utter_testing_where", "utter_topic_menu", "utter_degraded_hotline"]
        assert {row["turn"] for row in gateway.rows("SELECT turn FROM messages WHERE direction = 'incoming'")} == {"degraded"}


def test_without_rasa_somebody_in_danger_is_still_told_115(database_url: str, rasa: RasaSimulator, tmp_path: Path) -> None:
    rasa.go_down()
    with GatewayProcess(database_url, rasa.url, tmp_path, LOA_TURN_DEADLINE_SECONDS="3") as gateway:
        Visitor(gateway.address).writes("cuu voi ba toi khong tho duoc, moi tim tai roi")
        reply = gateway.wait_for_replies(1)[0]
    assert reply["response_key"] == "utter_emergency"
    assert "115" in reply["text"].split("\n")[0]


def test_a_silent_rasa_is_a_failure_not_an_answer(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    rasa.faults = [Answer(200, {"replies": [], "understood": {}})]
    Visitor(gateway.address).writes("xin chào")
    gateway.wait_for_replies(1)
    assert [turn["attempt"] for turn in rasa.turns] == [1, 2]


def test_an_answer_of_another_shape_is_a_failure_not_a_crash(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    rasa.faults = [Answer(200, ["no object"]), Answer(200, {"replies": [{"text": 1}]}), Answer(500, {})]
    Visitor(gateway.address).writes("xin chào")
    assert gateway.wait_for_replies(1)[0]["response_key"]


def test_pictures_and_the_readings_told_are_stored_with_the_message(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    picture = {"type": "image", "url": "figures/vn/cases.png?weeks=8", "alt": "Biểu đồ cột 8 tuần"}
    rasa.faults = [with_reply(attachments=[picture], figures=[7, 9_000_000_000, 8])]
    visitor = Visitor(gateway.address)
    visitor.writes("hôm nay mấy ca")
    visitor.writes("xin chào")
    told, other = gateway.wait_for_replies(2)
    assert (told["attachments"], told["figures"]) == ([picture], [7, 9_000_000_000, 8])
    assert (other["attachments"], other["figures"]) == ([], [])
    assert gateway.rows("SELECT id FROM messages WHERE figures && %s::bigint[]", [8]) == [{"id": told["id"]}]


@pytest.mark.parametrize("attachments", ["x", [None], [{"type": "image"}], [[]], {"url": 1}], ids=str)
def test_a_picture_of_another_shape_never_loses_the_words(gateway: GatewayProcess, rasa: RasaSimulator, attachments: Any) -> None:
    rasa.faults = [with_reply(attachments=attachments, figures=attachments)]
    Visitor(gateway.address).writes("hôm nay mấy ca")
    (reply,) = gateway.wait_for_replies(1)
    assert (reply["text"], reply["attachments"], reply["figures"]) == ("11.624.000 ca", [], [])


def test_nothing_the_bot_prepared_is_sent_after_a_take_over(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    visitor.writes("xin chào")
    gateway.wait_for_replies(1)
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute("UPDATE conversations SET owner = 'operator'")
    visitor.writes("còn đó không")
    gateway.wait_for("SELECT 1 FROM messages WHERE turn = 'human'")
    assert len(gateway.replies()) == 1


def test_a_reply_on_a_channel_that_is_off_here_waits_and_is_never_called_sent(gateway: GatewayProcess) -> None:
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO conversations (channel, address) VALUES ('telegram', '7')")
        connection.execute(
            """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
               SELECT id, 'incoming', 'citizen', 'telegram', '1', 'xin chào', 'waiting' FROM conversations"""
        )
        connection.execute(
            """SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'advance', 0, 'conversation:' || id, NULL,
               jsonb_build_object('conversation_id', id), NULL)::procrastinate_job_to_defer_v1]) FROM conversations"""
        )
    row = gateway.wait_for(
        "SELECT delivery, send_after FROM messages WHERE direction = 'outgoing' AND delivery_attempts > 0 AND delivery <> 'sending'"
    )[0]
    assert (row["delivery"], row["send_after"] is None) == ("waiting", False)


def test_a_message_whose_job_was_lost_is_found_by_the_sweep(database_url: str, rasa: RasaSimulator, tmp_path: Path) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO conversations (channel, address) VALUES ('webchat', 'x')")
        connection.execute(
            """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn, created_at)
               SELECT id, 'incoming', 'citizen', 'webchat', '1', 'xin chào', 'waiting', now() - interval '2 minutes' FROM conversations"""
        )
    with GatewayProcess(database_url, rasa.url, tmp_path, LOA_SWEEP_SECONDS="0.5") as gateway:
        assert gateway.wait_for_replies(1)[0]["text"] == "answer to xin chào"


def test_a_conversation_whose_operator_went_quiet_is_the_bots_again(
    database_url: str, rasa: RasaSimulator, tmp_path: Path
) -> None:
    with GatewayProcess(database_url, rasa.url, tmp_path) as gateway:
        visitor = Visitor(gateway.address)
        visitor.writes("xin chào")
        gateway.wait_for_replies(1)
        with psycopg.connect(gateway.database_url, autocommit=True) as connection:
            connection.execute("UPDATE conversations SET owner = 'operator', operator_until = now() + interval '1 hour'")
        visitor.writes("có ai không")
        gateway.wait_for("SELECT 1 FROM messages WHERE turn = 'human'")
        with psycopg.connect(gateway.database_url, autocommit=True) as connection:
            connection.execute("UPDATE conversations SET operator_until = now() - interval '1 second'")
        gateway.does_now("desk")
        gateway.wait_for("SELECT 1 FROM conversations WHERE owner = 'bot' AND operator_until IS NULL")
        visitor.writes("tiêm ở đâu")
        replies = gateway.wait_for_replies(3)
        assert [reply["response_key"] for reply in replies[1:]] == ["utter_desk_back", "utter_greet"]


def test_the_log_of_a_conversation_holds_no_word_of_the_citizen(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    visitor = Visitor(gateway.address)
    rasa.faults = [Answer(500, {})]
    visitor.writes("mật khẩu bí-mật-của-tôi 0912345678")
    gateway.wait_for_replies(1)
    gateway.stop()
    log = gateway.log()
    assert "turn_finished" in log, "the test must look at a log that was written"
    for word in ("bí-mật-của-tôi", "0912345678", visitor.token, "test-token"):
        assert word not in log
