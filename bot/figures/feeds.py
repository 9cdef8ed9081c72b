"""The World Health Organization's file of reported cases and deaths: fetched with limits, read with suspicion.

Of the feeds that ever carried Viet Nam's figures only this one is still a published file. Its address is
`FEED_WHO_URL`; the weekly and the daily file have the same columns:

    Date_reported,Country_code,Country,WHO_region,New_cases,Cumulative_cases,New_deaths,Cumulative_deaths
    2023-12-03,VN,Viet Nam,WPRO,0,11624000,0,43206
    2023-12-10,VN,Viet Nam,WPRO,,11624000,,43206

Seen in its versions of 2020 to 2025: a byte order mark, CRLF, `2020-01-24T00:00:00Z`, commas inside quotes, an empty
cell for "not reported", and copies re-saved by a spreadsheet with `;` and dd/mm/yyyy.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import requests
import urllib3

from bot.figures.checks import impossible, stale_since

WHO = "who"
WHO_ISSUER = "Tổ chức Y tế Thế giới (WHO)"
COUNTRY_CODE = "VN"
COUNTRY = "vn"
COLUMNS = ("Date_reported", "Country_code", "New_cases", "Cumulative_cases", "Cumulative_deaths")
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

DEADLINE_SECONDS = 8.0
CONNECT_SECONDS = 3.0
# The longest silence between two pieces of the file. The deadline is looked at between pieces, so a fetch ends after
# DEADLINE_SECONDS + SILENCE_SECONDS at the latest (name resolution aside: it has the system's own limit).
SILENCE_SECONDS = 3.0
PAUSE_SECONDS = 0.5
TRIES = 2
MOST_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 64 * 1024
LONGEST_LINE = 100_000
MOST_REDIRECTS = 3


class FeedError(Exception):
    """The feed gave nothing that may be told; the sentence says what was wrong (and no address, which may hold a password)."""


@dataclass(frozen=True)
class Reading:
    """One figure as its issuer published it. `as_of` is the day it is for; `fetched_at` (aware, UTC) when we read it.

    `stale_since` is set when the source has published nothing newer for `place` since that day.
    """

    feed: str
    metric: str
    place: str
    as_of: datetime.date
    stale_since: datetime.date | None
    value: int
    issuer: str
    url: str
    fetched_at: datetime.datetime


@dataclass(frozen=True)
class Row:
    """One day or week of the country: totals since the beginning; `is_reported` is False where New_cases is empty."""

    day: datetime.date
    is_reported: bool
    cases: int
    deaths: int


class _Passing(Exception):
    """A fault that may be gone in a moment; `wait` is what the server asked for, in seconds."""

    def __init__(self, sentence: str, wait: float = PAUSE_SECONDS) -> None:
        super().__init__(sentence)
        self.wait = wait


def read_who(url: str) -> list[Reading]:
    """Viet Nam's cumulative cases and deaths from the file at `url`; raises FeedError within about 8 seconds."""
    rows = _fetch(url, time.monotonic() + DEADLINE_SECONDS)
    return readings(rows, url, datetime.datetime.now(datetime.UTC))


def readings(rows: Iterable[Row], url: str, fetched_at: datetime.datetime) -> list[Reading]:
    """The last reported figures in `rows` (any order), for days that were over when they were fetched."""
    today = fetched_at.astimezone(VIETNAM).date()
    # The row of a running day or week is 0 or partial until its end.
    complete = sorted((row for row in rows if row.day < today), key=lambda row: row.day)
    if not complete:
        raise FeedError(f"the file has no figures for country code {COUNTRY_CODE}")
    told = _last_reported(complete)
    stale = stale_since(told.day, complete[-1].day, today)
    return [
        Reading(WHO, metric, COUNTRY, told.day, stale, value, WHO_ISSUER, url, fetched_at)
        for metric, value in (("cases", told.cases), ("deaths", told.deaths))
    ]


def _last_reported(rows: list[Row]) -> Row:
    """The newest row with something new in it: WHO repeats the old total in rows that the country did not report."""
    told = rows[0]
    for before, row in pairwise(rows):
        if row.is_reported or row.cases != before.cases:
            told = row
    return told


def vietnam_rows(lines: Iterable[str]) -> list[Row]:
    """The country's rows of the file, given line by line; raises FeedError naming what is missing or unreadable."""
    source = iter(lines)
    header = next(source, "")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    names = _names(header, delimiter)
    rows: list[Row] = []
    cells: list[str] = []
    try:
        for cells in csv.reader(source, delimiter=delimiter):
            cell = dict(zip(names, cells, strict=False))
            if cell.get("Country_code", "").strip() == COUNTRY_CODE:
                rows += _row(cell)
    except csv.Error as error:
        raise FeedError(f"the file is not CSV: {error}") from error
    if cells and len(cells) < len(names):
        raise FeedError(f"the file is cut off: its last row has {len(cells)} of {len(names)} columns")
    return rows


