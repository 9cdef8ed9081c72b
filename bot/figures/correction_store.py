"""The corrections in PostgreSQL: proposed once for each told number, then sent after a while unless somebody stops them.

proposed → ended (all have it, or nobody can get it any more)
         → stopped (by staff) · cancelled (the told value is right again) · replaced (the number changed once more)
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.audit import entry
from bot.figures.corrections import TOLD_WITHIN, Places, Said, Subject, Wrong, is_worth_a_correction, wrong_by_now
from bot.figures.known import Stored
from bot.figures.readings import VIETNAM
from bot.figures.store import Connection, stored_reading

# Who may stop a correction or send it at once.
ROLES = ("content", "senior", "admin")
# One at a time looks for corrections, on all machines: any number that nobody else takes.
CORRECTIONS_LOCK = 7_105_055
# Longer than TOLD_WITHIN: a version that was seen last a little before the message was delivered counts.
VERSIONS_SEEN_WITHIN = TOLD_WITHIN + datetime.timedelta(days=1)

WAITING, STOPPED, ENDED, REPLACED, CANCELLED = "proposed", "stopped", "ended", "replaced", "cancelled"


class CorrectionRefused(Exception):
    """It is not waiting any more, or there is none of this number."""


@dataclass(frozen=True)
class Recipient:
    channel: str
    address: str
    state: str
    told_at: datetime.datetime


@dataclass(frozen=True)
class Correction:
    """One number that was told and is wrong by now. `channels`: how many conversations, by channel and what became of them."""

    id: int
    subject: Subject
    days: int | None
    starts_at: datetime.datetime | None
    ends_at: datetime.datetime | None
    told_value: int
    new_value: int
    new_ids: tuple[int, ...]
    issuer: str
    url: str
    fetched_at: datetime.datetime
    state: str
    proposed_at: datetime.datetime
    send_at: datetime.datetime
    decided_by: str | None
    decided_at: datetime.datetime | None
    channels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def count(self, state: str | None = None) -> int:
        """How many conversations, of one state or of all."""
        return sum(n for states in self.channels.values() for name, n in states.items() if state in {None, name})


@dataclass
class Proposed:
    """What looking for corrections changed: ids."""

    added: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)


def propose(
    connection: Connection, places: Places, units: Mapping[str, str], now: datetime.datetime, hold: datetime.timedelta
) -> Proposed:
    """Look for told numbers that are wrong by now and bring the open corrections up to that. Safe to do on several machines."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [CORRECTIONS_LOCK])
        wrong = _wrong(connection, places, units, now)
        return _Proposals(connection, now, now + hold).follow(wrong)


def close_finished(connection: Connection) -> None:
    """A correction for which nobody waits any more has ended."""
    connection.execute(
        """UPDATE corrections c SET state = 'ended' WHERE state = 'proposed'
              AND NOT EXISTS (SELECT FROM correction_recipients r WHERE r.correction_id = c.id AND r.state = 'waiting')"""
    )


def stop(connection: Connection, correction_id: int, by: str) -> None:
    """Whoever waits for it does not get it; raises CorrectionRefused."""
    with connection.transaction():
        _decide(connection, "UPDATE corrections SET state = 'stopped', ", correction_id, by)
        stopped = connection.execute(
            """UPDATE correction_recipients SET state = 'stopped', finished_at = now()
                WHERE correction_id = %s AND state = 'waiting'""",
            [correction_id],
        ).rowcount
        connection.execute(*entry(by, "correction_stopped", str(correction_id), conversations=stopped))


def send_now(connection: Connection, correction_id: int, by: str) -> None:
    """Its time of reflection is over; raises CorrectionRefused."""
    with connection.transaction():
        _decide(connection, "UPDATE corrections SET send_at = least(send_at, now()), ", correction_id, by)
        connection.execute(*entry(by, "correction_sent_at_once", str(correction_id)))


def corrections(connection: Connection, *, is_open: bool | None = None, limit: int = 50) -> list[Correction]:
    """The newest first; those that wait, those that do not, or all."""
    rows = connection.execute(
        """SELECT c.*, coalesce(counted.channels, '{}') AS channels
             FROM corrections c LEFT JOIN LATERAL (
                  SELECT jsonb_object_agg(channel, states) AS channels FROM (
                         SELECT channel, jsonb_object_agg(state, count) AS states FROM (
                                SELECT conversations.channel, r.state, count(*) AS count
                                  FROM correction_recipients r JOIN conversations ON conversations.id = r.conversation_id
                                 WHERE r.correction_id = c.id GROUP BY 1, 2) AS each GROUP BY channel) AS by_channel
                  ) AS counted ON true
            WHERE coalesce((c.state = 'proposed') = %s, true) ORDER BY c.id DESC LIMIT %s""",
        [is_open, limit],
    ).fetchall()
    return [_correction(row) for row in rows]


