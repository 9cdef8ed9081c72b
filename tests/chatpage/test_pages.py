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

from bot.chatpage.pages import HERE, PAGE_WORDS, SCRIPT_WORDS, STATIC, WELCOME, WIDGET_WORDS, Block, Pages, blocks
from bot.languages.catalogue import PROVINCE_NAMES, Catalogue
from bot.languages.po import Translation
from bot.languages.spoken import Spoken
from bot.languages.translation import reviewed, sources
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
        "media-src": "'self'",
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
    script, page = ((HERE / name).read_text("utf-8") for name in ("static/chat.js", "templates/chat.html"))
    used = {*re.findall(r"\bui\.([a-z_]+)", script), *re.findall(r"worded\(\"\w+\", \"[a-z-]+\", \"([a-z_]+)\"\)", script)}
    used |= set(re.findall(r"\"([a-z]+_label)\"", script)) - {"aria_label"}
    worn = set(re.findall(r"data-(?:word|label)=\"([a-z_]+)\"", page))
    assert used | worn == {*SCRIPT_WORDS, *PAGE_WORDS}
    assert (used | worn) - set(catalogue.ui) == set()


def test_every_word_of_the_page_can_change_its_language() -> None:
    """What stands in the page and is not worn stays Vietnamese: only what nobody sees once the script runs."""
    page = (HERE / "templates/chat.html").read_text("utf-8")
    said = set(re.findall(r"words\.([a-z_]+)", page))
    worn = set(re.findall(r"data-(?:word|label)=\"([a-z_]+)\"", page))
    assert said - worn == {"no_script"}


def test_page_and_widget_find_every_word_they_say(catalogue: Catalogue) -> None:
    words = re.compile(r"\bwords\.([a-z_]+)")
    on_page = set(words.findall((HERE / "templates/chat.html").read_text("utf-8")))
    in_widget = set(words.findall((HERE / "templates/widget.js").read_text("utf-8")))
    assert in_widget == set(WIDGET_WORDS)
    assert (on_page | in_widget) - set(catalogue.ui) == set()


def test_the_script_is_handed_its_words_and_the_limit(browser: TestClient, catalogue: Catalogue) -> None:
    settings = settings_of(browser.get("/").text)
    assert settings["maxCharacters"] == MAX_STORED_CHARACTERS
    assert settings["ui"] == {key: catalogue.ui[key] for key in (*SCRIPT_WORDS, *PAGE_WORDS)}
    assert (settings["language"], settings["asked"], settings["draft"]) == ("vi", "vi", "")


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


def test_the_colours_that_a_style_sheet_imports_are_sent_in_it(browser: TestClient) -> None:
    sheet = browser.get("/static/chat.css").text
    assert "--paper: #0d1618;" in sheet
    assert "@import" not in sheet


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


# ---- the page in another language


def speaking(catalogue: Catalogue, *translations: Translation, drafts: str = "bilingual") -> Catalogue:
    none = {language.tag: Spoken({}) for language in catalogue.languages.all()}
    return dataclasses.replace(catalogue, spoken={**none, "rad": Spoken({t.context: t for t in translations})}, drafts=drafts)  # type: ignore[arg-type]


def draft(catalogue: Catalogue, key: str, text: str) -> Translation:
    return Translation(f"ui/{key}", catalogue.ui[key]).translated(text, by="A", date="2026-11-23")


def test_words_come_in_the_language_as_far_as_they_go_and_say_that_they_are_drafts(catalogue: Catalogue) -> None:
    words = draft(catalogue, "send", "Mơit"), draft(catalogue, "words_draft", "Ka ksiêm")
    page = visit(speaking(catalogue, *words)).get("/?lang=rad").text
    settings = settings_of(page)
    assert (settings["language"], settings["asked"]) == ("rad", "rad")
    assert settings["draft"] == f"Ka ksiêm {catalogue.ui['words_draft']}"
    assert settings["ui"]["send"] == "Mơit"  # type: ignore[index]
    assert settings["ui"]["typing"] == catalogue.ui["typing"]  # type: ignore[index]
    assert '<html lang="rad">' in page
    assert 'aria-label="Mơit"' in page


def test_approved_words_need_no_note_and_hidden_drafts_are_not_shown(catalogue: Catalogue) -> None:
    sent = draft(catalogue, "send", "Mơit")
    approved = visit(speaking(catalogue, reviewed(sent, "approved", by="B", on="2026-11-23")))
    assert (approved.get("/words/rad.json").json()["ui"]["send"], approved.get("/words/rad.json").json()["draft"]) == ("Mơit", "")
    hidden = visit(speaking(catalogue, sent, drafts="hide")).get("/words/rad.json").json()
    assert (hidden["language"], hidden["ui"]["send"]) == ("vi", catalogue.ui["send"])


@pytest.mark.parametrize("tag", ["vi", "mtq", "xx", "..", "<b>"])
def test_a_language_without_words_is_vietnamese(catalogue: Catalogue, tag: str) -> None:
    response = visit(speaking(catalogue, draft(catalogue, "send", "Mơit"))).get(f"/words/{tag}.json")
    if response.status_code == 200:
        assert (response.json()["language"], response.json()["draft"]) == ("vi", "")
    else:
        assert response.status_code == 404


def test_words_of_the_page_alone_are_no_answers(catalogue: Catalogue) -> None:
    assert not speaking(catalogue, draft(catalogue, "send", "Mơit")).has_texts("rad")


def test_a_word_of_other_vietnamese_is_not_worn(catalogue: Catalogue) -> None:
    old = Translation("ui/send", "Gửi đi").translated("Mơit", by="A", date="2026-11-23")
    assert visit(speaking(catalogue, old)).get("/words/rad.json").json()["language"] == "vi"


def test_the_page_offers_the_languages_of_the_province(catalogue: Catalogue) -> None:
    offered = re.findall(r'<option value="([^"]+)" lang="([^"]+)">([^<]+)<', visit(catalogue).get("/").text)
    assert [(tag, html.unescape(name)) for tag, _, name in offered] == [
        (language.tag, language.own_name) for language in catalogue.languages.of_province("dak-lak")
    ]
    assert all(tag == lang for tag, lang, _ in offered)


def test_the_widget_speaks_the_language_of_its_tag(catalogue: Catalogue) -> None:
    widget = visit(speaking(catalogue, draft(catalogue, "open_chat", "Pŏk"))).get("/widget.js").text
    assert "Pŏk" in widget
    assert catalogue.ui["open_chat"] in widget


def test_no_language_is_read_before_somebody_asks_for_it(catalogue: Catalogue) -> None:
    read = []

    class Noted(dict[str, Spoken]):
        def __getitem__(self, tag: str) -> Spoken:
            read.append(tag)
            return Spoken({})

    visitor = visit(dataclasses.replace(catalogue, spoken=Noted()))  # type: ignore[arg-type]
    visitor.get("/")
    assert read == []
    visitor.get("/words/km.json")
    assert set(read) == {"km"}
    visitor.get("/widget.js")
    assert set(read) == {language.tag for language in catalogue.languages.translated()}


def test_words_to_translate_have_a_context_of_their_own(catalogue: Catalogue) -> None:
    found = {source.context: source for source in sources(catalogue) if source.context.startswith("ui/")}
    assert {context.removeprefix("ui/") for context in found} == set(catalogue.ui)
    assert found["ui/send"].topic == "webchat"
