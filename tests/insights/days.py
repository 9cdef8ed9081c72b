"""Days of a service, put into the database message by message: what the roll-ups are to count."""

from __future__ import annotations

import asyncio
import datetime
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.rows import dict_row

from bot.insights import rollups
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.office import Office

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
KINDS = rollups.Kinds.of(CATALOGUE)
KEPT = 28


def noon(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(12), rollups.VIETNAM)


class Days:
    """`office` gives the database; a conversation is named by any word."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._ids: dict[str, int] = {}
        self._number = 0

    def conversation(self, name: str, channel: str = "zalo", language: str = "vi") -> int:
        if name not in self._ids:
            rows = self.office.rows(
                "INSERT INTO conversations (channel, address, language) VALUES (%s, %s, %s) RETURNING id", channel, name, language
            )
            self._ids[name] = rows[0]["id"]
        return self._ids[name]

    def asks(
        self,
        name: str,
        intent: str | None,
        day: datetime.date,
        *,
        key: str | None = None,
        turn: str = "answered",
        place: str = "",
        payload: str | None = None,
        text: str = "một câu hỏi",
        seconds: float = 1.5,
        **fields: Any,
    ) -> int:
        """A citizen's message with its answer; the id of the answer, or of the message when there is none."""
        self._number += 1
        at = fields.pop("at", None) or noon(day)
        understood = {"intent": intent, "entities": [{"entity": "place", "value": place}] if place else []} if intent else None
        columns = {
            "conversation_id": self.conversation(name, fields.pop("channel", "zalo"), fields.pop("language", "vi")),
            "channel": "zalo",
            "provider_id": f"{name}-{self._number}",
            "text": "" if payload else text,
            "payload": payload,
            "kind": "payload" if payload else "text",
            "turn": turn,
            "understood": json.dumps(understood) if understood else None,
            "created_at": at,
            "finished_at": None if turn == "waiting" else at + datetime.timedelta(seconds=seconds),
            **fields,
        }
        asked = self._insert("incoming", "citizen", columns)
        return self.tells(name, key, day, in_reply_to=asked, at=at) if key else asked

    def tells(self, name: str, key: str, day: datetime.date, **fields: Any) -> int:
        at = fields.pop("at", None) or noon(day)
        buttons = fields.pop("buttons", [])
        columns = {
            "conversation_id": self.conversation(name),
            "channel": "zalo",
            "text": "một câu trả lời",
            "response_key": key,
            "revision": "1a2b3c4d",
            "delivery": "sent",
            "created_at": at,
            "buttons": json.dumps(buttons),
            **fields,
        }
        return self._insert("outgoing", "bot", columns)

    def count(self, day: datetime.date, now: datetime.datetime | None = None) -> None:
        self._with(lambda connection: rollups.count_day(connection, day, KINDS, now))

    def next_day(self, now: datetime.datetime) -> datetime.date | None:
        return self._with(lambda connection: rollups.next_day(connection, now, KEPT))

    def row(self, day: datetime.date, part: str = "all", key: str = "") -> dict[str, Any]:
        rows = self.office.rows("SELECT * FROM insight_days WHERE day = %s AND part = %s AND key = %s", day, part, key)
        return rows[0] if rows else {}

    def _insert(self, direction: str, author: str, columns: dict[str, Any]) -> int:
        names = ", ".join(["direction", "author", *columns])
        places = ", ".join(["%s"] * (len(columns) + 2))
        rows = self.office.rows(
            f"INSERT INTO messages ({names}) VALUES ({places}) RETURNING id", direction, author, *columns.values()
        )
        return int(rows[0]["id"])

    def _with(self, work: Any) -> Any:
        async def run() -> Any:
            async with await psycopg.AsyncConnection.connect(
                self.office.url, autocommit=True, row_factory=dict_row
            ) as connection:
                return await work(connection)

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, run()).result()
