"""Reading the feeds that are due: one reader a feed over all machines, one thread a process, and nobody waits for it.

Whatever a feed does (down, slow, wrong certificate, two gigabytes, a web page, another form, a lie), the caller sees at most
an outcome by name: the last good readings stay, an outage is one line in the log when it begins and one when it ends.
"""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import structlog

from bot.figures import attempts
from bot.figures.feeds import Context, Feed
from bot.figures.feeds.registry import enabled_feeds
from bot.figures.fetch import Fetched, NotModified
from bot.figures.gate import Judged, judge, people_of, series_states
from bot.figures.known import History, Known, Remembered, Stored
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Batch, FeedError, Series
from bot.figures.store import (
    LARGEST_VALUE,
    WRITE_MILLISECONDS,
    Connection,
    connected,
    history,
    kept_known,
    read_known,
    record,
    see_all_again,
    shipped,
    together,
)
from bot.figures.validators import Validators
from bot.log import where
from bot.metrics import FEED_FETCHES
from bot.settings import ROOT, Settings

# What a citizen waits for feeds and database together, at most.
CITIZEN_SECONDS = 2.0
# Of that, for a feed that was never read before; one that was is told as it is known and read meanwhile.
FIRST_READING_SECONDS = 1.3
# A process that answers a thousand questions a minute need not ask the database before each whether a feed is due.
LOOK_AGAIN_SECONDS = 5.0
LONGEST_SENTENCE = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How reading one feed ended: `read`, `unchanged`, `failed` (`sentence` says why), `not_due` or `busy` (another reads it)."""

    feed: str
    result: str
    sentence: str = ""


@dataclass
class Flight:
    """One round of reading in this process. `need_not_wait` is set once only feeds are left whose figures are known already."""

    need_not_wait: Future[None] = field(default_factory=Future)
    outcomes: Future[list[Outcome]] = field(default_factory=Future)


_lock = threading.Lock()
_flights: dict[str, tuple[float, Flight]] = {}


def refresh(
    settings: Settings, url: str, *, by_hand: bool = False, root: Path = ROOT, flight: Flight | None = None
) -> list[Outcome]:
    """Read the feeds that are due, one after the other. Blocks; never raises for feed or database.

    `by_hand`: all of them, due or not; what is news for the log of the service stays news for it.
    """
    outcomes: list[Outcome] = []
    try:
        feeds = enabled_feeds(settings, root)
        with connected(url, WRITE_MILLISECONDS) as connection:
            standing = attempts.standing(connection, [feed.name for feed in feeds])
            wanted = [feed for feed in feeds if by_hand or standing[feed.name].is_due]
            # Never read first: somebody may be waiting for these, and for these only.
            for feed in sorted(wanted, key=lambda feed: standing[feed.name].was_tried):
                if flight and standing[feed.name].was_tried:
                    _set(flight.need_not_wait, None)
                outcomes.append(_refresh_one(connection, feed, settings, root, by_hand=by_hand))
    except psycopg.Error as error:
        log.warning("figures_database_failed", error=type(error).__name__)
    return outcomes


async def refreshed(settings: Settings, url: str, *, root: Path = ROOT) -> list[Outcome]:
    """Read the feeds that are due in a thread of their own; several callers share one round. Cancelled, the round goes on."""
    return await asyncio.shield(asyncio.wrap_future(_take_off(settings, url, root).outcomes))


async def refresh_soon(settings: Settings, url: str | None, *, root: Path = ROOT) -> None:
    """See to it that feeds that are due are being read. Waits only for those never read before, FIRST_READING_SECONDS at most."""
    if url is None or _looked_lately(url):
        return
    waiting = asyncio.wrap_future(_take_off(settings, url, root).need_not_wait)
    await asyncio.wait({waiting}, timeout=FIRST_READING_SECONDS)


async def known_soon(settings: Settings, url: str | None, *, root: Path = ROOT) -> Known:
    """What may be told, within CITIZEN_SECONDS whatever feeds and database do; if need be what this process knew last."""
    deadline = time.monotonic() + CITIZEN_SECONDS
    await refresh_soon(settings, url, root=root)
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await asyncio.to_thread(read_known, url, root)
    except TimeoutError:
        return kept_known(url, root)


def fetched_known(settings: Settings, root: Path = ROOT) -> tuple[Known, list[Outcome]]:
    """Without a database: what is shipped and what the feeds say this moment, kept nowhere."""
    known, outcomes = shipped(root), []
    for feed in enabled_feeds(settings, root):
        try:
            document = _fetch(feed, None)
            if isinstance(document, Fetched):
                believed = Remembered((reading for reading in known.readings if reading.feed == feed.name), known.stale)
                known = together(known, _read(feed, document, believed, root).known)
            outcomes.append(Outcome(feed.name, "read"))
        except FeedError as error:
            outcomes.append(Outcome(feed.name, "failed", str(error)))
    return known, outcomes


def _refresh_one(connection: Connection, feed: Feed, settings: Settings, root: Path, *, by_hand: bool) -> Outcome:
    if not attempts.only_one(connection, feed.name):
        return Outcome(feed.name, "busy")
    try:
        interval = datetime.timedelta(minutes=settings.figures_minutes)
        attempt = attempts.begin(connection, feed.name, feed.rank, feed.url, interval, by_hand=by_hand)
        if attempt is None:
            return Outcome(feed.name, "not_due")
        outcome = _attempted(connection, feed, attempt, interval, root, by_hand=by_hand)
        FEED_FETCHES.labels(feed.name, outcome.result).inc()
        return outcome
    finally:
        attempts.let_go(connection, feed.name)


def _attempted(
    connection: Connection, feed: Feed, attempt: attempts.Attempt, interval: datetime.timedelta, root: Path, *, by_hand: bool
) -> Outcome:
    try:
        document = _fetch(feed, attempt.validators)
        if isinstance(document, NotModified):
            see_all_again(connection, feed.name, datetime.datetime.now(datetime.UTC))
        else:
            _keep(connection, feed, document, root)
    except FeedError as error:
        return _down(connection, feed, str(error), by_hand=by_hand)
    _up(connection, feed, interval, by_hand=by_hand)
    return Outcome(feed.name, "unchanged" if isinstance(document, NotModified) else "read")


def _fetch(feed: Feed, validators: Validators | None) -> Fetched | NotModified:
    try:
        return feed.fetch(validators)
    except FeedError:
        raise
    except Exception as error:  # a background job: what a host can do to its client has no complete list
        raise _unforeseen(error) from error


@dataclass(frozen=True)
class _Read:
    batch: Batch
    judged: Sequence[Judged]
    states: Mapping[Series, datetime.date | None]

    @property
    def known(self) -> Known:
        good = [Stored(**vars(one.reading), marks=one.marks) for one in self.judged if one.verdict == "good"]
        return Known(good, {series: since for series, since in self.states.items() if since})


def _read(feed: Feed, document: Fetched, believed: History, root: Path) -> _Read:
    now = datetime.datetime.now(datetime.UTC)
    today = now.astimezone(VIETNAM).date()
    try:
        places = FigurePlaces.below(root)
        batch = feed.read(document, Context(now, places, feed.url))
        judged = judge(batch, believed, today, people_of(places))
        return _Read(batch, judged, series_states(batch, judged, believed, today))
    except FeedError:
        raise
    except Exception as error:  # a background job: a document may have a form that its adapter did not foresee
        raise _unforeseen(error) from error


def _keep(connection: Connection, feed: Feed, document: Fetched, root: Path) -> None:
    read = _read(feed, document, history(connection, feed.name, root), root)
    if any(abs(one.reading.value) > LARGEST_VALUE for one in read.judged):
        raise FeedError("a number has more than eighteen digits")
    newest_rows = [*read.batch.newest_rows.values(), *(reading.as_of for reading in read.batch.readings)]
    warnings = [_printable(warning) for warning in read.batch.warnings]
    with connection.transaction():
        recorded = record(connection, feed.name, read.judged, read.states, read.batch.newest_rows)
        attempts.read_whole(connection, feed.name, feed.url, document.validators, max(newest_rows, default=None), warnings)
    if recorded.suspect:
        first = recorded.suspect[0]
        log.warning(
            "figures_suspect",
            feed=feed.name,
            readings=len(recorded.suspect),
            series=str(first.reading.series),
            reasons=first.reasons,
        )


def _down(connection: Connection, feed: Feed, sentence: str, *, by_hand: bool) -> Outcome:
    outage = attempts.failed(connection, feed.name, _printable(sentence), by_hand=by_hand)
    if outage.is_news:
        log.error("figures_feed_down", feed=feed.name, error=_printable(sentence))
    return Outcome(feed.name, "failed", sentence)


def _up(connection: Connection, feed: Feed, interval: datetime.timedelta, *, by_hand: bool) -> None:
    outage = attempts.succeeded(connection, feed.name, interval, by_hand=by_hand)
    if outage and outage.is_news:
        log.info("figures_feed_back", feed=feed.name, down_since=outage.since.isoformat(timespec="minutes"))


def _unforeseen(error: Exception) -> FeedError:
    return FeedError(f"it could not be read, a fault of the adapter: {where(error)}")


def _printable(sentence: str) -> str:
    """What PostgreSQL and a log line can hold, whatever a document put into it."""
    return sentence.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:LONGEST_SENTENCE]


def _take_off(settings: Settings, url: str, root: Path) -> Flight:
    """The round that is under way in this process, or a new one."""
    with _lock:
        if url in _flights and not _flights[url][1].outcomes.done():
            return _flights[url][1]
        flight = Flight()
        _flights[url] = (time.monotonic(), flight)
        # A daemon: a feed that drips must not hold up the end of the process.
        threading.Thread(target=_fly, args=(flight, settings, url, root), name="figures", daemon=True).start()
        return flight


def _fly(flight: Flight, settings: Settings, url: str, root: Path) -> None:
    outcomes: list[Outcome] = []
    try:
        outcomes = refresh(settings, url, root=root, flight=flight)
    except Exception as error:  # noqa: BLE001  a background job's outermost handler: the last good figures are told meanwhile
        log.error("figures_not_refreshed", error=where(error))
    finally:
        _set(flight.need_not_wait, None)
        _set(flight.outcomes, outcomes)


def _set(future: Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _looked_lately(url: str) -> bool:
    with _lock:
        started, flight = _flights.get(url, (-LOOK_AGAIN_SECONDS, None))
    return flight is not None and flight.need_not_wait.done() and time.monotonic() - started < LOOK_AGAIN_SECONDS
