"""What the desk does with a case: once, by whoever owns it, noted and told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable

import psycopg
import pytest

from bot.handoff import cases
from bot.handoff.cases import CaseRefused
from bot.handoff.ownership import Event
from bot.messages import Outgoing
from tests.handoff.room import Room


async def test_who_asks_for_a_person_waits_and_is_told_where(room: Room) -> None:
    citizen = await room.citizen()
    async with room.pool.connection() as connection, connection.transaction():
        case_id = await cases.open_case(connection, citizen, reason="asked")
        assert await cases.open_case(connection, citizen, reason="not_helpful") == case_id
    assert await room.owner(citizen) == "queue"
    assert await room.told(citizen) == ["utter_desk_queued_no_wait"], "told once, and no wait that nobody can know"
    async with room.pool.connection() as connection:
        (row,) = await cases.waiting(connection)
    assert (row.id, row.reason, row.desk, row.state, row.operator) == (case_id, "asked", "dak-lak", "waiting", None)


async def test_the_second_claim_is_refused_by_name_and_the_first_may_click_twice(room: Room) -> None:
    citizen, case_id = await waiting(room)
    hanh, minh = await room.operator("hanh"), await room.operator("minh")
    outcomes = await asyncio.gather(
        claim(room, case_id, hanh, "hanh"), claim(room, case_id, minh, "minh"), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, CaseRefused)]
    assert [(one.reason, len(one.values)) for one in refused] == [("claimed_by", 1)]
    owner = next(outcome for outcome in outcomes if isinstance(outcome, cases.Case))
    assert refused[0].values == {"name": owner.operator}
    assert owner.operator_id is not None
    await claim(room, case_id, owner.operator_id, str(owner.operator))
    assert await room.owner(citizen) == "operator"
    assert (await room.told(citizen)).count("utter_desk_claimed") == 1


async def test_what_the_bot_had_not_sent_is_void_at_a_claim(room: Room) -> None:
    _, case_id = await waiting(room)
    await claim(room, case_id, await room.operator("hanh"), "hanh")
    rows = await room.rows("SELECT response_key, delivery FROM messages ORDER BY id")
    assert [(row["response_key"], row["delivery"]) for row in rows] == [
        ("utter_desk_queued_no_wait", "withdrawn"),
        ("utter_desk_claimed", "waiting"),
    ]


async def test_a_form_that_comes_again_stores_its_message_once(room: Room) -> None:
    _, case_id = await claimed(room)
    hanh = await room.one("SELECT id FROM operators")
    sent = await asyncio.gather(*(send(room, case_id, hanh, "Chào bác", "key-1") for _ in range(5)))
    assert sorted(id_ is None for id_ in sent) == [False, True, True, True, True]
    row = await room.one("SELECT author, operator_id, text, delivery FROM messages WHERE author = 'operator'")
    assert row == {"author": "operator", "operator_id": hanh, "text": "Chào bác", "delivery": "waiting"}
    assert await room.one("SELECT unanswered_since IS NULL AND operator_at IS NOT NULL FROM cases WHERE id = %s", case_id)
    await close(room, case_id, hanh)
    assert await send(room, case_id, hanh, "Chào bác", "key-1") is None, "a retry after the end tells nothing new"


async def test_only_the_owner_may_send(room: Room) -> None:
    _, case_id = await waiting(room)
    hanh, minh = await room.operator("hanh"), await room.operator("minh")
    assert await refusal(send(room, case_id, hanh, "Chào", "k1")) == "not_owner"
    await claim(room, case_id, hanh, "hanh")
    assert await refusal(send(room, case_id, minh, "Chào", "k2")) == "claimed_by"
    assert await refusal(send(room, case_id, hanh, " ", "k3")) == "empty"
    await close(room, case_id, hanh)
    assert await refusal(send(room, case_id, hanh, "Chào", "k4")) == "ended"
    assert await refusal(send(room, 99, hanh, "Chào", "k5")) == "unknown"
    assert await room.one("SELECT count(*) FROM messages WHERE author = 'operator'") == 0


async def test_given_back_with_a_topic_the_bot_answers_it(room: Room) -> None:
    citizen, case_id = await claimed(room)
    hanh = await room.one("SELECT id FROM operators")
    assert await refusal(give_back(room, case_id, hanh, "no_such_topic")) == "topic_unknown"
    assert await room.owner(citizen) == "operator"
    await give_back(room, case_id, hanh, "vaccine_where")
    assert await room.owner(citizen) == "bot"
    assert (await room.told(citizen))[-1] == "utter_desk_back"
    row = await room.one("SELECT author, payload, turn, operator_id FROM messages WHERE direction = 'incoming'")
    assert row == {"author": "operator", "payload": "/vaccine_where", "turn": "waiting", "operator_id": hanh}
    assert await room.one("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") >= 1


async def test_a_case_moves_to_another_desk_only_if_the_citizen_agrees(room: Room, second_desk: str) -> None:
    citizen, case_id = await claimed(room)
    hanh = await room.one("SELECT id FROM operators")
    assert await refusal(transfer(room, case_id, hanh, "dak-lak")) == "desk_unknown"
    assert await room.happens(citizen, Event.TRANSFER_AGREED) is None, "nobody was asked"
    for _ in range(2):
        await transfer(room, case_id, hanh, second_desk)
    assert (await room.told(citizen)).count("utter_desk_transfer") == 1
    await room.happens(citizen, Event.TRANSFER_REFUSED)
    assert await room.one("SELECT desk FROM cases") == "dak-lak"
    await transfer(room, case_id, hanh, second_desk)
    await room.happens(citizen, Event.TRANSFER_AGREED)
    assert await room.one("SELECT desk, state, operator_id, transfer_to FROM cases") == {
        "desk": second_desk,
        "state": "waiting",
        "operator_id": None,
        "transfer_to": None,
    }
    assert await room.owner(citizen) == "queue"


async def test_the_desk_hears_of_cases_and_messages(room: Room, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute("LISTEN loa_desk")
        kinds = []
        citizen, case_id = await waiting(room)
        async for notice in listener.notifies(timeout=60, stop_after=2):
            told = json.loads(notice.payload)
            assert (told["case"], told["conversation"]) == (case_id, citizen)
            kinds.append(told["kind"])
    assert set(kinds) == {"case", "message"}


async def test_who_types_is_told_to_the_other_side_and_to_nobody_else(room: Room, database_url: str) -> None:
    citizen, case_id = await waiting(room)
    address = await room.one("SELECT address FROM conversations")
    hanh, binh = await room.operator("hanh"), await room.operator("binh")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener, room.pool.connection() as here:
        await listener.execute("LISTEN loa_desk")
        await listener.execute("LISTEN loa_outgoing")
        await cases.citizen_types(here, "zalo", address)
        assert await cases.type(here, case_id, hanh, "hanh") is None, "nobody answers yet"
        await claim(room, case_id, hanh, "hanh")
        assert await cases.type(here, case_id, binh, "binh") is None
        assert await cases.type(here, case_id, hanh, "hanh") == ("zalo", address)
        await cases.citizen_types(here, "zalo", address)
        await here.execute("SELECT pg_notify('loa_desk', '\"over\"')")
        told = []
        async for notice in listener.notifies(timeout=60):
            if notice.payload == '"over"':
                break
            told.append(notice.payload)
    at_the_desk = [json.loads(one) for one in told if "typing" in one and one.startswith("{")]
    assert [(one["case"], one["conversation"], one["name"]) for one in at_the_desk] == [
        (case_id, citizen, "hanh"),
        (case_id, citizen, ""),
    ]
    assert [one for one in told if one.startswith("typing:")] == [f"typing:zalo:{address}"]


async def test_what_happened_to_a_case_stays(room: Room) -> None:
    await claimed(room)
    events = await room.rows("SELECT event, actor FROM case_events ORDER BY id")
    assert [(row["event"], row["actor"]) for row in events] == [("opened", "bot"), ("claimed", "hanh")]
    for sql in ("UPDATE case_events SET actor = 'x'", "DELETE FROM case_events"):
        with pytest.raises(psycopg.errors.RaiseException):
            await room.rows(sql)
    await room.rows("DELETE FROM conversations")
    assert await room.one("SELECT count(*) FROM case_events") == 0, "a citizen's data can be deleted"


async def test_past_cases_come_in_pages(room: Room) -> None:
    hanh = await room.operator("hanh")
    for _ in range(5):
        _, case_id = await waiting(room)
        await close(room, case_id, hanh)
    async with room.pool.connection() as connection:
        first = await cases.past(connection, limit=3)
        second = await cases.past(connection, before=first[-1].id, limit=3)
    assert [case.id for case in first + second] == sorted((case.id for case in first + second), reverse=True)
    assert len(first + second) == 5


async def waiting(room: Room) -> tuple[int, int]:
    citizen = await room.citizen()
    async with room.pool.connection() as connection, connection.transaction():
        return citizen, await cases.open_case(connection, citizen, reason="asked")


async def claimed(room: Room) -> tuple[int, int]:
    citizen, case_id = await waiting(room)
    await claim(room, case_id, await room.operator("hanh"), "hanh")
    return citizen, case_id


async def claim(room: Room, case_id: int, operator_id: int, name: str) -> cases.Case:
    async with room.pool.connection() as connection, connection.transaction():
        return await cases.claim(connection, case_id, operator_id, name)


async def send(room: Room, case_id: int, operator_id: int, text: str, key: str) -> int | None:
    async with room.pool.connection() as connection, connection.transaction():
        return await cases.send(connection, case_id, operator_id, "hanh", Outgoing(text), key=key)


async def give_back(room: Room, case_id: int, operator_id: int, topic: str | None) -> None:
    async with room.pool.connection() as connection, connection.transaction():
        await cases.give_back(connection, case_id, operator_id, "hanh", topic)


async def transfer(room: Room, case_id: int, operator_id: int, desk: str) -> None:
    async with room.pool.connection() as connection, connection.transaction():
        await cases.transfer(connection, case_id, operator_id, "hanh", desk)


async def close(room: Room, case_id: int, operator_id: int) -> None:
    async with room.pool.connection() as connection, connection.transaction():
        await cases.close(connection, case_id, operator_id, "hanh", "answered", None)


async def refusal(action: Awaitable[object]) -> str:
    with pytest.raises(CaseRefused) as refused:
        await action
    return refused.value.reason
