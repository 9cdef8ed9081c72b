"""Does a message ask for a language? "nói tiếng Ê Đê", "hais lus Hmoob", "English please" (data/languages/choices.yml).

Only a message that names a language and says nothing else chooses one: who writes "người Ê Đê được hỗ trợ không" asks about
support. Pure but for reading the table once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from bot.languages.normalise import fold, spell, words
from bot.languages.scripts import without_zero_width
from bot.yaml_files import read_yaml

TABLE = Path(__file__).resolve().parents[2] / "data/languages/choices.yml"
# Longer messages tell something.
MOST_WORDS = 12
Phrase = tuple[str, ...]


class Choices:
    """Build it once."""

    def __init__(self, names: Mapping[str, Sequence[str]], around: Sequence[str], refusals: Sequence[str]) -> None:
        self._names = {_read(name): tag for tag, known in names.items() for name in known}
        self._around = {_read(phrase) for phrase in around}
        self._refusals = {_read(phrase) for phrase in refusals}
        self._longest = max(map(len, {*self._names, *self._around, *self._refusals}))

    @classmethod
    def load(cls, path: Path = TABLE) -> Choices:
        """Raises OSError, YAML errors and KeyError."""
        table = read_yaml(path)
        return cls(table["names"], [word for line in table["around"] for word in line.split("|")], table["not"])

    def chosen(self, text: str) -> str | None:
        """The tag of the language asked for; of several the last one that is not refused."""
        typed = _words(text)
        if not 0 < len(typed) <= MOST_WORDS:
            return None
        said = _spelt(typed)
        chosen, refused, at = None, False, 0
        while at < len(said):
            phrase = self._longest_at(said, at)
            if phrase is None:
                return None
            if phrase in self._names:
                chosen = chosen if refused else self._names[phrase]
                refused = False
            elif phrase in self._refusals:
                refused = True
            at += len(phrase)
        return chosen

    def _longest_at(self, said: Phrase, at: int) -> Phrase | None:
        """The longest known phrase that begins there; a name before anything else of its length."""
        for length in range(min(self._longest, len(said) - at), 0, -1):
            phrase = said[at : at + length]
            if phrase in self._names or phrase in self._refusals or phrase in self._around:
                return phrase
        return None


def chosen_language(text: str) -> str | None:
    """The tag that the message asks for, or None. Never raises on any str."""
    return _known().chosen(text)


@lru_cache(maxsize=1)
def _known() -> Choices:
    return Choices.load()


def _read(text: str) -> Phrase:
    return _spelt(_words(text))


def _words(text: str) -> list[str]:
    return words(without_zero_width(text.replace("'", "").replace("\u2019", "")))


def _spelt(typed: Sequence[str]) -> Phrase:
    return tuple(fold(spell(word)) for word in typed)
