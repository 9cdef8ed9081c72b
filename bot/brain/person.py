"""Who is asked about becomes entities: age, pregnancy, illnesses, vaccines, doses, days since (bot/people/person.py)."""

from __future__ import annotations

import datetime
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.languages.catalogue import VIETNAM
from bot.people.person import entities, person_in
from bot.people.vocabulary import Vocabulary
from bot.settings import ROOT


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PersonExtractor(GraphComponent, EntityExtractorMixin):  # type: ignore[misc]
    """Reads its tables once, when the model is loaded: a corrected word needs no training."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> PersonExtractor:
        return cls(Vocabulary.load(ROOT))

    def process(self, messages: list[Message]) -> list[Message]:
        today = datetime.datetime.now(VIETNAM).date()
        for message in messages:
            person = person_in(message.get(TEXT) or "", self._vocabulary, today)
            found = [{**entity, "extractor": self.__class__.__name__} for entity in entities(person)]
            if found:
                message.set(ENTITIES, [*(message.get(ENTITIES) or []), *found], add_to_output=True)
        return messages
