"""Pages as somebody's browser shows them: who is logged in, on which screen, and what the browser complains of."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from bot.staff.accounts import Role
from tests.chromium import WAIT_MS
from tests.office import Office

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}


class Visits:
    """Call it to open a page of `address`; `name`: of whoever of the staff is logged in already."""

    def __init__(self, chromium: Browser, address: str, office: Office | None = None) -> None:
        self._chromium, self.address, self._office = chromium, address, office
        self.complaints: list[str] = []

    def __call__(
        self,
        path: str,
        viewport: dict[str, int] = DESKTOP,
        name: str = "",
        role: Role = "content",
        scheme: str = "light",
        **options: Any,
    ) -> Page:
        is_phone = viewport["width"] < 600
        context = self._chromium.new_context(
            viewport=viewport, locale="vi-VN", has_touch=is_phone, is_mobile=is_phone, color_scheme=scheme, **options  # type: ignore[arg-type]
        )  # fmt: skip
        if name and self._office:
            token = self._office.hires(name, role)
            cookie = {"name": "__Host-loa-staff", "value": token, "domain": "127.0.0.1", "path": "/", "secure": True}
            context.add_cookies([cookie])  # type: ignore[list-item]
            context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._notes)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.address}{path}")
        return page

    def _notes(self, message: ConsoleMessage) -> None:
        if message.type != "log":
            self.complaints.append(message.text)


@contextlib.contextmanager
def visits(chromium: Browser, address: str, office: Office | None = None, *, expected: tuple[str, ...] = ()) -> Iterator[Visits]:
    """What the browser complains of is a fault, but for lines with one of the `expected` words: a refused form is an answer."""
    found = Visits(chromium, address, office)
    yield found
    for context in chromium.contexts:
        context.close()
    assert [line for line in found.complaints if not any(words in line for words in expected)] == []


@contextlib.contextmanager
def shows_for_a_moment(sign: Locator, words: str) -> Iterator[None]:
    """What goes away by itself may be gone before a busy machine looks: the page itself notes what the sign said meanwhile."""
    sign.evaluate(
        """sign => {
          const note = () => { sign.dataset.said = `${sign.dataset.said || ""}\n${sign.innerText}`; };
          new MutationObserver(note).observe(sign, { childList: true, characterData: true, subtree: true });
        }"""
    )
    yield
    expect(sign).to_have_attribute("data-said", re.compile(re.escape(words)))


def is_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def keeps(page: Page, name: str) -> None:
    """Nothing is pushed aside; with `PICTURES` set to a folder, the page is kept there as a picture."""
    assert not is_wider_than_the_screen(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
