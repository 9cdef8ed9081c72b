"""/insights over HTTP: the counts of days, what is hidden of them, pictures and the file, and who may see it."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.campaigns.tables import FEW, HIDDEN, hidden
from bot.insights import drawing
from bot.insights.drawing import Series
from bot.insights.insights_page import PAGE, InsightsPage
from bot.insights.numbers import MEASURES, Days, Told, changed, up_to
from bot.insights.report_page import ReportPage
from bot.insights.rollups import ENDLESS, VIETNAM
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.insights.days import CATALOGUE
from tests.office import Browser, Office, Server, application

WORDS = interface_words(ROOT, "staff", "insights")
YESTERDAY = datetime.datetime.now(VIETNAM).date() - datetime.timedelta(days=1)


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    running = Server(
        application(
            office.url,
            lambda staff, pool: [
                *InsightsPage(ROOT, pool, staff.door, CATALOGUE).routes(),
                *ReportPage(ROOT, pool, staff.door, CATALOGUE).routes(),
            ],
        )
    )
    with running.client:
        yield running


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an")


def counted(office: Office, back: int, part: str = "all", key: str = "", **counts: int) -> None:
    """A count of so many days before yesterday."""
    day, names = YESTERDAY - datetime.timedelta(days=back), ", ".join(counts)
    values = ", ".join(["%s"] * len(counts))
    office.rows(
        f"INSERT INTO insight_days (day, part, key, {names}) VALUES (%s, %s, %s, {values})", day, part, key, *counts.values()
    )
    office.rows("INSERT INTO insight_rounds VALUES (%s, now()) ON CONFLICT (day) DO UPDATE SET counted_at = now()", day)


def some_weeks(office: Office) -> None:
    for back in range(14):
        now = back < 7
        counted(office, back, messages=120 if now else 100, conversations=60, by_bot=54, questions=90, answered=80 if now else 60,
                fallback=10 if now else 30, typed=80, understood=72 if now else 60)  # fmt: skip
        counted(office, back, "topic", "testing_where", questions=40, conversations=30)
        counted(office, back, "channel", "zalo", messages=90, conversations=40)
        counted(office, back, "place", "buon-ho-phuong", messages=20, conversations=9)
    counted(office, 2, "topic", "hotline", questions=3, conversations=2)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_before_the_first_day_the_page_says_so(an: Browser) -> None:
    answer = an.opens(PAGE)
    assert answer.status_code == 200
    assert WORDS["insights_empty"] in text(answer)
    assert "<img" not in answer.text


def test_a_span_and_what_changed_against_the_one_before(an: Browser, office: Office) -> None:
    some_weeks(office)
    seen = text(an.opens(f"{PAGE}?days=7"))
    assert f"{WORDS['tiles']['messages']} 120 {WORDS['change_up'].format(percent=20)}" in seen
    assert f"{WORDS['tiles']['understood']} 90 % {WORDS['change_points_up'].format(points=15)}" in seen.replace("\xa0", " ")
    assert f"{WORDS['tiles']['fallback']} 11 % {WORDS['change_points_down'].format(points=22)}" in seen.replace("\xa0", " ")
    assert CATALOGUE.title("testing_where") in seen
    assert "phường Buôn Hồ" in seen
    page = an.opens(f"{PAGE}?days=7").text
    assert page.count("<img") == 5, "no picture of what did not happen"
    assert 'class="change better">' in page


def test_days_that_were_not_counted_are_told(an: Browser, office: Office) -> None:
    some_weeks(office)
    seen = text(an.opens(f"{PAGE}?days=90"))
    assert WORDS["span_holes"].format(missing=76) in seen
    assert WORDS["before_holes"].format(counted=0, count=90) in seen
    assert WORDS["change_none"] in seen


def test_few_are_shown_as_few_and_cannot_be_worked_out(an: Browser, office: Office) -> None:
    some_weeks(office)
    office.rows("INSERT INTO insight_answers VALUES (%s, 'utter_testing_where', 'aaaa', 50, 9, 6, 3)", YESTERDAY)
    page = an.opens(f"{PAGE}?days=7").text
    table = page.split('id="picture-topics"')[1].split("</table>")[0]
    cells = re.findall(r'<th scope="row">(.*?)</th><td class="amount">(.*?)</td>', table)
    assert [cell for _, cell in cells] == [HIDDEN, "&lt;5"], "the larger one is hidden too, or the sum tells the smaller"
    row = page.split('id="answers"')[1].split("<tbody>")[1]
    assert re.findall(r"<td[^>]*>(.*?)</td>", row)[:4] == ["50", "6", "&lt;5", "–"], (
        "with few on one side the share would tell them"
    )


def test_pictures_are_drawn_once_and_again_after_a_count(an: Browser, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    some_weeks(office)
    drawn: list[int] = []
    monkeypatch.setattr(drawing, "lines", lambda *_: drawn.append(1) or b"<svg/>")
    address = f"{PAGE}/pictures/traffic.svg?days=7"
    for _ in range(3):
        assert an.opens(address).status_code == 200
    assert len(drawn) == 1
    office.rows("UPDATE insight_rounds SET counted_at = now() + interval '1 second'")
    answer = an.opens(address)
    assert len(drawn) == 2
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "script" not in answer.headers["content-security-policy"]
    assert an.opens(f"{PAGE}/pictures/waits.svg").status_code == 404
    assert an.opens(f"{PAGE}/pictures/none.svg").status_code == 404


def test_the_drawings_hold_hidden_numbers_as_hidden() -> None:
    days = [f"{number}/11" for number in range(1, 31)]
    whole = Series("Tin nhắn", [number * 9 for number in range(30)])
    few = Series("Từ chối", [FEW, HIDDEN, *range(5, 33)])
    pictures = [
        drawing.lines(days, [whole, few]),
        drawing.stacked(days, [whole, few]),
        drawing.bars(Series("Câu hỏi", [90, FEW]), ["Xét nghiệm ở đâu", "Số cần gọi"], Series("Khoảng trước", [40, 0])),
        drawing.columns(Series("Số lần", [7, FEW, 0]), ["trong 5 phút", "trong 1 giờ", "lâu hơn"]),
    ]
    for picture in pictures:
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert len(picture) < 200_000
    assert drawing.height(FEW) == drawing.height(HIDDEN) == 2.5
    assert pictures[0] == drawing.lines(days, [whole, few]), "the same counts give the same bytes"


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
def test_a_picture_is_as_high_as_its_sum_and_tells_no_few(column: list[int]) -> None:
    drawn, cells = drawing.heights(column), hidden(column)
    assert sum(drawn) == pytest.approx(sum(column), abs=1.5 * max(1, cells.count(FEW)))
    assert all(one == 2.5 for one, cell in zip(drawn, cells, strict=True) if cell == FEW)
    if HIDDEN in cells:  # whatever the few is, with the same sum it is the same picture
        few, beside = cells.index(FEW), cells.index(HIDDEN)
        other = list(column)
        other[few], other[beside] = (1, column[beside] + column[few] - 1)
        assert hidden(other) != cells or drawing.heights(other) == drawn


def test_the_file_has_a_line_for_each_day_and_hides_few(an: Browser, office: Office) -> None:
    some_weeks(office)
    answer = an.opens(f"{PAGE}/export.csv?days=7")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][4:] == [WORDS["measures"][measure] for measure in MEASURES]
    assert len(rows) == 1 + 7 * 4 + 1
    by_key = {(row[0], row[2]): row for row in rows[1:]}
    day = (YESTERDAY - datetime.timedelta(days=2)).isoformat()
    assert by_key[day, "hotline"][3:8] == [CATALOGUE.title("hotline"), "0", FEW, "0", FEW]
    assert by_key[day, "testing_where"][7] == HIDDEN
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("content", 200), ("senior", 200), ("admin", 200)])
def test_who_may_see_it(server: Server, office: Office, role: Any, status: int) -> None:
    some_weeks(office)
    browser = server.staff(office, f"a-{role}", role)
    for path in (PAGE, f"{PAGE}/export.csv", f"{PAGE}/pictures/traffic.svg", f"{PAGE}/report", f"{PAGE}/report.pdf"):
        assert browser.opens(path).status_code == status, path
        assert server.visitor().opens(path).status_code == 303, path


def test_the_report_is_shown_and_downloaded_and_a_wrong_week_is_told(an: Browser, office: Office) -> None:
    some_weeks(office)
    week = f"{YESTERDAY:%G-W%V}"
    page = an.opens(f"{PAGE}/report?week={week}")
    assert WORDS["report_sections"]["rising"] in text(page)
    content = an.opens(f"{PAGE}/report.pdf?week={week}")
    assert (content.headers["content-type"], content.content[:5]) == ("application/pdf", b"%PDF-")
    for path in ("report", "report.pdf"):
        refused = an.opens(f"{PAGE}/{path}?week=2026-W<b>")
        assert refused.status_code == 422
        assert WORDS["report_bad_week"] in text(refused)
        assert "<b>" not in refused.text


def test_shares_and_waits_say_nothing_of_few() -> None:
    assert Told("utter_x", "a", 90, 9, 4, 0).share is None
    assert Told("utter_x", "a", 90, 9, 4, 1).share == 0.8
    assert up_to({60: 2, 300: 2}, 0.5) is None
    assert up_to({60: 3, 300: 2, ENDLESS: 1}, 0.5) == 60
    assert up_to({60: 3, 300: 2, ENDLESS: 1}, 0.95) == ENDLESS
    assert (changed(3, 2), changed(3, 0), changed(None, 2)) == (0.5, None, None)
    assert Days.until(YESTERDAY, 7).before.last == YESTERDAY - datetime.timedelta(days=7)
