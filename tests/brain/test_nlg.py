"""What Rasa says comes from the catalogue, and nothing in a text can silence it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from rasa.shared.core.events import SlotSet, UserUttered
from rasa.shared.core.slots import TextSlot
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.nlg import CatalogueNLG
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


def heard(
    ranking: list[tuple[str, float]] | None = None, entities: list[dict[str, Any]] | None = None, **slots: str
) -> DialogueStateTracker:
    tracker = DialogueStateTracker("c1", [TextSlot("language", mappings=[]), TextSlot("place", mappings=[])])
    guesses = [{"name": name, "confidence": chance} for name, chance in ranking or []]
    tracker.update(
        UserUttered("…", parse_data={"intent": {}, "entities": entities or [], "intent_ranking": guesses, "text": "…"})
    )
    for name, value in slots.items():
        tracker.update(SlotSet(name, value))
    return tracker


async def test_an_answer_carries_the_reply_of_the_contract(catalogue: Catalogue) -> None:
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_testing_where", heard(), "loa")
    assert said is not None
    fields = {"key", "text", "buttons", "language", "revision", "risk", "source", "withdrawn", "attachments", "figures"}
    assert set(said["custom"]) == fields
    assert said["custom"]["key"] == "utter_testing_where"
    assert said["text"] == said["custom"]["text"]


def left(before: str, tag: str, *, switched: bool = True) -> DialogueStateTracker:
    tracker = DialogueStateTracker("c1", [TextSlot("language", mappings=[])])
    told = {"tag": tag, "decided_by": "model", "switched": switched, "before": before}
    tracker.update(UserUttered("…", parse_data={"intent": {}, "entities": [], "text": "…", "language": told}))
    tracker.update(SlotSet("language", tag))
    return tracker


@pytest.mark.parametrize(
    ("key", "before", "tag"),
    [
        ("utter_testing_where", "mww-Latn", "vi"),
        ("utter_testing_where", "vi", "en"),
        ("utter_emergency", "vi", "en"),
        ("utter_rumours", "vi", "rad"),
        ("utter_testing_where", "vi", "blt-Latn"),
    ],
)
async def test_a_language_that_was_left_by_itself_is_one_button_away(
    catalogue: Catalogue, key: str, before: str, tag: str
) -> None:
    said = await CatalogueNLG(catalogue=catalogue).generate(key, left(before, tag), "loa")
    assert said is not None
    back = f'/choose_language{{"language":"{before}"}}'
    assert [button["payload"] for button in said["custom"]["buttons"]].count(back) == 1
    stayed = await CatalogueNLG(catalogue=catalogue).generate(key, left(before, "vi", switched=False), "loa")
    assert stayed is not None
    assert back not in [button["payload"] for button in stayed["custom"]["buttons"]]


async def test_a_language_that_we_do_not_know_is_no_way_back(catalogue: Catalogue) -> None:
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_testing_where", left("xx", "vi"), "loa")
    assert said is not None
    assert said["custom"]["key"] == "utter_testing_where"


FIGURE = {
    "metric": "cases",
    "place_name": "Đắk Lắk",
    "kind": "day",
    "days": 1,
    "as_of": "2026-11-21",
    "value": 1234,
    "issuer": "CDC",
    "fetched_on": "2026-11-22",
    "stale_since": None,
}
PICTURE = {
    "metric": "cases",
    "place": "dak-lak",
    "place_name": "Đắk Lắk",
    "summed_over": [],
    "bars": [{"ends_on": "2026-11-21", "value": 7, "is_backlog": False}],
    "issuer": "CDC",
    "fetched_on": "2026-11-22",
    "stale_since": None,
    "weeks": 8,
}


async def test_an_answer_with_figures_carries_their_picture_and_their_readings(catalogue: Catalogue) -> None:
    told = {"figures": [FIGURE], "comparison": None, "notes": [], "is_old": False}
    values = {"told": told, "picture": PICTURE, "figures": [4, 7], "text": None, "image": None}
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_case_figures", heard(), "loa", **values)
    assert said is not None
    (picture,) = said["custom"]["attachments"]
    assert (picture["type"], picture["url"]) == ("image", "figures/dak-lak/cases.png?weeks=8")
    assert said["custom"]["figures"] == [4, 7]
    assert "1.234" in said["text"]


async def test_a_picture_without_sense_leaves_the_words(catalogue: Catalogue) -> None:
    told = {"figures": [FIGURE], "comparison": None, "notes": [], "is_old": False}
    for picture in ({}, {**PICTURE, "bars": []}, "x", 5):
        values = {"told": told, "picture": picture}
        said = await CatalogueNLG(catalogue=catalogue).generate("utter_case_figures", heard(), "loa", **values)
        assert said is not None
        assert (said["custom"]["key"], said["custom"]["attachments"]) == ("utter_case_figures", [])


async def test_the_console_gets_no_json(catalogue: Catalogue) -> None:
    tracker = heard()
    tracker.latest_message.input_channel = "cmdline"
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_greet", tracker, "collector")
    assert said is not None
    assert "custom" not in said


async def test_the_likeliest_topics_are_offered_and_small_talk_is_not(catalogue: Catalogue) -> None:
    ranking = [
        ("nlu_fallback", 0.4),
        ("greet", 0.3),
        ("symptoms", 0.2),
        ("testing_where", 0.1),
        ("variants", 0.06),
        ("post_covid", 0.051),
    ]
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_offer_topics", heard(ranking), "loa")
    assert said is not None
    assert [button["payload"] for button in said["buttons"]] == ["/symptoms", "/testing_where", "/variants"]


async def test_without_a_likely_topic_the_menu_is_offered(catalogue: Catalogue) -> None:
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_offer_topics", heard([("greet", 0.9)]), "loa")
    assert said is not None
    assert said["custom"]["key"] == "utter_offer_topics_none"


@pytest.mark.parametrize(
    ("place", "key"),
    [("krong-pac-huyen", "utter_inform_place"), ("ha-noi", "utter_inform_place_unknown"), (None, "utter_inform_place_unknown")],
)
async def test_only_a_place_of_ours_is_understood_as_one(catalogue: Catalogue, place: str | None, key: str) -> None:
    entities = [{"entity": "place", "value": place}] if place else []
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_inform_place", heard(entities=entities), "loa")
    assert said is not None
    assert said["custom"]["key"] == key


async def test_an_unknown_key_gives_the_apology(catalogue: Catalogue) -> None:
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_nothing_of_the_kind", heard(), "loa")
    assert said is not None
    assert said["custom"]["key"] == "utter_apology"


class Breaks:
    """A catalogue whose texts cannot be filled; the apology still can when `spares_apology`."""

    def __init__(self, catalogue: Catalogue, *, spares_apology: bool) -> None:
        self.intents = catalogue.intents
        self.topic_of = catalogue.topic_of
        self._catalogue = catalogue
        self._spares = spares_apology

    def answer(self, key: str, values: Any, language: str) -> Any:
        if key == "utter_apology" and self._spares:
            return self._catalogue.answer(key, values, language)
        raise ZeroDivisionError


async def test_a_fault_in_one_text_gives_the_apology_and_a_log_without_words(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    nlg = CatalogueNLG(catalogue=Breaks(catalogue, spares_apology=True))  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        said = await nlg.generate("utter_greet", heard(), "loa")
    assert said is not None
    assert said["custom"]["key"] == "utter_apology"
    assert "ZeroDivisionError" in caplog.text


async def test_even_a_broken_catalogue_raises_nothing(catalogue: Catalogue) -> None:
    nlg = CatalogueNLG(catalogue=Breaks(catalogue, spares_apology=False))  # type: ignore[arg-type]
    assert await nlg.generate("utter_greet", heard(), "loa") is None


async def test_what_the_dispatcher_adds_is_not_taken_for_values(catalogue: Catalogue) -> None:
    given = {
        "text": None,
        "buttons": [],
        "custom": {},
        "image": None,
        "template": "x",
        "domain_responses": {},
        "contacts": ["cap-cuu-115"],
        "place_name": "Đắk Lắk",
    }
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_hotline", heard(), "loa", **given)
    assert said is not None
    assert "115" in said["text"]
    assert "Đắk Lắk" in said["text"]


async def test_a_language_that_was_named_is_answered_for_itself(catalogue: Catalogue) -> None:
    said = []
    for tag in ("mtq", "vi", "xx"):
        named = heard(entities=[{"entity": "language", "value": tag}])
        reply = await CatalogueNLG(catalogue=catalogue).generate("utter_choose_language", named, "loa")
        assert reply is not None
        said.append(reply["custom"]["key"])
    assert said == ["utter_language_none", "utter_language_vietnamese", "utter_choose_language"]
    offered = await CatalogueNLG(catalogue=catalogue).generate("utter_choose_language", heard(), "loa")
    assert offered is not None
    assert '/choose_language{"language":"rad"}' in [button["payload"] for button in offered["buttons"]]


async def test_a_chosen_language_holds_against_what_a_message_looks_like(catalogue: Catalogue) -> None:
    tracker = DialogueStateTracker("c1", [TextSlot("language", mappings=[]), TextSlot("language_chosen", mappings=[])])
    tracker.update(UserUttered("…", parse_data={"intent": {}, "entities": [], "text": "…"}))
    tracker.update(SlotSet("language", "vi"))
    tracker.update(SlotSet("language_chosen", "mtq"))
    said = await CatalogueNLG(catalogue=catalogue).generate("utter_greet", tracker, "loa")
    assert said is not None
    assert said["text"].startswith(catalogue.answer("utter_greet").text)
    assert said["text"] != catalogue.answer("utter_greet").text, "it says that there is nothing in this language yet"
