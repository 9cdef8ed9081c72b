"""The staff pages in a real browser: a phone at the login with a second factor, and a screen that nobody sits at."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator

import pyotp
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from bot.staff.sessions import Rules
from tests.browsing import PHONE, Visits, is_wider_than_the_screen, visits
from tests.office import Office, application

IDLE = datetime.timedelta(minutes=20)
ONE_MINUTE, MILLISECOND = datetime.timedelta(minutes=1), datetime.timedelta(milliseconds=1)


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(application(office.url, rules=Rules(idle=IDLE)), port=0, log_level="warning", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def opens(chromium: Browser, address: str, office: Office) -> Iterator[Visits]:
    with visits(chromium, address, office, expected=("401",)) as found:
        yield found


def test_a_phone_turns_the_second_factor_on_and_logs_in_with_it(opens: Visits, address: str, office: Office) -> None:
    password = office.settles("lan", "admin")
    page = opens("/staff/login?next=/staff/totp", PHONE)

    def logs_in() -> None:
        page.fill("#name", "lan")
        page.fill("#password", password)
        page.keyboard.press("Enter")

    logs_in()
    expect(page.locator("#password-offer")).to_be_visible()
    assert not is_wider_than_the_screen(page)
    page.fill("#password-offer", password)
    page.keyboard.press("Enter")
    picture = page.locator("img.qr")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100, "the policy of the page lets the picture through"
    assert not is_wider_than_the_screen(page)
    totp = pyotp.TOTP(page.locator(".hint code").inner_text().replace(" ", ""))
    page.fill("#code", totp.now())
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    paper = page.locator(".codes li").first.inner_text()
    page.context.clear_cookies()
    page.goto(f"{address}/staff/login?next=/staff/people")
    logs_in()
    expect(page.locator("#code")).to_be_visible()
    page.fill("#code", paper)
    assert not is_wider_than_the_screen(page)
    page.keyboard.press("Enter")
    expect(page.locator("table.rows")).to_be_visible()
    assert not is_wider_than_the_screen(page)


def left_alone(page: Page, office: Office) -> None:
    """Until a minute before the end of the session, by the clocks of the browser and of the server."""
    page.clock.install()
    page.reload()
    office.rows("UPDATE staff_sessions SET last_seen_at = now() - %s", IDLE - ONE_MINUTE)
    page.clock.fast_forward((IDLE - ONE_MINUTE) // MILLISECOND)
    expect(page.locator("#idle")).to_be_visible()


def test_an_unattended_page_says_so_and_leaves(opens: Visits, office: Office) -> None:
    page = opens("/staff/audit", PHONE, "lan", "admin")
    expect(page.locator("#idle")).to_be_hidden()
    left_alone(page, office)
    office.rows("UPDATE staff_sessions SET last_seen_at = now() - %s", IDLE + ONE_MINUTE)
    page.clock.fast_forward(2 * ONE_MINUTE // MILLISECOND)
    page.wait_for_url("**/staff/login?next=/staff/audit&over=1")
    expect(page.get_by_role("alert")).to_be_visible()


def test_whoever_is_there_stays(opens: Visits, office: Office) -> None:
    page = opens("/staff/password", PHONE, "lan", "admin")
    left_alone(page, office)
    [asked] = office.rows("SELECT now() AS at")
    notice = page.locator("#idle")
    notice.get_by_role("button").tap()
    expect(notice).to_be_hidden()
    assert office.rows("SELECT last_seen_at >= %s AS is_kept FROM staff_sessions", asked["at"]) == [{"is_kept": True}]
