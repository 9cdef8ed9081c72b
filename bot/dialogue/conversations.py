"""The store of conversations and messages; what is sent of them stands in sends.py.

Every function takes the connection, so the caller decides the transaction.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast

from psycopg.types.json import Jsonb

from bot.channels.guard import COMPARED_CHARACTERS, LOOK_BACK, Queued, Said
from bot.content.replies import NOTICE_KEY
from bot.database import OUTGOING_CHANNEL, DictConnection
from bot.handoff.moving import Happening, move
from bot.handoff.ownership import Event
from bot.messages import Incoming, Outgoing

# As many messages as the rules look at; more of one citizen in ten minutes change nothing in what they say.
LOOKED_AT = 120
QUEUE_LOOKED_AT = 60


@dataclass(frozen=True)
class Waiting:
    """An incoming message whose turn is taken, with what the turn must know of its conversation.

    `text` is that of all messages that are answered together; `joined` holds those behind the first one, with their edits.
    `author`: an operator who gave the conversation back may have asked in the citizen's stead. `awaits_contact`: the citizen left
    a question to the desk and may tell how to be reached.
    """

    id: int
    conversation_id: int
    channel: str
    address: str
    kind: str
    text: str
    payload: str | None
    owner: str
    language: str
    attempt: int
    received_at: datetime.datetime
    place: str | None = None
    edits: int = 0
    author: str = "citizen"
    awaits_contact: bool = False
    joined: tuple[tuple[int, int], ...] = ()

    @property
    def version(self) -> str:
        """The message as Rasa knows it: another one once it was edited, or Rasa would repeat its answer to the old words."""
        changes = self.edits + sum(edits for _, edits in self.joined)
        return f"{self.id}.{changes}" if changes else str(self.id)


@dataclass(frozen=True)
class Lately:
    """What the rules of bot/channels/guard.py look at: who owns the conversation, what waits, what was said lately."""

    channel: str
    owner: str
    now: datetime.datetime
    queue: tuple[Queued, ...]
    recent: tuple[Said, ...]
    language: str = "vi"


# `is_of_the_desk`: whether people have to do with the conversation, so that a new word matters to them.
TOUCH: LiteralString = """
    INSERT INTO conversations AS c (channel, address, language, interacted_at, campaign, campaign_at)
    VALUES (%(channel)s, %(address)s, coalesce(%(language)s, 'vi'), least(coalesce(%(at)s, now()), now()), %(campaign)s,
            CASE WHEN %(campaign)s::text IS NOT NULL THEN now() END)
    ON CONFLICT (channel, address) DO UPDATE
       SET last_message_at = now(), sending = 'open', interacted_at = greatest(c.interacted_at, EXCLUDED.interacted_at),
           campaign = coalesce(EXCLUDED.campaign, c.campaign), campaign_at = coalesce(EXCLUDED.campaign_at, c.campaign_at)
    RETURNING id, owner <> 'bot' OR EXISTS (SELECT FROM cases k WHERE k.conversation_id = c.id AND k.state <> 'ended')
                  AS is_of_the_desk
"""
STORE_INCOMING: LiteralString = f"""
    WITH touched AS ({TOUCH}), stored AS (
        INSERT INTO messages (conversation_id, direction, author, channel, provider_id, kind, text, payload, sent_at, attachments,
                              place, turn)
        SELECT id, 'incoming', 'citizen', %(channel)s, %(provider_id)s, %(kind)s, %(text)s, %(payload)s, %(sent_at)s,
               %(attachments)s, %(place)s, 'waiting'
        FROM touched
        ON CONFLICT (channel, provider_id) WHERE direction = 'incoming' DO NOTHING RETURNING id
    )
    SELECT touched.id, touched.is_of_the_desk, stored.id AS message_id FROM touched LEFT JOIN stored ON true
