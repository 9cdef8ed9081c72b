"""A process killed at any point neither loses nor doubles an answer."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from tests.gateway import GatewayProcess, Visitor
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TelegramSimulator, hang_up


def test_killed_between_store_and_turn_the_message_is_answered_once(
    database_url: str, rasa: RasaSimulator, tmp_path: Path
) -> None:
    gateway = GatewayProcess(database_url, rasa.url, tmp_path)
    gateway.start(LOA_WORKER="alone")
    try:
        Visitor(gateway.address).writes("xin chào")
        gateway.kill()
        assert gateway.rows("SELECT turn FROM messages") == [{"turn": "waiting"}]
        gateway.start(LOA_WORKER="inside")
        gateway.wait_for_replies(1)
        assert [r["text"] for r in gateway.replies()] == ["answer to xin chào"]
    finally:
        gateway.stop()


def test_killed_between_rasas_answer_and_the_commit_the_message_is_answered_once(
    gateway: GatewayProcess, rasa: RasaSimulator
) -> None:
    visitor = Visitor(gateway.address)
    visitor.writes("một")
    gateway.wait_for_replies(1)
    with psycopg.connect(gateway.database_url) as lock:
        lock.execute("SELECT 1 FROM conversations FOR NO KEY UPDATE")  # the turn's commit now waits for us
        _store_directly(gateway, "hai")
        _until(lambda: len(rasa.turns) == 2)
        time.sleep(0.2)
        gateway.kill()
        # The server would still carry out the waiting commit of a client that is gone; a power cut ends both.
        gateway.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        lock.rollback()
    assert len(gateway.replies()) == 1
    gateway.start()
    gateway.wait_for_replies(2)
    time.sleep(1)
    assert [r["text"] for r in gateway.replies()] == ["answer to một", "answer to hai"]
    assert [turn["attempt"] for turn in rasa.turns if turn["text"] == "hai"] == [1, 2], "Rasa must know that this is a retry"


def test_killed_between_commit_and_send_the_answer_is_sent_once(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator, rasa: RasaSimulator
) -> None:
    gateway = telegram_gateway
    rasa.released.clear()
    telegram.citizen_writes("xin chào")
    _until(lambda: len(rasa.turns) == 1)
    telegram.go_down()
    rasa.released.set()
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'waiting' AND delivery_attempts > 0")
    gateway.kill()
    telegram.come_up()
    gateway.start()
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    time.sleep(1)
    assert len(telegram.sent) == 1


def test_killed_while_the_platform_was_answering_the_send_is_unknown_and_not_repeated(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    gateway = telegram_gateway
    gateway.rows("SELECT 1")
    telegram.citizen_writes("xin chào")
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        # What a worker leaves that died between its call of the platform and the platform's answer.
        connection.execute("UPDATE messages SET delivery = 'sending', provider_id = NULL WHERE direction = 'outgoing'")
    before = len(telegram.sent)
    gateway.kill()
    gateway.start()
    telegram.citizen_writes("câu sau")
    gateway.wait_for_replies(2)
    gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
    assert [r["delivery"] for r in gateway.replies()] == ["unknown", "sent"]
    assert len(telegram.sent) == before + 1


def test_a_send_whose_answer_was_lost_is_unknown_and_not_repeated(
    telegram_gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    telegram.faults = [hang_up()]
    telegram.citizen_writes("xin chào")
    telegram_gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'unknown'")
    time.sleep(1.5)
    assert len(telegram.sent) == 1


def _store_directly(gateway: GatewayProcess, text: str) -> None:
    """A message of the same visitor, stored as the gateway does; its own insert would wait for the lock we hold."""
    with psycopg.connect(gateway.database_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
               SELECT id, 'incoming', 'citizen', channel, 'direct', %s, 'waiting' FROM conversations""",
            [text],
        )
        connection.execute(
            """SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'advance', 0, 'conversation:' || id, NULL,
               jsonb_build_object('conversation_id', id), NULL)::procrastinate_job_to_defer_v1]) FROM conversations"""
        )


def _until(happened: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
