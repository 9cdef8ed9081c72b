"""A place on the map reaches the open page of whoever holds the case, and one press makes it the place of the case."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.dialogue.located import units
from bot.languages.interface import interface_words
from bot.settings import ROOT
from tests.browsing import DESKTOP, PHONE, Visits, is_wider_than_the_screen, visits
from tests.desk.house import House

WORDS = interface_words(ROOT, "staff", "desk")
PICTURES = Path(found) if (found := os.environ.get("PICTURES")) else None
POINT = "12.667,108.038"


@pytest.fixture
def opens(chromium: Browser, house: House) -> Iterator[Visits]:
    house.empties()
    with visits(chromium, house.address, house.office) as found:
        yield found


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_a_place_on_the_map_is_offered_while_the_operator_writes(
    opens: Visits, house: House, name: str, viewport: dict[str, int]
) -> None:
    house.office.hires("lan", "operator")
    case_id, conversation_id = held(house, "lan")
    page = opens(f"/desk/cases/{case_id}", viewport, "lan", "operator")
    page.fill("#text", "Dạ, anh ở xã nào")
    house.office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, kind, text, place, turn)
           VALUES (%s, 'incoming', 'citizen', 'telegram', 'm2', 'location', '', %s, 'human')""",
        conversation_id,
        POINT,
    )
    likeliest = units(POINT)[0]
    button = page.get_by_role("button", name=likeliest.full_name, exact=True)
    expect(button).to_be_visible()
    expect(page.locator("#text")).to_have_value("Dạ, anh ở xã nào")
    assert not is_wider_than_the_screen(page)
    if PICTURES:
        page.screenshot(path=str(PICTURES / f"place-{name}.png"), full_page=True)
    button.click()
    expect(page.get_by_role("status").last).to_have_text(WORDS["done"]["placed"])
    expect(page.locator(".facts")).to_contain_text(likeliest.full_name)
    expect(button).to_have_count(0)
    expect(page.locator("#text")).to_have_value("Dạ, anh ở xã nào")
    assert house.office.rows("SELECT place FROM cases WHERE id = %s", case_id) == [{"place": likeliest.key}]


def held(house: House, name: str) -> tuple[int, int]:
    """(case, conversation) of a citizen of Telegram whom this operator has claimed."""
    [talk] = house.office.rows(
        """INSERT INTO conversations (channel, address, owner, interacted_at) VALUES ('telegram', '4711', 'operator', now())
           RETURNING id"""
    )
    house.office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
           VALUES (%s, 'incoming', 'citizen', 'telegram', 'm1', 'cho tôi gặp người', 'human')""",
        talk["id"],
    )
    [case] = house.office.rows(
        """INSERT INTO cases (conversation_id, desk, reason, state, language, operator_id, claimed_at)
           SELECT %s, 'dak-lak', 'asked', 'claimed', 'vi', id, now() FROM operators WHERE name = %s RETURNING id""",
        talk["id"],
        name,
    )
    return case["id"], talk["id"]
