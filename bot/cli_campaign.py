"""`loa campaign`: make a campaign, its links, QR code and poster; end it; what it led to, in numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from bot.audit import shell_actor
from bot.cli_database import carried_out
from bot.database import DictConnection
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from bot.campaigns.described import Describer
    from bot.campaigns.links import Reach
    from bot.campaigns.store import Campaign, CampaignRefused

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

Code = Annotated[str, typer.Argument(help="the campaign's code, for example tet2027")]
Out = Annotated[Path | None, typer.Option(help="where to write; otherwise a name made of the code, in this folder")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="what citizens read on the poster")],
    code: Annotated[str, typer.Option(help="3 to 24 of a-z 0-9 -, with a digit")],
    topic: Annotated[str, typer.Option(help="the intent that is answered at once, for example testing_where")] = "",
    language: Annotated[str, typer.Option(help="the tag of the language that greets")] = "vi",
    place: Annotated[str, typer.Option(help="a key of data/directory/places")] = "",
    spot: Annotated[
        str, typer.Option(help="where the link stands: fanpage, zalo, telegram, portal, poster, loudspeaker, other")
    ] = "other",
    starts: Annotated[str, typer.Option(help="the first day, 2026-12-31; today without it")] = "",
    ends: Annotated[str, typer.Option(help="the last day; none without it")] = "",
    welcome: Annotated[str, typer.Option(help="a greeting of its own; a second person approves it on /campaigns")] = "",
    summary: Annotated[str, typer.Option(help="a short text for poster and post; a second person approves it")] = "",
) -> None:
    """Make a campaign and print its links."""
    from bot.campaigns import store
    from bot.campaigns.store import Wanted

    settings = Settings.from_environment()
    wanted = Wanted(code, name, topic, language, place, spot, starts, ends, welcome, summary)

    async def work(connection: DictConnection) -> Campaign:
        return await store.add(connection, store.checked(wanted, _describer(settings).known), shell_actor())

    campaign = _done(settings, work)
    _print_links(settings, campaign)
    if welcome or summary:
        errors.print("Its own words wait for a second person: /campaigns", style="yellow")


@app.command("list")
def list_all() -> None:
    """All campaigns with their counts; fewer than five are `<5`."""
    from bot.campaigns import counting, store, tables

    async def work(connection: DictConnection) -> tuple[list[Campaign], list[counting.Row]]:
        return await store.listed(connection), await counting.rows(connection)

    campaigns, rows = _done(Settings.from_environment(), work)
    lines: list[tuple[str, ...]] = [("code", "state", "from", "to", *tables.MEASURES, "name")]
    for one in campaigns:
        counts = tables.totals(row for row in rows if row.campaign_id == one.id)
        days = (str(one.starts_on), str(one.ends_on or "-"))
        lines.append((one.code, one.state(store.today()), *days, *map(str, counts.values()), one.name))
    if campaigns:
        _print_columns(lines)
    else:
        console.print("There is no campaign yet: loa campaign add NAME --code CODE --topic INTENT")


@app.command()
def show(code: Code) -> None:
    """One campaign: its links and its counts by day."""
    from bot.campaigns import counting, store, tables

    settings = Settings.from_environment()

    async def work(connection: DictConnection) -> tuple[Campaign, list[counting.Row]]:
        campaign = await store.get(connection, code.lower())
        return campaign, await counting.rows(connection, [campaign.id])

    campaign, rows = _done(settings, work)
    console.print(f"{campaign.name} ({campaign.state(store.today())})", markup=False, highlight=False)
    _print_links(settings, campaign)
    found = tables.table(rows, lambda row: row.day.isoformat())
    lines = [(line.of, *map(str, line.cells)) for line in found.lines]
    _print_columns([("day", *tables.MEASURES), *lines, ("total", *map(str, found.totals))])


@app.command()
def end(code: Code) -> None:
    """End a campaign once for all. Its links go on leading to Loa."""
    from bot.campaigns import store

    _done(Settings.from_environment(), lambda connection: store.end(connection, code.lower(), shell_actor()))
    console.print(f"{code} is over.", markup=False, highlight=False)


@app.command()
def qr(
    code: Code,
    way: Annotated[str, typer.Option(help="short, webchat, zalo, messenger or telegram")] = "short",
    png: Annotated[bool, typer.Option("--png", help="PNG, at least 1,000 pixels wide; SVG without it")] = False,
    out: Out = None,
) -> None:
    """Write a QR code of one of the campaign's links."""
    from bot.campaigns.qr import qr_png, qr_svg

    settings = Settings.from_environment()
    campaign, reach = _campaign(settings, code), _reach(settings)
    link = next((one for one in reach.links(campaign.code, campaign.language) if one.way == way), None)
    if link is None:
        raise typer.BadParameter(f"there is no such link; there are: short, {', '.join(reach.ways())}", param_hint="--way")
    _write(out or Path(f"loa-{campaign.code}-qr.{'png' if png else 'svg'}"), qr_png(link.url) if png else qr_svg(link.url))


