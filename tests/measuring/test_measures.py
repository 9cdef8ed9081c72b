"""The numbers, counted by hand on a few questions."""

from __future__ import annotations

import math

import pytest

from bot.measuring.held_out import Question
from bot.measuring.judging import Doubt, Judged
from bot.measuring.measures import (
    calibration_error,
    confusions,
    curve,
    f1_by_intent,
    macro_f1,
    reliability,
    smallest_threshold,
    summary,
)

DOUBT = Doubt(threshold=0.6, ambiguity=0.1, least_chance=0.35)


def guessed(intent: str, guess: str, chance: float, *, also: str = "", alarm: bool = False) -> Judged:
    return Judged(Question(f"{intent}?", intent, also), (guess, chance), chance, (guess,), alarm)


FOUR = [
    guessed("a", "a", 0.9),
    guessed("a", "b", 0.8),
    guessed("b", "b", 0.7),
    guessed("b", "out_of_scope", 0.65),
]


def test_a_summary_counts_what_is_answered_wrongly() -> None:
    found = summary([*FOUR, guessed("c", "a", 0.3)], DOUBT, {"b"})
    assert (found.number, found.lenient, found.answered) == (5, 0.4, 0.8)
    assert (found.wrong, found.wrong_topic, found.wrong_high_risk) == (0.4, 0.2, 0.2)


def test_an_alternative_is_lenient_and_never_wrong() -> None:
    found = summary([guessed("a", "b", 0.9, also="b")], DOUBT, {"b"})
    assert (found.lenient, found.strict, found.f1_lenient, found.f1_strict) == (1, 0, 1, 0)
    assert found.wrong == 0


def test_a_false_alarm_is_a_wrong_answer_however_unsure() -> None:
    found = summary([guessed("a", "emergency", 0.1, alarm=True)], DOUBT, {"emergency"})
    assert (found.false_alarms, found.wrong, found.wrong_high_risk) == (1, 1, 1)


def test_f1_is_worst_first_and_only_of_what_was_asked() -> None:
    assert f1_by_intent(FOUR) == [("b", 0.5, 2), ("a", pytest.approx(2 / 3), 2)]
    assert macro_f1(FOUR, lenient=False) == pytest.approx(7 / 12)


def test_confusions_leave_out_what_is_right() -> None:
    assert confusions(FOUR) == {("a", "b"): 1, ("b", "out_of_scope"): 1}


def test_a_higher_threshold_answers_less_and_less_wrongly() -> None:
    low, high = curve(FOUR, (0.6, 0.85), 0.1)
    assert (low.coverage, low.accuracy, low.wrong) == (1, 0.5, 0.5)
    assert (high.coverage, high.accuracy, high.wrong) == (0.25, 1, 0)


def test_the_smallest_threshold_is_the_first_that_keeps_the_promise() -> None:
    assert smallest_threshold(FOUR, 0.1, most_wrong=0.25) == 0.66
    assert smallest_threshold(FOUR, 0.1, most_wrong=0.5) == 0
    assert smallest_threshold([guessed("a", "b", 0.9, alarm=True)], 0.1, most_wrong=0.5) is None


def test_reliability_looks_at_the_models_own_guess() -> None:
    overruled = Judged(Question("x", "emergency"), ("symptoms", 0.95), 0.9, ("emergency", "symptoms"), alarm=True)
    bins = reliability([guessed("a", "a", 0.95), overruled, guessed("a", "a", 0.15), guessed("a", "a", 1.0)])
    assert [b.number for b in bins] == [1, 3]
    assert bins[1].right == pytest.approx(2 / 3)
    assert calibration_error(bins) == pytest.approx((0.85 + 3 * (2.9 / 3 - 2 / 3)) / 4)


def test_nothing_asked_is_no_number() -> None:
    found = summary([], DOUBT, set())
    assert found.number == 0
    assert math.isnan(found.lenient)
    assert math.isnan(calibration_error(reliability([])))
