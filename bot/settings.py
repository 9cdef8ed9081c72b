"""Settings: the only module that reads the environment.

Every setting has a default that works on a fresh machine. What is missing or half set stops the start with
one sentence that names the variable. Secrets do not show in `repr`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
PROVINCES = ("dak-lak", "thanh-hoa")
# Of staff; bot.staff.accounts has the same.
ROLES = ("operator", "senior", "content", "admin")
DEFAULT_WHO_URL = "https://srhdpeuwpubsa.blob.core.windows.net/whdh/COVID/WHO-COVID-19-global-data.csv"
# Feeds that Loa has an adapter for; without an address all but the WHO's are off. A feed of data/directory/feeds.yml has
# settings of the same form, after its name: so-y-te is FEED_SO_Y_TE_URL and FEED_SO_Y_TE_CA.
FEED_ADDRESSES = ("FEED_WHO_URL", "FEED_NCSC_URL", "FEED_VNCDC_URL", "FEED_TIEMCHUNG_URL", "FEED_PIPEZERO_URL")
FEED_SETTING = re.compile(r"FEED_([A-Z0-9]+(?:_[A-Z0-9]+)*)_(?:URL|CA)")
# Days that each kind of data is kept (bot/privacy/retention.py); the reasons stand in docs/privacy.md.
KEEP_DAYS: Mapping[str, int] = {
    "understood": 30, "trackers": 7, "contacts": 30, "messages": 90, "cases": 365, "conversations": 90, "subscriptions": 365,
}  # fmt: skip
MESSENGER_PAGE = re.compile(r"(?P<page>[A-Za-z0-9_.-]{1,64}):(?P<token>[^\s:,]{4,1000})")


class CannotGoOn(Exception):
    """What ends a command: the message is one sentence for whoever gave it (bot/cli.py)."""


class SettingsError(CannotGoOn):
    """A setting is missing, half set or unusable; the message says which one and what to do."""


@dataclass(frozen=True)
class TelegramSettings:
    """Telegram's bot. Without `LOA_PUBLIC_URL` it polls; with it, Telegram calls our webhook with the secret."""

    token: str = field(repr=False)
    api_url: str
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True)
class ZaloSettings:
    """A Zalo Official Account and the app that speaks for it. `oa_secrets`: of the webhook page, several while one is changed."""

    app_id: str
    app_secret: str = field(repr=False)
    oa_id: str
    oa_secrets: tuple[str, ...] = field(repr=False)
    stale_seconds: float
    button_template: str
    unnamed_echoes: str
    api_url: str
    oauth_url: str

    @property
    def secrets(self) -> tuple[tuple[str, str], ...]:
        """(the setting's name, the secret): what a webhook may be signed with."""
        return (*(("ZALO_OA_SECRET", secret) for secret in self.oa_secrets), ("ZALO_APP_SECRET", self.app_secret))


@dataclass(frozen=True)
class MessengerSettings:
    """The pages of one Meta app. `pages`: the token of each by its id. `human_agent`: Meta has granted operators seven days."""

    pages: Mapping[str, str] = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    human_agent: bool
    api_url: str
    api_version: str


