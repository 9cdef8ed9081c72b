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


async def say(
    rasa: httpx.AsyncClient, number: int, text: str | None = None, payload: str | None = None, known: str = "vi", name: str = ""
) -> httpx.Response:
    """`known`: the conversation's language as the gateway has it by then."""
    turn = {**asked(text, payload=payload), "conversation": f"webchat:language{name}", "message": str(number)}
    return await rasa.post("/webhooks/loa/turn", json={**turn, "metadata": {**turn["metadata"], "language": known}})


def shown(response: httpx.Response) -> str:
    return str(response.json()["understood"]["conversation_language"])


async def test_a_chosen_language_is_told_and_holds(rasa: httpx.AsyncClient) -> None:
    chosen = await say(rasa, 1, payload=CHOOSE % "mtq")
    assert keys(chosen) == ["utter_language_none"]
    assert shown(chosen) == "mtq"
    later = await say(rasa, 2, "xin chào, tôi muốn hỏi thông tin về dịch bệnh", known="mtq")
    assert shown(later) == "mtq", "the message was Vietnamese, the choice was not"
    back = await say(rasa, 3, payload=CHOOSE % "vi", known="mtq")
    assert keys(back) == ["utter_language_vietnamese"]
    assert shown(back) == "vi"


async def test_the_language_of_a_link_is_a_choice(rasa: httpx.AsyncClient) -> None:
    first = await say(rasa, 1, "ra đường có phải đeo khẩu trang không ạ", known="rad", name="link")
    assert shown(first) == "rad"
    assert first.json()["replies"][0]["language"] == "rad"
    assert shown(await say(rasa, 2, "rửa tay bằng gì cho sạch vậy ạ", known="rad", name="link")) == "rad"
    assert shown(await say(rasa, 3, "nói tiếng Việt", known="rad", name="link")) == "vi"
    opened_later = await say(rasa, 4, "ra đường có phải đeo khẩu trang không ạ", known="km", name="link")
    assert shown(opened_later) == "km", "a link that was opened in the talk"


async def test_a_button_that_was_pressed_while_rasa_was_away_counts(rasa: httpx.AsyncClient) -> None:
    assert shown(await say(rasa, 1, payload=CHOOSE % "km", name="away")) == "km"
    back = await say(rasa, 2, "ra đường có phải đeo khẩu trang không ạ", known="vi", name="away")
    assert shown(back) == "vi"
    assert shown(await say(rasa, 3, "ខ្ញុំត្រូវពាក់ម៉ាស់ទេ", known="vi", name="away")) == "km"


async def test_a_language_that_we_do_not_know_is_asked_for_again(rasa: httpx.AsyncClient) -> None:
    assert keys(await say(rasa, 1, payload=CHOOSE % "xx")) == ["utter_choose_language"]
    assert keys(await say(rasa, 2, payload="/choose_language")) == ["utter_choose_language"]
