"""Zalo's tokens on a real PostgreSQL: stored before use, refreshed by one machine only, and what happens when they are lost."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import structlog

from bot.channels import zalo_tokens
from bot.channels.zalo_tokens import (
    NoToken,
    Pair,
    Refused,
    Stored,
    Unreachable,
    ZaloTokens,
    code_challenge,
    code_verifier,
    exchange,
    save,
)
from bot.database import DictConnection, Pool, open_pool
from bot.settings import Settings, ZaloSettings
from tests.simulators.server import Answer
from tests.simulators.zalo import ZaloSimulator, error, hang_up, server_error

HOUR = 3600


@pytest.fixture
def zalo() -> Iterator[ZaloSimulator]:
    simulator = ZaloSimulator()
    yield simulator
    simulator.close()


@pytest.fixture
def settings(zalo: ZaloSimulator) -> ZaloSettings:
    found = Settings.from_environment(zalo.settings).zalo
    assert found
    return found


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url, max_size=6) as opened:
        yield opened


async def authorised(pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, age_hours: float = 0) -> tuple[str, str]:
    """Store a pair as if it had been obtained that long ago."""
    access, refresh = zalo.new_pair()
    zalo.move_clock(age_hours * HOUR)
    async with pool.connection() as connection:
        await save(connection, settings, Pair(access, refresh, datetime.timedelta(hours=25)))
        await connection.execute(
            "UPDATE zalo_tokens SET obtained_at = obtained_at - %s, expires_at = expires_at - %s",
            [datetime.timedelta(hours=age_hours)] * 2,
        )
    return access, refresh


async def row(pool: Pool) -> dict[str, Any]:
    async with pool.connection() as connection:
        found = await (await connection.execute("SELECT * FROM zalo_tokens")).fetchone()
    assert found
    return found


async def test_a_code_becomes_a_pair_and_works_once(settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    code = zalo.new_code(code_challenge(settings))
    pair = await exchange(settings, code=code, code_verifier=code_verifier(settings))
    assert pair.lifetime == datetime.timedelta(hours=25)
    assert pair.access_token not in repr(pair)
    with pytest.raises(Refused, match="-14003"):
        await exchange(settings, code=code, code_verifier=code_verifier(settings))


async def test_a_wrong_verifier_is_refused(settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    with pytest.raises(Refused, match="-14003"):
        await exchange(settings, code=zalo.new_code(code_challenge(settings)), code_verifier="another")


def test_the_verifier_is_the_same_everywhere_and_long_enough(settings: ZaloSettings) -> None:
    assert code_verifier(settings) == code_verifier(settings)
    assert 43 <= len(code_verifier(settings)) <= 128


async def test_a_young_token_is_used_as_it_is(pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    access, _ = await authorised(pool, settings, zalo, age_hours=19)
    tokens = ZaloTokens(settings, pool)
    await tokens.refresh_if_due()
    assert await tokens.access() == access
    assert zalo.refreshes == 0


async def test_after_twenty_hours_it_is_refreshed_and_stored(pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    access, refresh = await authorised(pool, settings, zalo, age_hours=20.5)
    tokens = ZaloTokens(settings, pool)
    await tokens.refresh_if_due()
    stored = await row(pool)
    assert await tokens.access() == stored["access_token"] != access
    assert stored["refresh_token"] != refresh
    assert (zalo.refreshes, zalo.burnt) == (1, [])


async def test_two_machines_and_many_sends_use_a_refresh_token_once(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, database_url: str
) -> None:
    access, _ = await authorised(pool, settings, zalo, age_hours=24)
    async with open_pool(database_url, max_size=4) as other:
        machines = [ZaloTokens(settings, pool), ZaloTokens(settings, other)]
        found = await asyncio.gather(*(machine.renewed(access) for machine in machines for _ in range(20)))
    assert len(set(found)) == 1
    assert found[0] == (await row(pool))["access_token"] != access
    assert (zalo.refreshes, zalo.burnt) == (1, [])


async def test_without_the_lock_the_token_would_be_burnt(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard can fail: the same two machines, and a read that takes no lock."""
    real, both_have_read = zalo_tokens.stored_tokens, asyncio.Barrier(2)

    async def without_lock(connection: DictConnection, settings: ZaloSettings, *, lock: bool = False) -> Stored | None:
        stored = await real(connection, settings)
        if lock:
            await both_have_read.wait()
        return stored

    monkeypatch.setattr(zalo_tokens, "stored_tokens", without_lock)
    access, _ = await authorised(pool, settings, zalo, age_hours=24)
    async with open_pool(database_url, max_size=4) as other:
        machines = [ZaloTokens(settings, pool), ZaloTokens(settings, other)]
        await asyncio.gather(*(machine.renewed(access) for machine in machines), return_exceptions=True)
    assert zalo.refreshes == 2


