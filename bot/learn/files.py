"""Agreed questions as training examples: data/nlu/<language>/learned/<topic>.yml, a block for each decision with its people.

    # 3f2a9c01b7de: proposed by an, agreed by binh on 2026-11-22; asked 14 times
    - intent: testing_where
      examples: |
        - cho em hoi test o dau

A block that stands is left as it is; one whose decision was undone goes; one of another deployment, which this database does not
know, stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.languages.identify import VIETNAMESE
from bot.learn.store import Decision
from bot.learn.turns import MARK
from bot.measuring.held_out import as_learned
from bot.yaml_files import parse_yaml, read_yaml

FOLDER = "learned"
HEAD = (
    "# Asked by citizens, names and numbers masked; two people gave them this topic on /learn. Written by `loa learn apply`.\n"
    'version: "3.1"\n\nnlu:\n'
)
# A block begins with the name of its decision.
_BLOCK = re.compile(r"^# ([0-9a-f]{12}): .*\n(?:(?!# [0-9a-f]{12}: ).*(?:\n|\Z))*", re.MULTILINE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2,8})?")
_LEAST_WORDS = 2
# More was masked than a question can miss.
_MOST_MARKS = 1
# What Rasa reads as an annotation, and what YAML or its reader could stumble over.
_SPECIAL = re.compile(r"[\[\]{}()|`\\]|\u2028|\u2029|[\x00-\x1f\x7f-\x9f]")


@dataclass
class Written:
    """What `write` did. `skipped`: why, and how often."""

    files: list[Path] = field(default_factory=list)
    added: list[Decision] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    examples: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, why: str) -> None:
        self.skipped[why] = self.skipped.get(why, 0) + 1


def example_of(text: str) -> str | None:
    """The question as an example; None when too much of it is masked."""
    if len(MARK.findall(text)) > _MOST_MARKS:
        return None
    bare = " ".join(_SPECIAL.sub(" ", MARK.sub(" ", text)).split()).lstrip("-#*+ ")
    return bare if len(re.findall(r"[^\W_]{2,}", bare)) >= _LEAST_WORDS else None


def write(
    root: Path, decisions: Sequence[Decision], undone: set[str], topic_of: Callable[[str], str | None], *, is_trial: bool = False
) -> Written:
    """Bring the files in line with the decisions. `topic_of`: the file of an intent, None for an intent that is no more."""
    done = Written()
    contents = {path: path.read_text(encoding="utf-8") for path in sorted((root / "data/nlu").glob(f"*/{FOLDER}/*.yml"))}
    standing = {key for text in contents.values() for key in _blocks(text)}
    changed = {path: _without(text, undone, done) for path, text in contents.items()}
    known = _Known(root, changed)
    for decision in decisions:
        if decision.key in standing:
            continue
        topic = topic_of(decision.topic or "")
        if topic is None or not _LANGUAGE.fullmatch(decision.language):
            done.skip("intent_gone")
            continue
        examples = [one for text in decision.examples if (one := known.new_example(text, decision.language, done))]
        done.added.append(decision)
        if not examples:
            continue
        done.examples += len(examples)
        path = root / "data/nlu" / decision.language / FOLDER / f"{topic}.yml"
        changed[path] = (changed.get(path) or HEAD) + _block(decision, examples)
    for path, text in changed.items():
        if contents.get(path) != text:
            done.files.append(path)
            if not is_trial:
                _save(path, text)
    return done


class _Known:
    """What is an example already, or asked by a test: neither is written."""

    def __init__(self, root: Path, learned: Mapping[Path, str]) -> None:
        hand_made = (read_yaml(path) for path in (root / "data/nlu").glob("*/*.yml"))
        ours = (parse_yaml(text) for text in learned.values())
        self._examples = {as_learned(text) for content in (*hand_made, *ours) for text in sentences(content)}
        tests = (read_yaml(path) for path in (root / "tests/nlu").rglob("*.yml"))
        self._tests = {as_learned(text) for content in tests for text in sentences(content)}

    def new_example(self, text: str, language: str, done: Written) -> str | None:
        example = example_of(text)
        spelt = as_learned(example or "")
        if example is None:
            done.skip("masked")
        elif spelt in self._tests:
            done.skip("held_out")
        elif spelt in self._examples:
            done.skip("known")
        else:
            self._examples.add(spelt)
            return example
        return None


def sentences(content: Any) -> Iterator[str]:
    """Every sentence of a file of questions, whatever its shape."""
    if isinstance(content, str):
        yield from filter(None, (re.sub(r"^\s*- ", "", line).strip() for line in content.splitlines()))
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from sentences(value)
    elif isinstance(content, Iterable):
        for value in content:
            yield from sentences(value)


def learned_keys(root: Path) -> set[str]:
    """The decisions whose examples stand in the files."""
    return {key for path in (root / "data/nlu").glob(f"*/{FOLDER}/*.yml") for key in _blocks(path.read_text(encoding="utf-8"))}


def _blocks(text: str) -> list[str]:
    return [found[1] for found in _BLOCK.finditer(text)]


def _without(text: str, undone: set[str], done: Written) -> str:
    gone = [key for key in _blocks(text) if key in undone]
    done.removed += gone
    left = _BLOCK.sub(lambda found: "" if found[1] in undone else found[0], text)
    return left if not gone or _blocks(left) else ""


def _block(decision: Decision, examples: Sequence[str]) -> str:
    agreed = f"{decision.decided_at:%Y-%m-%d}" if decision.decided_at else ""
    who = f"proposed by {decision.proposed_by}, agreed by {decision.decided_by} on {agreed}; asked {decision.asked} times"
    language = [] if decision.language == VIETNAMESE else [f"  metadata: {{language: {decision.language}}}"]
    lines = [f"# {decision.key}: {who}", f"- intent: {decision.topic}", *language, "  examples: |"]
    return "\n".join([*lines, *(f"    - {example}" for example in examples)]) + "\n"


def _save(path: Path, text: str) -> None:
    """Whole or not at all. A file without a block goes."""
    if not text:
        path.unlink()
        return
    parse_yaml(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
