"""What is wrong with a translation, as codes and values; the words stand in locales/vi/interface/translation.yml."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Literal

from bot.directory.languages import Language, letters_of
from bot.languages import po
from bot.languages.po import Translation
from bot.languages.translation import is_button

# An answer is split at its paragraphs beyond what a platform takes in one message; Messenger and Zalo take 2,000 characters.
LONGEST_TEXT = 2_000
# Longer than a Vietnamese answer may be: with the Vietnamese text below it becomes two messages.
LONG_TEXT = 900
# Messenger cuts a button's title after 20 characters, Zalo after 100.
LONGEST_BUTTON = 100
LONG_BUTTON = 20

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_URL = re.compile(r"https?://\S+")
# Phone numbers (short ones stand alone) and the numbers of documents: 3985/QĐ-BYT, 06/2019/TT-BYT.
_PHONE = re.compile(
    r"(?<![\w/.,-])(?:\+?84|0)[\d .]{7,12}\d(?![\w/])|(?<![\w/])1[89]00[ .]?\d[\d .]{2,5}\d(?![\w/])"
    r"|(?<![\w/.,-])11[1-5](?![\w/]|[.,]\d)"
)
_DOCUMENT = re.compile(r"\b\d+(?:/\d{4})?/[A-ZĐ]\w*(?:-[A-ZĐ]\w*)*")
_NUMBER = re.compile(r"(?<![\w-])\d+(?:[./,:-]\d+)*")
_LEGACY = re.compile(r"(?<=\w)[\[\]{}\\`|]|[\[{\\`|](?=\w)")
_WORD = re.compile(r"[^\W\d_][\w\u0300-\u036f'’ʼ-]*")
_PARTS = re.compile(r"['’ʼ\d_-]+")
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u0000-\u0009\u000b-\u001f]")
_KHMER_SPACES = "\u200b\u200c\u200d"

Severity = Literal["error", "look"]


@dataclass(frozen=True)
class Problem:
    """`error`: not taken in and not released; `look`: taken in, a person should look."""

    code: str
    severity: Severity = "error"
    values: Mapping[str, str] = field(default_factory=dict)


def problems(context: str, source: str, text: str, language: Language, vietnamese: Language) -> list[Problem]:
    """What is wrong with `text` as the translation of `source`; nothing with an empty one."""
    if not text:
        return []
    bare = _URL.sub(" ", _PLACEHOLDER.sub(" ", text))
    return [
        *_placeholders(source, text),
        *_numbers(source, text),
        *_characters(text, bare, language),
        *_letters(source, bare, language, vietnamese),
        *_length(context, text),
        *([Problem("same_as_source", "look")] if text == source and len(_WORD.findall(bare)) > 2 else []),
    ]


def faults(known: Mapping[str, Translation], language: Language, vietnamese: Language) -> Iterator[tuple[Translation, Problem]]:
    """Problems of everything that may be served; what is stale or obsolete is withheld anyway."""
    for translation in known.values():
        if not translation.is_obsolete and translation.state not in {"missing", "stale"}:
            for problem in problems(translation.context, translation.source, translation.text, language, vietnamese):
                yield translation, problem


def sentence(problem: Problem, words: Mapping[str, str]) -> str:
    """The problem in words; a brace in a value or a word stays what it is."""
    text = words[problem.code]
    for name, value in problem.values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _placeholders(source: str, text: str) -> Iterator[Problem]:
    wanted, given = po.placeholders(source) or frozenset(), po.placeholders(text)
    if given is None:
        yield Problem("braces_broken", values={"example": _example(source)})
        return
    for field_ in sorted(wanted - given):
        yield Problem("placeholder_missing", values={"name": _braced(field_)})
    for field_ in sorted(given - wanted):
        yield Problem("placeholder_unknown", values={"name": _braced(field_)})


def _numbers(source: str, text: str) -> Iterator[Problem]:
    before, after = _sure_numbers(source), _sure_numbers(text)
    for number in sorted(before - after):
        yield Problem("number_missing", values={"number": number})
    for number in sorted(after - before):
        yield Problem("number_unknown", values={"number": number})
    told, all_numbers = (
        set(_NUMBER.findall(_PLACEHOLDER.sub(" ", source))),
        _NUMBER.findall(_ascii_digits(_PLACEHOLDER.sub(" ", text))),
    )
    sure = " ".join((*before, *after))
    for number in dict.fromkeys(all_numbers):
        if number not in told and number not in sure:
            yield Problem("other_number", "look", {"number": number})


def _characters(text: str, bare: str, language: Language) -> Iterator[Problem]:
    if unicodedata.normalize("NFC", text) != text:
        yield Problem("not_nfc")
    hidden = _INVISIBLE.findall(text)
    if any(language.tokens != "clusters" or character not in _KHMER_SPACES for character in hidden):
        yield Problem("invisible")
    for word in dict.fromkeys(filter(_LEGACY.search, bare.split())):
        yield Problem("legacy_font", values={"word": word})
    for found, expected in language.look_alikes(bare):
        yield Problem("look_alike", values={"found": found, "expected": expected})


def _letters(source: str, bare: str, language: Language, vietnamese: Language) -> Iterator[Problem]:
    """A word is of the language, a loanword in Vietnamese letters or in plain ones (vaccine, Zalo), or stands in the source."""
    known = {word.casefold() for word in _WORD.findall(source)}
    wrong = {found for found, _ in language.look_alikes(bare)}
    loans = vietnamese.letters | frozenset("abcdefghijklmnopqrstuvwxyz") if language.takes_loanwords else frozenset()
    for word in dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", bare))):
        if word.casefold() in known:
            continue
        for part in filter(None, _PARTS.split(word)):
            letters = letters_of(part)
            if all(letter in loans for letter in letters):
                continue
            strange = next((letter for letter in letters if not _is_of(letter, language) and letter not in wrong), None)
            if strange:
                yield Problem("letter_not_allowed", values={"letter": strange, "word": word})


def _length(context: str, text: str) -> Iterator[Problem]:
    long, longest = (LONG_BUTTON, LONGEST_BUTTON) if is_button(context) else (LONG_TEXT, LONGEST_TEXT)
    if len(text) > longest:
        yield Problem("too_long", values={"length": str(len(text)), "limit": str(longest)})
    elif len(text) > long:
        yield Problem("long", "look", {"length": str(len(text)), "limit": str(long)})


def _is_of(letter: str, language: Language) -> bool:
    return letter in language.letters or all(character in language.letters for character in letter)


def _sure_numbers(text: str) -> set[str]:
    bare = _PLACEHOLDER.sub(" ", text)
    return {*_PHONE.findall(bare), *_DOCUMENT.findall(bare)}


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)


def _example(source: str) -> str:
    return next((f"{{{name}}}" for _, name, _, _ in Formatter().parse(source) if name), "{hotline}")


def _braced(field_: tuple[str, str, str]) -> str:
    name, form, conversion = field_
    return f"{{{name}{f'!{conversion}' if conversion else ''}{f':{form}' if form else ''}}}"
