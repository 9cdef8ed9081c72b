"""`loa figures held | accept | refuse`: numbers that the gate keeps back, told when two people say that they are right."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer
from rich.console import Console

from bot.cli_bulletins import Because, By, bulletin_store

app = typer.Typer()
console = Console(soft_wrap=True)

MOST_REASONS = 4


@app.command()
def held() -> None:
    """Numbers of feeds that are kept back, by series: why, and who asked that they be told."""
    from bot.figures import acceptance

    with bulletin_store() as connection:
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
        since = f"{letting.accepted_at.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC" if letting.accepted_at else "never"
        _say(
            f"{letting.id}  {acceptance.name_of(letting.series)} is told since {since}: "
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
    with bulletin_store() as connection:
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

    with bulletin_store() as connection:
        _say(f"{number} is {acceptance.end(connection, number, by, because).state}; its numbers are not told")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
