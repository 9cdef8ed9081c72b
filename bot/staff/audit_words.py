"""What an entry of the log says beside who, what and when, in words.

The words of the keys stand in locales/vi/interface/staff_pages.yml (`audit_keys`); codes are said with the words that their own
page has for them. What has no words is shown as it was written: an entry of an older Loa stays readable.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.campaigns.described import Describer
from bot.handoff.desks import Desks
from bot.languages.interface import interface_words
from bot.staff.layout import day, moment

# Key of an entry → the tables of words for its codes, as file and name; the first that knows a code says it.
TABLES = {
    "action": [("staff_pages", "audit_actions")],
    "before": [("staff", "roles")],
    "counts": [("staff_pages", "audit_counts")],
    "kind": [("learn", "kinds")],
    "outcome": [("desk", "outcomes")],
    "role": [("staff", "roles"), ("translate", "roles_here")],
    "scope": [("content", "scopes")],
    "second_factor": [("staff_pages", "audit_factors")],
    "task": [("learn", "task_states")],
    "topic": [("content", "topics")],
    "about": [("content", "topics")],
    "verdict": [("content", "verdict_names")],
    "was": [("staff_pages", "audit_states"), ("bulletins", "states")],
}
TIMES = {"day", "ends", "until"}
NOTHING: tuple[object, ...] = ("", None, {}, [])


class Details:
    """`describer`: names of topics, places and languages; without one they are shown by their codes."""

    def __init__(self, root: Path, describer: Describer | None = None) -> None:
        own = interface_words(root, "staff_pages")
        self._keys, self._yes, self._no = own["audit_keys"], own["audit_yes"], own["audit_no"]
        self._tables = {
            key: {code: words for file, name in reversed(tables) for code, words in interface_words(root, file)[name].items()}
            for key, tables in TABLES.items()
        }
        self._named: Mapping[str, Callable[[str], str]] = _named(root, describer) if describer else {}

    def told(self, detail: Mapping[str, Any]) -> str:
        """In one line, without what is empty."""
        said = ((self._keys.get(key, key), self._value(key, value)) for key, value in detail.items() if value not in NOTHING)
        return "; ".join(f"{name}: {value}" for name, value in said)

    def _value(self, key: str, value: object) -> str:
        if isinstance(value, bool):
            return str(self._yes if value else self._no)
        if isinstance(value, Mapping):
            return ", ".join(f"{self._key_within(key, part)} {self._value(part, found)}" for part, found in value.items())
        if isinstance(value, list):
            return ", ".join(self._value(key, one) for one in value)
        return self._code(key, value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _key_within(self, key: str, part: str) -> str:
        """Of a table within an entry: counts by outcome, or what somebody asked for."""
        return str(self._tables.get(key, self._keys).get(part, part))

    def _code(self, key: str, value: str) -> str:
        if words := self._tables.get(key, {}).get(value):
            return str(words)
        if key in self._named:
            return self._named[key](value)
        return _time(value) if key in TIMES else value


def _named(root: Path, describer: Describer) -> dict[str, Callable[[str], str]]:
    desks = {desk.id: desk.name for desk in Desks.load(root, describer.catalogue.province).all}

    def about(key: str) -> str:
        return describer.title(key) if key in describer.catalogue.intents else describer.place(key)

    return {
        "about": about,
        "desk": lambda id_: desks.get(id_, id_),
        "label": describer.title,
        "language": describer.language,
        "place": describer.place,
        "tag": describer.language,
        "topic": describer.title,
    }


def _time(text: str) -> str:
    """A day or a moment as people write it; anything else as it is."""
    with contextlib.suppress(ValueError):
        return day(datetime.date.fromisoformat(text))
    with contextlib.suppress(ValueError, OverflowError):
        return moment(datetime.datetime.fromisoformat(text))
    return text
