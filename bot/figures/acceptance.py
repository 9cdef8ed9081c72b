"""Numbers that the gate holds back although their issuer means them: a real correction by more than one per cent, for one.

held back → asked (a person opened the original and says why it is right) → accepted (by a second person; told from then on)
                                                                          → refused, withdrawn
accepted → withdrawn (told no longer)

Asked is for a whole series, as its document says it now: whoever accepts lets exactly the numbers be told that the first person
saw. The gate goes on judging what comes after, beside what was accepted.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.audit import entry
from bot.figures.attempts import held_back
from bot.figures.bulletins import BulletinRefused, check_account, one_after_the_other, reason_of
from bot.figures.known import BULLETIN, Stored
from bot.figures.readings import Series
from bot.figures.store import Connection


@dataclass(frozen=True)
class Acceptance:
    """Times are aware, UTC."""

    id: int
    series: Series
    reading_ids: tuple[int, ...]
    because: str
    asked_by: str
    asked_at: datetime.datetime
    state: str
    accepted_by: str | None
    accepted_at: datetime.datetime | None


@dataclass(frozen=True)
class Held:
    """One series of a feed: what is kept back of it, newest first, with the gate's reasons; `asked`: who wants it told."""

    series: Series
    readings: Sequence[Stored]
    reasons: Sequence[str]
    asked: Acceptance | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """Of those that could be told: what is below zero never is."""
        return tuple(sorted(reading.id for reading in self.readings if reading.id is not None and reading.value >= 0))

    @property
    def is_still_what_was_asked(self) -> bool:
        """The document may say more by now; what was asked for it must still say."""
        return self.asked is not None and set(self.asked.reading_ids) <= set(self.ids)


def held(connection: Connection) -> list[Held]:
    """Every series of which something is kept back now, by feed and name."""
    feeds = [row["feed"] for row in connection.execute("SELECT feed FROM feed_state ORDER BY rank, feed").fetchall()]
    asked = {one.series: one for one in acceptances(connection, "asked")}
    found: dict[Series, tuple[list[Stored], list[str]]] = {}
    for feed in feeds:
        for reading, reasons in held_back(connection, feed):
            readings, sentences = found.setdefault(reading.series, ([], []))
            readings.append(reading)
            sentences.extend(reason for reason in reasons if reason not in sentences)
    return [Held(series, readings, reasons, asked.get(series)) for series, (readings, reasons) in sorted(found.items())]


def ask(connection: Connection, series: Series, by: str, because: str) -> int:
    """The first person's word; returns the id. Raises BulletinRefused (no account, no reason, nothing held, asked)."""
    with connection.transaction():
        _begin(connection, by)
        reason = reason_of(because)
        kept = _held_of(connection, series)
        if kept.asked:
            if kept.is_still_what_was_asked:
                raise BulletinRefused("asked_already", id=kept.asked.id)
            _end(connection, kept.asked, "withdrawn", by, "other numbers are held back now")
        row = connection.execute(
            """INSERT INTO acceptances (feed, metric, place, kind, reading_ids, because, asked_by)
               VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id""",
            [series.feed, series.metric, series.place, series.kind, list(kept.ids), reason, by],
        ).fetchone()
        number = int(row["id"]) if row else 0
        connection.execute(*entry(by, "held_asked", str(number), series=name_of(series), because=reason))
        return number


def accept(connection: Connection, number: int, by: str) -> Acceptance:
    """The second person's word: the numbers are told. Raises BulletinRefused (own, not asked any more, other numbers by now)."""
    with connection.transaction():
        _begin(connection, by)
        asked = find(connection, number)
        if asked.state != "asked":
            raise BulletinRefused("not_asked", id=number)
        if asked.asked_by == by:
            raise BulletinRefused("same_person")
        if not _held_of(connection, asked.series).is_still_what_was_asked:
            raise BulletinRefused("held_changed", id=number)
        connection.execute(
            "UPDATE acceptances SET state = 'accepted', accepted_by = %s, accepted_at = now() WHERE id = %s", [by, number]
        )
        connection.execute(
            """UPDATE readings SET verdict = 'good', marks = array_append(marks, 'accepted'),
                      reasons = array_append(reasons, %s::text) WHERE id = ANY(%s)""",
            [f"told all the same, {asked.asked_by} and {by}: {asked.because}", list(asked.reading_ids)],
        )
        connection.execute(*entry(by, "held_accepted", str(number), series=name_of(asked.series), numbers=len(asked.reading_ids)))
        return find(connection, number)


def end(connection: Connection, number: int, by: str, because: str) -> Acceptance:
    """Refuse what another asked for, take back one's own, or take back what was accepted (anybody may: it tells less)."""
    with connection.transaction():
        _begin(connection, by)
        reason = reason_of(because)
        found = find(connection, number)
        if found.state not in {"asked", "accepted"}:
            raise BulletinRefused("not_asked", id=number)
        if found.state == "accepted":
            connection.execute(
                """UPDATE readings SET verdict = 'suspect', marks = array_remove(marks, 'accepted'),
                          reasons = array_append(reasons, %s::text) WHERE id = ANY(%s) AND 'accepted' = ANY(marks)""",
                [f"no longer told, {by}: {reason}", list(found.reading_ids)],
            )
        _end(connection, found, "refused" if found.state == "asked" and found.asked_by != by else "withdrawn", by, reason)
        return find(connection, number)


def acceptances(connection: Connection, state: str | None = None, limit: int = 50) -> list[Acceptance]:
    """The newest first, of one state or of all."""
    rows = connection.execute(
        "SELECT * FROM acceptances WHERE state = coalesce(%s, state) ORDER BY id DESC LIMIT %s", [state, limit]
    ).fetchall()
    return [_acceptance(row) for row in rows]


def find(connection: Connection, number: int) -> Acceptance:
    """Raises BulletinRefused when there is none."""
    row = connection.execute("SELECT * FROM acceptances WHERE id = %s", [number]).fetchone()
    if row is None:
        raise BulletinRefused("not_asked", id=number)
    return _acceptance(row)


def name_of(series: Series) -> str:
    """`who cases vn total`, as the command takes it."""
    return f"{series.feed} {series.metric} {series.place} {series.kind}"


def series_named(name: str) -> Series:
    """The reverse of `name_of`; a name of another form is a series of which nothing is held back."""
    parts = name.split()
    return Series(*parts) if len(parts) == 4 else Series(name[:200], "", "", "")


def _held_of(connection: Connection, series: Series) -> Held:
    found = next((one for one in held(connection) if one.series == series), None) if series.feed != BULLETIN else None
    if found is None or not found.ids:
        raise BulletinRefused("nothing_held", series=name_of(series))
    return found


def _begin(connection: Connection, by: str) -> None:
    one_after_the_other(connection)
    check_account(connection, by)


def _end(connection: Connection, found: Acceptance, state: str, by: str, because: str) -> None:
    connection.execute(
        "UPDATE acceptances SET state = %s, ended_by = %s, ended_at = now(), ended_because = %s WHERE id = %s",
        [state, by, because, found.id],
    )
    connection.execute(*entry(by, "held_ended", str(found.id), series=name_of(found.series), was=found.state, because=because))


def _acceptance(row: Mapping[str, Any]) -> Acceptance:
    names = ("id", "because", "asked_by", "asked_at", "state", "accepted_by", "accepted_at")
    series = Series(row["feed"], row["metric"], row["place"], row["kind"])
    return Acceptance(series=series, reading_ids=tuple(row["reading_ids"]), **{name: row[name] for name in names})
