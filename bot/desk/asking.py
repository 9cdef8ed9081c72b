"""What the bot would say: to given words, or of a chosen topic, in Vietnamese and in the citizen's language, with live figures.

Rasa answers as it answers citizens and remembers nothing (bot/desk/suggestions.py). Without it, the topic's answer for everybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.content.replies import allowed
from bot.content.reports import refuted
from bot.content.rumours import KnownRumours
from bot.desk.answers import Answers, Hit, Preview
from bot.desk.suggestions import Model, ModelAway, Suggestions, Understood
from bot.directory.languages import VIETNAMESE
from bot.languages.danger import danger_sign
from bot.messages import MAX_STORED_CHARACTERS, Outgoing, Payload, clean_text

EMERGENCY = "utter_emergency"
# Longer than anybody asks on the telephone.
LONGEST_QUESTION = 1_000


@dataclass(frozen=True)
class Told:
    """What there is to read aloud: `danger` comes first whatever else was found; `shown` is empty while nothing is sure."""

    danger: Preview | None
    shown: tuple[Preview, ...]
    understood: Understood
    hits: tuple[Hit, ...]

    @property
    def is_model_away(self) -> bool:
        return self.understood.is_model_away


class Asking:
    """`known`: the rumours that are refuted instead of saying how news is checked."""

    def __init__(self, answers: Answers, model: Model, known: KnownRumours | None = None) -> None:
        self.answers, self._model, self._known = answers, model, known
        self.suggestions = Suggestions(answers, model)

    async def of_words(self, text: str, language: str, topic: str = "", *, is_draft: bool = False) -> Told:
        """`topic`: what the operator chose, "" for what the model is sure of. `is_draft`: the words are still being typed, so
        only danger and topics are looked for."""
        asked = question(text)
        understood = await self.suggestions.of(asked) if asked else Understood(())
        danger = self.answers.preview(EMERGENCY, language) if danger_sign(asked) else None
        chosen = topic or understood.topic or ""
        shown: tuple[Preview, ...] = ()
        if not is_draft and self.answers.hit(chosen):
            words = asked if chosen == understood.topic else ""
            shown = tuple(await self.of_topic(chosen, language, understood.place, words))
        listed = {one.topic for one in understood.suggestions}
        hits = tuple(hit for hit in self.answers.search(asked) if hit.topic not in listed)
        if danger:
            shown = tuple(one for one in shown if one.topic != danger.topic)
        return Told(danger, shown, understood, hits)

    async def of_topic(self, topic: str, language: str, place: str | None = None, words: str = "") -> Sequence[Preview]:
        """The bot's answer of the topic; `words`: the question itself, where the model understood it as this topic, so that a day
        or a person in it counts. Empty for a topic without an answer."""
        payload = Payload.parse(str(Payload(topic, place))) or Payload(topic)
        try:
            pairs = await self._live(payload, language, words)
        except ModelAway:
            preview = self.answers.preview(f"utter_{topic}", language)
            return [preview] if preview else []
        return [self.answers.shown(topic, vi, own) for vi, own in pairs]

    async def _live(self, payload: Payload, language: str, words: str) -> list[tuple[Outgoing, Outgoing]]:
        """Pairs of the Vietnamese and the citizen's version; of different answers only the Vietnamese."""
        asked: str | Payload = words or payload
        if language == VIETNAMESE:
            return [(vi, vi) for vi in await self._answer(asked, VIETNAMESE)]
        both = await asyncio.gather(self._answer(asked, VIETNAMESE), self._answer(payload, language))
        own = {reply.key: reply for reply in both[1] if not words or any(self._says_the_same(vi, reply) for vi in both[0])}
        return [(vi, own.get(vi.key, vi)) for vi in both[0]]

    async def _answer(self, asked: str | Payload, language: str) -> list[Outgoing]:
        """As the gateway would store it: rumours refuted, what was withdrawn replaced."""
        catalogue, replies = self.answers.catalogue, await self._model.answer(asked, language)
        if self._known and isinstance(asked, str):
            replies = refuted(catalogue, self._known, asked, replies, language)
        return [allowed(catalogue, reply) for reply in replies]

    def _says_the_same(self, vi: Outgoing, own: Outgoing) -> bool:
        """The question was put in Vietnamese, in the other language its topic alone: a day that it named must not be lost."""
        is_one = own.key == vi.key and own.figures == vi.figures
        return is_one and (own.text.endswith(vi.text) or self.answers.is_the_same_for_all(vi.key))


def question(typed: str) -> str:
    """What was typed, storable and short enough."""
    return clean_text(typed[:MAX_STORED_CHARACTERS]).strip()[:LONGEST_QUESTION]