def recipients(connection: Connection, correction_id: int, limit: int = 20) -> list[Recipient]:
    """Who was told the old number, those who wait first."""
    rows = connection.execute(
        """SELECT conversations.channel, conversations.address, r.state, r.told_at
             FROM correction_recipients r JOIN conversations ON conversations.id = r.conversation_id
            WHERE r.correction_id = %s ORDER BY r.state <> 'waiting', r.told_at DESC LIMIT %s""",
        [correction_id, limit],
    ).fetchall()
    return [Recipient(**row) for row in rows]


class _Proposals:
    """One look: the open corrections follow what is wrong now."""

    def __init__(self, connection: Connection, now: datetime.datetime, send_at: datetime.datetime) -> None:
        self._connection, self._now, self._send_at = connection, now, send_at
        self._done = Proposed()

    def follow(self, wrong: Mapping[tuple[Subject, int], Wrong]) -> Proposed:
        rows = self._connection.execute("SELECT * FROM corrections WHERE state = 'proposed' ORDER BY id FOR UPDATE").fetchall()
        waiting = {(_subject(row), int(row["told_value"])): row for row in rows}
        for key, row in waiting.items():
            if key not in wrong:
                self._drop(row, wrong=None)
        for key, one in wrong.items():
            self._follow_one(key, one, waiting.get(key))
        return self._done

    def _follow_one(self, key: tuple[Subject, int], wrong: Wrong, row: Mapping[str, Any] | None) -> None:
        if row and row["new_value"] == wrong.now.value:
            self._drop(row, wrong)
            self._add_recipients(row["id"], self._not_handled(key, wrong))
            return
        if row:
            self._end(row["id"], REPLACED, "the number changed once more")
            self._done.replaced.append(row["id"])
        messages = self._not_handled(key, wrong)
        if messages:
            correction_id = self._insert(key, wrong, row["id"] if row else None)
            self._add_recipients(correction_id, messages)
            self._done.added.append(correction_id)

    def _not_handled(self, key: tuple[Subject, int], wrong: Wrong) -> list[Said]:
        """Without whom this correction, or one to nearly the same value, was meant for already; nobody where staff stopped it."""
        subject, told_value = key
        rows = self._connection.execute(
            """SELECT c.state, c.new_value, array_agg(r.conversation_id) AS conversations
                 FROM corrections c JOIN correction_recipients r ON r.correction_id = c.id
                WHERE (c.feed, c.metric, c.place, c.span, c.as_of, c.told_value) = (%s, %s, %s, %s, %s, %s)
                  AND (r.state = 'sent' OR c.state IN ('proposed', 'stopped', 'ended')) GROUP BY c.id""",
            [*_columns(subject), told_value],
        ).fetchall()
        near = [row for row in rows if not is_worth_a_correction(subject.span, row["new_value"], wrong.now.value)]
        if any(row["state"] == STOPPED for row in near):
            return []
        handled = {conversation for row in near for conversation in row["conversations"]}
        return [said for conversation, said in wrong.messages.items() if conversation not in handled]

    def _drop(self, row: Mapping[str, Any], wrong: Wrong | None) -> None:
        """Those who need no correction any more: the value came back, they were told the new one, or it is too long ago."""
        still = list(wrong.messages) if wrong else []
        dropped = self._connection.execute(
            """UPDATE correction_recipients SET state = 'dropped', finished_at = now(),
                      reason = CASE WHEN told_at < %s THEN 'told too long ago' ELSE 'what was told is right by now' END
                WHERE correction_id = %s AND state = 'waiting' AND conversation_id <> ALL (%s::bigint[])""",
            [self._now - TOLD_WITHIN, row["id"], still],
        ).rowcount
        left = self._connection.execute(
            """SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'sent') AS sent
                 FROM correction_recipients WHERE correction_id = %s""",
            [row["id"]],
        ).fetchone()
        if dropped and left and not left["waiting"] and not wrong:
            self._end(row["id"], ENDED if left["sent"] else CANCELLED, "")
            self._done.cancelled.append(row["id"])

    def _end(self, correction_id: int, state: str, reason: str) -> None:
        self._connection.execute("UPDATE corrections SET state = %s WHERE id = %s", [state, correction_id])
        self._connection.execute(
            """UPDATE correction_recipients SET state = 'dropped', reason = %s, finished_at = now()
                WHERE correction_id = %s AND state = 'waiting'""",
            [reason, correction_id],
        )

    def _insert(self, key: tuple[Subject, int], wrong: Wrong, replaces: int | None) -> int:
        subject, told_value = key
        now = wrong.now
        row = self._connection.execute(
            """INSERT INTO corrections (feed, metric, place, span, as_of, told_value, told_ids, new_value, new_ids, days,
                                        starts_at, ends_at, issuer, url, fetched_at, proposed_at, send_at, replaces)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [
                *_columns(subject),
                told_value,
                list(wrong.told.reading_ids),
                now.value,
                list(now.reading_ids),
                now.days,
                now.starts_at,
                now.ends_at,
                now.issuer,
                now.url,
                now.fetched_at,
                self._now,
                self._send_at,
                replaces,
            ],
        ).fetchone()
        return int(row["id"]) if row else 0

    def _add_recipients(self, correction_id: int, messages: Iterable[Said]) -> None:
        rows = [[correction_id, said.conversation_id, said.id, said.told_at] for said in messages]
        with self._connection.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO correction_recipients (correction_id, conversation_id, message_id, told_at)
                   VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING""",
                rows,
            )


