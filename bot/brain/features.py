"""What the intent model sees of a text: words, pairs of words and concepts, as typed and without marks.

Pure, and the same for training and for a citizen's message, so that the two can never drift apart.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations, pairwise

from bot.languages.adjuncts import without_adjuncts
from bot.languages.concepts import concepts_of_every_language, known_concepts
from bot.languages.normalise import FIRST_OF_KHMER, KEPT_TEXTS, clauses, fold, is_khmer, normalise, words

# A story of a page says no more about the intent than its first and last lines; this bounds the work per message.
MAX_WORDS = 120
# So many different concepts in one sentence are a list, and which stand side by side says nothing more.
MAX_CONCEPTS = 16
Features = dict[str, Counter[str]]


def features(text: str, *, every_language: bool = False) -> Features:
    """Counts by block: `w` words and pairs as typed; `v` the same without diacritics; `c` concepts, alone,
    next to each other (`spread>animal`) and anywhere in one sentence (`animal+spread`). `every_language`: concepts are looked
    for in the words of all languages, else in the Vietnamese ones."""
    sentences = _trimmed([list(_words_of(part)) for part in clauses(text)])
    typed = [word for sentence in sentences for word in sentence]
    return {
        "w": _runs(typed),
        "v": _runs(fold(" ".join(typed)).split()),
        "c": _concepts(sentences, every_language=every_language),
    }


@lru_cache(maxsize=KEPT_TEXTS)
def _words_of(sentence: str) -> tuple[str, ...]:
    """Kept, for a sentence is read by itself, with all others, and as one of two questions."""
    return tuple(without_adjuncts(" ".join(words(normalise(sentence)))).split())


def _trimmed(sentences: list[list[str]]) -> list[list[str]]:
    """Numbers as their length; of a text of more than MAX_WORDS words its beginning and its end."""
    short = [["0" * len(word) if word.isdigit() else word for word in sentence] for sentence in sentences if sentence]
    if sum(map(len, short)) <= MAX_WORDS:
        return short
    return [_first(short, MAX_WORDS // 2), _first([s[::-1] for s in short[::-1]], MAX_WORDS // 2)[::-1]]


def _first(sentences: list[list[str]], number: int) -> list[str]:
    return [word for sentence in sentences for word in sentence][:number]


def _runs(tokens: list[str]) -> Counter[str]:
    """Words and pairs of words; over the end of a sentence too, for many are typed without its full stop. Khmer has clusters
    for words, of which three in a row come nearer to a word than two."""
    threes = (" ".join(run) for run in zip(tokens, tokens[1:], tokens[2:], strict=False) if all(map(is_khmer, run)))
    may_hold_khmer = max(tokens, default="") >= FIRST_OF_KHMER
    return Counter([*tokens, *map(" ".join, pairwise(tokens)), *(threes if may_hold_khmer else ())])


def _concepts(sentences: list[list[str]], *, every_language: bool) -> Counter[str]:
    found: list[str] = []
    concepts = concepts_of_every_language() if every_language else known_concepts()
    for sentence in sentences:
        in_order = concepts.found_in(sentence)
        different = sorted(set(in_order))
        found += different
        found += map(">".join, pairwise(in_order))
        if len(different) <= MAX_CONCEPTS:
            found += map("+".join, combinations(different, 2))
    return Counter(found)
