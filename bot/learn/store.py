"""Groups of unanswered questions and what people decided about them. Every function takes the connection and writes the log of
what staff did in the transaction of what it did."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from bot.audit import Action, entry
from bot.database import DictConnection
from bot.learn.turns import searchable
from bot.messages import clean_text

STATES = ("open", "proposed", "closed")
# Decisions of one person. A topic needs two.
ALONE = ("answer", "out_of_scope", "ignore")
TASKS = ("todo", "doing", "done")
PAGE_ROWS = 30
SHOWN_TEXTS = 30
MOST_EXAMPLES = 20
NOTE_LETTERS = 500


class LearnRefused(Exception):
    """What was asked cannot be done. `reason`: a key of locales/vi/interface/learn.yml, `refused`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Wording:
    """One way in which a question was asked, and how often."""

    text: str
    times: int


@dataclass(frozen=True)
class Group:
    id: int
    language: str
    leader: str
    state: str
    asked: int
    last_day: datetime.date | None


@dataclass(frozen=True)
class Decision:
    id: int
    key: str
    group_id: int
    kind: str
    topic: str | None
    examples: Sequence[str]
    asked: int
    note: str
    state: str
    proposed_by: str
    proposed_at: datetime.datetime
    decided_by: str | None
    decided_at: datetime.datetime | None
    undone_by: str | None
    undone_at: datetime.datetime | None
    task: str | None
    task_by: str | None
    task_at: datetime.datetime | None
    applied_at: datetime.datetime | None
    language: str = ""


@dataclass(frozen=True)
class Shown:
    """A group as the list shows it. `guesses`: (intent, how often it was the likeliest), most often first."""

    group: Group
    wordings: Sequence[Wording]
    guesses: Sequence[tuple[str, int]]
    reasons: Sequence[tuple[str, int]]
    decision: Decision | None


@dataclass(frozen=True)
class Wanted:
    """What the list is asked for. `search` is found in any of a group's questions, with or without marks."""

    state: str = "open"
    language: str = ""
    search: str = ""
    page: int = 0


_GROUPS: LiteralString = """
    SELECT g.id, g.language, g.leader, g.state, count(q.id)::int AS asked, max(q.day) AS last_day
    FROM learn_groups g LEFT JOIN learn_questions q ON q.group_id = g.id
"""


_DECISIONS: LiteralString = "SELECT d.*, g.language FROM learn_decisions d JOIN learn_groups g ON g.id = d.group_id WHERE "


