"""Names of places as people spell them: an index that finds them among the words of a text.

A word typed with marks must carry those of the name ("hóa" is not "Hòa"); typed without, its letters must agree. Spellings
that differ by rule are one and are not listed: c/k, i/y, d/đ, the place of the tone, apostrophes, hyphens, spaces, and ea/ia and
cư/chư at the beginning of a name of the highlands. Pure; reads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from bot.languages.chat_spelling import CHAT_SPELLINGS
from bot.languages.normalise import fold, spans, spell

T = TypeVar("T")

LONGEST_NAME_WORDS = 6
# Shorter names have too many neighbours at a distance of one letter.
MISSPELT_LETTERS = 6
MISSPELT_NAME_WORDS = 4
# From this length on one wrong letter may even give another Vietnamese word, if it was typed with care ("Quảng Sượng").
LONG_NAME_LETTERS = 8
MIXED_MARKS_WORDS = 3
# Highland names begin with "river" and "hill" in the spellings of several languages.
SAME_BEGINNINGS = {"ea": ("ia",), "ia": ("ea",), "cư": ("chư",), "chư": ("cư",)}

_I_FOR_Y = str.maketrans("yýỳỷỹỵ", "iíìỉĩị")
# "Mỹ" and "Mĩ" sound alike; "nay" and "nai" do not.
_Y_ALONE = re.compile(r"(?<=[bcdđghklmnprstvwx])[yýỳỷỹỵ]$|(?<=qu)[yýỳỷỹỵ]$")
_C_FOR_K = re.compile(r"c(?!h)")
# A written Vietnamese syllable without its marks; "krong", "mgar", "drak", "ea" and "tuyhoa" are none.
_SYLLABLE = re.compile(
    r"(?:ngh(?=[ei])|ng(?![ei])|nh|gh(?=[ei])|gi(?=[aeou])|g(?!e)|kh|k(?=[eiy])|ch|c(?![eiy])|ph|th|tr|qu|[bdhlmnrstvx])?"
    r"(?!ea|y[aiou])[aeiouy]{1,3}(?:ch|ng|nh|[cmnpt])?"
)
# Apostrophes of every kind, hyphens, the full stop of an abbreviation.
_WITHIN_NAMES = " \u00a0.'`´\u2018\u2019\u02bc\u2032-\u2010\u2011\u2013"
_NUMBER = re.compile(r"\d+")


class Word(NamedTuple):
    """One typed word: `marked` and `plain` are what is compared, with and without marks; offsets are those of the text.
    `is_apart`: a comma or the like stands before it, across which no name goes on."""

    start: int
    end: int
    is_apart: bool
    marked: str
    plain: str
    is_syllable: bool

    @property
    def has_marks(self) -> bool:
        return self.marked != self.plain


@dataclass(frozen=True)
class Spelling:
    """How a name was typed. `is_foreign`: in letters that no ordinary Vietnamese word has, so that nothing else is meant."""

    has_marks: bool
    is_foreign: bool


@dataclass(frozen=True)
class Spelt(Generic[T]):
    """A name that ends before word `last`, with what it may mean."""

    last: int
    meanings: tuple[T, ...]
    spelling: Spelling


@dataclass(frozen=True)
class _Form:
    words: tuple[Word, ...]

    @property
    def marked(self) -> str:
        return "".join(word.marked for word in self.words)

    @property
    def is_foreign(self) -> bool:
        return not all(word.is_syllable for word in self.words)


def words_of(text: str) -> list[Word]:
    """The words of a text, in order."""
    words, before = [], 0
    for start, end in spans(text):
        words.append(Word(start, end, text[before:start].strip(_WITHIN_NAMES) != "", *_compared(text[start:end])))
        before = end
    return words


class Names(Generic[T]):
    """Build it once with `add`; then `at` and `near_at` read a text word by word."""

    def __init__(self) -> None:
        self._meanings: dict[str, dict[_Form, list[T]]] = {}
        self._beginnings: set[str] = set()
        self._endings: set[str] = set()
        self._one_letter_less: dict[str, list[str]] = {}

    def add(self, name: str, meaning: T) -> None:
        for spelling in _spellings(name):
            form = _Form(tuple(words_of(spelling)))
            meanings = self._forms(_joined(form.words)).setdefault(form, [])
            if meaning not in meanings:
                meanings.append(meaning)

    def at(self, words: Sequence[Word], first: int, *, writes_marks: bool) -> list[Spelt[T]]:
        """The names that begin at word `first`, the longest first. `writes_marks`: the text has some, so "Quang Trung" is not
        "Quảng Trung" without them."""
        found: list[Spelt[T]] = []
        joined = ""
        for last in range(first + 1, min(first + LONGEST_NAME_WORDS, len(words)) + 1):
            joined += words[last - 1].plain
            if joined not in self._beginnings or (words[last - 1].is_apart and last - 1 > first):
                break
            forms = self._meanings.get(joined)
            if forms and (spelt := _spelt(words[first:last], last, forms, writes_marks=writes_marks)):
                found.insert(0, spelt)
        return found

    def near_at(self, words: Sequence[Word], first: int) -> list[Spelt[T]]:
        """The names that were meant at word `first` if one letter or the marks are wrong, the longest first."""
        found, joined = [], ""
        for last in range(first + 1, min(first + MISSPELT_NAME_WORDS, len(words)) + 1):
            if words[last - 1].is_apart and last - 1 > first:
                break
            joined += words[last - 1].plain
            for name in self._neighbours(joined):
                for form, meanings in self._meanings[name].items():
                    if _may_be_misspelt(words[first:last], form, name):
                        found.append(Spelt(last, tuple(meanings), Spelling(_any_marks(words[first:last]), form.is_foreign)))
        return sorted(found, key=lambda spelt: -spelt.last)

    def _forms(self, joined: str) -> dict[_Form, list[T]]:
        if joined not in self._meanings:
            self._meanings[joined] = {}
            self._beginnings.update(joined[:length] for length in range(1, len(joined) + 1))
            self._endings.update(joined[-length:] for length in range(1, len(joined) + 1))
            if len(joined) >= MISSPELT_LETTERS:
                for shorter in {joined, *_one_letter_less(joined)}:
                    self._one_letter_less.setdefault(shorter, []).append(joined)
        return self._meanings[joined]

    def _neighbours(self, joined: str) -> list[str]:
        """With one wrong letter one half of the word is right: this alone rules out nearly all words at once."""
        half = len(joined) // 2
        if len(joined) < MISSPELT_LETTERS - 1 or not (joined[:half] in self._beginnings or joined[-half:] in self._endings):
            return []
        near = (name for typed in {joined, *_one_letter_less(joined)} for name in self._one_letter_less.get(typed, ()))
        return sorted(name for name in set(near) if _is_one_edit_away(joined, name))


@lru_cache(maxsize=20_000)
def _compared(typed: str) -> tuple[str, str, bool]:
    spelt = spell(typed)
    is_syllable = bool(_SYLLABLE.fullmatch(fold(spelt)) or _NUMBER.fullmatch(spelt) or spelt in CHAT_SPELLINGS)
    with_i = _Y_ALONE.sub(lambda y: y.group().translate(_I_FOR_Y), spelt)
    marked = _C_FOR_K.sub("k", with_i).replace("đ", "d")
    return marked, fold(marked), is_syllable


def _spellings(name: str) -> Iterator[str]:
    yield name
    beginning, _, rest = name.partition(" ")
    if rest:
        yield from (f"{other} {rest}" for other in SAME_BEGINNINGS.get(beginning.lower(), ()))


def _joined(words: Iterable[Word]) -> str:
    return "".join(word.plain for word in words)


def _spelt(typed: Sequence[Word], last: int, forms: Mapping[_Form, Sequence[T]], *, writes_marks: bool) -> Spelt[T] | None:
    """With its marks a name is only itself ("Ea Drơng" is not "Ea Drông"); else all names of these letters may be meant."""
    marked = "".join(word.marked for word in typed)
    exact = [form for form in forms if form.marked == marked] if writes_marks else []
    agreeing = [(form, spelling) for form in exact or forms if (spelling := _agreement(typed, form)) is not None]
    if not agreeing:
        return None
    meanings = dict.fromkeys(meaning for form, _ in agreeing for meaning in forms[form])
    return Spelt(last, tuple(meanings), agreeing[0][1])


def _agreement(typed: Sequence[Word], form: _Form) -> Spelling | None:
    """How `typed` spells the name; None when its marks say another word. Who types marks types all ("Ngọc Linh" is not
    "Ngọc Lĩnh"), but for long names."""
    is_foreign = not all(word.is_syllable for word in typed)
    has_marks = _any_marks(typed)
    may_mix = not has_marks or len(typed) >= MIXED_MARKS_WORDS
    if len(typed) == len(form.words) and all(
        _agree(said, meant, bare=may_mix) for said, meant in zip(typed, form.words, strict=True)
    ):
        return Spelling(has_marks, is_foreign)
    runs_together = len(typed) == 1 and len(typed[0].plain) >= MISSPELT_LETTERS
    return Spelling(has_marks, is_foreign) if is_foreign and (form.is_foreign or runs_together) else None


def _agree(typed: Word, named: Word, *, bare: bool) -> bool:
    return typed.marked == named.marked or (bare and not typed.has_marks and typed.plain == named.plain)


def _any_marks(typed: Iterable[Word]) -> bool:
    return any(word.has_marks for word in typed)


def _may_be_misspelt(typed: Sequence[Word], form: _Form, name: str) -> bool:
    """Another Vietnamese word in place of the name's is a slip only in long names, or where sounds fall together (s/x)."""
    if form.is_foreign:
        return not all(word.is_syllable for word in typed)
    if len(typed) != len(form.words):
        return False
    wrong = [(said, meant) for said, meant in zip(typed, form.words, strict=True) if not _agree(said, meant, bare=False)]
    if len(name) < MISSPELT_LETTERS or len(wrong) != 1:
        return False
    said, meant = wrong[0]
    if _NUMBER.fullmatch(said.plain) or _NUMBER.fullmatch(meant.plain):
        return False
    sounds_alike = said.plain.replace("x", "s") == meant.plain.replace("x", "s")
    return sounds_alike or not said.is_syllable or (len(name) >= LONG_NAME_LETTERS and said.has_marks)


def _one_letter_less(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _is_one_edit_away(typed: str, name: str) -> bool:
    """At most one letter more, less or other."""
    at = next((i for i, (a, b) in enumerate(zip(typed, name, strict=False)) if a != b), min(len(typed), len(name)))
    rest, meant = typed[at:], name[at:]
    return rest[1:] == meant or rest == meant[1:] or rest[1:] == meant[1:]
