"""/learn in a real browser, against the real gateway: one person proposes by keyboard on a desktop, another agrees on a phone. With
`PICTURES` set to a folder, the pages are kept there as pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import PHONE, Visits, keeps, visits
from tests.gateway import GatewayProcess
from tests.learn.conftest import Talks
from tests.office import Office
from tests.simulators.rasa import RasaSimulator

WORDS = interface_words(ROOT, "staff", "learn")
GROUP = re.compile(r"/learn/groups/\d+")
BUS = "Cho em hỏi vé xe buýt từ Buôn Hồ lên Buôn Ma Thuột bao nhiêu tiền ạ?"
ASKED = (
    (BUS, "nlu_fallback", 6),
    ("ve xe buyt tu buon ho len buon ma thuot bao nhieu tien", "nlu_fallback", 5),
    ("em tên Hoa, vé xe buýt từ Buôn Hồ lên Buôn Ma Thuột bao nhiêu tiền, gọi lại 0905123678", "nlu_fallback", 1),
    ("test nước bọt mua ở tiệm thuốc nào trong xã mình", "nlu_fallback", 4),
    ("làm căn cước ở đâu", "out_of_scope", 2),
    ("where can my dog get tested for covid", "nlu_fallback", 1),
)


@pytest.fixture
def gateway(database_url: str, rasa: RasaSimulator, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, rasa.url, tmp_path) as process:
        yield process


@pytest.fixture
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Visits]:
    with visits(chromium, gateway.address, office) as found:
        yield found


def test_one_proposes_by_keyboard_and_another_agrees_on_a_phone(opens: Visits, office: Office, talks: Talks) -> None:
    page = opens("/learn", name="an")
    expect(page.get_by_text(WORDS["none"]["open"])).to_be_visible()
    keeps(page, "learn-none")
    for text, intent, times in ASKED:
        for _ in range(times):
            language = "en" if text.startswith("where") else "vi"
            talks.asks(text, intent, language=language, ranking=[["testing_cost", 0.41], ["testing_where", 0.3]])
    talks.are_collected()

    page.reload()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=BUS)).to_be_focused()
    keeps(page, "learn")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(GROUP)
    expect(page.get_by_role("heading", name=BUS)).to_be_visible()
    keeps(page, "learn-group")
    page.keyboard.press("t")
    expect(page.locator("#topic")).to_be_focused()
    page.select_option("#topic", "testing_cost")
    page.get_by_label("[điện thoại]").uncheck()
    page.get_by_role("button", name=WORDS["propose"]).click()
    expect(page.get_by_role("status")).to_contain_text(WORDS["done"]["proposed"])
    page.get_by_role("link", name=WORDS["see_group"]).click()
    page.wait_for_url(GROUP)
    expect(page.get_by_role("button", name=WORDS["agree"])).to_have_count(0)

    phone = opens("/learn?state=proposed", PHONE, "binh", scheme="dark")
    keeps(phone, "learn-proposed-phone")
    phone.get_by_role("link", name=BUS).click()
    phone.wait_for_url(GROUP)
    keeps(phone, "learn-group-proposed-phone")
    phone.get_by_role("button", name=WORDS["agree"], exact=True).click()
    expect(phone.get_by_role("status")).to_contain_text(WORDS["done"]["agreed"])
    assert office.rows("SELECT decided_by, cardinality(examples) AS examples FROM learn_decisions") == [
        {"decided_by": "binh", "examples": 2}
    ]


def test_a_task_is_made_and_moved_on_a_phone(opens: Visits, office: Office, talks: Talks) -> None:
    talks.asks(ASKED[3][0], ranking=[["testing_where", 0.5]])
    talks.asks(ASKED[4][0], "out_of_scope", ranking=[["out_of_scope", 0.9]])
    talks.are_collected()
    page = opens("/learn", PHONE, "an")
    keeps(page, "learn-phone")
    page.get_by_role("link", name=ASKED[3][0]).click()
    page.wait_for_url(GROUP)
    keeps(page, "learn-group-phone")
    page.fill("#note", "Nói rõ loại nào được bán ở tiệm thuốc.")
    page.get_by_role("button", name=WORDS["kinds"]["answer"]).click()
    expect(page.get_by_role("status")).to_contain_text(WORDS["done"]["answer"])
    page.get_by_role("link", name=WORDS["tab_tasks"]).click()
    page.get_by_role("button", name=WORDS["task_moves"]["doing"]).click()
    expect(page.get_by_text(WORDS["task_states"]["doing"], exact=True)).to_be_visible()
    keeps(page, "learn-tasks-phone")
    assert office.rows("SELECT task FROM learn_decisions") == [{"task": "doing"}]
