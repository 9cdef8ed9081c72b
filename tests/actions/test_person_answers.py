"""Every answer about a person, filled with the longest values: short enough, sourced, and never a verdict."""

from __future__ import annotations

import itertools
import re
from datetime import date
from typing import Any

import pytest
from rasa_sdk import Tracker

from actions.about import GROWN_UP, MINORS, about, conditions
from actions.help import ILL_SINCE
from actions.vaccination import EXPLAINED, screening_lines
from bot.check import MAX_ANSWER_CHARACTERS
from bot.languages.catalogue import Catalogue
from bot.people.pregnancy import STATES
from bot.settings import PROVINCES, ROOT

PLACEHOLDER = re.compile(r"{(\w+)}")
VERDICTS = ("có thể tiêm", "được tiêm", "tiêm được", "nên tiêm", "không phải tiêm", "đủ điều kiện tiêm")
SCREENED = {f"utter_vaccine_eligibility_{group}" for group in ("contraindicated", "delay", "caution", "not_listed")}
OLDER = "utter_vaccine_eligibility_older"
IN_PASSING = {
    "utter_home_treatment_f0_at_risk": GROWN_UP,
    "utter_home_treatment_f0_child": MINORS,
    "utter_home_treatment_f0_days": GROWN_UP,
    "utter_testing_result_at_risk": GROWN_UP,
    "utter_testing_result_child": MINORS,
    "utter_symptoms_at_risk": GROWN_UP,
    "utter_symptoms_child": MINORS,
}
NUMBER_OF_A_DOSE = re.compile(r"\d+ ?(?:mg|ml|viên|gói|lần/ngày)")


@pytest.fixture(params=PROVINCES, scope="module")
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    return Catalogue.load(ROOT, request.param, lambda: date(2026, 11, 22))


def asked(*entities: dict[str, Any]) -> Any:
    return about(Tracker("c", {}, {"entities": list(entities)}, [], False, None, {}, None))


def condition(key: str, role: str = "now") -> dict[str, Any]:
    return {"entity": "condition", "value": key, "role": role}


LONGEST_FIRST = sorted(conditions().all(), key=lambda c: -len(c.name))
# The longest name of each cause, and those that come with a sentence of their own.
LONGEST = [*{c.cause: c for c in reversed(LONGEST_FIRST)}.values(), *(conditions()[key] for key in sorted(EXPLAINED))]
AGES: list[list[dict[str, Any]]] = [
    [],
    [{"entity": "age", "value": 66, "role": "years", "group": "about"}, {"entity": "age_group", "value": "older"}],
]
PREGNANCIES: list[list[dict[str, Any]]] = [
    [],
    [{"entity": "pregnancy", "value": "pregnant"}],
    [{"entity": "pregnancy", "value": "pregnant", "role": "early", "group": "1 trimester"}],
    [{"entity": "pregnancy", "value": "pregnant", "role": "later", "group": "20 weeks"}],
    *([{"entity": "pregnancy", "value": state}] for state in STATES[1:]),
]


def check(catalogue: Catalogue, key: str, values: dict[str, Any]) -> str:
    entry = catalogue.entries[key]
    assert set(PLACEHOLDER.findall(entry.text)) <= {"hotline", *values}, key
    answer = catalogue.answer(key, values)
    text = answer.text
    assert len(text) <= MAX_ANSWER_CHARACTERS, (key, len(text), text)
    assert not [verdict for verdict in VERDICTS if verdict in text.lower()], text
    assert not NUMBER_OF_A_DOSE.search(text), text
    assert "{" not in text
    assert answer.source is not None
    assert "115" in text or key in {"utter_vaccine_eligibility_caution", "utter_vaccine_eligibility_not_listed", OLDER}
    return text