"""  # noqa: S608  both parts stand here


async def store_incoming(connection: DictConnection, incoming: Incoming) -> tuple[int, int | None]:
    """(conversation id, message id); the message id is None when this provider id was stored before."""
    row = await _one(
        connection,
        STORE_INCOMING,
        {
            **_touch(incoming.channel, incoming.address, incoming.language, incoming.campaign, incoming.sent_at),
            "provider_id": incoming.provider_id,
            "kind": incoming.kind,
            "text": incoming.text,
            "payload": incoming.payload,
            "sent_at": incoming.sent_at,
            "attachments": Jsonb([attachment.as_dict() for attachment in incoming.attachments]),
            "place": incoming.place,
        },
    )
    conversation_id, message_id = cast(int, row["id"]), cast(int | None, row["message_id"])
    if message_id is not None and row["is_of_the_desk"]:
        await move(connection, conversation_id, Happening(Event.WROTE, "citizen"))
    return conversation_id, message_id


async def conversation_of(
    connection: DictConnection,
    channel: str,
    address: str,
    *,
    language: str | None = None,
    campaign: str | None = None,
    interacted_at: datetime.datetime | None = None,
) -> int:
    """The conversation's id, its row locked: the citizen gave a sign of life at `interacted_at` (None: now), so it is open.

    A late redelivery does not make the sign of life younger, and a clock that runs ahead does not move it into the future.
    """
    row = await _one(connection, TOUCH, _touch(channel, address, language, campaign, interacted_at))
    return cast(int, row["id"])


def _touch(
    channel: str, address: str, language: str | None, campaign: str | None, at: datetime.datetime | None
) -> dict[str, object]:
    return {"channel": channel, "address": address, "language": language, "at": at, "campaign": campaign}


# The platform's clock orders what waits; what was begun stays first, for Rasa may have answered it already. What was said lately
# follows, the newest first; it is not looked for when nothing waits, and matters to the bot alone.
LATELY: LiteralString = """
    WITH queue AS (
        SELECT m.id, m.created_at AS at, coalesce(m.payload, m.text) AS words,
               m.kind = 'text' AND m.payload IS NULL AND m.text <> '' AS is_typed,
               m.turn_attempts AS attempts, m.joined_to, m.channel, c.owner, c.language, clock_timestamp() AS now,
               row_number() OVER (ORDER BY m.turn_attempts = 0, coalesce(m.sent_at, m.created_at), m.id) AS place
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.conversation_id = %(id)s AND m.turn = 'waiting' ORDER BY place LIMIT %(queue_looked_at)s
    ), said AS (
        SELECT id, created_at AS at, left(coalesce(payload, text), %(compared)s) AS words,
               kind = 'text' AND payload IS NULL AND text <> '' AS is_typed, joined_to, direction = 'incoming' AS is_incoming,
               response_key, in_reply_to
        FROM messages
        WHERE conversation_id = %(id)s AND created_at > now() - %(look_back)s
          AND (SELECT owner FROM queue LIMIT 1) = 'bot' ORDER BY id DESC LIMIT %(looked_at)s
    )
    SELECT place, id, at, words, is_typed, attempts, joined_to, channel, owner, language, now,
           NULL AS is_incoming, NULL AS response_key, NULL AS in_reply_to FROM queue
    UNION ALL
    SELECT NULL, id, at, words, is_typed, NULL, joined_to, NULL, NULL, NULL, NULL, is_incoming, response_key, in_reply_to
    FROM said
    ORDER BY place, id DESC
"""


async def lately(connection: DictConnection, conversation_id: int) -> Lately | None:
    """What waits in this conversation, in its order, and what was said lately; None when nothing waits."""
    cursor = await connection.execute(
        LATELY,
        {
            "id": conversation_id,
            "queue_looked_at": QUEUE_LOOKED_AT,
            "look_back": LOOK_BACK,
            "compared": COMPARED_CHARACTERS,
            "looked_at": LOOKED_AT,
        },
    )
    rows = cast(list[dict[str, Any]], await cursor.fetchall())
    queue = [row for row in rows if row["place"] is not None]
    if not queue:
        return None
    names = ("id", "at", "words", "is_typed", "attempts", "joined_to")
    waiting = tuple(Queued(**{name: row[name] for name in names}) for row in queue)
    first, recent = queue[0], tuple(_said(rows[len(queue) :]))
    return Lately(first["channel"], first["owner"], first["now"], waiting, recent, first["language"])


def _said(rows: Sequence[dict[str, Any]]) -> list[Said]:
    # Newest first: of several replies the first one stays.
    is_answer = (not row["is_incoming"] and not str(row["response_key"]).startswith(NOTICE_KEY) for row in rows)
    answers = {row["in_reply_to"]: row["response_key"] for row, is_one in zip(rows, is_answer, strict=True) if is_one}
    return [
        Said(
            row["id"],
            row["at"],
            row["is_incoming"],
            row["words"],
            row["is_typed"],
            answers.get(row["joined_to"] or row["id"]) if row["is_incoming"] else row["response_key"],
        )
        for row in rows
    ]


TAKE: LiteralString = """
    WITH first AS (
        UPDATE messages m SET turn_attempts = m.turn_attempts + 1 FROM conversations c
        WHERE c.id = m.conversation_id AND m.id = %(first)s AND turn = 'waiting'
        RETURNING m.id, m.conversation_id, m.channel, c.address, m.kind, m.text, m.payload, c.owner, c.language, m.place,
                  m.turn_attempts AS attempt, m.created_at AS received_at, m.edits, m.author,
                  EXISTS (SELECT FROM cases k WHERE k.conversation_id = c.id AND k.state = 'waiting'
                             AND k.consented_at IS NOT NULL AND k.contact IS NULL) AS awaits_contact
    ), others AS (
        UPDATE messages SET joined_to = first.id FROM first
        WHERE messages.id = ANY(%(others)s) AND turn = 'waiting' RETURNING messages.id, messages.text, messages.edits
    )
    SELECT first.*, (SELECT coalesce(jsonb_agg(to_jsonb(others)), '[]') FROM others) AS joined FROM first
