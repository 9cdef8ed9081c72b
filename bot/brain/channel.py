"""Rasa's door for the gateway: one POST a turn, answered with what was said and what was understood.

    POST /webhooks/loa/turn                      Authorization: Bearer <LOA_RASA_TOKEN>
    {"conversation": "webchat:17", "message": "4711", "attempt": 1, "text": "xét nghiệm ở đâu", "payload": null,
     "metadata": {"channel": "webchat", "language": "vi", "province": "dak-lak"}}
    → 200 {"replies": [{"key": "utter_testing_where", "text": …}], "understood": {"intent": "testing_where", …}}

`"is_kept": false` in the body asks for the answer to words that belong to no conversation: nothing is remembered. To know only
what was understood: POST /webhooks/loa/parse {"text": "xét nghiệm ở đâu"} → 200 {"understood": {"intent": "testing_where", …}}

What a citizen types is never a command: Rasa obeys any text that begins with "/" (`/intent{"entity": …}`), so the
slashes are taken away, and a button's payload goes in as a finished understanding, never as text to be read.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.lock_store import LockError
from sanic import Blueprint, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.brain.tracker_store import KEPT_RANKING, BoundedTrackerStore, TrackerUnavailable, named_entities
from bot.brain.turn import Turn, conversation_language, current_turn, earlier_intents, language_is_chosen
from bot.directory.languages import Languages
from bot.directory.places import Places
from bot.graphemes import cut
from bot.languages.normalise import MAX_CHARACTERS
from bot.messages import Payload, clean_text
from bot.settings import ROOT, Settings, SettingsError

# Rasa's own intents that restart, undo or mark a conversation; no button of ours carries them.
RESERVED_INTENTS = {"restart", "back", "session_start", "nlu_fallback"}
KEPT_METADATA = ("channel", "language", "province")
LONGEST_ID = 200
# White space, control and zero-width characters and slashes, in any order.
COMMAND_PREFIX = re.compile("^[\\s/\u0000-\u001f\u007f-\u00a0\u00ad\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
NO_MODEL = "no model is loaded"
WRONG_TOKEN = "the bearer token is missing or wrong"  # noqa: S105 - says it, is none

T = TypeVar("T")


class BadTurn(Exception):
    """The body is not the contract's; the sentence says which field and what is expected."""


@dataclass(frozen=True)
class Asked:
    """A parsed request. Exactly one of `text` and `payload` counts: `payload` is that of a button. `is_kept`: see Turn."""

    conversation: str
    message: str
    attempt: int
    text: str
    payload: Payload | None
    metadata: Mapping[str, str]
    is_kept: bool = True

    @classmethod
    def parse(cls, body: object, intents: frozenset[str]) -> Asked:
        """Read the contract's body; raises BadTurn."""
        if not isinstance(body, dict):
            raise BadTurn("The body must be a JSON object.")
        payload, text = body.get("payload"), body.get("text")
        if payload is None and not isinstance(text, str):
            raise BadTurn("Either text or payload must be a string.")
        return cls(
            conversation=_identifier(body, "conversation"),
            message=_identifier(body, "message"),
            attempt=_attempt(body.get("attempt", 1)),
            text="" if text is None else typed(text),
            payload=None if payload is None else _payload(payload, intents),
            metadata=_metadata(body.get("metadata")),
            is_kept=body.get("is_kept") is not False,
        )

    def as_message(self, output: Replies) -> UserMessage:
        parsed = None if self.payload is None else _button_understood(self.payload)
        return UserMessage(
            text=self.text if self.payload is None else str(self.payload),
            output_channel=output,
            sender_id=self.conversation,
            input_channel=LoaInput.name(),
            message_id=self.message,
            metadata=dict(self.metadata),
            parse_data=parsed,
        )


