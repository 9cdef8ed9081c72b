"""/content in a real browser against the real gateway; what a citizen reads changes without any restart. With `PICTURES` set to a
folder, the pages are kept there as pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.chromium import FLAGS, chromium_or_skip
from tests.content.test_pages import VERDICT, reported
from tests.gateway import GatewayProcess
from tests.office import Office
from tests.simulators.rasa import RasaSimulator

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
WORDS = interface_words(ROOT, "staff", "content")
CATALOGUE = Catalogue.load(ROOT, "dak-lak")

Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_or_skip(playwright), args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def gateway(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    rasa = RasaSimulator()
    with GatewayProcess(shared_database_url, rasa.url, tmp_path_factory.mktemp("gateway")) as process:
        yield process
    rasa.close()


@pytest.fixture
def office(shared_database_url: str) -> Office:
    return Office(shared_database_url)


@pytest.fixture
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Opens]:
    """Somebody at a page; `name` of whoever is logged in already. What the console says is a fault."""
    complaints: list[str] = []

    def open_page(
        path: str, viewport: dict[str, int] = DESKTOP, name: str = "", scheme: str = "light", role: str = "senior"
    ) -> Page:
        is_phone = viewport == PHONE
        context = chromium.new_context(
            viewport=viewport, locale="vi-VN", has_touch=is_phone, is_mobile=is_phone, color_scheme=scheme,  # type: ignore[arg-type]
        )  # fmt: skip
        if name:
            token = office.hires(name, role)  # type: ignore[arg-type]
            cookie = {"name": "__Host-loa-staff", "value": token, "domain": "127.0.0.1", "path": "/", "secure": True}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{gateway.address}{path}")
        return page

    yield open_page
    for context in chromium.contexts:
        context.close()
    assert complaints == []


def keeps(page: Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
        "nothing is pushed aside"
    )
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_an_answer_is_withdrawn_and_the_desk_and_the_page_of_citizens_know_it(opens: Opens) -> None:
    citizen = opens("/", PHONE)
    assert CATALOGUE.answer("utter_welcome").text.splitlines()[0][:40] in citizen.inner_text("#welcome")
    page = opens("/content", PHONE, name="an")
    page.fill("#q", "utter_welcome")
    page.get_by_role("button", name=WORDS["find"], exact=True).click()
    keeps(page, "content-answers-phone")
    page.goto(page.url.split("/content")[0] + "/content/answers/utter_welcome")
    page.fill("#reason", "Số điện thoại trong câu đã đổi")
    page.get_by_role("button", name=WORDS["withdraw"], exact=True).click()
    expect(page.get_by_role("status")).to_have_text(WORDS["done"]["withdrawn"])
    keeps(page, "content-answer-phone")
    expected = CATALOGUE.answer("utter_withheld").text.splitlines()[0][:60]
    for _ in range(100):
        citizen.reload()
        if expected in citizen.inner_text("#welcome"):
            break
        citizen.wait_for_timeout(100)
    assert expected in citizen.inner_text("#welcome")
    desk = opens("/desk", DESKTOP, name="an")
    assert "utter_welcome" in desk.inner_text(".alarm")
    keeps(desk, "content-desk")


def test_an_emergency_greets_on_the_chat_page_once_a_second_person_approved_it(opens: Opens) -> None:
    page = opens("/content/notices", DESKTOP, name="an")
    page.fill(
        "#text",
        "Ví dụ: ngày 25/11 điểm tiêm ở nhà văn hóa phường nghỉ vì mưa lớn.\n- Hỏi lịch mới ở trạm y tế phường.",
    )
    page.get_by_label(WORDS["notice_emergency"]).check()
    page.get_by_role("button", name=WORDS["notice_propose"], exact=True).click()
    expect(page.get_by_role("status")).to_have_text(WORDS["done"]["notice_proposed"])
    keeps(page, "content-notices")
    assert opens("/", PHONE).locator(".note.alarm").count() == 0
    other = opens("/content/notices", PHONE, name="binh", role="content")
    other.get_by_role("button", name=WORDS["approve"], exact=True).click()
    expect(other.get_by_role("status")).to_have_text(WORDS["done"]["notice_approved"])
    keeps(other, "content-notices-phone")
    citizen = opens("/", PHONE)
    for _ in range(100):
        if citizen.locator(".note.alarm").count():
            break
        citizen.wait_for_timeout(100)
        citizen.reload()
    expect(citizen.locator(".note.alarm")).to_contain_text("điểm tiêm ở nhà văn hóa")
    keeps(citizen, "content-chat-phone")


def test_a_reported_rumour_gets_a_verdict(opens: Opens, office: Office) -> None:
    reported(office, "nghe nói mai cấm chợ Ea Kar, [tên] gửi trong nhóm, có thật không", "mai cam cho ea kar ha")
    page = opens("/content/rumours", PHONE, name="an", scheme="dark")
    keeps(page, "content-rumours-phone")
    page.get_by_role("link", name=WORDS["report_check"]).first.click()
    for field, value in VERDICT.items():
        if field == "verdict":
            page.select_option("#verdict", value)
        else:
            page.fill(f"#{field}", value)
    keeps(page, "content-verdict-phone")
    page.get_by_role("button", name=WORDS["verdict_propose"], exact=True).click()
    expect(page.get_by_role("status")).to_have_text(WORDS["done"]["verdict_proposed"])
    other = opens("/content/rumours", DESKTOP, name="binh")
    keeps(other, "content-rumours")
    other.get_by_role("button", name=WORDS["approve"], exact=True).click()
    expect(other.get_by_role("status")).to_have_text(WORDS["done"]["verdict_published"])
    assert office.rows("SELECT DISTINCT state FROM rumour_reports") == [{"state": "answered"}]
