"""The danger detector: the table decides, a sure model too, but not against a question about vaccination."""

from __future__ import annotations

from typing import Any

from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.brain.emergency import EmergencyDetector
from bot.brain.intent import RESPELT


def heard(text: str, respelt: str = "", **chances: float) -> tuple[str, list[str]]:
    """The intent and the ranking after the detector, when the model gave `chances`, best first."""
    ranking: list[dict[str, Any]] = [
        {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: chance} for name, chance in chances.items()
    ]
    message = Message({TEXT: text, RESPELT: respelt, INTENT: dict(ranking[0]), INTENT_RANKING_KEY: ranking})
    EmergencyDetector(least_chance=0.35).process([message])
    return message.get(INTENT)[INTENT_NAME_KEY], [guess[INTENT_NAME_KEY] for guess in message.get(INTENT_RANKING_KEY)]


def test_a_sign_of_the_table_overrules_the_model() -> None:
    assert heard("mẹ tôi khó thở quá", symptoms=0.9, emergency=0.05) == ("emergency", ["emergency", "symptoms"])


def test_a_mistyped_sign_is_heard_in_the_respelt_message() -> None:
    assert heard("mej tôi khóo thơr quá", symptoms=0.9)[0] == "symptoms"
    assert heard("mej tôi khóo thơr quá", "me tôi kho tho quá", symptoms=0.9)[0] == "emergency"


def test_a_mistyped_question_about_vaccination_is_one_too() -> None:
    typed, respelt = "ba em yếu, có đuợcc tiêmm không", "ba em yếu, có duoc tiem không"
    assert heard(typed, emergency=0.8, vaccine_eligibility=0.1)[0] == "emergency"
    assert heard(typed, respelt, emergency=0.8, vaccine_eligibility=0.1)[0] == "vaccine_eligibility"


def test_the_model_alone_raises_the_alarm_from_the_least_chance_on() -> None:
    assert heard("ông nhà tôi lạ lắm", symptoms=0.5, emergency=0.4)[0] == "emergency"
    assert heard("ông nhà tôi lạ lắm", symptoms=0.6, emergency=0.3)[0] == "symptoms"


def test_a_question_about_vaccination_overrules_the_model_alone() -> None:
    told = "tôi dị ứng tôm, ăn vào là khó thở, có được tiêm không"
    assert heard(told, emergency=0.8, vaccine_eligibility=0.1) == ("vaccine_eligibility", ["vaccine_eligibility"])
    assert heard(told, nlu_fallback=0.4, emergency=0.38)[0] == "nlu_fallback"


def test_what_happens_now_is_an_alarm_beside_such_a_question_too() -> None:
    assert heard("vừa tiêm xong khó thở, mũi sau có được tiêm không", vaccine_eligibility=0.9)[0] == "emergency"
