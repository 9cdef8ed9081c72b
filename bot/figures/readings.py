"""What a feed says, in one shape: a reading is one number as its issuer published it. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
COUNTRY = "vn"
# The row of cases whose province was not known ("Tỉnh Chưa rõ", code 999).
UNKNOWN_PLACE = "unknown"
METRICS = ("cases", "deaths", "doses", "first_doses", "second_doses")

Kind = Literal["total", "day", "week"]


class FeedError(Exception):
    """The feed gave nothing that may be told; the sentence says what was wrong (and no address, which may hold a password)."""


@dataclass(frozen=True)
class Window:
    """What a number counts: everything up to the end of its day (`total`), or what was new in a `day` or a `week` that ended
    then. `starts_at`, `ends_at` (aware): where the issuer's day does not end at midnight, as from 16:00 to 16:00."""

    kind: Kind
    starts_at: datetime.datetime | None = None
    ends_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Reading:
    """One number. `as_of`: the (last) day it is for, in Viet Nam; `fetched_at` (aware, UTC): when we read it.

    `place`: `vn`, a province of today (`dak-lak`), one of before July 2025 (`dak-lak-until-2025`) or `unknown`.
    """

    feed: str
    metric: str
    place: str
    as_of: datetime.date
    window: Window
    value: int
    issuer: str
    url: str
    fetched_at: datetime.datetime

    @property
    def series(self) -> Series:
        return Series(self.feed, self.metric, self.place, self.window.kind)


@dataclass(frozen=True, order=True)
class Series:
    """The readings of one feed that can be compared with each other."""

    feed: str
    metric: str
    place: str
    kind: str


@dataclass(frozen=True)
class Batch:
    """What one document of a feed held. `newest_rows`: the newest day of each series that it has a row for, reported or not.

    `warnings`: what was new or odd in the document and did not keep it from being read, one sentence each.
    """

    feed: str
    readings: Sequence[Reading]
    newest_rows: Mapping[Series, datetime.date] = field(default_factory=dict)
    warnings: Sequence[str] = ()
