"""Whom to call: the numbers of the province that the citizen named, else of the province this service is for."""

from __future__ import annotations

import asyncio
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asked import contacts, last_place, places, served_province
from bot.settings import PROVINCES


class ActionHotline(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_hotline"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_decide, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


def _decide(tracker: Tracker) -> tuple[str, dict[str, Any]]:
    """A place outside the provinces we have lines for gets the nation's numbers, never another province's."""
    place = last_place(tracker) or served_province()
    province = places().province_of(place)
    if province not in PROVINCES:
        return "utter_hotline_national", _values(None, place)
    return "utter_hotline", _values(province, place)


def _values(province: str | None, place: str) -> dict[str, Any]:
    return {"contacts": [contact.id for contact in contacts().for_place(province)], "place_name": places().name(place)}
