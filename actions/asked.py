"""What a question says beyond its intent: the place it names, and the directory in which actions look things up."""

from __future__ import annotations

from functools import cache

from rasa_sdk import Tracker

from bot.directory.contacts import Contacts
from bot.directory.documents import Documents
from bot.directory.places import Places
from bot.settings import ROOT, Settings

PLACE = "place"


def named_place(tracker: Tracker) -> str | None:
    """The key of the first place we know in the citizen's last message."""
    return next((key for key in tracker.get_latest_entity_values(PLACE) if key in places()), None)


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
