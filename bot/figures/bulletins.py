"""Bulletins: figures that staff enter from an official publication. Two people stand behind each one that is told.

proposed → approved (by a second person; its numbers become readings of the feed `bulletin`) → withdrawn
         → rejected, withdrawn

Nothing is edited: who finds a mistake enters a new bulletin for the same place and window, and its approval supersedes the old
one. What the gate doubts is shown to the approver and needs a written reason.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import psycopg

from bot.audit import Action, entry
from bot.figures import store
from bot.figures.bulletin_csv import FileRefused, RowProblem, read_file
from bot.figures.bulletin_draft import Draft, DraftRefused, Problem, read_draft
from bot.figures.gate import Judged, judge, people_of, series_states
from bot.figures.known import BULLETIN, History
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Batch, Reading, Window
from bot.figures.store import Connection
from bot.languages.interface import interface_words
from bot.settings import ROOT

# Whose accounts may enter, approve, reject and withdraw.
ROLES = ("content", "senior", "admin")
# All that changes bulletins goes one after the other, on all machines: any number that nobody else takes.
BULLETINS_LOCK = 7_105_054
# Of a reason.
MOST_CHARACTERS = 1000


class BulletinRefused(Exception):
    """It cannot be done; `reason` is a key of `bulletin_reasons` in locales/vi/interface/bulletins.yml, str() its sentence."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(_words()["bulletin_reasons"][reason].format(**values))
        self.reason, self.values = reason, values


class Doubted(Exception):
    """The gate doubts these numbers. Approving needs a reason; nothing was kept."""

    def __init__(self, doubts: Sequence[Judged]) -> None:
        super().__init__("; ".join(reason for judged in doubts for reason in judged.reasons))
        self.doubts = tuple(doubts)


@dataclass(frozen=True)
class Bulletin:
    """One bulletin and its way so far. Times are aware, UTC. `override`: why it was approved although the gate doubted it."""

    id: int
    draft: Draft
    entered_by: str
    entered_at: datetime.datetime
    state: str
    approved_by: str | None
    approved_at: datetime.datetime | None
    override: str | None
    ended_by: str | None
    ended_at: datetime.datetime | None
    ended_because: str
    supersedes: int | None

    @property
    def readings(self) -> list[Reading]:
        """Read from the source when it was entered, whenever it is approved."""
        draft = self.draft
        return [
            Reading(BULLETIN, metric, draft.place, draft.as_of, draft.window, value, draft.issuer, draft.url, self.entered_at)
            for metric, value in sorted(draft.values.items())
        ]


def draft(fields: Mapping[str, str], now: datetime.datetime | None = None) -> Draft:
    """A bulletin out of texts (`place`, `kind`, `starts`, `ends`, the metrics, `issuer`, `url`, `note`); raises DraftRefused."""
    return read_draft(fields, FigurePlaces.below(ROOT), _words()["kind_names"], now or datetime.datetime.now(datetime.UTC))


def propose(connection: Connection, proposed: Draft, entered_by: str) -> int:
    """Keep a proposal; returns its id. Raises BulletinRefused (no such account) and DraftRefused (one waits already)."""
    with connection.transaction():
        one_after_the_other(connection)
        check_account(connection, entered_by)
        if problems := _problems_in_store(connection, proposed):
            raise DraftRefused(problems)
        return _insert(connection, proposed, entered_by)


def import_csv(connection: Connection, content: str | bytes, entered_by: str, now: datetime.datetime | None = None) -> list[int]:
    """Propose every row of a file; returns their ids. Raises FileRefused with every problem and keeps nothing then."""
    drafts = read_file(content, FigurePlaces.below(ROOT), _words(), now or datetime.datetime.now(datetime.UTC))
    with connection.transaction():
        one_after_the_other(connection)
        check_account(connection, entered_by)
        problems = [RowProblem(row, problem) for row, proposed in drafts for problem in _problems_in_store(connection, proposed)]
        if problems:
            raise FileRefused(problems, len(drafts) - len({problem.row for problem in problems}))
        ids = [_insert(connection, proposed, entered_by) for _, proposed in drafts]
        connection.execute(*entry(entered_by, "bulletins_imported", count=len(ids)))
    return ids


