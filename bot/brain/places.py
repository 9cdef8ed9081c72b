"""Places in a message become the entity `place`, whose value is a key of data/directory/places.yml."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.directory.places import Places
from bot.settings import ROOT

ENTITY = "place"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PlaceExtractor(GraphComponent, EntityExtractorMixin):  # type: ignore[misc]
    """Reads the places once, when the model is loaded: a corrected place needs no training."""

    def __init__(self, places: Places) -> None:
        self._places = places

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> PlaceExtractor:
        return cls(Places.load(ROOT))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = [
                {
                    "entity": ENTITY,
                    "value": place.key,
                    "start": place.start,
                    "end": place.end,
                    "extractor": self.__class__.__name__,
                }
                for place in self._places.places_in(message.get(TEXT) or "")
            ]
            if found:
                message.set(ENTITIES, [*(message.get(ENTITIES) or []), *found], add_to_output=True)
        return messages