class Replies(OutputChannel):  # type: ignore[misc]
    """Collects one reply per utterance, in order. It cannot fail: a send error would cost Rasa the whole turn."""

    def __init__(self) -> None:
        self.replies: list[dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        return "loa"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        reply = message.get("custom")
        if isinstance(reply, dict) and reply.get("key"):
            self.replies.append(reply)
        elif message.get("text"):
            self.replies.append(_reply_without_key(message))


class LoaInput(InputChannel):  # type: ignore[misc]
    """Refuses to start without a token: an open door would let anyone speak as any citizen."""

    def __init__(self, token: str) -> None:
        if not token:
            raise SettingsError("LOA_RASA_TOKEN is not set: Rasa's channel does not open without it.")
        self._token = token.encode()

    @classmethod
    def name(cls) -> str:
        return "loa"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> LoaInput:
        return cls(Settings.from_environment().rasa_token)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        webhook = Blueprint("loa_webhook")

        @webhook.get("/")  # type: ignore[untyped-decorator]
        async def health(request: Request) -> HTTPResponse:
            # Whoever shows a token asks whether it is the Rasa of their own start.
            if "Authorization" in request.headers and not self._is_authorised(request):
                return _error(401, WRONG_TOKEN)
            agent = _agent(request)
            return response.json({"status": "ok", "model": agent.model_id}) if agent else _error(503, NO_MODEL)

        @webhook.post("/turn")  # type: ignore[untyped-decorator]
        async def turn(request: Request) -> HTTPResponse:
            async def answer(agent: Agent, asked: Asked) -> HTTPResponse:
                return await _answer(asked, agent, on_new_message)

            return await self._let_in(request, lambda agent: Asked.parse(request.json, payload_intents(agent)), answer)

        @webhook.post("/parse")  # type: ignore[untyped-decorator]
        async def parse(request: Request) -> HTTPResponse:
            return await self._let_in(request, lambda _: _parsed_text(request.json), _understood_alone)

        @webhook.listener("before_server_stop")  # type: ignore[untyped-decorator]
        async def close(app: Any, loop: Any) -> None:
            store = _bounded_store(getattr(app.ctx, "agent", None))
            if store is not None:
                await store.close()

        return webhook

    async def _let_in(
        self, request: Request, read: Callable[[Agent], T], answer: Callable[[Agent, T], Awaitable[HTTPResponse]]
    ) -> HTTPResponse:
        if not self._is_authorised(request):
            return _error(401, WRONG_TOKEN)
        agent = _agent(request)
        if agent is None:
            return _error(503, NO_MODEL)
        try:
            asked = read(agent)
        except (BadTurn, SanicException) as error:
            return _error(400, str(error))
        return await answer(agent, asked)

    def _is_authorised(self, request: Request) -> bool:
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)


