"""The readings in PostgreSQL: every version of every number, of which the newest good one is told; and those shipped with Loa.

Rows are only added. A number that its issuer corrected is a new row that supersedes the old one; a number that came again
is only seen again. Without a database, or while it is down, the shipped readings are told.
"""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from bot.figures.gate import Judged
from bot.figures.known import Known, Remembered, Stored
from bot.figures.readings import Series, Window
from bot.settings import ROOT
from bot.yaml_files import read_yaml

CONNECT_SECONDS = 2
# A citizen is waiting who reads; who writes is given more.
READ_MILLISECONDS = 2_000
WRITE_MILLISECONDS = 30_000
# What lies further behind the newest reading of its series is in the table, and nobody asks for it in a talk.
KEPT_IN_MIND = datetime.timedelta(days=120)
LARGEST_VALUE = 2**63 - 1

Connection = psycopg.Connection[dict[str, Any]]
Key = tuple[Series, datetime.date]

log = structlog.get_logger(__name__)


@dataclass
class Recorded:
    """What `record` did: rows `added` (of which `suspect`), and values `seen_again`."""

    added: int = 0
    seen_again: int = 0
    suspect: list[Judged] = field(default_factory=list)


@dataclass(frozen=True)
class _Current:
    """The row that stands for a number now."""

    id: int
    window: Window
    value: int
    judgement: tuple[str, list[str], list[str]]


# What this process read last, of which database, and the version of the figures at that time.
_kept: dict[tuple[str, Path], tuple[int, Known]] = {}
_reading = threading.Lock()


def read_known(url: str | None, root: Path = ROOT) -> Known:
    """What may be told; never raises for a database that is absent or down: then it is what was known last, or is shipped."""
    if not url:
        return shipped(root)
    try:
        with connected(url, READ_MILLISECONDS) as connection:
            return _known_now(connection, url, root)
    except psycopg.Error as error:
        log.warning("figures_database_failed", error=type(error).__name__)
        return kept_known(url, root)


def kept_known(url: str | None, root: Path = ROOT) -> Known:
    """What `read_known` gave last, without asking the database."""
    kept = _kept.get((url, root)) if url else None
    return kept[1] if kept else shipped(root)


@cache
def shipped(root: Path = ROOT) -> Known:
    """The dated readings in data/figures/shipped.yml; none when the file is absent. Read once in a process's life."""
    path = root / "data/figures/shipped.yml"
    entries = read_yaml(path)["readings"] if path.exists() else []
    readings = [_shipped_reading(entry) for entry in entries]
    stale = {
        reading.series: entry["stale_since"] for reading, entry in zip(readings, entries, strict=True) if entry["stale_since"]
    }
    return Known(readings, stale)


def newest(readings: Iterable[Stored]) -> list[Stored]:
    """Of each series the reading of its last day."""
    best: dict[Series, Stored] = {}
    for reading in readings:
        known = best.setdefault(reading.series, reading)
        if reading.as_of > known.as_of:
            best[reading.series] = reading
    return [best[series] for series in sorted(best)]


def history(connection: Connection, feed: str, root: Path = ROOT) -> Remembered:
    """What this feed was believed so far, with what is shipped of it."""
    known = together(shipped(root), _stored(connection, feed))
    return Remembered((r for r in known.readings if r.feed == feed), known.stale)


def record(
    connection: Connection,
    feed: str,
    judged: Iterable[Judged],
    states: Mapping[Series, datetime.date | None],
    newest_rows: Mapping[Series, datetime.date] | None = None,
) -> Recorded:
    """Keep what the gate judged of one document, in one transaction: new rows, rows seen again, and since when a series stands.

    `states`: since when each series is not updated, None where it is. A number that is judged anew may change its verdict.
    """
    # A document that says one number twice must not add two rows at each reading for ever.
    once = {(one.reading.series, one.reading.as_of): one for one in judged}
    with connection.transaction():
        current = _current(connection, feed, {day for _, day in once})
        added = [(one, current.get(key)) for key, one in once.items() if not _is_same(current.get(key), one)]
        again = [(one, current[key]) for key, one in once.items() if _is_same(current.get(key), one)]
        _add(connection, added)
        _see_again(connection, again)
        _note_series(connection, states, newest_rows or {})
    return Recorded(len(added), len(again), [one for one, _ in added if one.verdict == "suspect"])


