"""What a place on the map is answered with: the communes and wards that it may lie in, a button for each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.directory.nearby import Nearby, coordinates
from bot.directory.places import Place, Places
from bot.languages.catalogue import Answer, Catalogue
from bot.messages import Payload
from bot.settings import ROOT

NEAR = "utter_location_near"
# Names of before 2025 beside a choice (three choices and the words around them fit into 900 characters).
LONGEST_BEFORE = 90


def near(catalogue: Catalogue, point: str, language: str = "vi") -> Answer | None:
    """None where it is near none of our units. Blocks at the first place on the map, for which the places are read."""
    found = units(point)
    if not found:
        return None
    places, _ = _read(ROOT)
    choices = [
        {
            "title": place.full_name,
            "payload": str(Payload("inform_place", place.key)),
            "now": place.full_name,
            "province": places.name(place.province),
            "before": places.before(place.key, LONGEST_BEFORE),
        }
        for place in found
    ]
    return catalogue.answer(NEAR, {"choices": choices}, language)


def units(point: str) -> list[Place]:
    """The communes and wards that a place on the map may lie in, the likeliest first; none for anything else. Blocks at the first
    place on the map."""
    if coordinates(point) is None:
        return []
    places, nearby = _read(ROOT)
    return [places[key] for key in nearby.keys(point)]


@cache
def _read(root: Path) -> tuple[Places, Nearby]:
    return Places.below(root), Nearby.load(root)
