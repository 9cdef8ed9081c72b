"""The texts that the language model learns from: our own questions and answers, and the small lists of data/languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib

from bot.languages.identify import VIETNAMESE, words
from bot.yaml_files import read_yaml

# What is written in a script of its own is known by it.
BY_SCRIPT = frozenset({"km"})
# Every so many-th Vietnamese example is enough.
VIETNAMESE_STEP = 3
# A word that stands so often in Vietnamese questions is Vietnamese, in whatever language's file it stands.
VIETNAMESE_TIMES = 3
_DRAFT = "status: draft"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_EXAMPLE = re.compile(r"^\s*- (.+)$", re.MULTILINE)


def samples(root: Path) -> dict[str, list[str]]:
    """By tag, texts in full spelling. Of mixed messages ("đăng ký tlŏ mgang") only the words that are not Vietnamese."""
    found = {tag: [*_questions(root, tag), *_translations(root, tag), *_list(root, tag)] for tag in _tags(root)}
    found[VIETNAMESE] = [*found.get(VIETNAMESE, ())[::VIETNAMESE_STEP], *_answers(root)]
    vietnamese = _often(found[VIETNAMESE])
    for tag, texts in found.items():
        if tag not in (VIETNAMESE, "en"):
            found[tag] = [" ".join(word for word in words(text) if word not in vietnamese) for text in texts]
    return {tag: texts for tag, texts in found.items() if any(texts)}


def letters(root: Path) -> dict[str, dict[str, int]]:
    """By tag, how often large texts hold each letter (data/languages/<tag>-letters.tsv)."""
    return {path.name.removesuffix("-letters.tsv"): _counts(path) for path in sorted(_lists(root).glob("*-letters.tsv"))}


def sources(root: Path) -> list[Path]:
    """Every file that `samples` and `letters` read."""
    return sorted(
        [
            *(root / "data/nlu").rglob("*.yml"),
            *(root / "locales").glob("*/messages.po"),
            *(root / "locales/vi").glob("*.yml"),
            *_lists(root).glob("*"),
        ]
    )


def _tags(root: Path) -> list[str]:
    named = {path.name for path in (root / "data/nlu").glob("*") if path.is_dir()}
    translated = {path.parent.name for path in (root / "locales").glob("*/messages.po")}
    listed = {path.stem for path in _lists(root).glob("*.txt")}
    return sorted((named | translated | listed) - BY_SCRIPT)


def _questions(root: Path, tag: str) -> Iterator[str]:
    for path in sorted((root / "data/nlu" / tag).glob("*.yml")):
        yield from _EXAMPLE.findall(path.read_text(encoding="utf-8"))


def _translations(root: Path, tag: str) -> Iterator[str]:
    """Those that a speaker has read: drafts are full of loanwords, and with them more Ê Đê was taken for Vietnamese."""
    path = root / "locales" / tag / "messages.po"
    if path.exists():
        read = (entry for entry in polib.pofile(str(path)) if entry.msgstr and _DRAFT not in entry.tcomment)
        yield from (_PLACEHOLDER.sub(" ", entry.msgstr) for entry in read)


def _answers(root: Path) -> Iterator[str]:
    for path in sorted((root / "locales/vi").glob("*.yml")):
        responses = read_yaml(path).get("responses") or {}
        yield from (_PLACEHOLDER.sub(" ", str(entry.get("text") or "")) for entry in responses.values())


def _list(root: Path, tag: str) -> Iterator[str]:
    path = _lists(root) / f"{tag}.txt"
    if path.exists():
        yield from (line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))


def _counts(path: Path) -> dict[str, int]:
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    counts: dict[str, int] = {}
    for cluster, number, *_ in rows:
        for letter in cluster:  # ơ̆ is two code points
            counts[letter] = counts.get(letter, 0) + int(number)
    return counts


def _often(texts: Iterable[str]) -> set[str]:
    times: dict[str, int] = {}
    for text in texts:
        for word in words(text):
            times[word] = times.get(word, 0) + 1
    return {word for word, number in times.items() if number >= VIETNAMESE_TIMES}


def _lists(root: Path) -> Path:
    return root / "data/languages"
