"""What a feed is to those who read it: an address, an issuer and a way to read its document."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bot.figures.fetch import MOST_BYTES, Fetched, NotModified, fetch, public_address
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Batch, FeedError, Reading, Series
from bot.figures.validators import Validators

# Stands in an address for the day in Viet Nam, as 2026-11-22: some documents must be asked for up to a day.
TODAY = "{today}"
# What is older, counted from the document's newest row, cannot be asked for any more; a series' newest reading always can.
KEPT = datetime.timedelta(days=120)


@dataclass(frozen=True)
class Context:
    """What an adapter may know besides the document. `fetched_at` is aware (UTC); `url` becomes the readings' address, so it
    never holds a user, a password or a query."""

    fetched_at: datetime.datetime
    places: FigurePlaces
    url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", public_address(self.url))


@dataclass(frozen=True)
class Feed:
    """One document that is read again and again. `rank`: of two feeds with a figure for the same day the lower one is told.

    `verify`: True, or the path of the one CA certificate that the host is trusted by.
    """

    name: str
    issuer: str
    url: str = field(repr=False)
    read: Callable[[Fetched, Context], Batch] = field(repr=False)
    rank: int
    is_official_vn: bool
    verify: bool | str = True
    most_bytes: int = MOST_BYTES

    def fetch(self, known: Validators | None = None) -> Fetched | NotModified:
        """The document now, or NotModified if it still is that of `known`; raises FeedError within about 8 seconds."""
        url = self.url.replace(TODAY, datetime.datetime.now(VIETNAM).date().isoformat())
        return fetch(url, known=known, verify=self.verify, most_bytes=self.most_bytes)


def recent(readings: Iterable[Reading], newest_rows: Mapping[Series, datetime.date]) -> list[Reading]:
    """The readings without those that lie more than `KEPT` before the document's newest row; each series keeps its newest."""
    readings = list(readings)
    newest: dict[Series, datetime.date] = {}
    for reading in readings:
        newest[reading.series] = max(reading.as_of, newest.get(reading.series, reading.as_of))
    oldest = max([*newest_rows.values(), *newest.values()], default=datetime.date.max) - KEPT
    return [reading for reading in readings if reading.as_of >= oldest or reading.as_of == newest[reading.series]]


def parse_json(body: bytes) -> Any:
    """The document of a JSON feed (UTF-8, with or without a byte order mark); raises FeedError."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise FeedError("the file is not UTF-8") from error
    except RecursionError as error:
        raise FeedError("the file is nested too deeply") from error
    except ValueError as error:
        raise FeedError("the file is not JSON, or is cut off") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
