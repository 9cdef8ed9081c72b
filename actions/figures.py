"""Figures of the epidemic: what official sources published, always with its day, its issuer and the day on which it was read.

What is asked comes from the message (bot/languages/periods.py), after a short follow-up from the question before it as well;
which numbers are told is decided in bot/figures/told.py. Here they are put into the values of an answer.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asked import AMBIGUOUS, PLACE, last_place, places, served_province
from bot.figures.as_values import as_value, marks, note, publication
from bot.figures.known import Known
from bot.figures.places import FigurePlaces
from bot.figures.readings import COUNTRY, VIETNAM
from bot.figures.refresh import known_soon
from bot.figures.told import METRICS, Asked, Comparison, Figure, Group, Told, compared, tell
from bot.figures.weeks import as_value as weeks_as_value
from bot.figures.weeks import weekly
from bot.languages.follow_ups import Named, follow_ups
from bot.languages.periods import Wanted, wanted
from bot.postgres import known_address
from bot.settings import PROVINCES, ROOT, Settings

Answer = tuple[str, dict[str, Any]]
Entity = Mapping[str, Any]

WEEKS_SHOWN = 8
# A picture of one week says nothing that its number does not.
FEWEST_WEEKS_SHOWN = 2
INTENTS: Mapping[Group, str] = {"cases": "case_figures", "vaccination": "vaccination_figures"}
# Response by what there is to tell; `nowhere`: of a place that has none.
RESPONSES: Mapping[Group, Mapping[str, str]] = {
    "cases": {
        "current": "utter_case_figures",
        "old": "utter_case_figures_frozen",
        "old_of_place": "utter_case_figures_place_last",
        "nowhere": "utter_case_figures_place",
        "none": "utter_case_figures_unavailable",
    },
    "vaccination": {
        "current": "utter_vaccination_figures",
        "old": "utter_vaccination_figures_frozen",
        "old_of_place": "utter_vaccination_figures_place_last",
        "nowhere": "utter_vaccination_figures_place",
        "none": "utter_vaccination_figures_unavailable",
    },
}
# Answers that stand on the publication of their number; of old ones of a province the source is why there is no newer one.
PUBLISHED = frozenset({"current", "old"})
# Feeds whose page is the response's own source; of any other the answer names the publication that its number is from.
DOCUMENTED: Mapping[Group, frozenset[str]] = {"cases": frozenset({"who"}), "vaccination": frozenset({"ncsc-vaccine"})}


@dataclass(frozen=True)
class Place:
    """Where is asked about: `key` of figure places, None for a name that several provinces have. `name`: as an answer calls
    what the citizen named; `is_part`: that is a commune or a district, of which nobody publishes figures."""

    key: str | None
    name: str
    province: str | None = None
    is_part: bool = False


class ActionCaseFigures(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_case_figures"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return await _run(dispatcher, tracker, "cases")


class ActionVaccinationFigures(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_vaccination_figures"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        return await _run(dispatcher, tracker, "vaccination")


async def _run(dispatcher: CollectingDispatcher, tracker: Tracker, group: Group) -> list[dict[str, Any]]:
    settings = Settings.from_environment()
    known = await known_soon(settings, known_address(settings))
    key, values = await asyncio.to_thread(_answer, tracker, group, known, today())
    dispatcher.utter_message(response=key, **values)
    return []


def today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()


def _answer(tracker: Tracker, group: Group, known: Known, on: datetime.date) -> Answer:
    want, place = _question(tracker, group)
    if place.key is None:
        return RESPONSES[group]["nowhere"], {"place_name": place.name}
    period = want.period or ("week" if want.is_compared else "latest")
    asked = Asked(group, place.key, period, want.is_compared)
    told = tell(known, asked, figure_places(), on)
    figures = _wanted_figures(told.figures, _metrics(want, group))
    comparison = _comparison(known, asked, figures, told, on) if want.is_compared else None
    notes = [*_answered_notes(want, told, figures, asked, on), *_notes(want, place, figures, told, group)]
    state = _state(place, told)
    values: dict[str, Any] = {
        "place_name": place.name,
        **({"for_province": place.province} if place.province in PROVINCES else {}),
    }
    values |= {
        "told": _as_told(figures, comparison, notes, told, is_compared=want.is_compared),
        "figures": _reading_ids(figures, comparison),
    }
    if state in PUBLISHED and figures[0].feed not in DOCUMENTED[group]:
        values["published"] = publication(figures[0])
    if picture := _picture(known, place.key, figures, told, on, is_wanted=want.is_picture):
        values["picture"] = picture
    return RESPONSES[group][state], values


def _state(place: Place, told: Told) -> str:
    if told.figures and told.missing != "not_current":
        return "current"
    if place.key == COUNTRY:
        return "old" if told.figures else "none"
    return "old_of_place" if told.figures else "nowhere"


# ---- what is asked


def _question(tracker: Tracker, group: Group) -> tuple[Wanted, Place]:
    """What the last message asks and where, completed by the one before it where it only follows up."""
    latest, *earlier = _messages(tracker, INTENTS[group])
    near = [str(tracker.get_slot(PLACE)), served_province()]
    want, place = wanted(latest[0]), _place(latest[1], near)
    if earlier and _is_follow_up(*latest):
        before = wanted(earlier[0][0])
        place = place or (None if want.is_country else _place(earlier[0][1], near) or _home(tracker, before))
        want = want.after(before)
    return want, place or _home(tracker, want) or Place(COUNTRY, figure_places().unit(COUNTRY).name)


def _messages(tracker: Tracker, intent: str) -> list[tuple[str, list[Entity]]]:
    """Text and entities of the last message, and of the one before it if it asked the same."""
    latest = str(tracker.latest_message.get("text") or ""), list(tracker.latest_message.get("entities") or [])
    said = [event for event in tracker.events if event.get("event") == "user"][:-1]
    parsed = [(str(event.get("text") or ""), event.get("parse_data") or {}) for event in said[-1:]]
    same = [(text, list(p.get("entities") or [])) for text, p in parsed if (p.get("intent") or {}).get("name") == intent]
    return [latest, *same]


def _is_follow_up(text: str, entities: Sequence[Entity]) -> bool:
    placed = [entity for entity in entities if "start" in entity and "end" in entity]
    return follow_ups().aspect(text, Named.among(placed)) is not None


def _place(entities: Iterable[Entity], near: Sequence[str]) -> Place | None:
    """The last place of ours that a message names, else an ambiguous name, looked for in the places `near`, else the first place
    elsewhere."""
    named = [str(e["value"]) for e in entities if e.get("entity") == PLACE and e.get("value") in places()]
    ours = [key for key in named if not places()[key].is_elsewhere]
    key = next(iter([*reversed(ours), *named]), None)
    name = next((str(e["value"]) for e in entities if e.get("entity") == AMBIGUOUS), None)
    if name is not None and not ours:
        return _of_several(name, near)
    return _of(key) if key else None


def _of_several(name: str, near: Sequence[str]) -> Place:
    """Places of one name: which is meant need not be known where all lie in one province."""
    found = [_of(key) for key in places().candidates(name, near)]
    provinces = {place.key for place in found}
    return replace(found[0], name=name) if len(provinces) == 1 else Place(None, name)


def _of(key: str) -> Place:
    place = places()[key]
    figure_place = figure_places().of_citizen_place(key)
    is_part = figure_places().unit(figure_place).name != place.name
    return Place(figure_place, places().spoken(key), place.province, is_part)


def _home(tracker: Tracker, want: Wanted) -> Place | None:
    """ "Tỉnh mình": the province that the conversation is about, else the one that is served."""
    if not want.is_home or want.is_country:
        return None
    key = last_place(tracker)
    province = places().province_of(key) if key else None
    return _of(province if province in PROVINCES else served_province())


def _metrics(want: Wanted, group: Group) -> tuple[str, ...]:
    if group == "cases":
        return want.metrics or METRICS[group]
    return {"doses": ("doses",), "people": ("first_doses", "second_doses"), None: METRICS[group]}[want.doses]


# ---- what is told


def _wanted_figures(figures: Sequence[Figure], metrics: Sequence[str]) -> tuple[Figure, ...]:
    """Those of the metrics that were asked for; all where there is none of them."""
    return tuple(figure for figure in figures if figure.metric in metrics) or tuple(figures)


def _comparison(known: Known, asked: Asked, figures: Sequence[Figure], told: Told, on: datetime.date) -> Comparison | None:
    if not figures or told.missing == "not_current" or figures[0].metric == METRICS[asked.metric_group][0]:
        return told.comparison
    return compared(known, figures[0].metric, asked, figure_places(), on)


def _answered_notes(
    want: Wanted, told: Told, figures: Sequence[Figure], asked: Asked, on: datetime.date
) -> Iterator[dict[str, Any]]:
    """Where what is told is not quite what was asked."""
    lead = figures[0] if figures else None
    if lead and told.missing != "not_current" and want.period and want.period != "latest":
        days = {"today": on, "yesterday": on - datetime.timedelta(days=1)}
        is_another_day = lead.window_kind == "day" and lead.as_of != days.get(want.period, lead.as_of)
        if told.missing == "other_window" or is_another_day:
            yield note(f"not_{want.period}")
    missing = set(want.metrics) - {figure.metric for figure in figures}
    if figures and asked.metric_group == "cases":
        yield from (note(f"no_{metric}") for metric in sorted(missing))


def _notes(want: Wanted, place: Place, figures: Sequence[Figure], told: Told, group: Group) -> Iterator[dict[str, Any]]:
    """What must be known to read the numbers, and what was asked beside them and nobody publishes."""
    ending = "_doses" if group == "vaccination" else ""
    if want.is_other_count:
        yield note(f"other_count{ending}")
    if want.is_share:
        yield note("share")
    if want.is_other_time:
        yield note("other_time")
    if want.is_abroad:
        yield note("abroad")
    if told.parts_missing:
        yield note("part_missing", parts=", ".join(figure_places().unit(part).name for part in told.parts_missing))
    if figures and place.is_part:
        yield note("province", asked=place.name)
    yield from marks(figures, figure_places(), ending)


def _as_told(
    figures: Sequence[Figure], comparison: Comparison | None, notes: Sequence[Mapping[str, Any]], told: Told, *, is_compared: bool
) -> dict[str, Any]:
    """The value `told` of an answer (bot/languages/figure_lines.py): numbers, days as `2026-11-15`, names and keys."""
    return {
        "figures": [as_value(figure, figure_places()) for figure in figures],
        "comparison": _compared_value(comparison) if is_compared and figures and told.missing != "not_current" else None,
        "notes": list(notes),
        "is_old": told.missing == "not_current",
    }


def _compared_value(comparison: Comparison | None) -> dict[str, Any]:
    if comparison is None or comparison.direction == "not_comparable":
        return {"direction": "not_comparable"}
    return {
        "direction": comparison.direction,
        "change": comparison.change,
        "before": as_value(comparison.before, figure_places()),
        "now": as_value(comparison.now, figure_places()),
    }


def _reading_ids(figures: Sequence[Figure], comparison: Comparison | None) -> list[int]:
    told = [*figures, *((comparison.before, comparison.now) if comparison else ())]
    return sorted({number for figure in told for number in figure.reading_ids})


def _picture(
    known: Known, place: str, figures: Sequence[Figure], told: Told, on: datetime.date, *, is_wanted: bool
) -> dict[str, Any] | None:
    """The last weeks as a picture, where there is something to see: of old figures only for who asked for one."""
    if not figures or (told.missing == "not_current" and not is_wanted):
        return None
    found = weekly(known, figures[0].metric, place, figure_places(), on, weeks=WEEKS_SHOWN)
    if found is None or found.known_weeks < FEWEST_WEEKS_SHOWN:
        return None
    return {**weeks_as_value(found, figure_places()), "weeks": WEEKS_SHOWN}


def figure_places() -> FigurePlaces:
    return FigurePlaces.below(ROOT)
