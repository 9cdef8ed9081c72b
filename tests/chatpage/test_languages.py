"""The chat page in other languages, in a real browser: words, letters, what a screen reader is told, and clips that play."""

# ruff: noqa: F811  fixtures of the other file
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from bot.languages import speech
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.chatpage.test_browser import DESKTOP, PHONE, Citizen, arrives  # noqa: F401
from tests.languages.clips import MP3, hearing, kept
from tests.simulators.webchat_backend import WebchatBackend

KEY = "utter_prevention_5k"
Arrives = Callable[..., Citizen]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def service(catalogue: Catalogue, tmp_path: Path) -> Iterator[WebchatBackend]:
    with WebchatBackend(hearing(catalogue, tmp_path)) as backend:
        yield backend


def word(catalogue: Catalogue, key: str, language: str) -> str:
    return catalogue.page_words(language).words[key]


def test_the_page_follows_the_talk_without_a_reload(arrives: Arrives, service: WebchatBackend, catalogue: Catalogue) -> None:
    citizen = arrives().opens()
    page = citizen.page
    page.evaluate("window.isSameDocument = true")
    citizen.asks("rửa tay")
    citizen.sees("answer to rửa tay")
    page.select_option("#language", "km")
    chosen = citizen.sees(catalogue.chosen("km").text.split("\n")[0])
    assert service.messages[-1]["payload"] == '/choose_language{"language":"km"}'
    expect(page.locator("html")).to_have_attribute("lang", "km")
    expect(page.locator("h1")).to_have_text(word(catalogue, "title", "km"))
    expect(page.locator("#send")).to_have_attribute("aria-label", word(catalogue, "send", "km"))
    expect(page.locator("#question")).to_have_attribute("placeholder", word(catalogue, "input_placeholder", "km"))
    expect(page.locator("#words-note")).to_contain_text(word(catalogue, "words_draft", "km"))
    expect(page.locator(".message.bot .author").last).to_have_text(word(catalogue, "bot_label", "km"))
    expect(chosen).to_have_attribute("lang", "km")
    assert page.locator(".bubble").evaluate_all("all => all.map(one => one.lang)") == ["vi", "", "vi", "", "km"]
    assert page.title().startswith(word(catalogue, "title", "km"))
    citizen.taps("Tiếng Việt")
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect(page.locator("#language")).to_have_value("vi")
    expect(page.locator("#words-note")).to_have_text("")
    assert page.evaluate("window.isSameDocument")
    assert citizen.complaints == []


def test_the_language_stays_after_a_reload_and_in_a_new_session(
    arrives: Arrives, service: WebchatBackend, catalogue: Catalogue
) -> None:
    citizen = arrives().opens()
    citizen.page.select_option("#language", "rad")
    citizen.sees(catalogue.chosen("rad").text.split("\n")[0])
    citizen.page.reload()
    expect(citizen.page.locator("h1")).to_have_text(word(catalogue, "title", "rad"))
    expect(citizen.page.locator("#language")).to_have_value("rad")
    service.forget_sessions()
    citizen.asks("anak")
    citizen.sees("answer to anak")
    assert service.sessions[-1].wishes == {"language": "rad"}


def test_a_language_without_words_and_a_lost_network_leave_the_page_usable(
    arrives: Arrives, service: WebchatBackend, catalogue: Catalogue
) -> None:
    citizen = arrives().opens("/?lang=mtq")
    expect(citizen.page.locator("html")).to_have_attribute("lang", "vi")
    citizen.page.route("**/words/*.json", lambda route: route.abort())
    citizen.page.select_option("#language", "cmo")
    citizen.sees(catalogue.chosen("cmo").text.split("\n")[0])
    expect(citizen.page.locator("h1")).to_have_text(word(catalogue, "title", "vi"))
    citizen.page.unroute("**/words/*.json")
    citizen.asks("x")
    expect(citizen.page.locator("h1")).to_have_text(word(catalogue, "title", "cmo"))


