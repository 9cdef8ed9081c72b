"""Figures of the epidemic: the last good reading of the official source, always with its day, issuer and day of fetching."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.asked import ambiguous_name, named_place, places
from bot.figures.feeds import COUNTRY, VIETNAM
from bot.figures.store import Told, read_told, refresh_figures
from bot.postgres import running_embedded_url
from bot.settings import Settings

# How long a citizen waits for the feed; after that the last good figure is told and the refresh goes on in its thread.
REFRESH_WAIT_SECONDS = 3.0
READ_SECONDS = 3.0

_refreshing: set[asyncio.Task[bool]] = set()


class ActionCaseFigures(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_case_figures"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        place = await asyncio.to_thread(_named, tracker)
        if place:
            # The same for every place, so nobody is asked which of several is meant.
            dispatcher.utter_message(response="utter_case_figures_place", place_name=place)
            return []
        told = await told_soon()
        cases, deaths = told.find("cases", COUNTRY), told.find("deaths", COUNTRY)
        if cases is None or deaths is None:
            dispatcher.utter_message(response="utter_case_figures_unavailable")
            return []
        values = {
            "cases": thousands(cases.value),
            "deaths": thousands(deaths.value),
            "as_of": spoken_day(cases.as_of),
            "issuer": cases.issuer,
            "fetched": spoken_day(cases.fetched_at.astimezone(VIETNAM).date()),
        }
        if cases.stale_since:
            dispatcher.utter_message(response="utter_case_figures_frozen", **values, stale_since=spoken_day(cases.stale_since))
        else:
            dispatcher.utter_message(response="utter_case_figures", **values)
        return []


class ActionVaccinationFigures(Action):  # type: ignore[misc]
    def name(self) -> str:
        return "action_vaccination_figures"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        told = await told_now()
        doses, first, second = (told.find(metric, COUNTRY) for metric in ("doses", "first_doses", "second_doses"))
        if doses is None or first is None or second is None or len({doses.as_of, first.as_of, second.as_of}) > 1:
            dispatcher.utter_message(response="utter_vaccination_figures_unavailable")
            return []
        dispatcher.utter_message(
            response="utter_vaccination_figures",
            doses=thousands(doses.value),
            first_doses=thousands(first.value),
            second_doses=thousands(second.value),
            as_of=spoken_day(doses.as_of),
            issuer=doses.issuer,
        )
        return []


def _named(tracker: Tracker) -> str | None:
    """What to call the place that the message names, one or several of a name."""
    place = named_place(tracker)
    return ambiguous_name(tracker) or (places().spoken(place) if place else None)


async def told_now() -> Told:
    """The last good readings; the shipped ones when the database does not answer in time."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(lambda: read_told(_database(_settings()))), READ_SECONDS)
    except TimeoutError:
        return await asyncio.to_thread(read_told, None)


async def told_soon() -> Told:
    """The last good readings, after a refresh of at most REFRESH_WAIT_SECONDS when the feed is due."""
    told = await told_now()
    if not told.refresh_is_due:
        return told
    refreshing = asyncio.create_task(asyncio.to_thread(_refresh))
    _refreshing.add(refreshing)  # the loop itself keeps no strong reference
    refreshing.add_done_callback(_refreshing.discard)
    done, _ = await asyncio.wait({refreshing}, timeout=REFRESH_WAIT_SECONDS)
    return await told_now() if done else told


def _refresh() -> bool:
    settings = _settings()
    url = _database(settings)
    return bool(url) and refresh_figures(settings, str(url))


def _settings() -> Settings:
    return Settings.from_environment()


def _database(settings: Settings) -> str | None:
    return settings.database_url or running_embedded_url(settings)


def thousands(number: int) -> str:
    """11624000 → `11.624.000`."""
    return f"{number:,}".replace(",", ".")


def spoken_day(day: datetime.date) -> str:
    """`03/12/2023`: official Vietnamese texts write days below 10 with a zero (Nghị định 30/2020/NĐ-CP)."""
    return f"{day:%d/%m/%Y}"
