"""A real Rasa agent for the whole run: the repository's domain and rules, and a few examples of every intent."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.measuring.held_out import examples
from bot.settings import ROOT

EXAMPLES_AN_INTENT = 12


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that trains in seconds: all rules, the first examples of every intent."""
    import rasa

    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "data/stories", folder / "data/stories")
    (folder / "data/nlu.yml").write_text(yaml.safe_dump(_few_examples(), allow_unicode=True), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = rasa.train(
            domain=str(ROOT / "domain.yml"),
            config=str(ROOT / "config.yml"),
            training_files=[str(folder / "data")],
            output=str(folder),
        )
    return Path(result.model)


@pytest.fixture(scope="session")
def loaded_agent(small_model: Path) -> Any:
    from rasa.core.agent import Agent

    from bot.brain.nlg import CatalogueNLG
    from bot.brain.tracker_rows import MemoryRows
    from bot.brain.tracker_store import BoundedTrackerStore

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Agent.load(str(small_model), generator=CatalogueNLG(), tracker_store=BoundedTrackerStore(None, rows=MemoryRows()))


@pytest.fixture
def agent(loaded_agent: Any) -> Any:
    """An agent with our NLG and our store, in memory and empty; no action server."""
    from bot.brain.tracker_rows import MemoryRows

    loaded_agent.tracker_store._tracker_store._rows = MemoryRows()
    return loaded_agent


def _few_examples() -> dict[str, Any]:
    by_intent: dict[str, list[str]] = {}
    for text, intent in examples(sorted((ROOT / "data/nlu/vi").glob("*.yml"))):
        by_intent.setdefault(intent, []).append(text)
    blocks = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts[:EXAMPLES_AN_INTENT])}
        for intent, texts in by_intent.items()
    ]
    return {"version": "3.1", "nlu": blocks}
