"""`loa operator`: who may work on the staff pages. Only here accounts are made, reset and closed."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bot.audit import shell_actor
from bot.cli_database import carried_out
from bot.database import DictConnection
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.staff.accounts import Role

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
console = Console(soft_wrap=True)
errors = Console(stderr=True, soft_wrap=True)

ROLE_HELP = "operator (answers citizens), senior, content (texts and figures) or admin"


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="small letters, for example an.nguyen")],
    role: Annotated[str, typer.Option(help=ROLE_HELP)],
    needs_approval: Annotated[
        bool | None,
        typer.Option(
            "--needs-approval/--no-approval",
            help="a senior reads what they write themselves before it is sent; operators begin so",
        ),
    ] = None,
) -> None:
    """Make an account and print its first password, once. It must be changed at the first login."""
    from bot.staff import accounts

    chosen = _role(role)
    password = _done(lambda connection: accounts.add(connection, name, chosen, shell_actor(), needs_approval=needs_approval))
    _print_password(name, password)


@app.command("list")
def list_all() -> None:
    """All accounts with role and state."""
    from bot.staff import accounts
    from bot.staff.login import LOCK_FAILURES, LOCK_MINUTES

    found = _done(lambda connection: accounts.accounts(connection, LOCK_MINUTES, LOCK_FAILURES))
    table = Table("name", "role", "state", "second factor", "own words", "last seen")
    for account in found:
        states = {
            "disabled": account.is_disabled,
            "locked after wrong passwords": account.is_locked,
            "has not chosen a password": account.must_change_password,
        }
        state = next((name for name, holds in states.items() if holds), "active")
        seen = f"{account.last_seen_at:%Y-%m-%d %H:%M} UTC" if account.last_seen_at else "–"
        words = "need approval" if account.needs_approval else "sent at once"
        table.add_row(account.name, account.role, state, "on" if account.has_totp else "off", words, seen)
    console.print(table if found else "There is no account yet: loa operator add NAME --role ROLE")


@app.command()
def reset(name: str, role: Annotated[str | None, typer.Option(help=f"a new role: {ROLE_HELP}")] = None) -> None:
    """Print a new first password, unlock, open again if disabled, take the second factor away, end all sessions."""
    from bot.staff import accounts

    chosen = _role(role) if role else None
    password = _done(lambda connection: accounts.reset(connection, name, shell_actor(), chosen))
    _print_password(name, password)


@app.command()
def disable(name: str) -> None:
    """Close an account and end its sessions at once. What it did stays in the log."""
    from bot.staff import accounts

    _done(lambda connection: accounts.disable(connection, name, shell_actor()))
    console.print(f"{name} is closed.", markup=False, highlight=False)


@app.command("role")
def change_role(name: str, role: Annotated[str, typer.Argument(help=ROLE_HELP)]) -> None:
    """Give an account another role; it holds from the next page on."""
    from bot.staff import accounts

    chosen = _role(role)
    _done(lambda connection: accounts.set_role(connection, name, chosen, shell_actor()))
    console.print(f"{name} is {chosen} now.", markup=False, highlight=False)


@app.command("needs-approval")
def set_needs_approval(name: str, answer: Annotated[str, typer.Argument(metavar="yes|no")]) -> None:
    """Whether a senior reads what somebody writes themselves before it is sent to a citizen."""
    from bot.staff import accounts

    if answer not in {"yes", "no"}:
        raise typer.BadParameter(f"{answer!r} is neither yes nor no", param_hint="yes|no")
    needed = answer == "yes"
    _done(lambda connection: accounts.set_needs_approval(connection, name, shell_actor(), needed=needed))
    console.print(f"What {name} writes {'waits for a senior' if needed else 'is sent at once'}.", markup=False, highlight=False)


@app.command("log-out")
def log_out(name: str) -> None:
    """End all sessions of an account; it may log in again."""
    from bot.staff import accounts

    _done(lambda connection: accounts.end_sessions(connection, name, shell_actor()))
    console.print(f"{name} is logged out everywhere.", markup=False, highlight=False)


@app.command()
def log(days: Annotated[int, typer.Option(min=1, help="how far back")] = 30) -> None:
    """What staff did, oldest first, one JSON object a line."""

    async def read(connection: DictConnection) -> list[str]:
        rows = await connection.execute(
            "SELECT to_jsonb(audit_log)::text AS line FROM audit_log WHERE at > now() - make_interval(days => %s) ORDER BY id",
            [days],
        )
        return [str(row["line"]) for row in await rows.fetchall()]

    for line in _done(read):
        console.print(line, markup=False, highlight=False)


def _done(work: Callable[[DictConnection], Awaitable[T]]) -> T:
    from bot.staff.accounts import AccountError

    return carried_out(Settings.from_environment(), work, AccountError)


def _role(text: str) -> Role:
    from bot.staff.accounts import ROLES

    found = next((role for role in ROLES if role == text), None)
    if found is None:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(ROLES)}", param_hint="--role")
    return found


def _print_password(name: str, password: str) -> None:
    """The password alone on standard output, so that it can be piped; what to know about it beside."""
    errors.print(f"First password of {name}, shown this once; it is changed at the first login:", markup=False, highlight=False)
    sys.stdout.write(f"{password}\n")