def _wrong(
    connection: Connection, places: Places, units: Mapping[str, str], now: datetime.datetime
) -> dict[tuple[Subject, int], Wrong]:
    messages = _messages(connection, _of_several_versions(connection, now), now)
    ids = sorted({id_ for said in messages for id_ in said.reading_ids})
    if not ids:
        return {}
    rows = connection.execute("SELECT * FROM readings WHERE id = ANY(%s::bigint[])", [ids]).fetchall()
    told = {row["id"]: stored_reading(row) for row in rows}
    today = now.astimezone(VIETNAM).date()
    return wrong_by_now(messages, told, _current(connection, ids), places, units, today)


def _of_several_versions(connection: Connection, now: datetime.datetime) -> list[int]:
    """The ids of all versions of the numbers that have more than one and were published lately."""
    row = connection.execute(
        """SELECT coalesce(array_agg(all_versions.id), '{}') AS ids FROM readings AS all_versions
            WHERE (feed, metric, place, kind, as_of) IN (
                  SELECT feed, metric, place, kind, as_of FROM readings WHERE supersedes IS NOT NULL AND last_seen_at > %s)""",
        [now - VERSIONS_SEEN_WITHIN],
    ).fetchone()
    return list(row["ids"]) if row else []


def _messages(connection: Connection, ids: Sequence[int], now: datetime.datetime) -> list[Said]:
    """Delivered messages of the bot that told any of these readings."""
    rows = connection.execute(
        """SELECT id, conversation_id, text, figures, coalesce(finished_at, created_at) AS told_at FROM messages
            WHERE figures && %s::bigint[] AND figures <> '{}' AND direction = 'outgoing' AND author = 'bot' AND delivery = 'sent'
              AND coalesce(finished_at, created_at) > %s ORDER BY id""",
        [list(ids), now - TOLD_WITHIN],
    ).fetchall()
    return [Said(row["id"], row["conversation_id"], row["text"], tuple(row["figures"]), row["told_at"]) for row in rows]


def _current(connection: Connection, ids: Sequence[int]) -> dict[int, Stored]:
    """For each reading the newest good version of its number."""
    rows = connection.execute(
        """SELECT told.id AS told_id, counts.* FROM readings AS told, LATERAL (
                  SELECT * FROM readings AS version
                   WHERE (version.feed, version.metric, version.place, version.kind, version.as_of)
                         = (told.feed, told.metric, told.place, told.kind, told.as_of) AND version.verdict = 'good'
                   ORDER BY version.id DESC LIMIT 1) AS counts
            WHERE told.id = ANY(%s::bigint[])""",
        [list(ids)],
    ).fetchall()
    return {row["told_id"]: stored_reading(row) for row in rows}


def _decide(connection: Connection, change: str, correction_id: int, by: str) -> None:
    statement = f"{change} decided_by = %s, decided_at = now() WHERE id = %s AND state = 'proposed' RETURNING id"
    if connection.execute(statement.encode(), [by, correction_id]).fetchone() is None:
        raise CorrectionRefused(f"correction {correction_id} does not wait")


def _correction(row: Mapping[str, Any]) -> Correction:
    names = ("id", "days", "starts_at", "ends_at", "told_value", "new_value", "issuer", "url", "fetched_at", "state")
    more = ("proposed_at", "send_at", "decided_by", "decided_at", "channels")
    return Correction(subject=_subject(row), new_ids=tuple(row["new_ids"]), **{name: row[name] for name in (*names, *more)})


def correction_of(row: Mapping[str, Any]) -> Correction:
    """A row of `corrections` without its recipients."""
    return _correction({**row, "channels": {}})


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(row["feed"], row["metric"], row["place"], row["span"], row["as_of"])


def _columns(subject: Subject) -> list[Any]:
    return [subject.feed, subject.metric, subject.place, subject.span, subject.as_of]
