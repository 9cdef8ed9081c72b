"""The languages of the answers: names, letters, spellings, who may approve and who speaks it on the phone
(data/directory/languages.yml)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.languages.normalise import fold
from bot.yaml_files import read_yaml

VIETNAMESE = "vi"
FOLD_KINDS = ("look_alikes", "keyboard", "ascii")
_RANGE = re.compile(r"(\S)-(\S)")


@dataclass(frozen=True)
class Fold:
    """One table from a spelling to a plainer one, small letters and capitals alike. Keys may be two code points long (`ơ̆`)."""

    table: Mapping[str, str]

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        keys = sorted(self._both_cases, key=len, reverse=True)
        # A letter is only replaced whole: `ơ` with a breve is another letter than `ơ`.
        whole = [re.escape(key) + ("(?![\u0300-\u036f])" if key.lower() != key.upper() else "") for key in keys]
        return re.compile("|".join(whole)) if keys else None

    @cached_property
    def _both_cases(self) -> dict[str, str]:
        small = {_nfc(key): _nfc(value) for key, value in self.table.items()}
        return {_nfc(key.upper()): _nfc(value.upper()) for key, value in small.items()} | small

    def __call__(self, text: str) -> str:
        """The text in NFC with every letter of the table replaced; idempotent where no value is a key."""
        normal = _nfc(text)
        return self._pattern.sub(lambda match: self._both_cases[match.group()], normal) if self._pattern else normal

    def found(self, text: str) -> list[tuple[str, str]]:
        """(what stands there, what it would become), each pair once, in order."""
        matches = self._pattern.findall(_nfc(text)) if self._pattern else []
        return list(dict.fromkeys((match, self._both_cases[match]) for match in matches))


@dataclass(frozen=True)
class Language:
    """`speakers`: per province the id of a contact at which somebody speaks the language; None: nobody is known."""

    tag: str
    name: str
    own_name: str
    letters: frozenset[str]
    takes_loanwords: bool
    folds: Mapping[str, tuple[Fold, ...]]
    tokens: str
    nplurals: int
    reviewers: tuple[str, ...]
    provinces: tuple[str, ...]
    speakers: Mapping[str, str | None] = field(default_factory=dict)

    def unified(self, text: str) -> str:
        """NFC with look-alikes of other fonts and keyboards brought to the language's own letters."""
        return self._through("look_alikes", text)

    def on_vietnamese_keyboard(self, text: str) -> str:
        """As it is typed where the letters ƀ, č, ñ and those with a breve cannot be had."""
        return self._through("keyboard", self.unified(text))

    def in_ascii(self, text: str) -> str:
        """As it is typed without any marks."""
        plain = self._through("ascii", self.on_vietnamese_keyboard(text))
        return fold(plain) if self.folds["ascii"] else plain

    def look_alikes(self, text: str) -> list[tuple[str, str]]:
        """(wrong character, right one) for each look-alike that stands in the text; apostrophes are no fault."""
        pairs = [pair for table in self.folds["look_alikes"] for pair in table.found(text)]
        return [(wrong, right) for wrong, right in pairs if right != "'"]

    def _through(self, kind: str, text: str) -> str:
        for table in self.folds[kind]:
            text = table(text)
        return _nfc(text)


class Languages:
    """All languages in the file's order, Vietnamese first."""

    def __init__(self, languages: Mapping[str, Language]) -> None:
        self._languages = dict(languages)

    @classmethod
    def load(cls, root: Path) -> Languages:
        """Read data/directory/languages.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/languages.yml")
        folds = {name: (str(entry["kind"]), Fold(dict(entry["table"]))) for name, entry in raw["folds"].items()}
        return cls({tag: _language(tag, entry, folds) for tag, entry in raw["languages"].items()})

    def __getitem__(self, tag: str) -> Language:
        return self._languages[tag]

    def __contains__(self, tag: object) -> bool:
        return tag in self._languages

    def meant(self, tag: object) -> str | None:
        """The tag of ours that a page or a phone means: `EN`, `en-US`, `mww`; None for a language that we do not have."""
        given = tag.casefold().replace("_", "-") if isinstance(tag, str) else ""
        whole = {known.casefold(): known for known in self._languages}
        first = {known.casefold().partition("-")[0]: known for known in reversed(self._languages)}
        return whole.get(given) or first.get(given.partition("-")[0])

    def all(self) -> list[Language]:
        return list(self._languages.values())

    def translated(self) -> list[Language]:
        """Those that are translated into: all but Vietnamese, in which the answers are written."""
        return [language for language in self._languages.values() if language.tag != VIETNAMESE]

    def of_province(self, province: str) -> list[Language]:
        return [language for language in self._languages.values() if province in language.provinces]


def letters_of(text: str) -> list[str]:
    """The letters of a text, small, each with the marks that belong to it; digits and signs are none."""
    found: list[str] = []
    for character in _nfc(text.lower()):
        if unicodedata.combining(character) and found:
            found[-1] += character
        elif character.isalpha():
            found.append(character)
    return found


def _language(tag: str, entry: Mapping[str, Any], folds: Mapping[str, tuple[str, Fold]]) -> Language:
    named = [folds[name] for name in entry["folds"]]
    return Language(
        tag=tag,
        name=str(entry["name"]),
        own_name=str(entry["own_name"]),
        letters=frozenset(_letters(str(entry["letters"]))),
        takes_loanwords=bool(entry["loanwords"]),
        folds={kind: tuple(table for of, table in named if of == kind) for kind in FOLD_KINDS},
        tokens=str(entry["tokens"]),
        nplurals=int(entry["nplurals"]),
        reviewers=tuple(str(name) for name in entry["reviewers"]),
        provinces=tuple(str(name) for name in entry["provinces"]),
        speakers=dict(entry["speakers"]),
    )


def _letters(listed: str) -> Iterable[str]:
    for item in listed.split():
        if between := _RANGE.fullmatch(item):
            yield from map(chr, range(ord(between[1]), ord(between[2]) + 1))
        else:
            yield _nfc(item)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
