"""Places in a message become entities: `place` with a key of data/directory/places/, or `place_ambiguous` with the name as the
directory writes it, which several places have."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.directory.place_mentions import Mention
from bot.directory.places import Places
from bot.settings import ROOT, Settings

ENTITY = "place"
AMBIGUOUS = "place_ambiguous"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PlaceExtractor(GraphComponent, EntityExtractorMixin):  # type: ignore[misc]
    """Reads the places once, when the model is loaded: a corrected place needs no training. `province` is the served one, in
    which an ambiguous name is looked for first."""

    def __init__(self, places: Places, province: str) -> None:
        self._places = places
        self._province = province

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> PlaceExtractor:
        return cls(Places.load(ROOT), Settings.from_environment().province)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = [self._entity(mention) for mention in self._places.mentions(message.get(TEXT) or "", [self._province])]
            if found:
                message.set(ENTITIES, [*(message.get(ENTITIES) or []), *found], add_to_output=True)
        return messages

    def _entity(self, mention: Mention) -> dict[str, Any]:
        return {
            "entity": AMBIGUOUS if mention.key is None else ENTITY,
            "value": mention.name if mention.key is None else mention.key,
            "start": mention.start,
            "end": mention.end,
            "extractor": self.__class__.__name__,
        }
