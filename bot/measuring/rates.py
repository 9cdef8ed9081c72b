"""What is measured beside the intent: danger heard, foreign matters refused, two questions found, a letter read through.

Each rate is one number from 0 to 1 of one spelling; the command prints them, tests/measuring/test_understanding.py guards them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.brain.intent_model import IntentModel
from bot.languages.danger import danger_sign
from bot.measuring.held_out import EMERGENCY, TESTS, Question, SeveralQuestions, Spelling, surrounded
from bot.measuring.judging import Doubt, both_topics, judge
from bot.measuring.measures import grouped, share
from bot.settings import ROOT
from bot.yaml_files import read_yaml


def high_risk_intents(folder: Path = ROOT / "locales/vi") -> frozenset[str]:
    """The intents whose answer in locales/ is marked `risk: high`."""
    responses = [read_yaml(path).get("responses") or {} for path in sorted(folder.glob("*.yml"))]
    high = {key for entries in responses for key, entry in entries.items() if entry.get("risk") == "high"}
    return frozenset(key.removeprefix("utter_") for key in high)


def right_when_surrounded(model: IntentModel, questions: Sequence[Question], doubt: Doubt) -> dict[str, float]:
    """How often the first guess is right, as typed: `alone`, then with each way of writing something around the question."""
    around = read_yaml(TESTS / "surroundings.yml")
    ways = {"alone": list(questions), **surrounded(questions, around)}
    return {
        way: share(j.is_right for j in judge(model, written, lambda text, _: text, doubt.least_chance))
        for way, written in ways.items()
    }


def heard_by_table(questions: Sequence[Question], write: Spelling) -> float:
    """The share in which the table of danger signs alone hears a cry for help."""
    return share(danger_sign(write(question.text, i)) is not None for i, question in enumerate(questions))


def heard(model: IntentModel, questions: Sequence[Question], write: Spelling, doubt: Doubt) -> float:
    """The share that ends as `emergency`: table and model together, as in service."""
    return share(j.guess == EMERGENCY for j in judge(model, questions, write, doubt.least_chance))


def refused_by_kind(model: IntentModel, questions: Sequence[Question], write: Spelling, doubt: Doubt) -> dict[str, float]:
    """The share of each kind, and of `all`, that brings no answer about the epidemic."""
    judged = judge(model, questions, write, doubt.least_chance)
    groups = {**grouped(judged, lambda j: j.question.group), "all": judged}
    return {kind: share(j.is_refused(doubt.threshold, doubt.ambiguity) for j in group) for kind, group in groups.items()}


def two_questions(model: IntentModel, messages: Sequence[SeveralQuestions], write: Spelling, doubt: Doubt) -> tuple[float, float]:
    """(share of messages with two questions of which both topics come out, share of the others with a second topic)."""
    found = [both_topics(model, write(message.text, i), doubt.least_chance) for i, message in enumerate(messages)]
    pairs = list(zip(messages, found, strict=True))
    return (
        share(topics >= message.intents for message, topics in pairs if len(message.intents) > 1),
        share(len(topics) > 1 for message, topics in pairs if len(message.intents) == 1),
    )
