from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.simulators.who_feed import WhoFeed


@pytest.fixture
def feed() -> Iterator[WhoFeed]:
    simulator = WhoFeed()
    yield simulator
    simulator.close()


@pytest.fixture
def settings(feed: WhoFeed, tmp_path: Path) -> Settings:
    return Settings.from_environment({"FEED_WHO_URL": feed.url, "LOA_HOME": str(tmp_path)})
