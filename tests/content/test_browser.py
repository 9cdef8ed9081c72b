"""/content in a real browser against the real gateway; what a citizen reads changes without any restart. With `PICTURES` set to a
folder, the pages are kept there as pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, Visits, keeps, visits
from tests.chromium import WAIT_MS
from tests.content.test_pages import VERDICT, reported
from tests.gateway import GatewayProcess
from tests.office import Office
from tests.simulators.rasa import RasaSimulator

WORDS = interface_words(ROOT, "staff", "content")
CATALOGUE = Catalogue.load(ROOT, "dak-lak")


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
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Visits]:
    with visits(chromium, gateway.address, office) as found:
        yield found


def reloads_until(page: Page, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_MS / 1000
    while not is_so():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
        page.reload()


def test_an_answer_is_withdrawn_and_the_desk_and_the_page_of_citizens_know_it(opens: Visits) -> None:
    citizen = opens("/", PHONE)
    assert CATALOGUE.answer("utter_welcome").text.splitlines()[0][:40] in citizen.inner_text("#welcome")
    page = opens("/content", PHONE, name="an", role="senior")
    root = page.url.split("/content")[0]
    for path in ("/content/answers/utter_vaccine_eligibility", "/content"):  # with the longest keys
        page.goto(root + path)
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
    page.fill("#q", "utter_welcome")
    page.get_by_role("button", name=WORDS["find"], exact=True).click()
    page.wait_for_url("**q=utter_welcome*")
    keeps(page, "content-answers-phone")
    page.goto(f"{root}/content/answers/utter_welcome")
    page.fill("#reason", "Số điện thoại trong câu đã đổi")
    page.get_by_role("button", name=WORDS["withdraw"], exact=True).click()
    expect(page.get_by_role("status")).to_have_text(WORDS["done"]["withdrawn"])
    keeps(page, "content-answer-phone")
    expected = CATALOGUE.answer("utter_withheld").text.splitlines()[0][:60]
    reloads_until(citizen, lambda: expected in citizen.inner_text("#welcome"))
    desk = opens("/desk", DESKTOP, name="an", role="senior")
    assert "utter_welcome" in desk.inner_text(".alarm")
    keeps(desk, "content-desk")


def test_an_emergency_greets_on_the_chat_page_once_a_second_person_approved_it(opens: Visits) -> None:
    page = opens("/content/notices", DESKTOP, name="an", role="senior")
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
    reloads_until(citizen, lambda: citizen.locator(".note.alarm").count() > 0)
    expect(citizen.locator(".note.alarm")).to_contain_text("điểm tiêm ở nhà văn hóa")
    keeps(citizen, "content-chat-phone")


def test_a_reported_rumour_gets_a_verdict(opens: Visits, office: Office) -> None:
    reported(office, "nghe nói mai cấm chợ Ea Kar, [tên] gửi trong nhóm, có thật không", "mai cam cho ea kar ha")
    page = opens("/content/rumours", PHONE, name="an", role="senior", scheme="dark")
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
    other = opens("/content/rumours", DESKTOP, name="binh", role="senior")
    keeps(other, "content-rumours")
    other.get_by_role("button", name=WORDS["approve"], exact=True).click()
    expect(other.get_by_role("status")).to_have_text(WORDS["done"]["verdict_published"])
    assert office.rows("SELECT DISTINCT state FROM rumour_reports") == [{"state": "answered"}]
