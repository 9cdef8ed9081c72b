"""`loa subscriptions status` counts who waits for news and why, and names nobody."""

from __future__ import annotations

import asyncio
import datetime

import pytest
from typer.testing import CliRunner

from bot.cli_subscriptions import HELD, app, windows_of
from bot.settings import Settings
from bot.subscriptions.sending import Round
from bot.subscriptions.status import REASONS, Standing, standing
from bot.subscriptions.store import keys
from tests.dialogue.talk import ADDRESS, CHANNEL
from tests.subscriptions.conftest import MORNING, Citizen, changed


async def stands(citizen: Citizen) -> Standing:
    news = citizen.news(changed())
    async with citizen.talk.pool.connection() as connection:
        now = await news._editions.now(connection, await keys(connection))
        return await standing(connection, {CHANNEL: datetime.timedelta(days=7)}, Round(MORNING, now))


async def test_what_holds_news_back_is_counted(citizen: Citizen) -> None:
    await citizen.subscribes()
    for change, reason in (
        ("sending = 'open'", "hour"),
        ("interacted_at = now() - interval '8 days'", "window"),
        ("channel = 'telegram'", "off"),
        ("owner = 'operator'", "person"),
        ("sending = 'blocked'", "blocked"),
    ):
        await citizen.talk.rows(f"UPDATE conversations SET {change}")
        (row,) = (await stands(citizen)).rows
        assert (row["active"], row["due"]) == (1, 1)
        assert {name for name in REASONS if row[name]} == {reason}


async def test_the_command_prints_counts_and_no_address(citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", citizen.url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ZALO_OA_ID", "")
    await citizen.subscribes()
    await citizen.news(changed()).send_due()
    await citizen.talk.step()
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["status"]))
    assert result.exit_code == 0, result.output
    assert "answer wear_mask" in result.output
    assert "zalo sent 1" in result.output
    assert ADDRESS not in result.output
    assert len(HELD) == len(REASONS)


def test_only_channels_that_are_on_have_a_window() -> None:
    assert set(windows_of(Settings.from_environment({}))) == {"webchat"}
