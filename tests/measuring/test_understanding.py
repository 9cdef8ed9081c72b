"""The understanding must not get worse: today's figures on the repository's own held-out questions, less a small margin.

`make evaluate` prints what stands in these tables. A change that beats a limit clearly raises it here; one that needs a limit
lowered says why in its commit. Nothing is timed.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.brain.intent_model import IntentModel
from bot.measuring import rates
from bot.measuring.held_out import HeldOut, Spelling, spellings, training_examples
from bot.measuring.judging import Doubt, judge
from bot.measuring.measures import Summary, summary

# The first of these tests waits for the training; on a busy machine that can be minutes.
pytestmark = pytest.mark.timeout(900)

TYPED, BARE, NOISY = "as typed", "without diacritics", "noisy"

# --- the limits -------------------------------------------------------------------------------------------------------
# (set, spelling): the first guess is right at least so often; at most so many of all get the answer to something else; at
# most so many of all get a wrong one of `risk: high`.
SETS = {
    ("topics", TYPED): (0.87, 0.07, 0.02),
    ("topics", BARE): (0.85, 0.08, 0.02),
    ("topics", NOISY): (0.85, 0.08, 0.02),
    ("stories", TYPED): (0.93, 0.06, 0.04),
    ("stories", BARE): (0.92, 0.06, 0.04),
    ("stories", NOISY): (0.89, 0.08, 0.05),
    ("faq", TYPED): (0.92, 0.06, 0.02),
    ("faq", BARE): (0.91, 0.06, 0.02),
    ("faq", NOISY): (0.87, 0.08, 0.03),
}
# spelling: of what is none of Loa's business, at least so much is refused.
OFF_TOPIC_REFUSED = {TYPED: 0.92, BARE: 0.92, NOISY: 0.93}
# No kind of it may be refused less often than this, as typed.
EVERY_KIND_REFUSED = 0.86
# spelling: (cries for help heard at least, by table and model together; false alarms at most, among what looks like one).
DANGER = {TYPED: (0.985, 0.11), BARE: (0.985, 0.11), NOISY: (0.965, 0.16)}
# The same of the table alone, which also answers when no model does.
DANGER_BY_TABLE = {TYPED: (0.98, 0.02), BARE: (0.97, 0.04), NOISY: (0.81, 0.10)}
# spelling: (both topics found at least; a second one heard at most where there is none).
TWO_QUESTIONS = {TYPED: (0.80, 0.04), BARE: (0.83, 0.04), NOISY: (0.65, 0.06)}
# Right at least so often with a greeting, thanks, or both around the question; with a history before it.
WITH_COURTESY, WITH_HISTORY = 0.76, 0.68
# ----------------------------------------------------------------------------------------------------------------------

WAYS: dict[str, Spelling] = spellings()
Found = dict[tuple[str, str], Summary]


@pytest.fixture(scope="module")
def asked() -> HeldOut:
    return HeldOut(training_examples())


@pytest.fixture(scope="module")
def doubt() -> Doubt:
    return Doubt.read()


@pytest.fixture(scope="module")
def found(full_model: IntentModel, asked: HeldOut, doubt: Doubt) -> Found:
    high_risk = rates.high_risk_intents()
    return {
        (name, spelling): summary(judge(full_model, questions, write, doubt.least_chance), doubt, high_risk)
        for name, questions in asked.sets().items()
        for spelling, write in WAYS.items()
    }


def test_every_set_and_spelling_has_a_limit(found: Found) -> None:
    assert set(found) == set(SETS)


@pytest.mark.parametrize(("name", "spelling"), SETS)
def test_questions_are_understood(found: Found, name: str, spelling: str) -> None:
    least_right, most_wrong, most_wrong_high_risk = SETS[name, spelling]
    seen = found[name, spelling]
    assert seen.lenient >= least_right
    assert seen.wrong <= most_wrong
    assert seen.wrong_high_risk <= most_wrong_high_risk


class OfOneIdea:
    """Takes everything for the same question, and is sure of it."""

    def ranking(self, text: str) -> list[tuple[str, float]]:
        return [("vaccine_eligibility", 0.99)]

    def respelt(self, text: str) -> str:
        return text


def test_a_model_that_understands_nothing_would_be_noticed(asked: HeldOut, doubt: Doubt) -> None:
    for name, questions in asked.sets().items():
        least_right, most_wrong, most_wrong_high_risk = SETS[name, TYPED]
        judged = judge(OfOneIdea(), questions, WAYS[TYPED], doubt.least_chance)
        seen = summary(judged, doubt, rates.high_risk_intents())
        assert seen.lenient < least_right
        assert seen.wrong > most_wrong
        assert seen.wrong_high_risk > most_wrong_high_risk


@pytest.mark.parametrize("spelling", OFF_TOPIC_REFUSED)
def test_what_is_none_of_loas_business_is_refused(full_model: Any, asked: HeldOut, doubt: Doubt, spelling: str) -> None:
    refused = rates.refused_by_kind(full_model, asked.off_topic(), WAYS[spelling], doubt)
    assert refused["all"] >= OFF_TOPIC_REFUSED[spelling]
    if spelling == TYPED:
        assert {kind: share for kind, share in refused.items() if share < EVERY_KIND_REFUSED} == {}


@pytest.mark.parametrize("spelling", DANGER)
def test_cries_for_help_are_heard(full_model: Any, asked: HeldOut, doubt: Doubt, spelling: str) -> None:
    least_heard, most_false = DANGER[spelling]
    assert rates.heard(full_model, asked.cries(), WAYS[spelling], doubt) >= least_heard
    assert rates.heard(full_model, asked.look_alikes(), WAYS[spelling], doubt) <= most_false


@pytest.mark.parametrize("spelling", DANGER_BY_TABLE)
def test_the_table_of_danger_signs_hears_them_without_a_model(asked: HeldOut, spelling: str) -> None:
    least_heard, most_false = DANGER_BY_TABLE[spelling]
    assert rates.heard_by_table(asked.cries(), WAYS[spelling]) >= least_heard
    assert rates.heard_by_table(asked.look_alikes(), WAYS[spelling]) <= most_false


@pytest.mark.parametrize("spelling", TWO_QUESTIONS)
def test_two_questions_are_both_heard(full_model: Any, asked: HeldOut, doubt: Doubt, spelling: str) -> None:
    least_both, most_false = TWO_QUESTIONS[spelling]
    both, false = rates.two_questions(full_model, asked.two_questions(), WAYS[spelling], doubt)
    assert both >= least_both
    assert false <= most_false


def test_a_letter_around_a_question_changes_little(full_model: Any, asked: HeldOut, doubt: Doubt) -> None:
    right = rates.right_when_surrounded(full_model, asked.of_a_topic(), doubt)
    assert {way: share for way, share in right.items() if share < WITH_COURTESY and way not in {"history", "letter"}} == {}
    assert min(right.values()) >= WITH_HISTORY
