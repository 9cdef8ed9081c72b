from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.handoff import office
from bot.handoff.desks import Desks
from tests.handoff.room import DESKS, Room, opened_room
from tests.handoff.street import Street, opened_street


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
    """Name it behind `room` or `street`: the province has one more desk, for whatever it is asked."""
    other = dataclasses.replace(DESKS.default, id="cdc", name="CDC", is_default=False)
    office.prepare(dataclasses.replace(office.office(), desks=Desks((DESKS.default, other), DESKS.default)))
    return other.id
