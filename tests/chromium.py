"""Finds a Chromium for tests that look at pages as a citizen's browser shows them."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# As long as a busy machine may need: a test waits for what it wants to see, not for this.
WAIT_MS = 30_000
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


class NoChromium(UserWarning):
    """Browser tests did not run; shown in the run's summary even where warnings are errors."""


def find_chromium(playwright: Playwright | None = None) -> str | None:
    """The path of a Chromium: LOA_CHROMIUM, then the usual names on PATH, then the one that playwright brought."""
    if given := os.environ.get("LOA_CHROMIUM"):
        return given if Path(given).is_file() else None
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    if on_path or not playwright:
        return on_path
    return playwright.chromium.executable_path if Path(playwright.chromium.executable_path).is_file() else None


def chromium_or_skip(playwright: Playwright | None = None) -> str:
    if found := find_chromium(playwright):
        return found
    sentence = (
        "NO CHROMIUM FOUND: the chat page was NOT tested in a browser. Set LOA_CHROMIUM to its path, "
        "or install one (apt-get install chromium, or playwright install chromium)."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("always", NoChromium)
        warnings.warn(sentence, NoChromium, stacklevel=2)
    pytest.skip(sentence)
