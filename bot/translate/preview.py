"""How a text looks in a chat, with examples where Loa fills in numbers and names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.languages.catalogue import PROVINCE_NAMES, Catalogue
from bot.languages.translation import BUTTON, is_button
from bot.translate.work import Piece

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Run:
    """A stretch of a bubble; an example stands for what Loa fills in."""

    text: str
    is_example: bool = False


@dataclass(frozen=True)
class ShownButton:
    title: str
    is_this: bool = False


@dataclass(frozen=True)
class Preview:
    """`is_part`: it never stands alone. No runs: nothing is translated."""

    runs: Sequence[Run]
    buttons: Sequence[ShownButton] = ()
    is_part: bool = False

    @property
    def has_examples(self) -> bool:
        return any(run.is_example for run in self.runs)


def samples(catalogue: Catalogue, words: Mapping[str, str]) -> dict[str, str]:
    """By placeholder. Numbers to call are those of the directory: nobody sees an invented one."""
    line = catalogue.contacts.health_line(catalogue.province)
    numbers = {"hotline": f"{line.number} ({line.name})", "number": line.number, "contacts": f"- {line.number}: {line.name}"}
    return {**words, **numbers, "province": PROVINCE_NAMES[catalogue.province]}


def preview(catalogue: Catalogue, pieces: Mapping[str, Piece], context: str, text: str, examples: Mapping[str, str]) -> Preview:
    """Of the text as typed; a button is shown below its answer."""
    key = context.partition(BUTTON)[0]
    entry = catalogue.entries.get(key)
    if entry is None:
        return Preview(filled(text, examples), is_part=True)
    fixed = () if isinstance(entry.buttons, str) else entry.buttons
    buttons = [_button(pieces, f"{key}{BUTTON}{n}", button.title, context, text) for n, button in enumerate(fixed)]
    said = _said(pieces, key, entry.text) if is_button(context) else text
    return Preview(filled(said, examples), buttons)


def filled(text: str, examples: Mapping[str, str]) -> list[Run]:
    runs: list[Run] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        runs += [Run(text[end : match.start()]), Run(examples.get(match[1], match[1]), is_example=True)]
        end = match.end()
    return [run for run in (*runs, Run(text[end:])) if run.text]


def _button(pieces: Mapping[str, Piece], context: str, title: str, this: str, typed: str) -> ShownButton:
    if context == this:
        return ShownButton(typed or title, is_this=True)
    return ShownButton(_said(pieces, context, title))


def _said(pieces: Mapping[str, Piece], context: str, vietnamese: str) -> str:
    """The translation if it could be served, else the Vietnamese."""
    found = pieces.get(context)
    return found.text if found is not None and found.text and found.state != "stale" else vietnamese
