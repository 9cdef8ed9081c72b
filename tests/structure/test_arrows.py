"""The arrows between rooms (docs/architecture.md): imports run down only, and nobody but bot/brain imports rasa."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Higher may import lower (or equal when it is the same room). `brain` stands aside: only Rasa loads it.
LEVELS = {
    "bot.cli": 9,
    "bot.service": 8,
    "bot.serving": 8,
    "bot.ask": 8,
    "bot.cli_database": 4,
    "bot.cli_audio": 7.5,
    # Their commands stand among those of cli_figures.
    "bot.cli_bulletins": 7.4,
    "bot.cli_held": 7.5,
    "bot.cli_figures": 8,
    "bot.cli_locale": 8,
    "bot.cli_operators": 8,
    # Its commands stand among those of cli_locale.
    "bot.cli_translators": 7.5,
    "bot.cli_privacy": 8,
    "bot.cli_report": 8,
    "bot.cli_undelivered": 8,
    "bot.cli_zalo": 8,
    "bot.web": 7,
    "bot.chatpage": 6,
    "bot.desk": 6,
    "bot.insights": 6,
    "bot.translate": 6,
    # The door of every staff page, below the rooms that have such pages.
    "bot.staff": 5.5,
    "bot.health": 6,
    "bot.dialogue": 5,
    # A job is asked for also below the dialogue, where people take a conversation over.
    "bot.dialogue.queue": 3,
    "bot.handoff": 4.5,
    # Below the dialogue, which greets whoever comes through a campaign; its pages stand with the others.
    "bot.campaigns": 4.5,
    "bot.campaigns.pages": 6,
    "bot.campaigns.short_link": 6,
    "bot.cli_campaign": 8,
    "bot.channels": 4,
    "bot.figures": 4,
    "bot.measuring": 5,
    "bot.brain": 4,
    "bot.check": 4,
    "bot.check_rumours": 4.3,
    "bot.check_translations": 4,
    "bot.check_channels": 5,
    "bot.live": 3,
    "bot.supervisor": 3,
    "bot.model": 4,
    # Which model runs.
    "bot.promotion": 4.1,
    "bot.cli_model": 8,
    "bot.postgres": 3,
    "bot.languages": 2,
    # Pure text functions that the directory needs too.
    "bot.languages.chat_spelling": -1,
    "bot.languages.normalise": 0,
    "bot.languages.phrases": 0.5,
    # Who is meant: it reads words by the tables of the directory.
    "bot.people": 2.5,
    "bot.directory": 1,
    "bot.database": 1,
    "bot.audit": 0,
    "bot.assets": 0,
    "bot.yaml_files": 0,
    "bot.findings": 0,
    "bot.graphemes": -1,
    "bot.migrations": 0,
    "bot.metrics": 0,
    "bot.log": 0,
    "bot.ports": 0,
    "bot.masking": 0,
    # What is in force is asked by the dialogue; what citizens hand over and are told stands above it, the pages with the others.
    "bot.content": 4.2,
    "bot.content.reports": 5.2,
    "bot.content.telling": 5.2,
    "bot.content.pages": 6,
    "bot.content.notice_pages": 6.1,
    "bot.content.rumour_pages": 6.1,
    "bot.cli_content": 8,
    # Below the erasure, which forgets what was kept of a person; its pages stand with the others.
    "bot.learn": 5.1,
    "bot.learn.pages": 6,
    "bot.cli_learn": 8,
    "bot.privacy": 5.2,
    "bot.subscriptions": 5.2,
    "bot.cli_subscriptions": 8,
    # Pure text functions.
    "bot.privacy.masking": 0.6,
    "bot.privacy.names": 0.5,
    "bot.messages": 0,
    "bot.settings": 0,
}


def test_imports_run_down_only() -> None:
    assert list(climbs(_edges())) == []


def test_a_new_arrow_upwards_is_found() -> None:
    assert list(climbs([("bot.directory.places", "bot.dialogue.turn")])) == [("bot.directory.places", "bot.dialogue.turn")]


def test_every_room_has_a_level() -> None:
    assert {source for source, _ in _edges() if source.startswith("bot.") and _room(source) not in LEVELS} == set()


def test_only_the_brain_imports_rasa() -> None:
    assert {source for source, target in _edges() if target.split(".")[0] == "rasa" and _room(source) != "bot.brain"} == set()
    assert {source for source, target in _edges() if target.split(".")[0] == "rasa" and _room(source) == "bot.brain"}, (
        "or it found none"
    )


BRAIN = ("rasa", "tensorflow")
# What only a page, a picture or a table needs: whoever starts waits for none of it.
HEAVY = ("matplotlib", "numpy", "PIL", "openpyxl", "fpdf", "segno", "soundfile", "requests")
# Neither does a command for what only another one does.
OTHERS = ("httpx", "psycopg", "structlog", "yaml", "bot.web", "bot.languages")


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("bot.web", (*BRAIN, *HEAVY)),
        ("bot.cli", (*BRAIN, *HEAVY, *OTHERS)),
        ("actions.figures", BRAIN),
        ("actions.help", BRAIN),
        ("actions.rules", BRAIN),
    ],
)
def test_nobody_imports_what_they_do_not_need(module: str, without: tuple[str, ...]) -> None:
    code = f"import {module}, sys; print(sorted(set(sys.modules) & set({without!r})))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def climbs(edges: object) -> Iterator[tuple[str, str]]:
    for source, target in edges:  # type: ignore[attr-defined]
        if not (source.startswith("bot.") and target.startswith("bot.")):
            continue
        above, below = LEVELS[_room(source)], LEVELS[_room(target)]
        if _room(source) != _room(target) and above <= below:
            yield source, target


@functools.cache
def _edges() -> list[tuple[str, str]]:
    files = [*sorted((ROOT / "bot").rglob("*.py")), *sorted((ROOT / "actions").rglob("*.py"))]
    return [(_module(path), target) for path in files for target in _imports(path)]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if node.module == "bot" else node.module for name in names)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _room(module: str) -> str:
    """The room of a module, or the file itself where the table gives it a level of its own."""
    return module if module in LEVELS else ".".join(module.split(".")[:2])
