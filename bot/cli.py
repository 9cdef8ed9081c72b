"""`loa`: the commands with which one runs, asks, trains and checks the service."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from bot import model, promotion
from bot.cli_report import report
from bot.cli_undelivered import undelivered
from bot.settings import ROOT, CannotGoOn, Settings, SettingsError, ensure_home

# The commands of each room: their module and what they are about.
ROOMS: Mapping[str, tuple[str, str]] = {
    "campaign": ("bot.cli_campaign", "Campaigns: links, QR codes, posters and counts."),
    "content": ("bot.cli_content", "Answers withdrawn, notices in front."),
    "figures": ("bot.cli_figures", "The figures that citizens are told now, and where they come from."),
    "learn": ("bot.cli_learn", "What the bot could not answer, and what it learns from it."),
    "locale": ("bot.cli_locale", "Translations: extract, export, import, lint, review, status, stale."),
    "model": ("bot.cli_model", "Models: list, promote, roll back."),
    "operator": ("bot.cli_operators", "The people who work with Loa: who may log in, and as what."),
    "privacy": ("bot.cli_privacy", "A citizen's data: export, erase, retention."),
    "subscriptions": ("bot.cli_subscriptions", "News that citizens asked for: status."),
    "zalo": ("bot.cli_zalo", "The Zalo Official Account: authorise, status, check-event."),
}


class Commands(TyperGroup):
    """A room is imported when one of its commands is asked for: `loa up` does not wait for the tables of `loa locale`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, room(name) if name and name in ROOMS else command, rest


def room(name: str) -> TyperGroup:
    module, about = ROOMS[name]
    group = typer.main.get_group(importlib.import_module(module).app)
    group.help = about
    return group


app = typer.Typer(cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for _name, (_module, _about) in ROOMS.items():
    app.add_typer(typer.Typer(), name=_name, help=_about)
app.command()(report)
app.command()(undelivered)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)


def main() -> None:
    """Run the command; what stops a start is one sentence on standard error and exit code 2."""
    try:
        app()
    except CannotGoOn as error:
        errors.print(f"loa: {error}", style="bold red", markup=False)
        sys.exit(2)


@app.command()
def up() -> None:
    """Start everything (PostgreSQL, gateway, Rasa, action server) and stay until Ctrl-C."""
    from bot import service

    service.up(Settings.from_environment())


@app.command()
def ask(question: Annotated[str, typer.Argument(help='for example "tiêm vắc xin ở đâu"')]) -> None:
    """Ask one question: of the running service, or of one started for this question alone."""
    from bot import ask as asking
    from bot import service

    settings = Settings.from_environment()
    if asking.is_running(settings.address):
        _print_answers(settings.address, question)
        return
    errors.print("The service is not running; starting it for this question …", style="dim")

    async def ask_and_stop(address: str) -> bool:
        await asyncio.to_thread(_print_answers, address, question)
        return False

    service.up(settings, quiet=True, when_ready=ask_and_stop)


@app.command()
def train(
    force: Annotated[bool, typer.Option(help="train even if the data's model exists")] = False,
    candidate: Annotated[
        bool, typer.Option(help="refuse when the data is that of the running model: there is nothing to try")
    ] = False,
) -> None:
    """Train the model of today's data, if there is none yet. What runs is not touched: `loa model promote` does that."""
    settings = Settings.from_environment()
    ensure_home(settings)
    noted = promotion.noted(settings)
    if candidate and noted and noted.model == f"loa-{model.fingerprint()}.tar.gz":
        raise SettingsError(f"Nothing was learned since {noted.model}, which runs: loa learn apply, or change data/nlu.")
    known = None if force else model.trained_model(settings)
    path = known or model.train(settings, _print_line)
    console.print(f"model: {path}", markup=False, highlight=False)
    if noted and noted.model != path.name:
        _print_line(f"{noted.model} runs. Next: loa evaluate --compare, then loa model promote.")


