"""Symptoms: older people, the pregnant, the chronically ill and children are told what counts for them."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.about import EMERGENCY, about, says_danger

GENERAL, CHILD, AT_RISK = "utter_symptoms", "utter_symptoms_child", "utter_symptoms_at_risk"


class ActionSymptoms(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_symptoms"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_decide, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


def _decide(tracker: Tracker) -> tuple[str, dict[str, Any]]:
    if says_danger(tracker):
        return EMERGENCY, {}
    asked = about(tracker)
    if asked.is_several:
        return GENERAL, {}
    if asked.is_minor:
        return CHILD, {"person": asked.as_value("symptoms")}
    if asked.is_at_risk:
        return AT_RISK, {"person": asked.as_value("symptoms")}
    return GENERAL, {}
