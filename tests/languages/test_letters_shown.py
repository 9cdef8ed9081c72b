"""The special letters of the highlands and Khmer, as a browser and the drawn pictures show them.

KEEP_PICTURES=docs/pictures keeps what the browser showed.
"""

from __future__ import annotations

import io
import os
import threading
import time
import unicodedata
import warnings
from datetime import date
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from bot.campaigns.sheet import missing_letters
from bot.directory.languages import Languages
from bot.figures import chart
from bot.figures.weeks import Bar
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE
from tests.office import Office, application
from tests.simulators.webchat_backend import WebchatBackend

LETTERS = "ƀ č ĕ ĭ ŏ ŭ ơ̆ ư̆"
KHMER = "ភាសាខ្មែរ ស្រី គ្រុនក្តៅ"
# Which of these letters are drawn as nothing, or as the box that stands for a letter which no font has.
MISSING = """letters => {
  const style = getComputedStyle(document.body);
  const drawn = text => {
    const canvas = new OffscreenCanvas(80, 80), pen = canvas.getContext("2d");
    pen.font = `40px ${style.fontFamily}`;
    pen.fillText(text, 20, 50);
    return pen.getImageData(0, 0, 80, 80).data.join();
  };
  const none = new Set(["", "\\u0378", "\\uFFFF"].map(drawn));
  return letters.filter(letter => none.has(drawn(letter)));
}"""
WIDTHS = """texts => {
  const pen = new OffscreenCanvas(10, 10).getContext("2d");
  pen.font = `40px ${getComputedStyle(document.body).fontFamily}`;
  return texts.map(text => pen.measureText(text).width);
}"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


def latin_letters() -> list[str]:
    languages = Languages.load(ROOT).all()
    return sorted({letter for one in languages if one.tokens == "words" for letter in one.letters if letter != "ꞌ"})


def show(page: Page, name: str) -> None:
    if folder := os.environ.get("KEEP_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def assert_every_letter_has_a_shape(page: Page) -> None:
    wanted = [*latin_letters(), *(letter.upper() for letter in latin_letters())]
    assert page.evaluate(MISSING, wanted) == []
    apart, together = page.evaluate(WIDTHS, ["oơuư", unicodedata.normalize("NFC", "oơ̆uư̆")])
    assert together == pytest.approx(apart, abs=1), "a breve stands over its letter, not beside it"


def assert_khmer_is_joined(page: Page) -> None:
    if page.evaluate(MISSING, ["ខ", "្ម", "ែ"]):
        pytest.skip("there is no Khmer font on this machine")
    apart, together = page.evaluate(WIDTHS, ["ខម", "ខ្ម"])
    assert together < apart * 0.8, "the second consonant stands below the first"


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_web_chat_shows_them(chromium: Browser, catalogue: Catalogue, viewport: dict[str, int]) -> None:
    with WebchatBackend(catalogue) as service:
        page = chromium.new_page(viewport=viewport, locale="vi-VN")
        page.goto(service.address)
        page.fill("#question", "tlŏ mgang vaccine ti pă")
        page.press("#question", "Enter")
        expect(page.locator(".bubble", has_text="answer to").last).to_be_visible()
        for language in ("jra", "km"):
            answer = catalogue.answer("utter_greet", language=language)
            service.says(answer.text, buttons=[button.as_dict() for button in answer.buttons], language=language)
        service.says(f"{unicodedata.normalize('NFD', LETTERS)}\n{LETTERS.upper()}\n{KHMER}", language="rad")
        bubble = page.locator(".bubble", has_text="គ្រុនក្តៅ").last
        expect(bubble).to_be_visible()
        bubble.scroll_into_view_if_needed()
        assert_every_letter_has_a_shape(page)
        box = bubble.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= viewport["width"]
        show(page, f"letters-chat-{'phone' if viewport == PHONE else 'desktop'}")
        assert_khmer_is_joined(page)
        page.close()


def test_staff_pages_show_them(chromium: Browser, database_url: str) -> None:
    office = Office(database_url)
    name = f"{LETTERS} {KHMER}"
    token = office.hires("lan", "admin")
    office.rows("INSERT INTO audit_log (actor, action) VALUES (%s, 'operator.added')", name)
    server = uvicorn.Server(uvicorn.Config(application(office.url), port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    context = chromium.new_context(viewport=DESKTOP, locale="vi-VN")
    cookie = {"name": "__Host-loa-staff", "value": token, "domain": "127.0.0.1", "path": "/", "secure": True}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{address}/staff/audit")
    expect(page.get_by_text(name).last).to_be_visible()
    assert_every_letter_has_a_shape(page)
    show(page, "letters-staff")
    assert_khmer_is_joined(page)
    context.close()
    server.should_exit = True
    thread.join(10)


def test_the_font_of_the_pictures_has_every_latin_letter_and_charts_draw_them() -> None:
    assert missing_letters(*latin_letters(), *(letter.upper() for letter in latin_letters())) == ""
    assert missing_letters("ខ"), "charts and posters are drawn in Vietnamese: their font has no Khmer"
    words = chart.Words(LETTERS, "ơ̆", (LETTERS.upper(),), "chữ")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        drawn = chart.png([Bar(date(2026, 11, 15), 3, is_backlog=False)], words)
    assert io.BytesIO(drawn).read(4) == b"\x89PNG"
    if folder := os.environ.get("KEEP_PICTURES"):
        (Path(folder) / "letters-chart.png").write_bytes(drawn)
