"""/insights on a database with five million messages: how long a day's roll-up takes, and how soon the page is there.

    python -m bench.insights [--messages 5000000] [--days 90]

The messages lie in a PostgreSQL of their own, which is deleted at the end. Limit: the page below 300 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from starlette.applications import Starlette

from bench.embedded import migrated_postgres
from bench.measure import load_average, percentile
from bench.outcome import held_to_limits, say
from bot.database import open_pool
from bot.insights import rollups
from bot.insights.insights_page import SPANS, InsightsPage
from bot.insights.rollups import Kinds, count_day
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from bot.staff.pages import StaffPages

LIMIT_PAGE = 0.3
OPENED = 25
TOKEN = "token-of-the-bench"
PICTURES = ("traffic", "outcomes", "topics", "places", "channels")
SECRET = "a secret of the bench of at least 32 characters"

# Half of the messages are questions, each with its answer; people come back, and some topics and places are asked for more often.
TALKS = """
    INSERT INTO conversations (channel, address, language)
    SELECT (ARRAY['zalo', 'zalo', 'messenger', 'webchat', 'telegram'])[1 + n %% 5], 'bench-' || n,
           (ARRAY['vi', 'vi', 'vi', 'vi', 'vi', 'vi', 'vi', 'rad', 'en', 'jra'])[1 + n / 5 %% 10]
    FROM generate_series(1, %(talks)s) AS n"""
QUESTIONS = """
    INSERT INTO messages (id, conversation_id, direction, author, channel, provider_id, text, turn, understood, created_at,
                          finished_at)
    OVERRIDING SYSTEM VALUE
    SELECT 2 * n - 1, c.id, 'incoming', 'citizen', c.channel, 'bench-' || n, 'một câu hỏi của người dân về dịch bệnh ở xã mình',
           CASE WHEN n %% 211 = 0 THEN 'degraded' WHEN n %% 97 = 0 THEN 'human' ELSE 'answered' END,
           CASE WHEN n %% 211 > 0 AND n %% 97 > 0 THEN jsonb_build_object(
               'intent', CASE WHEN n %% 13 = 0 THEN 'nlu_fallback' ELSE (%(intents)s::text[])[
                   1 + (power(random(), 2) * (cardinality(%(intents)s::text[]) - 1))::int] END,
               'confidence', 0.9, 'conversation_language', c.language,
               'entities', CASE WHEN n %% 3 > 0 THEN '[]' ELSE jsonb_build_array(jsonb_build_object('entity', 'place', 'value',
                   (%(places)s::text[])[1 + (power(random(), 3) * (cardinality(%(places)s::text[]) - 1))::int])) END) END,
           t.at, t.at + make_interval(secs => 0.4 + power(random(), 6) * 20)
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
         JOIN conversations c ON c.id = 1 + (n * 7919) %% %(talks)s,
         LATERAL (SELECT %(begins)s::timestamptz + make_interval(secs => %(seconds)s * n::float8 / %(questions)s) AS at) t"""
ANSWERS = """
    INSERT INTO messages (id, conversation_id, direction, author, channel, text, response_key, revision, in_reply_to, delivery,
                          delivery_error, created_at, buttons)
    OVERRIDING SYSTEM VALUE
    SELECT id + 1, conversation_id, 'outgoing', 'bot', channel, repeat('một câu trả lời có nguồn và ngày. ', 6),
           CASE WHEN turn = 'degraded' THEN 'utter_degraded_hotline' WHEN intent = 'nlu_fallback' THEN 'utter_offer_topics'
                ELSE 'utter_' || intent END,
           '1a2b3c4d', id, CASE WHEN id %% 997 = 0 THEN 'failed' ELSE 'sent' END,
           CASE WHEN id %% 997 = 0 THEN 'Zalo is not reachable (ConnectError)' END, finished_at,
           '[{"title": "Số cần gọi", "payload": "/hotline"}, {"title": "Xét nghiệm ở đâu", "payload": "/testing_where"}]'::jsonb
    FROM (SELECT *, understood->>'intent' AS intent FROM messages
           WHERE id BETWEEN 2 * %(first)s::bigint - 1 AND 2 * %(last)s::bigint - 1) asked
    WHERE turn <> 'human' AND direction = 'incoming'"""
# The days before these, so that there is something to compare with.
BEFORE = """
    INSERT INTO {table} SELECT (moved).*
    FROM (SELECT jsonb_populate_record(o, jsonb_build_object('day', o.day - %s::int)) AS moved FROM {table} o) moved"""
TABLES = ("days", "answers", "times", "cases", "figures", "deliveries", "rounds")


@dataclass
class Result:
    messages: int = 0
    day_messages: int = 0
    filling: float = 0.0
    rollups: list[float] = field(default_factory=list)
    pages: dict[int, list[float]] = field(default_factory=dict)
    first_pages: dict[int, float] = field(default_factory=dict)
    first_pictures: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)


def fill(url: str, messages: int, days: int) -> None:
    """Without triggers and indexes, which come back at the end: a minute instead of ten."""
    today = datetime.datetime.now(rollups.VIETNAM).date()
    questions, talks = messages // 2, max(100, messages // 40)
    begins = rollups.begin_of(today - datetime.timedelta(days=days))
    catalogue = Catalogue.load(ROOT, "dak-lak")
    values: dict[str, Any] = {
        "talks": talks,
        "questions": questions,
        "begins": begins,
        "seconds": days * 86400,
        "intents": [intent for intent in catalogue.intents if f"utter_{intent}" in catalogue.entries],
        "places": _places(),
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute(TALKS.encode(), values)
        indexes = connection.execute(
            """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'messages'
                  AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'messages'::regclass)"""
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"'.encode())
        step = 250_000
        for first in range(1, questions + 1, step):
            part = {**values, "first": first, "last": min(first + step - 1, questions)}
            connection.execute(QUESTIONS.encode(), part)
            connection.execute(ANSWERS.encode(), part)
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute("ANALYZE")


async def measure(url: str, messages: int, days: int) -> Result:
    result = Result(messages)
    kinds = Kinds.of(Catalogue.load(ROOT, "dak-lak"))
    today = datetime.datetime.now(rollups.VIETNAM).date()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as connection:
        for back in range(days, 0, -1):
            began = time.monotonic()
            await count_day(connection, today - datetime.timedelta(days=back), kinds)
            result.rollups.append(time.monotonic() - began)
        cursor = await connection.execute("SELECT max(messages)::int AS count FROM insight_days WHERE part = 'all'")
        result.day_messages = 2 * int((await cursor.fetchone() or {})["count"])
        for table in TABLES:
            await connection.execute(BEFORE.format(table=f"insight_{table}").encode(), [days])
        await connection.execute(
            "INSERT INTO operators (name, role, password_hash, must_change_password) VALUES ('bench', 'admin', '-', false)"
        )
        await connection.execute(
            "INSERT INTO staff_sessions (token_hash, operator_id) SELECT sha256(%s), id FROM operators", [TOKEN.encode()]
        )
    async with served(url) as http:
        for span in SPANS:
            result.first_pages[span] = await opened(http, f"/insights?days={span}")
            result.pages[span] = [await opened(http, f"/insights?days={span}") for _ in range(OPENED)]
        for name in PICTURES:
            address = f"/insights/pictures/{name}.svg?days=90"
            result.first_pictures.append(await opened(http, address))
            result.pictures.append(await opened(http, address))
    return result


@contextlib.asynccontextmanager
async def served(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The page as the gateway serves it, without a network between."""
    pool = open_pool(url)
    staff = StaffPages(ROOT, pool, SECRET)
    page = InsightsPage(ROOT, pool, staff.door, Catalogue.load(ROOT, "dak-lak"))
    async with pool:
        transport = httpx.ASGITransport(Starlette(routes=[*staff.routes(), *page.routes()]))
        cookies = {"__Host-loa-staff": TOKEN}
        async with httpx.AsyncClient(transport=transport, base_url="https://loa.bench", cookies=cookies, timeout=60) as http:
            yield http


