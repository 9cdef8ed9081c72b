"""/insights in a real browser against the real gateway: on a phone, light and dark; every picture has its table."""

from __future__ import annotations

import datetime
from pathlib import Path

from playwright.sync_api import Browser, expect

from bot.insights.rollups import VIETNAM
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, is_wider_than_the_screen, visits
from tests.gateway import GatewayProcess
from tests.insights.test_insights_page import some_weeks
from tests.office import Office

WORDS = interface_words(ROOT, "staff", "insights")


def test_pictures_tables_and_the_report_fit_phone_and_desktop(chromium: Browser, database_url: str, tmp_path: Path) -> None:
    office = Office(database_url)
    some_weeks(office)
    with (
        GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, LOA_WORKER="alone") as gateway,
        visits(chromium, gateway.address, office) as opens,
    ):
        for viewport, scheme in ((PHONE, "light"), (DESKTOP, "dark")):
            page = opens("/insights?days=7", viewport, "an", scheme=scheme)
            expect(page.get_by_role("link", name=WORDS["spans"]["7"])).to_have_attribute("aria-current", "true")
            for picture in page.locator(".pictures img").all():
                picture.scroll_into_view_if_needed()
                expect(picture).to_have_js_property("complete", True)
                assert picture.evaluate("image => image.naturalWidth") > 0
            page.get_by_text(WORDS["table_of"]).first.press("Enter")
            expect(page.locator(".pictures table").first.locator("tbody tr")).to_have_count(7)
            assert not is_wider_than_the_screen(page)
            page.get_by_role("link", name=WORDS["to_report"]).click()
            week = f"{datetime.datetime.now(VIETNAM).date() - datetime.timedelta(days=7):%G-W%V}"
            page.fill("#week", week)
            page.get_by_role("button", name=WORDS["report_show"]).click()
            page.wait_for_url(f"**week={week}*")
            expect(page.get_by_role("heading", name=WORDS["report_sections"]["asked"])).to_be_visible()
            with page.expect_download() as download:
                page.get_by_role("link", name=WORDS["report_pdf"]).click()
            assert download.value.suggested_filename == f"loa-{week}.pdf"
            assert not is_wider_than_the_screen(page)
