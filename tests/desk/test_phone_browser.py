"""/desk/phone in a real browser, with a citizen's chat beside it, by keyboard alone. With DESK_PICTURES=docs/pictures the pictures of
docs/phone-desk.md are made anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.desk.answers import Answers
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import PHONE, Visits, visits
from tests.desk.house import House
from tests.desk.rasa import ScriptedRasa
from tests.simulators.server import Answer, Request

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
WORDS = interface_words(ROOT, "staff", "phone")
LAPTOP = {"width": 1366, "height": 768}
SMALLEST_TARGET = 24
PICTURES = Path(found) if (found := os.environ.get("DESK_PICTURES")) else None


class Desk:
    def __init__(self, house: House, visit: Visits) -> None:
        self.house, self._visit = house, visit
        self.rasa = ScriptedRasa(CATALOGUE)

    def answer(self, request: Request) -> Answer:
        return Answer(*self.rasa.said(request.path, request.json)) if request.method == "POST" else Answer(200, {})

    def opens(self, path: str, viewport: dict[str, int], name: str = "", **options: Any) -> Page:
        return self._visit(path, viewport, name, "operator", **options)


@pytest.fixture(scope="module")
def desk(house: House, chromium: Browser) -> Iterator[Desk]:
    house.empties()
    with visits(chromium, house.address, house.office, expected=("409 (Conflict)",)) as visit:
        made = Desk(house, visit)
        usual, house.rasa.answer = house.rasa.answer, made.answer  # type: ignore[method-assign]
        yield made
        house.rasa.answer = usual  # type: ignore[method-assign]


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=PICTURES / f"{name}.png")


def tabs_to(page: Page, selector: str) -> None:
    """By the Tab key, as somebody without a mouse."""
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_call_from_the_question_to_the_callers_chat_by_keyboard_alone(desk: Desk) -> None:
    page = desk.opens("/desk/phone", LAPTOP, "an")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("xét nghiệm ở đâu")
    expect(page.locator("[data-choice]").first).to_have_text(CATALOGUE.title("testing_where"))
    expect(page.locator(".aloud")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".aloud")).to_contain_text(CATALOGUE.answer("utter_testing_where").text[:60])
    expect(page.locator("#state")).to_have_text(WORDS["phone_found"])

    citizen = desk.opens("/", PHONE)
    citizen.fill("#question", "mã")
    citizen.press("#question", "Enter")
    bubble = citizen.locator(".message.bot .bubble").last
    expect(bubble).to_contain_text(re.compile(r"\d \d \d \d"))
    picture(citizen, "phone-code-in-chat")
    found = re.search(r"\d \d \d \d", bubble.inner_text())
    assert found

    tabs_to(page, "#code")
    page.keyboard.type(found[0])
    page.keyboard.press("Enter")
    expect(page.locator("#call")).to_have_attribute("data-state", "linked")
    expect(citizen.locator("#log")).to_contain_text(CATALOGUE.answer("utter_call_linked").text[:40])
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sent")).to_contain_text(CATALOGUE.title("testing_where"))
    expect(citizen.locator(".message.operator")).to_contain_text(CATALOGUE.answer("utter_testing_where").text[:60])
    picture(page, "phone-desk")

    citizen.get_by_role("button", name=CATALOGUE.fragments["call_button_unlink"], exact=True).last.click()
    expect(citizen.locator("#log")).to_contain_text(CATALOGUE.answer("utter_call_unlinked").text[:12])
    expect(page.locator("#call")).to_have_attribute("data-state", "none")

    tabs_to(page, "#end .primary")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text(WORDS["phone_done"]["ended"])
    expect(page.locator("#question")).to_have_value("")
    expect(page.locator("#question")).to_be_focused()
    counted = desk.house.office.rows("SELECT topic, solved, count FROM phone_calls")
    assert [tuple(row.values()) for row in counted] == [("testing_where", True, 1)]


def test_on_a_phone_in_danger_115_is_on_top_and_a_spoken_code_links(desk: Desk) -> None:
    page = desk.opens("/desk/phone", PHONE, "binh", scheme="dark")
    page.select_option("#language", "rad")
    page.fill("#question", "bố tôi khó thở, tím môi")
    expect(page.locator(".danger > h2")).to_have_text(WORDS["phone_danger_title"])
    page.press("#question", "Enter")
    preview = Answers(CATALOGUE).preview("utter_testing_where", "rad")
    assert preview is not None
    expect(page.locator('.spoken[lang="rad"] .aloud')).to_contain_text(preview.own_words[:30])
    picture(page, "phone-desk-danger")

    page.get_by_role("button", name=WORDS["call_get"]).tap()
    code = page.locator(".code")
    expect(code).to_contain_text(re.compile(r"\d \d \d \d"))
    said = re.search(r"\d \d \d \d", code.inner_text())
    assert said
    citizen = desk.opens("/", PHONE)
    citizen.fill("#question", f"mã {said[0]}")
    citizen.press("#question", "Enter")
    expect(citizen.locator("#log")).to_contain_text(CATALOGUE.answer("utter_call_linked").text[:40])
    expect(page.locator("#call")).to_have_attribute("data-state", "linked")
    assert page.locator("#question").input_value() == "bố tôi khó thở, tím môi"
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    small = page.locator("button:visible, select:visible, input:visible, a:visible").evaluate_all(
        f"all => all.filter(e => e.getBoundingClientRect().height < {SMALLEST_TARGET} && !e.matches('.skip')).map(e => e.outerHTML)"
    )
    assert small == []


def test_without_scripts_the_page_still_answers(desk: Desk) -> None:
    page = desk.opens("/desk/phone", LAPTOP, "chi", java_script_enabled=False)
    page.fill("#question", "giá xét nghiệm")
    page.press("#question", "Enter")
    page.get_by_role("button", name=CATALOGUE.title("testing_cost"), exact=True).first.click()
    expect(page.locator(".aloud")).to_contain_text(CATALOGUE.answer("utter_testing_cost").text[:60])
    expect(page.locator("#question")).to_have_value("giá xét nghiệm")
    page.get_by_role("button", name=WORDS["call_get"]).click()
    expect(page.locator(".code")).to_be_visible()
    expect(page.locator(".aloud")).to_contain_text(CATALOGUE.answer("utter_testing_cost").text[:60])