"""


async def take(connection: DictConnection, ids: Sequence[int]) -> Waiting | None:
    """Begin the turn of these messages, the first standing for all; counts the attempt, so that a retry after a crash is known
    as one. None when the first waits no longer."""
    row = await _maybe(connection, TAKE, {"first": ids[0], "others": list(ids[1:])})
    if row is None:
        return None
    fields = cast(dict[str, Any], row)
    joined = {other["id"]: other for other in fields.pop("joined")}
    others = [joined[id_] for id_ in ids[1:] if id_ in joined]
    text = "\n".join([fields["text"], *(other["text"] for other in others)])
    return Waiting(**{**fields, "text": text, "joined": tuple((other["id"], other["edits"]) for other in others)})


async def tell(connection: DictConnection, conversation_id: int, message_id: int, notice: Outgoing, *, delivery: str) -> None:
    """Store a notice beside a message whose turn is still to come; nothing while a person owns the conversation."""
    await connection.execute(
        """WITH stored AS (
               INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, response_key, revision, language,
                                     in_reply_to, delivery)
               SELECT id, 'outgoing', 'bot', channel, %s, %s, %s, %s, %s, %s, %s
               FROM conversations WHERE id = %s AND owner = 'bot'
               RETURNING conversation_id)
           SELECT pg_notify(%s, channel || ':' || address) FROM conversations JOIN stored ON stored.conversation_id = id""",
        [
            notice.text,
            Jsonb([button.as_dict() for button in notice.buttons]),
            notice.key,
            notice.revision,
            notice.language,
            message_id,
            delivery,
            conversation_id,
            OUTGOING_CHANNEL,
        ],
    )


# One statement and so one transaction and one trip: the owner is asked under the row's lock, the turn ends only if it
# still waits with the words that were answered, and replies are stored only by whoever ended it, and only for the bot.
FINISH_TURN: LiteralString = """
    WITH conversation AS (
        SELECT id, owner FROM conversations WHERE id = %(conversation_id)s FOR NO KEY UPDATE
    ), done AS (
        UPDATE messages SET turn = CASE WHEN conversation.owner = 'bot' THEN %(outcome)s ELSE 'human' END,
               understood = %(understood)s, finished_at = now()
        FROM conversation WHERE messages.id = %(message_id)s AND turn = 'waiting' AND edits = %(edits)s
        RETURNING conversation.owner
    ), joined AS (
        UPDATE messages SET turn = CASE WHEN done.owner = 'bot' THEN %(outcome)s ELSE 'human' END, finished_at = now()
        FROM done, unnest(%(joined_ids)s::bigint[], %(joined_edits)s::int[]) AS j (id, edits)
        WHERE messages.id = j.id AND messages.edits = j.edits AND turn = 'waiting' AND joined_to = %(message_id)s
    ), spoken AS (
        UPDATE conversations SET language = %(language)s FROM done
        WHERE conversations.id = %(conversation_id)s AND done.owner = 'bot' AND language <> %(language)s::text
    ), stored AS (
        INSERT INTO messages (conversation_id, direction, author, channel, text, buttons, source, response_key, revision,
                              language, attachments, figures, in_reply_to, delivery)
        SELECT %(conversation_id)s, 'outgoing', r.author, %(channel)s, r.text, r.buttons, r.source, r.response_key, r.revision,
               r.language, r.attachments, r.figures, %(message_id)s, %(delivery)s
        FROM done, ROWS FROM (jsonb_to_recordset(%(replies)s) AS (
            author text, text text, buttons jsonb, source jsonb, response_key text, revision text, language text,
            attachments jsonb, figures bigint[]))
            WITH ORDINALITY AS r (author, text, buttons, source, response_key, revision, language, attachments, figures, number)
        WHERE done.owner = 'bot' ORDER BY r.number RETURNING id
    )
    SELECT (SELECT count(*) FROM done) AS done,
           CASE WHEN EXISTS (SELECT 1 FROM stored) THEN pg_notify(%(announced)s, %(address)s) END AS announced
