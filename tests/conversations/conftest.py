from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.feeds import FeedHost, a_file, fixture
from tests.simulators.telegram import TOKEN, TelegramSimulator
from tests.stack import Bot, Citizen, Stack


@pytest.fixture(scope="session")
def telegram_platform() -> Iterator[TelegramSimulator]:
    simulator = TelegramSimulator()
    yield simulator
    simulator.close()


@pytest.fixture(scope="session")
def who_feed() -> Iterator[FeedHost]:
    simulator = FeedHost()
    simulator.plays.append(a_file(fixture("weekly.csv")))
    yield simulator
    simulator.close()


@pytest.fixture(scope="session")
def stack(telegram_platform: TelegramSimulator, who_feed: FeedHost) -> Iterator[Stack]:
    """The whole service, started once for all conversations; PostgreSQL's socket wants a short path."""
    with tempfile.TemporaryDirectory(prefix="loa-") as folder:
        running = Stack(
            Path(folder), TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=telegram_platform.url, FEED_WHO_URL=f"{who_feed.url}"
        )
        running.start()
        yield running
        running.stop()


@pytest.fixture
def citizen(stack: Stack) -> Citizen:
    return Citizen(stack)


@pytest.fixture
def bot(citizen: Citizen) -> Bot:
    return Bot(citizen)
