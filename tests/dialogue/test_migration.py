"""Conversations of the release before keep their buttons, their sent ids and their place in time."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row

from bot import database
from bot.channels.payloads import short_id
from tests.figures.test_store import a_database_of


def test_messages_of_the_release_before_are_known_again(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_database_of(postgres, monkeypatch, until="0011") as url:
        with psycopg.connect(url) as before:
            before.execute("INSERT INTO conversations (channel, address) VALUES ('telegram', '7')")
            before.execute(
                """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, buttons, delivery)
                   SELECT id, 'outgoing', 'bot', channel, '42', 'x', '[{"title": "a", "payload": "/testing_cost"}]', 'sent'
                   FROM conversations"""
            )
            before.execute(
                """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
                   SELECT id, 'incoming', 'citizen', channel, '41', 'y', 'waiting' FROM conversations"""
            )
        monkeypatch.undo()
        assert "0012_channels" in database.migrate(url)
        with psycopg.connect(url, row_factory=dict_row) as after:
            ids = after.execute("SELECT provider_ids FROM messages ORDER BY id").fetchall()
            payloads = after.execute("SELECT id, payload FROM payload_ids").fetchall()
            dated = after.execute("SELECT interacted_at = last_message_at AS dated FROM conversations").fetchone()
        assert [row["provider_ids"] for row in ids] == [["42"], []]
        assert payloads == [{"id": short_id("/testing_cost"), "payload": "/testing_cost"}]
        assert dated == {"dated": True}
