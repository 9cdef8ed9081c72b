"""Daily roll-ups: each day's messages become counts without people (migration 0024), which stay when the messages are deleted.

A day is counted anew as a whole, in one transaction: counted twice, it says the same. Today and yesterday are counted every few
minutes, for turns, sends and cases end later than they begin; a day is closed once it was counted a day after its end. A service
that stood still for days makes up for them, one day a minute, as long as nothing of them has been deleted by retention.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, cast
from zoneinfo import ZoneInfo

import structlog

from bot.database import DictConnection, Pool
from bot.insights.feedback import HELPFUL, NOT_HELPFUL
from bot.languages.catalogue import Catalogue

log = structlog.get_logger(__name__)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
COUNT_AGAIN = datetime.timedelta(minutes=10)
CLOSED_AFTER = datetime.timedelta(days=1)
# A day that retention has begun to empty must not be counted again.
MARGIN_DAYS = 2
# Seconds; what took longer than the last is counted with ENDLESS.
BOUNDS = (1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
ENDLESS = 2_147_483_647
# The answers that send a citizen to people; the desk's own are `utter_desk_…`.
TO_PEOPLE = ("utter_talk_to_human", "utter_hand_over")
EMERGENCY = "utter_emergency"
NOT_UNDERSTOOD = "nlu_fallback"
# Of the topic `limits` all is refused. Of `talk` nothing is a question but the wish for a person.
REFUSALS, SMALL_TALK, WISH = "limits", "talk", "talk_to_human"

# One row a message. `is_question`: the bot was asked something and its turn is over. A place is one of ours that was understood;
# what a platform sends of the map is somebody's position and is not looked at.
DAYS: LiteralString = """
    INSERT INTO insight_days (day, part, key, messages, conversations, by_bot, questions, answered, fallback, refused,
                              handed_over, degraded, typed, understood, emergencies)
    WITH said AS (
        SELECT m.id, m.conversation_id, m.channel, m.turn, m.joined_to, m.kind, m.payload, m.text,
               CASE jsonb_typeof(m.understood->'entities') WHEN 'array' THEN m.understood->'entities' ELSE '[]' END AS entities,
               m.understood->>'intent' AS intent,
               coalesce(m.understood->>'conversation_language', c.language) AS language
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.direction = 'incoming' AND m.author = 'citizen' AND m.created_at >= %(begins)s AND m.created_at < %(ends)s
    ), judged AS (
        SELECT s.*, a.to_people, a.is_alarm,
               s.kind <> 'start' AND s.joined_to IS NULL AND (s.turn = 'degraded'
                   OR (s.turn = 'answered' AND s.intent IS NOT NULL AND s.intent <> ALL(%(small_talk)s))) AS is_question,
               s.kind = 'text' AND s.payload IS NULL AND s.text <> '' AND s.intent IS NOT NULL AS is_typed,
               coalesce((SELECT e->>'value' FROM jsonb_array_elements(s.entities) e
                         WHERE e->>'entity' = 'place' AND e->>'value' ~ '^[A-Za-z][A-Za-z0-9_-]{0,79}$' LIMIT 1), '') AS place
        FROM said s LEFT JOIN LATERAL (
            SELECT bool_or(o.response_key = ANY(%(to_people)s) OR o.response_key LIKE 'utter\\_desk\\_%%') AS to_people,
                   bool_or(o.response_key = %(emergency)s) AS is_alarm
            FROM messages o WHERE o.in_reply_to = s.id AND o.direction = 'outgoing') a ON true
    ), outcomes AS (
        SELECT *, CASE WHEN NOT is_question THEN NULL WHEN turn = 'degraded' THEN 'degraded' WHEN to_people THEN 'handed_over'
                       WHEN intent = %(wish)s THEN 'handed_over' WHEN intent = %(not_understood)s THEN 'fallback'
                       WHEN intent = ANY(%(refusals)s) THEN 'refused' ELSE 'answered' END AS outcome,
               CASE WHEN NOT is_question THEN NULL WHEN intent IS NULL OR intent = %(not_understood)s THEN ''
                    ELSE intent END AS topic
        FROM judged
    ), with_people AS (
        SELECT conversation_id FROM said WHERE turn = 'human'
        UNION SELECT k.conversation_id FROM cases k JOIN said USING (conversation_id)
               WHERE k.opened_at < %(ends)s AND coalesce(k.ended_at, 'infinity') >= %(begins)s
    ), marked AS (
        SELECT o.*, w.conversation_id IS NOT NULL AS has_people FROM outcomes o LEFT JOIN with_people w USING (conversation_id)
    )
    SELECT %(day)s,
           CASE WHEN grouping(channel) = 0 THEN 'channel' WHEN grouping(language) = 0 THEN 'language'
                WHEN grouping(place) = 0 THEN 'place' WHEN grouping(topic) = 0 THEN 'topic' ELSE 'all' END,
           coalesce(channel, language, place, topic, ''),
           count(*), count(DISTINCT conversation_id), count(DISTINCT conversation_id) FILTER (WHERE NOT has_people),
           count(*) FILTER (WHERE is_question), count(*) FILTER (WHERE outcome = 'answered'),
           count(*) FILTER (WHERE outcome = 'fallback'), count(*) FILTER (WHERE outcome = 'refused'),
           count(*) FILTER (WHERE outcome = 'handed_over'), count(*) FILTER (WHERE outcome = 'degraded'),
           count(*) FILTER (WHERE is_typed), count(*) FILTER (WHERE is_typed AND intent <> %(not_understood)s),
           count(*) FILTER (WHERE is_typed AND is_alarm)
    FROM marked GROUP BY GROUPING SETS ((), (channel), (language), (place), (topic))
    HAVING count(*) > 0 AND (grouping(topic) = 1 OR topic IS NOT NULL)"""

# A press counts for the wording under which its button stood; the last of several presses under one answer counts.
ANSWERS: LiteralString = """
    INSERT INTO insight_answers (day, response_key, revision, told, asked, helpful, not_helpful)
    WITH told AS (
        SELECT coalesce(response_key, '') AS response_key, coalesce(revision, '') AS revision, count(*) AS told,
               count(*) FILTER (WHERE buttons @? %(asks)s::jsonpath) AS asked
        FROM messages WHERE direction = 'outgoing' AND author = 'bot' AND response_key <> '' AND delivery IN ('sent', 'unknown')
             AND created_at >= %(begins)s AND created_at < %(ends)s GROUP BY 1, 2
    ), pressed AS (
        SELECT m.id, m.conversation_id, coalesce(p.payload, m.payload) AS payload
        FROM messages m LEFT JOIN payload_ids p ON p.id = m.payload
        WHERE m.direction = 'incoming' AND m.payload IS NOT NULL AND m.created_at >= %(begins)s AND m.created_at < %(ends)s
    ), judged AS (
        SELECT DISTINCT ON (o.id) o.id, o.response_key, coalesce(o.revision, '') AS revision,
               split_part(pressed.payload, '{', 1) = %(helpful)s AS is_helpful
        FROM pressed JOIN LATERAL (
            SELECT id, response_key, revision FROM messages o
            WHERE o.conversation_id = pressed.conversation_id AND o.direction = 'outgoing' AND o.id < pressed.id
              AND o.buttons @> jsonb_build_array(jsonb_build_object('payload', pressed.payload))
            ORDER BY o.id DESC LIMIT 1) o ON true
        WHERE split_part(pressed.payload, '{', 1) IN (%(helpful)s, %(not_helpful)s) AND pressed.payload LIKE '%%{"answer"%%'
        ORDER BY o.id, pressed.id DESC
    ), votes AS (
        SELECT response_key, revision, count(*) FILTER (WHERE is_helpful) AS helpful,
               count(*) FILTER (WHERE NOT is_helpful) AS not_helpful
        FROM judged GROUP BY 1, 2
    )
    SELECT %(day)s, response_key, revision, coalesce(told, 0), coalesce(asked, 0), coalesce(helpful, 0), coalesce(not_helpful, 0)
    FROM told FULL JOIN votes USING (response_key, revision)"""

# A wait for a person begins when the conversation comes to the queue and ends when somebody claims it. What was left for later is
# no wait before the screen.
TIMES: LiteralString = """
    INSERT INTO insight_times (day, of, key, up_to, count)
    WITH waits AS (
        SELECT 'answer' AS of, channel AS key, extract(epoch FROM finished_at - created_at) AS seconds
        FROM messages WHERE direction = 'incoming' AND turn IN ('answered', 'degraded') AND joined_to IS NULL
             AND finished_at IS NOT NULL AND created_at >= %(begins)s AND created_at < %(ends)s
        UNION ALL
        SELECT 'person', k.desk, extract(epoch FROM e.at - coalesce(began.at, k.opened_at))
        FROM case_events e JOIN cases k ON k.id = e.case_id
             LEFT JOIN LATERAL (SELECT max(b.at) AS at FROM case_events b WHERE b.case_id = e.case_id AND b.id < e.id
                                   AND b.detail->>'to' = 'queue' AND b.detail->>'from' <> 'queue') began ON true
        WHERE e.event = 'claimed' AND e.detail->>'from' = 'queue' AND e.at >= %(begins)s AND e.at < %(ends)s
    )
    SELECT %(day)s, of, key, coalesce((SELECT min(b) FROM unnest(%(bounds)s::int[]) b WHERE seconds <= b), %(endless)s), count(*)
    FROM waits GROUP BY 2, 3, 4"""

CASES: LiteralString = """
    INSERT INTO insight_cases (day, desk, reason, count, urgent)
    SELECT %(day)s, desk, reason, count(*), count(*) FILTER (WHERE is_urgent)
    FROM cases WHERE opened_at >= %(begins)s AND opened_at < %(ends)s GROUP BY 2, 3"""

FIGURES: LiteralString = """
    INSERT INTO insight_figures (day, metric, place, told)
    SELECT %(day)s, r.metric, r.place, count(DISTINCT m.id)
    FROM messages m CROSS JOIN LATERAL unnest(m.figures) AS told (id) JOIN readings r ON r.id = told.id
    WHERE m.direction = 'outgoing' AND m.figures <> '{}' AND m.created_at >= %(begins)s AND m.created_at < %(ends)s
    GROUP BY 2, 3"""

# The platforms' sentences are many and may name anything: a few words of ours are counted.
DELIVERIES: LiteralString = """
    INSERT INTO insight_deliveries (day, channel, status, reason, count)
    SELECT %(day)s, channel, delivery,
           CASE WHEN delivery IN ('sent', 'waiting', 'sending') THEN ''
                WHEN delivery = 'withdrawn' THEN 'taken_over'
                WHEN delivery = 'outside_window' THEN 'window'
                WHEN delivery = 'blocked' THEN 'left'
                WHEN delivery_error ~* 'worker stopped' THEN 'stopped'
                WHEN delivery_error ~* 'reach|broke|network|time.?out|connect' THEN 'network'
                WHEN delivery_error ~* '429|limit|quota' THEN 'limit'
                WHEN delivery_error ~* 'token|switched off|unauthorized' THEN 'access'
                WHEN delivery_error ~* 'HTTP 5|answered 5|error of its own|without JSON|no JSON|told no id' THEN 'platform'
                ELSE 'refused' END, count(*)
    FROM messages WHERE direction = 'outgoing' AND created_at >= %(begins)s AND created_at < %(ends)s GROUP BY 2, 3, 4"""

STATEMENTS = (DAYS, ANSWERS, TIMES, CASES, FIGURES, DELIVERIES)
CLEAR: Sequence[LiteralString] = (
    "DELETE FROM insight_days WHERE day = %s",
    "DELETE FROM insight_answers WHERE day = %s",
    "DELETE FROM insight_times WHERE day = %s",
    "DELETE FROM insight_cases WHERE day = %s",
    "DELETE FROM insight_figures WHERE day = %s",
    "DELETE FROM insight_deliveries WHERE day = %s",
)


@dataclass(frozen=True)
class Kinds:
    """Which intents are no questions, and which are not the bot's to answer."""

    small_talk: tuple[str, ...]
    refusals: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Kinds:
        talk = [intent.name for intent in catalogue.intents.values() if intent.topic == SMALL_TALK and intent.name != WISH]
        refusals = [intent.name for intent in catalogue.intents.values() if intent.topic == REFUSALS]
        return cls(tuple(sorted(talk)), tuple(sorted(refusals)))