@dataclass(frozen=True)
class ChatwootSettings:
    """A Chatwoot whose agents work on Loa's cases: an inbox of the kind API. `webhook_secrets`: several while one is changed."""

    url: str
    token: str = field(repr=False)
    account_id: int
    inbox_id: int
    webhook_secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class FeedSettings:
    """Where a feed of figures is read, and the file of the one CA certificate that its host is trusted by (None: the usual
    ones). The address may hold a password."""

    url: str | None = field(repr=False)
    ca: str | None


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
    operator_quiet_minutes: float
    desk_claim_minutes: float
    desk_silent_minutes: float
    desk_close_hours: float
    messages_a_minute: int
    log_format: str
    telegram: TelegramSettings | None
    zalo: ZaloSettings | None
    messenger: MessengerSettings | None
    feeds: Mapping[str, FeedSettings]
    figures_minutes: float
    corrections_hold_minutes: float
    drafts: Literal["bilingual", "hide"]
    staff_idle_minutes: float
    totp_roles: frozenset[str]
    chatwoot: ChatwootSettings | None
    keep_days: Mapping[str, int]

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
            operator_quiet_minutes=read.number("LOA_OPERATOR_QUIET_MINUTES", 60.0),
            desk_claim_minutes=read.number("LOA_DESK_CLAIM_MINUTES", 10.0),
            desk_silent_minutes=read.number("LOA_DESK_SILENT_MINUTES", 15.0),
            desk_close_hours=read.number("LOA_DESK_CLOSE_HOURS", 12.0),
            messages_a_minute=read.count("LOA_MESSAGES_A_MINUTE", 20),
            log_format=read.one_of("LOA_LOG_FORMAT", ("console", "json"), "console"),
            telegram=read.telegram(public_url),
            zalo=read.zalo(),
            messenger=read.messenger(),
            feeds=read.feeds(),
            figures_minutes=read.number("LOA_FIGURES_MINUTES", 10.0),
            corrections_hold_minutes=read.number("LOA_CORRECTIONS_HOLD_MINUTES", 60.0),
            drafts="hide" if read.one_of("LOA_DRAFTS", ("bilingual", "hide"), "bilingual") == "hide" else "bilingual",
            staff_idle_minutes=read.number("LOA_STAFF_IDLE_MINUTES", 30.0),
            totp_roles=read.some_of("LOA_TOTP_ROLES", ROLES),
            chatwoot=read.chatwoot(),
            keep_days={kind: read.count_from_one(f"LOA_KEEP_{kind.upper()}_DAYS", days) for kind, days in KEEP_DAYS.items()},
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

    def count(self, name: str, default: int) -> int:
        raw = self.text(name)
        if raw and not (raw.isascii() and raw.isdigit()):
            raise SettingsError(f"{name} must be a whole number, 0 or more, not {raw!r}.")
        return int(raw) if raw else default

    def count_from_one(self, name: str, default: int) -> int:
        value = self.count(name, default)
        if not 0 < value <= 36_500:
            raise SettingsError(f"{name} must be a number of days from 1 on, not {value}.")
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

    def some_of(self, name: str, allowed: tuple[str, ...]) -> frozenset[str]:
        values = frozenset(part.strip() for part in self.text(name).split(",") if part.strip())
        if not values <= set(allowed):
            raise SettingsError(f"{name} must be some of {', '.join(allowed)} with commas, not {self.text(name)!r}.")
        return values

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

    def feeds(self) -> dict[str, FeedSettings]:
        """By name (`so-y-te`): the feeds that something is set for, and the WHO's, which has a public address."""
        set_for = {match[1] for name in self._values if (match := FEED_SETTING.fullmatch(name)) and self.text(name)}
        feeds = {
            name.lower().replace("_", "-"): FeedSettings(self.feed_url(f"FEED_{name}_URL"), self.certificate(f"FEED_{name}_CA"))
            for name in sorted(set_for)
        }
        who = feeds.get("who", FeedSettings(None, None))
        return {**feeds, "who": FeedSettings(who.url or DEFAULT_WHO_URL, who.ca)}

    def feed_url(self, name: str) -> str | None:
        value = self.text(name)
        if value and not re.match(r"https?://[^/]", value):
            raise SettingsError(f"{name} must start with http:// or https:// (the value is not shown: it may hold a password).")
        return value or None

    def certificate(self, name: str) -> str | None:
        path = self.text(name)
        try:
            if path:
                ssl.create_default_context(cafile=path)
        except OSError as error:  # SSLError, for a file that is no certificate, is one
            raise SettingsError(f"{name} must name a file with a CA certificate in PEM form, not {path!r}.") from error
        return str(Path(path).resolve()) if path else None

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

    def zalo(self) -> ZaloSettings | None:
        """None when nothing is set. Ids are strings of digits: they are larger than any number that JSON is safe with."""
        names = ("ZALO_APP_ID", "ZALO_APP_SECRET", "ZALO_OA_ID", "ZALO_OA_SECRET")
        optional = ("ZALO_STALE_SECONDS", "ZALO_BUTTON_TEMPLATE", "ZALO_UNNAMED_ECHOES", "ZALO_API_URL", "ZALO_OAUTH_URL")
        missing = [name for name in names if not self.text(name)]
        if len(missing) == len(names) and not any(self.text(name) for name in optional):
            return None
        if missing:
            raise SettingsError(
                f"Zalo is half set: {', '.join(missing)} missing. Set what docs/zalo.md says, or unset the other ZALO_ variables."
            )
        for name in ("ZALO_APP_ID", "ZALO_OA_ID"):
            if not (self.text(name).isascii() and self.text(name).isdigit()):
                raise SettingsError(f"{name} must be digits, not {self.text(name)!r}.")
        oa_secrets = tuple(part.strip() for part in self.text("ZALO_OA_SECRET").split(",") if part.strip())
        if not oa_secrets:
            raise SettingsError("ZALO_OA_SECRET must hold the OA Secret Key, or several with commas.")
        template = self.text("ZALO_BUTTON_TEMPLATE")
        if not re.fullmatch(r"[a-z_]{0,40}", template):
            raise SettingsError(f"ZALO_BUTTON_TEMPLATE must be a word of small letters and _, not {template!r}.")
        return ZaloSettings(
            app_id=self.text("ZALO_APP_ID"),
            app_secret=self.text("ZALO_APP_SECRET"),
            oa_id=self.text("ZALO_OA_ID"),
            oa_secrets=oa_secrets,
            stale_seconds=self.number("ZALO_STALE_SECONDS", 300.0),
            button_template=template,
            unnamed_echoes=self.one_of("ZALO_UNNAMED_ECHOES", ("ignore", "operator"), "ignore"),
            api_url=self.url("ZALO_API_URL") or "https://openapi.zalo.me",
            oauth_url=self.url("ZALO_OAUTH_URL") or "https://oauth.zaloapp.com",
        )

    def messenger(self) -> MessengerSettings | None:
        """None when nothing is set. The pages' tokens are never shown, not even in an error."""
        names = ("MESSENGER_PAGES", "MESSENGER_APP_SECRET", "MESSENGER_VERIFY_TOKEN")
        optional = ("MESSENGER_HUMAN_AGENT", "MESSENGER_API_URL", "MESSENGER_API_VERSION")
        missing = [name for name in names if not self.text(name)]
        if len(missing) == len(names) and not any(self.text(name) for name in optional):
            return None
        if missing:
            raise SettingsError(
                f"Messenger is half set: {', '.join(missing)} missing. Set what docs/messenger.md says, "
                "or unset the other MESSENGER_ variables."
            )
        version = self.text("MESSENGER_API_VERSION") or "v25.0"
        if not re.fullmatch(r"v\d{1,3}\.\d", version):
            raise SettingsError(f"MESSENGER_API_VERSION must look like v25.0, not {version!r}.")
        return MessengerSettings(
            pages=self.messenger_pages("MESSENGER_PAGES"),
            app_secret=self.text("MESSENGER_APP_SECRET"),
            verify_token=self.text("MESSENGER_VERIFY_TOKEN"),
            human_agent=self.one_of("MESSENGER_HUMAN_AGENT", ("on", "off"), "off") == "on",
            api_url=self.url("MESSENGER_API_URL") or "https://graph.facebook.com",
            api_version=version,
        )

    def chatwoot(self) -> ChatwootSettings | None:
        """None when nothing is set."""
        names = ("CHATWOOT_URL", "CHATWOOT_TOKEN", "CHATWOOT_ACCOUNT_ID", "CHATWOOT_INBOX_ID", "CHATWOOT_WEBHOOK_SECRET")
        missing = [name for name in names if not self.text(name)]
        if len(missing) == len(names):
            return None
        if missing:
            raise SettingsError(
                f"Chatwoot is half set: {', '.join(missing)} missing. Set what docs/chatwoot.md says, "
                "or unset the other CHATWOOT_ variables."
            )
        for name in ("CHATWOOT_ACCOUNT_ID", "CHATWOOT_INBOX_ID"):
            if not re.fullmatch(r"[1-9][0-9]{0,17}", self.text(name)):
                raise SettingsError(f"{name} must be the number in Chatwoot's address bar, not {self.text(name)!r}.")
        secrets_ = tuple(part.strip() for part in self.text("CHATWOOT_WEBHOOK_SECRET").split(",") if part.strip())
        if not secrets_:
            raise SettingsError("CHATWOOT_WEBHOOK_SECRET must hold the inbox's webhook secret, or several with commas.")
        return ChatwootSettings(
            url=self.url("CHATWOOT_URL"),
            token=self.text("CHATWOOT_TOKEN"),
            account_id=int(self.text("CHATWOOT_ACCOUNT_ID")),
            inbox_id=int(self.text("CHATWOOT_INBOX_ID")),
            webhook_secrets=secrets_,
        )

    def messenger_pages(self, name: str) -> dict[str, str]:
        listed = [part.strip() for part in self.text(name).split(",") if part.strip()]
        found = [match for part in listed if (match := MESSENGER_PAGE.fullmatch(part))]
        pages = {match["page"]: match["token"] for match in found}
        if not pages or len(pages) != len(listed):
            raise SettingsError(
                f"{name} must be page_id:token, commas between several, each page once (not shown here: it holds tokens)."
            )
        return pages


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
