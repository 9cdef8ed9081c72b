"""The store of subscriptions. Every function takes the connection, so the caller decides the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from psycopg.types.json import Jsonb

from bot.database import DictConnection
from bot.subscriptions.wanted import Key, Wanted

NEWS = "utter_news"
CONSENT = "utter_subscribe_consent"
# Of one person; more is no choice any more.
MOST = 10


@dataclass(frozen=True)
class Consent:
    """The question that was agreed to, as it was read."""

    text: str
    revision: str
    language: str
    channel: str


async def active(connection: DictConnection, conversation_id: int) -> list[Wanted]:
    """What the person is subscribed to, the oldest first."""
    cursor = await connection.execute(
        "SELECT kind, subject, how FROM subscriptions WHERE conversation_id = %s AND ended_at IS NULL ORDER BY id",
        [conversation_id],
    )
    return [Wanted(**cast(dict[str, Any], row)) for row in await cursor.fetchall()]


async def keys(connection: DictConnection) -> list[Key]:
    """All that anybody is subscribed to."""
    cursor = await connection.execute("SELECT DISTINCT kind, subject FROM subscriptions WHERE ended_at IS NULL")
    return [(str(row["kind"]), str(row["subject"])) for row in await cursor.fetchall()]


async def consent_of(connection: DictConnection, conversation_id: int, payload: str) -> Consent | None:
    """The newest question in this conversation whose button carried the payload."""
    cursor = await connection.execute(
        """SELECT text, coalesce(revision, '') AS revision, language, channel FROM messages
            WHERE conversation_id = %s AND direction = 'outgoing' AND response_key = %s AND buttons @> %s
            ORDER BY id DESC LIMIT 1""",
        [conversation_id, CONSENT, Jsonb([{"payload": payload}])],
    )
    row = cast(dict[str, Any] | None, await cursor.fetchone())
    return Consent(**row) if row else None


async def begin(connection: DictConnection, conversation_id: int, wanted: Wanted, consent: Consent) -> None:
    """Subscribe, or change how often; what there is to tell up to now is no news. Done twice it is done once."""
    await connection.execute(
        """INSERT INTO subscriptions AS s (conversation_id, kind, subject, how, consent_text, consent_revision, consent_language,
                                           channel, told)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, (SELECT coalesce(max(id), 0) FROM news_editions))
           ON CONFLICT (conversation_id, kind, subject) WHERE ended_at IS NULL DO UPDATE
              SET how = EXCLUDED.how, consent_text = EXCLUDED.consent_text, consent_revision = EXCLUDED.consent_revision,
                  consent_language = EXCLUDED.consent_language, channel = EXCLUDED.channel, consented_at = now()""",
        [
            conversation_id,
            wanted.kind,
            wanted.subject,
            wanted.how,
            consent.text,
            consent.revision,
            consent.language,
            consent.channel,
        ],
    )


async def end(connection: DictConnection, conversation_id: int, message_id: int, wanted: Wanted | None = None) -> int:
    """End this one, or all; how many this message has ended, also when it is taken a second time. With all of them ended, what
    was stored and not sent yet is not sent any more."""
    await connection.execute(
        """UPDATE subscriptions SET ended_at = now(), ended_in = %(message)s
            WHERE conversation_id = %(id)s AND ended_at IS NULL
              AND (%(kind)s::text IS NULL OR (kind = %(kind)s AND subject = %(subject)s))""",
        {
            "id": conversation_id,
            "message": message_id,
            "kind": wanted.kind if wanted else None,
            "subject": wanted.subject if wanted else None,
        },
    )
    if wanted is None:
        await connection.execute(
            """UPDATE messages SET delivery = 'withdrawn', finished_at = now()
                WHERE conversation_id = %s AND response_key = %s AND delivery = 'waiting'""",
            [conversation_id, NEWS],
        )
    cursor = await connection.execute("SELECT count(*) AS n FROM subscriptions WHERE ended_in = %s", [message_id])
    return int(cast(dict[str, int], await cursor.fetchone())["n"])
