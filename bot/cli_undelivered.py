"""`loa undelivered`: messages that did not arrive, by the platform's reason; and another try once that is mended."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.settings import Settings

if TYPE_CHECKING:
    from bot.database import DictConnection

console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


def undelivered(
    channel: Annotated[str, typer.Option(help="zalo, telegram or messenger; without it all")] = "",
    hours: Annotated[int, typer.Option(min=1, max=24 * 90, help="of how many hours back")] = 24,
    again: Annotated[bool, typer.Option("--send-again", help="try the failed ones of the channel once more")] = False,
) -> None:
    """Messages that did not arrive, by channel, end and the platform's reason. No words and no names."""
    import psycopg

    from bot.audit import shell_actor
    from bot.cli_database import in_database
    from bot.dialogue import undelivered as messages

    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    if again and not channel:
        errors.print("loa: --send-again needs --channel", style="bold red")
        raise typer.Exit(2)

    async def work(connection: DictConnection) -> tuple[list[messages.Undelivered], int | None]:
        found = await messages.undelivered(connection, since, channel or None)
        sent = await messages.send_again(connection, channel, since, shell_actor()) if again else None
        return found, sent

    try:
        found, sent = in_database(Settings.from_environment(), work)
    except psycopg.OperationalError as error:
        errors.print(f"loa: the database does not answer ({type(error).__name__})", style="bold red", markup=False)
        raise typer.Exit(1) from error
    for one in found:
        span = f"{one.oldest:%Y-%m-%d %H:%M} to {one.newest:%Y-%m-%d %H:%M} UTC"
        _say(f"{one.channel:<10} {one.status:<15} {one.count:>5}  {span}  {one.reason or '–'}")
    if not found:
        _say(f"Everything of the last {hours} hours arrived, or still waits.")
    if sent is not None:
        _say(f"{sent} messages wait for another try; the others have been answered since, or cannot be sent.")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
