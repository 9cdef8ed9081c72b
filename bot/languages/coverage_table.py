"""The table of docs/languages.md: how much of each language is there, written by `loa locale status --write`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.directory.languages import Language
from bot.languages.translation import Coverage, total

BEGIN, END = "<!-- coverage: written by `loa locale status --write` -->", "<!-- /coverage -->"
_HEADS = ("language", "tag", "texts", "approved", "reviewed", "draft", "stale", "missing")


class MarkersMissing(Exception):
    """The document has no place for the table."""


def coverage_table(counted: Sequence[tuple[Language, Sequence[Coverage]]]) -> str:
    """A line a language, and below it a table of the topics of those that have any texts."""
    lines = [_row(_HEADS), _row(["---"] * len(_HEADS))]
    lines += [_row([language.own_name, f"`{language.tag}`", *_numbers(total(parts))]) for language, parts in counted]
    begun = [(language, parts) for language, parts in counted if total(parts).share("missing") < 1]
    if begun:
        topics = [part.topic for part in begun[0][1]]
        lines += ["", "Drafts and better of all texts, by topic:", ""]
        lines += [_row(["topic", *(f"`{language.tag}`" for language, _ in begun)]), _row(["---"] * (len(begun) + 1))]
        lines += [_row([topic, *(_done(parts[n]) for _, parts in begun)]) for n, topic in enumerate(topics)]
    return "\n".join(lines)


def with_table(document: str, table: str) -> str:
    """The document with the table between its markers; raises MarkersMissing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MarkersMissing(f"the lines {BEGIN} and {END} are needed")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _numbers(part: Coverage) -> list[str]:
    counts = part.counts
    return [str(n) for n in (part.total, *(counts[s] for s in ("approved", "reviewed", "draft", "stale", "missing")))]


def _done(part: Coverage) -> str:
    return f"{part.total - part.counts['missing'] - part.counts['stale']}/{part.total}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
