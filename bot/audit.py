"""The log of what staff did. PostgreSQL refuses to change or delete its rows (migration 0007)."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg.types.json import Jsonb

INSERT: LiteralString = "INSERT INTO audit_log (actor, action, object, detail) VALUES (%s, %s, %s, %s)"


def entry(actor: str, action: str, subject: str = "", **detail: Any) -> tuple[LiteralString, list[Any]]:
    """Statement and values for `connection.execute(*entry(…))`, in the transaction of what it tells.

    No citizen's words, no password, no token in `detail`.
    """
    return INSERT, [actor, action, subject, Jsonb(detail)]
