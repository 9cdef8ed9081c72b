"""The language of a message: asked for, seen, told by the model, or the conversation's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.brain.foreign_model import ForeignModel
from bot.brain.intent_model import DEFAULTS, IntentModel
from bot.brain.language import LanguageIdentifier, spoken
from bot.brain.turn import conversation_language, language_is_chosen
from bot.languages.identify import Identifier
from bot.languages.samples import letters, samples
from bot.settings import ROOT


@pytest.fixture(scope="module")
def component() -> LanguageIdentifier:
    identifier = Identifier.train(samples(ROOT), letters(ROOT))
    return LanguageIdentifier(None, Resource("languages"), identifier)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def new_conversation() -> Iterator[None]:
    mark = conversation_language.set(None)
    yield
    conversation_language.reset(mark)


def heard(component: LanguageIdentifier, text: str, entities: list[dict[str, Any]] | None = None) -> Message:
    message = Message({TEXT: text, ENTITIES: entities or []})
    component.process([message])
    return message


def said(message: Message) -> list[str]:
    return [entity["value"] for entity in message.get(ENTITIES) if entity["entity"] == "language"]


def test_a_choice_is_no_automatic_switch(component: LanguageIdentifier) -> None:
    message = heard(component, "nói tiếng Ê Đê")
    assert message.get("language") == {"tag": "rad", "decided_by": "choice", "switched": False, "before": "vi"}
    assert said(message) == ["rad"]
    assert "language" in message.as_dict(only_output_properties=True)


@pytest.mark.parametrize(
    ("text", "tag", "decided_by"),
    [("តើចាក់វ៉ាក់សាំងនៅឯណា", "km", "script"), ("where can I get tested", "en", "model"), ("ꪼꪕ ꪎꪱꪫ", "blt-Latn", "script")],
)
def test_a_message_in_another_language_switches_and_says_so(
    component: LanguageIdentifier, text: str, tag: str, decided_by: str
) -> None:
    message = heard(component, text)
    assert message.get("language") == {"tag": tag, "decided_by": decided_by, "switched": True, "before": "vi"}
    assert said(message) == [tag]
    assert spoken(message) == tag


@pytest.mark.parametrize(
    "text",
    ["ok", "0912345678", "vaccine Pfizer", "Nguyễn Văn An", "https://moh.gov.vn/tin-tuc", "ຂ້ອຍເປັນໄຂ້", "", "asdf qwer zxcv"],
)
def test_what_tells_nothing_stays_with_the_conversation(component: LanguageIdentifier, text: str) -> None:
    conversation_language.set("mww-Latn")
    message = heard(component, text)
    assert message.get("language") == {
        "tag": "mww-Latn",
        "decided_by": "conversation",
        "switched": False,
        "before": "mww-Latn",
    }
    assert said(message) == []


def test_the_same_language_again_is_no_switch(component: LanguageIdentifier) -> None:
    conversation_language.set("en")
    message = heard(component, "how many cases are there today")
    assert message.get("language") == {"tag": "en", "decided_by": "model", "switched": False, "before": "en"}
    assert said(message) == []


def test_vietnamese_after_another_language_switches_back(component: LanguageIdentifier) -> None:
    conversation_language.set("en")
    assert said(heard(component, "cho em hỏi tiêm vắc xin ở đâu")) == ["vi"]


def test_names_of_places_are_not_looked_at(component: LanguageIdentifier) -> None:
    text = "Krông Ana Ea Hleo Cư Mgar"
    place = {"entity": "place", "value": "x", "start": 0, "end": len(text)}
    assert said(heard(component, text, [place])) == []


def test_without_a_model_choices_and_scripts_are_still_heard() -> None:
    bare = LanguageIdentifier(None, Resource("languages"))  # type: ignore[arg-type]
    assert said(heard(bare, "hais lus Hmoob")) == ["mww-Latn"]
    assert said(heard(bare, "where can I get tested")) == []


VIETNAMESE = {
    "vaccine_where": ["tiêm vắc xin ở đâu", "chỗ nào tiêm vắc xin", "điểm tiêm ở đâu"],
    "greet": ["xin chào", "chào bạn", "alo"],
}
FOREIGN = {
    "vaccine_where": ["where can I get vaccinated", "vaccination place", "tlŏ mgang vaccine ở đâu", "ចាក់វ៉ាក់សាំងនៅឯណា"],
    "symptoms": ["what are the symptoms", "I have a fever", "klei ruă tưp có triệu chứng gì", "ខ្ញុំគ្រុនក្តៅ"],
    "talk_to_human": ["kâo čiăng blŭ hŏng mnuih", "čiăng êmuh mnuih"],
}


@pytest.fixture(scope="module")
def model() -> IntentModel:
    ours = [(text, intent) for intent, texts in VIETNAMESE.items() for text in texts]
    others = [(text, intent) for intent, texts in FOREIGN.items() for text in texts]
    foreign = ForeignModel.train([text for text, _ in others], [intent for _, intent in others], ["en", "km", "rad"])
    minimum = {"minimum_examples": {"w": 1, "v": 1, "c": 1}}
    return IntentModel.train([t for t, _ in ours], [i for _, i in ours], {**DEFAULTS, **minimum}, foreign)


@pytest.mark.parametrize(
    ("text", "language", "intent"),
    [
        ("where do people get vaccinated", "en", "vaccine_where"),
        ("តើចាក់វ៉ាក់សាំងនៅឯណា", "km", "vaccine_where"),
        ("ខ្ញុំ\u200bគ្រុនក្តៅ", "km", "symptoms"),
        ("tlo mgang vaccine o dau", "vi", "vaccine_where"),
        ("symptoms", "vi", "symptoms"),
        ("tiêm vắc xin ở đâu", "vi", "vaccine_where"),
    ],
)
def test_each_language_is_understood(model: IntentModel, text: str, language: str, intent: str) -> None:
    assert model.ranking(text, language)[0][0] == intent


def test_other_languages_move_no_vietnamese_answer(model: IntentModel) -> None:
    alone = IntentModel(model.model, model.known_words)
    for text in ("tiêm ở đâu", "chào nhé", "tiem vac xin", "alo alo"):
        assert model.ranking(text) == alone.ranking(text)


def test_the_models_survive_a_round_trip(model: IntentModel, tmp_path: Any) -> None:
    model.save(tmp_path)
    again = IntentModel.load(tmp_path)
    assert again.ranking("I have a fever", "en")[0][0] == "symptoms"


def test_one_intent_alone_is_nothing_to_tell_apart() -> None:
    assert ForeignModel.train(["a b", "c d"], ["greet", "greet"], ["en"]) is None


def test_who_chose_a_language_is_not_switched(component: LanguageIdentifier) -> None:
    conversation_language.set("rad")
    mark = language_is_chosen.set(True)
    message = heard(component, "cho em hỏi tiêm vắc xin ở đâu")
    language_is_chosen.reset(mark)
    assert message.get("language") == {"tag": "vi", "decided_by": "model", "switched": False, "before": "rad"}


def test_a_choice_of_a_language_is_understood_for_certain(model: IntentModel) -> None:
    assert model.ranking("Ê Đê") == [("choose_language", 1.0)]


def test_what_only_the_vietnamese_model_knows_is_understood_in_any_conversation(model: IntentModel) -> None:
    assert model.ranking("alo", "en")[0][0] == "greet"


@pytest.mark.parametrize("text", ["čiăng blŭ hŏng mnuih", "ciang blu hong mnuih", "klei ruă tưp có triệu chứng gì"])
def test_a_sentence_of_words_that_only_one_model_knows_is_no_doubt(model: IntentModel, text: str) -> None:
    """The other model's guess about strange words must not halve what is sure."""
    assert model.ranking(text, "rad")[0][1] > 0.8


@pytest.mark.parametrize("tag", ["mtq", "blt-Latn", "hmn-Latn-x-vn", "xx"])
def test_in_a_language_without_examples_people_write_vietnamese(model: IntentModel, tag: str) -> None:
    for text in ("chào nhé", "alo alo", "tiem vac xin o dau"):
        assert model.ranking(text, tag) == model.ranking(text)
        assert model.respelt(text, tag) == model.respelt(text)


def test_which_languages_have_examples_survives_a_round_trip(model: IntentModel, tmp_path: Any) -> None:
    model.save(tmp_path)
    again = IntentModel.load(tmp_path)
    assert [again.read_as(tag) for tag in ("rad", "km", "jra", "mtq")] == ["rad", "km", "vi", "vi"]
