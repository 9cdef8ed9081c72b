"""A message as a row of words in one spelling, each still knowing where it stood, with the breaks between sentences kept.

`normalise` gives one text for comparing; here the way back to the citizen's own text is needed, to mark what was understood.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

from bot.languages.normalise import MAX_CHARACTERS, fold, normalise, spell, with_and_without_marks

COMMA, STOP = ",", "."
BREAKS = frozenset({COMMA, STOP})
COVID = "covid"
# As in `normalise`: "bệnh covid" is covid.
_BEFORE_COVID = frozenset({"bệnh", "benh", "dịch", "dich", "virus", "virut"})

# A number with its separators is one word ("19/6", "28,4", "5-11"); the 19 of covid-19 is none.
_TOKEN = re.compile(
    r"(?P<covid>(?<!\w)(?:covid|cô[\s-]?v(?:i[dt]?|ít|íd|y)|co[\s-]?(?:v[iy]d|vit))(?![^\W\d_])(?:[\s-]{0,2}19(?!\d))?)"
    r"|(?P<number>\d{1,9}(?:[.,/:–-]\d{1,9}){0,3})"
    r"|(?P<word>[^\W\d_](?:[^\W_]|[\u0300-\u036f])*)"
    r"|(?P<stop>[.!?;…\n]+)"
    r"|(?P<comma>[,:()/+]|(?<=\s)[–-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """`words` hold `,` and `.` where the text pauses or stops; `at` gives each word's place in the text as typed; `is_marked`:
    typed with diacritics, at least here and there (a "ko" that is read as "không" has none)."""

    words: tuple[str, ...]
    at: tuple[tuple[int, int], ...]
    is_marked: bool

    @classmethod
    def of(cls, text: str) -> Reading:
        words: list[str] = []
        at: list[tuple[int, int]] = []
        after_number = is_marked = False
        for found in _TOKEN.finditer(text[:MAX_CHARACTERS]):
            spelt = _spelt(found, after_number=after_number)
            is_marked = is_marked or (found.lastgroup == "word" and _is_marked(found.group()))
            if spelt == (COVID,) and words and words[-1] in _BEFORE_COVID:
                words.pop()
                at.pop()
            words.extend(spelt)
            at.extend([found.span()] * len(spelt))
            after_number = found.lastgroup == "number"
        return cls(tuple(words), tuple(at), is_marked)

    @cached_property
    def text(self) -> str:
        """The words with single spaces between."""
        return " ".join(self.words)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        starts, place = [], 0
        for word in self.words:
            starts.append(place)
            place += len(word) + 1
        return tuple(starts)

    def words_from(self, start: int, end: int) -> tuple[int, int]:
        """First and last (exclusive) word of a stretch of `text`."""
        return bisect_right(self._starts, start) - 1, bisect_left(self._starts, end)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the words `first` to `last` (exclusive) stand in the message as typed."""
        return self.at[first][0], self.at[last - 1][1]

    def sentence(self, place: int) -> tuple[int, int]:
        """First and last (exclusive) word of the sentence around a word."""
        return self._stops[bisect_right(self._stops, place) - 1] + 1, self._stops[bisect_right(self._stops, place)]

    @cached_property
    def _stops(self) -> tuple[int, ...]:
        return (-1, *(i for i, word in enumerate(self.words) if word == STOP), len(self.words))


def marked_or_not(pattern: str) -> re.Pattern[str]:
    """For `Reading.text`: every marked word also matches typed without any mark; `!tím` only as written."""
    return re.compile(with_and_without_marks(pattern))


def _is_marked(word: str) -> bool:
    return not word.isascii() and fold(word) != word


def _spelt(found: re.Match[str], *, after_number: bool) -> tuple[str, ...]:
    kind = found.lastgroup
    if kind == "word":
        # A short word after a number is a unit: "5 k" has no "không" in it.
        return (spell(found.group()),) if after_number else _word(found.group())
    if kind == "number":
        return (found.group(),)
    return (COVID,) if kind == "covid" else (COMMA,) if kind == "comma" else (STOP,)


@lru_cache(maxsize=50_000)
def _word(word: str) -> tuple[str, ...]:
    """One word written out ("ko" → không, "vacxin" → vắc xin); none when nothing of it can be seen."""
    return tuple(normalise(word).split())
