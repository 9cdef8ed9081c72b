"""Finding many phrases in a text at once, word by word, longest first, with or without diacritics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.languages.normalise import fold, spans, spell

T = TypeVar("T")


@dataclass
class _Node(Generic[T]):
    """One word further into a phrase. `onward` leads on from a word as typed, with its marks or without any."""

    marked: dict[str, _Node[T]] = field(default_factory=dict)
    onward: dict[str, list[_Node[T]]] = field(default_factory=dict)
    values: list[T] = field(default_factory=list)


@dataclass(frozen=True)
class Found(Generic[T]):
    """What stands at words `first` to `last` (exclusive) of the text: all values of the phrase, and how it was typed."""

    first: int
    last: int
    values: tuple[T, ...]


class Phrases(Generic[T]):
    """A word of the text equals a word of a phrase when both have the same marks, or when it was typed without any."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, phrase: str, value: T, *, needs_marks: bool = False) -> None:
        """`needs_marks`: typed without them the phrase reads as ordinary words and is not meant."""
        nodes = [self._root]
        for word in words_of(phrase):
            nodes = _step(nodes, word, bare=not needs_marks)
        for node in nodes:
            if value not in node.values:
                node.values.append(value)

    def find(self, words: Sequence[str], counts: Callable[[T], bool] | None = None) -> Iterable[Found[T]]:
        """Longest phrase at every word, from left to right, without overlaps. `words` come from `words_of`; a phrase with no
        value that `counts` is none, so that it hides no other."""
        at, begins = 0, self._root.onward
        while at < len(words):
            found = self._longest(words, at, counts) if words[at] in begins else None
            if found is None:
                at += 1
                continue
            yield found
            at = found.last

    def _longest(self, words: Sequence[str], first: int, counts: Callable[[T], bool] | None) -> Found[T] | None:
        best, at = None, first
        nodes = self._root.onward[words[first]]
        while nodes:
            at += 1
            if values := [value for node in nodes for value in node.values if counts is None or counts(value)]:
                best = Found(first, at, tuple(dict.fromkeys(values)))
            if at == len(words):
                break
            word = words[at]
            nodes = [reached for node in nodes for reached in node.onward.get(word, ())]
        return best


def words_of(text: str) -> list[str]:
    """The words of a text in the spelling that `Phrases` compares."""
    return [spell(text[start:end]) for start, end in spans(text)]


def _step(nodes: list[_Node[T]], word: str, *, bare: bool) -> list[_Node[T]]:
    reached = []
    for node in nodes:
        following = node.marked.get(word)
        if following is None:
            following = node.marked[word] = _Node()
            # As written comes first: it decides where both are phrases.
            node.onward.setdefault(word, []).insert(0, following)
            if bare and fold(word) != word:
                node.onward.setdefault(fold(word), []).append(following)
        reached.append(following)
    return reached
