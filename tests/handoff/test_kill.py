"""A gateway that is killed in the middle of an operator's send loses nothing and doubles nothing."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.dialogue.conftest import telegram as telegram
from tests.gateway import GatewayProcess
from tests.office import Office
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TOKEN, TelegramSimulator

COOKIE = "__Host-loa-staff"
MINE = "SELECT delivery FROM messages WHERE author = 'operator'"


@pytest.fixture
def gateway(database_url: str, rasa: RasaSimulator, telegram: TelegramSimulator, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, rasa.url, tmp_path, TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=telegram.url) as process:
        yield process


class Operator:
    """Somebody with a case of their own, and their browser with its page."""

    def __init__(self, name: str, chat: int, gateway: GatewayProcess, telegram: TelegramSimulator) -> None:
        self._gateway, self.text = gateway, f"Chào bác, tôi là {name}"
        telegram.citizen_writes("xin chào", chat)
        [row] = gateway.wait_for(
            """SELECT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id
                WHERE c.address = %s AND m.delivery = 'sent'""",
            str(chat),
        )
        self.conversation = int(row["id"])
        token = Office(gateway.database_url).hires(name, "senior")
        self._headers = {"Cookie": f"{COOKIE}={token}"}
        with psycopg.connect(gateway.database_url, autocommit=True) as connection:
            connection.execute("UPDATE conversations SET owner = 'operator' WHERE id = %s", [self.conversation])
            found = connection.execute(
                """INSERT INTO cases (conversation_id, desk, reason, state, language, operator_id, claimed_at)
                   SELECT %s, 'dak-lak', 'asked', 'claimed', 'vi', id, now() FROM operators WHERE name = %s RETURNING id""",
                [self.conversation, name],
            ).fetchone()
        assert found
        self._path = f"/desk/cases/{found[0]}"
        page = httpx.get(gateway.address + self._path, headers=self._headers, trust_env=False, timeout=30).text
        self._form = {field: self._field(page, field) for field in ("csrf", "key")} | {"text": self.text}

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


def test_what_two_operators_sent_when_the_gateway_was_killed_arrives_once(
    gateway: GatewayProcess, telegram: TelegramSimulator
) -> None:
    before, behind = Operator("hanh", 11, gateway, telegram), Operator("minh", 12, gateway, telegram)
    telegram.go_down()
    assert behind.presses_send() == 303
    gateway.wait_for(f"{MINE} AND delivery = 'waiting' AND delivery_attempts > 0")
    with psycopg.connect(gateway.database_url) as lock:
        lock.execute("SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE", [before.conversation])
        pressed = threading.Thread(target=before.presses_send)  # the send now waits for us
        pressed.start()
        gateway.wait_for("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
        gateway.kill()
        # The server would still carry out the transaction of a client that is gone; a power cut ends both.
        gateway.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        lock.rollback()
    pressed.join()
    assert gateway.rows("SELECT text FROM messages WHERE author = 'operator'") == [{"text": behind.text}], "one before its commit"
    telegram.come_up()
    gateway.start()
    # Who did not see the answer presses again, and again.
    assert [operator.presses_send() for operator in (before, behind) for _ in range(2)] == [303] * 4
    gateway.wait_for(f"SELECT 1 FROM ({MINE} AND delivery = 'sent') AS mine HAVING count(*) = 2")
    time.sleep(1)
    assert gateway.rows(MINE) == [{"delivery": "sent"}] * 2
    said = [sent["text"] for sent in telegram.sent]
    assert [said.count(before.text), said.count(behind.text)] == [1, 1]
