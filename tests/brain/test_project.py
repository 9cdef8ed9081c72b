"""The Rasa project: every name in its YAML exists. Rasa itself only warns of a wrong tracker store and runs without it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from bot.settings import ROOT


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def dotted_paths() -> list[str]:
    components = [*read("config.yml")["pipeline"], *read("config.yml")["policies"]]
    named = [component["name"] for component in components]
    typed = [part["type"] for part in read("endpoints.yml").values() if "type" in part]
    return [path for path in [*named, *typed, *read("credentials.yml")] if "." in path]


def exists(path: str) -> bool:
    module, _, name = path.rpartition(".")
    try:
        return isinstance(getattr(importlib.import_module(module), name), type)
    except (ImportError, AttributeError):
        return False


def test_every_dotted_path_can_be_imported() -> None:
    assert len(dotted_paths()) >= 6
    assert [path for path in dotted_paths() if not exists(path)] == []


@pytest.mark.parametrize("path", ["bot.brain.nlg.CatalogNLG", "bot.brian.nlg.CatalogueNLG", "bot.brain.nlg.ROOT"])
def test_a_wrong_path_is_noticed(path: str) -> None:
    assert not exists(path)


def rules() -> list[dict[str, Any]]:
    return [rule for path in sorted((ROOT / "data/stories").glob("*.yml")) for rule in read(f"data/stories/{path.name}")["rules"]]


def test_every_intent_has_a_rule_and_every_rule_knows_its_intent() -> None:
    used = {step["intent"] for rule in rules() for step in rule["steps"] if "intent" in step}
    assert used - {"nlu_fallback"} == set(read("domain.yml")["intents"])


def test_every_action_of_a_rule_is_declared_and_the_reverse() -> None:
    used = {step["action"] for rule in rules() for step in rule["steps"] if "action" in step}
    assert used == set(read("domain.yml")["actions"]) | set(read("domain.yml")["responses"])


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule["rule"] for rule in rules()]
    assert len(names) == len(set(names))


def test_the_rules_of_a_topic_stand_in_the_file_of_the_topic() -> None:
    topics = {path.stem for path in (ROOT / "data/nlu/vi").glob("*.yml")}
    assert {path.stem for path in (ROOT / "data/stories").glob("*.yml")} == topics | {"doubt"}