"""


async def finish_turn(
    connection: DictConnection,
    waiting: Waiting,
    replies: Sequence[Outgoing],
    *,
    outcome: str,
    understood: Mapping[str, Any] | None = None,
    delivery: str = "waiting",
    language: str | None = None,
) -> bool:
    """Store the replies and mark the turn done, in one transaction; False when another worker was first, or when the citizen
    edited or withdrew the message meanwhile: then what waits is taken anew.

    Replies are dropped when the conversation left the bot's hands meanwhile: nothing is sent after a take-over. `language`: what
    the conversation goes on in; None leaves it.
    """
    row = await _maybe(
        connection,
        FINISH_TURN,
        {
            "conversation_id": waiting.conversation_id,
            "message_id": waiting.id,
            "edits": waiting.edits,
            "joined_ids": [id_ for id_, _ in waiting.joined],
            "joined_edits": [edits for _, edits in waiting.joined],
            "channel": waiting.channel,
            "outcome": outcome,
            "understood": Jsonb(dict(understood)) if understood else None,
            "delivery": delivery,
            "language": language,
            "replies": Jsonb([as_row(reply) for reply in replies]),
            "announced": OUTGOING_CHANNEL,
            "address": f"{waiting.channel}:{waiting.address}",
        },
    )
    return row is not None and row["done"] == 1


def as_row(reply: Outgoing) -> dict[str, Any]:
    return {
        "author": reply.author,
        "text": reply.text,
        "buttons": [button.as_dict() for button in reply.buttons],
        "source": dict(reply.source) if reply.source else None,
        "response_key": reply.key,
        "revision": reply.revision,
        "language": reply.language,
        "attachments": [attachment.as_dict() for attachment in reply.attachments],
        "figures": list(reply.figures),
    }


async def last_response_key(connection: DictConnection, conversation_id: int) -> str | None:
    """The key of the last answer of ours in this conversation."""
    row = await _maybe(
        connection,
        "SELECT response_key FROM messages WHERE conversation_id = %s AND direction = 'outgoing' ORDER BY id DESC LIMIT 1",
        [conversation_id],
    )
    return cast(str | None, row["response_key"]) if row else None


async def outgoing_after(
    connection: DictConnection, channel: str, address: str, after: int, limit: int = 200
) -> list[dict[str, Any]]:
    """The replies of one conversation with an id above `after`, oldest first: what an event stream still has to show."""
    cursor = await connection.execute(
        """SELECT m.id, m.author, m.text, m.buttons, m.source, m.attachments, m.language,
                  c.language AS talk_language, c.owner AS talk_owner
           FROM messages m
           JOIN conversations c ON c.id = m.conversation_id
           WHERE c.channel = %s AND c.address = %s AND m.direction = 'outgoing' AND m.id > %s ORDER BY m.id LIMIT %s""",
        [channel, address, after, limit],
    )
    return cast(list[dict[str, Any]], await cursor.fetchall())


async def conversations_with_work(connection: DictConnection) -> list[int]:
    """Conversations that hold an untaken turn or an unsent message older than a minute: the safety net below the queue."""
    cursor = await connection.execute(
        """SELECT DISTINCT conversation_id FROM messages
           WHERE (turn = 'waiting' OR (delivery = 'waiting' AND (send_after IS NULL OR send_after < now())))
             AND created_at < now() - interval '60 seconds'
           UNION SELECT conversation_id FROM echoes WHERE created_at < now() - interval '60 seconds'"""
    )
    return [int(cast(int, row["conversation_id"])) for row in await cursor.fetchall()]


async def _maybe(
    connection: DictConnection, sql: LiteralString, values: Sequence[object] | Mapping[str, object]
) -> dict[str, object] | None:
    cursor = await connection.execute(sql, values)
    return await cursor.fetchone()


async def _one(
    connection: DictConnection, sql: LiteralString, values: Sequence[object] | Mapping[str, object]
) -> dict[str, object]:
    row = await _maybe(connection, sql, values)
    if row is None:
        raise LookupError("the database returned no row where one was expected")
    return row
