"""`loa privacy`: hand a person's data over, erase it, and see what is deleted by itself and when."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bot.audit import shell_actor
from bot.cli_database import in_database
from bot.database import DictConnection
from bot.handoff.chatwoot_copies import deleted_at_once
from bot.privacy import erasure, retention
from bot.settings import Settings, SettingsError

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

ChannelOption = Annotated[str, typer.Option(help="telegram, zalo, messenger or webchat; with --address")]
AddressOption = Annotated[str, typer.Option(help="the platform's id of the person")]
ConversationOption = Annotated[int | None, typer.Option(help="the number of the conversation, as the desk shows it")]


@app.command()
def export(
    output: Annotated[Path, typer.Option(dir_okay=False, help="the JSON file to write; it must not exist yet")],
    channel: ChannelOption = "",
    address: AddressOption = "",
    conversation: ConversationOption = None,
) -> None:
    """Write all that is kept of one person into a JSON file, readable by you alone. The log notes that it was done."""
    data = _with_person(channel, address, conversation, lambda c, id_: erasure.export(c, id_, asked_by=shell_actor()))
    if data is None:
        raise SettingsError("Nothing is kept of this person.")
    try:
        output.touch(mode=0o600, exist_ok=False)
        output.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}. Choose a new file.") from error
    console.print(f"{output}: " + ", ".join(f"{len(rows)} {table}" for table, rows in data.items()), highlight=False)


@app.command()
def erase(
    channel: ChannelOption = "",
    address: AddressOption = "",
    conversation: ConversationOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask again")] = False,
) -> None:
    """Delete all that is kept of one person, for good, and print the receipt. The person is told nothing by this command."""
    if not yes:
        typer.confirm("Delete everything of this person? It cannot be undone.", abort=True)
    done = _with_person(channel, address, conversation, _erased)
    if done is None:
        raise SettingsError("Nothing is kept of this person.")
    erased, copy = done
    console.print(f"Erased: {', '.join(f'{count} {table}' for table, count in erased.counts.items())}", highlight=False)
    console.print(f"Receipt: {erased.receipt}", highlight=False)
    if copy:
        console.print(copy, highlight=False)


@app.command("retention")
def show_retention() -> None:
    """What is kept for how long, how much of it is due now, and what the last nights deleted. Nothing is changed."""
    settings = Settings.from_environment()
    rules = retention.rules(settings.keep_days)

    async def look(connection: DictConnection) -> tuple[dict[str, int], list[dict[str, object]]]:
        return await retention.due(connection, rules), await retention.last_rounds(connection)

    due, rounds = _done(settings, look)
    table = Table("kind", "kept for", "setting", "due now")
    for rule in rules:
        table.add_row(rule.kind, f"{rule.days} days", f"LOA_KEEP_{rule.kind.upper()}_DAYS", str(due[rule.kind]))
    console.print(table)
    for night in rounds:
        state = f"deleted {night['deleted']}" if night["finished_at"] else "not finished"
        console.print(f"{night['day']}: {state}", highlight=False)
    if not rounds:
        console.print("No nightly round yet: it runs between 1 and 5 o'clock while Loa serves.")


async def _erased(connection: DictConnection, conversation_id: int) -> tuple[erasure.Erased, str] | None:
    """With a sentence on the copy in Chatwoot: it goes once the deletion here is certain."""
    erased = await erasure.erase(connection, conversation_id, asked_by=shell_actor())
    if erased is None:
        return None
    return erased, await deleted_at_once(connection, Settings.from_environment().chatwoot, conversation_id)


def _with_person(
    channel: str, address: str, conversation: int | None, work: Callable[[DictConnection, int], Awaitable[T | None]]
) -> T | None:
    if (conversation is None) == (not (channel and address)):
        raise SettingsError("Say who: --channel and --address, or --conversation.")

    async def run(connection: DictConnection) -> T | None:
        id_ = conversation or await erasure.conversation_id_of(connection, channel, address)
        return await work(connection, id_) if id_ is not None else None

    return _done(Settings.from_environment(), run)


def _done(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    try:
        return in_database(settings, work)
    except psycopg.OperationalError as error:
        raise SettingsError(f"The database cannot be reached ({type(error).__name__}).") from error
