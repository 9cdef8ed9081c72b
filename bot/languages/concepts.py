"""Words that mean alike under one name: `lây`, `truyền nhiễm`, `phát tán` are all `spread` (data/concepts/).

The intent model counts these names, so that an example about cats teaches it something about hamsters. Pure but for reading
the tables once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from bot.languages.normalise import normalise, words
from bot.languages.phrases import Phrases
from bot.yaml_files import read_yaml

TABLES = Path(__file__).resolve().parents[2] / "data/concepts"


class Concepts:
    """Finds the concepts of a sentence. Build it once: the phrases of all languages become one index."""

    def __init__(self, phrases_by_concept: Mapping[str, Sequence[str]]) -> None:
        self._phrases: Phrases[str] = Phrases()
        for concept, phrases in phrases_by_concept.items():
            for phrase in phrases:
                self._phrases.add(normalise(str(phrase)), concept)

    @classmethod
    def load(cls, folder: Path = TABLES) -> Concepts:
        """Read every table of `folder`; a concept may stand in several languages. Raises OSError and YAML errors."""
        together: dict[str, list[str]] = {}
        for path in sorted(folder.glob("*.yml")):
            for concept, phrases in read_yaml(path).items():
                together.setdefault(concept, []).extend(phrases)
        return cls(together)

    def found_in(self, words_of_sentence: Sequence[str]) -> list[str]:
        """Names in the order of the sentence, longest phrase first, repeated where repeated. Words are normalised ones."""
        return [found.values[0] for found in self._phrases.find(words_of_sentence)]


@lru_cache(maxsize=1)
def known_concepts() -> Concepts:
    """The concepts of the product's own tables."""
    return Concepts.load()


def concepts_of(sentence: str) -> list[str]:
    """`Chó mèo có lây covid không?` → `["animal", "spread"]`. Never raises on any str."""
    return known_concepts().found_in(words(normalise(sentence)))
