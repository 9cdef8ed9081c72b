"""Two gateways on one database: what staff take back in one, the other knows within two seconds, also when it heard nothing."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable

import pytest

from bot.content import keeping as kept
from bot.content import withdrawing
from bot.content.keeping import Keeping
from bot.database import Pool, open_pool
from bot.languages.in_force import InForce
from tests.office import Office

KEY = "utter_wear_mask"
# Far above what it takes: real time is not measured here.
AT_MOST_SECONDS = 20.0


def tomorrow() -> str:
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).date().isoformat()


@contextlib.asynccontextmanager
async def gateway(url: str) -> AsyncIterator[tuple[InForce, Pool]]:
    in_force, pool = InForce(), open_pool(url, max_size=2)
    async with pool:
        task = asyncio.create_task(Keeping(url, pool, in_force).work())
        try:
            yield in_force, pool
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def comes_true(is_so: Callable[[], bool]) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AT_MOST_SECONDS):
            while not is_so():
                await asyncio.sleep(0.02)
    return is_so()


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_every_gateway_knows_at_once_and_a_deaf_one_soon(
    office: Office, monkeypatch: pytest.MonkeyPatch, is_deaf: bool
) -> None:
    if is_deaf:
        monkeypatch.setattr(kept, "CHANNEL", "loa_nobody_speaks_here")
    else:
        monkeypatch.setattr(kept, "LOOK_AGAIN_SECONDS", 3600.0)
    async with gateway(office.url) as (one, pool), gateway(office.url) as (other, _):
        async with pool.connection() as connection:
            await withdrawing.withdraw(connection, KEY, "sai", tomorrow(), "an", known=lambda *_: True)
        assert await comes_true(lambda: one.is_withdrawn(KEY) and other.is_withdrawn(KEY))
        async with pool.connection() as connection:
            await withdrawing.restore(connection, KEY, "binh")
        assert await comes_true(lambda: not one.is_withdrawn(KEY) and not other.is_withdrawn(KEY))


async def test_while_the_database_is_away_what_was_known_holds(office: Office) -> None:
    office.does(lambda connection: withdrawing.withdraw(connection, KEY, "sai", tomorrow(), "an", known=lambda *_: True))
    in_force, pool = InForce(), open_pool(office.url, max_size=2)
    async with pool:
        assert await Keeping(office.url, pool, in_force).refresh()
    away = open_pool("postgresql://127.0.0.1:1/none", min_size=0, max_size=1)
    away.timeout = 0.1
    async with away:
        assert not await Keeping(office.url, away, in_force).refresh()
    assert in_force.is_withdrawn(KEY)
