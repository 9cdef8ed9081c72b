"""`loa figures add | import | bulletins | approve | reject | withdraw`: bulletins entered by hand, by one person and a second."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer
from rich.console import Console

from bot.cli_database import needed_address
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.figures.store import Connection

app = typer.Typer()
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

Bulletin = Annotated[int, typer.Argument(help="its number, from `loa figures bulletins`")]
By = Annotated[str, typer.Option(help="your account (see loa operator)")]
Because = Annotated[str, typer.Option(help="why; it is kept")]


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
    with bulletin_store() as connection:
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

    with bulletin_store() as connection:
        numbers = bulletins.import_csv(connection, file.read_bytes(), by)
        _say(f"{len(numbers)} bulletins wait for a second person: {numbers[0]} to {numbers[-1]}")


@app.command()
def bulletins(state: Annotated[str, typer.Option(help="proposed, approved, rejected or withdrawn")] = "proposed") -> None:
    """The newest bulletins of a state; those that wait for a second person, if no other is named."""
    from bot.figures import bulletins as store

    with bulletin_store() as connection:
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

    with bulletin_store() as connection:
        approved = bulletins.approve(connection, bulletin, by, override=override)
        _say(f"bulletin {approved.id} is told from now on")


@app.command()
def reject(bulletin: Bulletin, by: By, because: Because) -> None:
    """Refuse a bulletin that waits for a second person; one's own, too."""
    from bot.figures import bulletins

    with bulletin_store() as connection:
        bulletins.reject(connection, bulletin, by, because)
        _say(f"bulletin {bulletin} is rejected")


@app.command()
def withdraw(bulletin: Bulletin, by: By, because: Because) -> None:
    """Take back a bulletin: one's own that waits, or one that is told and must not be any longer."""
    from bot.figures import bulletins

    with bulletin_store() as connection:
        bulletins.withdraw(connection, bulletin, by, because)
        _say(f"bulletin {bulletin} is withdrawn; its numbers are told no longer")


@contextlib.contextmanager
def bulletin_store() -> Iterator[Connection]:
    """A connection; what the store refuses is said on standard error, exit code 1."""
    from bot.figures.bulletin_csv import FileRefused
    from bot.figures.bulletin_draft import DraftRefused
    from bot.figures.bulletins import BulletinRefused, Doubted, file_problems, problem_sentence
    from bot.figures.store import WRITE_MILLISECONDS, connected

    try:
        with connected(needed_address(Settings.from_environment()), WRITE_MILLISECONDS) as connection:
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


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)
