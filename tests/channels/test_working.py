"""The sign "typing …": not for quick answers, again while it takes long, never after the answer, never for ever."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels import working
from bot.channels.working import Working


class Shown:
    def __init__(self, seconds: float = 0) -> None:
        self.times: list[str] = []
        self.finished = 0
        self._seconds = seconds

    async def __call__(self, address: str) -> None:
        self.times.append(address)
        await asyncio.sleep(self._seconds)
        self.finished += 1

    async def until(self, times: int, address: str = "7") -> None:
        async with asyncio.timeout(60):
            while self.times.count(address) < times:
                await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "FIRST_AFTER_SECONDS", 0.05)
    monkeypatch.setattr(working, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(working, "LINGER_SECONDS", 0.25)


async def test_a_quick_answer_has_no_sign() -> None:
    shown = Shown()
    signs = Working(shown)
    async with signs.shown("7"):
        pass
    await asyncio.sleep(0.1)
    assert shown.times == []


async def test_it_is_shown_again_while_it_takes_long_and_not_afterwards() -> None:
    shown = Shown()
    signs = Working(shown)
    began = asyncio.get_running_loop().time()
    async with signs.shown("7"):
        await shown.until(3)
    assert len(shown.times) <= 1 + (asyncio.get_running_loop().time() - began) / working.EVERY_SECONDS
    before = len(shown.times)
    await asyncio.sleep(0.3)
    assert len(shown.times) == before


async def test_a_sign_on_its_way_is_waited_for() -> None:
    shown = Shown(seconds=0.2)
    signs = Working(shown)
    async with signs.shown("7"):
        await shown.until(1)
    assert (len(shown.times), shown.finished) == (1, 1)


async def test_a_sign_that_hangs_holds_up_the_answer_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "ON_ITS_WAY_SECONDS", 0.1)
    shown = Shown(seconds=60)
    signs = Working(shown)
    began = asyncio.get_running_loop().time()
    async with signs.shown("7"):
        await shown.until(1)
    assert asyncio.get_running_loop().time() - began < 30
    assert shown.finished == 0


async def test_between_two_attempts_it_stays_and_ends_when_nobody_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "LINGER_SECONDS", 1.0)
    shown = Shown()
    signs = Working(shown)
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            async with signs.shown("7"):
                raise OSError("away")
        await shown.until(len(shown.times) + 1)
    async with asyncio.timeout(60):
        while signs._signs:
            await asyncio.sleep(0.01)
    before = len(shown.times)
    await asyncio.sleep(0.3)
    assert len(shown.times) == before


async def test_it_never_goes_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "LONGEST_SECONDS", 0.6)
    shown = Shown()
    signs = Working(shown)
    async with signs.shown("7"):
        await asyncio.sleep(1.0)
        ended_at = len(shown.times)
        await asyncio.sleep(0.3)
        assert len(shown.times) == ended_at


async def test_each_citizen_has_their_own() -> None:
    shown = Shown()
    signs = Working(shown)
    async with signs.shown("7"), signs.shown("8"):
        await shown.until(1, "7")
        await signs.end("7")
        ended_at = shown.times.count("7")
        await shown.until(shown.times.count("8") + 2, "8")
    assert shown.times.count("7") == ended_at