class Rollups:
    """`work` is what the periodic job does: at most one day a call. `keep_days`: as in the settings."""

    def __init__(self, pool: Pool, catalogue: Catalogue, keep_days: Mapping[str, int]) -> None:
        self._pool = pool
        self._kinds = Kinds.of(catalogue)
        self._kept = kept_days(keep_days)

    async def work(self) -> None:
        now = datetime.datetime.now(VIETNAM)
        async with self._pool.connection() as connection:
            if day := await next_day(connection, now, self._kept):
                await count_day(connection, day, self._kinds, now)
                log.info("day_counted", day=day.isoformat())


def kept_days(keep_days: Mapping[str, int]) -> int:
    """How many days back all of a day is still there: what was understood goes first."""
    return max(
        0, min(keep_days["understood"], keep_days["messages"], keep_days["cases"], keep_days["conversations"]) - MARGIN_DAYS
    )


def due_days(
    now: datetime.datetime, counted: Mapping[datetime.date, datetime.datetime], first: datetime.date | None, kept: int
) -> list[datetime.date]:
    """The days to be counted now, the newest first: not closed, and not counted a moment ago. `first`: of the oldest message."""
    today = now.astimezone(VIETNAM).date()
    oldest = max(first or today, today - datetime.timedelta(days=kept))
    days = [today - datetime.timedelta(days=back) for back in range((today - oldest).days + 1)]
    return [day for day in days if _is_due(day, now, counted.get(day))]


