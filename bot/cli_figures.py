"""`loa figures`: what is told now, how the feeds stand, the weeks of a place, and bulletins entered by hand."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bot.postgres import known_address
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from bot.figures.attempts import FeedStatus
    from bot.figures.known import Known
    from bot.figures.places import FigurePlaces
    from bot.figures.refresh import Outcome
    from bot.figures.store import Connection
    from bot.figures.weeks import Weekly

app = typer.Typer(invoke_without_command=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

TABLE_METRICS = ("cases", "deaths", "doses")
MOST_SUSPECTS = 10
MOST_REASONS = 4
Bulletin = Annotated[int, typer.Argument(help="its number, from `loa figures bulletins`")]
By = Annotated[str, typer.Option(help="your account (see loa operator)")]
Because = Annotated[str, typer.Option(help="why; it is kept")]


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
    outcomes = refresh(settings, _needed_database(settings), by_hand=True)
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
        known = {state.feed: state for state in status_of(_needed_database(settings))}
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
def add(
    place: Annotated[str, typer.Option(help='a key or a name: vn, dak-lak, "Đắk Lắk"')],
    kind: Annotated[str, typer.Option(help="day, week or total")],
    ends: Annotated[str, typer.Option(help='the last day, or where the day does not end at midnight: "16:00 10/02/2022"')],
    issuer: Annotated[str, typer.Option(help="who published it")],
    url: Annotated[str, typer.Option(help="where it was published, https")],
    by: Annotated[str, typer.Option(help="your account (see loa operator)")],
    starts: Annotated[str, typer.Option(help="the first day; with a time if the end has one")] = "",
    cases: Annotated[str, typer.Option()] = "",
    deaths: Annotated[str, typer.Option()] = "",
    doses: Annotated[str, typer.Option()] = "",
    first_doses: Annotated[str, typer.Option()] = "",
    second_doses: Annotated[str, typer.Option()] = "",
    note: Annotated[str, typer.Option()] = "",
) -> None:
    """Propose the figures of an official bulletin. Told only once a second person has approved them."""
    from bot.figures import bulletins

    fields = {
        "place": place, "kind": kind, "starts": starts, "ends": ends, "issuer": issuer, "url": url, "note": note,
        "cases": cases, "deaths": deaths, "doses": doses, "first_doses": first_doses, "second_doses": second_doses,
    }  # fmt: skip
    with _bulletin_store() as connection:
        number = bulletins.propose(connection, bulletins.draft(fields), by)
        _say(f"bulletin {number} waits for a second person: loa figures approve {number} --by …")
        for doubt in bulletins.doubts(connection, bulletins.find(connection, number)):
            _say(f"  {doubt.reading.metric}: {'; '.join(doubt.reasons)}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a CSV file, as a spreadsheet saves it")],
    by: Annotated[str, typer.Option(help="your account (see loa operator)")],
) -> None:
    """Propose every row of a file of bulletins, or none and say what is wrong with which."""
    from bot.figures import bulletins

    with _bulletin_store() as connection:
        numbers = bulletins.import_csv(connection, file.read_bytes(), by)
        _say(f"{len(numbers)} bulletins wait for a second person: {numbers[0]} to {numbers[-1]}")


@app.command()
def bulletins(state: Annotated[str, typer.Option(help="proposed, approved, rejected or withdrawn")] = "proposed") -> None:
    """The newest bulletins of a state; those that wait for a second person, if no other is named."""
    from bot.figures import bulletins as store

    with _bulletin_store() as connection:
        for one in store.bulletins(connection, state):
            numbers = ", ".join(f"{metric} {value:,}" for metric, value in one.draft.values.items())
            _say(
                f"{one.id}  {one.draft.place}  {one.draft.window.kind} until {one.draft.as_of}  {numbers}  "
                f"({one.draft.issuer}, {one.draft.url}), by {one.entered_by}"
            )


@app.command()
def approve(
    bulletin: Annotated[int, typer.Argument(help="its number, from `loa figures bulletins`")],
    by: Annotated[str, typer.Option(help="your account; not the one that entered it")],
    override: Annotated[str, typer.Option(help="why its numbers are right although the check doubts them")] = "",
) -> None:
    """Let the figures of a bulletin be told: the second person's word."""
    from bot.figures import bulletins

    with _bulletin_store() as connection:
        approved = bulletins.approve(connection, bulletin, by, override=override)
        _say(f"bulletin {approved.id} is told from now on")


@app.command()
def reject(bulletin: Bulletin, by: By, because: Because) -> None:
    """Refuse a bulletin that waits for a second person; one's own, too."""
    from bot.figures import bulletins

    with _bulletin_store() as connection:
        bulletins.reject(connection, bulletin, by, because)
        _say(f"bulletin {bulletin} is rejected")


