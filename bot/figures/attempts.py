"""When each feed was tried, how that ended and when it is due again; the database's clock counts, over all machines.

An attempt is noted as a failure before it begins: a process that dies in the middle has failed, and the feed rests a while.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.figures.known import Stored
from bot.figures.readings import VIETNAM, Series
from bot.figures.store import READ_MILLISECONDS, Connection, connected, stored_reading
from bot.figures.validators import Validators

# Any number will do as long as every process takes the same one and nothing else does; the feed's name is the second key.
REFRESH_LOCK = 7_105_052
LONGEST_REST = datetime.timedelta(hours=1)
# Machines and deployments that were started together shall not ask together: up to a tenth of the interval more.
JITTER = 0.1


@dataclass(frozen=True)
class Standing:
    is_due: bool
    was_tried: bool


@dataclass(frozen=True)
class Attempt:
    """One begun attempt: what the last whole document was, if it may be asked for conditionally."""

    validators: Validators | None


@dataclass(frozen=True)
class Outage:
    """`is_news`: the log does not say so yet."""

    since: datetime.datetime
    is_news: bool


@dataclass(frozen=True)
class FeedStatus:
    """How a feed stands. Times are aware, UTC. `suspects`: what its document says now and nobody is told, with the reasons."""

    feed: str
    attempted_at: datetime.datetime
    succeeded_at: datetime.datetime | None
    due_at: datetime.datetime
    error: str | None
    error_since: datetime.datetime | None
    newest_row: datetime.date | None
    warnings: Sequence[str] = ()
    stale: Sequence[tuple[Series, datetime.date]] = ()
    suspects: Sequence[tuple[Stored, Sequence[str]]] = field(default=())


def only_one(connection: Connection, feed: str) -> bool:
    """Whether this connection may read the feed; the lock falls with the connection or `let_go`."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s)) AS mine", [REFRESH_LOCK, feed]).fetchone()
    return bool(row and row["mine"])


def let_go(connection: Connection, feed: str) -> None:
    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [REFRESH_LOCK, feed])


def standing(connection: Connection, feeds: Sequence[str]) -> dict[str, Standing]:
    rows = connection.execute(
        """SELECT feed, coalesce(due_at, now()) <= now() AS is_due, attempted_at IS NOT NULL AS was_tried
             FROM unnest(%s::text[]) AS feed LEFT JOIN feed_state USING (feed)""",
        [list(feeds)],
    ).fetchall()
    return {row["feed"]: Standing(row["is_due"], row["was_tried"]) for row in rows}


def begin(
    connection: Connection, feed: str, rank: int, address: str, interval: datetime.timedelta, *, by_hand: bool
) -> Attempt | None:
    """Note an attempt, or None when the feed is not due. Call with the feed's lock held."""
    row = connection.execute(
        """INSERT INTO feed_state AS state (feed, rank, attempted_at, due_at, failures)
           VALUES (%(feed)s, %(rank)s, now(), now() + %(interval)s * (1 + random() * %(jitter)s), 1)
           ON CONFLICT (feed) DO UPDATE SET rank = excluded.rank, attempted_at = now(), failures = state.failures + 1,
               due_at = now() + greatest(%(interval)s, least(%(interval)s * 2 ^ least(state.failures, 20), %(longest)s))
                        * (1 + random() * %(jitter)s)
            WHERE state.due_at <= now() OR %(by_hand)s
           RETURNING address_hash, etag, last_modified, read_at""",
        {
            "feed": feed,
            "rank": rank,
            "interval": interval,
            "longest": LONGEST_REST,
            "jitter": JITTER,
            "by_hand": by_hand,
        },
    ).fetchone()
    return Attempt(_validators(row, address)) if row else None


def succeeded(connection: Connection, feed: str, interval: datetime.timedelta, *, by_hand: bool) -> Outage | None:
    """Note the end of a good attempt; the outage that it ends, if there was one. By hand the news is left for the service."""
    row = connection.execute(
        """UPDATE feed_state AS state
              SET succeeded_at = clock_timestamp(), failures = 0, error = NULL, error_since = NULL,
                  alerted_at = CASE WHEN %(by_hand)s THEN state.alerted_at END,
                  due_at = state.attempted_at + %(interval)s * (1 + random() * %(jitter)s)
             FROM (SELECT error_since, alerted_at FROM feed_state WHERE feed = %(feed)s) AS before
            WHERE feed = %(feed)s
           RETURNING coalesce(before.error_since, before.alerted_at) AS since, before.alerted_at IS NOT NULL AS was_told""",
        {"feed": feed, "interval": interval, "jitter": JITTER, "by_hand": by_hand},
    ).fetchone()
    return Outage(row["since"], row["was_told"] and not by_hand) if row and row["since"] else None


