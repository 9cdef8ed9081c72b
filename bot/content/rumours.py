"""Which known claim a message is about: letters in common with how people word it, and the words without which it is another one.

Likeness is read without accents: the share of a wording's letter groups that stand in the message, rare groups weighing more.
So a long message that tells the claim among other things is found, and "covid", "virus", "có đúng không" count little. Pure.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.directory.rumours import Rumour, Rumours
from bot.languages.in_force import InForce, Verdict
from bot.languages.normalise import MAX_CHARACTERS, fold, normalise, words

GROUP_LETTERS = (3, 4)
# Measured in tests/content/test_rumours.py: below the first, messages about something else begin to match. Verdicts of staff have
# no words that they need, so their claim must be told more closely.
FLOOR = 0.45
FLOOR_WITHOUT_NEEDS = 0.62
# A message longer than this is read in sentences: in a page of text all letter groups stand somewhere.
LONG_WORDS = 45
SENTENCES = re.compile(r"[.!?\n]+")
# A wording of one or two words would be found everywhere.
LEAST_WORDS = 3


@dataclass(frozen=True)
class Match:
    """Of what is known, the claim that is meant; `score` from 0 to 1."""

    found: Rumour | Verdict
    score: float


class KnownRumours:
    """The claims of the file and the verdicts of staff that are in force; read anew when those change."""

    def __init__(self, rumours: Rumours, in_force: InForce) -> None:
        self.rumours, self._in_force = rumours, in_force
        self._made: tuple[int, Likeness] | None = None

    def match(self, text: str) -> Match | None:
        """The claim that the message is most alike to; None when it is about none."""
        version = self._in_force.version
        if self._made is None or self._made[0] != version:
            self._made = version, Likeness([*self._in_force.verdicts, *self.rumours])
        return self._made[1].match(text)


class Likeness:
    def __init__(self, known: Sequence[Rumour | Verdict]) -> None:
        self._known = [(one, [plain(wording) for wording in _wordings(one)]) for one in known]
        self._grouped = [(one, [groups(wording) for wording in wordings]) for one, wordings in self._known]
        counted = Counter(group for _, wordings in self._grouped for group in set().union(*wordings))
        self._weights = {group: math.log(1 + len(known) / count) for group, count in counted.items()}

    def match(self, text: str) -> Match | None:
        parts = _parts(text)
        best: Match | None = None
        for one, wordings in self._grouped:
            floor = FLOOR if isinstance(one, Rumour) else FLOOR_WITHOUT_NEEDS
            for part in parts:
                if isinstance(one, Rumour) and not _is_about(one, part):
                    continue
                said = groups(plain(part))
                score = max((self._share(wording, said) for wording in wordings), default=0.0)
                if score >= floor and (best is None or score > best.score):
                    best = Match(one, score)
        return best

    def _share(self, wording: frozenset[str], said: frozenset[str]) -> float:
        whole = sum(self._weights.get(group, 0.0) for group in wording)
        return sum(self._weights.get(group, 0.0) for group in wording & said) / whole if whole else 0.0


def likeness(one: str, other: str) -> float:
    """How much two reports say the same, from 0 to 1, whichever is the longer."""
    a, b = groups(plain(one)), groups(plain(other))
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Words without accents, one space between and around them."""
    return f" {' '.join(fold(word) for word in words(normalise(text[:MAX_CHARACTERS])))} "


@lru_cache(maxsize=1024)
def groups(plain_text: str) -> frozenset[str]:
    """Letter groups, also over the border of two words."""
    return frozenset(plain_text[at : at + size] for size in GROUP_LETTERS for at in range(len(plain_text) - size + 1))


def _wordings(one: Rumour | Verdict) -> Iterable[str]:
    given = [one.claim, *one.wordings] if isinstance(one, Verdict) else one.wordings
    return [wording for wording in given if len(wording.split()) >= LEAST_WORDS] or [one.claim]


def _parts(text: str) -> list[str]:
    """The message; a long one also by its sentences, each with the one after it, because a claim may need both."""
    if len(words(text[:MAX_CHARACTERS])) <= LONG_WORDS:
        return [text]
    sentences = [sentence for sentence in SENTENCES.split(text[:MAX_CHARACTERS]) if sentence.strip()]
    return sentences + [f"{one} {other}" for one, other in itertools.pairwise(sentences)]


@lru_cache(maxsize=4096)
def marked(text: str) -> str:
    """As `plain`, with the accents."""
    return f" {' '.join(words(normalise(text[:MAX_CHARACTERS])))} "


def _is_about(rumour: Rumour, said: str) -> bool:
    """Who writes accents means them: "tôi" is no garlic ("tỏi"). Without them a single syllable says nothing about what is meant,
    only about what it is said to do."""
    has_accents = fold(said) != said
    spelt = marked if has_accents else plain
    text, (thing, *effects) = spelt(said), rumour.needs
    things = [phrase for phrase in thing if has_accents or " " in phrase.strip() or phrase.isascii()]
    needed = all(any(spelt(phrase) in text for phrase in group) for group in (things, *effects))
    return needed and not any(spelt(phrase) in text for phrase in rumour.never)