@pytest.mark.parametrize("tag", ["rad", "km"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_special_letters_are_shown_and_nothing_scrolls_sideways(
    arrives: Arrives, service: WebchatBackend, tag: str, size: dict[str, int], tmp_path: Path
) -> None:
    citizen = arrives(size).opens(f"/?lang={tag}")
    citizen.asks("5K")
    citizen.sees("answer to 5K")
    reply = service.catalogue.answer(KEY, language=tag).as_reply()
    service.says(**{name: reply[name] for name in ("text", "buttons", "source", "language")})
    page = citizen.page
    expect(page.locator(".bubble").last).to_have_attribute("lang", tag)
    page.screenshot(path=tmp_path / f"{tag}-{size['width']}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # A letter that no font has is a box: as wide as one that surely nobody has.
    letters = ["ƀ", "č", "ĕ", "ĭ", "ŏ", "ŭ", "ơ̆", "ư̆", "ê̆"] if tag == "rad" else ["ក", "ខ្មែរ", "ស្ត្រី", "ញ៉ាំ"]
    missing = page.evaluate(
        """letters => { const pen = document.createElement("canvas").getContext("2d");
             pen.font = getComputedStyle(document.querySelector(".bubble:last-child")).font;
             const box = pen.measureText("\\u{10FFFD}").width;
             return letters.filter(letter => !pen.measureText(letter).width
                 || pen.measureText(letter).width === box * Array.from(letter).length); }""",
        letters,
    )
    assert missing == []
    assert citizen.complaints == []


def test_a_clip_is_played_in_the_bubble_and_one_that_cannot_be_is_a_link(
    arrives: Arrives, service: WebchatBackend, catalogue: Catalogue, tmp_path: Path
) -> None:
    tone = np.sin(np.arange(speech.RATE) / 9).astype(np.float32) * 0.3
    for key, content in (("utter_greet", speech.written(tone, ".mp3")), ("utter_goodbye", MP3)):
        kept(tmp_path, "vi", key, catalogue.answer(key).text, content, is_synthetic=True)
    citizen = arrives().opens()
    citizen.asks("chào")
    citizen.sees("answer to chào")
    for key in ("utter_greet", "utter_goodbye"):
        reply = service.catalogue.answer(key).as_reply()
        service.says(**{name: reply[name] for name in ("text", "attachments", "language")})
    clips = citizen.page.locator(".clip")
    alt = catalogue.fragments["audio_clip_synthetic"].format(language_name="tiếng Việt")
    expect(clips).to_have_count(2)
    expect(clips.first).to_have_text(alt)
    expect(clips.first.locator("audio")).to_have_attribute("preload", "none")
    expect(clips.first.locator("audio")).to_have_attribute("aria-label", alt)
    seconds = clips.first.locator("audio").evaluate("async sound => { await sound.play(); return sound.duration; }")
    assert seconds == pytest.approx(1, abs=0.3)
    clips.last.locator("audio").evaluate("sound => sound.play().catch(() => null)")
    expect(clips.last.locator("a")).to_have_attribute("href", service.catalogue.answer("utter_goodbye").attachments[0].url)
    expect(clips.last.locator("audio")).to_have_count(0)


def test_the_widget_begins_in_the_language_of_its_tag(chromium: Browser, service: WebchatBackend, catalogue: Catalogue) -> None:
    page = chromium.new_page()
    page.route(
        "**/portal",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<body><script src="{service.address}/widget.js" data-lang="km" defer></script>'
        ),
    )
    page.goto(f"{service.address}/portal")
    opener = page.get_by_role("button", name=word(catalogue, "title", "km")).or_(page.locator("loa-widget button.open"))
    opener.first.click()
    inside = page.frame_locator("loa-widget iframe")
    expect(inside.locator("h1")).to_have_text(word(catalogue, "title", "km"))
    expect(inside.locator("#language")).to_have_value("km")
    page.close()
