"""`loa up`: everything on one machine, in the order that lets messages in first.

settings → lock → ports → PostgreSQL → migrations → gateway (webhooks are stored from here on) → model → Rasa, actions.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import yaml

from bot import model, ports, promotion
from bot.database import migrate
from bot.figures.feeds import enabled_feeds
from bot.languages.catalogue import Catalogue
from bot.postgres import EmbeddedPostgres
from bot.settings import ROOT, Settings, SettingsError, ensure_home, kept_secret
from bot.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PARTS_FILE, Part, Supervisor, say
from bot.yaml_files import read_yaml

MINIMUM_FREE_BYTES = 300 * 1024 * 1024
READY_SECONDS = 180.0
# How often `loa up` looks whether another model was promoted, and how long messages wait for it.
LOOK_FOR_MODEL_SECONDS = 1.0
SWITCH_SECONDS = 120.0
# Somebody may save a file of examples while the model is being trained.
TRAININGS = 3


# Called with the gateway's address once all is ready; True means "go on serving".
WhenReady = Callable[[str], Awaitable[bool]]


@dataclass
class Foundation:
    """What stands before the first process is started. `postgres` is None when the server is somebody else's. The addresses
    change when a part has to move; `held` are the ports of this start."""

    postgres: EmbeddedPostgres | None
    database_url: str
    rasa_url: str
    rasa_token: str
    actions_url: str
    held: list[socket.socket] = field(default_factory=list)

    def hold(self, preferred: int = 0) -> str:
        """The address of a port that no other start chooses."""
        self.held.append(ports.hold(preferred))
        return f"http://{ports.LOOPBACK}:{self.held[-1].getsockname()[1]}"


def up(settings: Settings, *, quiet: bool = False, when_ready: WhenReady | None = None) -> None:
    """Run until Ctrl-C or SIGTERM. Raises SettingsError with one sentence when it cannot start."""
    with prepared(settings) as foundation:
        asyncio.run(_serve(settings, foundation, quiet=quiet, when_ready=when_ready or _print_ready))


@contextlib.contextmanager
def prepared(settings: Settings) -> Iterator[Foundation]:
    """Everything that must stand before a process is started; PostgreSQL is stopped on the way out."""
    ensure_home(settings)
    _check_disk(settings.home)
    with _only_one(settings.home):
        # A broken file stops the start with its name, not the gateway in a loop.
        Catalogue.load(ROOT, settings.province, drafts=settings.drafts)
        enabled_feeds(settings)  # so does a wrong line in data/directory/feeds.yml
        _check_port(settings.http_host, settings.http_port)
        kept_secret(settings)
        with _database(settings) as (postgres, database_url):
            applied = _migrated(database_url)
            say("loa", f"database ready ({len(applied)} migrations applied)" if applied else "database ready")
            token = settings.rasa_token or secrets.token_urlsafe(24)
            foundation = Foundation(postgres, database_url, settings.rasa_url or "", token, settings.actions_url or "")
            foundation.rasa_url = foundation.rasa_url or foundation.hold(5005)
            foundation.actions_url = foundation.actions_url or foundation.hold(5055)
            try:
                yield foundation
            finally:
                for held in foundation.held:
                    held.close()


async def _serve(settings: Settings, foundation: Foundation, *, quiet: bool, when_ready: WhenReady) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    supervisor = Supervisor(ROOT, settings.run / PARTS_FILE, quiet=quiet)
    database = asyncio.create_task(_keep_database(foundation.postgres, supervisor))
    following: asyncio.Task[None] | None = None
    environment = _environment(settings, foundation)
    try:
        gateway = _gateway(settings, environment)
        supervisor.start(gateway)
        path = await _until(stopping, _model(settings, supervisor))
        if path is None:
            return
        parts = _brain(settings, foundation, environment, path)
        moving = Moving(settings, foundation, supervisor, [gateway, *parts])
        for part in parts:
            part.move = partial(moving.move, part)
            supervisor.start(part)
        if not settings.rasa_url:
            switching = Switching(settings, foundation, supervisor, parts[0], path)
            following = asyncio.create_task(switching.follow())
        if await _until(stopping, _ready(settings, supervisor, [gateway, *parts])) and await _until(
            stopping, when_ready(settings.address)
        ):
            await stopping.wait()
    finally:
        say("loa", "stopping")
        if following:
            following.cancel()
            promotion.tell_nothing(settings)
        await supervisor.stop()
        database.cancel()


async def _keep_database(postgres: EmbeddedPostgres | None, supervisor: Supervisor) -> None:
    """Start the embedded server again when it died; the gateway stores nothing meanwhile and tells platforms 503."""
    pause = FIRST_PAUSE_SECONDS
    while postgres is not None:
        await asyncio.sleep(pause)
        if await asyncio.to_thread(postgres.is_running):
            pause = FIRST_PAUSE_SECONDS
            continue
        supervisor.note("database", "the embedded PostgreSQL died and is being started again")
        say("loa", "the embedded PostgreSQL died; starting it again")
        try:
            await asyncio.to_thread(postgres.start)
        except SettingsError as error:
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            say("loa", f"{error} Trying again in {pause:.0f} s.")


def _environment(settings: Settings, foundation: Foundation) -> dict[str, str]:
    return {
        **model.QUIET_RASA,
        "LOA_HOME": str(settings.home),
        "LOA_DATABASE_URL": foundation.database_url,
        "LOA_RASA_TOKEN": foundation.rasa_token,
        **_addresses(foundation),
    }


def _addresses(foundation: Foundation) -> dict[str, str]:
    return {"LOA_RASA_URL": foundation.rasa_url, "LOA_ACTIONS_URL": foundation.actions_url}


async def _model(settings: Settings, supervisor: Supervisor) -> Path:
    """The promoted model, else that of today's data, trained in a process of its own if there is none yet; raises
    TrainingFailed."""
    if settings.rasa_url:
        return Path()
    promotion.end_switch(settings)
    if promoted := await asyncio.to_thread(promotion.to_run, settings):
        if promoted.name != f"loa-{model.fingerprint()}.tar.gz":
            say(
                "loa",
                f"running {promoted.name}; the learned examples are newer (loa train, loa evaluate --compare, loa model promote)",
            )
        return promoted
    if known := await asyncio.to_thread(model.trained_model, settings):
        return known
    train = Part("train", [sys.executable, "-m", "bot.cli", "train"], {"LOA_HOME": str(settings.home)})
    for _ in range(TRAININGS):
        if code := await supervisor.run_to_end(train):
            raise model.TrainingFailed(f"the training ended with exit code {code}; its lines above say why")
        if trained := await asyncio.to_thread(model.trained_model, settings):
            return trained
        say("train", "the data changed while it was being learned; training again")
    raise model.TrainingFailed("the data changed during every training; start again when nobody edits it")


class Switching:
    """Follows the note of which model runs (bot/promotion.py): Rasa is started again with a promoted model, while messages wait.
    A model that Rasa cannot serve gives its place back."""

    def __init__(self, settings: Settings, foundation: Foundation, supervisor: Supervisor, rasa: Part, path: Path) -> None:
        self._settings, self._foundation, self._supervisor, self._rasa = settings, foundation, supervisor, rasa
        self._path = path
        if promotion.to_run(settings) != path:
            promotion.note(settings, path, "loa up", "the model of the data at the start")
        promotion.tell(settings, path.name, "running")

    async def follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_FOR_MODEL_SECONDS)
            noted = promotion.noted(self._settings)
            if noted is None or noted.model == self._path.name:
                continue
            wanted = await asyncio.to_thread(promotion.to_run, self._settings)
            if wanted is not None and wanted != self._path:
                await self._switch(wanted)

    async def _switch(self, wanted: Path) -> None:
        before, self._path = self._path, wanted
        say("loa", f"switching to {wanted.name}; messages wait")
        if await self._serves(wanted):
            promotion.tell(self._settings, wanted.name, "running")
            say("loa", f"{wanted.name} answers now")
            return
        say("loa", f"{wanted.name} does not come up; going back to {before.name}")
        self._path = before
        promotion.give_back(self._settings, before, f"{wanted.name} did not come up")
        await self._serves(before)
        promotion.tell(self._settings, before.name, "failed")

    async def _serves(self, path: Path) -> bool:
        """Whether Rasa answers with this model within the time."""
        promotion.tell(self._settings, path.name, "loading")
        promotion.begin_switch(self._settings, SWITCH_SECONDS)
        self._supervisor.note("rasa", f"{path.name} is being loaded")
        try:
            await self._supervisor.renew(self._rasa, _with(self._rasa.command, "--model", str(path)))
            return await self._is_loaded()
        finally:
            promotion.end_switch(self._settings)

    async def _is_loaded(self) -> bool:
        import httpx

        started, restarts = time.monotonic(), self._rasa.restarts
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() - started < READY_SECONDS and self._rasa.restarts == restarts:
                await asyncio.sleep(0.25)
                with contextlib.suppress(httpx.HTTPError):
                    response = await client.get(f"{self._foundation.rasa_url}/webhooks/loa/", timeout=5)
                    if response.status_code == 200 and self._supervisor.is_listening(self._rasa):
                        return True
        return False


class Moving:
    """Gives Rasa or the action server another port when another program listens on theirs, and starts who calls it again."""

    def __init__(self, settings: Settings, foundation: Foundation, supervisor: Supervisor, parts: Sequence[Part]) -> None:
        self._settings, self._foundation, self._supervisor, self._parts = settings, foundation, supervisor, parts

    async def move(self, part: Part) -> None:
        """Between the end of `part` and its next start."""
        address = self._foundation.hold()
        say("loa", f"{part.name} moves to {address}; who calls it there is started again")
        if part.name == "rasa":
            self._foundation.rasa_url = address
        else:
            self._foundation.actions_url = address
            _endpoints(self._settings, self._foundation)
        part.port = int(address.rpartition(":")[2])
        part.command = _with(part.command, "--port", str(part.port))
        for each in self._parts:
            each.environment = {**each.environment, **_addresses(self._foundation)}
        # The gateway calls both, Rasa the action server.
        callers = [each for each in self._parts if each is not part and (each.name == "gateway" or part.name == "actions")]
        await asyncio.gather(*(self._supervisor.renew(each, each.command) for each in callers))


def _with(command: Sequence[str], option: str, value: str) -> list[str]:
    place = list(command).index(option) + 1
    return [*command[:place], value, *command[place + 1 :]]


async def _ready(settings: Settings, supervisor: Supervisor, parts: Sequence[Part]) -> bool:
    """True once /health/ready is green and it is our parts that answer; says once what is missing when that takes long. Raises
    SettingsError when another program took the gateway's port before the gateway could."""
    import httpx  # here: the gateway has been started by now, and did not wait for it

    started, told = time.monotonic(), False
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                response = await client.get(f"{settings.address}/health/ready", timeout=5)
                missing = response.text
                if response.status_code == 200 and all(supervisor.is_listening(part) for part in parts):
                    return True
            except httpx.HTTPError as error:
                missing = f"{settings.address} does not answer ({type(error).__name__})"
            gateway = parts[0]
            if gateway.restarts and not supervisor.is_running(gateway) and _is_answered(settings):
                raise _taken(settings.http_host, settings.http_port, errno.EADDRINUSE)
            if not told and time.monotonic() - started > READY_SECONDS:
                told = True
                say("loa", f"still not ready: {missing}")
            await asyncio.sleep(0.25)


