"""How a figure, its window and the gate's reasons read on a page. Pure; every word is in locales/vi/interface/."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

from bot.figures.readings import Reading
from bot.figures.told import Figure
from bot.staff.layout import day, moment, number

DAY = datetime.timedelta(days=1)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d+")


def window(figure: Figure | Reading, words: Mapping[str, Any]) -> str:
    """`từ 16:00 09/02/2022 đến 16:00 10/02/2022`, `ngày 10/02/2022`, `tính đến hết 03/12/2023`"""
    if isinstance(figure, Figure):
        kind, starts_at, ends_at, days = figure.window_kind, figure.starts_at, figure.ends_at, figure.days
    else:
        held = figure.window
        kind, starts_at, ends_at, days = held.kind, held.starts_at, held.ends_at, {"day": 1, "week": 7}.get(held.kind)
    as_of = figure.as_of
    form = _form(kind, starts_at, ends_at, days)
    first = as_of - DAY * ((days or 1) - 1)
    return str(words["windows"][form]).format(
        as_of=day(as_of),
        first=day(first),
        starts=moment(starts_at) if starts_at else "",
        ends=moment(ends_at) if ends_at else "",
    )


def _form(kind: str, starts_at: datetime.datetime | None, ends_at: datetime.datetime | None, days: int | None) -> str:
    if kind == "total":
        return "total_hours" if ends_at else "total"
    if starts_at and ends_at:
        return "hours"
    return "day" if days == 1 else "days"


def label(metric: str, kind: str, words: Mapping[str, Any]) -> str:
    return str(words["metric_total" if kind == "total" else "metric_new"][metric])


def reason(sentence: str, words: Mapping[str, Any]) -> str | None:
    """The gate's sentence in Vietnamese; None for one that nobody has translated yet."""
    for pattern, text in words["gate_reasons"]:
        if found := re.fullmatch(pattern, sentence):
            return str(text).format(**{name: _part(value) for name, value in found.groupdict().items()})
    return None


def _part(text: str) -> str:
    if _ISO_DAY.fullmatch(text):
        return day(datetime.date.fromisoformat(text))
    return number(int(text)) if _NUMBER.fullmatch(text) else text
