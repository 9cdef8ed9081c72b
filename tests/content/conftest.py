from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.content.keeping import Keeping
from bot.content.reports import RumourTalk
from bot.content.rumours import KnownRumours
from bot.database import Pool
from bot.dialogue.asides import Aside
from bot.directory.rumours import Rumours
from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from tests.dialogue.talk import Talk, talking
from tests.office import Office
from tests.simulators.rasa import RasaSimulator


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


class ContentTalk:
    """A conversation, and what staff put in force for it."""

    def __init__(self, talk: Talk, catalogue: Catalogue, url: str) -> None:
        self.talk, self.catalogue = talk, catalogue
        self.keeping = Keeping(url, talk.pool, catalogue.in_force)

    async def hears(self) -> None:
        """As after two seconds."""
        assert await self.keeping.refresh()

    async def withdraws(self, key: str, language: str | None = None, days: int = 7) -> None:
        await self.talk.rows(
            """INSERT INTO withdrawals (response_key, language, reason, withdrawn_by, until)
               VALUES (%s, %s, 'sai', 'an', now() + make_interval(days => %s))""",
            key,
            language,
            days,
        )
        await self.hears()

    async def notes(self, text: str, scope: str = "all", subject: str = "", places: list[str] | None = None) -> None:
        await self.talk.rows(
            """INSERT INTO notices (scope, subject, places, text, starts_at, ends_at, written_by, state, decided_by, decided_at)
               VALUES (%s, %s, %s, %s, now(), now() + interval '1 day', 'an', 'approved', 'binh', now())""",
            scope,
            subject,
            places or [],
            text,
        )
        await self.hears()

    async def asks(self, text: str) -> list[str]:
        """The keys of what is sent to these words."""
        before = len(self.talk.sender.sent)
        await self.talk.says(text)
        assert await self.talk.step()
        return self.talk.sender.keys[before:]

    async def presses(self, payload: str) -> list[str]:
        before = len(self.talk.sender.sent)
        await self.talk.presses(payload)
        assert await self.talk.step()
        return self.talk.sender.keys[before:]


@pytest_asyncio.fixture
async def citizen(database_url: str, rasa: RasaSimulator) -> AsyncIterator[ContentTalk]:
    made: list[tuple[Catalogue, RumourTalk]] = []

    def aside(pool: Pool, catalogue: Catalogue) -> Aside:
        rumours = RumourTalk(pool, catalogue, KnownRumours(Rumours.load(ROOT), catalogue.in_force))
        made.append((catalogue, rumours))
        return rumours.replies

    async with talking(database_url, rasa, a_minute=0, aside=aside) as talk:
        catalogue, rumours = made[0]
        talk.turns.answering.asking = rumours.answered
        yield ContentTalk(talk, catalogue, database_url)
