from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.dialogue.talk import Talk, talking
from tests.office import Office
from tests.simulators.rasa import RasaSimulator


@pytest_asyncio.fixture
async def talk(database_url: str, rasa: RasaSimulator) -> AsyncIterator[Talk]:
    async with talking(database_url, rasa) as begun:
        yield begun


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)
