"""A gateway that is killed in the middle of an operator's send loses nothing and doubles nothing."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from tests.gateway import GatewayProcess
from tests.office import Office
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TOKEN, TelegramSimulator

COOKIE = "__Host-loa-staff"
MINE = "SELECT delivery FROM messages WHERE author = 'operator'"


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramSimulator]:
    simulator = TelegramSimulator()
    yield simulator
    simulator.close()


@pytest.fixture(scope="module")
def running(
    shared_database_url: str, telegram: TelegramSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """Started once; each test kills it and starts it again."""
    rasa = RasaSimulator()
    home = tmp_path_factory.mktemp("killed")
    settings = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url}
    with GatewayProcess(shared_database_url, rasa.url, home, **settings) as process:
        yield process
    rasa.close()


@pytest.fixture
def gateway(running: GatewayProcess, telegram: TelegramSimulator) -> GatewayProcess:
    with psycopg.connect(running.database_url) as connection:
        connection.execute("TRUNCATE conversations, operators RESTART IDENTITY CASCADE")
    telegram.sent.clear()
    return running


class Operator:
    """A case claimed by hanh, and her browser with its page."""

    def __init__(self, gateway: GatewayProcess, telegram: TelegramSimulator) -> None:
        self._gateway = gateway
        telegram.citizen_writes("xin chào")
        gateway.wait_for("SELECT 1 FROM messages WHERE delivery = 'sent'")
        token = Office(gateway.database_url).hires("hanh", "senior")
        self._headers = {"Cookie": f"{COOKIE}={token}"}
        with psycopg.connect(gateway.database_url, autocommit=True) as connection:
            connection.execute("UPDATE conversations SET owner = 'operator'")
            connection.execute(
                """INSERT INTO cases (conversation_id, desk, reason, state, language, operator_id, claimed_at)
                   SELECT c.id, 'dak-lak', 'asked', 'claimed', 'vi', o.id, now() FROM conversations c, operators o"""
            )
        self._path = f"/desk/cases/{gateway.rows('SELECT id FROM cases')[0]['id']}"
        page = httpx.get(gateway.address + self._path, headers=self._headers, trust_env=False, timeout=30).text
        self._form = {name: self._field(page, name) for name in ("csrf", "key")} | {"text": "Chào bác"}

    def presses_send(self) -> int:
        """The same form each time, as after "the page did not answer, try again"; the answer's status, 0 for none."""
        try:
            response = httpx.post(
                f"{self._gateway.address}{self._path}/send", data=self._form, headers=self._headers, trust_env=False, timeout=30
            )
        except httpx.HTTPError:
            return 0
        return response.status_code

    def _field(self, page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]+)"', page)
        assert found, page
        return found[1]


def test_killed_before_the_commit_the_form_is_sent_again_and_arrives_once(
    gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    operator = Operator(gateway, telegram)
    with psycopg.connect(gateway.database_url) as lock:
        lock.execute("SELECT 1 FROM conversations FOR NO KEY UPDATE")  # the send now waits for us
        pressed = threading.Thread(target=operator.presses_send)
        pressed.start()
        gateway.wait_for("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        gateway.kill()
        gateway.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        lock.rollback()
    pressed.join()
    assert gateway.rows(MINE) == []
    gateway.start()
    assert [operator.presses_send() for _ in range(2)] == [303, 303]
    gateway.wait_for(f"{MINE} AND delivery = 'sent'")
    time.sleep(1)
    assert gateway.rows(MINE) == [{"delivery": "sent"}]
    assert [sent["text"] for sent in telegram.sent].count("Chào bác") == 1


def test_killed_between_the_commit_and_the_send_the_message_arrives_once(
    gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    operator = Operator(gateway, telegram)
    telegram.go_down()
    assert operator.presses_send() == 303
    gateway.wait_for(f"{MINE} AND delivery = 'waiting' AND delivery_attempts > 0")
    gateway.kill()
    telegram.come_up()
    gateway.start()
    assert operator.presses_send() == 303, "who did not see the answer presses again"
    gateway.wait_for(f"{MINE} AND delivery = 'sent'", seconds=60)
    time.sleep(1)
    assert gateway.rows(MINE) == [{"delivery": "sent"}]
    assert [sent["text"] for sent in telegram.sent].count("Chào bác") == 1
