"""/insights/figures in a real browser, against the real gateway: two people, a phone, the keyboard, light and dark."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.figures.readings import VIETNAM
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, Visits, is_wider_than_the_screen, visits
from tests.gateway import GatewayProcess
from tests.office import OWN_PASSWORD, Office

PAGE = "/insights/figures"
WORDS = interface_words(ROOT, "staff", "bulletins", "figures_page")
YESTERDAY = datetime.datetime.now(VIETNAM).date() - datetime.timedelta(days=1)
SMALLEST_TARGET = 24


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, "http://127.0.0.1:9", tmp_path, LOA_WORKER="alone") as process:
        yield process


@pytest.fixture
def opens(chromium: Browser, gateway: GatewayProcess, office: Office) -> Iterator[Visits]:
    with visits(chromium, gateway.address, office) as found:
        yield found


def weeks(count: int) -> str:
    """A file with as many weeks of Đắk Lắk."""
    days = [YESTERDAY - datetime.timedelta(days=7 * ago) for ago in range(count)]
    lines = [f"Đắk Lắk;tuần;{day:%d/%m/%Y};{40 + day.day};Sở Y tế;https://soyte.daklak.gov.vn/{day}" for day in days]
    return "\n".join(["Địa phương;Loại;Đến;Ca mắc;Cơ quan;Đường dẫn", *lines])


def test_a_first_login_by_keyboard_alone_ends_at_the_work(opens: Visits, office: Office) -> None:
    first = office.adds("an")
    page = opens("/staff/login?next=/insights/figures")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("an")
    page.keyboard.press("Tab")
    page.keyboard.type(first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=WORDS["password_title"])).to_be_visible()
    expect(page.locator("[type=password]").first).to_be_focused()
    for text in (first, OWN_PASSWORD, OWN_PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/insights")
    page.wait_for_load_state("networkidle")  # or leaving the page breaks off its pictures
    page.get_by_role("group").get_by_text("an", exact=True).click()
    page.get_by_role("button", name=WORDS["log_out"], exact=True).click()
    expect(page.get_by_role("button", name=WORDS["log_in"])).to_be_visible()


def test_a_bulletin_entered_on_a_phone_is_approved_on_a_desktop_and_seen_by_all(opens: Visits) -> None:
    phone = opens(PAGE, PHONE, "an")
    before = YESTERDAY - datetime.timedelta(days=1)
    for field, value in {"starts_day": before, "starts_time": "16:00", "ends_day": YESTERDAY, "ends_time": "16:00"}.items():
        phone.fill(f"[name={field}]", str(value))
    phone.fill("[name=cases]", "1.234")
    phone.fill("#issuer", "Sở Y tế Đắk Lắk")
    phone.fill("#url", "https://soyte.daklak.gov.vn/1")
    phone.get_by_role("button", name=WORDS["propose"]).tap()
    expect(phone.get_by_role("status")).to_have_text(WORDS["done"]["proposed"])
    expect(phone.get_by_role("status")).to_be_in_viewport()

    desk = opens(PAGE, name="binh")
    proposal = desk.locator(".proposal").first
    expect(proposal).to_contain_text(f"từ 16:00 {before:%d/%m/%Y} đến 16:00 {YESTERDAY:%d/%m/%Y}")
    proposal.get_by_role("button", name=WORDS["approve"]).click()
    expect(desk.get_by_role("status")).to_have_text(WORDS["done"]["approved"])
    expect(opens(PAGE).locator(".newest .value")).to_have_text("1.234")


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
def test_pictures_and_numbers_fit_the_screen(opens: Visits, viewport: dict[str, int], scheme: str) -> None:
    staff = opens(PAGE, viewport, "an", scheme=scheme)
    staff.fill("#text", weeks(9))
    staff.get_by_role("button", name=WORDS["import_button"]).click()
    expect(staff.get_by_role("status")).to_have_text(WORDS["done"]["imported"].format(count=9))
    second = opens(PAGE, viewport, "binh", scheme=scheme)
    expect(second.locator(".proposal [type=checkbox]")).to_have_count(9)
    for box in second.locator(".proposal [type=checkbox]").all():
        box.check()
    second.get_by_role("button", name=WORDS["approve_picked"]).click()
    expect(second.get_by_role("status")).to_have_text(WORDS["done"]["approved_many"].format(count=9))

    page = opens(PAGE, viewport, scheme=scheme)
    picture = page.locator(".charts img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    # Beside the numbers that are shipped of the provinces of before.
    expect(page.locator("tbody tr").filter(has_not_text=WORDS["until_2025_name"].format(name=""))).to_have_count(9)
    for shown in (page, second):
        assert not is_wider_than_the_screen(shown)
        small = shown.locator("button:visible, select:visible, input:visible, summary:visible").evaluate_all(
            f"all => all.filter(e => e.getBoundingClientRect().height < {SMALLEST_TARGET} && e.type !== 'checkbox' && e.type !== 'radio').map(e => e.outerHTML)"
        )
        assert small == []
