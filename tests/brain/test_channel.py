"""Rasa's door: closed without a token, deaf to commands that a citizen types, honest about what failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sanic import Sanic

from bot.brain.channel import COMMAND_PREFIX, LoaInput, Replies, typed
from bot.settings import SettingsError

TOKEN = "a-token-for-tests"


async def _handle(message: Any) -> None:
    await _app().ctx.handle(message)


@lru_cache(maxsize=1)
def _app() -> Sanic:
    app = Sanic("door", configure_logging=False)
    app.blueprint(LoaInput(TOKEN).blueprint(_handle), url_prefix="/webhooks/loa")
    return app


@asynccontextmanager
async def door(agent: Any, handle: Any = None) -> AsyncIterator[httpx.AsyncClient]:
    """Our channel behind a real Sanic app, called without a socket. Sanic can start one app a process: it rewrites its own code."""
    app = _app()
    app.ctx.agent = agent
    app.ctx.handle = handle or (agent and agent.handle_message)
    if not app.state.is_started:
        await app._startup()  # httpx sends no lifespan event, at which Sanic would do it
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://rasa", headers=headers) as client:
        yield client


@pytest.fixture
async def rasa(agent: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with door(agent) as client:
        yield client


def asked(
    text: str | None = None, payload: str | None = None, message: str = "1", attempt: int = 1, **more: Any
) -> dict[str, Any]:
    metadata = {"channel": "webchat", "language": "vi", "province": "dak-lak", "is_external": True}
    return {
        "conversation": "webchat:1",
        "message": message,
        "attempt": attempt,
        "text": text,
        "payload": payload,
        "metadata": metadata,
        **more,
    }


def keys(response: httpx.Response) -> list[str]:
    return [reply["key"] for reply in response.json()["replies"]]


async def test_a_question_is_answered_and_what_was_understood_is_told(rasa: httpx.AsyncClient) -> None:
    answer = await rasa.post("/webhooks/loa/turn", json=asked("xin chào"))
    assert answer.status_code == 200
    assert keys(answer) == ["utter_greet"]
    understood = answer.json()["understood"]
    assert understood["intent"] == "greet"
    assert understood["ranking"][0][0] == "greet"


async def test_a_button_is_obeyed(rasa: httpx.AsyncClient) -> None:
    answer = await rasa.post("/webhooks/loa/turn", json=asked(payload="/testing_cost"))
    assert keys(answer) == ["utter_testing_cost"]
    assert answer.json()["understood"]["confidence"] == 1.0


@pytest.mark.parametrize(
    "text",
    ["/restart", "/emergency", ' \u200b//emergency{"place":"x"}', "\u00a0/emergency@1.0", "/\n/emergency", "EXTERNAL: emergency"],
)
async def test_typed_commands_are_not_obeyed(rasa: httpx.AsyncClient, text: str) -> None:
    answer = await rasa.post("/webhooks/loa/turn", json=asked(text))
    assert answer.status_code == 200
    assert answer.json()["understood"]["confidence"] < 1.0
    assert [e for e in answer.json()["understood"]["entities"] if e["entity"] != "language"] == []  # it may well be English


@given(st.text(alphabet="/ \t\n\u200b\ufeff\x00a{\u00a0\u2028\u3000\ud800", max_size=12))
def test_no_typed_text_begins_with_a_slash(text: str) -> None:
    assert not typed(text).strip().startswith("/")
    assert not COMMAND_PREFIX.match(typed(text))


@pytest.mark.parametrize(
    "payload", ["/restart", "/back", "/session_start", "/nlu_fallback", "/nothing", "greet", '/greet{"a":1}', "/greet\n", "", 7]
)
async def test_only_payloads_of_our_intents_pass(rasa: httpx.AsyncClient, payload: Any) -> None:
    assert (await rasa.post("/webhooks/loa/turn", json=asked(payload=payload))).status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ñ"},
    ],
)
async def test_without_the_token_the_door_is_closed(agent: Any, header: dict[str, str]) -> None:
    async with door(agent) as client:
        client.headers.pop("Authorization")
        coded = {name: value.encode("latin-1") for name, value in header.items()}
        assert (await client.post("/webhooks/loa/turn", json=asked("xin chào"), headers=coded)).status_code == 401


async def test_words_are_understood_alone_and_leave_no_memory(rasa: httpx.AsyncClient, agent: Any) -> None:
    answer = await rasa.post("/webhooks/loa/parse", json={"text": "/xét nghiệm ở đâu"})
    understood = answer.json()["understood"]
    assert understood["intent"] == "testing_where"
    assert 3 <= len(understood["ranking"]) <= 5
    assert understood["ranking"][0] == ["testing_where", understood["confidence"]]
    assert await agent.tracker_store._tracker_store.keys() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"text": 7}', b'{"text": null}'])
async def test_nothing_to_understand_is_told(rasa: httpx.AsyncClient, body: bytes) -> None:
    assert (await rasa.post("/webhooks/loa/parse", content=body)).status_code == 400


async def test_without_the_token_nothing_is_understood(agent: Any) -> None:
    async with door(agent) as client:
        client.headers["Authorization"] = "Bearer wrong"
        assert (await client.post("/webhooks/loa/parse", json={"text": "xin chào"})).status_code == 401


async def test_without_a_model_nothing_is_understood() -> None:
    async with door(None) as client:
        assert (await client.post("/webhooks/loa/parse", json={"text": "xin chào"})).status_code == 503


async def test_what_is_not_kept_is_answered_without_memory_and_leaves_none(rasa: httpx.AsyncClient, agent: Any) -> None:
    aside = {**asked("xét nghiệm giá bao nhiêu", conversation="phone:1"), "is_kept": False}
    first = await rasa.post("/webhooks/loa/turn", json=aside)
    assert keys(first) == ["utter_testing_cost"]
    assert first.json()["understood"]["intent"] == "testing_cost"
    assert await agent.tracker_store._tracker_store.keys() == []
    # What is remembered of a conversation of the same name is not looked at either.
    await rasa.post("/webhooks/loa/turn", json=asked("xin chào", conversation="phone:1"))
    again = await rasa.post("/webhooks/loa/turn", json={**aside, "attempt": 2})
    assert keys(again) == ["utter_testing_cost"]
    assert (await rasa.post("/webhooks/loa/turn", json=asked("xin chào", conversation="phone:1", attempt=2))).status_code == 200


def test_without_a_token_rasa_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOA_RASA_TOKEN", raising=False)
    monkeypatch.chdir("/")
    with pytest.raises(SettingsError, match="LOA_RASA_TOKEN"):
        LoaInput.from_credentials(None)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"conversation": "c", "message": "1"}',
        b'{"conversation": "", "message": "1", "text": "a"}',
        b'{"conversation": "c", "message": 1, "text": "a"}',
        b'{"conversation": "c\\u0000", "message": "1", "text": "a"}',
        b'{"conversation": "c", "message": "1", "text": "a", "attempt": 0}',
        b'{"conversation": "c", "message": "1", "text": "a", "attempt": true}',
    ],
)
async def test_a_malformed_body_is_refused_with_a_sentence(rasa: httpx.AsyncClient, body: bytes) -> None:
    answer = await rasa.post("/webhooks/loa/turn", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_nul_and_lone_surrogates_are_survived(rasa: httpx.AsyncClient) -> None:
    body = b'{"conversation": "c", "message": "1", "text": "xin \\u0000ch\\u00e0o \\ud800"}'
    assert keys(await rasa.post("/webhooks/loa/turn", content=body)) == ["utter_greet"]


async def test_while_no_model_is_loaded_the_door_says_so() -> None:
    async with door(None) as client:
        assert (await client.get("/webhooks/loa/")).status_code == 503
        answer = await client.post("/webhooks/loa/turn", json=asked("xin chào"))
    assert (answer.status_code, answer.json()) == (503, {"error": "no model is loaded"})


async def test_whoever_shows_another_starts_token_is_told_that_this_is_not_its_rasa(agent: Any) -> None:
    async with door(agent) as client:
        assert (await client.get("/webhooks/loa/")).status_code == 200
        assert (await client.get("/webhooks/loa/", headers={"Authorization": "Bearer of another start"})).status_code == 401
        client.headers.pop("Authorization")
        assert (await client.get("/webhooks/loa/")).status_code == 200


async def test_a_second_attempt_repeats_the_replies_of_the_first(agent: Any) -> None:
    handled = []

    async def handle(message: Any) -> None:
        handled.append(message.message_id)
        await agent.handle_message(message)

    async with door(agent, handle) as client:
        first = await client.post("/webhooks/loa/turn", json=asked("xin chào", message="5"))
        second = await client.post("/webhooks/loa/turn", json=asked("xin chào", message="5", attempt=2))
    assert first.json() == second.json()
    assert handled == ["5"]


async def test_a_turn_that_could_not_be_kept_is_not_answered(agent: Any) -> None:
    async def handle(message: Any) -> None:
        from bot.brain.turn import current_turn

        turn = current_turn.get()
        assert turn is not None
        turn.failure = "OperationalError"

    async with door(agent, handle) as client:
        assert (await client.post("/webhooks/loa/turn", json=asked("xin chào"))).status_code == 503


async def test_only_the_metadata_of_the_contract_reaches_rasa(agent: Any) -> None:
    seen = []

    async def handle(message: Any) -> None:
        seen.append(message.metadata)

    async with door(agent, handle) as client:
        await client.post("/webhooks/loa/turn", json=asked("xin chào"))
    assert seen == [{"channel": "webchat", "language": "vi", "province": "dak-lak"}]


async def test_an_utterance_that_is_not_of_the_catalogue_is_still_said() -> None:
    output = Replies()
    await output.send_response("c", {"text": "raw", "buttons": [{"title": "t", "payload": "/x"}]})
    assert output.replies[0]["text"] == "raw"
    assert output.replies[0]["key"] == ""
