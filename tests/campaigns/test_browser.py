"""Campaigns in a real browser, against the real gateway: staff copy a link, a citizen opens it and is answered. With `PICTURES`
set to a folder, the pages are kept there as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, Visits, keeps, shows_for_a_moment, visits
from tests.gateway import GatewayProcess
from tests.office import Office
from tests.simulators.rasa import RasaSimulator

WORDS = interface_words(ROOT, "staff", "campaigns")
# Nothing that a link could take for a phone with an app.
A_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture
def gateway(database_url: str, rasa: RasaSimulator, tmp_path: Path) -> Iterator[GatewayProcess]:
    zalo = {"ZALO_APP_ID": "1", "ZALO_APP_SECRET": "s", "ZALO_OA_ID": "4318657068771012646", "ZALO_OA_SECRET": "s"}
    with GatewayProcess(database_url, rasa.url, tmp_path, ZALO_API_URL=rasa.url, ZALO_OAUTH_URL=rasa.url, **zalo) as process:
        yield process


@pytest.fixture
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Visits]:
    with visits(chromium, gateway.address, office) as found:
        yield found


def makes(page: Page, name: str = "Xét nghiệm dịp Tết", code: str = "tet2026") -> None:
    page.fill("#name", name)
    page.fill("#code", code)
    page.select_option("#topic", "testing_where")
    page.select_option("#spot", "poster")
    page.get_by_role("button", name=WORDS["make"], exact=True).click()
    expect(page.get_by_role("status").first).to_have_text(WORDS["done"]["made"])


@pytest.mark.parametrize(("viewport", "scheme", "size"), [(PHONE, "light", "phone"), (DESKTOP, "dark", "desktop")])
def test_staff_make_a_campaign_and_copy_its_link(
    opens: Visits, office: Office, viewport: dict[str, int], scheme: str, size: str
) -> None:
    page = opens("/campaigns", viewport, "an", scheme=scheme)
    keeps(page, f"campaigns-none-{size}")
    page.get_by_role("link", name=WORDS["new_campaign"]).click()
    expect(page.get_by_role("heading", name=WORDS["new_campaign"])).to_be_visible()
    keeps(page, f"campaign-form-{size}")
    makes(page)
    with shows_for_a_moment(page.locator("#copy-said"), WORDS["copied"]):
        page.get_by_role("button", name=f"{WORDS['copy_link']}: {WORDS['ways']['zalo']}").click()
    assert page.evaluate("navigator.clipboard.readText()") == "https://zalo.me/4318657068771012646?text=%23tet2026"
    office.rows(
        "INSERT INTO campaign_days (campaign_id, day, opened, started, solved) SELECT id, '2026-11-21', 240, 61, 44 FROM campaigns"
    )
    office.rows(
        "INSERT INTO campaign_days (campaign_id, day, opened, started, solved) SELECT id, '2026-11-22', 412, 88, 3 FROM campaigns"
    )
    office.rows(
        """INSERT INTO campaign_days (campaign_id, day, place, topic, questions) SELECT id, '2026-11-22', p, t, n FROM campaigns,
           (VALUES ('buon-ho-phuong', 'testing_where', 57), ('', 'testing_cost', 23), ('tan-lap-phuong', 'symptoms', 2)) v (p, t, n)"""
    )
    page.reload()
    poster = page.locator(".poster")
    poster.scroll_into_view_if_needed()
    expect(poster).to_have_js_property("complete", True)
    assert poster.evaluate("image => image.naturalWidth") > 0
    keeps(page, f"campaign-{size}")
    page.get_by_role("link", name=WORDS["back_to_campaigns"]).click()
    expect(page.get_by_role("heading", name=WORDS["campaigns_title"])).to_be_visible()
    keeps(page, f"campaigns-{size}")


def test_a_citizen_opens_the_link_and_is_answered_before_asking(opens: Visits, office: Office) -> None:
    makes(opens("/campaigns/new", name="an"))
    page = opens("/c/tet2026", PHONE, user_agent=A_BROWSER)
    keeps(page, "short-link-phone")
    page.get_by_role("link", name="trên trang này").click()
    expect(page.locator("#log .bubble", has_text="answer to /testing_where")).to_be_visible()
    keeps(page, "chat-from-campaign-phone")
    page.reload()
    page.fill("#question", "xin chào")
    page.press("#question", "Enter")
    expect(page.locator("#log .bubble", has_text="answer to xin chào")).to_be_visible()
    expect(page.locator("#log .bubble", has_text="answer to /testing_where")).to_have_count(1)
    assert office.rows("SELECT campaign FROM conversations") == [{"campaign": "tet2026"}]
    assert office.rows("SELECT opened FROM campaign_days") == [{"opened": 1}]
    assert len(office.rows("SELECT 1 FROM messages WHERE kind = 'start'")) == 1
