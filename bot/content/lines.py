"""What is in force, a line each: for staff who talk with citizens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.languages.catalogue import VIETNAM, Catalogue


@dataclass(frozen=True)
class Line:
    text: str
    is_urgent: bool


def lines(catalogue: Catalogue, words: Mapping[str, Any]) -> list[Line]:
    """`words`: those of locales/vi/interface/in_force.yml."""
    in_force = catalogue.in_force
    found = [
        Line(
            words["in_force_emergency" if notice.is_emergency else "in_force_notice"].format(
                until=f"{notice.ends_at.astimezone(VIETNAM):%H:%M %d/%m/%Y}", text=notice.text
            ),
            notice.is_emergency,
        )
        for notice in in_force.running()
    ]
    names = [_name(catalogue, words, one.key, one.language) for one in in_force.open_withdrawals()]
    if names:
        found.append(Line(words["in_force_withdrawn"].format(names=", ".join(dict.fromkeys(names))), is_urgent=True))
    return found


def _name(catalogue: Catalogue, words: Mapping[str, Any], key: str, language: str | None) -> str:
    name = key.removeprefix("utter_")
    intents = [intent for intent in catalogue.intents if name == intent or name.startswith(f"{intent}_")]
    title = catalogue.title(max(intents, key=len)) if intents else key
    if language is None:
        return title
    named = catalogue.languages[language].name if language in catalogue.languages else language
    return str(words["in_force_one_language"].format(name=title, language=named))
