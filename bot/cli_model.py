"""`loa model`: which model answers, which may take its place, and the way back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import httpx
import psycopg
import typer
from rich.console import Console

from bot import model, promotion
from bot.audit import Action, entry, shell_actor
from bot.cli_database import in_database
from bot.database import DictConnection
from bot.promotion import CannotPromote, Noted
from bot.settings import ROOT, Settings, SettingsError

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

# A load takes about twenty seconds, and as long again when the model does not come up and the one before takes its place.
FOLLOW_SECONDS = 420.0
# The exit code of bot.measuring.compare for models that cannot be compared.
UNLIKE = 2


@app.command("list")
def list_all() -> None:
    """Every trained model, the newest first: when, from how many examples, how it compares, and which one runs."""
    settings = Settings.from_environment()
    noted, serving, program = promotion.noted(settings), promotion.serving(settings), model.program()
    found = sorted(settings.models.glob("loa-*.tar.gz"), key=lambda path: -path.stat().st_mtime)
    if not found:
        _say("There is no model yet: loa train")
    for path in found:
        about = model.described(path) or {}
        told = [f"{about.get('examples', '?')} examples, {about.get('learned', '?')} learned", str(about.get("trained_at", "?"))]
        _say("  ".join([f"{path.name:<26}", *told, *_marks(path, noted, about.get("program") == program)]))
    if noted:
        why = f": {noted.reason}" if noted.reason else ""
        _say(f"{noted.model} runs since {noted.since}, by {noted.by}{why}")
    if noted and serving and (serving.model, serving.state) != (noted.model, "running"):
        _say(f"loa up: {serving.model} {serving.state}")


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="a name of `loa model list`; without it the model of today's data")] = "",
    reason: Annotated[
        str, typer.Option(help="promote although it is worse, or cannot be compared; goes into the audit log")
    ] = "",
) -> None:
    """Let a model answer from now on. It is compared with the running one first, and a worse one is refused."""
    settings = Settings.from_environment()
    path = _fit(settings, name)
    noted = promotion.noted(settings)
    if noted and noted.model == path.name:
        raise SettingsError(f"{path.name} runs already.")
    worse = _compared_to(settings, noted, path)
    if worse and not reason.strip():
        errors.print("\n".join([f"{path.name} is not promoted:", *worse]), markup=False, highlight=False)
        errors.print('If it must be: loa model promote --reason "why"', markup=False, highlight=False)
        raise typer.Exit(1)
    _change(settings, "model_promoted", lambda by: promotion.note(settings, path, by, reason.strip()), worse=worse)


@app.command()
def rollback(reason: Annotated[str, typer.Option(help="goes into the audit log")] = "") -> None:
    """Go back to the model that ran before this one."""
    settings = Settings.from_environment()
    _change(settings, "model_rolled_back", lambda by: promotion.note_back(settings, by, reason.strip()), worse=[])


def compare(settings: Settings, running: Path, new: Path) -> dict[str, Any] | None:
    """Ask both models the held-out questions, or take the comparison that was made already; None when they cannot be compared.

    In a process of its own: the models' libraries are not loaded with the commands.
    """
    from bot.measuring.comparison import asked_version

    out = new.with_name(f"{new.name}.against-{running.name}.json")
    known = _read(out)
    if known is None or known.get("asked") != asked_version():
        command = [sys.executable, "-m", "bot.measuring.compare", str(running), str(new), str(out)]
        if subprocess.call(command, cwd=ROOT) == UNLIKE:  # noqa: S603
            return None
        return _read(out)
    _print_table(known)
    return known


def _print_table(known: dict[str, Any]) -> None:
    from bot.measuring.comparison import lines_of, table

    for line in table(lines_of(known["lines"])):
        _say(line)


def _fit(settings: Settings, name: str) -> Path:
    try:
        return promotion.checked(settings, name or f"loa-{model.fingerprint()}.tar.gz")
    except CannotPromote as error:
        raise SettingsError(f"{error} {'' if name else 'Train it first: loa train.'}".strip()) from error


def _compared_to(settings: Settings, noted: Noted | None, path: Path) -> list[str]:
    """In what the model is worse than the running one; empty where nothing runs yet."""
    if noted is None:
        return []
    running = settings.models / noted.model
    if not model.is_ours(running) or (found := compare(settings, running, path)) is None:
        return [f"it cannot be compared: {noted.model} is not there any more, or is of another program"]
    return [str(sentence) for sentence in found["worse"]]


def _change(settings: Settings, action: Action, write: Callable[[str], Noted], *, worse: list[str]) -> None:
    """Note the model and the entry in the log together: no log, no change."""
    by = shell_actor()
    before = promotion.noted(settings)

    async def work(connection: DictConnection) -> Noted:
        async with connection.transaction():
            noted = write(by)
            left = before.model if before else None
            await connection.execute(*entry(by, action, noted.model, before=left, reason=noted.reason, worse=worse))
        return noted

    try:
        noted = in_database(settings, work)
    except CannotPromote as error:
        raise SettingsError(str(error)) from error
    except psycopg.Error as error:
        promotion.restore(settings, before)
        raise SettingsError(f"Nothing was changed, the database cannot be used: {str(error).splitlines()[0]}") from error
    _say(f"{noted.model} is noted as the model that runs.")
    _follow(settings, noted)


def _follow(settings: Settings, noted: Noted) -> None:
    """Wait until a running `loa up` has switched, and tell what came of it."""
    if settings.rasa_url:
        _say("Rasa runs elsewhere (LOA_RASA_URL): bring it the file and start it again, see docs/learning.md.")
        return
    if promotion.serving(settings) is None or not _is_up(settings):
        _say("`loa up` takes it at its next start.")
        return
    deadline = time.monotonic() + FOLLOW_SECONDS
    while time.monotonic() < deadline:
        serving = promotion.serving(settings)
        if serving is None:
            _say("`loa up` has stopped; it takes the model at its next start.")
            return
        if serving.state == "failed":
            raise SettingsError(f"{noted.model} did not come up; {serving.model} answers again. The log of `loa up` says why.")
        if (serving.model, serving.state) == (noted.model, "running"):
            _say(f"{noted.model} answers now.")
            return
        time.sleep(0.5)
    raise SettingsError("`loa up` does not say that it has switched; look at its log.")


def _is_up(settings: Settings) -> bool:
    """What a `loa up` said stays behind when it is killed."""
    try:
        return httpx.get(f"{settings.address}/health/live", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _marks(path: Path, noted: Noted | None, is_of_program: bool) -> list[str]:
    marks = []
    if noted and path.name == noted.model:
        marks.append("RUNS")
    elif noted and path.name in noted.before:
        marks.append("ran before")
    if not is_of_program:
        marks.append("of another program")
    if not model.is_ours(path):
        marks.append("not the file that was trained")
    known = _read(path.with_name(f"{path.name}.against-{noted.model}.json")) if noted else None
    if known:
        marks.append("worse" if known["worse"] else "as good or better")
    return marks


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and {"worse", "lines", "asked"} <= set(content) else None


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
