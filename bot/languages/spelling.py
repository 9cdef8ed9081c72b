"""Mistyped words, brought back to a word the model has learned: `vieetj` and `vệit` are read as `viet`.

One letter missing, too many or swapped with its neighbour, and Telex keys left standing ("dduwowcj"). Words are compared without
diacritics. Pure; what is shown or stored is always the citizen's own text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping

from bot.languages.normalise import fold

# A shorter word is one letter from too many others; one of three letters may have lost a letter, but none is taken from it.
SHORTEST = 3
SHORTEST_TO_LOSE = 4
LONGEST = 14
# Where fewer words than this share are known, the message is in another language or no language: nothing is repaired.
KNOWN_SHARE = 0.5
_WORD = re.compile(r"[^\W_]+")
_DOUBLED = re.compile(r"([aeod])\1")
_HORN = re.compile(r"([aou])w")
# How thumbs and the young spell sounds: "fải", "zì".
_PHONE_F = re.compile(r"^f")
_PHONE_Z = re.compile(r"^[zj]")
_TONE_KEY = re.compile(r"[sfrxj]$")


class Spelling:
    """Knows words with how common each is (any number, larger is commoner); words are lower case, without diacritics."""

    def __init__(self, commonness: Mapping[str, float]) -> None:
        self._known = {word: common for word, common in commonness.items() if not any(letter.isdigit() for letter in word)}
        self._by_shorter: dict[str, set[str]] = defaultdict(set)
        for word in self._known:
            if SHORTEST <= len(word) <= LONGEST:
                for form in (word, *_one_letter_less(word)):
                    self._by_shorter[form].add(word)
        self._repaired: dict[str, str] = {}

    def repaired(self, text: str) -> str:
        """`text` with its mistyped words replaced; everything else stays as it is. `text` is normalised."""
        said = fold(" ".join(_WORD.findall(text))).split()
        known = sum(word in self._known or word.isdigit() for word in said)
        if known == len(said) or known < KNOWN_SHARE * len(said):
            return text
        return _WORD.sub(self._replace, text)

    def with_known_marks(self, text: str, written: Container[str]) -> str:
        """`repaired`, and marks that nobody writes left out: `giât` → `giat`. `written`: the words as people do write them."""
        repaired = self.repaired(text)
        if all(word in written for word in _WORD.findall(repaired)):
            return repaired
        return _WORD.sub(lambda match: self._as_written(match.group(), written), repaired)

    def repair(self, word: str) -> str:
        """The commonest known word one slip away from `word`; `word` itself when it is known or nothing is near."""
        if word in self._known or not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return word
        near = {form for form in (*_as_sounded(word), *_swapped(word)) if form in self._known} or self._one_letter_off(word)
        return max(sorted(near), key=lambda candidate: self._known[candidate], default=word)

    def _as_written(self, word: str, written: Container[str]) -> str:
        return word if word in written or fold(word) not in self._known else fold(word)

    def _replace(self, match: re.Match[str]) -> str:
        word = fold(match.group())
        if word in self._known:
            return match.group()
        if len(self._repaired) > 50_000:
            self._repaired.clear()
        repaired = self._repaired.get(word)
        if repaired is None:
            repaired = self._repaired[word] = self.repair(word)
        return match.group() if repaired == word else repaired

    def _one_letter_off(self, word: str) -> set[str]:
        """Known words with one letter more, one less or one other."""
        forms = (word, *(_one_letter_less(word) if len(word) >= SHORTEST_TO_LOSE else ()))
        return {near for form in forms for near in self._by_shorter.get(form, ())}


def _one_letter_less(word: str) -> Iterable[str]:
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def _swapped(word: str) -> Iterable[str]:
    return (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))


def _as_sounded(word: str) -> Iterable[str]:
    return (_without_telex(word), _PHONE_F.sub("ph", word), _PHONE_Z.sub("gi", word), _PHONE_Z.sub("d", word))


def _without_telex(word: str) -> str:
    return _TONE_KEY.sub("", _HORN.sub(r"\1", _DOUBLED.sub(r"\1", word)).replace("w", ""))
