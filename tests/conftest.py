"""One real PostgreSQL for the whole run; a fresh, migrated database for every test that asks for `database_url`."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from bot.database import migrate
from bot.postgres import EmbeddedPostgres

for name in [
    name
    for name in os.environ
    if name.startswith(("LOA_", "TELEGRAM_", "ZALO_", "MESSENGER_", "CHATWOOT_", "FEED_")) and name != "LOA_CHROMIUM"
]:
    del os.environ[name]
os.environ["LOA_ENV_FILE"] = os.devnull  # a developer's .env must not change what is tested
os.environ["NO_PROXY"] = "127.0.0.1,localhost"

# A slow or busy machine is no fault of the code.
hypothesis.settings.register_profile("loa", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("loa")

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of the server's database `loa`, migrated; it serves as the template of all others."""
    folder = Path(tempfile.mkdtemp(prefix="loa-pg-"))
    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    migrate(url)
    yield url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def fresh_database(postgres: str) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = postgres.replace("/loa?", "/postgres?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE loa')
    yield postgres.replace("/loa?", f"/{name}?")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(postgres: str) -> Iterator[str]:
    """For what is started once for all tests of a file."""
    with fresh_database(postgres) as url:
        yield url
