"""Which question a citizen asks: a linear model over pieces of words, trained on every example with and without diacritics.

Why not DIET: on Vietnamese questions it was no better, took 14 minutes instead of seconds, and fell to 0.24 without
diacritics (docs/decisions). The model is kept as JSON and plain arrays, never pickled.
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
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.brain import counting, features, foreign_model, intent_model, linear, typos
from bot.brain.collector import collector_paused
from bot.brain.foreign_model import ForeignModel
from bot.brain.intent_model import DEFAULTS, VIETNAMESE, IntentModel
from bot.brain.language import spoken
from bot.languages import adjuncts, choices, concepts, courtesy, normalise, phrases, spelling

logger = logging.getLogger(__name__)

# An entity: the intent of the second question of a message that has two; the answer to the first gets a button for it.
ALSO_ASKED = "also_asked"
# On the message, for the components behind this one: the text with its spelling repaired.
RESPELT = "respelt"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(GraphComponent, IntentClassifier):  # type: ignore[misc]
    """Rasa's side of `IntentModel`: writes `intent` and `intent_ranking` (five best)."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`cost`: liblinear's C. `minimum_examples`: per block of features, how many examples must hold a term."""
        return dict(DEFAULTS)

    @staticmethod
    def required_packages() -> list[str]:
        return ["sklearn", "scipy"]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Rasa's training cache knows the source of this class alone: without this, a change in what the model sees of a
        text would be answered with the cached model of before."""
        digest = hashlib.sha256()
        modules = (
            counting,
            features,
            foreign_model,
            intent_model,
            linear,
            typos,
            adjuncts,
            concepts,
            courtesy,
            normalise,
            phrases,
            spelling,
        )
        for path in (*(Path(str(module.__file__)) for module in modules), choices.TABLE, *sorted(concepts.TABLES.glob("*.yml"))):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, model: IntentModel | None = None
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> LinearIntentClassifier:
        return cls(config, model_storage, resource)

    @collector_paused()
    def train(self, training_data: TrainingData) -> Resource:
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        ours = [example for example in examples if _language(example) == VIETNAMESE]
        others = [example for example in examples if _language(example) != VIETNAMESE]
        if len({example.get(INTENT) for example in ours}) < 2:
            logger.warning("The intent classifier needs examples of at least two intents; it stays untrained.")
            return self._resource
        foreign = ForeignModel.train([e.get(TEXT) for e in others], [e.get(INTENT) for e in others], set(map(_language, others)))
        self._model = IntentModel.train([e.get(TEXT) for e in ours], [e.get(INTENT) for e in ours], self._config, foreign)
        with self._storage.write_to(self._resource) as folder:
            self._model.save(Path(folder))
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        try:
            with model_storage.read_from(resource) as folder:
                return cls(config, model_storage, resource, IntentModel.load(Path(folder)))
        except (ValueError, OSError, KeyError) as error:
            logger.warning("The intent classifier was not loaded: %s", error)
            return cls(config, model_storage, resource)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            language = self._model.read_as(spoken(message)) if self._model else VIETNAMESE
            ranking = self._model.ranking(message.get(TEXT) or "", language) if self._model else []
            named = [{INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: chance} for name, chance in ranking]
            best = named[0] if named else {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
            message.set(INTENT, dict(best), add_to_output=True)
            message.set(INTENT_RANKING_KEY, named, add_to_output=True)
            if self._model:
                message.set(RESPELT, self._model.respelt(message.get(TEXT) or "", language))
            if language == VIETNAMESE:
                self._note_second_question(message)
        return messages

    def _note_second_question(self, message: Message) -> None:
        text, best = message.get(TEXT) or "", (message.get(INTENT) or {}).get(INTENT_NAME_KEY)
        second = self._model.second_question(text, best) if self._model and best else None
        if second:
            entity = {"entity": ALSO_ASKED, "value": second, "start": 0, "end": len(text), "extractor": self.__class__.__name__}
            message.set(ENTITIES, [*(message.get(ENTITIES) or []), entity], add_to_output=True)


def _language(example: Message) -> str:
    """As the file of the example says it (`metadata: {language: en}`); Vietnamese files say nothing."""
    told = (example.get("metadata") or {}).get("intent")
    return str(told.get("language", VIETNAMESE)) if isinstance(told, dict) else VIETNAMESE