def see_all_again(connection: Connection, feed: str, now: datetime.datetime) -> None:
    """The document is the one that was read last: all that it said then, it says now."""
    connection.execute(
        """UPDATE readings SET last_seen_at = %(now)s WHERE feed = %(feed)s AND last_seen_at < %(now)s
              AND last_seen_at = (SELECT max(last_seen_at) FROM readings WHERE feed = %(feed)s)""",
        {"feed": feed, "now": now},
    )


def connected(url: str, milliseconds: int) -> Connection:
    """A connection with short limits. It answers in UTC."""
    connection = psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="loa figures", row_factory=dict_row
    )
    connection.execute(
        "SELECT set_config('statement_timeout', %s, false), set_config('TimeZone', 'UTC', false)", [str(milliseconds)]
    )
    return connection


def _shipped_reading(entry: Mapping[str, Any]) -> Stored:
    fields = {name: entry[name] for name in ("feed", "metric", "place", "as_of", "value", "issuer", "url")}
    fetched_at = datetime.datetime.combine(entry["fetched_at"], datetime.time(), datetime.UTC)
    return Stored(**fields, window=Window(entry["window"]), fetched_at=fetched_at)


def together(known: Known, newer: Known) -> Known:
    """What is `newer` counts, also where it disagrees; the other readings fill the gaps of the days that are kept in mind."""
    readings: dict[Key, Stored] = {}
    last: dict[Series, datetime.date] = {}
    for reading in [*known.readings, *newer.readings]:
        readings[reading.series, reading.as_of] = reading
        last[reading.series] = max(reading.as_of, last.get(reading.series, reading.as_of))
    in_mind = [reading for (series, day), reading in readings.items() if day > last[series] - KEPT_IN_MIND]
    said_newly = {reading.series for reading in newer.readings}
    stale = {series: day for series, day in known.stale.items() if series not in said_newly}
    return Known(in_mind, {**stale, **newer.stale}, newer.ranks)


def _known_now(connection: Connection, url: str, root: Path) -> Known:
    version = _version(connection)
    kept = _kept.get((url, root))
    # Of many who ask while the figures change one reads them; the others are told what was known a moment ago.
    if kept and (kept[0] == version or not _reading.acquire(blocking=False)):
        return kept[1]
    if not kept:
        _reading.acquire()
    try:
        # Read after the version: at worst newer than it, and then read once more.
        _kept[url, root] = (version, together(shipped(root), _stored(connection)))
    finally:
        _reading.release()
    return _kept[url, root][1]


def _version(connection: Connection) -> int:
    row = connection.execute("SELECT version FROM figures_version").fetchone()
    return int(row["version"]) if row else 0


def _stored(connection: Connection, feed: str | None = None) -> Known:
    rows = connection.execute(
        """SELECT DISTINCT ON (readings.feed, readings.metric, readings.place, readings.kind, as_of) readings.*
             FROM series_state JOIN readings USING (feed, metric, place, kind)
            WHERE verdict = 'good' AND as_of > last_good - %(days)s::integer AND readings.feed = coalesce(%(feed)s, readings.feed)
            ORDER BY readings.feed, readings.metric, readings.place, readings.kind, as_of, id DESC""",
        {"feed": feed, "days": KEPT_IN_MIND.days},
    ).fetchall()
    states = connection.execute(
        "SELECT * FROM series_state WHERE stale_since IS NOT NULL AND feed = coalesce(%s, feed)", [feed]
    ).fetchall()
    stale = {Series(row["feed"], row["metric"], row["place"], row["kind"]): row["stale_since"] for row in states}
    ranks = {row["feed"]: row["rank"] for row in connection.execute("SELECT feed, rank FROM feed_state").fetchall()}
    return Known([stored_reading(row) for row in rows], stale, ranks)


def stored_reading(row: Mapping[str, Any]) -> Stored:
    """A row of `readings`."""
    return Stored(
        feed=row["feed"],
        metric=row["metric"],
        place=row["place"],
        as_of=row["as_of"],
        window=_window(row),
        value=row["value"],
        issuer=row["issuer"],
        url=row["url"],
        fetched_at=row["last_seen_at"],
        id=row["id"],
        verdict=row["verdict"],
        marks=frozenset(row["marks"]),
        supersedes=row["supersedes"],
    )


