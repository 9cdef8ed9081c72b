"""/campaigns over HTTP: staff make, change, approve and end; the public short link sends everybody on their way."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.applications import Starlette

from bot.campaigns.described import Describer
from bot.campaigns.links import Reaching
from bot.campaigns.pages import CampaignPages
from bot.campaigns.short_link import ShortLinks
from bot.database import open_pool
from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT, Settings
from tests.office import Browser, Office, Server, application
from tests.simulators.server import Answer, Request, Simulator

WORDS = interface_words(ROOT, "campaigns")
SETTINGS = {
    "LOA_PUBLIC_URL": "https://loa.example.vn",
    "TELEGRAM_TOKEN": "123:abc",
    "TELEGRAM_WEBHOOK_SECRET": "a-secret-of-16-letters",
    "ZALO_APP_ID": "1",
    "ZALO_APP_SECRET": "s",
    "ZALO_OA_ID": "4318657068771012646",
    "ZALO_OA_SECRET": "s",
    "MESSENGER_PAGES": "1111:token,2222:token",
    "MESSENGER_APP_SECRET": "s",
    "MESSENGER_VERIFY_TOKEN": "v",
}
CATALOGUE = Catalogue.load(ROOT, "dak-lak")
DESCRIBER = Describer(ROOT, CATALOGUE)
ANDROID = "Mozilla/5.0 (Linux; Android 12; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Mobile Safari/537.36"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Safari/537.36"
FACEBOOK = f"{ANDROID} [FB_IAB/FB4A;FBAV/440.0.0.0;]"
FORM = {"code": "tet2026", "name": "Xét nghiệm dịp Tết", "topic": "testing_where", "language": "vi", "place": "", "spot": "other"}


class TelegramName(Simulator):
    """Answers getMe alone."""

    def answer(self, request: Request) -> Answer:
        return Answer(200, {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Loa", "username": "loa_dak_lak_bot"}})


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramName]:
    simulator = TelegramName()
    yield simulator
    simulator.close()


@pytest.fixture
def server(office: Office, telegram: TelegramName) -> Iterator[Server]:
    reaching = Reaching(Settings.from_environment({**SETTINGS, "TELEGRAM_API_URL": telegram.url}))
    running = Server(
        application(
            office.url,
            lambda staff, pool: [
                *CampaignPages(ROOT, pool, staff.door, DESCRIBER, reaching).routes(),
                *ShortLinks(pool, DESCRIBER, reaching).routes(),
            ],
        )
    )
    with running.client:
        yield running


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an")


@pytest.fixture
def binh(server: Server, office: Office) -> Browser:
    return server.staff(office, "binh")


@pytest.fixture
def citizen(server: Server) -> Browser:
    return server.visitor()


def makes(browser: Browser, **fields: str) -> Any:
    return browser.sends("/campaigns", "/campaigns/new", **{**FORM, **fields})


def opens(browser: Browser, code: str = "tet2026", agent: str = ANDROID, method: str = "GET", **headers: str) -> Any:
    return browser.http.request(method, f"/c/{code}", headers={"User-Agent": agent, **headers})


def links_of(page: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'readonly value="([^"]+)"', page)]


# ---- staff


def test_a_campaign_is_made_and_gives_its_links(an: Browser, office: Office) -> None:
    made = makes(an, code=" TET2026 ")
    assert made.headers["location"] == "/campaigns/tet2026?done=made"
    page = an.opens("/campaigns/tet2026?done=made").text
    assert WORDS["done"]["made"] in page
    assert DESCRIBER.language("vi") in page
    assert links_of(page) == [
        "https://loa.example.vn/c/tet2026",
        "https://zalo.me/4318657068771012646?text=%23tet2026",
        "https://m.me/1111?ref=tet2026",
        "https://m.me/2222?ref=tet2026",
        "https://t.me/loa_dak_lak_bot?start=tet2026",
        "https://loa.example.vn/?c=tet2026",
    ]
    assert "Xét nghiệm dịp Tết" in an.opens("/campaigns").text
    assert office.log("campaign_added") == [("an", "campaign_added")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"code": "khong-so"}, "code_shape"),
        ({"code": "tết2026"}, "code_shape"),
        ({"code": "a1" * 13}, "code_shape"),
        ({"name": "   "}, "name_shape"),
        ({"name": "x" * 81}, "name_shape"),
        ({"topic": "no_such"}, "topic_unknown"),
        ({"topic": "greet"}, "topic_unknown"),
        ({"topic": ""}, "nothing_to_say"),
        ({"language": "xx"}, "language_unknown"),
        ({"place": "../etc"}, "place_unknown"),
        ({"spot": "moon"}, "spot_unknown"),
        ({"starts_on": "mai"}, "day_shape"),
        ({"starts_on": "2026-12-01", "ends_on": "2026-11-01"}, "ends_before"),
        ({"ends_on": "2099-11-01"}, "ends_late"),
        ({"welcome": "x" * 901}, "welcome_long"),
        ({"summary": "x" * 10_000}, "summary_long"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    an: Browser, office: Office, fields: dict[str, str], reason: str
) -> None:
    answer = makes(an, **fields)
    assert answer.status_code == 422
    assert WORDS["refused"][reason] in answer.text.replace("&#34;", '"')
    assert f'value="{fields.get("name", FORM["name"])}"' in answer.text
    assert office.rows("SELECT 1 FROM campaigns") == []


def test_a_code_that_sounds_like_another_is_refused_also_after_its_end(an: Browser, office: Office) -> None:
    makes(an)
    an.sends("/campaigns/tet2026/end", "/campaigns/tet2026")
    assert WORDS["refused"]["code_taken"] in makes(an, code="tet-2026").text
    assert len(office.rows("SELECT 1 FROM campaigns")) == 1


def test_own_words_are_escaped_and_used_when_a_second_person_has_approved_them(
    an: Browser, binh: Browser, citizen: Browser
) -> None:
    makes(an, summary="<script>alert(1)</script> Hỏi & đáp", welcome="Chào bạn")
    page = an.opens("/campaigns/tet2026").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert WORDS["words_own"] in page
    (text,) = re.findall(r'name="text" value="(\d+)"', binh.opens("/campaigns/tet2026").text)
    refused = an.sends("/campaigns/tet2026/words", "/campaigns/tet2026", text=text, decision="approve")
    assert (refused.status_code, WORDS["refused"]["own_words"] in refused.text) == (409, True)
    assert "alert(1)" not in opens(citizen, agent=DESKTOP).text
    for decision, status in (("approve", 303), ("reject", 409)):
        answer = binh.sends("/campaigns/tet2026/words", "/campaigns/tet2026", text=text, decision=decision)
        assert answer.status_code == status
    public = opens(citizen, agent=DESKTOP).text
    assert '<meta property="og:description" content="&lt;script&gt;alert(1)&lt;/script&gt; Hỏi &amp; đáp">' in public
    assert "<script>" not in public


def test_changed_words_wait_again_while_the_approved_ones_hold(
    an: Browser, binh: Browser, office: Office, citizen: Browser
) -> None:
    makes(an, summary="Bản một")
    (text,) = re.findall(r'name="text" value="(\d+)"', binh.opens("/campaigns/tet2026").text)
    binh.sends("/campaigns/tet2026/words", "/campaigns/tet2026", text=text, decision="approve")
    changed = {**FORM, "name": "Tên mới", "summary": "Bản hai"}
    assert an.sends("/campaigns/tet2026/edit", "/campaigns/tet2026/edit", **changed).status_code == 303
    public = opens(citizen, agent=DESKTOP).text
    assert ("Tên mới" in public, "Bản một" in public, "Bản hai" in public) == (True, True, False)
    an.sends("/campaigns/tet2026/edit", "/campaigns/tet2026/edit", **{**changed, "summary": ""})
    assert "Bản một" not in opens(citizen, agent=DESKTOP).text, "taking own words away needs nobody else"
    assert len(office.rows("SELECT 1 FROM campaign_texts")) == 3


def test_an_ended_campaign_stays_as_it_was(an: Browser, office: Office) -> None:
    makes(an)
    assert an.sends("/campaigns/tet2026/end", "/campaigns/tet2026").status_code == 303
    csrf = an.csrf("/campaigns/new")
    assert an.http.post("/campaigns/tet2026/end", data={"csrf": csrf}).status_code == 409
    assert an.http.post("/campaigns/tet2026/edit", data={"csrf": csrf, **FORM, "name": "Khác"}).status_code == 422
    assert office.rows("SELECT name FROM campaigns") == [{"name": FORM["name"]}]
    assert office.log("campaign_ended", "campaign_changed") == [("an", "campaign_ended")]


@pytest.mark.parametrize(
    "path", ["/campaigns/no-1", "/campaigns/x%00y/edit", "/campaigns/no-1/poster.pdf", "/campaigns/no-1/export.csv"]
)
def test_an_unknown_code_is_a_page_that_says_so(an: Browser, path: str) -> None:
    answer = an.opens(path)
    assert (answer.status_code, WORDS["refused"]["unknown"] in answer.text) == (404, True)


def test_qr_codes_and_posters_are_files(an: Browser) -> None:
    makes(an)
    for name, start in (
        ("qr.svg", b"<?xml"),
        ("qr.png?way=zalo", b"\x89PNG"),
        ("qr.svg?way=messenger&page=2222", b"<?xml"),
        ("poster.svg", b"<?xml"),
        ("poster.pdf", b"%PDF"),
    ):
        answer = an.opens(f"/campaigns/tet2026/{name}")
        assert answer.content.startswith(start), name
        assert answer.headers["content-disposition"].startswith('attachment; filename="loa-tet2026')


def test_exports_hide_small_cells_and_hold_no_formula(an: Browser, office: Office) -> None:
    makes(an)
    for day, opened in ((1, 3), (2, 40), (3, 90)):
        office.rows(
            "INSERT INTO campaign_days (campaign_id, day, opened, started) SELECT id, %s, %s, 0 FROM campaigns",
            datetime.date(2026, 11, day),
            opened,
        )
    office.rows(
        "INSERT INTO campaign_days (campaign_id, day, place, topic, questions) SELECT id, '2026-11-03', '=1+1', 'testing_where', 7 FROM campaigns"
    )
    rows = list(csv.reader(io.StringIO(an.opens("/campaigns/tet2026/export.csv").content.decode("utf-8-sig"))))
    assert rows[0][4:] == list(WORDS["measures"].values())
    assert [row[4] for row in rows[1:]] == ["<5", "…", "90", "0"]
    assert rows[-1][2:4] == ["'=1+1", CATALOGUE.title("testing_where")]
    sheet = load_workbook(io.BytesIO(an.opens("/campaigns/export.xlsx").content)).active
    assert [cell.value for cell in sheet["E"]][1:] == ["<5", "…", 90, 0]
    assert sheet["C5"].data_type == "s"
    page = an.opens("/campaigns/tet2026").text
    assert "&lt;5" in page
    assert ">3<" not in page


# ---- the short link


def test_a_phone_is_led_to_its_app_and_others_choose(an: Browser, citizen: Browser, office: Office) -> None:
    makes(an)
    makes(an, code="fb-1", spot="fanpage")
    for code, agent, target in (
        ("tet2026", ANDROID, "https://zalo.me/4318657068771012646?text=%23tet2026"),
        ("TET2026", FACEBOOK, "https://m.me/1111?ref=tet2026"),
        ("fb-1", ANDROID, "https://m.me/1111?ref=fb-1"),
        ("tet2026", f"{ANDROID} Telegram-Android/11.0", "https://t.me/loa_dak_lak_bot?start=tet2026"),
        (
            "tet2026",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Zalo iOS/500",
            "https://zalo.me/4318657068771012646?text=%23tet2026",
        ),
    ):
        answer = opens(citizen, code, agent)
        assert (answer.status_code, answer.headers["location"]) == (302, target)
    page = opens(citizen, agent=DESKTOP)
    assert (page.status_code, "set-cookie" in page.headers) == (200, False)
    assert set(re.findall(r'<li><a class="(\w+)" href="([^"]+)"', page.text)) == {
        ("zalo", "https://zalo.me/4318657068771012646?text=%23tet2026"),
        ("messenger", "https://m.me/1111?ref=tet2026"),
        ("telegram", "https://t.me/loa_dak_lak_bot?start=tet2026"),
        ("webchat", "../?c=tet2026"),
    }
    assert citizen.http.get("/c/tet2026?all", headers={"User-Agent": ANDROID}).status_code == 200
    counts = office.rows("SELECT k.code, d.opened FROM campaign_days d JOIN campaigns k ON k.id = d.campaign_id ORDER BY 1")
    assert counts == [{"code": "fb-1", "opened": 1}, {"code": "tet2026", "opened": 5}]


@pytest.mark.parametrize(
    ("agent", "method", "headers"),
    [
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "GET", {}),
        ("TelegramBot (like TwitterBot)", "GET", {}),
        (f"{ANDROID} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "GET", {}),
        ("", "GET", {}),
        (ANDROID, "HEAD", {}),
        (ANDROID, "GET", {"Sec-Purpose": "prefetch;prerender"}),
    ],
)
def test_machines_get_the_page_with_its_tags_and_are_not_counted(
    an: Browser, citizen: Browser, office: Office, agent: str, method: str, headers: dict[str, str]
) -> None:
    makes(an)
    page = opens(citizen, agent=agent, method=method, **headers)
    assert page.status_code == 200
    if method == "GET":
        assert '<meta property="og:title" content="Xét nghiệm dịp Tết">' in page.text
        assert '<meta property="og:image" content="https://loa.example.vn/c/tet2026/card.png">' in page.text
    assert office.rows("SELECT 1 FROM campaign_days") == []


def test_the_page_speaks_the_campaigns_language_and_calls_a_draft_a_draft(an: Browser, citizen: Browser) -> None:
    makes(an, language="en", name="Where to get tested")
    page = opens(citizen, agent=DESKTOP)
    assert '<html lang="en"' in page.text
    assert '<meta property="og:locale" content="en_US">' in page.text
    assert DESCRIBER.ui("page_choose", "en") in page.text
    assert DESCRIBER.ui("page_choose") not in page.text
    assert DESCRIBER.ui("page_emergency") in page.text
    assert DESCRIBER.draft_note("en") in page.text


def test_the_picture_of_a_post_is_a_png_of_the_usual_size(an: Browser, citizen: Browser) -> None:
    makes(an, name="Tiêm 💉 nhắc lại trước Tết")
    content = citizen.opens("/c/tet2026/card.png").content
    assert (content[:4], int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")) == (b"\x89PNG", 1200, 630)


@pytest.mark.parametrize(
    "code", ["unknown-1", "TẾT", "a", "x" * 3000, "%00", "%F0%9F%98%80", "..%2f..%2fetc", "alt-1", "later-1"]
)
def test_an_unknown_or_ended_code_still_shows_every_way_to_loa(an: Browser, citizen: Browser, office: Office, code: str) -> None:
    makes(an, code="alt-1")
    an.sends("/campaigns/alt-1/end", "/campaigns/alt-1")
    makes(an, code="later-1", starts_on="2099-01-01", ends_on="2099-02-01")
    for agent in (ANDROID, DESKTOP):
        page = opens(citizen, code, agent)
        if "%2f" in code:
            assert page.status_code in {200, 404}
            continue
        assert (page.status_code, DESCRIBER.ui("page_over") in page.text) == (200, True)
        assert len(re.findall(r'<li><a class="', page.text)) == 4
        assert "text=%23" not in page.text
    assert office.rows("SELECT 1 FROM campaign_days") == []


def test_without_database_the_short_link_still_leads_to_loa(database_url: str, telegram: TelegramName) -> None:
    pool = open_pool(database_url.replace("/test_", "/gone_"), max_size=1, min_size=0)
    reaching = Reaching(Settings.from_environment({**SETTINGS, "TELEGRAM_API_URL": "http://127.0.0.1:9"}))
    running = Server(Starlette(routes=ShortLinks(pool, DESCRIBER, reaching).routes()))
    with running.client:
        page = opens(running.visitor(), agent=DESKTOP)
    assert (page.status_code, "zalo.me" in page.text, "t.me" in page.text) == (200, True, False)


def test_the_pages_css_is_served(citizen: Browser) -> None:
    for path in ("/static/short_link.css", "/static/campaigns.css", "/static/campaigns.js"):
        assert citizen.opens(path).status_code == 200
