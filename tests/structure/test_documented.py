"""What an operator must know stands in the README."""

from __future__ import annotations

import re
from typing import Any

import typer

from bot import cli
from bot.settings import ROOT


def test_every_setting_is_in_the_readme() -> None:
    settings = (ROOT / "bot/settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'"((?:LOA|TELEGRAM|ZALO|MESSENGER|CHATWOOT|FEED)_[A-Z_]+[A-Z])"', settings))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert names, "or it found no setting"
    assert {name for name in names if f"`{name}`" not in readme} == set()


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    assert {"help", "run", "test", "train", "evaluate", "bench", "bench-nlu", "bench-figures", "lint", "check"} <= targets
    assert {target for target in targets if not re.search(rf"^{target}:.*## ", makefile, re.M)} == set()


def test_environment_is_read_in_one_place() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("bot", "actions")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"os\.environ\.get|os\.getenv|os\.environ\[", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["bot/settings.py"]


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = commands(typer.main.get_command(cli.app), "loa")
    assert {"loa up", "loa figures", "loa figures status", "loa figures approve"} <= set(names)
    assert undocumented(names, readme) == set()


def test_a_command_that_the_readme_does_not_name_is_found() -> None:
    assert undocumented(["loa figures", "loa figures sta"], "`loa figures status`, `loa figures`") == {"loa figures sta"}


def commands(command: Any, name: str) -> list[str]:
    """`loa up`, `loa figures status` …: all that may be called."""
    if not hasattr(command, "commands"):
        return [name]
    own = [name] if command.invoke_without_command else []
    below = {
        part: cli.room(part) if isinstance(command, cli.Commands) and part in cli.ROOMS else found
        for part, found in command.commands.items()
    }
    return [*own, *(found for part, group in below.items() for found in commands(group, f"{name} {part}"))]


def undocumented(names: list[str], readme: str) -> set[str]:
    return {name for name in names if not re.search(rf"`{name}[ `\[]", readme)}