@app.command()
def poster(
    code: Code,
    svg: Annotated[bool, typer.Option("--svg", help="SVG; PDF without it")] = False,
    out: Out = None,
) -> None:
    """Write the A5 poster."""
    from bot.campaigns import drawing, store

    settings = Settings.from_environment()
    campaign, reach = _campaign(settings, code), _reach(settings)
    words = _done(settings, lambda connection: store.words_in_use(connection, campaign.id))
    short = reach.link("short", campaign.code).url
    try:
        drawn = drawing.poster(_describer(settings).poster(campaign, words, short), short, "svg" if svg else "pdf")
    except drawing.CannotDraw as missing:
        errors.print(f"loa: the poster's font lacks these letters: {missing}", style="bold red", markup=False)
        raise typer.Exit(1) from missing
    _write(out or Path(f"loa-{campaign.code}-a5.{'svg' if svg else 'pdf'}"), drawn)


@app.command()
def export(
    code: Annotated[str | None, typer.Argument(help="one campaign; all without it")] = None,
    xlsx: Annotated[Path | None, typer.Option(help="write Excel")] = None,
    csv: Annotated[Path | None, typer.Option(help="write CSV; without either, CSV to standard output")] = None,
) -> None:
    """The counts by day, place and topic; fewer than five are `<5`."""
    from bot.campaigns import counting, store, tables
    from bot.languages.interface import interface_words

    settings = Settings.from_environment()

    async def work(connection: DictConnection) -> tuple[list[Campaign], list[counting.Row]]:
        campaigns = [await store.get(connection, code.lower())] if code else await store.listed(connection)
        return campaigns, await counting.rows(connection, [campaign.id for campaign in campaigns])

    campaigns, rows = _done(settings, work)
    describer, words = _describer(settings), interface_words(ROOT, "campaigns")
    codes = {campaign.id: campaign.code for campaign in campaigns}
    lines = tables.export_rows(rows, codes, describer.place, describer.title)
    head = [words["code"], words["day"], words["of_place"], words["of_topic"], *words["measures"].values()]
    if xlsx:
        _write(xlsx, tables.as_xlsx(words["sheet"], head, lines))
    if csv:
        _write(csv, tables.as_csv(head, lines))
    if not xlsx and not csv:
        console.print(tables.as_csv(head, lines).decode("utf-8-sig"), end="", markup=False, highlight=False)


def _done(settings: Settings, work: Callable[[DictConnection], Awaitable[T]]) -> T:
    from bot.campaigns.store import CampaignRefused

    return carried_out(settings, work, CampaignRefused, _sentence)


def _sentence(refused: CampaignRefused) -> str:
    from bot.languages.interface import interface_words

    about = f" (--{refused.field})" if refused.field else ""
    return f"{interface_words(ROOT, 'campaigns')['refused'][refused.reason]}{about}"


def _campaign(settings: Settings, code: str) -> Campaign:
    from bot.campaigns import store

    return _done(settings, lambda connection: store.get(connection, code.lower()))


def _describer(settings: Settings) -> Describer:
    from bot.campaigns.described import Describer
    from bot.languages.catalogue import Catalogue

    return Describer(ROOT, Catalogue.load(ROOT, settings.province, drafts=settings.drafts))


def _reach(settings: Settings) -> Reach:
    from bot.campaigns.links import Reaching

    if not settings.public_url:
        errors.print("LOA_PUBLIC_URL is not set: links and codes lead to this machine alone.", style="yellow")
    return asyncio.run(Reaching(settings).reach())


def _print_links(settings: Settings, campaign: Campaign) -> None:
    for link in _reach(settings).links(campaign.code, campaign.language):
        console.print(f"{link.way:>9}  {link.url}", markup=False, highlight=False)


def _print_columns(lines: Sequence[Sequence[str]]) -> None:
    """Never folded: a line of a pipe is a line of the table."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        console.print(padded.rstrip(), markup=False, highlight=False)


def _write(path: Path, content: bytes) -> Any:
    path.write_bytes(content)
    console.print(f"{path}: {len(content):,} bytes", markup=False, highlight=False)
