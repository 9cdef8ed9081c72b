from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.handoff.room import Room, opened_room
from tests.handoff.street import Street, opened_street, with_another_desk


@pytest_asyncio.fixture
async def room(database_url: str) -> AsyncIterator[Room]:
    async with opened_room(database_url) as begun:
        yield begun


@pytest_asyncio.fixture
async def street(database_url: str) -> AsyncIterator[Street]:
    async with opened_street(database_url) as begun:
        yield begun


@pytest.fixture
def second_desk() -> str:
    """Name it behind `room` or `street`."""
    return with_another_desk()