def approve(
    connection: Connection, bulletin_id: int, by: str, *, override: str = "", now: datetime.datetime | None = None
) -> Bulletin:
    """Let its numbers be told. Raises BulletinRefused (own, not waiting) and Doubted, unless `override` says why it is right."""
    with connection.transaction():
        one_after_the_other(connection)
        check_account(connection, by)
        bulletin = find(connection, bulletin_id)
        if bulletin.state != "proposed":
            raise BulletinRefused("not_proposed", id=bulletin_id)
        if bulletin.entered_by == by:
            raise BulletinRefused("same_person")
        if problems := _problems_in_store(connection, bulletin.draft, among="approved"):
            raise DraftRefused(problems)
        judged, states = _judged(connection, bulletin, now)
        doubts = [one for one in judged if one.verdict != "good"]
        reason = " ".join(override.split())[:1000]
        if doubts and not reason:
            raise Doubted(doubts)
        before = _standing(connection, bulletin.draft)
        connection.execute(
            """UPDATE bulletins SET state = 'approved', approved_by = %s, approved_at = now(), override = %s, supersedes = %s
                WHERE id = %s""",
            [by, reason if doubts else None, before.id if before else None, bulletin_id],
        )
        accepted = [one if one.verdict == "good" else _accepted(one, by, reason) for one in judged]
        store.record(connection, BULLETIN, accepted, states)
        doubted = [text for one in doubts for text in one.reasons]
        connection.execute(*entry(by, "bulletin_approved", str(bulletin_id), doubts=doubted, override=reason if doubts else ""))
        return find(connection, bulletin_id)


def reject(connection: Connection, bulletin_id: int, by: str, because: str) -> None:
    """Refuse a proposal, one's own too."""
    with connection.transaction():
        bulletin = _to_end(connection, bulletin_id, by, because)
        if bulletin.state != "proposed":
            raise BulletinRefused("not_proposed", id=bulletin_id)
        _end(connection, bulletin, "rejected", "bulletin_rejected", by, because)


def withdraw(connection: Connection, bulletin_id: int, by: str, because: str) -> None:
    """Take back one's own proposal, or an approved bulletin that must not be told any longer (anybody may: it tells less)."""
    with connection.transaction():
        bulletin = _to_end(connection, bulletin_id, by, because)
        if bulletin.state == "proposed" and bulletin.entered_by != by:
            raise BulletinRefused("not_own")
        if bulletin.state not in {"proposed", "approved"}:
            raise BulletinRefused("not_withdrawable", id=bulletin_id)
        standing = _standing(connection, bulletin.draft)
        if bulletin.state == "approved" and standing and standing.id != bulletin.id:
            raise BulletinRefused("corrected_already", id=bulletin_id)
        if bulletin.state == "approved":
            _tell_no_longer(connection, bulletin, by)
        _end(connection, bulletin, "withdrawn", "bulletin_withdrawn", by, because)


def doubts(
    connection: Connection, bulletin: Bulletin, now: datetime.datetime | None = None, history: History | None = None
) -> list[Judged]:
    """What the gate would say of a proposal now: doubts, and marks. `history`: of `known_before`, for many proposals."""
    judged, _ = _judged(connection, bulletin, now, history)
    return [one for one in judged if one.verdict != "good" or one.marks]


def known_before(connection: Connection) -> History:
    """The bulletins that count, as the gate holds a proposal against them."""
    return store.history(connection, BULLETIN)


def corrected_by(connection: Connection, bulletin: Bulletin) -> int | None:
    """The approved bulletin that this proposal would supersede."""
    standing = _standing(connection, bulletin.draft)
    return standing.id if standing else None


