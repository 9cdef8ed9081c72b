"""The figures that citizens are told: the last good reading of each metric, from PostgreSQL or as shipped.

The feed is read at most every six hours and, after a failure, not again before ten minutes, by one process at a time
over all machines; the database's clock counts. Without a database, or while it is down, the shipped readings are told.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import structlog
from psycopg.rows import class_row

from bot.figures.checks import doubtful
from bot.figures.feeds import WHO, FeedError, Reading, read_who
from bot.settings import ROOT, Settings
from bot.yaml_files import read_yaml

REFRESH_AFTER = datetime.timedelta(hours=6)
RETRY_AFTER = datetime.timedelta(minutes=10)
# Any number will do as long as every process takes the same one and nothing else does.
REFRESH_LOCK = 7_105_052
CONNECT_SECONDS = 2
STATEMENT_MILLISECONDS = 2_000
# Written before the file is fetched, so that a process that dies in the middle counts as a failure, not as no attempt.
UNFINISHED = "not finished"

Connection = psycopg.Connection[tuple[object, ...]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Told:
    """What may be told now, and whether the feed is due to be read again."""

    readings: list[Reading]
    refresh_is_due: bool

    def find(self, metric: str, place: str) -> Reading | None:
        return next((r for r in self.readings if (r.metric, r.place) == (metric, place)), None)


def read_told(url: str | None, root: Path = ROOT) -> Told:
    """The last good readings; never raises for a database that is absent or down."""
    known = list(shipped(root))
    if not url:
        return Told(known, refresh_is_due=False)
    try:
        with _connected(url) as connection:
            return Told(newest([*known, *_stored(connection)]), _is_due(connection))
    except psycopg.Error as error:
        log.warning("figures_database_failed", error=type(error).__name__)
        return Told(known, refresh_is_due=False)


def refresh_figures(settings: Settings, url: str, *, at_once: bool = False, root: Path = ROOT) -> bool:
    """Read the feed if it is due (or `at_once`) and nobody else is reading it; True when new readings were stored.

    Blocks for as long as the feed takes (see `feeds`). A failure is logged and noted, never raised.
    """
    try:
        with _connected(url) as connection:
            if not _only_one(connection) or not (at_once or _is_due(connection)):
                return False
            return _read_and_store(connection, settings.feed_who_url, root)
    except psycopg.Error as error:
        log.warning("figures_database_failed", error=type(error).__name__)
        return False


def told_readings(settings: Settings, url: str | None, *, refresh: bool) -> list[Reading]:
    """For `loa figures`: what is told now, after reading the feed once if asked to (kept only with a database)."""
    if refresh and url:
        refresh_figures(settings, url, at_once=True)
    told = read_told(url).readings
    return newest([*told, *_fetched_only(settings, told)]) if refresh and not url else told


@cache
def shipped(root: Path = ROOT) -> tuple[Reading, ...]:
    """The dated readings in data/figures/shipped.yml; none when the file is absent. Read once in a process's life."""
    path = root / "data/figures/shipped.yml"
    if not path.exists():
        return ()
    entries = read_yaml(path)["readings"]
    return tuple(Reading(**{**entry, "fetched_at": _midnight(entry["fetched_at"])}) for entry in entries)


def newest(readings: Iterable[Reading]) -> list[Reading]:
    """One reading for each metric and place: that of the newest day, of several for one day the last fetched."""
    best: dict[tuple[str, str], Reading] = {}
    for reading in readings:
        known = best.setdefault((reading.metric, reading.place), reading)
        if (reading.as_of, reading.fetched_at) >= (known.as_of, known.fetched_at):
            best[reading.metric, reading.place] = reading
    return list(best.values())


def _fetched_only(settings: Settings, told: list[Reading]) -> list[Reading]:
    try:
        return _checked(read_who(settings.feed_who_url), told)
    except FeedError as error:
        log.warning("feed_not_read", feed=WHO, error=str(error))
        return []


def _read_and_store(connection: Connection, feed_url: str, root: Path) -> bool:
    _note(connection, UNFINISHED)
    try:
        told = newest([*shipped(root), *_stored(connection)])
        readings = _checked(read_who(feed_url), told)
    except FeedError as error:
        log.warning("feed_not_read", feed=WHO, error=str(error))
        _note(connection, str(error))
        return False
    with connection.transaction():
        for reading in readings:
            _store(connection, reading)
        _note(connection, None)
    log.info("feed_read", feed=WHO, as_of=readings[0].as_of.isoformat())
    return True


def _checked(readings: list[Reading], told: list[Reading]) -> list[Reading]:
    """`readings` if none of them is doubtful beside what was told so far; else FeedError, so that none is told."""
    last = {(r.metric, r.place): r for r in told}
    for reading in readings:
        before = last.get((reading.metric, reading.place))
        reason = before and doubtful(reading.value, reading.as_of, before.value, before.as_of)
        if reason:
            raise FeedError(f"{reading.metric} are kept out: {reason}")
    return readings


def _connected(url: str) -> Connection:
    """A connection with short limits: a citizen is waiting. It answers in UTC."""
    connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="loa figures")
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('TimeZone', 'UTC', false)", [str(STATEMENT_MILLISECONDS)]
    )
    return connection


def _only_one(connection: Connection) -> bool:
    """Whether this process may read the feed; the lock falls with the connection."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [REFRESH_LOCK]).fetchone()
    return bool(row and row[0])


def _is_due(connection: Connection) -> bool:
    row = connection.execute(
        """SELECT NOT EXISTS (
               SELECT FROM feed_attempts WHERE feed = %s
               AND attempted_at > now() - CASE WHEN error IS NULL THEN %s ELSE %s END)""",
        [WHO, REFRESH_AFTER, RETRY_AFTER],
    ).fetchone()
    return bool(row and row[0])


def _note(connection: Connection, error: str | None) -> None:
    connection.execute(
        """INSERT INTO feed_attempts (feed, attempted_at, succeeded_at, error)
           VALUES (%(feed)s, now(), CASE WHEN %(error)s::text IS NULL THEN now() END, %(error)s)
           ON CONFLICT (feed) DO UPDATE SET attempted_at = now(), error = excluded.error,
               succeeded_at = coalesce(excluded.succeeded_at, feed_attempts.succeeded_at)""",
        {"feed": WHO, "error": error},
    )


def _store(connection: Connection, reading: Reading) -> None:
    """A value seen before is only seen again: its row gets the new day of fetching."""
    connection.execute(
        """INSERT INTO readings (feed, metric, place, as_of, stale_since, value, issuer, url, fetched_at)
           VALUES (%(feed)s, %(metric)s, %(place)s, %(as_of)s, %(stale_since)s, %(value)s, %(issuer)s, %(url)s, %(fetched_at)s)
           ON CONFLICT (feed, metric, place, as_of, value) DO UPDATE SET stale_since = excluded.stale_since,
               issuer = excluded.issuer, url = excluded.url, fetched_at = excluded.fetched_at""",
        vars(reading),
    )


def _stored(connection: Connection) -> list[Reading]:
    with connection.cursor(row_factory=class_row(Reading)) as cursor:
        return cursor.execute(
            """SELECT DISTINCT ON (metric, place) feed, metric, place, as_of, stale_since, value, issuer, url, fetched_at
               FROM readings ORDER BY metric, place, as_of DESC, fetched_at DESC"""
        ).fetchall()


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)
