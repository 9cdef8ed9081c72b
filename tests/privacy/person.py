"""A person who left something in every table that can hold anything of them."""

from __future__ import annotations

from typing import Any

from tests.office import Office

WORDS = "trầm-hương-bí-mật"
ADDRESS = "99887766554433"


def lives_in(office: Office, *, address: str = ADDRESS, words: str = WORDS, days: int = 0) -> int:
    """The id of a conversation with a question, an answer, Rasa's memory and a case; all of it `days` old."""
    conversation = one(
        office,
        """INSERT INTO conversations (channel, address, created_at, last_message_at)
           VALUES ('telegram', %s, now() - make_interval(days => %s), now() - make_interval(days => %s)) RETURNING id""",
        address,
        days,
        days,
    )
    question = one(
        office,
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn, understood, attachments, created_at)
           VALUES (%s, 'incoming', 'citizen', 'telegram', %s, %s, 'answered', jsonb_build_object('text', %s::text), '[]',
                   now() - make_interval(days => %s)) RETURNING id""",
        conversation,
        f"q-{address}",
        words,
        words,
        days,
    )
    one(
        office,
        """INSERT INTO messages (conversation_id, direction, author, channel, text, delivery, in_reply_to, created_at)
           VALUES (%s, 'outgoing', 'operator', 'telegram', %s, 'sent', %s, now() - make_interval(days => %s)) RETURNING id""",
        conversation,
        words,
        question,
        days,
    )
    office.rows(
        """INSERT INTO trackers (sender_id, events, updated_at)
           VALUES (%s, jsonb_build_array(%s::text), now() - make_interval(days => %s))""",
        f"telegram:{conversation}",
        words,
        days,
    )
    office.rows(
        """INSERT INTO echoes (channel, conversation_id, provider_id, text) VALUES ('telegram', %s, 'e', %s)""",
        conversation,
        words,
    )
    case = one(
        office,
        """INSERT INTO cases (conversation_id, desk, reason, state, language, ended_at, contact, consented_at)
           VALUES (%s, 'tinh', 'asked', 'ended', 'vi', now() - make_interval(days => %s), %s, now()) RETURNING id""",
        conversation,
        days,
        words,
    )
    office.hires("an.nguyen", "operator")
    office.rows(
        "INSERT INTO case_notes (case_id, operator_id, text) SELECT %s, id, %s FROM operators WHERE name = 'an.nguyen'",
        case,
        words,
    )
    office.rows("INSERT INTO case_events (case_id, event, actor) VALUES (%s, 'asked', 'citizen')", case)
    return conversation


def one(office: Office, sql: str, *values: Any) -> int:
    return int(office.rows(sql, *values)[0]["id"])


def found_in(office: Office, words: str) -> list[str]:
    """The tables of the whole database, procrastinate's too, in which the words stand anywhere."""
    tables = office.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    found = []
    for table in (row["name"] for row in tables):
        sql = f'SELECT count(*) AS n FROM "{table}" AS t WHERE to_jsonb(t)::text LIKE %s'
        if office.rows(sql, f"%{words}%")[0]["n"]:
            found.append(table)
    return found
