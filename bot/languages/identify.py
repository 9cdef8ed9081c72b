"""Which language a text in Latin letters is in: how likely each language is to spell the words so, letter after letter.

Of every language the model counts which letter follows which three before it, within words. A closed set: what fits none of the
languages, or two of them alike, is not decided. Pure; kept as JSON; docs/languages.md has the figures.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.languages.normalise import fold
from bot.languages.scripts import without_zero_width

Words = tuple[str, ...]
VIETNAMESE = "vi"
# How many letters before a letter are looked at, and how many different letters there may be.
CONTEXT = 3
LETTERS = 120
# The letters of one word are no independent witnesses: their sum is divided by this before it becomes a probability.
TEMPERATURE = 2.5
# On one word, and below these, nothing is decided (docs/languages.md says how they were chosen).
LEAST_WORDS = 2
LEAST_CHANCE = 0.9
# Names have up to so many words.
LONGEST_NAME = 4
# The mean logarithm of a letter's probability: a language in which the letters are rarer than this is none that we know.
LEAST_FIT = -3.4
# A list of letters counts as this many letters of text.
WEIGHT_OF_LETTERS = 300
LONGEST = 600
# So many windows of letters of each language are remembered; Vietnamese needs a tenth of them.
KEPT_CHANCES = 50_000

_MASKED = re.compile(
    r"\{[^{}]*\}|(?:https?://|www\.)\S+|\S+@\S+|[@#/]\w+|\b[\w-]+(?:\.[\w-]+)*\.(?:vn|com|org|net|gov|edu|info|io|html?)(?:/\S*)?\b|\w*\d\w*"
)
# The same in all languages: they say nothing about the one around them.
_EVERYWHERE = re.compile(
    r"\b(?:covid|corona(?:virus)?|sars|cov|ncov|virus|vaccines?|vacxin|vắc|xin|pfizer|moderna|astra|zeneca|astrazeneca|sinopharm"
    r"|vero|cell|sputnik|janssen|abdala|biontech|omicron|delta|test|pcr|cdc|who|app|bluezone|pccovid|zalo|facebook|messenger|telegram"
    r"|internet|online|email|hotline|ok|okay|hi|hello|bye|wifi|qr|sms|xã|loa)\b"
)
_APOSTROPHES = re.compile("[\u2018\u2019\u02bc\u02bb`´]")
# A caron looks like a breve. What is left apart in NFC is never Czech: ơ with a caron is no letter of anybody's.
_CARONS = str.maketrans("ěǐǒǔ\u030c", "ĕĭŏŭ\u0306")
_WORD = re.compile(r"[^\W\d_][^\W\d_\u0300-\u036f]*(?:(?:[\u0300-\u036f]|'(?=[^\W\d_]))+[^\W\d_\u0300-\u036f]*)*")
_BREVE = "\u0306"
_PLAIN_KEYS = str.maketrans("ƀčñĕĭŏŭ", "bcneiou")


@dataclass(frozen=True)
class Guess:
    """A language and its probability among the known ones."""

    tag: str
    chance: float


@dataclass
class Spelled:
    """How one language is spelled: letter counts by the letters before them; `""` counts letters alone."""

    counts: dict[str, dict[str, int]]
    _totals: dict[str, int] = field(default_factory=dict)
    _known: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._totals = {before: sum(letters.values()) for before, letters in self.counts.items()}

    def surprise(self, word: str) -> float:
        """The logarithm of the word's probability, its end included (Witten and Bell's smoothing)."""
        padded = f"{' ' * CONTEXT}{word} "
        return sum(self._logarithm(padded[i - CONTEXT : i + 1]) for i in range(CONTEXT, len(padded)))

    def _logarithm(self, window: str) -> float:
        """Of the chance that the last letter follows those before it."""
        known = self._known.get(window)
        if known is None:
            if len(self._known) >= KEPT_CHANCES:
                self._known.clear()
            known = self._known[window] = math.log(self._chance(window[:-1], window[-1]))
        return known

    def _chance(self, before: str, letter: str) -> float:
        chance = 1 / LETTERS
        for start in range(len(before), -1, -1):
            letters = self.counts.get(before[start:])
            if letters is None:
                break
            different = len(letters)
            chance = (letters.get(letter, 0) + different * chance) / (self._totals[before[start:]] + different)
        return chance


class Identifier:
    """`train` on the texts of each language, `guess` of one text. Knows only the languages that it was trained on."""

    def __init__(self, languages: Mapping[str, Spelled]) -> None:
        self._languages = dict(languages)
        self._tags = sorted(self._languages)
        self._known: dict[str, tuple[float, ...]] = {}

    @classmethod
    def train(cls, texts: Mapping[str, Iterable[str]], letters: Mapping[str, Mapping[str, int]] | None = None) -> Identifier:
        """`texts`: by tag, in full spelling; each is learned as typed on three kinds of keyboards. `letters`: by tag, how often a
        larger text than we have holds each letter."""
        return cls({tag: _spelled(_word_counts(given), (letters or {}).get(tag) or {}) for tag, given in texts.items()})

    def guess(self, text: str, tags: Sequence[str] = ()) -> Guess | None:
        """The language of the text; None for fewer than two words, a name, doubt, and what is spelled like none.

        A language other than Vietnamese must also be the likelier one of at least half of the words: one long foreign name in a
        Vietnamese sentence is no other language. `tags`: only these are looked at.
        """
        found = words(text)
        if len(found) < LEAST_WORDS or is_name(text):
            return None
        table = [self._scores(word) for word in found]
        sums = [sum(column) for column in zip(*table, strict=True)]
        known = [i for i, tag in enumerate(self._tags) if not tags or tag in tags]
        best = max(known, key=lambda i: sums[i])
        chance = 1 / sum(math.exp(max((sums[i] - sums[best]) / TEMPERATURE, -700)) for i in known)
        if chance < LEAST_CHANCE or sums[best] / sum(len(word) + 1 for word in found) < LEAST_FIT:
            return None
        tag = self._tags[best]
        if tag != VIETNAMESE and VIETNAMESE in self._tags:
            usual = self._tags.index(VIETNAMESE)
            theirs = sum(row[best] > row[usual] for row in table)
            if theirs < len(table) / 2:
                return None
        return Guess(tag, chance)

    def to_json(self) -> str:
        return json.dumps({tag: language.counts for tag, language in self._languages.items()}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Identifier:
        """Read what `to_json` wrote; raises ValueError on anything else."""
        try:
            return cls({str(tag): Spelled(counts) for tag, counts in json.loads(text).items()})
        except (AttributeError, TypeError) as error:
            raise ValueError(f"no language model: {error}") from error

    def _scores(self, word: str) -> tuple[float, ...]:
        scores = self._known.get(word)
        if scores is None:
            if len(self._known) > 20_000:
                self._known.clear()
            scores = self._known[word] = tuple(self._languages[tag].surprise(word) for tag in self._tags)
        return scores


def words(text: str) -> Words:
    """The words that can tell a language: lower case, one kind of apostrophe, breves; without links, numbers, brands."""
    seen = _spelling(text[:LONGEST])
    return tuple(_WORD.findall(_EVERYWHERE.sub(" ", _MASKED.sub(" ", seen))))


def is_name(text: str) -> bool:
    """A few words, each with a capital: "Bill Gates", "Y Thông Mlô", "Vietcombank BIDV". Who shouts in capitals says no name."""
    split = text.split()
    return LEAST_WORDS <= len(split) <= LONGEST_NAME and not text.isupper() and all(word[0].isupper() for word in split)


def keyboards(word: str) -> set[str]:
    """The word in full, as a Vietnamese keyboard has it (`ƀuôn` → `buôn`, `ĕ` → `e`), and in plain letters."""
    split = unicodedata.normalize("NFD", word.translate(_PLAIN_KEYS))
    # ă is a Vietnamese letter; a breve anywhere else is not.
    kept = "".join(c for i, c in enumerate(split) if c != _BREVE or split[i - 1 : i] == "a")
    return {word, unicodedata.normalize("NFC", kept), fold(word)}


def _spelling(text: str) -> str:
    seen = unicodedata.normalize("NFC", unicodedata.normalize("NFC", without_zero_width(text)).lower())
    return _APOSTROPHES.sub("'", seen).translate(_CARONS)


def _word_counts(texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        found.update(words(text))
    counts: Counter[str] = Counter()
    for word, number in found.items():
        for spelt in keyboards(word):
            counts[spelt] += number
    return counts


def _spelled(counts: Mapping[str, int], letters: Mapping[str, int]) -> Spelled:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for word, number in counts.items():
        padded = f"{' ' * CONTEXT}{word} "
        for i in range(CONTEXT, len(padded)):
            for start in range(i - CONTEXT, i + 1):
                found[padded[start:i]][padded[i]] += number
    total = sum(letters.values())
    for letter, number in letters.items():
        found[""][letter] += max(1, round(WEIGHT_OF_LETTERS * number / total))
    return Spelled({before: dict(following) for before, following in found.items()})