async def _until(stopping: asyncio.Event, work: Any) -> Any:
    """The result of `work`, or None when the service is told to stop first."""
    task, stop = asyncio.ensure_future(work), asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not task.done():
        task.cancel()
        return None
    return task.result()


def _gateway(settings: Settings, environment: dict[str, str]) -> Part:
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "bot.serving:create", "--host", settings.http_host, "--port",
        str(settings.http_port), "--ws", "none", "--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3",
    ]  # fmt: skip
    return Part("gateway", command, environment, settings.http_port)


def _brain(settings: Settings, foundation: Foundation, environment: dict[str, str], path: Path) -> list[Part]:
    parts = []
    if not settings.rasa_url:
        endpoints = _endpoints(settings, foundation)
        command = [
            sys.executable, "-m", "rasa", "run", "--model", str(path), "--endpoints", str(endpoints), "--credentials",
            "credentials.yml", "--interface", ports.LOOPBACK, "--port", (port := foundation.rasa_url.rpartition(":")[2]),
        ]  # fmt: skip
        parts.append(Part("rasa", command, environment, int(port)))
    if not settings.actions_url:
        port = foundation.actions_url.rpartition(":")[2]
        command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", port]
        # rasa-sdk authenticates nobody and listens everywhere unless its web server is told otherwise.
        parts.append(Part("actions", command, {**environment, "SANIC_HOST": ports.LOOPBACK}, int(port)))
    return parts


