"""What the tests of the gate share: recorded numbers as readings, without the adapters' own care."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.figures.known import Stored
from bot.figures.readings import VIETNAM, Reading, Window

GATE = Path(__file__).parent / "fixtures/gate"


def day(text: str) -> datetime.date:
    """`2022-01-22` or `22/1/2022`."""
    if "/" in text:
        number, month, year = (int(part) for part in text.split("/"))
        return datetime.date(year, month, number)
    return datetime.date.fromisoformat(text)


def moment(text: str) -> datetime.datetime:
    """Local time in Viet Nam, `2022-01-22T17:00`."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=VIETNAM).astimezone(datetime.UTC)


def reading(as_of: str, value: int, **other: Any) -> Reading:
    """Cases of the country by day, fetched at noon of the day after, if nothing else is said."""
    on = day(as_of)
    fetched_at = datetime.datetime.combine(on + datetime.timedelta(days=1), datetime.time(5), datetime.UTC)
    window = Window(other.pop("kind", "day"), other.pop("starts_at", None), other.pop("ends_at", None))
    fields = {
        "feed": "ncsc",
        "metric": "cases",
        "place": "vn",
        "issuer": "NCSC",
        "url": "https://feed.example",
        "fetched_at": fetched_at,
    }
    return Reading(**{**fields, **other, "as_of": on, "window": window, "value": value})


def stored(as_of: str, value: int, **other: Any) -> Stored:
    kept = {name: other.pop(name) for name in ("id", "verdict", "marks", "supersedes") if name in other}
    return Stored(**vars(reading(as_of, value, **other)), **kept)


def series(document: str, column: str, *, fetched: str, kind: str = "day", **other: Any) -> list[Reading]:
    """A column `{"22/1/2022": 0, …}` of a recorded document."""
    values: Mapping[str, int] = json.loads((GATE / document).read_text(encoding="utf-8"))[column]
    return [reading(on, value, kind=kind, fetched_at=moment(fetched), **other) for on, value in values.items()]


def who(document: str, *, fetched: str) -> list[Reading]:
    """The reported weeks and totals of a recorded file."""
    found = []
    for row in csv.DictReader((GATE / document).read_text(encoding="utf-8").splitlines()):
        for metric, new, total in (("cases", "New_cases", "Cumulative_cases"), ("deaths", "New_deaths", "Cumulative_deaths")):
            for kind, column in (("week", new), ("total", total)):
                if row[new]:
                    more = {"feed": "who", "metric": metric, "kind": kind, "fetched_at": moment(fetched)}
                    found.append(reading(row["Date_reported"], int(row[column]), **more))
    return found


def provinces() -> dict[int, Mapping[str, Any]]:
    """The 64 rows of a recorded document by code of the Statistics Office; 999 is the row without a province."""
    return {row["ma"]: row for row in json.loads((GATE / "vncdc_provinces.json").read_text(encoding="utf-8"))}