@app.command()
def withdraw(bulletin: Bulletin, by: By, because: Because) -> None:
    """Take back a bulletin: one's own that waits, or one that is told and must not be any longer."""
    from bot.figures import bulletins

    with _bulletin_store() as connection:
        bulletins.withdraw(connection, bulletin, by, because)
        _say(f"bulletin {bulletin} is withdrawn; its numbers are told no longer")


@app.command()
def held() -> None:
    """Numbers of feeds that are kept back, by series: why, and who asked that they be told."""
    from bot.figures import acceptance

    with _bulletin_store() as connection:
        kept, accepted = acceptance.held(connection), acceptance.acceptances(connection, "accepted")
    if not kept:
        _say("nothing is kept back")
    for one in kept:
        newest = max(one.readings, key=lambda reading: reading.as_of)
        _say(f"{acceptance.name_of(one.series)}  {len(one.readings)} numbers, the newest {newest.value:,} for {newest.as_of}")
        for reason in one.reasons[:MOST_REASONS]:
            _say(f"    {reason}")
        if one.asked:
            changed = "" if one.is_still_what_was_asked else "; the feed says other numbers by now: ask anew"
            _say(f"    asked by {one.asked.asked_by} (number {one.asked.id}): {one.asked.because}{changed}")
    for letting in accepted:
        _say(
            f"{letting.id}  {acceptance.name_of(letting.series)} is told since {_minute(letting.accepted_at)}: "
            f"{letting.asked_by} and {letting.accepted_by}: {letting.because}"
        )


@app.command()
def accept(
    feed: Annotated[str, typer.Argument(help="as in `loa figures held`, for example: who cases vn total")],
    metric: str,
    place: str,
    kind: str,
    by: By,
    because: Annotated[str, typer.Option(help="why it is right although the check doubts it; the first person's")] = "",
) -> None:
    """Let numbers be told that are kept back although their issuer means them. The first person asks, a second one lets them."""
    from bot.figures import acceptance
    from bot.figures.readings import Series

    series = Series(feed, metric, place, kind)
    with _bulletin_store() as connection:
        asked = next(
            (one.asked for one in acceptance.held(connection) if one.series == series and one.is_still_what_was_asked), None
        )
        if asked is None:
            number = acceptance.ask(connection, series, by, because)
            _say(f"asked (number {number}); a second person: loa figures accept {acceptance.name_of(series)} --by …")
        else:
            acceptance.accept(connection, asked.id, by)
            _say(f"{acceptance.name_of(series)} is told from now on")


@app.command()
def refuse(
    number: Annotated[int, typer.Argument(help="of what was asked or accepted, from `loa figures held`")],
    by: By,
    because: Because,
) -> None:
    """Refuse what another asked for, take back one's own, or end the telling of what was accepted."""
    from bot.figures import acceptance

    with _bulletin_store() as connection:
        _say(f"{number} is {acceptance.end(connection, number, by, because).state}; its numbers are not told")


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
        with connected(_needed_database(Settings.from_environment()), READ_MILLISECONDS) as connection:
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


@contextlib.contextmanager
def _bulletin_store() -> Iterator[Connection]:
    """A connection; what the store refuses is said on standard error, exit code 1."""
    from bot.figures.bulletin_csv import FileRefused
    from bot.figures.bulletin_draft import DraftRefused
    from bot.figures.bulletins import BulletinRefused, Doubted, file_problems, problem_sentence
    from bot.figures.store import WRITE_MILLISECONDS, connected

    try:
        with connected(_needed_database(Settings.from_environment()), WRITE_MILLISECONDS) as connection:
            yield connection
            return
    except DraftRefused as refused:
        sentences = [f"{problem.column}: {problem_sentence(problem)}" for problem in refused.problems]
    except FileRefused as refused:
        sentences = file_problems(refused)
    except BulletinRefused as refused:
        sentences = [str(refused)]
    except Doubted as doubted:
        sentences = [f"{doubt.reading.metric}: {'; '.join(doubt.reasons)}" for doubt in doubted.doubts]
        sentences.append("If it is right all the same, say why with --override.")
    except psycopg.Error as error:
        sentences = [f"The database does not answer ({type(error).__name__})."]
    for sentence in sentences:
        errors.print(sentence, style="bold red", markup=False, highlight=False)
    raise typer.Exit(1)


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


def _needed_database(settings: Settings) -> str:
    url = known_address(settings)
    if url is None:
        errors.print("This needs the database: start Loa, or set LOA_DATABASE_URL.", style="bold red")
        raise typer.Exit(2)
    return url


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
