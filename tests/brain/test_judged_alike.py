"""Measuring judges without Rasa: what it says must be what Rasa's pipeline says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.measuring.held_out import HeldOut, Question
from bot.measuring.judging import EMERGENCY, Doubt, judge

FALLBACK = "nlu_fallback"
CRY = "mẹ tôi khó thở quá"
MAY_I = "tôi dị ứng tôm, ăn vào là khó thở, có được tiêm không"


@pytest.fixture(scope="module")
def messages() -> list[Question]:
    """Some of every set, and enough danger and permission among them for each branch."""
    asked = HeldOut([])
    some = [question for questions in asked.sets().values() for question in questions[::40]]
    return [*some, *asked.look_alikes()[::6], *(Question(text, "") for text in (CRY, MAY_I, "…"))]


def test_rasa_answers_what_judging_says(loaded_agent: Any, messages: list[Question]) -> None:
    """The pipeline of config.yml through Rasa itself, against the rules written here a second time."""
    doubt = Doubt.read()
    expected = judge(_model_of(loaded_agent), messages, lambda text, _: text, doubt.least_chance)
    told = [j.guess if j.is_answered(doubt.threshold, doubt.ambiguity) else FALLBACK for j in expected]
    assert {EMERGENCY, FALLBACK} < set(told), "or a branch was never taken"
    assert [(q.text, heard(loaded_agent, q.text)) for q in messages] == [
        (q.text, name) for q, name in zip(messages, told, strict=True)
    ]


def heard(agent: Any, text: str) -> str:
    return str(asyncio.run(agent.parse_message(text))["intent"]["name"])


def _model_of(agent: Any) -> Any:
    nodes = agent.processor.graph_runner._instantiated_nodes
    return next(node._component._model for name, node in nodes.items() if "LinearIntentClassifier" in name)
