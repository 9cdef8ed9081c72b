"""Short follow-ups keep the topic: "giá bao nhiêu?" after an answer about testing becomes `testing_cost`.

Rasa's pipeline sees a message without its conversation; what was asked before comes from the tracker store, which reads the
conversation just before the message is parsed (bot/brain/turn.py).
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

from bot.brain.turn import earlier_intents
from bot.languages.follow_ups import FollowUps, Named, follow_ups

# After these the topic before them is still the topic: "cảm ơn. còn trẻ em thì sao?"
PASSING = frozenset({"greet", "thanks", "affirm", "deny", "inform_place", "nlu_fallback", "not_helpful"})


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class FollowUpResolver(GraphComponent, IntentClassifier):  # type: ignore[misc]
    """Stands after the classifier and before the fallback. The model's guesses stay in the ranking, behind the meaning."""

    def __init__(self, table: FollowUps) -> None:
        self._table = table

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> FollowUpResolver:
        return cls(follow_ups())

    def process(self, messages: list[Message]) -> list[Message]:
        earlier = next((intent for intent in earlier_intents.get() if intent not in PASSING), None)
        for message in messages:
            meant = (
                self._table.meant(message.get(TEXT) or "", earlier, Named.among(message.get(ENTITIES) or [])) if earlier else None
            )
            if meant:
                _understand(message, meant)
        return messages


def _understand(message: Message, intent: str) -> None:
    certain = {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: 1.0}
    others = [_behind(guess) for guess in message.get(INTENT_RANKING_KEY) or [] if guess.get(INTENT_NAME_KEY) != intent]
    message.set(INTENT, dict(certain), add_to_output=True)
    message.set(INTENT_RANKING_KEY, [certain, *others], add_to_output=True)


def _behind(guess: dict[str, Any]) -> dict[str, Any]:
    """A guess that can still be offered, too far behind for the fallback to see two equals."""
    return {**guess, PREDICTED_CONFIDENCE_KEY: guess[PREDICTED_CONFIDENCE_KEY] / 2}
