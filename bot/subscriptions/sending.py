"""Sending: looked for each minute, told in the hours in which people are awake, one message a person for all that is new.

The message is stored, and what the person knows from then on, in one transaction, then delivered like any other: a process that
dies before leaves it for the next round, one that dies after leaves a stored message, and neither tells anything twice. Who
cannot be written to now is told the newest when they can be; nothing piles up.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import structlog

from bot.channels.sending import Sender
from bot.database import DictConnection, Pool
from bot.dialogue.corrections import WRITABLE, windows, writable_values
from bot.figures.as_values import as_value, marks, publication
from bot.figures.places import FigurePlaces
from bot.figures.told import Figure
from bot.handoff.telling import Address, store
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.messages import Button, Outgoing
from bot.metrics import NEWS as NEWS_MESSAGES
from bot.settings import ROOT
from bot.subscriptions.editions import Edition, Editions, answer_keys
from bot.subscriptions.store import NEWS, keys
from bot.subscriptions.wanted import How, Key

log = structlog.get_logger(__name__)

# Hours of the day in Viet Nam: mornings for whoever wants one message a day, daytime for whoever wants to know of changes.
HOURS: Mapping[How, range] = {"daily": range(7, 10), "changes": range(7, 20)}
REST = datetime.timedelta(hours=3)
# Well below what each platform allows, so that answers never wait for news: Zalo 4,000 a minute, Telegram 30 and Messenger 300 a
# second. Pages are only stored for.
A_MINUTE: Mapping[str, int] = {"zalo": 400, "telegram": 300, "messenger": 300, "webchat": 500}
A_MINUTE_ELSEWHERE = 200
# With the stop, and the way back to Vietnamese, as many as Zalo shows.
MOST_TOPIC_BUTTONS = 3

# A talk that is over does not keep news away; one with a person does. (`conversation` is what WRITABLE asks about.)
REACHABLE = f"conversation.owner IN ('bot', 'closed') AND {WRITABLE}"
# ruff: noqa: S608  (put together of the constants above)
# New for this subscription, at an hour that it may be told, and not too soon after the last news of any of this person's.
DUE = """s.ended_at IS NULL AND s.told < new.number AND s.how = ANY(%(hows)s) AND NOT EXISTS (
    SELECT FROM subscriptions o WHERE o.conversation_id = s.conversation_id
       AND o.sent_at > CASE s.how WHEN 'daily' THEN %(day_began)s ELSE %(rested_since)s END)"""
NEW = "unnest(%(kinds)s::text[], %(subjects)s::text[], %(numbers)s::bigint[]) AS new (kind, subject, number)"
DUE_CONVERSATIONS = f"""
    WITH due AS (
        SELECT s.conversation_id, conversation.channel, min(s.told) AS told
          FROM {NEW} JOIN subscriptions s USING (kind, subject)
          JOIN conversations AS conversation ON conversation.id = s.conversation_id
         WHERE {DUE} AND {REACHABLE} GROUP BY 1, 2),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY channel ORDER BY told, conversation_id) AS place FROM due)
    SELECT conversation_id FROM ranked
      LEFT JOIN unnest(%(paced)s::text[], %(a_minute)s::int[]) AS pace (channel, most) USING (channel)
     WHERE place <= coalesce(most, %(elsewhere)s) ORDER BY told, conversation_id"""
LOCKED_CONVERSATION = f"""
    SELECT id, channel, address, language FROM conversations AS conversation
     WHERE id = %(id)s AND {REACHABLE} FOR NO KEY UPDATE"""
# What is new for this person at all: one message tells it together, whichever part of it was due.
NEW_FOR = f"""
    SELECT s.id, s.kind, s.subject, s.told, s.conversation_id, {DUE} AS is_due
      FROM {NEW} JOIN subscriptions s USING (kind, subject)
     WHERE s.conversation_id = %(id)s AND s.ended_at IS NULL AND s.told < new.number ORDER BY s.id FOR UPDATE OF s"""


@dataclass(frozen=True)
class Round:
    """What may be told now, and to whom: `editions` by what was subscribed to."""

    at: datetime.datetime
    editions: Mapping[Key, Sequence[Edition]]

    @property
    def hows(self) -> list[How]:
        hour = self.at.astimezone(VIETNAM).hour
        return [how for how, hours in HOURS.items() if hour in hours]

    def values(self, **more: Any) -> dict[str, Any]:
        newest = {key: max(edition.number for edition in editions) for key, editions in self.editions.items() if editions}
        midnight = self.at.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "kinds": [kind for kind, _ in newest],
            "subjects": [subject for _, subject in newest],
            "numbers": list(newest.values()),
            "hows": self.hows,
            "day_began": midnight,
            "rested_since": self.at - REST,
            **more,
        }


class News:
    """`senders`: the channels that push and are switched on here."""

    def __init__(
        self,
        pool: Pool,
        catalogue: Catalogue,
        editions: Editions,
        senders: Mapping[str, Sender],
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._pool, self._catalogue, self._editions, self._senders, self._now = pool, catalogue, editions, senders, now

    async def work(self) -> None:
        """What the periodic job does."""
        await self.send_due()

    async def send_due(self) -> int:
        """Store the messages that are due; how many. Editions are numbered as they appear, by night too."""
        this = await self._round()
        if not this.hows:
            return 0
        sent = 0
        for conversation_id in await self._due(this):
            sent += await self.send(conversation_id, this)
        return sent

    async def send(self, conversation_id: int, this: Round) -> bool:
        """One message for all that is new to this person; False when nothing is, or nobody can be reached there now."""
        async with self._pool.connection() as connection, connection.transaction():
            values = self._reachable(this.values(id=conversation_id))
            cursor = await connection.execute(LOCKED_CONVERSATION.encode(), values)
            row = cast(dict[str, Any] | None, await cursor.fetchone())
            new = await self._new_for(connection, values) if row else []
            if row is None or not any(one["is_due"] for one in new):
                return False
            to = Address(**row)
            editions = await self._untold(connection, to.id, new, this)
            said = message(self._catalogue, editions, to.language) if editions else None
            if editions and said is None:
                log.error("news_withdrawn", key=NEWS)
                return False
            if said:
                await store(connection, to, said)
            await _known(connection, new, this, is_sent=said is not None)
        if said:
            NEWS_MESSAGES.labels(to.channel).inc()
            log.info("news_stored", conversation=to.id, editions=[edition.number for edition in editions])
        return said is not None

    async def _round(self) -> Round:
        async with self._pool.connection() as connection:
            return Round(self._now(), await self._editions.now(connection, await keys(connection)))

    async def _due(self, this: Round) -> list[int]:
        paces = {"paced": list(A_MINUTE), "a_minute": list(A_MINUTE.values()), "elsewhere": A_MINUTE_ELSEWHERE}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(DUE_CONVERSATIONS.encode(), self._reachable(this.values(**paces)))
            return [int(cast(int, row["conversation_id"])) for row in await cursor.fetchall()]

    def _reachable(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**writable_values(windows(self._senders)), **values}

    async def _new_for(self, connection: DictConnection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        cursor = await connection.execute(NEW_FOR.encode(), values)
        return cast(list[dict[str, Any]], await cursor.fetchall())

    async def _untold(
        self, connection: DictConnection, conversation_id: int, new: Iterable[Mapping[str, Any]], this: Round
    ) -> list[Edition]:
        """The editions that are new to the person, without what they were told meanwhile because they asked."""
        found = {
            edition.number: edition
            for one in new
            for edition in this.editions[one["kind"], one["subject"]]
            if edition.number > one["told"]
        }
        return [edition for edition in found.values() if not await self._was_told(connection, conversation_id, edition)]

    async def _was_told(self, connection: DictConnection, conversation_id: int, edition: Edition) -> bool:
        state = edition.state
        ids = sorted({number for figure in state.figures for number in figure.reading_ids})
        responses = answer_keys(self._catalogue, state.intent) if state.intent else []
        if not ids and not responses:
            return False
        cursor = await connection.execute(
            """SELECT 1 FROM messages WHERE conversation_id = %(id)s AND direction = 'outgoing' AND author = 'bot'
                  AND delivery IN ('sent', 'waiting', 'sending')
                  AND ((cardinality(%(ids)s::bigint[]) > 0 AND figures @> %(ids)s::bigint[])
                       OR (response_key = ANY(%(responses)s) AND created_at > %(seen_at)s)) LIMIT 1""",
            {"id": conversation_id, "ids": ids, "responses": responses, "seen_at": edition.seen_at},
        )
        return await cursor.fetchone() is not None


def message(catalogue: Catalogue, editions: Sequence[Edition], language: str = "vi") -> Outgoing | None:
    """The one message about these editions, as a citizen gets it; None when its words are withdrawn."""
    states = [edition.state for edition in editions]
    intents = [state.intent for state in states if state.intent]
    notices = [{"kind": "notice", "text": state.notice} for state in reversed(states) if state.notice]
    answers = [{"kind": "answer", "name": catalogue.title(intent, language)} for intent in intents]
    values = {"news": [*notices, *answers], **_figures([state.figures for state in states if state.figures])}
    answer = catalogue.answer(NEWS, values, language)
    if answer.withdrawn:
        return None
    said = answer.as_outgoing()
    topics = [Button(catalogue.title(intent, language), f"/{intent}") for intent in intents[:MOST_TOPIC_BUTTONS]]
    return replace(said, buttons=(*topics, *said.buttons))


def _figures(groups: Sequence[Sequence[Figure]]) -> dict[str, Any]:
    """The values `told`, `figures` and `published` of an answer, as of a question about them (actions/figures.py)."""
    if not groups:
        return {}
    places, figures = FigurePlaces.below(ROOT), [figure for group in groups for figure in group]
    notes = [note for group in groups for note in marks(group, places, "_doses" if _counts_doses(group) else "")]
    told = {"figures": [as_value(one, places) for one in figures], "comparison": None, "notes": notes, "is_old": False}
    ids = sorted({number for figure in figures for number in figure.reading_ids})
    return {"told": told, "figures": ids, "published": publication(figures[0])}


def _counts_doses(figures: Sequence[Figure]) -> bool:
    return any(figure.metric.endswith("doses") for figure in figures)


async def _known(connection: DictConnection, new: Iterable[Mapping[str, Any]], this: Round, *, is_sent: bool) -> None:
    """What is new to the person is so no longer, told by this message or by an answer of before."""
    for one in new:
        newest = max(edition.number for edition in this.editions[one["kind"], one["subject"]])
        await connection.execute(
            """UPDATE subscriptions SET told = greatest(told, %s), sent_at = CASE WHEN %s THEN %s ELSE sent_at END
                WHERE id = %s""",
            [newest, is_sent, this.at, one["id"]],
        )
