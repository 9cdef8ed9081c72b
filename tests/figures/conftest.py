from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.simulators.feeds import FeedHost, a_versioned_file, fixture


@pytest.fixture
def feed() -> Iterator[FeedHost]:
    simulator = FeedHost()
    yield simulator
    simulator.close()


@pytest.fixture
def host(feed: FeedHost) -> FeedHost:
    """With weeks to hand out."""
    feed.plays = [a_versioned_file(fixture("weekly.csv"))]
    return feed


@pytest.fixture
def settings(feed: FeedHost, tmp_path: Path) -> Settings:
    return Settings.from_environment({"FEED_WHO_URL": feed.url, "LOA_HOME": str(tmp_path)})