async def listed(connection: DictConnection, wanted: Wanted) -> tuple[list[Shown], bool]:
    """(the groups of this page, biggest first; whether there are more)."""
    cursor = await connection.execute(
        _GROUPS
        + """ WHERE g.state = %(state)s AND (%(language)s = '' OR g.language = %(language)s)
                AND (%(search)s = '' OR EXISTS (SELECT FROM learn_questions s WHERE s.group_id = g.id
                                                   AND position(%(search)s IN s.plain) > 0))
              GROUP BY g.id ORDER BY count(q.id) DESC, max(q.day) DESC NULLS LAST, g.id LIMIT %(rows)s OFFSET %(skipped)s""",
        {
            "state": wanted.state,
            "language": wanted.language,
            "search": " ".join(searchable(clean_text(wanted.search)).split()),
            "rows": PAGE_ROWS + 1,
            "skipped": wanted.page * PAGE_ROWS,
        },
    )
    groups = [Group(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
    return [await _shown(connection, one, 3) for one in groups[:PAGE_ROWS]], len(groups) > PAGE_ROWS


async def get(connection: DictConnection, group_id: int) -> Shown:
    """Raises LearnRefused("unknown")."""
    return await _shown(connection, await _group(connection, group_id), SHOWN_TEXTS)


async def counts(connection: DictConnection) -> dict[str, dict[str, int]]:
    """How many groups, by state and language."""
    cursor = await connection.execute(
        "SELECT state, language, count(*)::int AS groups FROM learn_groups GROUP BY 1, 2 ORDER BY count(*) DESC, language"
    )
    found: dict[str, dict[str, int]] = {state: {} for state in STATES}
    for row in await cursor.fetchall():
        found[str(row["state"])][str(row["language"])] = int(cast(int, row["groups"]))
    return found


async def propose(
    connection: DictConnection, group_id: int, topic: str, examples: Sequence[str], by: str, note: str = ""
) -> None:
    """A topic for the group, with the questions that become its examples. They must be the group's own."""
    async with connection.transaction():
        shown = await _locked(connection, group_id, "open")
        own = {wording.text for wording in shown.wordings}
        chosen = [text for text in dict.fromkeys(examples) if text in own]
        if not chosen:
            raise LearnRefused("no_example")
        if len(chosen) > MOST_EXAMPLES:
            raise LearnRefused("too_many_examples")
        await connection.execute(
            """INSERT INTO learn_decisions (group_id, kind, topic, examples, asked, note, state, proposed_by)
               VALUES (%s, 'topic', %s, %s, %s, %s, 'proposed', %s)""",
            [group_id, topic, chosen, shown.group.asked, _note(note), by],
        )
        await _move(connection, group_id, "proposed")
        await connection.execute(*entry(by, "learn_proposed", f"group:{group_id}", topic=topic, examples=len(chosen)))


async def settle(connection: DictConnection, group_id: int, kind: str, by: str, note: str = "") -> None:
    """A decision that one person takes: a new answer is needed, out of scope, ignore."""
    if kind not in ALONE:
        raise LearnRefused("kind_unknown")
    async with connection.transaction():
        shown = await _locked(connection, group_id, "open")
        await connection.execute(
            """INSERT INTO learn_decisions (group_id, kind, asked, note, state, proposed_by, task, task_by, task_at)
               VALUES (%(group)s, %(kind)s, %(asked)s, %(note)s, 'agreed', %(by)s, %(task)s,
                       CASE WHEN %(task)s::text IS NOT NULL THEN %(by)s END,
                       CASE WHEN %(task)s::text IS NOT NULL THEN now() END)""",
            {
                "group": group_id,
                "kind": kind,
                "asked": shown.group.asked,
                "note": _note(note),
                "by": by,
                "task": "todo" if kind == "answer" else None,
            },
        )
        await _move(connection, group_id, "closed")
        await connection.execute(*entry(by, "learn_settled", f"group:{group_id}", kind=kind))


async def answer_proposal(connection: DictConnection, group_id: int, decision_id: int, by: str, *, agree: bool) -> None:
    """The second person's word. Whoever proposed may take the proposal back, not agree to it."""
    async with connection.transaction():
        shown = await _locked(connection, group_id, "proposed")
        decision = shown.decision
        if decision is None or decision.id != decision_id:
            raise LearnRefused("not_waiting")
        if agree and decision.proposed_by == by:
            raise LearnRefused("own_proposal")
        if agree and not decision.examples:
            raise LearnRefused("no_example")
        await connection.execute(
            "UPDATE learn_decisions SET state = %s, decided_by = %s, decided_at = now() WHERE id = %s",
            ["agreed" if agree else "refused", by, decision.id],
        )
        await _move(connection, group_id, "closed" if agree else "open")
        action: Action = "learn_agreed" if agree else "learn_refused"
        await connection.execute(*entry(by, action, f"group:{group_id}", topic=decision.topic, proposed_by=decision.proposed_by))


async def undo(connection: DictConnection, group_id: int, decision_id: int, by: str) -> None:
    """Open the group again. Examples that were written already go with the next `loa learn apply`."""
    async with connection.transaction():
        shown = await _locked(connection, group_id, "closed")
        decision = shown.decision
        if decision is None or decision.id != decision_id:
            raise LearnRefused("not_waiting")
        await connection.execute(
            "UPDATE learn_decisions SET state = 'undone', undone_by = %s, undone_at = now() WHERE id = %s", [by, decision.id]
        )
        await _move(connection, group_id, "open")
        await connection.execute(*entry(by, "learn_undone", f"group:{group_id}", kind=decision.kind, topic=decision.topic))


async def move_task(connection: DictConnection, decision_id: int, task: str, by: str) -> None:
    """A needed answer: to do, being written, done."""
    if task not in TASKS:
        raise LearnRefused("kind_unknown")
    async with connection.transaction():
        cursor = await connection.execute(
            """UPDATE learn_decisions SET task = %s, task_by = %s, task_at = now()
               WHERE id = %s AND kind = 'answer' AND state = 'agreed' RETURNING group_id""",
            [task, by, decision_id],
        )
        row = await cursor.fetchone()
        if row is None:
            raise LearnRefused("unknown")
        await connection.execute(*entry(by, "learn_task", f"group:{row['group_id']}", task=task))


async def tasks(connection: DictConnection) -> list[Shown]:
    """The answers that are needed: what is open first, then the biggest group."""
    cursor = await connection.execute(
        _GROUPS
        + """ JOIN learn_decisions d ON d.group_id = g.id AND d.state = 'agreed' AND d.kind = 'answer'
              GROUP BY g.id, d.task
              ORDER BY array_position(ARRAY['doing', 'todo', 'done'], d.task), count(q.id) DESC, g.id LIMIT 200"""
    )
    groups = [Group(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]
    return [await _shown(connection, one, 5) for one in groups]


async def agreed_topics(connection: DictConnection) -> list[Decision]:
    """What two people agreed on, in the order in which it was proposed."""
    return await _decisions(connection, "d.kind = 'topic' AND d.state = 'agreed'")


async def undone_keys(connection: DictConnection) -> set[str]:
    cursor = await connection.execute("SELECT key FROM learn_decisions WHERE kind = 'topic' AND state <> 'agreed'")
    return {str(row["key"]) for row in await cursor.fetchall()}


async def mark_applied(connection: DictConnection, ids: Sequence[int], removed: Sequence[str], by: str) -> None:
    """After the files are written: whose examples stand in them now, and whose do no more."""
    async with connection.transaction():
        await connection.execute(
            "UPDATE learn_decisions SET applied_at = now() WHERE id = ANY(%s) AND applied_at IS NULL", [list(ids)]
        )
        await connection.execute("UPDATE learn_decisions SET applied_at = NULL WHERE key = ANY(%s)", [list(removed)])
        await connection.execute(*entry(by, "learn_applied", "", decisions=len(ids), removed=len(removed)))


async def history(connection: DictConnection, group_id: int) -> list[Decision]:
    """Every decision about the group, the newest first."""
    return list(reversed(await _decisions(connection, "d.group_id = %(group)s", group_id)))


async def _group(connection: DictConnection, group_id: int) -> Group:
    cursor = await connection.execute(_GROUPS + " WHERE g.id = %s GROUP BY g.id", [group_id])
    row = await cursor.fetchone()
    if row is None:
        raise LearnRefused("unknown")
    return Group(**cast(dict[str, Any], row))


async def _shown(connection: DictConnection, group: Group, texts: int) -> Shown:
    cursor = await connection.execute(
        """SELECT text, count(*)::int AS times FROM learn_questions WHERE group_id = %s
           GROUP BY text ORDER BY count(*) DESC, min(id) LIMIT %s""",
        [group.id, texts],
    )
    wordings = [Wording(str(row["text"]), int(cast(int, row["times"]))) for row in await cursor.fetchall()]
    decisions = await _decisions(connection, "d.group_id = %(group)s AND d.state IN ('proposed', 'agreed')", group.id)
    return Shown(
        group,
        wordings,
        await _most(connection, "SELECT guesses->0->>0", group.id),
        await _most(connection, "SELECT reason", group.id),
        decisions[-1] if decisions else None,
    )


async def _most(connection: DictConnection, selected: LiteralString, group_id: int) -> list[tuple[str, int]]:
    cursor = await connection.execute(
        selected
        + " AS name, count(*)::int AS times FROM learn_questions WHERE group_id = %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5",
        [group_id],
    )
    return [(str(row["name"]), int(cast(int, row["times"]))) for row in await cursor.fetchall() if row["name"]]


async def _decisions(connection: DictConnection, which: LiteralString, group_id: int | None = None) -> list[Decision]:
    cursor = await connection.execute(_DECISIONS + which + " ORDER BY d.id", {"group": group_id})
    return [Decision(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def _locked(connection: DictConnection, group_id: int, state: str) -> Shown:
    """The group, held until the transaction ends; raises LearnRefused when somebody was faster."""
    cursor = await connection.execute("SELECT state FROM learn_groups WHERE id = %s FOR UPDATE", [group_id])
    row = await cursor.fetchone()
    if row is None:
        raise LearnRefused("unknown")
    if row["state"] != state:
        raise LearnRefused("decided_already" if state == "open" else "not_waiting")
    return await get(connection, group_id)


async def _move(connection: DictConnection, group_id: int, state: str) -> None:
    await connection.execute("UPDATE learn_groups SET state = %s WHERE id = %s", [state, group_id])


def _note(note: str) -> str:
    return " ".join(clean_text(note).split())[:NOTE_LETTERS]
