"""Which language a message is in, before its intent is looked for: asked for in words, seen by its script, or told by the model.

    {"tag": "mww-Latn", "decided_by": "model", "switched": true, "before": "vi"}    stands as `language` in what was understood

`switched`: the conversation was in another language, `before`, and nobody had asked for one, so the answer offers the way back.
Where nothing is decided, the conversation stays in its language.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.brain.collector import collector_paused
from bot.brain.turn import conversation_language, language_is_chosen
from bot.languages import choices, identify, samples, scripts
from bot.languages.choices import chosen_language
from bot.languages.identify import VIETNAMESE, Identifier
from bot.languages.scripts import BY_SCRIPT, script_language
from bot.settings import ROOT

logger = logging.getLogger(__name__)

ENTITY = "language"
UNDERSTOOD = "language"
PLACES = frozenset({"place", "place_ambiguous"})
FILE = "languages.json"
CHOICE = "choice"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class LanguageIdentifier(GraphComponent, EntityExtractorMixin):  # type: ignore[misc]
    """Stands after the places, whose names it does not look at: half of them are Ê Đê. Writes the entity `language` where the
    language is chosen or changes."""

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Rasa's training cache sees neither the files that are learned from nor the modules that read them."""
        digest = hashlib.sha256()
        modules = (Path(str(module.__file__)) for module in (choices, identify, samples, scripts))
        for path in (*modules, *samples.sources(ROOT)):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def __init__(self, storage: ModelStorage, resource: Resource, identifier: Identifier | None = None) -> None:
        self._storage = storage
        self._resource = resource
        self._identifier = identifier

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> LanguageIdentifier:
        return cls(model_storage, resource)

    @collector_paused()
    def train(self, training_data: TrainingData) -> Resource:
        """From the files of the languages: Rasa's training data no longer tells which example came from which."""
        identifier = Identifier.train(samples.samples(ROOT), samples.letters(ROOT))
        with self._storage.write_to(self._resource) as folder:
            (Path(folder) / FILE).write_text(identifier.to_json(), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LanguageIdentifier:
        try:
            with model_storage.read_from(resource) as folder:
                text = (Path(folder) / FILE).read_text(encoding="utf-8")
            return cls(model_storage, resource, Identifier.from_json(text))
        except (ValueError, OSError) as error:
            logger.warning("The language model was not loaded: %s", error)
            return cls(model_storage, resource)

    def process(self, messages: list[Message]) -> list[Message]:
        before = conversation_language.get() or VIETNAMESE
        for message in messages:
            tag, decided_by = self._decide(message)
            changes = tag is not None and tag != before
            switched = changes and decided_by != CHOICE and not language_is_chosen.get()
            told = {"tag": tag or before, "decided_by": decided_by, "switched": switched, "before": before}
            message.set(UNDERSTOOD, told, add_to_output=True)
            if tag is not None and (changes or decided_by == CHOICE):
                _add_entity(message, tag, decided_by)
        return messages

    def _decide(self, message: Message) -> tuple[str | None, str]:
        """(tag, how); (None, "conversation") where the message does not say."""
        text = message.get(TEXT) or ""
        if chosen := chosen_language(text):
            return chosen, CHOICE
        if script := script_language(text):
            return BY_SCRIPT.get(script), "script" if script in BY_SCRIPT else "conversation"
        guess = self._identifier.guess(_without_places(message)) if self._identifier else None
        return (guess.tag, "model") if guess else (None, "conversation")


def spoken(message: Message) -> str:
    """The language that the message was decided to be in, or its conversation."""
    return str((message.get(UNDERSTOOD) or {}).get("tag") or VIETNAMESE)


def _add_entity(message: Message, tag: str, decided_by: str) -> None:
    entity = {
        "entity": ENTITY,
        "value": tag,
        "start": 0,
        "end": len(message.get(TEXT) or ""),
        "extractor": LanguageIdentifier.__name__,
        "decided_by": decided_by,
    }
    message.set(ENTITIES, [*(message.get(ENTITIES) or []), entity], add_to_output=True)


def _without_places(message: Message) -> str:
    text = message.get(TEXT) or ""
    for entity in message.get(ENTITIES) or ():
        if entity.get("entity") in PLACES:
            start, end = entity["start"], entity["end"]
            text = text[:start] + " " * (end - start) + text[end:]
    return text
