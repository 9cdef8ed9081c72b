"""/insights in a real browser against the real gateway: on a phone, light and dark; every picture has its table."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bot.insights.rollups import VIETNAM
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.chromium import FLAGS, chromium_or_skip
from tests.gateway import GatewayProcess
from tests.insights.test_insights_page import some_weeks
from tests.office import Office

WORDS = interface_words(ROOT, "staff", "insights")
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_or_skip(playwright), args=FLAGS)
        yield running
        running.close()


def test_pictures_tables_and_the_report_fit_phone_and_desktop(chromium: Browser, database_url: str, tmp_path: Path) -> None:
    office = Office(database_url)
    some_weeks(office)
    token = office.hires("an")
    complaints: list[str] = []
    with GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, LOA_WORKER="alone") as gateway:
        for viewport, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
            context = chromium.new_context(viewport=viewport, color_scheme=scheme, locale="vi-VN")  # type: ignore[arg-type]
            context.add_cookies(
                [{"name": "__Host-loa-staff", "value": token, "domain": "127.0.0.1", "path": "/", "secure": True}]
            )
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(f"{gateway.address}/insights?days=7")
            expect(page.get_by_role("link", name=WORDS["spans"]["7"])).to_have_attribute("aria-current", "true")
            for picture in page.locator(".pictures img").all():
                picture.scroll_into_view_if_needed()
                expect(picture).to_have_js_property("complete", True, timeout=30_000)
                assert picture.evaluate("image => image.naturalWidth") > 0
            page.get_by_text(WORDS["table_of"]).first.press("Enter")
            expect(page.locator(".pictures table").first.locator("tbody tr")).to_have_count(7)
            assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            page.get_by_role("link", name=WORDS["to_report"]).click()
            week = f"{datetime.datetime.now(VIETNAM).date() - datetime.timedelta(days=7):%G-W%V}"
            page.fill("#week", week)
            page.get_by_role("button", name=WORDS["report_show"]).click()
            expect(page.get_by_role("heading", name=WORDS["report_sections"]["asked"])).to_be_visible()
            with page.expect_download() as download:
                page.get_by_role("link", name=WORDS["report_pdf"]).click()
            assert download.value.suggested_filename == f"loa-{week}.pdf"
            assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            context.close()
    assert complaints == []
