"""`loa content`: take an answer back at once, give it free again, put a notice in front, and see what is in force."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from bot.audit import shell_actor
from bot.cli_database import carried_out
from bot.database import DictConnection
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from bot.content.notices import StoredNotice
    from bot.content.rules import ContentRefused
    from bot.content.withdrawing import OpenWithdrawal
    from bot.languages.catalogue import Catalogue

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

Key = Annotated[str, typer.Argument(help="the answer's key, for example utter_testing_where")]
Language = Annotated[str, typer.Option(help="only this translation, by its tag; the whole answer without it")]


@app.command()
def withdraw(
    key: Key,
    reason: Annotated[str, typer.Option(help="why, for the log; no names")],
    until: Annotated[str, typer.Option(help="the last day, 2026-12-31; at most 180 days ahead")],
    language: Language = "",
    variants: Annotated[bool, typer.Option("--variants", help="also the other answers to the same question")] = False,
) -> None:
    """Take an answer back at once, on all machines: citizens are told whom to call instead."""
    from bot.content import pages, withdrawing

    catalogue = _catalogue()
    others = withdrawing.variants(catalogue, key)

    async def work(connection: DictConnection) -> list[OpenWithdrawal]:
        return await withdrawing.withdraw_all(
            connection,
            [key, *(others if variants else [])],
            reason,
            until,
            shell_actor(),
            language=language,
            known=lambda key, tag: pages.is_known(catalogue, key, tag),
        )

    for made in _done(work):
        where = f" ({language})" if language else ""
        console.print(f"{made.response_key}{where} is withdrawn until {_at(made.until)}.", highlight=False)
    if others and not variants:
        console.print(f"Still answered, to the same question (--variants): {', '.join(others)}", highlight=False)


@app.command()
def restore(key: Key, language: Language = "") -> None:
    """Give a withdrawn answer free again."""
    from bot.content import withdrawing

    _done(lambda connection: withdrawing.restore(connection, key, shell_actor(), language=language))
    console.print(f"{key} is answered again.", markup=False, highlight=False)


@app.command()
def notice(
    text: Annotated[str, typer.Argument(help="at most 500 letters, in Vietnamese")],
    until: Annotated[str, typer.Option(help="2026-12-31, or 2026-12-31T18:00 in Vietnam")],
    starts: Annotated[str, typer.Option(help="the same; at once without it")] = "",
    topic: Annotated[str, typer.Option(help="only in front of answers of this topic or intent")] = "",
    place: Annotated[str, typer.Option(help="only to people there: a key of data/directory/places")] = "",
    emergency: Annotated[bool, typer.Option("--emergency", help="before other notices, and on the web chat's page")] = False,
) -> None:
    """Propose a notice. A second person approves it on /content/notices before anybody reads it."""
    from bot.campaigns.described import Describer
    from bot.content import notice_pages, notices

    if topic and place:
        raise typer.BadParameter("a notice is about a topic or a place, not both", param_hint="--topic, --place")
    scope = "topic" if topic else "place" if place else "all"
    wanted = notices.WantedNotice(scope, topic or place, text, starts, until, emergency)
    subjects = notice_pages.subjects(Describer(ROOT, _catalogue()))
    id_ = _done(lambda connection: notices.propose_notice(connection, wanted, subjects, shell_actor()))
    console.print(f"Notice {id_} waits for a second person: /content/notices", highlight=False)


@app.command("list")
def list_all() -> None:
    """What is withdrawn, and the notices that run, wait or are coming."""
    from bot.content import notices, withdrawing

    async def work(connection: DictConnection) -> tuple[list[OpenWithdrawal], list[StoredNotice]]:
        return await withdrawing.withdrawals(connection), await notices.notices(connection, over=0)

    held, listed = _done(work)
    for one in held:
        where = f" ({one.language})" if one.language else ""
        line = f"withdrawn  {one.response_key}{where} until {_at(one.until)} by {one.withdrawn_by}: {one.reason}"
        console.print(line, markup=False, highlight=False)
    for told in listed:
        urgent, about = " emergency" if told.is_emergency else "", f" {told.subject}" if told.subject else ""
        line = f"{told.state:<9}  notice {told.id}{urgent} {told.scope}{about} until {_at(told.ends_at)}: {told.text}"
        console.print(line, markup=False, highlight=False)
    if not held and not listed:
        console.print("Nothing is withdrawn and no notice runs.")


def _at(moment: datetime.datetime) -> str:
    """In Vietnam, as it was asked for."""
    from bot.content.rules import VIETNAM

    return f"{moment.astimezone(VIETNAM):%Y-%m-%d %H:%M}"


def _catalogue() -> Catalogue:
    from bot.languages.catalogue import Catalogue

    settings = Settings.from_environment()
    return Catalogue.load(ROOT, settings.province, drafts=settings.drafts)


def _done(work: Callable[[DictConnection], Awaitable[T]]) -> T:
    from bot.content.rules import ContentRefused

    return carried_out(Settings.from_environment(), work, ContentRefused, _sentence)


def _sentence(refused: ContentRefused) -> str:
    from bot.languages.interface import interface_words

    about = f" (--{refused.field})" if refused.field else ""
    return f"{interface_words(ROOT, 'content')['refused'][refused.reason]}{about}"
