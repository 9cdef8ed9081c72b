"""What the tests of the Vietnamese feeds share: their documents as if fetched, and what was read of them."""

from __future__ import annotations

import datetime
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

from bot.figures.feeds import Context
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import Batch
from bot.figures.validators import Validators

ROOT = Path(__file__).parents[2]
FIXTURES = Path(__file__).parent / "fixtures"


@cache
def places() -> FigurePlaces:
    return FigurePlaces.load(ROOT)


def document(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def fetched(content: Any, last_modified: str | None = None) -> Fetched:
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Fetched(io.BytesIO(body), Validators(last_modified=last_modified))


def context(fetched_at: str, url: str = "https://feed.example/api") -> Context:
    """`fetched_at` is local time in Viet Nam: `2022-01-22T17:00`."""
    local = datetime.datetime.fromisoformat(f"{fetched_at}+07:00")
    return Context(local.astimezone(datetime.UTC), places(), url)


def told(batch: Batch) -> dict[tuple[str, str, str, str], int]:
    """`{("cases", "dak-lak-until-2025", "day", "2022-01-20"): 153, …}`"""
    return {(r.metric, r.place, r.window.kind, r.as_of.isoformat()): r.value for r in batch.readings}


def newest_rows(batch: Batch) -> set[str]:
    return {day.isoformat() for day in batch.newest_rows.values()}
