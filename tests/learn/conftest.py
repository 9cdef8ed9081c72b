from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from bot.learn import collecting
from tests.office import Office

AT_ONCE = datetime.timedelta(0)


class Talks:
    """Citizens whose turns have ended, in the words of the tests."""

    def __init__(self, office: Office) -> None:
        self.office = office
        office.rows("UPDATE learn_state SET finished_at = now() - interval '1 hour'")

    def begins(self, language: str = "vi") -> int:
        row = self.office.rows(
            "INSERT INTO conversations (channel, address, language) VALUES ('webchat', gen_random_uuid()::text, %s) RETURNING id",
            language,
        )
        return int(row[0]["id"])

    def asks(
        self, text: str, intent: str = "nlu_fallback", *, talk: int | None = None, minutes: float = 10, **fields: Any
    ) -> int:
        """The conversation's id. `minutes`: how long the turn has been over."""
        conversation = talk if talk is not None else self.begins(fields.pop("language", "vi"))
        understood = {
            "intent": intent,
            "confidence": fields.pop("confidence", 0.4),
            "ranking": fields.pop("ranking", [["testing_where", 0.41]]),
        }
        values = {"kind": "text", "payload": None, "turn": "answered", "author": "citizen", **fields}
        self.office.rows(
            """INSERT INTO messages (conversation_id, direction, channel, provider_id, text, understood, finished_at, kind, payload, turn,
                                     author, joined_to)
               VALUES (%s, 'incoming', 'webchat', gen_random_uuid()::text, %s, %s::jsonb, now() - make_interval(secs => %s), %s, %s, %s, %s,
                       %s)""",
            conversation,
            text,
            json.dumps(understood),
            minutes * 60,
            *(values.get(name) for name in ("kind", "payload", "turn", "author", "joined_to")),
        )
        return conversation

    def are_collected(self, rest: datetime.timedelta = AT_ONCE) -> list[dict[str, Any]]:
        self.office.does(lambda connection: collecting.collect(connection, rest))
        self.office.does(collecting.group)
        return self.kept()

    def kept(self) -> list[dict[str, Any]]:
        return self.office.rows("SELECT text, reason, language, guesses, day, group_id FROM learn_questions ORDER BY id")


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


@pytest.fixture
def talks(office: Office) -> Talks:
    return Talks(office)
