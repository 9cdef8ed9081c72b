"""What Rasa says: the catalogue's texts, in this process. Rasa decides the key; every word stands in `locales/`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.brain.intent import ALSO_ASKED
from bot.brain.language import UNDERSTOOD
from bot.directory.places import Places
from bot.languages.catalogue import CHOOSE_LANGUAGE, LAST_RESORT, LIKELIEST, Answer, Catalogue
from bot.settings import ROOT, Settings

logger = logging.getLogger(__name__)

DEFAULT_LANGUAGE = "vi"
OFFERED = 3
# Below this chance an offer reads as a random menu.
LEAST_CHANCE_TO_OFFER = 0.05
# Small talk and refusals answer nothing a citizen could have meant to ask.
TOPICS_NOT_OFFERED = {"talk", "limits", "system"}
# Without the value the first key has nothing to say; the second says so.
INSTEAD_WITHOUT = {
    "utter_offer_topics": (LIKELIEST, "utter_offer_topics_none"),
    "utter_inform_place": ("place_name", "utter_inform_place_unknown"),
    "utter_other_topics": (LIKELIEST, "utter_not_helpful"),
}
# What Rasa's dispatcher adds to the values of `utter_message(response=…, **values)`.
NOT_VALUES = {
    "text",
    "buttons",
    "elements",
    "custom",
    "template",
    "response",
    "image",
    "attachment",
    "domain_responses",
    "quick_replies",
}
CONSOLE = "cmdline"
# Offered instead of what was answered: the next guesses for the message before this one.
OTHER_TOPICS = "utter_other_topics"


class CatalogueNLG(NaturalLanguageGenerator):  # type: ignore[misc]
    """`generate` gives Rasa the text and buttons, and under `custom` the reply as the gateway gets it."""

    def __init__(
        self, endpoint_config: EndpointConfig | None = None, domain: Domain | None = None, catalogue: Catalogue | None = None
    ) -> None:
        self._catalogue = catalogue or _catalogue()
        self._places = Places.load(ROOT)

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Never raises: an exception here would cost the citizen the answer. None (the gateway then degrades) only
        when not even the apology can be filled."""
        for key in (utter_action, LAST_RESORT):
            try:
                return self._answer(key, tracker, kwargs)
            except Exception as error:  # noqa: BLE001  (a fault in one text must not silence the bot; the apology follows)
                logger.error("response %s could not be filled: %s", key, type(error).__name__)
        return None

    def _answer(self, key: str, tracker: DialogueStateTracker, given: Mapping[str, Any]) -> dict[str, Any]:
        values = self._values(key, tracker, given)
        needed, otherwise = INSTEAD_WITHOUT.get(key, (None, key))
        chosen = _language_of_message(tracker) if key == CHOOSE_LANGUAGE else None
        answer = (
            self._catalogue.chosen(chosen)
            if chosen
            else self._catalogue.answer(otherwise if needed and not values.get(needed) else key, values, _language(tracker))
        )
        if left := _language_left(tracker):
            answer = self._catalogue.with_way_back(answer, left)
        second = self._second_question(answer, tracker)
        reply = (self._catalogue.with_second_question(answer, second) if second else answer).as_reply()
        message = {"text": reply["text"], "buttons": [dict(button) for button in reply["buttons"]]}
        # `rasa shell` would print the reply's fields as JSON under every answer (its output channel is REST's "collector").
        return message if tracker.get_latest_input_channel() == CONSOLE else {**message, "custom": reply}

    def _values(self, key: str, tracker: DialogueStateTracker, given: Mapping[str, Any]) -> dict[str, Any]:
        latest, before = _last_two_parsed(tracker)
        values: dict[str, Any] = {
            LIKELIEST: self._likeliest(before, besides=_intent(before)) if key == OTHER_TOPICS else self._likeliest(latest),
            "place_name": self._named_place(latest),
        }
        return {**values, **{name: value for name, value in given.items() if name not in NOT_VALUES and value is not None}}

    def _second_question(self, answer: Answer, tracker: DialogueStateTracker) -> str | None:
        """The other topic of a message with two questions, once: under the first answer to a topic in this turn."""
        latest, _ = _last_two_parsed(tracker)
        asked = next((str(e["value"]) for e in latest.get("entities") or [] if e.get("entity") == ALSO_ASKED), None)
        is_answer = self._catalogue.topic_of(answer.key) not in TOPICS_NOT_OFFERED
        said_before = isinstance(tracker.events[-1], BotUttered) if tracker.events else False
        return asked if asked in self._catalogue.intents and is_answer and not said_before else None

    def _likeliest(self, parsed: Mapping[str, Any], besides: str | None = None) -> list[str]:
        """The intents a citizen probably meant: at most three, each with an answer of its own."""
        guesses = [guess for guess in parsed.get("intent_ranking") or [] if guess.get("confidence", 0) >= LEAST_CHANCE_TO_OFFER]
        names = dict.fromkeys(str(guess.get("name")) for guess in guesses)
        return [name for name in names if self._is_offered(name) and name != besides][:OFFERED]

    def _is_offered(self, intent: str) -> bool:
        known = self._catalogue.intents.get(intent)
        return known is not None and known.topic not in TOPICS_NOT_OFFERED

    def _named_place(self, parsed: Mapping[str, Any]) -> str | None:
        """The place that this message names, if it is one we answer for."""
        keys = [str(e.get("value")) for e in parsed.get("entities") or [] if e.get("entity") == "place"]
        ours = [key for key in keys if key in self._places and not self._places[key].is_elsewhere]
        return self._places.name(ours[-1]) if ours else None


def _last_two_parsed(tracker: DialogueStateTracker) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What was understood of the last message and of the one before it; empty where there is none."""
    said = [event.parse_data or {} for event in tracker.events if isinstance(event, UserUttered)]
    return (said[-1] if said else {}), (said[-2] if len(said) > 1 else {})


def _intent(parsed: Mapping[str, Any]) -> str | None:
    return (parsed.get("intent") or {}).get("name")


def _catalogue() -> Catalogue:
    settings = Settings.from_environment()
    return Catalogue.load(ROOT, settings.province, drafts=settings.drafts, home=settings.home)


def _language(tracker: DialogueStateTracker) -> str:
    """The language that the citizen chose, else as the conversation has shown it, else as the gateway knows it."""
    metadata = (tracker.latest_message.metadata if tracker.latest_message else None) or {}
    slots = tracker.current_slot_values()
    return str(slots.get("language_chosen") or slots.get("language") or metadata.get("language") or DEFAULT_LANGUAGE)


def _language_left(tracker: DialogueStateTracker) -> str | None:
    """The language of the conversation until this message, if it changed without anybody asking for it."""
    latest, _ = _last_two_parsed(tracker)
    told = latest.get(UNDERSTOOD) or {}
    return str(told["before"]) if told.get("switched") else None


def _language_of_message(tracker: DialogueStateTracker) -> str | None:
    """The language that the last message names."""
    latest, _ = _last_two_parsed(tracker)
    return next((str(e["value"]) for e in latest.get("entities") or [] if e.get("entity") == "language"), None)
