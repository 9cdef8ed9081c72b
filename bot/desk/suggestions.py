"""What the model makes of words that stand in no conversation: the three topics it would think of, and the answer it would give.

Rasa is asked with a deadline: an operator with a caller on the line waits for nobody. Without it, the words are searched for.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from bot.desk.answers import Answers
from bot.messages import Outgoing, Payload

log = structlog.get_logger(__name__)

PARSE_SECONDS = 1.0
ANSWER_SECONDS = 4.0
SHOWN = 3
# A topic that the model thinks this little of is no help; what the words are found in stands in its place.
LEAST_CONFIDENCE = 0.01
CHANNEL = "phone"
FALLBACK = "nlu_fallback"
PLACE = "place"


class ModelAway(Exception):
    """Rasa did not answer in time or not usably; the message holds no word of anybody's."""


@dataclass(frozen=True)
class Suggestion:
    """A topic to choose. `confidence` is None where the words were only searched for."""

    topic: str
    key: str
    title: str
    confidence: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"topic": self.topic, "key": self.key, "title": self.title, "confidence": self.confidence}


@dataclass(frozen=True)
class Understood:
    """`topic`: what the model is sure of; `place`: the last place that the words name; `is_model_away`: only searched."""

    suggestions: tuple[Suggestion, ...]
    topic: str | None = None
    place: str | None = None
    is_model_away: bool = False


class Model:
    """Rasa's door (bot/brain/channel.py) for the desk: nothing that is asked here is remembered."""

    def __init__(self, client: httpx.AsyncClient, province: str) -> None:
        """`client`: the one with which citizens' turns are asked for, which is closed there."""
        self._client, self._province = client, province

    async def parse(self, text: str) -> Mapping[str, Any]:
        """`intent`, `confidence`, `ranking`, `entities`; raises ModelAway."""
        body = await self._post("/webhooks/loa/parse", {"text": text}, PARSE_SECONDS)
        if not isinstance(body.get("understood"), dict):
            raise ModelAway("unreadable")
        return dict(body["understood"])

    async def answer(self, asked: str | Payload, language: str) -> list[Outgoing]:
        """What the bot would say to the words, or of the topic; raises ModelAway, also for silence."""
        question = {
            "conversation": f"{CHANNEL}:{uuid.uuid4().hex}",
            "message": "1",
            "text": asked if isinstance(asked, str) else None,
            "payload": str(asked) if isinstance(asked, Payload) else None,
            "metadata": {"channel": CHANNEL, "language": language, "province": self._province},
            "is_kept": False,
        }
        body = await self._post("/webhooks/loa/turn", question, ANSWER_SECONDS)
        try:
            replies = [Outgoing.from_reply(reply) for reply in body["replies"]]
        except (KeyError, TypeError) as error:
            raise ModelAway("unreadable") from error
        if not replies:
            raise ModelAway("silent")
        return replies

    async def _post(self, path: str, question: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.post(path, json=dict(question), timeout=seconds)
            body = response.json() if response.status_code == 200 else None
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise ModelAway(type(error).__name__) from error
        if not isinstance(body, dict):
            raise ModelAway(f"HTTP {response.status_code}")
        return body


class Suggestions:
    def __init__(self, answers: Answers, model: Model) -> None:
        self._answers, self._model = answers, model

    async def of(self, text: str) -> Understood:
        """Three topics at most; never raises."""
        searched = self._searched(text)
        try:
            understood = await self._model.parse(text)
        except ModelAway as reason:
            log.info("desk_without_model", reason=str(reason))
            return Understood(searched[:SHOWN], is_model_away=True)
        by_topic: dict[str, Suggestion] = {}
        for one in (*self._ranked(understood.get("ranking")), *searched):
            by_topic.setdefault(one.topic, one)
        intent = understood.get("intent")
        is_sure = isinstance(intent, str) and intent != FALLBACK and self._answers.hit(intent) is not None
        return Understood(tuple(by_topic.values())[:SHOWN], str(intent) if is_sure else None, _place(understood.get("entities")))

    def _searched(self, text: str) -> tuple[Suggestion, ...]:
        return tuple(Suggestion(hit.topic, hit.key, hit.title) for hit in self._answers.search(text, SHOWN))

    def _ranked(self, ranking: object) -> list[Suggestion]:
        pairs: Sequence[Any] = ranking if isinstance(ranking, list) else []
        named = [(pair[0], pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2]
        hits = [(self._answers.hit(str(name)), confidence) for name, confidence in named]
        return [
            Suggestion(hit.topic, hit.key, hit.title, float(confidence) if isinstance(confidence, int | float) else None)
            for hit, confidence in hits
            if hit is not None and not (isinstance(confidence, int | float) and confidence < LEAST_CONFIDENCE)
        ]


def _place(entities: object) -> str | None:
    given = entities if isinstance(entities, list) else []
    named = [str(e["value"]) for e in given if isinstance(e, dict) and e.get("entity") == PLACE and e.get("value")]
    return named[-1] if named else None
