"""/staff/audit: what was done is found again, page by page and as a file, and looking is done in the open."""

from __future__ import annotations

import csv
import datetime
import io
import re
from typing import Any

import pytest

from bot.staff import audit_page
from bot.staff.audit_page import Filter, told
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


def test_details_are_told_in_one_line() -> None:
    assert told({"role": "senior", "before": "", "everywhere": True, "count": 3}) == "role: senior, everywhere: true, count: 3"
