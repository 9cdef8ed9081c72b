"""One real PostgreSQL for the whole run; a fresh, migrated database for every test that asks for `database_url`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bot.database import migrate
from bot.postgres import EmbeddedPostgres
from tests.chromium import FLAGS, WAIT_MS, chromium_or_skip
from tests.databases import Databases
from tests.dates import keep_answers_valid
from tests.simulators.rasa import RasaSimulator

for name in [
    name
    for name in os.environ
    if name.startswith(("LOA_", "TELEGRAM_", "ZALO_", "MESSENGER_", "CHATWOOT_", "FEED_")) and name != "LOA_CHROMIUM"
]:
    del os.environ[name]
os.environ["LOA_ENV_FILE"] = os.devnull  # a developer's .env must not change what is tested
os.environ["NO_PROXY"] = "127.0.0.1,localhost"

keep_answers_valid()

# A slow or busy machine is no fault of the code.
expect.set_options(timeout=WAIT_MS)
hypothesis.settings.register_profile("loa", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("loa")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of the server's database `loa`, migrated; it serves as the template of all others."""
    folder = Path(tempfile.mkdtemp(prefix="loa-pg-"))
    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing here must survive the machine.
        for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    migrate(url)
    yield url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Its microphone hears a beep, without asking. Not for the whole run: playwright keeps an event loop of its own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_or_skip(playwright), args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    return Databases(postgres)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    with databases.one() as url:
        yield url


@pytest.fixture(scope="module")
def shared_database_url(databases: Databases) -> Iterator[str]:
    """For what is started once for all tests of a file."""
    with databases.one() as url:
        yield url


@pytest.fixture
def rasa() -> Iterator[RasaSimulator]:
    simulator = RasaSimulator()
    yield simulator
    simulator.close()
