"""`loa report`: the weekly report for the steering committee, printed or as a PDF of one page."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.settings import ROOT, Settings, SettingsError

if TYPE_CHECKING:
    from bot.database import DictConnection
    from bot.insights.report import Report

console = Console(soft_wrap=True)


def report(
    week: Annotated[str, typer.Option(help="for example 2026-W47; the last week that is over without it")] = "",
    output: Annotated[Path | None, typer.Option(dir_okay=False, help="write a PDF here; printed without it")] = None,
) -> None:
    """One week for the steering committee: what people asked, new worries, rumours, what failed and what was corrected."""
    import psycopg

    from bot.cli_database import in_database
    from bot.insights.report import Reporter, Week, WeekRefused, as_text
    from bot.insights.rollups import VIETNAM
    from bot.languages.catalogue import Catalogue

    settings, now = Settings.from_environment(), datetime.datetime.now(VIETNAM)
    reporter = Reporter(ROOT, Catalogue.load(ROOT, settings.province, drafts=settings.drafts, home=settings.home))
    try:
        wanted = Week.parse(week, now.date())
    except WeekRefused as refused:
        raise SettingsError(reporter.words[refused.reason]) from refused

    async def work(connection: DictConnection) -> Report:
        return await reporter.read(connection, wanted, now)

    try:
        read = in_database(settings, work)
    except psycopg.OperationalError as error:
        raise SettingsError(f"The database does not answer ({type(error).__name__}).") from error
    if output is None:
        console.print(as_text(read), markup=False, highlight=False)
        return
    from bot.insights.report_pdf import pdf

    try:
        output.write_bytes(pdf(read, now))
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}.") from error
    console.print(f"{output}: {wanted}", markup=False, highlight=False)
