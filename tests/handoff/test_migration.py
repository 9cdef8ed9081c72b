"""A person who types in a platform's inbox while the service is updated keeps the conversation."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row

from bot import database
from tests.figures.test_store import a_database_of


def test_who_answers_in_an_inbox_has_a_case_from_now_on(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_database_of(postgres, monkeypatch, until="0017") as url:
        with psycopg.connect(url) as before:
            before.execute(
                """INSERT INTO conversations (channel, address, owner, operator_until)
                   VALUES ('zalo', '1', 'operator', now() + interval '1 hour'), ('zalo', '2', 'bot', NULL)"""
            )
        monkeypatch.undo()
        assert "0018_cases" in database.migrate(url)
        with psycopg.connect(url, row_factory=dict_row) as after:
            cases = after.execute("SELECT reason, state, operator_id FROM cases").fetchall()
        assert cases == [{"reason": "platform", "state": "claimed", "operator_id": None}]
