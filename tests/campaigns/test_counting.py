"""Counts are counts: no row of any table leads from a person to a campaign once the hour is over."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

from bot.campaigns import counting
from bot.campaigns.counting import Row
from bot.campaigns.opening import WELCOME
from tests.campaigns.test_opening import has_campaign, has_words, opens
from tests.dialogue.talk import Talk
from tests.simulators.rasa import RasaSimulator
from tests.simulators.server import Answer

OWN_WORDS = "Tết này bạn nhớ hỏi Loa trước khi lên xe."
# What a campaign may be known by.
TRACES = ("tet2026", "TET-2026", "Xét nghiệm dịp Tết", OWN_WORDS)
# What belongs to campaigns alone, or to staff.
WITHOUT_PEOPLE = {"campaigns", "campaign_texts", "campaign_days", "audit_log"}


def understood(intent: str, *places: str) -> Answer:
    reply = {"key": f"utter_{intent}", "text": "…", "buttons": [], "language": "vi", "revision": "r1", "source": None}
    entities = [{"entity": "place", "value": place, "text": ""} for place in places]
    return Answer(200, {"replies": [reply], "understood": {"intent": intent, "confidence": 0.9, "entities": entities}})


async def asks(talk: Talk, rasa: RasaSimulator, intent: str, *places: str) -> None:
    rasa.faults.append(understood(intent, *places))
    await talk.says(f"câu hỏi về {intent}")
    await talk.step()


async def counted(talk: Talk) -> dict[tuple[str, str], tuple[int, ...]]:
    async with talk.pool.connection() as connection:
        found = await counting.rows(connection)
    return {(row.place, row.topic): (row.opened, row.started, row.questions, row.handed_over, row.solved) for row in found}


async def an_hour_passes(talk: Talk) -> int:
    await talk.rows("UPDATE conversations SET campaign_at = campaign_at - interval '51 minutes'")
    await talk.rows("UPDATE messages SET created_at = created_at - interval '51 minutes'")
    return await counting.forget_people(talk.pool)


async def traces(talk: Talk) -> list[tuple[str, str]]:
    """(table, trace) of every table that may hold people, all its columns read as text."""
    tables = await talk.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    found = []
    for name in sorted({row["name"] for row in tables} - WITHOUT_PEOPLE):
        for trace in TRACES:
            if await talk.rows(f'SELECT 1 FROM "{name}" t WHERE t::text ILIKE %s LIMIT 1', f"%{trace}%"):
                found.append((name, trace))
    return found


async def test_what_a_conversation_led_to_is_counted_at_once_and_stays_when_its_link_is_gone(
    talk: Talk, rasa: RasaSimulator
) -> None:
    await has_campaign(talk, place="buon-ho-phuong")
    rasa.faults.append(understood("testing_where"))
    await opens(talk)
    await talk.step()
    await asks(talk, rasa, "vaccine_where", "krong-pac-xa")
    await asks(talk, rasa, "vaccine_where")
    await asks(talk, rasa, "thanks")
    expected = {
        ("", ""): (0, 1, 0, 0, 1),
        ("krong-pac-xa", "vaccine_where"): (0, 0, 1, 0, 0),
        ("buon-ho-phuong", "vaccine_where"): (0, 0, 1, 0, 0),
    }
    assert await counted(talk) == expected
    assert await an_hour_passes(talk) == 1
    assert await counted(talk) == expected
    await asks(talk, rasa, "symptoms")
    assert await an_hour_passes(talk) == 0
    assert await counted(talk) == expected, "the hour is over: what is asked now is nobody's campaign"


async def test_no_table_leads_from_a_person_to_a_campaign_after_the_hour(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk)
    await has_words(talk, OWN_WORDS)
    await opens(talk, "TET2026")
    await talk.step()
    await talk.says("mã TET-2026 tiêm ở đâu")
    await talk.does("referral", "e1", campaign="tet2026")
    await talk.step()
    assert OWN_WORDS in talk.sender.texts
    assert {table for table, _ in await traces(talk)} == {"conversations", "messages"}, "or the search finds nothing"
    await an_hour_passes(talk)
    assert await traces(talk) == []
    linked = await talk.rows("SELECT campaign, campaign_at, campaign_opened_at FROM conversations")
    assert linked == [{"campaign": None, "campaign_at": None, "campaign_opened_at": None}]


async def test_the_usual_greeting_of_campaigns_goes_too_and_the_answer_stays(talk: Talk, rasa: RasaSimulator) -> None:
    """Where one campaign speaks a language, its greeting would say which it was."""
    await has_campaign(talk)
    rasa.faults.append(understood("testing_where"))
    await opens(talk)
    await talk.step()
    told = await talk.rows("SELECT response_key AS key FROM messages WHERE direction = 'outgoing' ORDER BY id")
    assert WELCOME in {row["key"] for row in told}
    await an_hour_passes(talk)
    left = await talk.rows("SELECT response_key AS key FROM messages WHERE direction = 'outgoing' ORDER BY id")
    assert left == [row for row in told if row["key"] != WELCOME] != []


async def test_a_link_is_not_kept_alive_by_opening_it_again(talk: Talk) -> None:
    await has_campaign(talk)
    await opens(talk)
    await talk.rows("UPDATE conversations SET campaign_at = campaign_at - interval '51 minutes'")
    await opens(talk)
    assert await counting.forget_people(talk.pool) == 1
    assert await counted(talk) == {("", ""): (0, 1, 0, 0, 0)}


async def test_a_second_campaign_and_an_erased_conversation_lose_no_count(talk: Talk) -> None:
    await has_campaign(talk)
    await has_campaign(talk, code="he-2026")
    await opens(talk)
    await opens(talk, "he-2026")
    await talk.rows("DELETE FROM conversations")
    assert sorted(
        await talk.rows("SELECT c.code, d.started FROM campaign_days d JOIN campaigns c ON c.id = d.campaign_id"), key=str
    ) == [
        {"code": "he-2026", "started": 1},
        {"code": "tet2026", "started": 1},
    ]


async def test_what_people_took_over_or_nobody_understood_is_not_solved(talk: Talk, rasa: RasaSimulator) -> None:
    await has_campaign(talk)
    await opens(talk)
    await talk.step()
    await asks(talk, rasa, "vaccine_where")
    await asks(talk, rasa, "nlu_fallback")
    assert await counted(talk) == {("", ""): (0, 1, 1, 0, 0), ("", "vaccine_where"): (0, 0, 1, 0, 0)}
    await talk.rows(
        "INSERT INTO cases (conversation_id, desk, reason, language) SELECT id, 'dak-lak', 'not_understood', 'vi' FROM conversations"
    )
    assert (await counted(talk))["", ""] == (0, 1, 1, 1, 0)


async def test_openings_are_counted_for_running_campaigns_alone(talk: Talk) -> None:
    await has_campaign(talk)
    await has_campaign(talk, code="alt-1", ended_at="2020-01-05T00:00:00Z")

    async def open_(code: str) -> None:
        async with talk.pool.connection() as connection:
            await counting.count_opened(connection, code)

    await asyncio.gather(*(open_(code) for code in ["tet2026", "alt-1", "none-1"] * 4))
    assert await counted(talk) == {("", ""): (4, 0, 0, 0, 0)}


def row(**fields: Any) -> Row:
    values = {"place": "", "topic": "", "opened": 0, "started": 0, "questions": 0, "handed_over": 0, "solved": 0}
    return Row(**{"campaign_id": 1, "day": datetime.date(2026, 11, 22), **values, **fields})
