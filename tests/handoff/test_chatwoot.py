"""A province with a Chatwoot: its agents see Loa's cases and answer them, and everything is said once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot import check_channels
from bot.findings import Finding
from bot.handoff import cases
from bot.handoff.chatwoot import PATH, Chatwoot
from bot.handoff.chatwoot_agents import ACCOUNT, disable_account
from bot.handoff.chatwoot_copies import deleted_at_once
from bot.handoff.handing_over import desk_for
from bot.handoff.ownership import Event
from bot.languages.interface import interface_words
from bot.messages import Outgoing
from bot.privacy import erasure
from bot.settings import ROOT, ChatwootSettings, Settings
from bot.staff.login import LoginRefused, login
from tests.gateway import GatewayProcess
from tests.handoff.room import CATALOGUE, Room
from tests.simulators.chatwoot import INBOX_ID, ChatwootSimulator, Talk, signature
from tests.simulators.server import Answer

WORDS = interface_words(ROOT, "chatwoot")


class Desk:
    """Loa beside a Chatwoot. `settles` does what the workers do until nothing is due."""

    def __init__(self, room: Room, chatwoot: ChatwootSimulator) -> None:
        settings = Settings.from_environment(chatwoot.settings).chatwoot
        assert settings is not None
        self.room, self.there = room, chatwoot
        self.signs: list[str] = []
        self.loa = Chatwoot(settings, room.pool, ROOT, "", {"zalo": self.shows})
        app = Starlette(routes=self.loa.routes())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loa.test")

    async def shows(self, address: str) -> None:
        self.signs.append(address)

    async def tells(self, event: dict[str, Any]) -> int:
        """One signed webhook; the answer's status."""
        raw, now = json.dumps(event).encode(), str(int(time.time()))
        headers = {"X-Chatwoot-Timestamp": now, "X-Chatwoot-Signature": signature(raw, now)}
        return (await self.http.post(PATH, content=raw, headers=headers)).status_code

    async def settles(self, *, hears: bool = True, times: int = 1) -> None:
        """Every webhook arrives (`times` each), and workers work."""
        for _ in range(4):
            events, self.there.events = self.there.events, []
            for event in events if hears else []:
                for _ in range(times):
                    assert await self.tells(event) == 200
            await self.room.rows(
                "UPDATE chatwoot_conversations SET try_after = NULL, looked_at = looked_at - interval '2 minutes'"
            )
            await self.loa.mirror_all()

    async def asks_for_a_person(self, *words: str) -> int:
        citizen = await self.room.citizen()
        for text in words or ("tiêm ở đâu", "cho gặp người"):
            await self.writes(citizen, text)
        async with self.room.pool.connection() as connection, connection.transaction():
            await cases.open_case(connection, citizen, reason="asked")
        return citizen

    async def writes(self, citizen: int, text: str, **columns: Any) -> None:
        await self.room.rows(
            """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, payload, attachments, turn)
               VALUES (%s, 'incoming', 'citizen', 'zalo', gen_random_uuid(), %s, %s, %s, 'answered')""",
            citizen,
            text,
            columns.get("payload"),
            json.dumps(columns.get("attachments", [])),
        )
        await self.room.happens(citizen, Event.WROTE)

    async def got(self, citizen: int) -> list[str]:
        """What people wrote to the citizen."""
        rows = await self.room.rows(
            "SELECT text FROM messages WHERE conversation_id = %s AND author = 'operator' ORDER BY id", citizen
        )
        return [row["text"] for row in rows]

    def talk_of(self, citizen: int) -> Talk:
        (contact,) = [id_ for id_, row in self.there.contacts.items() if row["identifier"] == f"loa-{citizen}"]
        (talk,) = [talk for talk in self.there.talks.values() if talk.contact_id == contact]
        return talk

    async def states(self) -> list[tuple[str, str | None]]:
        rows = await self.room.rows("SELECT state, outcome FROM cases ORDER BY id")
        return [(row["state"], row["outcome"]) for row in rows]


@pytest.fixture
def there() -> Iterator[ChatwootSimulator]:
    chatwoot = ChatwootSimulator()
    yield chatwoot
    chatwoot.close()


@pytest_asyncio.fixture
async def desk(room: Room, there: ChatwootSimulator) -> AsyncIterator[Desk]:
    begun = Desk(room, there)
    yield begun
    await begun.loa.close()
    await begun.http.aclose()


