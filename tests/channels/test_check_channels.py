"""`loa check` asks every channel whether its credentials hold, and no channel can hold it up or break it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg_pool
import pytest

from bot import check_channels
from bot.findings import Finding
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT, Settings
from tests.simulators.telegram import TOKEN, TelegramSimulator


class Asked:
    """A channel of which only the check counts."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.is_stopped = False

    async def check(self) -> Sequence[Finding]:
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.sleep(60)
        return [self.answer]

    async def stop(self) -> None:
        self.is_stopped = True


async def test_each_channel_says_what_is_wrong_and_none_holds_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_channels, "CHECK_SECONDS", 0.2)
    fine = Finding("ok", "c", "the token is accepted")
    channels: Any = {"b": Asked(None), "c": Asked(fine), "a": Asked(psycopg_pool.PoolClosed("not open"))}
    found = await check_channels.asked(channels)
    assert [(f.severity, f.key) for f in found] == [("error", "a"), ("error", "b"), ("ok", "c")]
    assert all(channel.is_stopped for channel in channels.values())


@pytest.mark.parametrize(("token", "severity"), [(TOKEN, "ok"), ("8:WRONG", "error")])
async def test_telegrams_token_is_tried(token: str, severity: str, telegram: TelegramSimulator, tmp_path: Any) -> None:
    environment = {"TELEGRAM_TOKEN": token, "TELEGRAM_API_URL": telegram.url, "LOA_HOME": str(tmp_path)}
    found = await check_channels.channel_findings(Settings.from_environment(environment), Catalogue.load(ROOT, "dak-lak"))
    assert [(f.severity, f.key) for f in found] == [(severity, "telegram")]
    assert token not in found[0].sentence


async def test_without_channels_nothing_is_asked(tmp_path: Any) -> None:
    settings = Settings.from_environment({"LOA_HOME": str(tmp_path)})
    assert await check_channels.channel_findings(settings, Catalogue.load(ROOT, "dak-lak")) == []
