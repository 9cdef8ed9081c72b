"""Whom a question is about, as the entities of the last message say (bot/people/person.py), and how an answer says it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rasa_sdk import Tracker

from bot.directory.conditions import Condition, Conditions
from bot.languages.danger import danger_sign, danger_sign_of_the_ill
from bot.settings import ROOT

MINORS = ("infant", "child", "adolescent")
GROWN_UP = ("adult", "older")
EMERGENCY = "utter_emergency"
# More do not fit into an answer of 900 characters (a test fills it with the longest names).
CONDITIONS_TOLD, CONDITIONS_TOLD_IN_PASSING = 4, 2
# A positive test of longer ago tells of an illness that is over.
POSITIVE_WITHIN_DAYS = 30
# Said back by other words: "dương tính ngày thứ 5".
NOT_TOLD_AGAIN = frozenset({"covid", "past_covid"})
# Parents of small children are asked about themselves: "đang cho con bú, bé 7 tháng".
OF_MOTHERS = frozenset({"pregnant", "breastfeeding", "gave_birth"})
MOTHERS_BABY_YEARS = 3

Entity = Mapping[str, Any]


@dataclass(frozen=True)
class About:
    """`group` is None when nobody's age is known, or when the message speaks of grown-ups and children (`is_several`);
    `is_of_two_ages`: of two people at least."""

    age: Mapping[str, Any] | None
    group: str | None
    is_several: bool
    is_of_two_ages: bool
    pregnancy: Mapping[str, Any] | None
    conditions: tuple[Condition, ...]
    cured: tuple[Condition, ...]
    since: Mapping[str, Mapping[str, Any]]

    @property
    def is_minor(self) -> bool:
        return self.group in MINORS

    @property
    def is_pregnant(self) -> bool:
        return self.pregnancy is not None and self.pregnancy["state"] == "pregnant"

    @property
    def is_positive(self) -> bool:
        return "positive" in self.since or any(condition.key == "covid" for condition in self.conditions)

    @property
    def is_acutely_ill(self) -> bool:
        return any(condition.cause == "acute" for condition in self.conditions)

    @property
    def is_at_risk(self) -> bool:
        """Of those who are more often gravely ill: older, pregnant, with a grave illness. Nothing is said of children here."""
        return self.group == "older" or self.is_pregnant or any(condition.grave for condition in self.conditions)

    def as_value(self, *since: str, with_illnesses: bool = True) -> dict[str, Any]:
        """The value `person` of an answer. `since`: which time it tells, the first of these that is known; `with_illnesses`:
        illnesses and pregnancy too, which an answer with a list of its own leaves out."""
        grave_first = sorted(self.conditions, key=lambda condition: not condition.grave)
        told = [condition.name for condition in grave_first if condition.key not in NOT_TOLD_AGAIN]
        return {
            "age": self.age,
            "group": self.group,
            "pregnancy": self.pregnancy if with_illnesses else None,
            "conditions": told[:CONDITIONS_TOLD_IN_PASSING] if with_illnesses else [],
            "since": [{"role": role, **self.since[role]} for role in since if role in self.since][:1],
        }


def about(tracker: Tracker) -> About:
    """Read the entities of the last message; what is denied ("không bị tiểu đường") is not counted."""
    entities: list[Entity] = list(tracker.latest_message.get("entities") or [])
    pregnancy = _pregnancy(entities)
    ages = _ages(entities, pregnancy)
    groups = _groups(entities, ages, pregnancy)
    minors, grown_up = [g for g in MINORS if g in groups], [g for g in GROWN_UP if g in groups]
    is_several = bool(minors and grown_up)
    return About(
        age=ages[0] if len(ages) == 1 else None,
        group=None if is_several else next(iter([*minors, *reversed(grown_up)]), None),
        is_several=is_several,
        is_of_two_ages=len({(age["value"], age["unit"]) for age in ages}) > 1,
        pregnancy=pregnancy,
        conditions=tuple(conditions().told(_keys(entities, "now"))),
        cured=tuple(c for c in conditions().told(_keys(entities, "past")) if c.nature != "acute"),
        since={
            str(e["role"]): {"days": e["value"], "ordinal": e.get("group") == "ordinal"}
            for e in _named(entities, "days_since")
            if e["role"] != "positive" or e["value"] <= POSITIVE_WITHIN_DAYS
        },
    )


def says_danger(tracker: Tracker) -> bool:
    """Does the message say that somebody is in danger? Rasa's pipeline asks first; no answer here may come before 115."""
    return danger_sign(_text(tracker)) is not None


def says_danger_of_the_ill(tracker: Tracker) -> bool:
    """The same of somebody who is ill now: a question about vaccination makes none of it a history."""
    return danger_sign_of_the_ill(_text(tracker)) is not None


def _text(tracker: Tracker) -> str:
    return str(tracker.latest_message.get("text") or "")


@cache
def conditions() -> Conditions:
    return Conditions.load(ROOT)


def _pregnancy(entities: Iterable[Entity]) -> dict[str, Any] | None:
    for entity in _named(entities, "pregnancy"):
        length, _, unit = str(entity.get("group") or "").partition(" ")
        return {
            "state": str(entity["value"]),
            "stage": entity.get("role"),
            "length": int(length) if length.isdigit() else None,
            "unit": unit or None,
        }
    return None


def _ages(entities: Iterable[Entity], pregnancy: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    ages = [
        {"value": int(e["value"]), "unit": str(e.get("role") or "years"), "about": e.get("group") == "about"}
        for e in _named(entities, "age")
    ]
    return [age for age in ages if not (_is_a_mother(pregnancy) and _is_a_baby(age))]


def _groups(entities: Iterable[Entity], ages: Iterable[Mapping[str, Any]], pregnancy: Mapping[str, Any] | None) -> set[str]:
    said = {str(entity["value"]) for entity in _named(entities, "age_group")}
    if not _is_a_mother(pregnancy):
        return said
    return said - {"infant"} if any(True for _ in ages) else said - {"infant", "child"}


def _is_a_mother(pregnancy: Mapping[str, Any] | None) -> bool:
    return pregnancy is not None and pregnancy["state"] in OF_MOTHERS


def _is_a_baby(age: Mapping[str, Any]) -> bool:
    return bool(age["unit"] == "months" or age["value"] <= MOTHERS_BABY_YEARS)


def _keys(entities: Iterable[Entity], status: str) -> list[str]:
    return [str(entity["value"]) for entity in _named(entities, "condition") if entity.get("role") == status]


def _named(entities: Iterable[Entity], name: str) -> list[Entity]:
    return [entity for entity in entities if entity.get("entity") == name]
