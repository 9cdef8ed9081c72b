"""/staff/audit: what staff did, by person, action and day; and the same as a file. Whoever looks is in the log, too."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from bot.audit import entry
from bot.database import DictConnection, Pool
from bot.staff.accounts import Role
from bot.staff.audit_words import Details
from bot.staff.door import Door, StaffRoute, Visit
from bot.staff.layout import HEADERS, VIETNAM, Layout

PAGE = "/staff/audit"
FILE = "/staff/audit.csv"
ADMIN: tuple[Role, ...] = ("admin",)
ROWS = 50
ROWS_OF_FILE_AT_A_TIME = 1000
MOST_NAMES = 200
COLUMNS = ("id", "at", "actor", "action", "object", "detail")
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Filter:
    """What is looked for; empty is everything. `day` is one of Vietnam's. `before`: rows older than this one."""

    actor: str = ""
    action: str = ""
    day: datetime.date | None = None
    before: int = 2**63 - 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """What cannot be read is not looked for."""
        before = query.get("before", "")
        is_number = before.isascii() and before.isdigit() and len(before) < 19
        return cls(
            actor=query.get("actor", "").replace("\x00", "").strip()[:100],
            action=query.get("action", "").replace("\x00", "").strip()[:100],
            day=_day(query.get("day", "")),
            before=int(before) if is_number else cls.before,
        )

    def as_query(self) -> dict[str, str]:
        given = {"actor": self.actor, "action": self.action, "day": self.day.isoformat() if self.day else ""}
        return {name: value for name, value in given.items() if value}


class AuditPage:
    def __init__(self, pool: Pool, layout: Layout, door: Door, details: Details) -> None:
        self._pool, self._layout, self._door, self._details = pool, layout, door, details

    def routes(self) -> list[BaseRoute]:
        return [
            StaffRoute(PAGE, self.show, self._door, ADMIN),
            StaffRoute(FILE, self.export, self._door, ADMIN),
        ]

    async def show(self, visit: Visit) -> Response:
        wanted = Filter.of(visit.request.query_params)
        async with self._pool.connection() as connection:
            found = await rows(connection, wanted, ROWS + 1)
            actors, actions = await names(connection, "actor"), await names(connection, "action")
            await connection.execute(*entry(visit.person.name, "log_viewed", asked=wanted.as_query()))
        values = {
            "rows": [{**row, "told": self._details.told(row["detail"])} for row in found[:ROWS]],
            "older": found[ROWS - 1]["id"] if len(found) > ROWS else None,
            "is_first": "before" not in visit.request.query_params,
            "wanted": wanted,
            "query": wanted.as_query(),
            "actors": actors,
            "actions": actions,
        }
        return self._layout.page(visit.request, "audit.html", visit.person, visit.csrf, values)

    async def export(self, visit: Visit) -> Response:
        """All that the filter finds, newest first, as a CSV that Excel opens."""
        wanted = Filter.of(visit.request.query_params)
        async with self._pool.connection() as connection:
            await connection.execute(*entry(visit.person.name, "log_exported", asked=wanted.as_query()))
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="loa-log-{_today()}.csv"'}
        return StreamingResponse(self._lines(wanted), 200, headers, "text/csv; charset=utf-8")

    async def _lines(self, wanted: Filter) -> AsyncIterator[str]:
        # Excel takes a file for UTF-8 by this mark alone.
        yield "\ufeff" + _line(COLUMNS)
        while True:
            async with self._pool.connection() as connection:
                found = await rows(connection, wanted, ROWS_OF_FILE_AT_A_TIME)
            yield "".join(_line(_cells(row)) for row in found)
            if len(found) < ROWS_OF_FILE_AT_A_TIME:
                return
            wanted = Filter(wanted.actor, wanted.action, wanted.day, found[-1]["id"])


async def rows(connection: DictConnection, wanted: Filter, limit: int) -> list[dict[str, Any]]:
    """The newest that fit, from `before` on: a page deep in the log costs as much as the first."""
    starts = datetime.datetime.combine(wanted.day, datetime.time(), VIETNAM) if wanted.day else None
    conditions: list[tuple[LiteralString, object]] = [
        ("id < %(before)s", wanted.before),
        ("actor = %(actor)s", wanted.actor),
        ("action = %(action)s", wanted.action),
        ("at >= %(starts)s AND at < %(starts)s + interval '1 day'", starts),
    ]
    asked = " AND ".join(condition for condition, value in conditions if value)
    found = await connection.execute(
        f"SELECT id, at, actor, action, object, detail FROM audit_log WHERE {asked} ORDER BY id DESC LIMIT %(limit)s",  # noqa: S608
        {"before": wanted.before, "actor": wanted.actor, "action": wanted.action, "starts": starts, "limit": limit},
        # A plan for these values: one for any would not know that a name is rare.
        prepare=False,
    )
    return cast(list[dict[str, Any]], await found.fetchall())


async def names(connection: DictConnection, column: str) -> list[str]:
    """The different actors or actions of the whole log: hops from one to the next in the index, however long the log is."""
    statement = {
        "actor": """WITH RECURSIVE hop AS (
                        (SELECT actor AS name FROM audit_log ORDER BY actor LIMIT 1)
                        UNION ALL
                        SELECT (SELECT actor FROM audit_log WHERE actor > hop.name ORDER BY actor LIMIT 1) FROM hop
                         WHERE hop.name IS NOT NULL)
                    SELECT name FROM hop WHERE name IS NOT NULL LIMIT %s""",
        "action": """WITH RECURSIVE hop AS (
                        (SELECT action AS name FROM audit_log ORDER BY action LIMIT 1)
                        UNION ALL
                        SELECT (SELECT action FROM audit_log WHERE action > hop.name ORDER BY action LIMIT 1) FROM hop
                         WHERE hop.name IS NOT NULL)
                    SELECT name FROM hop WHERE name IS NOT NULL LIMIT %s""",
    }[column]
    found = await connection.execute(statement.encode(), [MOST_NAMES])
    return [str(row["name"]) for row in await found.fetchall()]


def told(detail: Mapping[str, Any]) -> str:
    """`role: senior, before: operator`: the file keeps keys and codes as they were written, to be counted by."""
    return ", ".join(f"{name}: {_plain(value)}" for name, value in detail.items() if value not in ("", None, {}))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cells(row: Mapping[str, Any]) -> list[str]:
    at = row["at"].astimezone(VIETNAM).isoformat(timespec="seconds")
    return [str(row["id"]), at, *(_safe(row[name]) for name in ("actor", "action", "object")), _safe(told(row["detail"]))]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # type: ignore[arg-type]
    return line.getvalue()


def _day(text: str) -> datetime.date | None:
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    # The first and last days of Python's calendar have no midnight in Vietnam.
    return found if 1900 < found.year < 9999 else None


def _today() -> datetime.date:
    return datetime.datetime.now(VIETNAM).date()
