"""Nothing used without being defined, nothing defined without being used: intents, responses, actions, files."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

import pytest
import yaml

from bot.languages.catalogue import Catalogue
from bot.settings import ROOT

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
STORIES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "data/stories").glob("*.yml"))
CATALOGUE = Catalogue.load(ROOT, "dak-lak")
INFORMATIONAL = {i.name for i in CATALOGUE.intents.values() if i.topic not in {"talk", "limits"}}
# Keys that the gateway or the NLG takes by themselves, so no rule names them.
TAKEN_BY_CODE = re.compile(
    r"_static$|_unavailable$|_none$|^utter_(welcome|topic_menu|degraded_hotline|unsupported_media|withdrawn|apology|empty_message|group_chat"
    r"|location_(received|near)|old_button|too_many_messages|same_again|figures_corrected|news|subscribed|unsubscribed|subscriptions|subscriptions_full|language_chosen|language_vietnamese|withheld|notice|notice_emergency"
    r"|(desk|call|campaign|data|feedback|subscribe|unsubscribed|subscription|report|rumor_check)_\w+)$"
)


def test_every_intent_of_the_domain_has_a_title_an_answer_and_examples() -> None:
    intents = {next(iter(i)) if isinstance(i, dict) else i for i in DOMAIN["intents"]}
    assert intents - {"nlu_fallback"} == set(CATALOGUE.intents) == set(examples("data/nlu/vi"))


@pytest.mark.parametrize("intent", sorted(INFORMATIONAL))
def test_informational_intents_have_thirty_different_examples(intent: str) -> None:
    assert len({plain(example) for example in examples("data/nlu/vi")[intent]}) >= 30


def test_no_held_out_question_is_trained_on() -> None:
    trained = {plain(e) for group in examples("data/nlu/vi").values() for e in group}
    held_out = {plain(e) for group in examples("tests/nlu").values() for e in group}
    assert trained & held_out == set()
    assert held_out, "or it compared nothing"


CORE = {
    *("prevention_5k", "wear_mask", "disinfect_hands", "keep_distance", "no_gathering", "health_declaration", "testing_where"),
    *("testing_when", "vaccine_registration", "vaccine_where", "hotline", "symptoms", "emergency", "case_figures"),
    *("vaccination_figures", "choose_language", "talk_to_human"),
}
OTHER_LANGUAGES = sorted(path.name for path in (ROOT / "data/nlu").iterdir() if path.is_dir() and path.name != "vi")


@pytest.mark.parametrize("tag", OTHER_LANGUAGES)
def test_examples_in_other_languages_belong_to_known_intents_and_say_their_language_and_hand(tag: str) -> None:
    assert set(examples(f"data/nlu/{tag}")) <= set(CATALOGUE.intents)
    for path in (ROOT / "data/nlu" / tag).glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        assert "no native speaker has read it yet" in text.splitlines()[0]
        for block in yaml.safe_load(text)["nlu"]:
            assert block["metadata"] == {"language": tag}, f"{path.name}: {block['intent']}"
            assert CATALOGUE.intents[block["intent"]].topic == path.stem


def test_english_has_the_core_intents_in_many_ways() -> None:
    found = examples("data/nlu/en")
    assert {intent for intent in CORE if len({plain(example) for example in found.get(intent, [])}) < 25} == set()


@pytest.mark.parametrize("tag", ["km", "mww-Latn"])
def test_khmer_and_hmong_have_the_core_intents(tag: str) -> None:
    assert set(examples(f"data/nlu/{tag}")) >= CORE


@pytest.mark.parametrize("tag", OTHER_LANGUAGES)
def test_no_held_out_question_of_another_language_is_trained_on(tag: str) -> None:
    learned = {spelt(e) for group in examples(f"data/nlu/{tag}").values() for e in group}
    asked = {spelt(e) for group in held_out(tag).values() for e in group}
    assert asked, "or it compared nothing"
    assert learned & asked == set()


def held_out(tag: str) -> dict[str, list[str]]:
    blocks = yaml.safe_load((ROOT / f"tests/nlu/{tag}.yml").read_text(encoding="utf-8"))["nlu"]
    return {block["intent"]: [line.strip()[2:] for line in block["examples"].splitlines()] for block in blocks}


def spelt(text: str) -> str:
    """As `plain`, but Khmer keeps its marks: without them different words are one."""
    return re.sub(r"[\s?!.,\u200b]+", " ", text.lower()).strip()


def test_responses_of_the_domain_are_the_catalogues() -> None:
    declared = set(DOMAIN["responses"])
    assert declared <= set(CATALOGUE.entries), "declared in domain.yml but without words in locales/"
    undeclared = {key for key in set(CATALOGUE.entries) - declared - said_by_code() if not TAKEN_BY_CODE.search(key)}
    assert undeclared == set(), "words in locales/ that nothing can say"


def test_every_response_and_action_of_the_rules_is_defined_and_the_reverse() -> None:
    used = set(re.findall(r"action: (\w+)", STORIES))
    utters = {name for name in used if name.startswith("utter_")}
    assert utters <= set(DOMAIN["responses"])
    actions = {name for name in used if name.startswith("action_") and name not in {"action_listen", "action_restart"}}
    assert actions == set(DOMAIN["actions"])
    assert set(DOMAIN["responses"]) - used - said_by_code() == set(), "declared, but no rule and no action says it"


def said_by_code() -> set[str]:
    """Keys that an action chooses or that the NLG takes instead of another."""
    files = [*(ROOT / "actions").glob("*.py"), ROOT / "bot/brain/nlg.py"]
    return set(re.findall(r'"(utter_\w+)"', "\n".join(path.read_text(encoding="utf-8") for path in files)))


def test_a_topic_has_the_same_name_everywhere() -> None:
    topics = {intent.topic for intent in CATALOGUE.intents.values()}
    for topic in topics:
        assert (ROOT / f"data/nlu/vi/{topic}.yml").exists()
        assert (ROOT / f"locales/vi/{topic}.yml").exists()


@functools.cache
def examples(folder: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(Path(ROOT / folder).glob("*.yml")):
        if path.stem in OTHER_LANGUAGES:  # measured apart, and without their marks Khmer words would be alike
            continue
        for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("nlu", []):
            lines = [line.strip()[1:].strip() for line in block["examples"].splitlines() if line.strip().startswith("-")]
            found.setdefault(block["intent"], []).extend(lines)
    return found


def plain(text: str) -> str:
    stripped = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    return re.sub(r"\W+", " ", "".join(c for c in stripped if not unicodedata.combining(c))).strip()