def _is_due(day: datetime.date, now: datetime.datetime, counted_at: datetime.datetime | None) -> bool:
    if counted_at is None:
        return True
    return counted_at < end_of(day) + CLOSED_AFTER and now - counted_at >= COUNT_AGAIN


async def next_day(connection: DictConnection, now: datetime.datetime, kept: int) -> datetime.date | None:
    today = now.astimezone(VIETNAM).date()
    cursor = await connection.execute(
        "SELECT day, counted_at FROM insight_rounds WHERE day >= %s", [today - datetime.timedelta(days=kept)]
    )
    counted = {row["day"]: row["counted_at"] for row in cast(list[dict[str, Any]], await cursor.fetchall())}
    cursor = await connection.execute("SELECT min(created_at) AS at FROM messages")
    row = cast(dict[str, Any], await cursor.fetchone())
    first = row["at"].astimezone(VIETNAM).date() if row["at"] else None
    due = due_days(now, counted, first, kept)
    return due[0] if due else None


async def count_day(connection: DictConnection, day: datetime.date, kinds: Kinds, now: datetime.datetime | None = None) -> None:
    """Count the day anew, as a whole; pages see the counts of before until it is done."""
    values = _values(day, kinds)
    async with connection.transaction():
        # Compiling takes longer than the statements do.
        await connection.execute("SET LOCAL jit = off")
        for clear in CLEAR:
            await connection.execute(clear, [day])
        for statement in STATEMENTS:
            await connection.execute(statement, values)
        await connection.execute(
            """INSERT INTO insight_rounds (day, counted_at) VALUES (%s, %s)
               ON CONFLICT (day) DO UPDATE SET counted_at = EXCLUDED.counted_at""",
            [day, now or datetime.datetime.now(datetime.UTC)],
        )


def _values(day: datetime.date, kinds: Kinds) -> dict[str, Any]:
    return {
        "day": day,
        "begins": begin_of(day),
        "ends": end_of(day),
        "small_talk": list(kinds.small_talk),
        "refusals": list(kinds.refusals),
        "to_people": list(TO_PEOPLE),
        "emergency": EMERGENCY,
        "wish": WISH,
        "not_understood": NOT_UNDERSTOOD,
        "helpful": f"/{HELPFUL}",
        "not_helpful": f"/{NOT_HELPFUL}",
        "asks": f'$[*].payload ? (@ starts with "/{HELPFUL}{{")',
        "bounds": list(BOUNDS),
        "endless": ENDLESS,
    }


def begin_of(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), VIETNAM)


def end_of(day: datetime.date) -> datetime.datetime:
    return begin_of(day + datetime.timedelta(days=1))
