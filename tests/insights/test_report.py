"""The weekly report: which topics rise, what it says, and that it is one page."""

from __future__ import annotations

import dataclasses
import datetime
import re
import zlib
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from bot.insights import rising
from bot.insights.report import Report, Reporter, Section, Week, WeekRefused, as_text
from bot.insights.report_pdf import TooLong, pdf
from bot.insights.rising import Rise, rises
from bot.insights.rollups import VIETNAM
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.insights.days import CATALOGUE, Days
from tests.office import Office

WORDS = interface_words(ROOT, "insights")
SAYS, TITLES = WORDS["report_lines"], WORDS["report_sections"]
WEEK = Week(2026, 47)
MONDAY = datetime.date(2026, 11, 16)
NOW = datetime.datetime(2026, 11, 23, 9, 0, tzinfo=VIETNAM)


def week(**counts: int) -> dict[str, int]:
    return {"other": 1000, **counts}


def before(**counts: int) -> dict[str, int]:
    return {"other": 4000, **counts}


def test_a_topic_rises_above_what_is_usual() -> None:
    assert [rise.topic for rise in rises(week(drugs=60), before(drugs=80))] == ["drugs"]
    assert rises(week(drugs=60), before(drugs=80))[0].times == pytest.approx(2.9, abs=0.3)


@pytest.mark.parametrize(
    ("now", "usual"),
    [
        (rising.FLOOR - 1, 0),  # too few to say anything, or to be named
        (28, 80),  # within chance
        (450, 1600),  # many, but not half as many again
    ],
)
def test_chance_and_small_changes_are_no_worry(now: int, usual: int) -> None:
    assert rises(week(drugs=now), before(drugs=usual)) == []
    assert rises(week(drugs=now + 700), before(drugs=usual)), "or nothing ever rises"


def test_a_louder_week_makes_no_topic_rise() -> None:
    assert rises({"a": 3000, "b": 300}, {"a": 4000, "b": 400}) == []


def test_what_nobody_asked_before_is_new() -> None:
    (found,) = rises(week(drugs=25), before())
    assert found.is_new
    assert not Rise("x", 40, 10.0).is_new
    assert rises({}, before()) == rises(week(), {}) == []


@pytest.mark.parametrize(
    "text", ["2026-47", "2026-W54", "2026-W00", "W47", "0000-W01", "2026-W47; DROP", "٢٠٢٦-W47", "x" * 10_000]
)
def test_a_week_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WeekRefused, match="report_bad_week"):
        Week.parse(text, NOW.date())


def test_weeks_are_those_of_the_calendar() -> None:
    assert Week.parse("", NOW.date()) == Week.parse("2026-w47", NOW.date()) == WEEK
    assert (WEEK.days.first, WEEK.days.last, str(WEEK), str(WEEK.back(1))) == (
        MONDAY,
        datetime.date(2026, 11, 22),
        "2026-W47",
        "2026-W46",
    )
    assert str(Week.of(datetime.date(2027, 1, 1))) == "2026-W53"
    with pytest.raises(WeekRefused, match="report_future"):
        Week.parse("2026-W49", NOW.date())


async def read(office: Office, wanted: Week = WEEK) -> Report:
    async with await psycopg.AsyncConnection.connect(office.url, autocommit=True, row_factory=dict_row) as connection:
        return await Reporter(ROOT, CATALOGUE).read(connection, wanted, NOW)


def counted(office: Office, day: datetime.date, key: str = "", part: str = "all", **counts: int) -> None:
    names = ", ".join(counts)
    values = ", ".join(["%s"] * len(counts))
    office.rows(
        f"INSERT INTO insight_days (day, part, key, {names}) VALUES (%s, %s, %s, {values})", day, part, key, *counts.values()
    )
    office.rows("INSERT INTO insight_rounds VALUES (%s, now()) ON CONFLICT DO NOTHING", day)


def lines(report: Report, name: str) -> list[str]:
    return [line for section in report.sections if section.title == TITLES[name] for line in section.lines]


async def test_the_week_is_told_in_sentences(office: Office) -> None:
    for back in range(35):
        day = WEEK.days.last - datetime.timedelta(days=back)
        counted(
            office, day, messages=100, conversations=60, by_bot=57, questions=90, answered=80, fallback=9, typed=90, understood=81
        )
        counted(office, day, "testing_where", "topic", questions=50, conversations=40)
        counted(
            office, day, "vaccine_side_effects", "topic", questions=12 if back < 7 else 2, conversations=10 if back < 7 else 2
        )
        counted(office, day, "rumor_check", "topic", questions=1, conversations=1)
        counted(office, day, "buon-ho-phuong", "place", messages=4)
    office.rows(
        "INSERT INTO insight_answers VALUES (%s, 'utter_testing_where', 'aaaa', 90, 30, 10, 6), (%s, 'utter_hotline', 'aaaa', 9, 9, 0, 4)",
        MONDAY,
        MONDAY,
    )
    office.rows(
        "INSERT INTO insight_deliveries VALUES (%s, 'zalo', 'sent', '', 900), (%s, 'zalo', 'failed', 'network', 7)",
        MONDAY,
        MONDAY,
    )
    report = await read(office)
    assert "700 tin nhắn" in lines(report, "numbers")[0]
    assert "95\N{NO-BREAK SPACE}%" in lines(report, "numbers")[0]
    assert lines(report, "asked")[0] == SAYS["asked"].format(
        title=CATALOGUE.title("testing_where"), count=350, change=WORDS["change_same"]
    )
    (rise,) = lines(report, "rising")
    assert rise.startswith(f"{CATALOGUE.title('vaccine_side_effects')}: 70")
    assert lines(report, "rumours")[0].startswith("7 ")
    assert lines(report, "failed")[-1] == SAYS["judged"].format(
        answers=SAYS["judged_one"].format(title=CATALOGUE.title("testing_where"), count=6)
    )
    assert lines(report, "corrected")[0] == SAYS["corrected_none"]
    assert "7 tin không đến" in lines(report, "health")[0]
    assert report.notes == []
    assert report.title in as_text(report)
    content = pdf(report, NOW)
    assert (pages(content), content[:5]) == (1, b"%PDF-")


