"""How often PostgreSQL is asked because of one ordinary message. Whoever adds a question to every message sees it here."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.dialogue.talk import CHANNEL, Talk

RECEIVED, ANSWERED, DELIVERED = 4, 4, 4


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to PostgreSQL, each time that somebody waited for its answer."""
    sent: list[str] = []
    execute, command = psycopg.AsyncCursor.execute, psycopg.AsyncConnection._exec_command

    async def executed(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(" ".join(str(query).split())[:60])
        return await execute(self, query, *arguments, **options)

    def commanded(self: Any, query: Any, *arguments: Any) -> Any:
        sent.append(str(query))
        return command(self, query, *arguments)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", executed)
    monkeypatch.setattr(psycopg.AsyncConnection, "_exec_command", commanded)
    return sent


async def test_an_ordinary_message_asks_the_database_so_often(talk: Talk, trips: list[str]) -> None:
    await talk.says("xin chào")
    assert len(trips) == RECEIVED, trips
    conversation = await talk.one("SELECT id FROM conversations")
    trips.clear()
    await talk.turns.advance(conversation)
    assert len(trips) == ANSWERED + DELIVERED, trips
    assert talk.sender.texts == ["answer to xin chào"]


async def test_a_look_for_a_job_is_one_statement_beside_the_pools_own_check(talk: Talk, trips: list[str]) -> None:
    assert await talk.queue.app.job_manager.fetch_job(queues=None, worker_id=None) is None  # type: ignore[arg-type]
    assert len(trips) == 2, trips


async def test_where_nothing_is_pushed_the_answer_is_stored_and_that_is_all(
    talk: Talk, trips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk.turns._delivery, "is_pushed", lambda channel: channel != CHANNEL)
    await talk.says("xin chào")
    conversation = await talk.one("SELECT id FROM conversations")
    trips.clear()
    await talk.turns.advance(conversation)
    assert len(trips) == ANSWERED, trips
