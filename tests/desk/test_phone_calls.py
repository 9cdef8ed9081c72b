"""What a citizen types about codes is answered before Rasa, whoever owns the conversation, and twice the same."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from bot.channels.payloads import short_id
from bot.database import DictConnection, open_pool
from bot.desk import codes
from bot.desk.calls import CODE, LINKED, REFUSED, UNLINKED, Calls
from bot.dialogue.conversations import Waiting
from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.handoff.office import Office as HandoffOffice
from bot.handoff.office import prepare
from bot.languages.catalogue import Catalogue
from bot.messages import Outgoing
from bot.settings import ROOT
from tests.office import Office

CATALOGUE = Catalogue.load(ROOT, "dak-lak")


class Chat:
    """One citizen's conversation, and an operator on the telephone."""

    def __init__(self, url: str) -> None:
        self.office = Office(url)
        prepare(HandoffOffice(CATALOGUE, Desks.load(ROOT, "dak-lak"), Queue(url)))
        self.office.hires("an", "operator")
        self.operator = int(self.office.rows("SELECT id FROM operators WHERE name = 'an'")[0]["id"])

    def begins(self) -> None:
        for table in ("spoken_codes", "spoken_code_guesses", "conversations"):
            self.office.rows(f"DELETE FROM {table}")
        self.id = int(
            self.office.rows("INSERT INTO conversations (channel, address) VALUES ('webchat', 'c') RETURNING id")[0]["id"]
        )

    def says(self, text: str, *, payload: str | None = None, owner: str = "bot", language: str = "vi", message: int = 0) -> Any:
        """The key of the reply, None when it is the bot's turn."""
        replies = self.hears(text, payload=payload, owner=owner, language=language, message=message)
        return replies[0].key if replies else None

    def hears(
        self, text: str, *, payload: str | None = None, owner: str = "bot", language: str = "vi", message: int = 0
    ) -> list[Outgoing] | None:
        id_ = message or self.stores(text)
        kind, now = "payload" if payload else "text", datetime.datetime.now(datetime.UTC)
        waiting = Waiting(id_, self.id, "webchat", "c", kind, text, payload, owner, language, 1, now)

        async def run() -> list[Outgoing] | None:
            async with open_pool(self.office.url, min_size=1, max_size=1) as pool:
                return await Calls(pool, CATALOGUE).replies(waiting)

        return asyncio.run(run())

    def stores(self, text: str) -> int:
        sql = "INSERT INTO messages (conversation_id, direction, author, channel, text, turn) VALUES (%s, 'incoming', 'citizen', 'webchat', %s, 'waiting') RETURNING id"
        return int(self.office.rows(sql, self.id, text)[0]["id"])

    def operators_code(self) -> str:
        async def make(connection: DictConnection) -> str:
            return (await codes.for_operator(connection, self.operator)).code

        return str(self.office.does(make))

    def told(self) -> list[str]:
        rows = self.office.rows("SELECT response_key FROM messages WHERE direction = 'outgoing' ORDER BY id")
        return [row["response_key"] for row in rows]


@pytest.fixture(scope="module")
def kept(shared_database_url: str) -> Chat:
    return Chat(shared_database_url)


@pytest.fixture
def chat(kept: Chat) -> Chat:
    kept.begins()
    return kept


@pytest.mark.parametrize(("text", "payload"), [("mã", None), ("ma goi", None), ("", "/call_code"), ("", short_id("/call_code"))])
def test_a_code_is_given_and_stays_the_same(chat: Chat, text: str, payload: str | None) -> None:
    first, second = chat.hears(text, payload=payload), chat.hears("mã")
    assert first
    assert second
    assert first[0].key == CODE
    code = chat.office.rows("SELECT code FROM spoken_codes")[0]["code"]
    assert " ".join(code) in first[0].text
    assert first[0].text == second[0].text
    assert "{" not in first[0].text


def test_an_operators_code_links_and_may_be_undone(chat: Chat) -> None:
    code = chat.operators_code()
    linked = chat.hears(f"mã {' '.join(code)}")
    assert linked
    assert linked[0].key == LINKED
    assert linked[0].buttons[0].payload == "/call_unlink"
    assert chat.says(f"mã {code}") == LINKED, "the turn is taken a second time after a crash"
    assert chat.says("mã") == LINKED, "it needs no other code"
    assert chat.says("", payload="/call_unlink") == UNLINKED
    assert chat.says("", payload="/call_unlink") == UNLINKED
    assert chat.office.rows("SELECT * FROM spoken_codes") == []


def test_digits_alone_are_a_code_only_while_an_operator_waits_for_them(chat: Chat) -> None:
    code = chat.operators_code()
    other = f"{(int(code) + 1) % 10_000:04}"
    assert chat.says(other) is None
    assert chat.office.rows("SELECT * FROM spoken_code_guesses") == []
    assert chat.says(" ".join(code)) == LINKED


def test_a_wrong_code_leads_to_the_other_way(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "CITIZEN_GUESSES", 1)
    code = chat.operators_code()
    wrong = chat.hears(f"mã {(int(code) + 1) % 10_000:04}")
    assert wrong
    assert (wrong[0].key, wrong[0].buttons[0].payload) == (REFUSED["code_unknown"], "/call_code")
    guessed = chat.hears(f"mã {code}")
    assert guessed, "the guess stayed counted"
    assert (guessed[0].key, guessed[0].buttons[0].payload) == (REFUSED["code_guesses"], "/call_code")
    assert chat.says("mã") == CODE


def test_when_all_codes_are_taken_it_is_said(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "_random_codes", list)
    assert chat.says("mã") == REFUSED["code_full"]


@pytest.mark.parametrize("text", ["xin chào", "mã QR ở đâu", "khó thở quá", "", "2021", "mã chứng nhận 4729"])
def test_everything_else_is_the_bots_turn(chat: Chat, text: str) -> None:
    assert chat.hears(text) is None
    assert chat.hears("", payload="/testing_where") is None


@pytest.mark.parametrize("owner", ["queue", "operator", "closed"])
def test_where_the_bot_is_silent_the_answer_is_stored_once_with_the_link(chat: Chat, owner: str) -> None:
    message = chat.stores("mã")
    for _ in range(2):
        chat.says("mã", owner=owner, message=message)
    assert chat.told() == [CODE]
    chat.says("mã", owner="bot")
    assert chat.told() == [CODE], "for the bot the turn stores it"


def test_every_text_of_a_call_fits_its_language_and_names_no_number(chat: Chat) -> None:
    for key in (CODE, LINKED, UNLINKED, *REFUSED.values()):
        for language in ("vi", "rad", "km"):
            assert "{" not in CATALOGUE.answer(key, {"code": "4 7 2 9", "until": "14:05"}, language).text