async def test_few_are_hidden_and_not_told_by_what_changed(office: Office) -> None:
    counted(office, MONDAY, messages=4, conversations=3, questions=4, fallback=2)
    counted(office, MONDAY, "hotline", "topic", questions=4, conversations=3)
    counted(office, MONDAY - datetime.timedelta(days=7), messages=2, conversations=2)
    report = await read(office)
    told = as_text(report)
    assert SAYS["asked"].format(title=CATALOGUE.title("hotline"), count="<5", change=WORDS["change_none"]) in told
    counts = dataclasses.replace(report, sections=[one for one in report.sections if one.title != TITLES["translations"]])
    assert "100 %" not in as_text(counts)
    assert WORDS["report_missing"].format(missing=6) in report.notes
    assert lines(report, "rising") == [SAYS["rising_short"].format(weeks=0)]


async def test_a_week_without_counts_says_so(office: Office) -> None:
    report = await read(office)
    assert (report.sections, report.notes) == ([], [WORDS["report_none"]])
    assert pages(pdf(report, NOW)) == 1


async def test_corrections_of_the_week_are_told_without_anybody(office: Office) -> None:
    counted(office, MONDAY, messages=50, conversations=50)
    day = Days(office)
    for number in range(6):
        day.tells(f"c{number}", "utter_case_figures", MONDAY)
    office.rows(
        """INSERT INTO corrections (feed, metric, place, span, as_of, days, told_value, told_ids, new_value, new_ids, issuer, url,
                                    fetched_at, state, proposed_at, send_at)
           VALUES ('bulletin', 'cases', 'dak-lak', 'day', %s, 1, 1200, '{}', 1500, '{}', 'x', 'x', now(), 'ended', %s, now())""",
        MONDAY,
        datetime.datetime(2026, 11, 17, tzinfo=VIETNAM),
    )
    office.rows(
        """INSERT INTO correction_recipients (correction_id, conversation_id, message_id, told_at, state)
           SELECT 1, conversation_id, id, now(), 'sent' FROM messages"""
    )
    (line, *_) = lines(await read(office), "corrected")
    assert "1.200" in line
    assert "1.500" in line
    assert SAYS["corrected_sent"].format(count=6) in line


async def test_what_staff_took_back_and_judged_is_told(office: Office) -> None:
    counted(office, MONDAY, messages=50, conversations=50)
    at, other = (datetime.datetime(2026, 11, day, 9, tzinfo=VIETNAM) for day in (17, 9))
    for key, when in (("utter_testing_where", at), ("utter_testing_where", at), ("utter_hotline", at), ("utter_greet", other)):
        office.rows(
            """INSERT INTO withdrawals (response_key, reason, withdrawn_by, withdrawn_at, until, ended_by, ended_at)
               VALUES (%s, 'r', 'an', %s, 'infinity', 'an', now())""",
            key,
            when,
        )
    for number, when in enumerate([at] * 4 + [other]):
        office.rows(
            """INSERT INTO rumour_verdicts (claim, verdict, text, source_issuer, source_title, source_date, valid_until, written_by,
                                            state, decided_by, decided_at)
               VALUES (%s, 'wrong', 't', 'i', 't', '2026-11-01', '2027-01-01', 'an', 'approved', 'binh', %s)""",
            f"tin {number}",
            when,
        )
    report = await read(office)
    titles = ", ".join(CATALOGUE.title(intent) for intent in ("testing_where", "hotline"))
    assert lines(report, "corrected")[-1] == SAYS["withdrawn"].format(count=2, answers=titles)
    judged = [SAYS["verdict"].format(claim=f"tin {n}", judged=CATALOGUE.fragments["judged_wrong"]) for n in range(3)]
    assert lines(report, "rumours")[-4:] == [*judged, SAYS["verdicts_more"].format(count=1)]


def filled(count: int, letters: int) -> Report:
    sections = [Section(f"Phần {number}", ["Ắ" * 3 + " chữ" * (letters // 4)] * count) for number in range(8)]
    return Report(WEEK, "Báo cáo tuần 47/2026", "Loa", "16/11/2026 đến 22/11/2026", [], sections, "Lập lúc")


def test_a_full_week_still_is_one_page_and_more_than_that_is_refused() -> None:
    assert pages(pdf(filled(4, 120), NOW)) == 1
    with pytest.raises(TooLong):
        pdf(filled(9, 200), NOW)


def test_every_letter_of_vietnamese_is_in_the_pdf() -> None:
    letters = "ắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữựỳýỷỹỵđĐÊÔƠƯ"
    report = Report(WEEK, letters, "Loa", "", [], [Section(letters.upper(), [letters])], "")
    content = pdf(report, NOW)
    maps = b"".join(streams(content))
    for letter in letters:
        assert f"<{ord(letter):04X}>".encode() in maps.upper(), letter
    assert pdf(report, NOW) == content


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", content))


def streams(content: bytes) -> list[bytes]:
    found: list[Any] = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S)
    opened = []
    for part in found:
        try:
            opened.append(zlib.decompress(part))
        except zlib.error:
            opened.append(part)
    return opened