def read_whole(
    connection: Connection,
    feed: str,
    address: str,
    validators: Validators | None,
    newest_row: datetime.date | None,
    warnings: Sequence[str],
) -> None:
    """Note what the document that was just kept was."""
    connection.execute(
        """UPDATE feed_state SET address_hash = %s, etag = %s, last_modified = %s, newest_row = %s, warnings = %s, read_at = now()
            WHERE feed = %s""",
        [
            _hash(address),
            validators.etag if validators else None,
            validators.last_modified if validators else None,
            newest_row,
            list(warnings),
            feed,
        ],
    )


def failed(connection: Connection, feed: str, error: str, *, by_hand: bool) -> Outage:
    """Note the end of a bad attempt. It is news the first time since the feed was well; by hand it is left for the service."""
    row = connection.execute(
        """UPDATE feed_state AS state
              SET error = %(error)s, error_since = coalesce(state.error_since, state.attempted_at),
                  alerted_at = CASE WHEN %(by_hand)s THEN state.alerted_at ELSE coalesce(state.alerted_at, now()) END
             FROM (SELECT alerted_at FROM feed_state WHERE feed = %(feed)s) AS before
            WHERE feed = %(feed)s RETURNING state.error_since, before.alerted_at IS NOT NULL AS was_told""",
        {"feed": feed, "error": error, "by_hand": by_hand},
    ).fetchone()
    if row is None:
        raise AssertionError("an attempt is begun before it fails")
    return Outage(row["error_since"], not row["was_told"] and not by_hand)


def status(url: str) -> list[FeedStatus]:
    """How every feed that was ever tried stands; raises psycopg.Error when the database is away."""
    with connected(url, READ_MILLISECONDS) as connection:
        rows = connection.execute("SELECT * FROM feed_state ORDER BY rank, feed").fetchall()
        return [_status(connection, row) for row in rows]


def held_back(connection: Connection, feed: str) -> list[tuple[Stored, Sequence[str]]]:
    """What the feed's document says now and nobody is told, with the reasons: the last version of each number, if it was there
    when the document was last read."""
    rows = connection.execute(
        """SELECT * FROM readings AS told WHERE feed = %(feed)s AND verdict = 'suspect'
              AND NOT EXISTS (SELECT FROM readings AS later WHERE later.supersedes = told.id)
              AND last_seen_at = (SELECT max(last_seen_at) FROM readings WHERE feed = %(feed)s)
            ORDER BY metric, place, as_of DESC""",
        {"feed": feed},
    ).fetchall()
    return [(stored_reading(row), row["reasons"]) for row in rows]


def _status(connection: Connection, row: dict[str, Any]) -> FeedStatus:
    stale = connection.execute(
        "SELECT * FROM series_state WHERE feed = %s AND stale_since IS NOT NULL ORDER BY metric, place, kind", [row["feed"]]
    ).fetchall()
    never_ended = row["failures"] and not row["error"]
    return FeedStatus(
        row["feed"],
        row["attempted_at"],
        row["succeeded_at"],
        row["due_at"],
        "the last attempt has not ended" if never_ended else row["error"],
        row["attempted_at"] if never_ended else row["error_since"],
        row["newest_row"],
        row["warnings"],
        [(Series(s["feed"], s["metric"], s["place"], s["kind"]), s["stale_since"]) for s in stale],
        held_back(connection, row["feed"]),
    )


def _validators(row: dict[str, Any], address: str) -> Validators | None:
    """None where the whole document is wanted: another address, nothing to compare with, or a new day.

    What is complete and what stands still depends on the day, so an unchanged document is judged anew once a day.
    """
    read_at: datetime.datetime | None = row["read_at"]
    if read_at is None or row["address_hash"] != _hash(address) or not (row["etag"] or row["last_modified"]):
        return None
    is_of_today = read_at.astimezone(VIETNAM).date() == datetime.datetime.now(VIETNAM).date()
    return Validators(row["etag"], row["last_modified"]) if is_of_today else None


def _hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()
