"""The chat page as it leaves the server: its weight, its policy, its words, and what a browser may keep of it."""

from __future__ import annotations

import dataclasses
import gzip
import html
import json
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.chatpage.pages import HERE, SCRIPT_WORDS, STATIC, WELCOME, WIDGET_WORDS, Block, Pages, blocks
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue
from bot.messages import MAX_STORED_CHARACTERS
from bot.settings import ROOT

WEIGHT_LIMIT_BYTES = 20 * 1024
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.IGNORECASE)
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
WRITES_MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture(scope="module")
def browser(catalogue: Catalogue) -> TestClient:
    return visit(catalogue)


def visit(catalogue: Catalogue) -> TestClient:
    return TestClient(Starlette(routes=Pages(catalogue).routes()))


def settings_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="settings">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_page_style_and_script_together_are_light(browser: TestClient) -> None:
    page = browser.get("/")
    weights = [len(gzip.compress(page.content))]
    for address in re.findall(r'(?:href|src)="(static/[^"]+)"', page.text):
        response = browser.get(f"/{address}")
        assert response.headers["content-encoding"] == "gzip"
        weights.append(int(response.headers["content-length"]))
    assert len(weights) == 3
    assert sum(weights) <= WEIGHT_LIMIT_BYTES, weights


def test_the_policy_lets_nothing_from_outside_in_and_portals_embed_the_page(browser: TestClient) -> None:
    headers = browser.get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "*",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "x-frame-options" not in headers


def test_the_page_has_no_inline_code_or_style_that_the_policy_would_block(browser: TestClient) -> None:
    page = browser.get("/").text
    assert re.findall(r"\son[a-z]+=|\sstyle=|<style", page) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page) == []


def outside_addresses(text: str) -> list[str]:
    return ADDRESS.findall(text.replace(SVG_NAMESPACE, ""))


def test_nothing_is_loaded_from_outside(browser: TestClient) -> None:
    files = {path.name: path.read_text("utf-8") for path in [*STATIC.iterdir(), *(HERE / "templates").iterdir()]}
    assert {name: outside_addresses(text) for name, text in files.items()} == {name: [] for name in files}
    assert outside_addresses(browser.get("/").text) == []


@pytest.mark.parametrize("bad", ["url(https://fonts.example.org/a)", '<img src="//cdn.example.org/x.png">'])
def test_the_guard_against_outside_addresses_can_fail(bad: str) -> None:
    assert outside_addresses(bad)


def test_scripts_never_write_markup() -> None:
    for path in (STATIC / "chat.js", HERE / "templates/widget.js"):
        assert WRITES_MARKUP.findall(path.read_text("utf-8")) == [], path.name
    assert WRITES_MARKUP.search("node.innerHTML = text")


def test_the_welcome_stands_in_the_page_before_any_script(browser: TestClient, catalogue: Catalogue) -> None:
    page, welcome = browser.get("/").text, catalogue.answer(WELCOME)
    for block in blocks(welcome.text):
        for line in block.lines:
            assert html.escape(line, quote=False) in html.unescape(page), line
    for button in welcome.buttons:
        assert f'data-payload="{button.payload}">{html.escape(button.title)}<' in page
    assert welcome.buttons
    assert "115" in welcome.text


def test_emergency_number_and_province_stand_in_the_header(browser: TestClient) -> None:
    header = re.search(r"<header>.*</header>", browser.get("/").text, re.DOTALL)
    assert header
    assert 'href="tel:115"' in header[0]
    assert PROVINCE_NAMES["dak-lak"] in header[0]


def test_the_script_finds_every_word_it_says(catalogue: Catalogue) -> None:
    used = set(re.findall(r"\bui\.([a-z_]+)", (STATIC / "chat.js").read_text("utf-8")))
    assert used == set(SCRIPT_WORDS)
    assert used - set(catalogue.ui) == set()


def test_page_and_widget_find_every_word_they_say(catalogue: Catalogue) -> None:
    words = re.compile(r"\bwords\.([a-z_]+)")
    on_page = set(words.findall((HERE / "templates/chat.html").read_text("utf-8")))
    in_widget = set(words.findall((HERE / "templates/widget.js").read_text("utf-8")))
    assert in_widget == set(WIDGET_WORDS)
    assert (on_page | in_widget) - set(catalogue.ui) == set()


def test_the_script_is_handed_its_words_and_the_limit(browser: TestClient, catalogue: Catalogue) -> None:
    settings = settings_of(browser.get("/").text)
    assert settings["maxCharacters"] == MAX_STORED_CHARACTERS
    assert settings["ui"] == {key: catalogue.ui[key] for key in SCRIPT_WORDS}


def test_a_missing_locale_file_leaves_the_page_usable(catalogue: Catalogue) -> None:
    bare = visit(dataclasses.replace(catalogue, ui={}))
    assert bare.get("/").status_code == 200
    assert bare.get("/widget.js").status_code == 200


def test_words_from_the_catalogue_cannot_break_out_of_the_page(catalogue: Catalogue) -> None:
    hostile = "</script><script>alert(1)</script>"
    entry = dataclasses.replace(catalogue.entries[WELCOME], text=hostile)
    poisoned = dataclasses.replace(
        catalogue, ui={**catalogue.ui, "typing": hostile, "title": hostile}, entries={**catalogue.entries, WELCOME: entry}
    )
    page = visit(poisoned).get("/").text
    assert hostile not in page
    assert settings_of(page)["ui"]["typing"] == hostile  # type: ignore[index]
    assert hostile not in visit(poisoned).get("/widget.js").text


def test_static_files_are_kept_for_a_year_under_the_address_the_page_names(browser: TestClient) -> None:
    address = re.findall(r'src="(static/chat\.js\?v=[0-9a-f]+)"', browser.get("/").text)[0]
    assert "immutable" in browser.get(f"/{address}").headers["cache-control"]
    assert browser.get("/static/chat.js?v=0").headers["cache-control"] == "no-cache"
    assert browser.get("/static/chat.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("address", ["/", "/widget.js", "/static/chat.css"])
def test_what_a_browser_has_already_is_not_sent_again(browser: TestClient, address: str) -> None:
    first = browser.get(address)
    again = browser.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"]


def test_whoever_takes_no_gzip_gets_the_plain_page(browser: TestClient) -> None:
    plain = browser.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == browser.get("/").text


def test_any_portal_may_load_the_widget(browser: TestClient) -> None:
    headers = browser.get("/widget.js").headers
    assert headers["content-type"].startswith("text/javascript")
    assert headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("language", ["vi", "ede", "hmn-Latn", "", "../../etc/passwd", "x" * 5000, "<b>"])
def test_any_wish_for_a_language_gets_the_page(browser: TestClient, language: str) -> None:
    page = browser.get("/", params={"lang": language, "c": "<script>", "fbclid": "1"})
    assert page.status_code == 200
    assert "<b>" not in page.text


def test_inside_the_widget_the_header_makes_room_for_the_close_button(browser: TestClient) -> None:
    assert 'class="embedded"' in browser.get("/?embed=1").text
    assert 'class="embedded"' not in browser.get("/").text


def test_lines_become_paragraphs_and_lists() -> None:
    assert blocks("Một\n\n- hai\n-  ba\nbốn\nnăm\n") == [
        Block(("Một",)),
        Block(("hai", "ba"), is_list=True),
        Block(("bốn",)),
        Block(("năm",)),
    ]