async def test_a_token_is_never_used_before_it_is_stored(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between Zalo's answer and the commit: the pair is kept, and stored before anybody gets it."""
    access, _ = await authorised(pool, settings, zalo, age_hours=24)
    tokens = ZaloTokens(settings, pool)
    real = zalo_tokens._replace

    async def gone(*_: Any) -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(zalo_tokens, "_replace", gone)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            await tokens.renewed(access)
    assert (await row(pool))["access_token"] == access
    monkeypatch.setattr(zalo_tokens, "_replace", real)
    assert await tokens.renewed(access) == (await row(pool))["access_token"] != access
    assert (zalo.refreshes, zalo.burnt) == (1, [])


async def test_a_cancelled_send_does_not_lose_the_pair(pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    access, _ = await authorised(pool, settings, zalo, age_hours=24)
    tokens = ZaloTokens(settings, pool)
    send = asyncio.ensure_future(tokens.renewed(access))
    while zalo.refreshes == 0:
        await asyncio.sleep(0.001)
    send.cancel()
    await tokens.close()
    assert (await row(pool))["access_token"] != access


async def test_a_lost_refresh_token_is_said_once_and_not_tried_again(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, database_url: str
) -> None:
    access, refresh = await authorised(pool, settings, zalo, age_hours=21)
    zalo._refresh.discard(refresh)  # somebody else used it
    async with open_pool(database_url, max_size=2) as other:
        with structlog.testing.capture_logs() as logged:
            for tokens in (ZaloTokens(settings, pool), ZaloTokens(settings, other), ZaloTokens(settings, pool)):
                for _ in range(2):
                    with pytest.raises(Refused, match="-14014"):
                        await tokens.refresh_if_due()
    assert [entry["event"] for entry in logged] == ["zalo_authorisation_lost"]
    assert refresh not in str(logged)
    assert zalo.refreshes == 1
    assert await ZaloTokens(settings, pool).access() == access, "what is left of the access token is used"


async def test_a_start_tries_once_more_for_the_settings_may_be_right_now(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator
) -> None:
    await authorised(pool, settings, zalo, age_hours=21)
    zalo.token_faults = [error(-14004, "Invalid secret key")]
    tokens = ZaloTokens(settings, pool)
    with pytest.raises(Refused):
        await tokens.refresh_if_due()
    await tokens.refresh_if_due(even_if_refused=True)
    assert (await row(pool))["refused_at"] is None


async def test_authorising_again_ends_a_loss(pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator) -> None:
    _, refresh = await authorised(pool, settings, zalo, age_hours=26)
    zalo._refresh.discard(refresh)
    tokens = ZaloTokens(settings, pool)
    with pytest.raises(NoToken):
        await tokens.access()
    pair = await exchange(settings, code=zalo.new_code(), code_verifier=code_verifier(settings))
    async with pool.connection() as connection:
        await save(connection, settings, pair)
    assert await tokens.access() == pair.access_token


@pytest.mark.parametrize("fault", [server_error(), hang_up(), error(-32), Answer(200, b"<html>"), Answer(200, [])])
async def test_a_token_address_that_is_down_costs_nothing(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator, fault: Answer
) -> None:
    access, _ = await authorised(pool, settings, zalo, age_hours=24)
    zalo.token_faults = [fault]
    tokens = ZaloTokens(settings, pool)
    with pytest.raises(Unreachable):
        await tokens.renewed(access)
    assert (await row(pool))["refused_at"] is None
    assert await tokens.renewed(access) != access


async def test_a_token_that_was_just_issued_is_not_refreshed_again(
    pool: Pool, settings: ZaloSettings, zalo: ZaloSimulator
) -> None:
    access, _ = await authorised(pool, settings, zalo)
    with pytest.raises(NoToken, match="just issued"):
        await ZaloTokens(settings, pool).renewed(access)
    assert zalo.refreshes == 0


async def test_nobody_has_authorised(pool: Pool, settings: ZaloSettings) -> None:
    with pytest.raises(NoToken, match="loa zalo authorise"):
        await ZaloTokens(settings, pool).access()
