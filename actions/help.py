"""Whom to call, by the place that the citizen named; and what somebody who is ill at home should do, by who it is."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.about import EMERGENCY, About, about, says_danger
from actions.asked import ambiguous_name, contacts, meant_places, places, served_province
from actions.where import which_province
from bot.settings import PROVINCES

HOME_TREATMENT, CHILD = "utter_home_treatment_f0", "utter_home_treatment_f0_child"
AT_RISK, DAYS = "utter_home_treatment_f0_at_risk", "utter_home_treatment_f0_days"
# "At least five days … mask to day ten", counted from the first symptom or the positive test (QĐ 3985/QĐ-BYT, 29/10/2023).
ISOLATION_DAYS, MASK_DAYS = 5, 10
ILL_SINCE = frozenset({"positive", "symptoms"})


class ActionHotline(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_hotline"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_decide, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


def _decide(tracker: Tracker) -> tuple[str, dict[str, Any]]:
    """A place outside the provinces we have lines for gets the nation's numbers, never another province's. Which of several
    places of one name is meant matters only if they lie in different provinces."""
    meant, name = meant_places(tracker) or (served_province(),), ambiguous_name(tracker)
    if name is not None and (question := which_province(name, meant)) is not None:
        return question
    province = places().province_of(meant[0])
    told = name if len(meant) > 1 else places().spoken(meant[0])
    if province not in PROVINCES:
        return "utter_hotline_national", {"contacts": _contacts(None), "place_name": told}
    return "utter_hotline", {"contacts": _contacts(province), "place_name": told}


def _contacts(province: str | None) -> list[str]:
    return [contact.id for contact in contacts().for_place(province)]


class ActionHomeTreatmentF0(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_home_treatment_f0"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_care, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


def _care(tracker: Tracker) -> tuple[str, dict[str, Any]]:
    """Who is more often gravely ill, and children, are sent to the health station today; the others get the days counted."""
    if says_danger(tracker):
        return EMERGENCY, {}
    asked = about(tracker)
    if asked.is_several:
        return HOME_TREATMENT, {}
    person = asked.as_value("positive", "symptoms")
    if asked.is_minor:
        return CHILD, {"person": person}
    if asked.is_at_risk:
        return AT_RISK, {"person": person}
    days = _days_ill(asked)
    if days is None:
        return HOME_TREATMENT, {}
    stage = "early" if days < ISOLATION_DAYS else "middle" if days <= MASK_DAYS else "over"
    return DAYS, {"person": person, "isolation": stage}


def _days_ill(asked: About) -> int | None:
    """Full days since the test or the first symptom, whichever is later: the careful count. The first day is day 1."""
    counted = [since["days"] - (1 if since["ordinal"] else 0) for role, since in asked.since.items() if role in ILL_SINCE]
    return min(counted, default=None)
