"""The translators' page in a real browser, against the real gateway: a phone, letters to tap, a lost page, a microphone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.translate import invites
from bot.translate.invites import Role
from tests.browsing import DESKTOP, PHONE, is_wider_than_the_screen, visits
from tests.gateway import GatewayProcess
from tests.office import Office
from tests.translate.conftest import KEY, WORDS

Opens = Callable[..., Page]


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, LOA_WORKER="alone") as process:
        yield process


@pytest.fixture
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Opens]:
    """Somebody with a link of their own."""

    def open_page(
        name: str, path: str = "", role: Role = "translator", tag: str = "rad", viewport: dict[str, int] = PHONE, **options: Any
    ) -> Page:
        token = office.does(lambda connection: invites.make(connection, tag, name, role, 30, "test"))
        return found(f"/translate/{token}{path}", viewport, **options)

    with visits(chromium, gateway.address) as found:
        yield open_page


def test_letters_warnings_and_a_lost_page_on_a_phone(opens: Opens) -> None:
    page = opens("H' An")
    assert not is_wider_than_the_screen(page)
    page.fill("#q", KEY)
    page.get_by_role("button", name=WORDS["search_button"]).tap()
    page.wait_for_url(f"**q={KEY}*")
    page.locator(f'a[href*="/text/{KEY}?"]').tap()
    page.wait_for_url(f"**/text/{KEY}*")
    text = page.locator("#text")
    text.fill("uôn 114")
    text.evaluate("field => field.setSelectionRange(0, 0)")
    page.locator("#capitals").tap()
    page.locator("#letters").get_by_role("button", name="Ƀ", exact=True).tap()
    page.locator("#letters").get_by_role("button", name="ơ̆", exact=True).tap()
    expect(text).to_have_value("Ƀơ̆uôn 114")
    expect(text).to_be_focused()
    expect(page.locator("#looked")).to_contain_text(WORDS["problems"]["number_missing"].format(number="115"))
    expect(page.locator(".bubble").first).to_have_text("Ƀơ̆uôn 114")
    assert not is_wider_than_the_screen(page)

    page.reload()
    expect(text).to_have_value("Ƀơ̆uôn 114")
    expect(page.locator("#restored")).to_be_visible()
    text.fill("Ƀuôn 115")
    page.get_by_role("button", name=WORDS["mark_done"]).tap()
    expect(page.get_by_role("status").first).to_have_text(WORDS["done_words"]["done"])
    page.wait_for_load_state()
    assert page.evaluate("localStorage.length") == 0, "the server has it"


def test_a_recording_of_the_browsers_microphone_is_heard_and_approved_by_a_second_person(opens: Opens, office: Office) -> None:
    page = opens("H' An", f"/text/{KEY}", viewport=DESKTOP)
    page.fill("#text", "Hơ̆k mơak, 115.")
    page.get_by_role("button", name=WORDS["audio_record"]).click()
    expect(page.locator("#clock")).to_contain_text(re.compile(r"0:(0[1-9]|[1-5]\d)"))
    page.get_by_role("button", name=WORDS["audio_stop"]).click()
    expect(page.locator("#fresh")).to_be_visible()
    page.get_by_role("button", name=WORDS["audio_use"]).click()
    expect(page.get_by_role("status").first).to_have_text(WORDS["done_words"]["audio"])
    page.get_by_role("button", name=WORDS["mark_done"]).click()
    expect(page.get_by_role("status").first).to_have_text(WORDS["done_words"]["done"])
    assert office.rows("SELECT kind, substr(content, 1, 4) AS head FROM translation_audio") == [{"kind": "ogg", "head": b"OggS"}]

    second = opens("Y Bih", f"/text/{KEY}", "reviewer")
    player = second.locator("#present")
    player.evaluate(
        "player => new Promise(heard => { player.ontimeupdate = () => player.currentTime > 0.2 && heard(); player.play(); })"
    )
    assert player.evaluate("player => player.duration") > 0.5
    second.get_by_role("button", name=WORDS["approve"], exact=True).tap()
    expect(second.get_by_role("status").first).to_have_text(WORDS["done_words"]["approve"])
    assert not is_wider_than_the_screen(second)
