"""A page's face in Messenger: the welcome screen (it says that a machine answers), its button and the menu beside the composer,
in each language that Messenger has and that has words for them.

Messenger shows by the locale of the person's app, "default" to everybody else. Vietnamese is the default. Of our languages the
list of locales (messenger-profile/supported-locales, read 2026-11-23) has English alone: en_GB for messenger.com, both for
phones. A locale that Meta does not know would cost the whole profile. What nobody has approved stands beside the Vietnamese, or
not at all where both do not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.channels.messenger_events import GET_STARTED
from bot.channels.payloads import MENU_INTENTS, short_id
from bot.channels.rendering import shortened, utf16_units
from bot.directory.languages import VIETNAMESE
from bot.languages.catalogue import Catalogue

LOCALES = {"en": ("en_US", "en_GB")}
DEFAULT = "default"
WELCOME = "utter_welcome"
MAX_GREETING = 160
MAX_MENU_TITLE = 30

Menu = list[dict[str, str]]


def profile(catalogue: Catalogue) -> dict[str, Any]:
    """The body of a call to /me/messenger_profile: it replaces what stood there."""
    return {
        "get_started": {"payload": GET_STARTED},
        "greeting": [{"locale": locale, "text": text} for locale, text in _in_locales(_greeting, catalogue)],
        "persistent_menu": [
            {"locale": locale, "composer_input_disabled": False, "call_to_actions": menu}
            for locale, menu in _in_locales(_menu, catalogue)
        ],
    }


def _in_locales(said: Callable[[Catalogue, str], Any], catalogue: Catalogue) -> list[tuple[str, Any]]:
    """Vietnamese for everybody, then each locale in which it can be said otherwise."""
    everybody = said(catalogue, VIETNAMESE)
    spoken = [
        (locale, said(catalogue, tag)) for tag, locales in LOCALES.items() for locale in locales if tag in catalogue.languages
    ]
    return [(DEFAULT, everybody), *((locale, words) for locale, words in spoken if words != everybody)]


def _greeting(catalogue: Catalogue, language: str) -> str:
    """The first paragraph of the welcome."""
    vietnamese = shortened(_first(catalogue.answer(WELCOME).text), MAX_GREETING, utf16_units)
    said = None if language == VIETNAMESE else catalogue.heard(WELCOME, language)
    if said is None:
        return vietnamese
    words = f"{_first(said)} {vietnamese}" if catalogue.is_heard_as_draft(WELCOME, language) else _first(said)
    return words if utf16_units(words) <= MAX_GREETING else vietnamese


def _first(text: str) -> str:
    return text.partition("\n\n")[0]


def _menu(catalogue: Catalogue, language: str) -> Menu:
    return [
        {"type": "postback", "title": _title(catalogue, intent, language), "payload": short_id(f"/{intent}")}
        for intent in MENU_INTENTS
    ]


def _title(catalogue: Catalogue, intent: str, language: str) -> str:
    vietnamese = shortened(catalogue.title(intent), MAX_MENU_TITLE, utf16_units)
    found = catalogue.translated_title(intent, language)
    if found is None:
        return vietnamese
    title, is_approved = found
    words = title if is_approved else f"{title} / {vietnamese}"
    return words if utf16_units(words) <= MAX_MENU_TITLE else vietnamese
