"""What a question says beyond its intent: the place it names, and the directory in which actions look things up."""

from __future__ import annotations

from functools import cache

from rasa_sdk import Tracker

from bot.directory.contacts import Contacts
from bot.directory.documents import Documents
from bot.directory.places import Places
from bot.settings import ROOT, Settings

PLACE = "place"
AMBIGUOUS = "place_ambiguous"


def named_place(tracker: Tracker) -> str | None:
    """The key of the last place of ours in the citizen's last message ("từ Hà Nội về Sầm Sơn"), else of the first we know."""
    named = [str(key) for key in tracker.get_latest_entity_values(PLACE) if key in places()]
    ours = [key for key in named if not places()[key].is_elsewhere]
    return next(iter([*reversed(ours), *named]), None)


def ambiguous_name(tracker: Tracker) -> str | None:
    """The name in the last message that several places have, unless the message names one of ours besides."""
    place = named_place(tracker)
    if place is not None and not places()[place].is_elsewhere:
        return None
    return next((str(name) for name in tracker.get_latest_entity_values(AMBIGUOUS)), None)


def meant_places(tracker: Tracker) -> tuple[str, ...]:
    """The place of the last message, or all that its ambiguous name may mean after the remembered place and the served
    province had their say; else the remembered place; else none."""
    remembered = tracker.get_slot(PLACE)
    name = ambiguous_name(tracker)
    candidates = places().candidates(name, [str(remembered), served_province()]) if name else ()
    place = last_place(tracker)
    return candidates or ((place,) if place else ())


def last_place(tracker: Tracker) -> str | None:
    """The place of the last message, else the one that the conversation remembers."""
    remembered = tracker.get_slot(PLACE)
    return named_place(tracker) or (remembered if remembered in places() else None)


def served_province() -> str:
    """The province for which this service runs."""
    return Settings.from_environment().province


# The directory is read when the first question needs it and stays until the action server ends.
@cache
def places() -> Places:
    return Places.load(ROOT)


@cache
def contacts() -> Contacts:
    return Contacts.load(ROOT)


@cache
def documents() -> Documents:
    return Documents.load(ROOT)
