"""Settings: the only module that reads the environment.

Every setting has a default that works on a fresh machine. What is missing or half set stops the start with
one sentence that names the variable. Secrets do not show in `repr`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
PROVINCES = ("dak-lak", "thanh-hoa")
DEFAULT_WHO_URL = "https://srhdpeuwpubsa.blob.core.windows.net/whdh/COVID/WHO-COVID-19-global-data.csv"
# Channels of the contract that this version does not carry yet: set, they are named at start and stay off.
CHANNELS_TO_COME = {"ZALO_": "Zalo", "MESSENGER_": "Messenger"}


class SettingsError(Exception):
    """A setting is missing, half set or unusable; the message says which one and what to do."""


@dataclass(frozen=True)
class TelegramSettings:
    """Telegram's bot. Without `LOA_PUBLIC_URL` it polls; with it, Telegram calls our webhook with the secret."""

    token: str = field(repr=False)
    api_url: str
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """What one deployment is told. URLs have no trailing slash; times are seconds; paths are absolute."""

    home: Path
    http_host: str
    http_port: int
    public_url: str
    database_url: str | None = field(repr=False)
    secret_key: str = field(repr=False)
    province: str
    rasa_url: str | None
    rasa_token: str = field(repr=False)
    actions_url: str | None
    turn_deadline_seconds: float
    worker_inside: bool
    worker_concurrency: int
    sweep_seconds: float
    log_format: str
    telegram: TelegramSettings | None
    feed_who_url: str
    not_yet: tuple[str, ...] = ()

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def run(self) -> Path:
        """Where the running service leaves its state (parts, addresses, endpoints)."""
        return self.home / "run"

    @property
    def address(self) -> str:
        """The address at which this machine reaches the gateway."""
        host = "127.0.0.1" if self.http_host in {"0.0.0.0", "::", ""} else self.http_host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.http_port}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment over `.env`; raise `SettingsError` with the variable's name."""
        values = environment if environment is not None else _environment_over_dotenv()
        read = _Reader(values)
        public_url = read.url("LOA_PUBLIC_URL")
        home = Path(read.text("LOA_HOME") or ROOT / ".loa").expanduser().resolve()
        return cls(
            home=home,
            http_host=read.text("LOA_HTTP_HOST") or "127.0.0.1",
            http_port=read.port("LOA_HTTP_PORT", 8080),
            public_url=public_url,
            database_url=read.database_url("LOA_DATABASE_URL"),
            secret_key=read.text("LOA_SECRET_KEY"),
            province=read.one_of("LOA_PROVINCE", PROVINCES, "dak-lak"),
            rasa_url=read.url("LOA_RASA_URL") or None,
            rasa_token=read.text("LOA_RASA_TOKEN"),
            actions_url=read.url("LOA_ACTIONS_URL") or None,
            turn_deadline_seconds=read.number("LOA_TURN_DEADLINE_SECONDS", 20.0),
            worker_inside=read.one_of("LOA_WORKER", ("inside", "alone"), "inside") == "inside",
            worker_concurrency=int(read.number("LOA_WORKER_CONCURRENCY", 16)),
            sweep_seconds=read.number("LOA_SWEEP_SECONDS", 60.0),
            log_format=read.one_of("LOA_LOG_FORMAT", ("console", "json"), "console"),
            telegram=read.telegram(public_url),
            feed_who_url=read.url("FEED_WHO_URL") or DEFAULT_WHO_URL,
            not_yet=tuple(
                f"{name}: this version has no {channel} channel yet, the setting does nothing"
                for name in sorted(values)
                for prefix, channel in CHANNELS_TO_COME.items()
                if name.startswith(prefix) and values[name]
            ),
        )


class _Reader:
    """Turns strings of the environment into checked values, naming the variable in each error."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        return self._values.get(name, "").strip()

    def number(self, name: str, default: float) -> float:
        raw = self.text(name)
        try:
            value = float(raw) if raw else default
        except ValueError as error:
            raise SettingsError(f"{name} must be a number, not {raw!r}.") from error
        if value <= 0:
            raise SettingsError(f"{name} must be greater than zero, not {raw!r}.")
        return value

    def port(self, name: str, default: int) -> int:
        raw = self.text(name)
        if raw and not (raw.isascii() and raw.isdigit() and 0 < int(raw) < 65536):
            raise SettingsError(f"{name} must be a port between 1 and 65535, not {raw!r}.")
        return int(raw) if raw else default

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        return value

    def url(self, name: str) -> str:
        value = self.text(name).rstrip("/")
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise SettingsError(f"{name} must be an address that starts with http:// or https://, not {value!r}.")
        return value

    def database_url(self, name: str) -> str | None:
        value = self.text(name)
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise SettingsError(f"{name} must start with postgresql:// (the value is not shown: it may hold a password).")
        return value or None

    def telegram(self, public_url: str) -> TelegramSettings | None:
        token, secret = self.text("TELEGRAM_TOKEN"), self.text("TELEGRAM_WEBHOOK_SECRET")
        if not token and (secret or self.text("TELEGRAM_API_URL")):
            raise SettingsError(
                "Telegram is half set: TELEGRAM_TOKEN is missing. Set it, or unset the other TELEGRAM_ variables."
            )
        if not token:
            return None
        if public_url and not secret:
            raise SettingsError(
                "Telegram is half set: LOA_PUBLIC_URL turns its webhook on, so TELEGRAM_WEBHOOK_SECRET is needed "
                "(any 16 to 256 letters, digits, _ or -). Set it, or unset LOA_PUBLIC_URL to poll."
            )
        if secret and not (16 <= len(secret) <= 256 and secret.replace("_", "").replace("-", "").isalnum() and secret.isascii()):
            raise SettingsError("TELEGRAM_WEBHOOK_SECRET must be 16 to 256 letters, digits, _ or -.")
        return TelegramSettings(
            token=token, api_url=self.url("TELEGRAM_API_URL") or "https://api.telegram.org", webhook_secret=secret
        )


def _environment_over_dotenv() -> dict[str, str]:
    """One file for the service and every process it starts, wherever they were started: `.env` beside the Makefile."""
    path = os.environ.get("LOA_ENV_FILE") or ROOT / ".env"
    from_file = {name: value for name, value in dotenv_values(path).items() if value is not None}
    return {**from_file, **os.environ}


@contextlib.contextmanager
def own_runtime_folder() -> Iterator[None]:
    """While this holds, XDG_RUNTIME_DIR is a short folder of this user alone.

    The embedded PostgreSQL's wheel takes its lock file and, for long paths, its socket folder from there at import, and
    falls back to one file in /tmp for all users of the machine, which the second user may not open.
    """
    folder = Path(tempfile.gettempdir()) / f"loa-{os.getuid()}"
    (folder / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # platformdirs refuses a runtime folder that others may look into
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


def ensure_home(settings: Settings) -> Path:
    """Make LOA_HOME writable for us, or say in one sentence why it cannot be."""
    probe = settings.home / ".writable"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        settings.run.mkdir(exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"LOA_HOME cannot be written: {settings.home} ({error.strerror}). Choose another folder.") from error
    return settings.home


def kept_secret(settings: Settings) -> str:
    """The signing key: `LOA_SECRET_KEY`, or one made on the first start and kept in LOA_HOME, readable by us alone."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret_key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
