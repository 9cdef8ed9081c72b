from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from bot.staff import passwords
from tests.office import Browser, Office, Server, application


@pytest.fixture(autouse=True)
def _quick_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 with the least work, but for the tests that are about it."""
    if "real_passwords" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def real_passwords() -> None:
    passwords._nobody.cache_clear()


@pytest.fixture
def office(database_url: str) -> Office:
    return Office(database_url)


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    running = Server(application(office.url))
    with running.client:
        yield running


@pytest.fixture
def browser(server: Server) -> Browser:
    return server.visitor()
