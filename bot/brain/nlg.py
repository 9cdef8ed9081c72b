"""What Rasa says: the catalogue's texts, in this process. Rasa decides the key; every word stands in `locales/`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.directory.places import Places
from bot.languages.catalogue import LAST_RESORT, LIKELIEST, Catalogue
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


class CatalogueNLG(NaturalLanguageGenerator):  # type: ignore[misc]
    """`generate` gives Rasa the text and buttons, and under `custom` the reply as the gateway gets it."""

    def __init__(
        self, endpoint_config: EndpointConfig | None = None, domain: Domain | None = None, catalogue: Catalogue | None = None
    ) -> None:
        self._catalogue = catalogue or Catalogue.load(ROOT, Settings.from_environment().province)
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
        values = self._values(tracker, given)
        needed, otherwise = INSTEAD_WITHOUT.get(key, (None, key))
        answer = self._catalogue.answer(otherwise if needed and not values.get(needed) else key, values, _language(tracker))
        reply = answer.as_reply()
        message = {"text": reply["text"], "buttons": [dict(button) for button in reply["buttons"]]}
        # `rasa shell` would print the reply's fields as JSON under every answer (its output channel is REST's "collector").
        return message if tracker.get_latest_input_channel() == CONSOLE else {**message, "custom": reply}

    def _values(self, tracker: DialogueStateTracker, given: Mapping[str, Any]) -> dict[str, Any]:
        parsed = (tracker.latest_message.parse_data if tracker.latest_message else None) or {}
        values: dict[str, Any] = {LIKELIEST: self._likeliest(parsed), "place_name": self._named_place(parsed)}
        return {**values, **{name: value for name, value in given.items() if name not in NOT_VALUES and value is not None}}

    def _likeliest(self, parsed: Mapping[str, Any]) -> list[str]:
        """The intents a citizen probably meant: at most three, each with an answer of its own."""
        guesses = [guess for guess in parsed.get("intent_ranking") or [] if guess.get("confidence", 0) >= LEAST_CHANCE_TO_OFFER]
        names = dict.fromkeys(str(guess.get("name")) for guess in guesses)
        return [name for name in names if self._is_offered(name)][:OFFERED]

    def _is_offered(self, intent: str) -> bool:
        known = self._catalogue.intents.get(intent)
        return known is not None and known.topic not in TOPICS_NOT_OFFERED

    def _named_place(self, parsed: Mapping[str, Any]) -> str | None:
        """The place that this message names, if it is one we answer for."""
        keys = [str(e.get("value")) for e in parsed.get("entities") or [] if e.get("entity") == "place"]
        ours = [key for key in keys if key in self._places and not self._places[key].is_elsewhere]
        return self._places.name(ours[-1]) if ours else None


def _language(tracker: DialogueStateTracker) -> str:
    """The citizen's language as the conversation has shown it, else as the gateway knows it."""
    metadata = (tracker.latest_message.metadata if tracker.latest_message else None) or {}
    return str(tracker.current_slot_values().get("language") or metadata.get("language") or DEFAULT_LANGUAGE)
