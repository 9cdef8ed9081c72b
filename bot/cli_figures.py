"""`loa figures`: what is told now, how the feeds stand, the weeks of a place, and what was corrected."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bot import cli_bulletins, cli_held
from bot.cli_database import needed_address
from bot.postgres import known_address
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from bot.figures.attempts import FeedStatus
    from bot.figures.known import Known
    from bot.figures.places import FigurePlaces
    from bot.figures.refresh import Outcome
    from bot.figures.weeks import Weekly

app = typer.Typer(invoke_without_command=True)
app.add_typer(cli_bulletins.app)
app.add_typer(cli_held.app)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

TABLE_METRICS = ("cases", "deaths", "doses")
MOST_SUSPECTS = 10


@app.callback()
def figures(
    context: typer.Context,
    refresh: Annotated[bool, typer.Option(help="fetch from the feeds first")] = False,
    every: Annotated[bool, typer.Option("--all", help="of every place, not only the country and this province")] = False,
) -> None:
    """The figures that citizens are told now: value, day, issuer, when fetched."""
    if context.invoked_subcommand:
        return
    from bot.figures.store import newest

    settings = Settings.from_environment()
    known = _refreshed(settings) if refresh else _known(settings)
    wanted = None if every else {"vn", settings.province, *_places().parts(settings.province)}
    for reading in newest(known.readings):
        if wanted and reading.place not in wanted:
            continue
        since = known.stale.get(reading.series)
        stale = f", not updated since {since}" if since else ""
        _say(
            f"{reading.metric}  {reading.place}  {reading.window.kind}  {reading.value:,}  for {reading.as_of} "
            f"({reading.issuer}{stale}), fetched {_minute(reading.fetched_at)}"
        )


@app.command("refresh")
def refresh_now() -> None:
    """Read every feed now, due or not. Exit code 1 if one could not be read."""
    from bot.figures.refresh import refresh

    settings = Settings.from_environment()
    outcomes = refresh(settings, needed_address(settings), by_hand=True)
    _print_outcomes(outcomes)
    if not outcomes:
        errors.print("The database does not answer.", style="bold red")
    if not outcomes or any(outcome.result == "failed" for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def status() -> None:
    """How each feed stands: last attempt and success, outage, newest row, series that stand still, what is kept back and why.

    Exit code 1 while a feed is down.
    """
    from bot.figures.attempts import status as status_of
    from bot.figures.feeds.registry import enabled_feeds

    settings = Settings.from_environment()
    names = [feed.name for feed in enabled_feeds(settings, ROOT)]
    try:
        known = {state.feed: state for state in status_of(needed_address(settings))}
    except psycopg.Error as error:
        errors.print(f"The database does not answer ({type(error).__name__}).", style="bold red")
        raise typer.Exit(1) from error
    for name in names:
        _print_status(known[name]) if name in known else _say(f"{name}: never read yet")
    for name in sorted(set(known) - set(names)):
        _say(f"{name}: not enabled now; last read {_minute(known[name].succeeded_at)}")
    if any(known[name].error for name in names if name in known):
        raise typer.Exit(1)


@app.command()
def show(
    places: Annotated[list[str], typer.Argument(help='a key or a name: dak-lak, "Phú Yên", vn')],
    weeks: Annotated[int, typer.Option(min=1, max=17, help="how many weeks back")] = 8,
) -> None:
    """The weekly numbers of places as a table, with source and notes. Exit code 1 if a place is not known."""
    from bot.figures.readings import VIETNAM
    from bot.figures.weeks import weekly

    known, table_of = _known(Settings.from_environment()), _places()
    today = datetime.datetime.now(VIETNAM).date()
    for text in places:
        key = _place(text, table_of)
        if key is None:
            errors.print(f"{text}: no place of figures has this name.", style="bold red", markup=False)
            raise typer.Exit(1)
        found = [w for metric in TABLE_METRICS if (w := weekly(known, metric, key, table_of, today, weeks=weeks))]
        console.print(f"{table_of.unit(key).name} ({key})", style="bold", markup=False, highlight=False)
        _print_weeks(found, table_of) if found else _say_last_total(known, key)
        console.print()


@app.command()
def corrections(
    every: Annotated[bool, typer.Option("--all", help="also those that are over")] = False,
) -> None:
    """Told numbers that are wrong by now: to how many conversations the new one goes, and when.

    They are stopped or sent at once on /insights/figures/corrections.
    """
    from bot.figures import correction_store
    from bot.figures.store import READ_MILLISECONDS, connected

    try:
        with connected(needed_address(Settings.from_environment()), READ_MILLISECONDS) as connection:
            found = correction_store.corrections(connection, is_open=None if every else True)
    except psycopg.Error as error:
        errors.print(f"The database does not answer ({type(error).__name__}).", style="bold red")
        raise typer.Exit(1) from error
    if not found:
        _say("no correction waits" if not every else "nothing was ever corrected")
    for one in found:
        told = one.subject
        by = f" by {one.decided_by}" if one.decided_by else ""
        channels = ", ".join(f"{channel} {sum(states.values())}" for channel, states in sorted(one.channels.items()))
        _say(
            f"{one.id}  {told.metric} {told.place} {told.span} until {told.as_of}  {one.told_value:,} is now {one.new_value:,}  "
            f"({one.issuer})  {one.state}{by}, not before {_minute(one.send_at)}"
        )
        _say(f"    waiting {one.count('waiting')}, sent {one.count('sent')} of {one.count()} ({channels})")


def _known(settings: Settings) -> Known:
    from bot.figures.store import read_known

    return read_known(known_address(settings))


def _refreshed(settings: Settings) -> Known:
    """Without a database what the feeds say is told once and kept nowhere."""
    from bot.figures.refresh import fetched_known, refresh

    url = known_address(settings)
    known, outcomes = (None, refresh(settings, url, by_hand=True)) if url else fetched_known(settings)
    _print_outcomes([outcome for outcome in outcomes if outcome.result == "failed"])
    return known or _known(settings)


def _places() -> FigurePlaces:
    from bot.figures.places import FigurePlaces

    return FigurePlaces.below(ROOT)


def _place(text: str, places: FigurePlaces) -> str | None:
    if text in places:
        return text
    return places.by_name(text, era="today") or places.by_name(text, era="until_2025")


def _print_outcomes(outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        _say(f"{outcome.feed}: {outcome.result.replace('_', ' ')}{f' ({outcome.sentence})' if outcome.sentence else ''}")


def _print_status(feed: FeedStatus) -> None:
    console.print(
        f"{feed.feed}: {'down' if feed.error else 'well'}", style="bold red" if feed.error else "bold green", highlight=False
    )
    _say(f"  last attempt {_minute(feed.attempted_at)}, last success {_minute(feed.succeeded_at)}, next {_minute(feed.due_at)}")
    if feed.error:
        _say(f"  since {_minute(feed.error_since)}: {feed.error}")
    _say(f"  newest row {feed.newest_row or 'not known'}")
    for series, since in feed.stale:
        _say(f"  not updated since {since}: {series.metric} {series.place} {series.kind}")
    for reading, reasons in feed.suspects[:MOST_SUSPECTS]:
        _say(
            f"  kept back: {reading.metric} {reading.place} {reading.window.kind} {reading.value:,} for {reading.as_of}: "
            f"{'; '.join(reasons)}"
        )
    if len(feed.suspects) > MOST_SUSPECTS:
        _say(f"  kept back: {len(feed.suspects) - MOST_SUSPECTS} more")
    for warning in feed.warnings:
        _say(f"  remark: {warning}")


def _print_weeks(found: Sequence[Weekly], places: FigurePlaces) -> None:
    table = Table()
    table.add_column("week until")
    for weekly in found:
        table.add_column(f"new {weekly.metric}", justify="right")
    values = {
        (w.metric, bar.ends_on): f"{bar.value:,}{' *' if bar.is_backlog else ''}"
        for w in found
        for bar in w.bars
        if bar.value is not None
    }
    for day in sorted({bar.ends_on for w in found for bar in w.bars}):
        table.add_row(str(day), *(values.get((w.metric, day), "–") for w in found))
    console.print(table)
    for weekly in found:
        stale = f", not updated since {weekly.stale_since}" if weekly.stale_since else ""
        over = f", summed over {', '.join(places.unit(part).name for part in weekly.summed_over)}" if weekly.summed_over else ""
        _say(f"{weekly.metric}: {weekly.issuer}{stale}{over}, fetched {_minute(weekly.fetched_at)}")
    if any(bar.is_backlog for weekly in found for bar in weekly.bars):
        _say("* late reports of earlier days are among them")
    if any(bar.value is None for weekly in found for bar in weekly.bars):
        _say("– nothing was published; it is not zero")


def _say_last_total(known: Known, place: str) -> None:
    from bot.figures.store import newest

    _say("no official weekly figures are known")
    for reading in newest(r for r in known.readings if r.place == place):
        _say(f"  last: {reading.metric} {reading.window.kind} {reading.value:,} for {reading.as_of} ({reading.issuer})")


def _minute(moment: datetime.datetime | None) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC" if moment else "never"


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
