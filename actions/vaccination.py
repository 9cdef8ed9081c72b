"""May somebody be vaccinated? The last published screening guideline names groups; the screening doctor decides, never Loa."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.about import CONDITIONS_TOLD, EMERGENCY, About, about, says_danger, says_danger_of_the_ill
from bot.directory.conditions import GROUPS, Condition

GENERAL = "utter_vaccine_eligibility"
# By the most careful group that something in the message belongs to.
OF_GROUP = {
    "contraindicated": "utter_vaccine_eligibility_contraindicated",
    "delay": "utter_vaccine_eligibility_delay",
    "delay_or_caution": "utter_vaccine_eligibility_delay",
    "caution": "utter_vaccine_eligibility_caution",
    "not_listed": "utter_vaccine_eligibility_not_listed",
}
OLDER = "utter_vaccine_eligibility_older"
# More lines do not fit into 900 characters.
LINES_TOLD = 3
PREGNANCY_OR_CHILD = "utter_vaccine_pregnancy_children"
# Conditions with a sentence of their own (fragments screening_note_…).
EXPLAINED = frozenset({"anaphylaxis", "past_covid"})
# Who has it is or was pregnant, said or not.
OF_PREGNANCY = "diabetes_of_pregnancy"
Line = dict[str, Any]


class ActionVaccineEligibility(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_vaccine_eligibility"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        key, values = await asyncio.to_thread(_decide, tracker)
        dispatcher.utter_message(response=key, **values)
        return []


def _decide(tracker: Tracker) -> tuple[str, dict[str, Any]]:
    """The general answer wherever it is not clear who is asked about: it names all groups and refers to the doctor."""
    asked = about(tracker)
    if says_danger(tracker) or (asked.is_acutely_ill and says_danger_of_the_ill(tracker)):
        return EMERGENCY, {}
    if asked.is_minor:  # the guideline is for adults
        return PREGNANCY_OR_CHILD, {}
    if asked.is_several or asked.is_of_two_ages:
        return GENERAL, {}
    if asked.conditions or asked.cured:
        lines = screening_lines(asked)
        return OF_GROUP[lines[0]["group"]], {"person": asked.as_value(with_illnesses=False), "screening": lines}
    if asked.pregnancy:
        return PREGNANCY_OR_CHILD, {}
    if asked.group == "older":
        return OLDER, {"person": asked.as_value()}
    return GENERAL, {}


def screening_lines(asked: About) -> list[Line]:
    """One line for each group and cause, the most careful group first."""
    told = list(asked.conditions[:CONDITIONS_TOLD])
    cured = list(asked.cured[: max(0, CONDITIONS_TOLD - len(told))])
    lines = [*_lines_of(told, is_pregnant=asked.is_pregnant), *_line_of_pregnancy(asked.pregnancy), *_line_of_cured(cured)]
    first, *rest = sorted(_merged(lines), key=lambda line: _place(line["group"]))
    ordered = [first, *map(_without_minor_note, rest)]
    is_cut = len(asked.conditions) + len(asked.cured) > len(told) + len(cured) or len(ordered) > LINES_TOLD
    return [*ordered[:LINES_TOLD], *([{"note": "more"}] if is_cut else [])]


def _without_minor_note(line: Line) -> Line:
    """What became of an older rule is told only where nothing weightier is."""
    return {name: part for name, part in line.items() if (name, part) != ("note", "past_covid")}


def _place(group: str) -> int:
    """A pregnancy that may be early stands with the more careful group."""
    return GROUPS.index("delay") if group == "delay_or_caution" else GROUPS.index(group)


def _lines_of(told: Iterable[Condition], *, is_pregnant: bool) -> Iterable[Line]:
    for condition in told:
        if condition.key == OF_PREGNANCY and not is_pregnant:
            yield {"group": "delay_or_caution", "cause": "none", "names": [condition.name]}
            continue
        line: Line = {"group": condition.group, "cause": condition.cause, "names": [condition.name]}
        yield {**line, "note": condition.key} if condition.key in EXPLAINED else line


def _line_of_pregnancy(pregnancy: Mapping[str, Any] | None) -> Iterable[Line]:
    if pregnancy is None:
        return
    if pregnancy["state"] != "pregnant":
        yield {"group": "not_listed", "cause": "none", "pregnancy": pregnancy}
        return
    group, cause = {
        "early": ("delay", "pregnancy_early"),
        "later": ("caution", "pregnancy_later"),
        None: ("delay_or_caution", "none"),
    }[pregnancy["stage"]]
    yield {"group": group, "cause": cause, "pregnancy": pregnancy, "note": "pregnancy"}


def _line_of_cured(cured: Iterable[Condition]) -> Iterable[Line]:
    if names := [condition.name for condition in cured]:
        yield {"group": "not_listed", "cause": "none", "cured": names}


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Lines of one group and cause become one."""
    merged: dict[tuple[str, str], Line] = {}
    for line in lines:
        known = merged.setdefault((line["group"], line["cause"]), {})
        names = [*known.get("names", []), *line.get("names", [])]
        known.update({**line, **({"names": names} if names else {}), **({"note": known["note"]} if "note" in known else {})})
    return list(merged.values())
