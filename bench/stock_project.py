"""Stock Rasa's project: what `rasa init` gives, with our training data, our domain and our answers as plain texts.

- pipeline and policies: the file that Rasa itself uses when `config.yml` names none; only `epochs` is set;
- `data/nlu` and `data/stories` as they are, except that a custom action is the plain answer of the same name;
- each rule that begins with a question is a story too: the policies of `rasa init` learn from stories alone.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.languages.catalogue import Catalogue
from bot.settings import ROOT

DEFAULT_CONFIG = "engine/recipes/config_files/default_config.yml"


def write_project(folder: Path, database_url: str, epochs: int, *, with_stories: bool) -> None:
    """Write config, domain, rules, stories, endpoints and credentials below `folder`."""
    rules = list(_rules())
    _write(folder / "config.yml", stock_config(epochs))
    _write(folder / "domain.yml", _domain())
    (folder / "data").mkdir()
    _write(folder / "data/rules.yml", {"version": "3.1", "rules": rules})
    if with_stories:
        _write(folder / "data/stories.yml", {"version": "3.1", "stories": list(_stories(rules))})
    _write(folder / "endpoints.yml", {"tracker_store": {"type": "SQL", "dialect": "postgresql", "url": database_url}})
    _write(folder / "credentials.yml", {"rest": None})


def stock_config(epochs: int) -> dict[str, Any]:
    """Pipeline and policies of `rasa init`."""
    config = _read(_rasa() / DEFAULT_CONFIG)
    for component in (*config["pipeline"], *config["policies"]):
        if "epochs" in component:
            component["epochs"] = epochs
    return {**config, "language": "vi", "assistant_id": "stock"}


def _domain() -> dict[str, Any]:
    domain = _read(ROOT / "domain.yml")
    catalogue = Catalogue.load(ROOT, "dak-lak")
    actions = domain.pop("actions", [])
    keys = {*domain["responses"], *map(_as_utterance, actions)}
    domain["responses"] = {key: [_response(catalogue, key)] for key in sorted(keys)}
    return domain


def _response(catalogue: Catalogue, key: str) -> dict[str, Any]:
    answer = catalogue.answer(key)
    buttons = [button.as_dict() for button in answer.buttons]
    return {"text": answer.text, **({"buttons": buttons} if buttons else {})}


def _rules() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "data/stories").glob("*.yml")):
        for rule in _read(path).get("rules") or ():
            yield {**rule, "steps": [_plain(step) for step in rule["steps"]]}


def _plain(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "action": _as_utterance(step["action"])} if "action" in step else step


def _stories(rules: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for rule in rules:
        if "intent" in rule["steps"][0]:
            yield {"story": rule["rule"], "steps": rule["steps"]}


def _as_utterance(action: str) -> str:
    return f"utter_{action.removeprefix('action_')}" if action.startswith("action_") else action


def _rasa() -> Path:
    """Where Rasa is installed; found without importing it."""
    found = importlib.util.find_spec("rasa")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("rasa is not installed in this environment")
    return Path(found.submodule_search_locations[0])


def _read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000), encoding="utf-8")