async def opened(http: httpx.AsyncClient, path: str) -> float:
    began = time.monotonic()
    answer = await http.get(path)
    answer.raise_for_status()
    if answer.status_code != 200:
        raise RuntimeError(f"{path} was answered with {answer.status_code}")
    return time.monotonic() - began


def missed_limits(result: Result) -> list[str]:
    slow = {span: max(result.first_pages[span], percentile(times, 0.95)) for span, times in result.pages.items()}
    return [
        f"NOT MET: /insights?days={span} takes {seconds * 1000:.0f} ms"
        for span, seconds in slow.items()
        if not seconds < LIMIT_PAGE
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.insights", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=90, help="over which they are spread (default %(default)s)")
    options = parser.parse_args(arguments)
    before = load_average()
    with tempfile.TemporaryDirectory(prefix="loa-bench-", ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as stack:
        url = stack.enter_context(migrated_postgres(Path(folder)))
        say(f"writing {options.messages:,} messages over {options.days} days")
        began = time.monotonic()
        fill(url, options.messages, options.days)
        filling = time.monotonic() - began
        say(f"written in {filling:.0f} s; counting each day, then opening the page")
        result = asyncio.run(measure(url, options.messages, options.days))
        result.filling = filling
    return held_to_limits("insights", "Insights", before, _measures(result), missed_limits(result))


def _places() -> list[str]:
    from bot.directory.places import Places

    return [place.key for place in Places.load(ROOT).units_of("dak-lak")]


def _measures(result: Result) -> list[tuple[str, str, str]]:
    rows = [
        ("messages", f"{result.messages:,}", ""),
        ("messages of the fullest day, about", f"{result.day_messages:,}", ""),
        ("a day's roll-up p50 / slowest, ms", _milliseconds(percentile(result.rollups, 0.5), max(result.rollups)), ""),
    ]
    for span, times in result.pages.items():
        found = _milliseconds(result.first_pages[span], percentile(times, 0.5), percentile(times, 0.95))
        rows.append((f"/insights?days={span} first / p50 / p95, ms", found, "< 300"))
    drawn = _milliseconds(min(result.first_pictures), max(result.first_pictures))
    rows.append(("a picture of 90 days drawn: fastest / slowest, ms", drawn, ""))
    rows.append(("the same picture again, slowest, ms", _milliseconds(max(result.pictures)), ""))
    return rows


def _milliseconds(*seconds: float) -> str:
    return " / ".join(f"{value * 1000:.0f}" for value in seconds)


if __name__ == "__main__":
    os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
    sys.exit(main())
