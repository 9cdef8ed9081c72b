"""/staff/audit: what was done is found again, page by page and as a file, and looking is done in the open."""

from __future__ import annotations

import csv
import datetime
import io
import re
from typing import Any

import pytest

from bot.campaigns.described import Describer
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from bot.staff import audit_page
from bot.staff.audit_page import Filter, told
from bot.staff.audit_words import Details
from tests.office import Browser, Office, Server

PAGE, FILE = "/staff/audit", "/staff/audit.csv"


@pytest.fixture
def admin(server: Server, office: Office) -> Browser:
    browser = server.visitor()
    browser.carries(office.hires("lan", "admin"))
    return browser


def writes(office: Office, count: int, actor: str = "binh", action: str = "claimed", at: str = "now()") -> None:
    office.rows(
        f"INSERT INTO audit_log (at, actor, action, object) SELECT {at}, %s, %s, 'case:' || n FROM generate_series(1, %s) n",
        actor,
        action,
        count,
    )


def objects(page: Any) -> list[str]:
    return re.findall(r"case:\d+", page.text)


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_pages_follow_each_other_without_gap_or_repeat_while_the_log_grows(admin: Browser, office: Office) -> None:
    writes(office, 120)
    seen, address = [], f"{PAGE}?actor=binh"
    while True:
        page = admin.opens(address)
        seen += objects(page)
        writes(office, 1, actor="chi")
        older = re.search(r'href="(/staff/audit\?[^"]*before=\d+)"', page.text)
        if not older:
            break
        address = older[1].replace("&amp;", "&")
        assert "actor=binh" in address
    assert seen == [f"case:{n}" for n in range(120, 0, -1)]


def test_the_log_is_found_by_person_action_and_day_of_vietnam(admin: Browser, office: Office) -> None:
    writes(office, 1, "binh", "claimed", "'2026-11-01 16:59:59+00'")  # 23:59 in Vietnam
    writes(office, 2, "binh", "sent", "'2026-11-01 17:00:00+00'")  # midnight
    writes(office, 3, "chi", "sent", "'2026-11-02 16:59:59+00'")
    writes(office, 4, "chi", "sent", "'2026-11-02 17:00:00+00'")
    for query, count in {
        "day=2026-11-02": 5,
        "day=2026-11-02&actor=chi": 3,
        "action=claimed": 1,
        "actor=binh": 3,
        "actor=no": 0,
    }.items():
        assert len(objects(admin.opens(f"{PAGE}?{query}"))) == count, query
        assert len([row for row in rows(admin.opens(f"{FILE}?{query}")) if row["object"]]) == count, query


def test_whoever_looks_is_in_the_log_with_what_they_looked_for(admin: Browser, office: Office) -> None:
    admin.opens(f"{PAGE}?actor=binh&day=2026-11-02")
    admin.opens(f"{FILE}?action=sent")
    assert office.rows("SELECT actor, action, detail FROM audit_log WHERE action LIKE 'log_%%' ORDER BY id") == [
        {"actor": "lan", "action": "log_viewed", "detail": {"asked": {"actor": "binh", "day": "2026-11-02"}}},
        {"actor": "lan", "action": "log_exported", "detail": {"asked": {"action": "sent"}}},
    ]


def test_the_file_holds_everything_and_nothing_that_a_spreadsheet_runs(
    admin: Browser, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "ROWS_OF_FILE_AT_A_TIME", 7)
    writes(office, 21)
    office.rows(
        """INSERT INTO audit_log (actor, action, object, detail) VALUES ('=1+1', 'sent', '@x', '{"because": "a, \\"b\\"\\nc"}')"""
    )
    answer = admin.opens(FILE)
    found = rows(answer)
    assert [row["object"] for row in found if row["actor"] == "binh"] == [f"case:{n}" for n in range(21, 0, -1)]
    bad = next(row for row in found if "1+1" in row["actor"])
    assert (bad["actor"], bad["object"], bad["detail"]) == ("'=1+1", "'@x", 'because: a, "b"\nc')
    assert answer.headers["content-disposition"].startswith('attachment; filename="loa-log-')
    assert answer.headers["cache-control"] == "no-store"
    assert datetime.datetime.fromisoformat(bad["at"]).utcoffset() == datetime.timedelta(hours=7)


