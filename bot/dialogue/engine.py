"""Asking Rasa: one HTTP call a turn on our own channel (bot/brain/channel.py)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from bot.dialogue.conversations import Waiting
from bot.messages import Outgoing, Payload
from bot.metrics import ENGINE_FAILURES

CALL_SECONDS = 10.0
# A second opinion is not waited for longer.
OPINION_SECONDS = 2.0
EMERGENCY = "emergency"
NOT_READY = {503: "no model is loaded yet", 401: "another Rasa answers there, or one with another LOA_RASA_TOKEN"}


class EngineUnavailable(Exception):
    """Rasa gave no usable answer: down, still loading, silent because the action server is down. May be retried.

    `is_planned`: another model is being loaded, and Rasa will be back in a moment.
    """

    is_planned = False


@dataclass(frozen=True)
class EngineAnswer:
    replies: Sequence[Outgoing]
    understood: dict[str, Any]


class Engine:
    """`url` is Rasa's address, `token` the secret that its channel asks for. `is_switching`: whether Rasa is away on purpose."""

    def __init__(self, url: str, token: str, province: str, is_switching: Callable[[], bool] = lambda: False) -> None:
        self._province = province
        self._is_switching = is_switching
        self.client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(CALL_SECONDS, connect=2.0),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
            verify=certificates_for(url),
            trust_env=False,
        )

    async def ask(self, waiting: Waiting, payload: Payload | None) -> EngineAnswer:
        """The replies to one message; raises EngineUnavailable, whose message holds no word of the citizen's."""
        try:
            return await self._asked(waiting, payload)
        except EngineUnavailable as error:
            error.is_planned = self._is_switching()
            raise

    async def is_danger(self, text: str) -> bool:
        """Whether the model takes the words for an emergency; nothing is answered or remembered. Raises EngineUnavailable."""
        response = await self._post("/webhooks/loa/parse", {"text": text}, OPINION_SECONDS)
        try:
            return bool(response.json()["understood"]["intent"] == EMERGENCY)
        except (ValueError, KeyError, TypeError) as error:
            raise _unavailable("unreadable", type(error).__name__) from error

    async def _asked(self, waiting: Waiting, payload: Payload | None) -> EngineAnswer:
        return _answer(await self._post("/webhooks/loa/turn", self._question(waiting, payload), CALL_SECONDS))

    async def _post(self, path: str, body: dict[str, Any], seconds: float) -> httpx.Response:
        try:
            response = await self.client.post(path, json=body, timeout=httpx.Timeout(seconds, connect=2.0))
        except httpx.HTTPError as error:
            raise _unavailable("unreachable", type(error).__name__) from error
        if response.status_code != 200:
            raise _unavailable("refused", f"HTTP {response.status_code}")
        return response

    async def is_ready(self) -> tuple[bool, str]:
        """Whether a model is loaded, and if not, why."""
        try:
            response = await self.client.get("/webhooks/loa/", timeout=2.0)
        except httpx.HTTPError as error:
            return False, f"not reachable ({type(error).__name__})"
        if response.status_code == 200:
            return True, ""
        return False, NOT_READY.get(response.status_code, f"HTTP {response.status_code}")

    async def close(self) -> None:
        await self.client.aclose()

    def _question(self, waiting: Waiting, payload: Payload | None) -> dict[str, Any]:
        return {
            "conversation": f"{waiting.channel}:{waiting.conversation_id}",
            "message": waiting.version,
            "attempt": waiting.attempt,
            "text": None if payload else waiting.text,
            "payload": str(payload) if payload else None,
            "metadata": {"channel": waiting.channel, "language": waiting.language, "province": self._province},
        }


def certificates_for(url: str) -> ssl.SSLContext:
    """The certificates to trust; none for plain HTTP, which is spoken within one machine: reading them all takes a while."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else httpx.create_ssl_context(trust_env=False)


def _answer(response: httpx.Response) -> EngineAnswer:
    try:
        body = response.json()
        replies = [Outgoing.from_reply(reply) for reply in body["replies"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _unavailable("unreadable", type(error).__name__) from error
    if not replies:
        # Rasa logs an action server's failure and stays silent (rasa #7630): silence is a failure, not an answer.
        raise _unavailable("silent", "no reply")
    return EngineAnswer(replies, dict(body.get("understood") or {}))


def _unavailable(reason: str, detail: str) -> EngineUnavailable:
    ENGINE_FAILURES.labels(reason).inc()
    return EngineUnavailable(f"{reason}: {detail}")
