from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest_asyncio

from bot.languages.catalogue import VIETNAM, Catalogue
from bot.settings import ROOT
from bot.subscriptions.asked import Subscriptions
from bot.subscriptions.editions import Editions
from bot.subscriptions.sending import News
from tests.dialogue.talk import CHANNEL, Talk, talking
from tests.simulators.rasa import RasaSimulator, with_reply

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
ANSWER = "utter_wear_mask"
MORNING = datetime.datetime.now(VIETNAM).replace(hour=8, minute=0, second=0, microsecond=0)


def changed(text: str = "Chữ mới.", **fields: Any) -> Catalogue:
    """The catalogue of a machine on which the words of an answer are others."""
    entry = replace(CATALOGUE.entries[ANSWER], text=text, **fields)
    return replace(CATALOGUE, entries={**CATALOGUE.entries, ANSWER: entry})


class Citizen:
    """One conversation in which news can be asked for, and the machines that send them."""

    def __init__(self, talk: Talk, rasa: RasaSimulator, url: str) -> None:
        self.talk, self.rasa, self.url = talk, rasa, url

    async def asks(self, words: str = "đăng ký nhận tin", key: str = "utter_subscribe") -> None:
        buttons = [button.as_dict() for button in CATALOGUE.answer(key).buttons]
        self.rasa.faults.append(with_reply(key=key, text="…", buttons=buttons))
        await self.talk.says(words)
        await self.talk.step()

    async def presses(self, payload: str) -> None:
        await self.talk.presses(payload)
        await self.talk.step()

    async def subscribes(self, news: str = "answer:wear_mask:daily") -> None:
        """All the way from the question to the consent."""
        await self.asks()
        kind, subject, _ = news.split(":")
        if kind == "answer":
            await self.has_asked(subject)
            await self.presses("/subscribe_answers")
            await self.presses(f'/subscribe_to{{"news":"{kind}:{subject}"}}')
        else:
            await self.presses(f"/subscribe_{kind}")
        await self.presses(f'/subscribe_to{{"news":"{news}"}}')
        await self.presses(f'/subscribe_agree{{"news":"{news}"}}')
        self.talk.sender.sent.clear()

    async def has_asked(self, intent: str) -> None:
        await self.talk.rows(
            """UPDATE messages SET understood = jsonb_build_object('intent', %s::text) WHERE direction = 'incoming'""", intent
        )

    def news(self, catalogue: Catalogue = CATALOGUE, now: datetime.datetime = MORNING) -> News:
        senders = {CHANNEL: self.talk.sender}
        return News(self.talk.pool, catalogue, Editions(catalogue, self.url), senders, now=lambda: now)

    async def subscribed(self) -> list[dict[str, Any]]:
        return await self.talk.rows("SELECT kind, subject, how FROM subscriptions WHERE ended_at IS NULL ORDER BY id")

    @property
    def last(self) -> str:
        return self.talk.sender.keys[-1]

    @property
    def offered(self) -> list[str]:
        return [button.payload for button in self.talk.sender.sent[-1].buttons]


@pytest_asyncio.fixture
async def citizen(database_url: str, rasa: RasaSimulator) -> AsyncIterator[Citizen]:
    windows = {CHANNEL: datetime.timedelta(days=7)}
    made: list[Subscriptions] = []

    def aside(pool: Any, catalogue: Catalogue) -> Any:
        made.append(Subscriptions(pool, catalogue, Editions(catalogue, database_url), windows))
        return made[0].replies

    async with talking(database_url, rasa, a_minute=0, aside=aside) as talk:
        talk.turns.answering.asking = made[0].after
        talk.sender.window = windows[CHANNEL]
        yield Citizen(talk, rasa, database_url)
