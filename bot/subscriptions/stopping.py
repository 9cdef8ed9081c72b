"""Does somebody want no more news? A table of words answers, not the model: stopping must work whatever else is down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from bot.languages.normalise import fold
from bot.languages.phrases import words_of
from bot.settings import ROOT
from bot.yaml_files import read_yaml

TABLE = "data/directory/stop_words.yml"
# Longer lines say something besides.
MOST_WORDS = 12
LOOKED_AT = 200


def is_stop(text: str) -> bool:
    """Whether the text is a stop and nothing else: `Dừng nhận tin giúp tôi ạ`, `DUNG`, `stop!`."""
    words = _bare(words_of(text[:LOOKED_AT])[: MOST_WORDS + 1])
    return any(len(words) == len(phrase) and all(map(_is, words, phrase)) for phrase in _table()[0])


def has_stop_line(text: str) -> bool:
    """Several lines that were typed one after the other are one text (bot/channels/guard.py)."""
    return any(is_stop(line) for line in text.splitlines())


def _bare(words: Sequence[str]) -> Sequence[str]:
    """Without the courtesies before and behind, but never without all of it."""
    around = _table()[1]
    first, last = 0, len(words)
    while last - first > 1 and words[last - 1] in around:
        last -= 1
    while last - first > 1 and words[first] in around:
        first += 1
    return words[first:last]


def _is(typed: str, word: str) -> bool:
    return typed in (word, fold(word))


@cache
def _table() -> tuple[tuple[list[str], ...], frozenset[str]]:
    """(the phrases as words, the courtesies with their marks and without any)."""
    table = read_yaml(ROOT / TABLE)
    phrases = tuple(words_of(phrase) for language in table["stop"].values() for phrase in language)
    around = {word for phrase in table["around"] for word in words_of(phrase)}
    return phrases, frozenset(around | set(map(fold, around)))
