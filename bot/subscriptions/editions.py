"""What there is to tell now, by what it was subscribed to: every state of it is an edition with a number.

Numbers rise in the order in which states were first seen, on whatever machine. A machine that still has yesterday's texts sees an
edition of a lower number, which is news to nobody.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from bot.content.store import in_force
from bot.database import DictConnection
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM
from bot.figures.store import read_known
from bot.figures.told import Asked, Figure, Group, tell
from bot.languages.catalogue import Catalogue
from bot.languages.in_force import Notice
from bot.settings import ROOT
from bot.subscriptions.wanted import Key

GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class State:
    """Something that can be told, before it has a number. `notice`: its words; `figures`: of one group, of the same place."""

    kind: str
    subject: str
    mark: str
    figures: tuple[Figure, ...] = ()
    notice: str = ""
    places: frozenset[str] | None = None

    @property
    def intent(self) -> str:
        return self.subject if self.kind == "answer" else ""


@dataclass(frozen=True)
class Edition:
    number: int
    seen_at: datetime.datetime
    state: State


class Editions:
    """`database_url`: where figures are read, in a thread of their own."""

    def __init__(self, catalogue: Catalogue, database_url: str) -> None:
        self._catalogue, self._url = catalogue, database_url

    async def now(
        self, connection: DictConnection, keys: Collection[Key], *, publish: bool = True
    ) -> Mapping[Key, Sequence[Edition]]:
        """The editions of today for each key. What is seen for the first time gets its number, unless it is only looked at."""
        states = [*await self._figures(keys), *await self._of_staff(connection, keys)]
        numbered = await _numbered(connection, states, publish=publish)
        return {key: [edition for edition in numbered if is_for(edition.state, key)] for key in keys}

    async def _figures(self, keys: Iterable[Key]) -> list[State]:
        places = sorted({subject for kind, subject in keys if kind == "figures"})
        return await asyncio.to_thread(self._figures_of, places) if places else []

    def _figures_of(self, places: Iterable[str]) -> list[State]:
        known, today = read_known(self._url, ROOT), datetime.datetime.now(VIETNAM).date()
        found = []
        for place in places:
            for group in GROUPS:
                told = tell(known, Asked(group, place, "latest"), FigurePlaces.below(ROOT), today)
                if told.figures and told.missing != "not_current":
                    found.append(State("figures", place, figure_mark(group, told.figures), figures=told.figures))
        return found

    async def _of_staff(self, connection: DictConnection, keys: Collection[Key]) -> list[State]:
        """Answers and notices, as staff have put them in force."""
        if all(kind == "figures" for kind, _ in keys):
            return []
        withdrawals, notices, _ = await in_force(connection)
        withdrawn = {withdrawal.key for withdrawal in withdrawals if withdrawal.language is None}
        intents = sorted({subject for kind, subject in keys if kind == "answer"})
        return [
            *(state for intent in intents if (state := self._answer(intent, withdrawn))),
            *(_notice(notice) for notice in notices if notice.starts_at <= datetime.datetime.now(datetime.UTC)),
        ]

    def _answer(self, intent: str, withdrawn: Collection[str]) -> State | None:
        keys = answer_keys(self._catalogue, intent)
        if not is_answered(self._catalogue, intent) or not set(keys).isdisjoint(withdrawn):
            return None
        return State("answer", intent, answer_mark(self._catalogue, intent))


def _notice(notice: Notice) -> State:
    """One that is not about a place is for everybody."""
    return State("notices", "", str(notice.id), notice=notice.text, places=notice.places if notice.scope == "place" else None)


def is_for(state: State, key: Key) -> bool:
    kind, subject = key
    if state.kind != kind:
        return False
    return (state.places is None or subject in state.places) if kind == "notices" else state.subject == subject


def is_answered(catalogue: Catalogue, intent: str) -> bool:
    """Whether there is an answer that is not past its date."""
    entry = catalogue.entries.get(f"utter_{intent}")
    return intent in catalogue.intents and entry is not None and entry.valid_until >= catalogue.today()


def answer_keys(catalogue: Catalogue, intent: str) -> list[str]:
    """The responses with which the intent is answered: `utter_testing_where` and `utter_testing_where_district`, but not those of
    an intent with a longer name."""
    others = [f"utter_{name}" for name in catalogue.intents if name != intent and name.startswith(f"{intent}_")]
    return sorted(
        key
        for key in catalogue.entries
        if (key == f"utter_{intent}" or key.startswith(f"utter_{intent}_"))
        and not any(key == other or key.startswith(f"{other}_") for other in others)
    )


def answer_mark(catalogue: Catalogue, intent: str) -> str:
    """Of the words and their sources: a review that changes neither is no news."""
    entries = [catalogue.entries[key] for key in answer_keys(catalogue, intent)]
    return hashlib.sha256("|".join(f"{e.key}|{e.text}|{e.source}" for e in entries).encode()).hexdigest()[:16]


def figure_mark(group: str, figures: Sequence[Figure]) -> str:
    """`cases total 2026-11-15 11624000; deaths …`: the numbers and the days that they are of."""
    told = "; ".join(f"{f.metric} {f.window_kind} {f.as_of.isoformat()} {f.value}" for f in figures)
    return f"{group}: {told}"


async def _numbered(connection: DictConnection, states: Sequence[State], *, publish: bool) -> list[Edition]:
    found = {(row["kind"], row["subject"], row["mark"]): row for row in await _read(connection, states)}
    missing = [state for state in states if (state.kind, state.subject, state.mark) not in found]
    if missing and publish:
        async with connection.transaction():
            # One at a time: whoever sees a number sees all that are lower.
            await connection.execute("LOCK TABLE news_editions IN SHARE ROW EXCLUSIVE MODE")
            await connection.execute(
                """INSERT INTO news_editions (kind, subject, mark)
                   SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING""",
                _columns(missing),
            )
        found |= {(row["kind"], row["subject"], row["mark"]): row for row in await _read(connection, missing)}
    return list(_editions(states, found))


def _editions(states: Iterable[State], found: Mapping[tuple[Any, ...], Mapping[str, Any]]) -> Iterator[Edition]:
    for state in states:
        if row := found.get((state.kind, state.subject, state.mark)):
            yield Edition(int(row["id"]), row["seen_at"], state)


async def _read(connection: DictConnection, states: Sequence[State]) -> list[dict[str, Any]]:
    cursor = await connection.execute(
        """SELECT e.* FROM news_editions e JOIN unnest(%s::text[], %s::text[], %s::text[]) AS s (kind, subject, mark)
               USING (kind, subject, mark)""",
        _columns(states),
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())


def _columns(states: Sequence[State]) -> list[list[str]]:
    return [[state.kind for state in states], [state.subject for state in states], [state.mark for state in states]]
