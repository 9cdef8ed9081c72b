"""A PostgreSQL of the benchmark's own, with our tables, gone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.database import migrate
from bot.postgres import EmbeddedPostgres


@contextmanager
def migrated_postgres(folder: Path) -> Iterator[str]:
    """Its address."""
    server = EmbeddedPostgres(folder / "postgres")
    url = server.start()
    try:
        migrate(url)
        yield url
    finally:
        server.stop()
