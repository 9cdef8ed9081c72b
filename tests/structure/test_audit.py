"""The log of what staff did can be read: what `entry` may write has words for whoever reads it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from bot.audit import Action
from bot.languages.interface import interface_words
from bot.settings import ROOT
from bot.staff.audit_page import Filter


def test_every_action_has_words_and_no_words_are_left_over() -> None:
    words = interface_words(ROOT, "staff_pages")["audit_actions"]
    assert sorted(words) == sorted(get_args(Action))
    assert len(set(words.values())) == len(words), "two actions that read the same cannot be told apart"


def test_every_detail_that_is_written_has_words_and_no_words_are_left_over() -> None:
    written = {key for path in (ROOT / "bot").rglob("*.py") for key in details(ast.parse(path.read_text(encoding="utf-8")), path)}
    # What was looked for in the log stands in it, too.
    asked = {field.name for field in fields(Filter)} - {"before"}
    assert written | asked == set(interface_words(ROOT, "staff_pages")["audit_keys"])


def test_keys_are_found_however_they_are_handed_over() -> None:
    module = """
from bot.audit import entry
def form(): return {name: 1 for name in ("d", "e")}
detail = {"c": 1}
entry(by, "x", a=1, **({"b": 1} if role else {}))
entry(by, "x", **detail)
entry(by, "x", **form())
"""
    assert details(ast.parse(module), Path("x.py")) == {"a", "b", "c", "d", "e"}
    with pytest.raises(AssertionError, match="cannot be known"):
        details(ast.parse("from bot.audit import entry\nentry(by, 'x', **given)"), Path("x.py"))


def details(module: ast.Module, path: Path) -> set[str]:
    """Keys of the entries that a module writes. `**name` and `**name(…)`: those of the tables that this name makes here."""
    calls = [
        node for node in ast.walk(module) if isinstance(node, ast.Call) and ast.unparse(node.func) in ("entry", "audit.entry")
    ]
    if not any(
        isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot") and "entry" in _names(node)
        for node in ast.walk(module)
    ):
        return set()
    found = set()
    for keyword in (keyword for call in calls for keyword in call.keywords):
        keys = {keyword.arg} if keyword.arg else {key for made in _made(module, keyword.value) for key in _keys(made)}
        assert keys, f"{path}:{keyword.value.lineno}: what is written into the log cannot be known"
        found |= keys
    return found


def _names(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}


def _made(module: ast.Module, value: ast.expr) -> Iterator[ast.AST]:
    name = value.func if isinstance(value, ast.Call) else value
    if not isinstance(name, ast.Name):
        yield value
        return
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == name.id:
            yield node
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets):
            yield node.value


def _keys(made: ast.AST) -> Iterator[str]:
    """Of each table in it: what stands there, or what a comprehension goes through."""
    for node in ast.walk(made):
        keys = node.keys if isinstance(node, ast.Dict) else []
        if isinstance(node, ast.DictComp) and isinstance(node.generators[0].iter, ast.Tuple):
            keys = [*node.generators[0].iter.elts]
        yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
