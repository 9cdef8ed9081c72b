"""Judging follows the rules of the pipeline, and its folds hold out whole stretches of examples."""

from __future__ import annotations

from typing import Any

from bot.measuring.held_out import Question
from bot.measuring.judging import EMERGENCY, Doubt, Guess, judged, out_of_fold, stretches

CRY = "mẹ tôi khó thở quá"
MAY_I = "tôi dị ứng tôm, ăn vào là khó thở, có được tiêm không"


class Model:
    """Guesses what it is told, whatever the text."""

    def __init__(self, **chances: float) -> None:
        self._guesses = list(chances.items())

    def ranking(self, text: str) -> list[Guess]:
        return self._guesses

    def respelt(self, text: str) -> str:
        return text.replace("khóo thơr", "kho tho")


def seen(text: str, model: Model, *, intent: str = "symptoms", also: str = "") -> Any:
    return judged(model, Question(text, intent, also), text, least_chance=0.35)


def test_a_guess_is_answered_when_it_is_sure_and_alone() -> None:
    sure = seen("có phải covid không", Model(symptoms=0.7, testing_when=0.2))
    assert sure.is_answered(0.6, 0.1)
    assert not sure.is_answered(0.8, 0.1)
    assert not sure.is_answered(0.6, 0.55)


def test_a_text_without_a_word_is_never_answered() -> None:
    silent = seen("…", Model())
    assert silent.guess == ""
    assert not silent.is_answered(0.3, 0.1)
    assert silent.is_refused(0.3, 0.1)


def test_a_danger_sign_overrules_doubt() -> None:
    alarmed = seen(CRY, Model(symptoms=0.2, emergency=0.1))
    assert alarmed.ranking == (EMERGENCY, "symptoms")
    assert alarmed.is_answered(0.9, 0.9)
    assert alarmed.is_false_alarm


def test_a_danger_sign_is_heard_in_the_respelt_text_too() -> None:
    assert seen("mẹ tôi khóo thơr quá", Model(symptoms=0.9)).alarm


def test_the_model_alone_raises_the_alarm_from_the_least_chance_on() -> None:
    assert seen("ông nhà tôi lạ lắm", Model(symptoms=0.5, emergency=0.4)).alarm
    assert not seen("ông nhà tôi lạ lắm", Model(symptoms=0.6, emergency=0.3)).alarm


def test_a_question_about_vaccination_takes_the_models_alarm_back() -> None:
    found = seen(MAY_I, Model(emergency=0.8, vaccine_eligibility=0.1), intent="vaccine_eligibility")
    assert found.is_right
    assert not found.alarm


def test_an_accepted_alternative_is_right_but_not_exact() -> None:
    found = seen("x", Model(testing_cost=0.9), intent="testing_types", also="testing_cost")
    assert found.is_right
    assert not found.is_exact
    assert found.is_in_three


def test_talk_limits_and_doubt_refuse() -> None:
    assert seen("x", Model(out_of_scope=0.9)).is_refused(0.6, 0.1)
    assert seen("x", Model(greet=0.9)).is_refused(0.6, 0.1)
    assert seen("x", Model(symptoms=0.5)).is_refused(0.6, 0.1)
    assert not seen("x", Model(symptoms=0.9)).is_refused(0.6, 0.1)
    assert not seen(CRY, Model(out_of_scope=0.9)).is_refused(0.6, 0.1)


def test_a_fold_is_a_consecutive_stretch_of_every_intent() -> None:
    intents = ["a"] * 5 + ["b"] * 5
    assert stretches(intents, 5)[1] == [1, 6]
    assert sorted(place for fold in stretches(intents * 3, 4) for place in fold) == list(range(30))


def test_every_example_is_judged_once_by_a_model_that_has_not_seen_it() -> None:
    questions = [f"xét nghiệm ở {place} được không" for place in ["một", "hai", "ba", "bốn", "năm", "sáu"]]
    tests = [(text, "testing_where") for text in questions]
    tests += [(text.replace("xét nghiệm", "khẩu trang"), "wear_mask") for text in questions]
    found = out_of_fold(tests, 3, {"as typed": lambda text, _: text}, least_chance=0.35)["as typed"]
    assert sorted(j.question.text for j in found) == sorted(text for text, _ in tests)
    assert all(j.is_right for j in found)


def test_the_doubt_of_the_service_is_read_from_its_config() -> None:
    doubt = Doubt.read()
    assert 0 < doubt.ambiguity < doubt.threshold < 1
    assert 0 < doubt.least_chance < 1
