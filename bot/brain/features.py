"""What the intent model sees of a text: pieces of words and words, of the text as typed and of the text without marks.

Pure, and the same for training and for a citizen's message, so that the two can never drift apart.
"""

from __future__ import annotations

from collections import Counter

from bot.languages.normalise import fold, normalise, words

CHARACTERS = (2, 5)
WORDS = (1, 2)
# A story of a page says no more about the intent than its first and last lines; this bounds the work per message.
MAX_WORDS = 120


def features(text: str) -> dict[str, Counter[str]]:
    """Counts by block: `w` words and pairs as typed; without diacritics `v` words and pairs, `d` pieces of words."""
    spelt = normalise(text)
    typed = _trimmed(words(spelt))
    bare = _trimmed(words(fold(spelt)))
    return {
        "w": Counter(_runs(typed)),
        "v": Counter(_runs(bare)),
        "d": Counter(_pieces(bare)),
    }


def _trimmed(tokens: list[str]) -> list[str]:
    tokens = ["0" * len(token) if token.isdigit() else token for token in tokens]
    return tokens if len(tokens) <= MAX_WORDS else tokens[: MAX_WORDS // 2] + tokens[-MAX_WORDS // 2 :]


def _pieces(tokens: list[str]) -> list[str]:
    """Runs of 2 to 5 characters inside each word with a space at both ends (sklearn's `char_wb`)."""
    smallest, largest = CHARACTERS
    return [
        word[start : start + size]
        for word in (f" {token} " for token in tokens)
        for size in range(smallest, min(largest, len(word)) + 1)
        for start in range(len(word) - size + 1)
    ]


def _runs(tokens: list[str]) -> list[str]:
    smallest, largest = WORDS
    return [
        " ".join(tokens[start : start + size]) for size in range(smallest, largest + 1) for start in range(len(tokens) - size + 1)
    ]