def _endpoints(settings: Settings, foundation: Foundation) -> Path:
    """The repository's endpoints.yml with the action server's real address."""
    content = read_yaml(ROOT / "endpoints.yml")
    content["action_endpoint"]["url"] = f"{foundation.actions_url}/webhook"
    path = settings.run / "endpoints.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[tuple[EmbeddedPostgres | None, str]]:
    if settings.database_url:
        yield None, settings.database_url
        return
    postgres = EmbeddedPostgres(settings.home / "postgres")
    url = postgres.start()
    note = settings.run / "database_url"
    note.write_text(url)
    try:
        yield postgres, url
    finally:
        note.unlink(missing_ok=True)
        postgres.stop()
        say("loa", "database stopped")


def _migrated(database_url: str) -> list[str]:
    try:
        return migrate(database_url)
    except psycopg.Error as error:
        raise SettingsError(f"The database cannot be used: {str(error).splitlines()[0]} Check LOA_DATABASE_URL.") from error


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """A lock that the kernel releases even after SIGKILL: one `loa up` per LOA_HOME."""
    with (home / "run" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"Loa is already running with LOA_HOME={home}. Stop it first, or choose another LOA_HOME."
            ) from error
        yield


def _check_disk(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < MINIMUM_FREE_BYTES:
        raise SettingsError(
            f"The disk below {home} is full: {free // 2**20} MB free, {MINIMUM_FREE_BYTES // 2**20} MB are needed. "
            "Free some space or set LOA_HOME elsewhere."
        )


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _taken(host, port, error.errno or 0) from error


def _is_answered(settings: Settings) -> bool:
    return ports.is_answered(settings.http_port, urlsplit(settings.address).hostname or ports.LOOPBACK)


def _taken(host: str, port: int, number: int) -> SettingsError:
    return SettingsError(f"Port {port} on {host} cannot be used ({os.strerror(number)}). Set LOA_HTTP_PORT to a free one.")


async def _print_ready(address: str) -> bool:
    say("loa", f"ready: {address}")
    return True
