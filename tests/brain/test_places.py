"""Places of a message as Rasa's entities."""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.brain.places import PlaceExtractor
from bot.directory.places import Places
from bot.settings import ROOT


@pytest.fixture(scope="module")
def extractor() -> PlaceExtractor:
    return PlaceExtractor(Places.load(ROOT), "dak-lak")


def entities(extractor: PlaceExtractor, text: str) -> list[tuple[Any, ...]]:
    (message,) = extractor.process([Message({TEXT: text})])
    return [(e["entity"], e["value"], text[e["start"] : e["end"]]) for e in message.get(ENTITIES) or []]


def test_a_place_is_its_key(extractor: PlaceExtractor) -> None:
    assert entities(extractor, "Tiêm ở xã Ea Ktur, huyện Cư Kuin được không") == [
        ("place", "ea-ktur-xa", "xã Ea Ktur, huyện Cư Kuin"),
    ]


def test_a_name_of_several_places_is_the_name(extractor: PlaceExtractor) -> None:
    assert entities(extractor, "o tan lap thi tiem o dau") == [("place_ambiguous", "Tân Lập", "tan lap")]
    assert entities(extractor, "xã Ea Bhốk test ở đâu") == [("place_ambiguous", "xã Ea Bhốk", "xã Ea Bhốk")]


def test_a_name_of_both_provinces_is_that_of_the_served_one(extractor: PlaceExtractor) -> None:
    assert entities(extractor, "tôi ở xã Tân Tiến") == [("place", "tan-tien-xa-dak-lak", "xã Tân Tiến")]


def test_other_entities_stay(extractor: PlaceExtractor) -> None:
    message = Message({TEXT: "ở Buôn Hồ", ENTITIES: [{"entity": "language", "value": "vi"}]})
    extractor.process([message])
    assert [e["entity"] for e in message.get(ENTITIES)] == ["language", "place"]


def test_a_message_without_a_place_has_no_entities(extractor: PlaceExtractor) -> None:
    assert entities(extractor, "khó thở phải làm sao") == []
