"""Danger comes first: a message that says somebody is in danger gets the intent `emergency`, whatever the model thought.

The other way round too: who asks whether somebody may be vaccinated tells illnesses as history, and is answered that.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.brain.intent import RESPELT
from bot.languages.danger import asks_permission, danger_sign_in_any

EMERGENCY = "emergency"
ENTITY = "danger_sign"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class EmergencyDetector(GraphComponent, IntentClassifier):  # type: ignore[misc]
    """Stands after the classifier and the fallback. The former intents stay in the ranking, behind `emergency`."""

    def __init__(self, least_chance: float) -> None:
        self._least_chance = least_chance

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`least_chance`: from this probability of `emergency` on, the model alone raises the alarm, doubt or not."""
        return {"least_chance": 0.35}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> EmergencyDetector:
        return cls(float(config["least_chance"]))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            writings = (message.get(TEXT) or "", message.get(RESPELT) or "")
            sign = danger_sign_in_any(writings)
            if sign is None and any(map(asks_permission, writings)):
                _take_back(message)
            elif sign or _chance(message) >= self._least_chance:
                _raise_alarm(message, sign)
        return messages


def _chance(message: Message) -> float:
    ranking = message.get(INTENT_RANKING_KEY) or []
    return max((guess[PREDICTED_CONFIDENCE_KEY] for guess in ranking if guess.get(INTENT_NAME_KEY) == EMERGENCY), default=0.0)


def _take_back(message: Message) -> None:
    """The model's own `emergency` gives way to its next guess."""
    others = _others(message)
    message.set(INTENT_RANKING_KEY, others, add_to_output=True)
    if others and (message.get(INTENT) or {}).get(INTENT_NAME_KEY) == EMERGENCY:
        message.set(INTENT, dict(others[0]), add_to_output=True)


def _others(message: Message) -> list[dict[str, Any]]:
    return [guess for guess in message.get(INTENT_RANKING_KEY) or [] if guess.get(INTENT_NAME_KEY) != EMERGENCY]


def _raise_alarm(message: Message, sign: str | None) -> None:
    alarm = {INTENT_NAME_KEY: EMERGENCY, PREDICTED_CONFIDENCE_KEY: 1.0}
    message.set(INTENT, alarm, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [alarm, *_others(message)], add_to_output=True)
    if sign:
        end = len(message.get(TEXT))
        entity = {"entity": ENTITY, "value": sign, "start": 0, "end": end, "extractor": EmergencyDetector.__name__}
        message.set(ENTITIES, [*(message.get(ENTITIES) or []), entity], add_to_output=True)
