"""A database that is given to the next test holds nothing of the one before."""

from __future__ import annotations

import psycopg
import pytest

from tests.databases import Databases

OID = "SELECT oid FROM pg_database WHERE datname = current_database()"
FIND = """SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM audit_log) + (SELECT count(*) FROM messages)"""


def test_rows_and_numbers_begin_anew(databases: Databases) -> None:
    with databases.one() as url, psycopg.connect(url) as connection:
        connection.execute("INSERT INTO conversations (channel, address) VALUES ('zalo', '1')")
        connection.execute(
            """INSERT INTO messages (conversation_id, direction, author, channel, turn, kind)
               SELECT id, 'incoming', 'citizen', 'zalo', 'waiting', 'text' FROM conversations"""
        )
        connection.execute("INSERT INTO audit_log (actor, action) VALUES ('a', 'b')")
        connection.commit()
        before, oid = url, connection.execute(OID).fetchone()
    with databases.one() as url, psycopg.connect(url) as connection:
        assert connection.execute(OID).fetchone() == oid, "not copied anew"
        assert url != before
        assert connection.execute(FIND).fetchone() == (0,)
        assert connection.execute(
            "INSERT INTO conversations (channel, address) VALUES ('zalo', '1') RETURNING id"
        ).fetchone() == (1,)
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute("INSERT INTO audit_log (actor, action) VALUES ('a', 'b')")
            connection.execute("DELETE FROM audit_log")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more ()",
        "DROP TRIGGER audit_log_rows_stay ON audit_log",
        "DELETE FROM schema_migrations",
        "ALTER TABLE messages ADD COLUMN more int",
        "ALTER TABLE bulletins ALTER entered_at SET DEFAULT '2026-11-22T20:00:00+07'",
    ],
)
def test_a_database_that_was_built_differently_is_thrown_away(databases: Databases, change: str) -> None:
    with databases.one() as url, psycopg.connect(url) as connection:
        oid = connection.execute(OID).fetchone()
        connection.execute(change.encode())
        connection.commit()
    with databases.one() as url, psycopg.connect(url) as connection:
        assert connection.execute(OID).fetchone() != oid