def bulletins(connection: Connection, state: str | None = None, limit: int = 50) -> list[Bulletin]:
    """The newest first, of one state or of all."""
    rows = connection.execute(
        f"{SELECT} WHERE b.state = coalesce(%s, b.state) GROUP BY b.id ORDER BY b.id DESC LIMIT %s".encode(), [state, limit]
    ).fetchall()
    return [_bulletin(row) for row in rows]


def waiting(connection: Connection, limit: int) -> tuple[list[Bulletin], int]:
    """The proposals that have waited longest, and how many there are in all."""
    rows = connection.execute(
        f"{SELECT} WHERE b.state = 'proposed' GROUP BY b.id ORDER BY b.id LIMIT %s".encode(), [limit]
    ).fetchall()
    count = connection.execute("SELECT count(*) AS all FROM bulletins WHERE state = 'proposed'").fetchone()
    return [_bulletin(row) for row in rows], int(count["all"]) if count else 0


def find(connection: Connection, bulletin_id: int) -> Bulletin:
    """Raises BulletinRefused when there is none."""
    row = connection.execute(f"{SELECT} WHERE b.id = %s GROUP BY b.id".encode(), [bulletin_id]).fetchone()
    if row is None:
        raise BulletinRefused("not_found", id=bulletin_id)
    return _bulletin(row)


def problem_sentence(problem: Problem) -> str:
    """What is wrong, in Vietnamese."""
    words = _words()
    values = dict(problem.values)
    if "metric" in values:
        values["metric"] = words["metrics"][values["metric"]]
    return str(words["problems"][problem.reason]).format(value=problem.value, **values)


def file_problems(refused: FileRefused) -> list[str]:
    """A line for each problem of a file: row, column, what stands there, what to do; the first line says how many."""
    words = _words()
    lines = [words["file_refused"].format(bad=refused.bad, good=refused.good)]
    for found in refused.problems:
        problem = found.problem
        template = words["row_problem" if problem.value else "row_problem_empty"]
        column = words["columns"][problem.column][0] if problem.column else words["whole_file"]
        lines.append(template.format(row=found.row, column=column, value=problem.value[:80], sentence=problem_sentence(problem)))
    return lines


SELECT = """SELECT b.*, coalesce(jsonb_object_agg(v.metric, v.value) FILTER (WHERE v.metric IS NOT NULL), '{}') AS numbers
              FROM bulletins b LEFT JOIN bulletin_values v ON v.bulletin_id = b.id"""


def _bulletin(row: Mapping[str, Any]) -> Bulletin:
    window = Window(row["kind"], row["starts_at"], row["ends_at"])
    numbers = {metric: int(value) for metric, value in row["numbers"].items()}
    own = (
        "id",
        "entered_by",
        "entered_at",
        "state",
        "approved_by",
        "approved_at",
        "override",
        "ended_by",
        "ended_at",
        "ended_because",
    )
    return Bulletin(
        draft=Draft(row["place"], row["as_of"], window, numbers, row["issuer"], row["url"], row["note"]),
        supersedes=row["supersedes"],
        **{name: row[name] for name in own},
    )


