"""`loa learn`: what the bot could not answer and what became of it; agreed questions are written as training examples."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import psycopg
import typer
from rich.console import Console

from bot import model, promotion
from bot.audit import shell_actor
from bot.cli_database import in_database
from bot.database import DictConnection
from bot.settings import ROOT, Settings, SettingsError

if TYPE_CHECKING:
    from bot.learn.store import Decision

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)

# Why an agreed question was not written (bot/learn/files.py).
SKIPPED = {
    "known": "are examples already",
    "held_out": "are questions of the tests",
    "masked": "hold too much that is masked, or too little else",
    "intent_gone": "decisions name an intent or language that is no more",
}


@app.command()
def status() -> None:
    """Groups by state and language, agreed topics that are not written yet, and which model runs."""
    from bot.learn import store

    settings = Settings.from_environment()

    async def work(connection: DictConnection) -> tuple[dict[str, dict[str, int]], list[Decision], int]:
        open_tasks = [one for one in await store.tasks(connection) if one.decision and one.decision.task != "done"]
        return await store.counts(connection), await store.agreed_topics(connection), len(open_tasks)

    counts, agreed, tasks = _in_database(settings, work)
    for state, by_language in counts.items():
        languages = ", ".join(f"{tag} {number}" for tag, number in by_language.items())
        _say(f"{state:<10}{sum(by_language.values()):>6} groups" + (f"  ({languages})" if languages else ""))
    _say(f"answers to write: {tasks}")
    waiting = sum(one.applied_at is None for one in agreed)
    _say(f"agreed topics: {len(agreed)}, {waiting} of them not written yet" + (" (loa learn apply)" if waiting else ""))
    noted = promotion.noted(settings)
    is_new = noted is not None and noted.model != f"loa-{model.fingerprint()}.tar.gz"
    _say(
        f"model: {noted.model if noted else 'none noted yet'}"
        + ("; the examples are newer (make train evaluate)" if is_new else "")
    )


@app.command()
def apply(
    trial: Annotated[bool, typer.Option("--trial", help="say what would be written, and write nothing")] = False,
) -> None:
    """Write what two people agreed on into data/nlu/<language>/learned/<topic>.yml, and take out what was undone."""
    from bot.learn import files, store
    from bot.measuring.comparison import topics

    settings, topic_of = Settings.from_environment(), topics()

    async def work(connection: DictConnection) -> files.Written:
        agreed, undone = await store.agreed_topics(connection), await store.undone_keys(connection)
        done = files.write(ROOT, agreed, undone, topic_of.get, is_trial=trial)
        standing = [one.id for one in agreed if one.topic in topic_of]
        if not trial and (done.files or any(one.applied_at is None for one in agreed)):
            await store.mark_applied(connection, standing, done.removed, shell_actor())
        return done

    try:
        done = _in_database(settings, work)
    except OSError as error:
        raise SettingsError(f"The examples cannot be written: {error.strerror} ({error.filename}).") from error
    for path in done.files:
        _say(f"{'would change' if trial else 'written'}: {path.relative_to(ROOT)}")
    _say(f"{done.examples} examples of {len(done.added)} groups added, {len(done.removed)} groups taken out")
    for why, times in done.skipped.items():
        _say(f"not written: {times} {SKIPPED[why]}")
    if done.files and not trial:
        _say("Next: make train evaluate, then loa model promote.")


def _in_database(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    try:
        return in_database(settings, work)
    except psycopg.Error as error:
        raise SettingsError(f"The database cannot be used: {str(error).splitlines()[0]}") from error


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
