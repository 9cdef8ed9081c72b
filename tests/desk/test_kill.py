"""A power cut in the middle of an operator's send: the words are there once, whatever the browser heard."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import psycopg

from tests.desk.conftest import app_of, opened
from tests.gateway import GatewayProcess, Visitor
from tests.office import Office


def test_a_send_that_a_killed_gateway_did_not_answer_arrives_once_when_it_is_sent_again(
    database_url: str, tmp_path: Path
) -> None:
    with GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, LOA_WORKER="alone") as gateway:
        Visitor(gateway.address).writes("gặp người")
        app_of(database_url)  # the words and desks that a case is opened with
        office = Office(database_url)
        [conversation] = gateway.wait_for("SELECT id FROM conversations")
        case_id = office.does(lambda connection: opened(connection, conversation["id"], "asked", None))
        browser = httpx.Client(
            base_url=gateway.address, cookies={"__Host-loa-staff": office.hires("lan", "operator")}, trust_env=False, timeout=10
        )
        page = browser.get(f"/desk/cases/{case_id}").text
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        assert browser.post(f"/desk/cases/{case_id}/claim", data={"csrf": csrf}).status_code == 303
        form = {"csrf": csrf, "text": "Dạ tôi nghe", "key": "the-key-of-the-form"}

        def sends() -> int:
            try:
                return browser.post(f"/desk/cases/{case_id}/send", data=form).status_code
            except httpx.HTTPError:
                return 0

        with psycopg.connect(database_url) as lock:
            lock.execute("SELECT 1 FROM conversations FOR NO KEY UPDATE")  # the send's transaction now waits for us
            sending = threading.Thread(target=sends)
            sending.start()
            gateway.wait_for("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
            gateway.kill()
            # The server would still carry out the transaction of a client that is gone; a power cut ends both.
            gateway.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            lock.rollback()
        sending.join()
        assert gateway.rows("SELECT 1 FROM messages WHERE author = 'operator'") == []
        gateway.start()
        assert [sends(), sends()] == [303, 303]
        assert gateway.rows("SELECT text, delivery FROM messages WHERE author = 'operator'") == [
            {"text": "Dạ tôi nghe", "delivery": "sent"}
        ]
        browser.close()