def _names(header: str, delimiter: str) -> list[str]:
    if not header.strip():
        raise FeedError("the file is empty")
    if header.lstrip().startswith("<"):
        raise FeedError("a web page came instead of the file")
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
    if missing := [column for column in COLUMNS if column not in names]:
        raise FeedError(f"the file has no column {', '.join(missing)}")
    return names


def _row(cell: dict[str, str]) -> list[Row]:
    """The row as numbers; none for a row without totals. New_cases may be negative (a correction), totals may not."""
    if missing := [column for column in COLUMNS if column not in cell]:
        raise FeedError(f"a row of the country has no {', '.join(missing)}")
    day = _day(cell["Date_reported"])
    new = _number(cell, "New_cases")
    cases, deaths = _number(cell, "Cumulative_cases"), _number(cell, "Cumulative_deaths")
    if cases is None or deaths is None:
        return []
    if reason := impossible(cases, deaths):
        raise FeedError(f"the row of {day} cannot be true: {reason}")
    return [Row(day, new is not None, cases, deaths)]


def _day(text: str) -> datetime.date:
    """`2020-01-24`, `2020-01-24T00:00:00Z` or `24/01/2020`."""
    try:
        if "/" in text:
            day, month, year = text.strip().split("/")
            return datetime.date(int(year), int(month), int(day))
        return datetime.date.fromisoformat(text.strip().partition("T")[0])
    except ValueError as error:
        raise FeedError(f"Date_reported cannot be read: {text[:30]!r}") from error


def _number(cell: dict[str, str], column: str) -> int | None:
    """None for an empty cell (not reported); `11624000.0`, as table software writes whole numbers, is a whole number."""
    text = cell[column].strip()
    if text in {"", "NaN", "nan"}:
        return None
    try:
        return int(text.removesuffix(".0"))
    except ValueError as error:
        raise FeedError(f"{column} cannot be read as a number: {text[:30]!r}") from error


def _fetch(url: str, deadline: float) -> list[Row]:
    """One try, and a second after a fault that may pass (network, 429, 5xx) if its wait fits before the deadline."""
    with requests.Session() as session:
        session.max_redirects = MOST_REDIRECTS
        for tries_left in reversed(range(TRIES)):
            try:
                return _try(session, url, deadline)
            except _Passing as fault:
                if not tries_left or time.monotonic() + fault.wait >= deadline:
                    raise FeedError(str(fault)) from fault
                time.sleep(fault.wait)
    raise AssertionError("every try returns or raises")


def _try(session: requests.Session, url: str, deadline: float) -> list[Row]:
    silence = min(SILENCE_SECONDS, max(0.1, deadline - time.monotonic()))
    try:
        with session.get(url, stream=True, timeout=(CONNECT_SECONDS, silence)) as response:
            _check_answer(response)
            return vietnam_rows(_lines(_pieces(response, deadline)))
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _Passing(f"the file could not be fetched ({type(error).__name__})") from error


def _check_answer(response: requests.Response) -> None:
    if response.status_code == 429 or response.status_code >= 500:
        raise _Passing(f"the server answered {response.status_code}", _retry_after(response))
    if response.status_code != 200:
        raise FeedError(f"the server answered {response.status_code}")


def _retry_after(response: requests.Response) -> float:
    """Retry-After in seconds, given as seconds or as a date; a short pause when it is absent or unreadable."""
    asked = response.headers.get("Retry-After", "")
    try:
        seconds = float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - time.time()
    except ValueError:
        return PAUSE_SECONDS
    return max(PAUSE_SECONDS, seconds)


def _pieces(response: requests.Response, deadline: float) -> Iterator[bytes]:
    """The unpacked body as it arrives. `read1` returns what is there: `iter_content` would sit on a dripping server."""
    size = 0
    while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
        size += len(piece)
        if size > MOST_BYTES:
            raise FeedError(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB")
        if time.monotonic() > deadline:
            raise FeedError(f"the file did not arrive within {DEADLINE_SECONDS:.0f} s")
        yield piece


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Text lines without their line feed. Bytes that are not UTF-8 are replaced: other countries' names are not ours to judge."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + decoder.decode(piece)).split("\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise FeedError("the file has no lines")
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest
