"""A phone opens the page of the real service and asks about testing, vaccination, hotlines and 5K. Pictures: reports/pictures."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from bot.settings import ROOT
from tests.chromium import FLAGS, chromium_or_skip
from tests.stack import Stack

PICTURES = ROOT / "reports/pictures"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
# (what is asked, the document under the answer)
TALK = [
    ("xet nghiem covid o dau", "Khuyến cáo phòng, chống COVID-19"),
    ("tiêm vắc xin ở đâu vậy", "TT 13/2026/TT-BYT"),
    ("cho xin số đường dây nóng", "19009095"),
    ("5K là gì", "Khuyến cáo phòng, chống COVID-19"),
]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_answers_the_four_first_questions(stack: Stack, size: dict[str, int]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_or_skip(playwright), args=FLAGS)
        page = browser.new_context(viewport=size, device_scale_factor=2, locale="vi-VN").new_page()  # type: ignore[arg-type]
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(stack.address)
        name = "phone" if size is PHONE else "desktop"
        _picture(page, f"{name}-0-welcome")
        expect(page.locator("body")).to_contain_text("trợ lý tự động")
        for number, (question, document) in enumerate(TALK, start=1):
            page.fill("#question", question)
            page.press("#question", "Enter")
            expect(page.locator(".bubble", has_text=document).last).to_be_visible()
            page.wait_for_timeout(400)
            _picture(page, f"{name}-{number}")
        page.get_by_role("button").last.scroll_into_view_if_needed()
        page.locator(".bubble").last.evaluate("bubble => bubble.scrollIntoView({block: 'end'})")
        page.wait_for_timeout(400)
        _picture(page, f"{name}-source")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert complaints == []
        browser.close()


def _picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")