@app.command()
def evaluate(
    questions: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, resolve_path=True, help="ask the labelled questions of this file")
    ] = None,
    folds: Annotated[int | None, typer.Option(min=2, help="thresholds from the training data, out of fold; 5 is usual")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="only today's data's model against the running one")] = False,
) -> None:
    """Measure the understanding on the held-out questions in tests/nlu; tables and pictures go to reports/. Where a newer model
    waits to be promoted, it is compared with the running one. Exit code 1: it is worse than it may be."""
    if compare:
        raise typer.Exit(_compare_models(Settings.from_environment(), is_asked=True))
    options = [*(["--questions", str(questions)] if questions else []), *(["--folds", str(folds)] if folds else [])]
    # Another process: only bot/brain may import rasa.
    code = subprocess.call([sys.executable, "-m", "bot.measuring.evaluate", *options], cwd=ROOT)  # noqa: S603
    raise typer.Exit(code or (0 if options else _compare_models(Settings.from_environment(), is_asked=False)))


@app.command()
def check() -> None:
    """List answers past their date or due for review, what is wrong in locales, translations and directory, and whether each
    channel that is switched on may talk to its platform. Exit code 1 if any is wrong."""
    from bot.check import findings
    from bot.check_channels import channel_findings
    from bot.check_rumours import rumour_findings
    from bot.check_translations import translation_findings
    from bot.languages.catalogue import Catalogue

    settings = Settings.from_environment()
    catalogue = Catalogue.load(ROOT, settings.province, drafts=settings.drafts, home=settings.home)
    written = [*findings(catalogue), *rumour_findings(catalogue, ROOT), *translation_findings(catalogue, ROOT)]
    found = [*written, *asyncio.run(channel_findings(settings, catalogue))]
    for finding in found:
        console.print(f"{finding.severity:>7}  {finding.key}  {finding.sentence}", markup=False, highlight=False)
    console.print(f"{len(catalogue.entries)} answers, {len(found)} findings", highlight=False)
    if any(finding.severity == "error" for finding in found):
        raise typer.Exit(1)


@app.command()
def worker() -> None:
    """Take turns in a process of its own (set LOA_WORKER=alone for the gateways)."""
    from bot.log import configure
    from bot.web import Service

    settings = Settings.from_environment()
    configure(settings.log_format)

    async def run() -> None:
        built = Service.build(settings)
        async with built.opened():
            await asyncio.gather(built.work(), built.sweep(), built.work_with_chatwoot(), built.keeping.work())

    asyncio.run(run())


def _compare_models(settings: Settings, *, is_asked: bool) -> int:
    """0: as good as the running one, or nothing to compare; 1: worse; 2: asked for, but cannot be compared."""
    noted, new = promotion.noted(settings), model.trained_model(settings)
    if noted is None or new is None or noted.model == new.name or not model.is_ours(settings.models / noted.model):
        if is_asked:
            errors.print(
                "There are no two models to compare: one must run (loa up), another be trained (loa train).", markup=False
            )
        return 2 if is_asked else 0
    from bot.cli_model import compare

    found = compare(settings, settings.models / noted.model, new)
    return 2 if found is None else int(bool(found["worse"]))


def _print_line(line: str) -> None:
    console.print(line, markup=False, highlight=False)


def _print_answers(address: str, question: str) -> None:
    from bot.ask import ask as ask_at

    for event in ask_at(address, question):
        _print_event(event)


def _print_event(event: Mapping[str, Any]) -> None:
    console.print(event["text"], markup=False, highlight=False)
    if source := event["source"]:
        console.print(
            f"[{source['number'] or source['title']} – {source['issuer']}, {source['date']}]", style="dim", markup=False
        )
    if event["buttons"]:
        console.print("  ".join(f"‹{button['title']}›" for button in event["buttons"]), style="cyan", markup=False)
    console.print()


if __name__ == "__main__":
    main()
