"""How long a session lives without its person, what the page's script is told, and what a script gets that comes too late."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from starlette.responses import JSONResponse

from bot.languages.interface import interface_words
from bot.settings import ROOT
from bot.staff.door import StaffRoute
from bot.staff.sessions import Rules
from tests.office import Browser, Office, Server, application, reasons

SESSION = "/staff/session"


@pytest.fixture
def an(browser: Browser, office: Office) -> Browser:
    browser.carries(office.hires("an"))
    return browser


def left(browser: Browser) -> int:
    return int(browser.opens(SESSION).json()["seconds_left"])


def test_the_script_is_told_how_long_is_left_and_asking_does_not_prolong_it(an: Browser, office: Office) -> None:
    office.rows("UPDATE staff_sessions SET last_seen_at = now() - interval '10 minutes'")
    assert 1190 <= left(an) <= 1200
    assert 1190 <= left(an) <= 1200
    kept = an.http.post(SESSION, data={"csrf": csrf(an)})
    assert 1790 <= kept.json()["seconds_left"] <= 1800


def csrf(browser: Browser) -> str:
    """Without opening a page of theirs, which would keep the session alive."""
    return str(browser.http.app.state.door.csrf_of("token-of-an"))  # type: ignore[attr-defined]


def test_what_asks_by_itself_does_not_keep_a_session_alive(office: Office) -> None:
    async def answer(_: object) -> Any:
        return JSONResponse({})

    def more(staff: Any, _: Any) -> list[Any]:
        roles = ("content",)
        return [
            StaffRoute("/desk/events", answer, staff.door, roles, is_background=True),
            StaffRoute("/desk", answer, staff.door, roles),
        ]

    running = Server(application(office.url, more))
    with running.client:
        browser = running.visitor()
        browser.carries(office.hires("an"))
        for path, is_kept in (("/desk/events", False), ("/desk", True)):
            office.rows("UPDATE staff_sessions SET last_seen_at = now() - interval '29 minutes'")
            assert browser.opens(path).status_code == 200
            seen = office.rows("SELECT last_seen_at > now() - interval '1 minute' AS now FROM staff_sessions")
            assert seen == [{"now": is_kept}], path


def test_the_province_says_how_long(office: Office) -> None:
    running = Server(application(office.url, rules=Rules(idle=datetime.timedelta(minutes=5))))
    with running.client:
        browser = running.visitor()
        browser.carries(office.hires("an"))
        page = browser.opens("/staff/password")
        assert 290 <= int(re.findall(r'data-seconds="(\d+)"', page.text)[0]) <= 300
        office.rows("UPDATE staff_sessions SET last_seen_at = now() - interval '5 minutes 1 second'")
        assert browser.opens("/staff/password").headers["location"].endswith("&over=1")


def test_age_ends_a_session_before_idleness_does(an: Browser, office: Office) -> None:
    office.rows("UPDATE staff_sessions SET started_at = now() - interval '11 hours 50 minutes'")
    assert 590 <= left(an) <= 600


@pytest.mark.parametrize("accepted", ["application/json", "text/event-stream", "application/json, */*"])
def test_a_script_without_a_session_gets_data_and_no_login_page(browser: Browser, accepted: str) -> None:
    for answer in (
        browser.opens("/staff/password", headers={"Accept": accepted}),
        browser.http.post("/staff/logout", headers={"Accept": accepted}),
    ):
        assert (answer.status_code, answer.json()) == (401, {"reason": "login_needed"})


def test_a_script_with_the_wrong_role_or_token_gets_the_reason_as_data(an: Browser) -> None:
    data = {"Accept": "application/json"}
    assert an.opens("/staff/people", headers=data).json() == {"reason": "role_missing"}
    assert an.http.post(SESSION, data={"csrf": "0"}, headers=data).json() == {"reason": "form_not_ours"}
    assert reasons(an.opens("/staff/people", headers={"Accept": "text/html,application/json"})) == ["role_missing"]


def test_scripts_run_for_staff_alone_and_only_our_files(an: Browser) -> None:
    inside = an.opens("/staff/password")
    assert "script-src 'self';" in inside.headers["content-security-policy"]
    assert "unsafe" not in inside.headers["content-security-policy"]
    assert re.findall(r"<script[^>]*>", inside.text) == [
        re.search(r'<script src="/static/staff.js\?v=\w+" defer>', inside.text)[0]
    ]  # type: ignore[index]
    an.http.cookies.clear()
    outside = an.opens("/staff/login")
    assert "script-src" not in outside.headers["content-security-policy"]
    assert "<script" not in outside.text


def test_every_word_of_these_pages_is_used() -> None:
    """The reverse, a template without its word, cannot be rendered."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "bot/staff").rglob("*") if path.suffix in {".py", ".html"})
    words = interface_words(ROOT, "staff", "staff_pages")
    assert {key for key in words if not re.search(rf"\b{key}\b", sources)} == set()
    assert {key for key in words["reasons"] if f'"{key}"' not in sources} == set()
