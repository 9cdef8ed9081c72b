"""`loa subscriptions`: how the news that citizens asked for stand."""

from __future__ import annotations

import datetime

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bot.channels.webchat import CHANNEL as WEBCHAT
from bot.channels.webchat import SESSION_DAYS
from bot.cli_database import in_database
from bot.database import DictConnection
from bot.languages.catalogue import Catalogue
from bot.postgres import known_address
from bot.settings import ROOT, Settings, SettingsError
from bot.subscriptions.editions import Editions
from bot.subscriptions.sending import Round
from bot.subscriptions.status import REASONS, Standing, Windows, standing
from bot.subscriptions.store import keys

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
# What each of REASONS says.
HELD = ("blocked us", "with a person", "channel off", "outside window", "hour or turn")


@app.callback()
def subscriptions() -> None:
    """News that citizens asked for."""


@app.command()
def status() -> None:
    """Counts per topic and channel: active, with news to come, and what these wait for. Nothing is changed, nobody is named."""
    settings = Settings.from_environment()
    catalogue = Catalogue.load(ROOT, settings.province)
    editions = Editions(catalogue, known_address(settings) or "")

    async def look(connection: DictConnection) -> Standing:
        now = await editions.now(connection, await keys(connection), publish=False)
        return await standing(connection, windows_of(settings), Round(datetime.datetime.now(datetime.UTC), now))

    try:
        _print(in_database(settings, look))
    except psycopg.OperationalError as error:
        raise SettingsError(f"The database cannot be reached ({type(error).__name__}).") from error


def windows_of(settings: Settings) -> Windows:
    """Of the channels that are switched on, as bot/dialogue/corrections.py `windows` has them of a running service."""
    from bot.channels import messenger, zalo

    return {
        WEBCHAT: datetime.timedelta(days=SESSION_DAYS),
        **({"telegram": None} if settings.telegram else {}),
        **({"zalo": zalo.WINDOW} if settings.zalo else {}),
        **({"messenger": messenger.WINDOW} if settings.messenger else {}),
    }


def _print(found: Standing) -> None:
    if not found.rows:
        console.print("Nobody is subscribed to anything.")
    else:
        table = Table("what", "channel", "how often", "active", "news to come", "of these wait for")
        for row in found.rows:
            # As words: a column for each reason leaves a terminal no room for what it is about.
            held = ", ".join(f"{name} {row[reason]}" for name, reason in zip(HELD, REASONS, strict=True) if row[reason])
            what = f"{row['kind']} {row['subject']}"
            table.add_row(what, row["channel"], row["how"], str(row["active"]), str(row["due"]), held or "–")
        console.print(table)
    sent = ", ".join(f"{row['channel']} {row['delivery']} {row['messages']}" for row in found.delivered)
    console.print(
        f"Messages of the last 7 days: {sent or 'none'}. Subscriptions ended within them: {found.ended}.", highlight=False
    )
