"""Each language is measured apart, and it is said who wrote the questions."""

from __future__ import annotations

import pytest

from bot.brain.intent_model import DEFAULTS, IntentModel
from bot.measuring.held_out import TESTS, HeldOut, examples, training_examples
from bot.measuring.judging import Doubt
from bot.measuring.languages import OTHERS, SAME_HAND, foreign_examples, lines, questions, tags

LEAST_RIGHT = {"en": 0.8, "km": 0.85, "mww-Latn": 0.85, "rad": 0.7, "jra": 0.7, "cmo": 0.7}


@pytest.fixture(scope="module")
def table() -> list[list[str]]:
    """The Vietnamese model of a few examples: of it only mixed messages are asked."""
    ours = examples(sorted((TESTS.parent.parent / "data/nlu/vi").glob("*.yml")))[::12]
    model = IntentModel.train([text for text, _ in ours], [intent for _, intent in ours], DEFAULTS)
    rows = [line.rsplit(maxsplit=8) for line in lines(model, Doubt.read())]
    return [row for row in rows if row[0].split()[0] in tags()]


def test_every_language_has_a_row_for_each_hand(table: list[list[str]]) -> None:
    told = {tuple(row[0].split(maxsplit=1)) for row in table}
    assert told == {(tag, question.group) for tag in tags() for question in questions(tag)}
    assert {hand for _, hand in told} == {SAME_HAND, OTHERS}


@pytest.mark.parametrize("tag", sorted(LEAST_RIGHT))
def test_questions_are_understood_where_the_language_is_known(table: list[list[str]], tag: str) -> None:
    rows = [row for row in table if row[0].split()[0] == tag]
    number = sum(int(row[1]) for row in rows)
    assert sum(int(row[1]) * float(row[6]) for row in rows) >= LEAST_RIGHT[tag] * number
    assert sum(int(row[1]) * float(row[7]) for row in rows) >= LEAST_RIGHT[tag] * number, "right, but too unsure to be answered"


def test_other_languages_are_not_among_the_vietnamese_questions() -> None:
    foreign = {question.text for tag in tags() for question in questions(tag)}
    assert foreign
    assert foreign.isdisjoint(question.text for group in HeldOut(()).sets().values() for question in group)
    assert not {text for text, _ in foreign_examples() if "where can I" in text} & {text for text, _ in training_examples()}
