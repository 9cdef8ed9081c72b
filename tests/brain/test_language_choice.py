"""A language button through the real Rasa: answered for itself, told to the gateway, and held against what follows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from tests.brain.test_channel import asked, door, keys

CHOOSE = '/choose_language{"language":"%s"}'


@pytest_asyncio.fixture
async def rasa(agent: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with door(agent) as client:
        yield client


async def say(rasa: httpx.AsyncClient, number: int, text: str | None = None, payload: str | None = None) -> httpx.Response:
    turn = {**asked(text, payload=payload), "conversation": "webchat:language", "message": str(number)}
    return await rasa.post("/webhooks/loa/turn", json=turn)


async def test_a_chosen_language_is_told_and_holds(rasa: httpx.AsyncClient) -> None:
    chosen = await say(rasa, 1, payload=CHOOSE % "mtq")
    assert keys(chosen) == ["utter_language_none"]
    assert chosen.json()["understood"]["conversation_language"] == "mtq"
    later = await say(rasa, 2, "xin chào, tôi muốn hỏi thông tin về dịch bệnh")
    assert later.json()["understood"]["conversation_language"] == "mtq", "the message was Vietnamese, the choice was not"
    back = await say(rasa, 3, payload=CHOOSE % "vi")
    assert keys(back) == ["utter_language_vietnamese"]
    assert back.json()["understood"]["conversation_language"] == "vi"


async def test_a_language_that_we_do_not_know_is_asked_for_again(rasa: httpx.AsyncClient) -> None:
    assert keys(await say(rasa, 1, payload=CHOOSE % "xx")) == ["utter_choose_language"]
    assert keys(await say(rasa, 2, payload="/choose_language")) == ["utter_choose_language"]
