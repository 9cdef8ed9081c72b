"""Who is asked about reaches Rasa as entities that its domain knows and that no rule depends on."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from rasa.shared.core.domain import Domain
from rasa.shared.nlu.training_data.message import Message

from bot.brain.person import PersonExtractor
from bot.people.vocabulary import Vocabulary
from bot.settings import ROOT

TEXT = "Mẹ tôi 61 tuổi, em bầu 20 tuần, bị hen, tiêm mũi 2 Pfizer hôm qua, dương tính ngày thứ 3"
NAMES = {"age", "age_group", "pregnancy", "condition", "vaccine", "dose", "days_since", "date"}


@pytest.fixture(scope="module")
def extractor() -> PersonExtractor:
    return PersonExtractor(Vocabulary.load(ROOT))


def understood(
    extractor: PersonExtractor, text: str | None, entities: list[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    message = Message(data={"text": text, "entities": entities} if entities else {"text": text})
    extractor.process([message])
    return message.get("entities") or []


def test_every_kind_of_entity_is_said_with_its_place_and_its_extractor(extractor: PersonExtractor) -> None:
    found = understood(extractor, TEXT)
    assert {entity["entity"] for entity in found} == NAMES
    assert {entity["extractor"] for entity in found} == {"PersonExtractor"}
    assert [TEXT[e["start"] : e["end"]] for e in found if e["entity"] == "condition"] == ["bị hen", "dương tính"]


def test_entities_of_others_stay(extractor: PersonExtractor) -> None:
    place = {"entity": "place", "value": "ea-kar-huyen", "start": 0, "end": 6}
    assert understood(extractor, "Ea Kar, tôi bị hen", [place])[0] == place


@pytest.mark.parametrize("text", [None, "", "/symptoms"])
def test_a_message_without_words_has_none(extractor: PersonExtractor, text: str | None) -> None:
    assert understood(extractor, text) == []


@pytest.mark.filterwarnings("ignore:Slot auto-fill")  # Rasa says it of every domain with slots
def test_the_domain_knows_them_and_no_rule_depends_on_them() -> None:
    domain = Domain.load(str(ROOT / "domain.yml"))
    assert set(domain.entities) >= NAMES
    for intent in domain.intents:
        assert not NAMES & set(domain.intent_config(intent)["used_entities"]), intent


def test_they_are_read_before_the_intent() -> None:
    pipeline = [part["name"] for part in yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]]
    assert pipeline.index("bot.brain.person.PersonExtractor") < pipeline.index("bot.brain.intent.LinearIntentClassifier")
