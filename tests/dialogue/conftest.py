from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.dialogue.talk import Talk, talking
from tests.gateway import GatewayProcess
from tests.simulators.rasa import RasaSimulator
from tests.simulators.telegram import TOKEN, TelegramSimulator


@pytest.fixture
def telegram() -> Iterator[TelegramSimulator]:
    simulator = TelegramSimulator()
    yield simulator
    simulator.close()


@pytest.fixture
def gateway(database_url: str, rasa: RasaSimulator, tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, rasa.url, tmp_path) as process:
        yield process


@pytest.fixture
def telegram_gateway(
    database_url: str, rasa: RasaSimulator, telegram: TelegramSimulator, tmp_path: Path
) -> Iterator[GatewayProcess]:
    with GatewayProcess(database_url, rasa.url, tmp_path, TELEGRAM_TOKEN=TOKEN, TELEGRAM_API_URL=telegram.url) as process:
        yield process


@pytest_asyncio.fixture
async def talk(database_url: str, rasa: RasaSimulator) -> AsyncIterator[Talk]:
    async with talking(database_url, rasa) as begun:
        yield begun
