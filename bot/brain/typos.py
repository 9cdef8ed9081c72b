"""Slips of hurried thumbs for training: the model meets mistyped words before citizens send them. Pure and repeatable."""

from __future__ import annotations

import random

from bot.languages.chat_spelling import CHAT_SPELLINGS

SLIP = 0.12
CHAT = 0.5
SHORTEST = 4
# word → the chat spellings of it; only of single words.
_CHAT_FOR: dict[str, list[str]] = {}
for _short, _long in CHAT_SPELLINGS.items():
    if " " not in _long:
        _CHAT_FOR.setdefault(_long, []).append(_short)


def mistyped(text: str, seed: int) -> str:
    """`text` with a letter lost or swapped in about every eighth longer word, and chat spellings in half the places."""
    chance = random.Random(seed)  # noqa: S311  (not for secrets)
    return " ".join(_slip(_shortened(word, chance), chance) for word in text.split())


def _shortened(word: str, chance: random.Random) -> str:
    spellings = _CHAT_FOR.get(word.lower())
    return chance.choice(spellings) if spellings and chance.random() < CHAT else word


def _slip(word: str, chance: random.Random) -> str:
    if len(word) < SHORTEST or chance.random() >= SLIP:
        return word
    at = chance.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :] if chance.random() < 0.5 else word[:at] + word[at + 1 :]