async def test_a_case_stands_open_with_what_went_before_and_nobody_is_named(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person("tiêm ở đâu", "cho gặp người")
    await desk.settles()
    talk = there.talk
    assert (len(there.talks), len(there.contacts), talk.status, talk.statuses) == (1, 1, "open", ["open"])
    assert talk.said() == ["cho gặp người"], "the last words are the citizen's; what went before is in the note"
    intro = talk.said(private=True)[0]
    assert "tiêm ở đâu" in intro
    assert WORDS["reasons"]["asked"] in intro
    address = await desk.room.one("SELECT address FROM conversations WHERE id = %s", citizen)
    assert address not in json.dumps([there.contacts, talk.custom_attributes, talk.messages])


async def test_what_is_said_later_stands_there_once_and_in_order(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    await desk.writes(citizen, "có ai không 🙂")
    await desk.writes(citizen, "", payload="/desk_position")
    await desk.writes(citizen, "", attachments=[{"kind": "photo", "url": "https://example.org/a.jpg", "name": ""}])
    await desk.settles()
    await desk.settles()
    assert there.talk.said()[1:] == [
        "có ai không 🙂",
        WORDS["pressed"].format(text="/desk_position"),
        WORDS["attached"].format(kind="photo", url="https://example.org/a.jpg"),
    ]


async def test_an_agents_words_claim_the_case_and_reach_the_citizen_once(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác, tiêm ở trạm y tế ạ")
    await desk.settles(times=3)
    assert await desk.got(citizen) == ["Chào bác, tiêm ở trạm y tế ạ"]
    assert await desk.room.owner(citizen) == "operator"
    assert (await desk.room.told(citizen)).count("utter_desk_claimed") == 1
    assert there.talk.said() == ["cho gặp người"], "an agent's own words do not come back"
    log = await desk.room.rows("SELECT actor, action FROM audit_log ORDER BY id")
    assert [(row["actor"], row["action"]) for row in log] == [("chatwoot:An", "case_claimed"), ("chatwoot:An", "message_sent")]


async def test_an_agent_who_writes_is_seen_once_agents_have_the_case(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    told = {
        "event": "conversation_typing_on",
        "user": {"id": 3, "type": "user"},
        "conversation": {"id": there.talk.id, "inbox_id": INBOX_ID},
    }
    assert await desk.tells(told) == 200
    assert desk.signs == []
    there.agent_writes("Chào bác")
    await desk.settles()
    assert await desk.tells(told) == 200
    assert desk.signs == [await desk.room.one("SELECT address FROM conversations WHERE id = %s", citizen)]


async def test_a_webhook_that_never_came_is_made_up_for(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác")
    await desk.settles(hears=False)
    assert await desk.got(citizen) == ["Chào bác"]


async def test_notes_bots_and_templates_are_never_sent(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("bác này hỏi nhiều", private=True)
    there.agent_writes("ngoài giờ", message_type="template")
    there.agent_writes("tôi là bot", sender_type="agent_bot")
    there.agent_writes("đánh giá", content_type="input_csat")
    await desk.settles()
    assert await desk.got(citizen) == []
    assert await desk.room.owner(citizen) == "queue"


async def test_resolved_ends_the_case_and_the_next_one_opens_the_same_conversation(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác")
    await desk.settles()
    there.agent_sets("resolved")
    await desk.settles(times=2)
    assert (await desk.states(), await desk.room.owner(citizen)) == ([("ended", "solved")], "closed")
    assert await desk.room.told(citizen) == ["utter_desk_queued_no_wait", "utter_desk_claimed", "", "utter_desk_closed"]
    await desk.room.happens(citizen, Event.WROTE)
    await desk.writes(citizen, "lại có việc")
    async with desk.room.pool.connection() as connection, connection.transaction():
        await cases.open_case(connection, citizen, reason="not_helpful")
    await desk.settles()
    assert (len(there.talks), there.talk.status) == (1, "open")
    assert there.talk.said()[-1] == "lại có việc"
    assert await desk.states() == [("ended", "solved"), ("waiting", None)]


async def test_pending_gives_the_citizen_back_to_the_bot(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác")
    await desk.settles()
    there.agent_sets("pending")
    await desk.settles()
    assert (await desk.room.owner(citizen), (await desk.room.told(citizen))[-1]) == ("bot", "utter_desk_back")
    before = len(there.talk.messages)
    await desk.writes(citizen, "câu hỏi cho bot")
    await desk.settles()
    assert (there.talk.status, len(there.talk.messages)) == ("pending", before), "what the bot answers is not the agents'"


async def test_when_loa_ends_a_case_chatwoot_follows(desk: Desk, there: ChatwootSimulator) -> None:
    gone_back, silent = await desk.asks_for_a_person(), await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác", desk.talk_of(silent))
    await desk.settles()
    await desk.room.happens(gone_back, Event.WENT_BACK)
    await desk.room.happens(silent, Event.CITIZEN_SILENT, "clock")
    await desk.settles()
    assert [desk.talk_of(one).status for one in (gone_back, silent)] == ["pending", "resolved"]
    assert [await desk.room.owner(citizen) for citizen in (gone_back, silent)] == ["bot", "closed"]


async def test_an_agent_who_writes_by_themselves_takes_over_and_one_who_opens_too(desk: Desk, there: ChatwootSimulator) -> None:
    citizen, other = await desk.asks_for_a_person(), await desk.asks_for_a_person()
    await desk.settles()
    for one in (citizen, other):
        await desk.room.happens(one, Event.WENT_BACK)
    await desk.settles()
    there.agent_writes("Bác ơi, còn cần gì không?", desk.talk_of(citizen))
    there.agent_sets("open", desk.talk_of(other))
    await desk.settles(times=2)
    assert await desk.got(citizen) == ["Bác ơi, còn cần gì không?"]
    assert [await desk.room.owner(one) for one in (citizen, other)] == ["operator", "operator"]
    assert [desk.talk_of(one).status for one in (citizen, other)] == ["open", "open"]


async def test_a_late_webhook_about_an_old_status_changes_nothing(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    opened = {**there._row(there.talk), "event": "conversation_status_changed", "status": "open"}
    await desk.room.happens(citizen, Event.WENT_BACK)
    await desk.settles()
    assert await desk.tells(opened) == 200
    await desk.settles()
    assert (await desk.room.owner(citizen), there.talk.status) == ("bot", "pending")


async def test_whom_a_colleague_answers_at_the_desk_is_not_answered_twice(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    lan = await desk.room.operator("lan")
    case_id = await desk.room.one("SELECT id FROM cases")
    async with desk.room.pool.connection() as connection, connection.transaction():
        await cases.claim(connection, case_id, lan, "lan")
        await cases.send(connection, case_id, lan, "lan", Outgoing("Chào bác"), key="form")
    there.agent_writes("Chào bác, tôi đây")
    there.agent_sets("resolved")
    await desk.settles(times=2)
    assert await desk.got(citizen) == ["Chào bác"]
    assert await desk.states() == [("claimed", None)]
    notes = there.talk.said(private=True)
    assert notes.count(WORDS["notes"]["refused_claimed_by"].format(name="lan")) == 2, "the words, and the status"
    assert any("lan" in note and "Chào bác" in note for note in notes)
    assert there.talk.status == "open"
    async with desk.room.pool.connection() as connection, connection.transaction():
        await cases.release(connection, case_id, lan, "lan")
    await desk.settles()
    assert await desk.got(citizen) == ["Chào bác"], "what was refused is not sent later, when nobody expects it"


async def test_what_did_not_arrive_and_what_cannot_be_sent_is_told_to_the_agents(desk: Desk, there: ChatwootSimulator) -> None:
    await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác", attachments=[{"file_type": "image"}])
    await desk.settles()
    await desk.room.rows("UPDATE messages SET delivery = 'outside_window' WHERE author = 'operator'")
    await desk.settles()
    await desk.settles()
    notes = there.talk.said(private=True)
    assert notes.count(WORDS["notes"]["files_not_sent"].format(count=1)) == 1
    assert notes.count(WORDS["notes"]["delivery_outside_window"].format(text="Chào bác")) == 1


async def test_while_chatwoot_is_away_the_case_waits_and_the_citizen_is_told_once(desk: Desk, there: ChatwootSimulator) -> None:
    there.go_down()
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    assert "utter_desk_away" not in await desk.room.told(citizen), "a hiccup is not told"
    await desk.room.rows("UPDATE cases SET waiting_since = now() - interval '31 seconds'")
    await desk.settles()
    assert (await desk.room.told(citizen)).count("utter_desk_away") == 1
    assert await desk.states() == [("waiting", None)]
    there.come_up()
    await desk.settles()
    assert there.talk.said() == ["cho gặp người"]
    assert (await desk.room.told(citizen)).count("utter_desk_away") == 1


async def test_a_try_in_vain_is_not_repeated_at_once(desk: Desk, there: ChatwootSimulator) -> None:
    await desk.asks_for_a_person()
    there.faults += [Answer(503, {})] * 100
    for _ in range(5):
        await desk.loa.mirror_all()
    assert len(there.requests) == 1


async def test_an_answer_that_is_lost_on_the_way_doubles_nothing(desk: Desk, there: ChatwootSimulator) -> None:
    """Each of the first calls in turn is done by Chatwoot, and the connection breaks before its answer."""
    play, calls = there.answer, [0]

    def answer(request: Any) -> Answer:
        calls[0] -= 1
        there.faults = [Answer(200)] if calls[0] == 0 else []
        return play(request)

    there.answer = answer  # type: ignore[method-assign]
    for lost in range(1, 11):
        calls[0] = lost
        citizen = await desk.asks_for_a_person()
        for _ in range(3):
            await desk.room.rows("UPDATE chatwoot_conversations SET try_after = NULL")
            await desk.loa.mirror_all()
        talk = desk.talk_of(citizen)
        sources = [row["source_id"] for row in talk.messages]
        assert (talk.status, talk.said(), len(sources)) == ("open", ["cho gặp người"], len(set(sources))), lost
    assert calls[0] < 0, "or the last of them was never lost"


async def test_a_conversation_that_was_deleted_there_is_made_again(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    there.agent_deletes()
    await desk.writes(citizen, "còn đó không")
    await desk.settles()
    assert (there.talk.id, there.talk.said()[-1], there.talk.status) == (2, "còn đó không", "open")


async def test_two_workers_post_everything_once(desk: Desk, there: ChatwootSimulator) -> None:
    await desk.asks_for_a_person()
    second = Desk(desk.room, there)
    await asyncio.gather(*(one.loa.mirror_all() for one in (desk, second, desk, second)))
    await desk.settles()
    await second.loa.close()
    assert (len(there.talks), there.talk.said()) == (1, ["cho gặp người"])


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"{}", {}, 401),
        (b"{}", {"X-Chatwoot-Signature": "sha256=00", "X-Chatwoot-Timestamp": "1"}, 401),
        (b"not json", None, 400),
        (b"[]", None, 400),
        (b'{"event": "message_created", "content": "\\u0000"}', None, 200),
        (b'{"event": "message_created", "id": 1, "conversation": {"id": 99999999999999999999}}', None, 200),
        (b"x" * (1024 * 1024 + 1), {}, 413),
    ],
)
async def test_calls_of_no_shape_and_of_strangers(desk: Desk, raw: bytes, headers: dict[str, str] | None, status: int) -> None:
    now = str(int(time.time()))
    signed = {"X-Chatwoot-Timestamp": now, "X-Chatwoot-Signature": signature(raw, now)}
    answer = await desk.http.post(PATH, content=raw, headers=signed if headers is None else headers)
    assert answer.status_code == status


async def test_a_conversation_of_somebody_else_is_left_alone(desk: Desk, there: ChatwootSimulator) -> None:
    there.contacts[77] = {"id": 77, "name": "x", "identifier": "x"}
    there.talks[500] = talk = Talk(500, 77, "open", {})
    there.agent_writes("không phải của Loa", talk)
    await desk.settles()
    assert await desk.room.rows("SELECT * FROM messages") == []


async def test_agents_are_somebody_at_the_desk_and_their_account_opens_nothing(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.room.citizen()
    async with desk.room.pool.connection() as connection:
        assert await desk_for(connection, citizen, "vi", "asked") is None
        await desk.loa.mirror_all()
        assert await desk_for(connection, citizen, "vi", "asked") is not None
    for password in ("", "!", "x"):
        with pytest.raises(LoginRefused):
            await login(desk.room.pool, ACCOUNT, password, None)
    async with desk.room.pool.connection() as connection:
        await disable_account(connection)
        assert await desk_for(connection, citizen, "vi", "asked") is None


async def test_hostile_words_of_an_agent_are_stored_as_they_may_be(desk: Desk, there: ChatwootSimulator) -> None:
    citizen = await desk.asks_for_a_person()
    await desk.settles()
    for text in ("\x00", "   ", "a\x00b", "x" * 30_000, "<script>alert(1)</script>"):
        there.agent_writes(text)
    await desk.settles()
    assert [text[:30] for text in await desk.got(citizen)] == ["ab", "x" * 30, "<script>alert(1)</script>"]


async def test_what_is_erased_here_is_erased_there_and_a_failure_is_made_up_for(desk: Desk, there: ChatwootSimulator) -> None:
    citizen, stays = await desk.asks_for_a_person(), await desk.asks_for_a_person()
    await desk.settles()
    there.agent_writes("Chào bác", desk.talk_of(citizen))
    await desk.settles()
    async with desk.room.pool.connection() as connection:
        assert await erasure.erase(connection, citizen, asked_by="citizen")
    there.faults = [Answer(500, {})]
    await desk.loa.mirror_all()
    assert await desk.room.rows("SELECT number, tries FROM chatwoot_copies") == [{"number": citizen, "tries": 1}]
    await desk.room.rows("UPDATE chatwoot_copies SET try_after = NULL")
    await desk.loa.mirror_all()
    assert [row["identifier"] for row in there.contacts.values()] == [f"loa-{stays}"]
    assert [talk.id for talk in there.talks.values()] == [desk.talk_of(stays).id]
    assert await desk.room.rows("SELECT 1 FROM chatwoot_copies") == []


async def test_whoever_erases_by_hand_is_told_what_became_of_the_copy(desk: Desk, there: ChatwootSimulator) -> None:
    citizens = [await desk.asks_for_a_person() for _ in range(3)]
    await desk.settles()
    alone = await desk.room.citizen()
    settings = Settings.from_environment(there.settings).chatwoot

    async def erased(citizen: int, known: ChatwootSettings | None) -> str:
        async with desk.room.pool.connection() as connection:
            assert await erasure.erase(connection, citizen, asked_by="shell:test")
            return await deleted_at_once(connection, known, citizen)

    assert await erased(alone, settings) == ""
    assert f"loa-{citizens[0]} is deleted there" in await erased(citizens[0], settings)
    assert {row["identifier"] for row in there.contacts.values()} == {f"loa-{one}" for one in citizens[1:]}
    assert f"delete its contact loa-{citizens[1]} there by hand" in await erased(citizens[1], None)
    there.go_down()
    assert f"loa-{citizens[2]} is not deleted there yet (ConnectError)" in await erased(citizens[2], settings)


@pytest.mark.parametrize(
    ("changes", "severity", "says"),
    [
        ({}, "ok", "its webhook leads here"),
        ({"channel_type": "Channel::WebWidget"}, "error", "must be of the kind API"),
        ({"webhook_url": ""}, "error", "enter https://loa.example.org/webhooks/chatwoot"),
        ({"webhook_url": "https://old.example.org/webhooks/chatwoot"}, "review", "leads to old.example.org"),
        ({"secret": None}, "review", "shows no webhook secret"),
        ({"secret": "another"}, "review", "shows another secret"),
    ],
)
async def test_check_looks_at_the_inbox(there: ChatwootSimulator, changes: dict[str, Any], severity: str, says: str) -> None:
    there.inbox |= changes
    [found] = await checked(there.settings)
    assert (found.severity, found.key) == (severity, "chatwoot")
    assert says in found.sentence


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHATWOOT_TOKEN", "wrong", "CHATWOOT_TOKEN is refused"),
        ("CHATWOOT_ACCOUNT_ID", "7", "there is no such account or inbox"),
        ("CHATWOOT_URL", "http://127.0.0.1:9", "127.0.0.1 does not answer"),
    ],
)
async def test_check_says_which_setting_is_wrong(there: ChatwootSimulator, name: str, value: str, says: str) -> None:
    [found] = await checked({**there.settings, name: value})
    assert (found.severity, found.key) == ("error", "chatwoot")
    assert says in found.sentence
    assert there.settings["CHATWOOT_TOKEN"] not in found.sentence


async def checked(environment: dict[str, str]) -> list[Finding]:
    settings = Settings.from_environment({**environment, "LOA_PUBLIC_URL": "https://loa.example.org"})
    return [one for one in await check_channels.channel_findings(settings, CATALOGUE) if one.key != "database"]


async def test_the_started_service_hears_of_cases_and_of_agents_by_itself(
    desk: Desk, there: ChatwootSimulator, database_url: str, tmp_path: Path
) -> None:
    with GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, **there.settings) as gateway:
        there.gateway = gateway.address
        citizen = await desk.asks_for_a_person()
        await until(lambda: bool(there.talks) and there.talk.said() == ["cho gặp người"])
        there.agent_writes("Chào bác")
        await asyncio.to_thread(there.settle)
        assert {delivered.status for delivered in there.deliveries} == {200}
        assert await desk.got(citizen) == ["Chào bác"]
        there.agent_sets("resolved")
        await until(lambda: gateway.rows("SELECT owner FROM conversations") == [{"owner": "closed"}])


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come about within a minute")
