"""Words that mean alike under one name: `lây`, `truyền nhiễm`, `phát tán` are all `spread` (data/concepts/).

The intent model counts these names, so that an example about cats teaches it something about hamsters. Pure but for reading
the tables once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from bot.languages.normalise import normalise, words
from bot.languages.phrases import Phrases
from bot.yaml_files import read_yaml

# Messages in these languages are half Vietnamese: "tlŏ mgang vaccine ở đâu".
MIXED = ("rad", "jra", "cmo")
TABLES = Path(__file__).resolve().parents[2] / "data/concepts"


class Concepts:
    """Finds the concepts of a sentence. Build it once: the phrases of all languages become one index."""

    def __init__(self, phrases_by_concept: Mapping[str, Sequence[str]]) -> None:
        self._phrases: Phrases[str] = Phrases()
        for concept, phrases in phrases_by_concept.items():
            for phrase in phrases:
                self._phrases.add(normalise(str(phrase)), concept)

    @classmethod
    def load(cls, folder: Path = TABLES, languages: Collection[str] = ()) -> Concepts:
        """Read the tables of `folder`, all or those of `languages`; a concept may stand in several. Raises OSError and YAML
        errors."""
        together: dict[str, list[str]] = {}
        for path in sorted(folder.glob("*.yml")):
            if languages and path.stem not in languages:
                continue
            for concept, phrases in read_yaml(path).items():
                together.setdefault(concept, []).extend(phrases)
        return cls(together)

    def found_in(self, words_of_sentence: Sequence[str]) -> list[str]:
        """Names in the order of the sentence, longest phrase first, repeated where repeated. Words are normalised ones."""
        return [found.values[0] for found in self._phrases.find(words_of_sentence)]


@lru_cache(maxsize=1)
def known_concepts() -> Concepts:
    """The concepts of the Vietnamese table: a word of another language may be a Vietnamese word typed without its marks."""
    return Concepts.load(languages=("vi",))


@lru_cache(maxsize=1)
def concepts_of_every_language() -> Concepts:
    """The concepts of all tables, for a message that is known to be in another language than Vietnamese."""
    return Concepts.load()


def in_vietnamese(text: str) -> str | None:
    """A mixed message with its known phrases in Vietnamese: "tlŏ mgang vaccine ở đâu" → "tiêm vắc xin ở đâu". None where it
    holds none, as every Vietnamese message does."""
    said = words(normalise(text))
    found = list(_mixed_in().find(said))
    for phrase in reversed(found):
        said[phrase.first : phrase.last] = [phrase.values[0]]
    return " ".join(said) if found else None


@lru_cache(maxsize=1)
def _mixed_in() -> Phrases[str]:
    """The few phrases that speakers mix into Vietnamese, each with the first Vietnamese word of its concept."""
    vietnamese, phrases = read_yaml(TABLES / "vi.yml"), Phrases[str]()
    for tag in MIXED:
        for concept, known in read_yaml(TABLES / f"{tag}.yml").items():
            for phrase in known:
                phrases.add(normalise(str(phrase)), str(vietnamese[concept][0]))
    return phrases


def concepts_of(sentence: str) -> list[str]:
    """`Chó mèo có lây covid không?` → `["animal", "spread"]`. Never raises on any str."""
    return known_concepts().found_in(words(normalise(sentence)))
