"""Where to be tested or vaccinated, told with today's name of the place that the citizen named; and what place is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asked import ambiguous_name, contacts, meant_places, named_place, places
from bot.directory.places import Place
from bot.messages import Button, Payload
from bot.settings import PROVINCES

# More than these do not fit under a message on every platform.
MOST_CHOICES = 4
LONGEST_TITLE = 20
# What fits into an answer of 900 characters beside its text (tests render every place).
LONGEST_LIST = 115
LONGEST_LIST_OF_A_CHOICE = 90

Answer = tuple[str, dict[str, Any]]


class ActionTestingWhere(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_testing_where"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_where, tracker, TESTING)
        dispatcher.utter_message(response=key, **values)
        return []


class ActionVaccineWhere(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_vaccine_where"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_where, tracker, VACCINATION)
        dispatcher.utter_message(response=key, **values)
        return []


class ActionInformPlace(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_inform_place"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_understood, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


# Response by what is known of the place.
TESTING = {
    "none": "utter_testing_where",
    "unit": "utter_testing_where_place",
    "district": "utter_testing_where_district",
    "elsewhere": "utter_testing_where_elsewhere",
}
VACCINATION = {
    "none": "utter_vaccine_where",
    "unit": "utter_vaccine_where_place",
    "district": "utter_vaccine_where_district",
    "elsewhere": "utter_vaccine_where_elsewhere",
}


def _where(tracker: Tracker, keys: dict[str, str]) -> Answer:
    meant = meant_places(tracker)
    if not meant:
        return keys["none"], {}
    if len(meant) > 1:
        return which_place(ambiguous_name(tracker) or "", meant)
    place = places()[meant[0]]
    if place.province not in PROVINCES:
        return keys["elsewhere"], {"place_name": place.name, "contacts": [contact.id for contact in contacts().for_place(None)]}
    if place.key == place.province:
        return keys["none"], {"for_province": place.province}
    return _where_in(place, keys)


def _where_in(place: Place, keys: dict[str, str]) -> Answer:
    if place.before:
        now, before = place.full_name, places().before(place.key, LONGEST_LIST)
        return keys["unit"], {"place_now": now, "place_before": before, "for_province": place.province}
    now = places().now(place.key, LONGEST_LIST)
    return keys["district"], {"place_name": place.full_name, "place_now": now, "for_province": place.province}


def _understood(tracker: Tracker) -> Answer:
    """Of several places in one province it need not be known yet which is meant: no question is asked for its own sake."""
    name = ambiguous_name(tracker)
    if name is not None:
        return which_province(name, meant_places(tracker)) or ("utter_inform_place", {"place_name": name})
    place = named_place(tracker)
    if place is None or places()[place].province not in PROVINCES:
        return "utter_inform_place_unknown", {}
    return "utter_inform_place", {"place_name": places().spoken(place)}


def which_province(name: str, keys: Sequence[str]) -> Answer | None:
    """The question which place is meant, if the places lie in different provinces; None where the answer is the same."""
    return which_place(name, keys) if len({places().province_of(key) for key in keys}) > 1 else None


def which_place(name: str, keys: Sequence[str]) -> Answer:
    if len(keys) > MOST_CHOICES:
        return "utter_which_place_many", {"place_name": name}
    meant = [places()[key] for key in keys]
    return "utter_which_place", {"place_name": name, "choices": [_choice(place, name, meant) for place in meant]}


def _choice(place: Place, name: str, among: Sequence[Place]) -> dict[str, str]:
    """A button, and a line with the old unit of that name: places of one name are told apart by their provinces."""
    is_told = sum(other.full_name == place.full_name for other in among) == 1 and len(place.full_name) <= LONGEST_TITLE
    province = places().name(place.province)
    title = place.full_name if is_told else f"{province}: {place.name}"[:LONGEST_TITLE]
    return {
        **Button(title, str(Payload("inform_place", place.key))).as_dict(),
        "now": place.full_name,
        "province": province,
        "before": places().before_called(place.key, name) or places().before(place.key, LONGEST_LIST_OF_A_CHOICE),
    }