def test_every_mixture_of_groups_fits_and_says_no_verdict(catalogue: Catalogue) -> None:
    seen = set()
    for size in (1, 2, 3, 4, 5):
        for mixed in itertools.combinations(LONGEST, size):
            for age, pregnancy in itertools.product(AGES, PREGNANCIES):
                who = asked(*age, *pregnancy, *(condition(c.key) for c in mixed), condition("tuberculosis", "past"))
                lines = screening_lines(who)
                first = lines[0]["group"].replace("delay_or_caution", "delay")
                text = check(
                    catalogue,
                    f"utter_vaccine_eligibility_{first}",
                    {"person": who.as_value(with_illnesses=False), "screening": lines},
                )
                seen.add(f"utter_vaccine_eligibility_{first}")
                assert all(name in text for line in lines for name in line.get("names", []))
    assert seen == SCREENED


@pytest.mark.parametrize("one", conditions().all(), ids=lambda c: c.key)
def test_every_condition_is_told_by_its_name(catalogue: Catalogue, one: Any) -> None:
    who = asked(condition(one.key))
    text = check(
        catalogue,
        f"utter_vaccine_eligibility_{one.group}",
        {"person": who.as_value(with_illnesses=False), "screening": screening_lines(who)},
    )
    assert one.name in text


def test_old_age_alone(catalogue: Catalogue) -> None:
    who = asked(*AGES[1])
    assert "66" in check(catalogue, OLDER, {"person": who.as_value()})


def test_people_in_passing_fit(catalogue: Catalogue) -> None:
    longest = [c for c in LONGEST_FIRST if c.key not in {"covid", "past_covid"}][:4]
    for key, groups in IN_PASSING.items():
        for group, pregnancy, role, days in itertools.product(groups, PREGNANCIES, sorted(ILL_SINCE), (0, 1, 399)):
            if group in MINORS and pregnancy:
                continue
            age = {"entity": "age", "value": 88 if group in GROWN_UP else 10, "role": "years", "group": "about"}
            since = {"entity": "days_since", "value": days, "role": role}
            who = asked(age, {"entity": "age_group", "value": group}, *pregnancy, since, *(condition(c.key) for c in longest))
            for isolation in ("early", "middle", "over"):
                check(catalogue, key, {"person": who.as_value("positive", "symptoms"), "isolation": isolation})


@pytest.mark.parametrize("which", [1, 2, 3])
def test_each_part_of_a_pregnancy_has_its_words(catalogue: Catalogue, which: int) -> None:
    who = asked({"entity": "pregnancy", "value": "pregnant", "group": f"{which} trimester"})
    check(catalogue, "utter_home_treatment_f0_at_risk", {"person": who.as_value()})


def test_all_of_these_answers_are_checked_here(catalogue: Catalogue) -> None:
    """A new one must be filled above."""
    bases = ("utter_vaccine_eligibility_", "utter_home_treatment_f0_", "utter_testing_result_", "utter_symptoms_")
    known = SCREENED | {OLDER} | set(IN_PASSING)
    assert {key for key in catalogue.entries if key.startswith(bases)} == known


@pytest.mark.parametrize("key", sorted({*SCREENED, OLDER, *IN_PASSING}))
def test_they_are_as_risky_and_as_short_lived_as_the_answer_they_stand_for(catalogue: Catalogue, key: str) -> None:
    entry = catalogue.entries[key]
    base = next(
        e for e in catalogue.entries.values() if key.startswith(f"{e.key}_") and e.key.removeprefix("utter_") in catalogue.intents
    )
    assert (entry.risk, entry.reviewed, entry.review_by, entry.valid_until) == (
        base.risk,
        base.reviewed,
        base.review_by,
        base.valid_until,
    )


@pytest.mark.parametrize("text", ["Bạn có thể tiêm.", "Bạn tiêm được.", "Uống 500mg.", "x" * 901])
def test_a_verdict_a_dose_and_a_long_text_would_be_noticed(catalogue: Catalogue, text: str) -> None:
    catalogue.entries = {**catalogue.entries, "utter_x": _with_text(catalogue, text)}
    with pytest.raises(AssertionError):
        check(catalogue, "utter_x", {})


def _with_text(catalogue: Catalogue, text: str) -> Any:
    import dataclasses

    return dataclasses.replace(catalogue.entries[OLDER], key="utter_x", text=f"{text} 115")
