"""Figures as the values of an answer: numbers, days as `2026-11-15`, names and keys. The words: bot/languages/figure_lines.py."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from bot.figures.corrections import published_address
from bot.figures.known import BULLETIN
from bot.figures.places import FigurePlaces
from bot.figures.readings import COUNTRY, VIETNAM
from bot.figures.told import Figure
from bot.figures.weeks import part_names

# The notes that an answer which grew too long loses first, the least needed one before the others.
NOTES_THAT_MAY_GO = (
    "not_today",
    "not_yesterday",
    "not_week",
    "not_last_week",
    "not_month",
    "not_total",
    "backlog",
    "backlog_doses",
    "province",
    "part_missing",
    "summed",
    "summed_country",
    "revised",
    "no_cases",
    "no_deaths",
    "other_time",
    "share",
    "other_count",
    "other_count_doses",
    "abroad",
    "bulletin",
)


def as_value(figure: Figure, places: FigurePlaces) -> dict[str, Any]:
    return {
        "metric": figure.metric,
        "place_name": places.unit(figure.place).name,
        "kind": figure.window_kind,
        "days": figure.days,
        "as_of": figure.as_of.isoformat(),
        "starts_at": figure.starts_at.isoformat() if figure.starts_at else None,
        "ends_at": figure.ends_at.isoformat() if figure.ends_at else None,
        "value": figure.value,
        "issuer": figure.issuer,
        "fetched_on": _day(figure.fetched_at),
        "stale_since": figure.stale_since.isoformat() if figure.stale_since else None,
    }


def marks(figures: Sequence[Figure], places: FigurePlaces, ending: str) -> Iterator[dict[str, Any]]:
    """What must be known to read these numbers. `ending`: `_doses` where they count doses."""
    if any("backlog" in figure.marks for figure in figures if figure.window_kind != "total"):
        yield note(f"backlog{ending}")
    for place, summed_over in dict.fromkeys((figure.place, figure.summed_over) for figure in figures):
        names = part_names(place, summed_over, places)
        if names:
            yield note("summed", parts=", ".join(names), place=places.unit(place).name)
        elif summed_over and place == COUNTRY:
            yield note("summed_country")
    if any("revised" in figure.marks for figure in figures):
        yield note("revised")
    if any(figure.feed == BULLETIN for figure in figures):
        yield note("bulletin")


def note(key: str, **values: str) -> dict[str, Any]:
    return {"key": key, "may_go": 1 + NOTES_THAT_MAY_GO.index(key), **values}


def publication(figure: Figure) -> dict[str, str]:
    """What the answer's source card shows: without a password or a key that the feed's address may hold."""
    return {
        "issuer": figure.issuer,
        "as_of": figure.as_of.isoformat(),
        "url": published_address(figure.feed, figure.url),
        "fetched_on": _day(figure.fetched_at),
    }


def _day(moment: datetime.datetime) -> str:
    return moment.astimezone(VIETNAM).date().isoformat()