async def _answer(asked: Asked, agent: Agent, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> HTTPResponse:
    """Handle one message, or repeat the replies of an earlier attempt that had come to its end."""
    turn = Turn(asked.message, asked.attempt, asked.is_kept)
    mark = current_turn.set(turn)
    given = asked.metadata.get("language")
    conversation_language.set(given if given in _languages() else None)
    language_is_chosen.set(False)
    try:
        store = _bounded_store(agent)
        if (
            asked.attempt > 1
            and asked.is_kept
            and store is not None
            and (earlier := await store.answered(asked.conversation, asked.message))
        ):
            return response.json({"replies": earlier[0], "understood": earlier[1]})
        output = Replies()
        await on_new_message(asked.as_message(output))
    except (TrackerUnavailable, LockError) as error:
        return _error(503, f"the conversation cannot be read or locked ({type(error).__name__})")
    finally:
        current_turn.reset(mark)
    if turn.failure:
        return _error(503, f"the conversation could not be kept ({turn.failure})")
    return response.json({"replies": output.replies, "understood": turn.understood})


async def _understood_alone(agent: Agent, text: str) -> HTTPResponse:
    """What the model reads in words that stand in no conversation."""
    earlier_intents.set(())
    conversation_language.set(None)
    language_is_chosen.set(False)
    return response.json({"understood": understood(await agent.parse_message(text))})


def understood(parsed: Mapping[str, Any]) -> dict[str, Any]:
    """The contract's shape of what Rasa parsed."""
    text, intent = str(parsed.get("text") or ""), parsed.get("intent") or {}
    return {
        "intent": intent.get("name"),
        "confidence": intent.get("confidence"),
        "ranking": [
            [guess.get("name"), guess.get("confidence")] for guess in (parsed.get("intent_ranking") or [])[:KEPT_RANKING]
        ],
        "entities": named_entities(text, parsed.get("entities") or []),
    }


def typed(text: str) -> str:
    """What a citizen typed as Rasa may read it: storable, cut, and never beginning with a slash."""
    return COMMAND_PREFIX.sub("", cut(clean_text(text), MAX_CHARACTERS))


def payload_intents(agent: Agent) -> frozenset[str]:
    """The intents that a button may name."""
    return frozenset(agent.domain.intents) - RESERVED_INTENTS


def _button_understood(payload: Payload) -> dict[str, Any]:
    """A place or language that we do not know (a button of an older gazetteer) is left out: the answer then asks for it again."""
    certain = {"name": payload.intent, "confidence": 1.0}
    text = str(payload)
    place, language = payload.place, payload.language
    named = [("place", place, place in _places()), ("language", language, language in _languages())]
    entities = [
        {"entity": entity, "value": value, "start": 0, "end": len(text), "extractor": "button"}
        for entity, value, is_known in named
        if value is not None and is_known
    ]
    return {"text": text, "intent": certain, "intent_ranking": [certain], "entities": entities}


@cache
def _places() -> Places:
    return Places.load(ROOT)


@cache
def _languages() -> Languages:
    return Languages.load(ROOT)


def _payload(text: object, intents: frozenset[str]) -> Payload:
    payload = Payload.parse(text) if isinstance(text, str) else None
    if payload is None or payload.intent not in intents:
        raise BadTurn('The payload must be "/" and an intent of the domain, with or without a place or a language.')
    return payload


def _parsed_text(body: object) -> str:
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise BadTurn("The body must be a JSON object whose text is a string.")
    return typed(text)


def _identifier(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable():
        raise BadTurn(f"{name} must be a printable string of 1 to {LONGEST_ID} characters.")
    return value


def _attempt(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadTurn("attempt must be a whole number from 1 on.")
    return value


def _metadata(value: object) -> dict[str, str]:
    """Only the keys of the contract: Rasa gives some others a meaning of its own (`is_external`)."""
    given = value if isinstance(value, dict) else {}
    return {name: clean_text(given[name])[:LONGEST_ID] for name in KEPT_METADATA if isinstance(given.get(name), str)}


def _reply_without_key(message: Mapping[str, Any]) -> dict[str, Any]:
    """An utterance that did not come from the catalogue (a mistake in an action): shown, without a source."""
    buttons = [{"title": b.get("title", ""), "payload": b.get("payload", "")} for b in message.get("buttons") or []]
    return {
        "key": "",
        "text": message["text"],
        "buttons": buttons,
        "language": "vi",
        "revision": "",
        "risk": "normal",
        "source": None,
        "withdrawn": False,
        "attachments": [],
        "figures": [],
    }


def _agent(request: Request) -> Agent | None:
    agent = getattr(request.app.ctx, "agent", None)
    return agent if agent is not None and agent.is_ready() else None


def _bounded_store(agent: Agent | None) -> BoundedTrackerStore | None:
    """Our store inside Rasa's FailSafeTrackerStore, which offers no way to it."""
    inner = getattr(getattr(agent, "tracker_store", None), "_tracker_store", None)
    return inner if isinstance(inner, BoundedTrackerStore) else None


def _error(status: int, sentence: str) -> HTTPResponse:
    return response.json({"error": sentence}, status=status)