def _insert(connection: Connection, proposed: Draft, entered_by: str) -> int:
    row = connection.execute(
        """INSERT INTO bulletins (place, kind, as_of, starts_at, ends_at, issuer, url, note, entered_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        [
            proposed.place,
            proposed.window.kind,
            proposed.as_of,
            proposed.window.starts_at,
            proposed.window.ends_at,
            proposed.issuer,
            proposed.url,
            proposed.note,
            entered_by,
        ],
    ).fetchone()
    bulletin_id = int(row["id"]) if row else 0
    for metric, value in proposed.values.items():
        connection.execute("INSERT INTO bulletin_values VALUES (%s, %s, %s)", [bulletin_id, metric, value])
    connection.execute(*entry(entered_by, "bulletin_proposed", str(bulletin_id)))
    return bulletin_id


def _problems_in_store(connection: Connection, proposed: Draft, among: str = "proposed") -> list[Problem]:
    """One proposal for a window at a time; a correction says again all that the corrected bulletin said."""
    window = [proposed.place, proposed.window.kind, proposed.as_of]
    if among == "proposed":
        waiting = connection.execute(
            "SELECT id FROM bulletins WHERE place = %s AND kind = %s AND as_of = %s AND state = 'proposed'", window
        ).fetchone()
        if waiting:
            return [Problem("place", proposed.place, "waiting_already", {"id": waiting["id"]})]
    standing = _standing(connection, proposed)
    dropped = sorted(set(standing.draft.values) - set(proposed.values)) if standing else []
    return [Problem(metric, "", "drops_metric", {"id": standing.id, "metric": metric}) for metric in dropped if standing]


def _standing(connection: Connection, of: Draft) -> Bulletin | None:
    """The approved bulletin of this place and window that nothing has superseded."""
    row = connection.execute(
        f"""{SELECT} WHERE b.place = %s AND b.kind = %s AND b.as_of = %s AND b.state = 'approved'
               AND NOT EXISTS (SELECT FROM bulletins later WHERE later.supersedes = b.id)
             GROUP BY b.id ORDER BY b.id DESC LIMIT 1""".encode(),
        [of.place, of.window.kind, of.as_of],
    ).fetchone()
    return _bulletin(row) if row else None


def _judged(
    connection: Connection, bulletin: Bulletin, now: datetime.datetime | None, history: History | None = None
) -> tuple[list[Judged], dict[Any, datetime.date | None]]:
    today = (now or datetime.datetime.now(datetime.UTC)).astimezone(VIETNAM).date()
    batch, history = Batch(BULLETIN, bulletin.readings), history or known_before(connection)
    judged = judge(batch, history, today, people_of(FigurePlaces.below(ROOT)))
    return judged, series_states(batch, judged, history, today)


def _accepted(doubted: Judged, by: str, reason: str) -> Judged:
    return replace(doubted, verdict="good", reasons=(*doubted.reasons, f"told all the same, {by}: {reason}"))


def _tell_no_longer(connection: Connection, bulletin: Bulletin, by: str) -> None:
    """Every version of its numbers: else the one that it had corrected would be told again."""
    connection.execute(
        """UPDATE readings SET verdict = 'suspect', reasons = reasons || %s::text
            WHERE feed = %s AND place = %s AND kind = %s AND as_of = %s AND verdict = 'good'""",
        [
            f"bulletin {bulletin.id} was withdrawn by {by}",
            BULLETIN,
            bulletin.draft.place,
            bulletin.draft.window.kind,
            bulletin.draft.as_of,
        ],
    )


def _to_end(connection: Connection, bulletin_id: int, by: str, because: str) -> Bulletin:
    one_after_the_other(connection)
    check_account(connection, by)
    reason_of(because)
    return find(connection, bulletin_id)


def _end(connection: Connection, bulletin: Bulletin, state: str, action: Action, by: str, because: str) -> None:
    reason = reason_of(because)
    connection.execute(
        "UPDATE bulletins SET state = %s, ended_by = %s, ended_at = now(), ended_because = %s WHERE id = %s",
        [state, by, reason, bulletin.id],
    )
    connection.execute(*entry(by, action, str(bulletin.id), was=bulletin.state, because=reason))


def reason_of(because: str) -> str:
    """One line, as long as is kept. Raises BulletinRefused where there is none."""
    reason = " ".join(because.replace("\x00", "").split())[:MOST_CHARACTERS]
    if not reason:
        raise BulletinRefused("reason_missing")
    return reason


def one_after_the_other(connection: psycopg.Connection[Any]) -> None:
    """Until this transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [BULLETINS_LOCK])


def check_account(connection: Connection, by: str) -> None:
    """The second person is one with an account, also for a command: a name typed at random is nobody."""
    row = connection.execute(
        "SELECT 1 FROM operators WHERE name = %s AND disabled_at IS NULL AND role = ANY(%s)", [by, list(ROLES)]
    ).fetchone()
    if row is None:
        raise BulletinRefused("no_account", by=by)


@cache
def _words() -> dict[str, Any]:
    return interface_words(ROOT, "bulletins")
