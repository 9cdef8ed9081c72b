"""The letters that a phone's keyboard may lack, as keys to tap."""

from __future__ import annotations

from bot.directory.languages import Language

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz")
# A script of its own has a keyboard of its own.
MOST_KEYS = 40


def keys(language: Language, vietnamese: Language) -> list[str]:
    """Those that a Vietnamese keyboard lacks first, then the other letters with marks; none for a script of its own."""
    marked = sorted(language.letters - _PLAIN, key=lambda letter: (language.in_ascii(letter), letter))
    if len(marked) > MOST_KEYS:
        return []
    return sorted(marked, key=lambda letter: letter in vietnamese.letters)