def _current(connection: Connection, feed: str, days: Collection[datetime.date]) -> dict[Key, _Current]:
    rows = connection.execute(
        """SELECT DISTINCT ON (metric, place, kind, as_of) * FROM readings
            WHERE feed = %s AND as_of = ANY(%s) ORDER BY metric, place, kind, as_of, id DESC""",
        [feed, list(days)],
    ).fetchall()
    return {
        (Series(feed, row["metric"], row["place"], row["kind"]), row["as_of"]): _Current(
            row["id"], _window(row), row["value"], (row["verdict"], row["marks"], row["reasons"])
        )
        for row in rows
    }


def _is_same(current: _Current | None, judged: Judged) -> bool:
    return current is not None and (current.value, current.window) == (judged.reading.value, judged.reading.window)


def _judgement(judged: Judged) -> tuple[str, list[str], list[str]]:
    return judged.verdict, sorted(judged.marks), list(judged.reasons)


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["kind"], row["starts_at"], row["ends_at"])


def _add(connection: Connection, added: Iterable[tuple[Judged, _Current | None]]) -> None:
    rows = []
    for judged, before in added:
        verdict, marks, reasons = _judgement(judged)
        judgement = {"verdict": verdict, "marks": marks, "reasons": reasons, "supersedes": before.id if before else None}
        rows.append({**vars(judged.reading), **vars(judged.reading.window), **judgement, "window": None})
    _for_each(
        connection,
        """INSERT INTO readings (feed, metric, place, as_of, kind, starts_at, ends_at, value, issuer, url, fetched_at,
                                 last_seen_at, verdict, marks, reasons, supersedes)
           SELECT feed, metric, place, as_of, kind, starts_at, ends_at, value, issuer, url, fetched_at,
                  fetched_at, verdict, marks, reasons, supersedes
             FROM jsonb_to_recordset(%s) AS new (
                  feed text, metric text, place text, as_of date, kind text, starts_at timestamptz, ends_at timestamptz,
                  value bigint, issuer text, url text, fetched_at timestamptz, verdict text, marks text[], reasons text[],
                  supersedes bigint)
            ORDER BY as_of""",
        rows,
    )


def _see_again(connection: Connection, again: Iterable[tuple[Judged, _Current]]) -> None:
    seen, judged_anew = [], []
    for judged, current in again:
        judgement = _judgement(judged)
        row = {"id": current.id, "seen": judged.reading.fetched_at}
        seen.append(row)
        if judgement != current.judgement:
            judged_anew.append({"id": current.id, **dict(zip(("verdict", "marks", "reasons"), judgement, strict=True))})
    _for_each(
        connection,
        """UPDATE readings SET last_seen_at = greatest(last_seen_at, seen)
             FROM jsonb_to_recordset(%s) AS again (id bigint, seen timestamptz) WHERE readings.id = again.id""",
        seen,
    )
    _for_each(
        connection,
        """UPDATE readings SET verdict = anew.verdict, marks = anew.marks, reasons = anew.reasons
             FROM jsonb_to_recordset(%s) AS anew (id bigint, verdict text, marks text[], reasons text[])
            WHERE readings.id = anew.id""",
        judged_anew,
    )


def _note_series(
    connection: Connection, states: Mapping[Series, datetime.date | None], newest_rows: Mapping[Series, datetime.date]
) -> None:
    _for_each(
        connection,
        """INSERT INTO series_state (feed, metric, place, kind, newest_row, stale_since)
           SELECT * FROM jsonb_to_recordset(%s) AS new (
                  feed text, metric text, place text, kind text, newest_row date, stale_since date)
           ON CONFLICT (feed, metric, place, kind) DO UPDATE
              SET newest_row = excluded.newest_row, stale_since = excluded.stale_since""",
        [
            {**vars(series), "newest_row": newest_rows.get(series), "stale_since": states.get(series)}
            for series in sorted({*states, *newest_rows})
        ],
    )


def _for_each(connection: Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """One statement for all rows: the figures have then changed once, not once a row."""
    if rows:
        connection.execute(statement.encode(), [Jsonb(rows, dumps=partial(json.dumps, default=str))])