@pytest.mark.parametrize(
    "query",
    ["before=x", "before=9999999999999999999999", "before=-1", "before=%00", "day=2026-13-99", "day=0001-01-01", "day=9999-12-31",
     "actor=%00%ff", "actor=" + "x" * 3000, "action='; DROP TABLE audit_log; --", "actor=%3Cscript%3E"],
)  # fmt: skip
def test_what_cannot_be_looked_for_breaks_nothing(query: str) -> None:
    asked = dict(part.split("=", 1) for part in query.split("&", 1))
    wanted = Filter.of(asked)
    assert 0 < wanted.before < 2**63
    assert len(wanted.actor) <= 100
    assert "\x00" not in wanted.actor


def test_words_of_the_log_and_of_the_address_are_escaped(admin: Browser, office: Office) -> None:
    office.rows("INSERT INTO audit_log (actor, action, object) VALUES ('<script>a', '<script>b', '<script>c')")
    for page in (admin.opens(PAGE), admin.opens(f"{PAGE}?actor=<script>a&action='; --&day=x")):
        assert page.status_code == 200
        assert "<script>" not in page.text


def test_a_long_log_is_looked_through_by_its_indexes(admin: Browser, office: Office) -> None:
    writes(office, 30_000)
    writes(office, 1, actor="hiếm")
    writes(office, 30_000)
    office.rows("ANALYZE audit_log")
    plan = str(office.rows("EXPLAIN SELECT id FROM audit_log WHERE id < 999999 AND actor = 'hiếm' ORDER BY id DESC LIMIT 51"))
    assert "audit_log_of_actor" in plan
    assert objects(admin.opens(f"{PAGE}?actor=hiếm")) == ["case:1"]


def test_details_are_told_in_words_and_what_has_none_as_it_was_written() -> None:
    details = Details(ROOT, Describer(ROOT, Catalogue.load(ROOT, "dak-lak")))
    for detail, said in (
        ({"role": "senior", "before": "operator"}, "vai trò: Người trực chính; trước đó: Người trực"),
        ({"role": "reviewer", "tag": "rad"}, "vai trò: người duyệt; ngôn ngữ: tiếng Ê Đê"),
        ({"scope": "place", "about": "dak-lak"}, "gửi cho: Người ở một nơi; về: tỉnh Đắk Lắk"),
        ({"about": "testing"}, "về: Xét nghiệm"),
        ({"topic": "testing_where", "solved": False}, "chủ đề: Xét nghiệm ở đâu; đã giải quyết: không"),
        ({"desk": "dak-lak", "outcome": "referred"}, "bàn trực: Bàn trực tỉnh Đắk Lắk; kết quả: Đã chỉ nơi khác giúp"),
        ({"until": "2026-12-01T00:30:00+07:00"}, "đến: 00:30 01/12/2026"),
        ({"ends": "soon"}, "hết lúc: soon"),
        ({"was": "accepted"}, "trước đó: đã cho trả lời"),
        ({"was": "approved"}, "trước đó: Đã duyệt"),
        ({"counts": {"stale": 2, "other": 1}}, "bản dịch: câu gốc đã đổi 2, other 1"),
        ({"asked": {"action": "login", "day": "2026-11-02"}}, "tìm: việc đăng nhập, ngày 02/11/2026"),
        ({"messages": [3, 4], "worse": [], "reason": "", "new": None}, "các tin số: 3, 4"),
        ({"topic": "gone_topic", "colour": "red"}, "chủ đề: gone_topic; colour: red"),
    ):
        assert details.told(detail) == said
    assert Details(ROOT).told({"topic": "testing_where", "role": "admin"}) == "chủ đề: testing_where; vai trò: Quản trị"


def test_the_page_says_details_in_words_and_the_file_as_they_were_written(admin: Browser, office: Office) -> None:
    office.rows("""INSERT INTO audit_log (actor, action, detail) VALUES ('an', 'login', '{"second_factor": "paper"}')""")
    assert "bước hai: mã dự phòng" in admin.opens(f"{PAGE}?actor=an").text
    assert [row["detail"] for row in rows(admin.opens(f"{FILE}?actor=an"))] == ["second_factor: paper"]


def test_details_are_told_in_one_line_of_the_file() -> None:
    assert told({"role": "senior", "before": "", "everywhere": True, "count": 3}) == "role: senior, everywhere: true, count: 3"
