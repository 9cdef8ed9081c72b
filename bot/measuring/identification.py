"""How well is a language heard? `python -m bot.measuring.identification [FILE]` asks texts that no model is trained on.

Each text as the first message of a conversation, cut at 60 characters, of two words at least. `right`: heard as what it is;
`undecided`: stays with the conversation; `other`: taken for another language. FILE: labelled Vietnamese questions.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.directory.languages import Language, Languages
from bot.languages import po
from bot.languages.choices import chosen_language
from bot.languages.identify import LEAST_WORDS, VIETNAMESE, Identifier, words
from bot.languages.normalise import fold
from bot.languages.samples import letters, samples
from bot.languages.scripts import script_language
from bot.languages.translation import is_button
from bot.measuring.held_out import TESTS, HeldOut, labelled
from bot.measuring.measures import share
from bot.measuring.tables import Report
from bot.settings import ROOT

LONGEST, SHORTEST = 60, 10
SNIPPETS = TESTS / "snippets"
LISTED = ("rad", "jra", "cmo")
HEADS = ("language", "texts of", "spelling", "n", "right", "undecided", "other")
WIDTHS = (12, 34, 20, 8, 8, 11, 8)
WORDS_TOGETHER = 3
AS_TYPED = "as typed"
SAME_HAND = "tests/nlu, same hand"
OWN_LIST = "half of its own list, not learned"
DRAFTS = "drafts of locales, same hand"
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SENTENCE = re.compile(r"\n|(?<=[.:?!]) ")


@dataclass(frozen=True)
class Heard:
    """Shares of the texts of one language in one spelling."""

    tag: str
    source: str
    spelling: str
    number: int
    right: float
    undecided: float

    @property
    def other(self) -> float:
        return 1 - self.right - self.undecided

    def line(self) -> str:
        shares = (f"{number:.3f}" for number in (self.right, self.undecided, abs(self.other)))
        return _row((self.tag, self.source, self.spelling, str(self.number), *shares))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="tab separated: question, intent, alt_intent, stratum")
    path = parser.parse_args(arguments).file
    if path is not None and not path.is_file():
        parser.error(f"there is no file {path}")
    Report("identification").say_all(lines(path))


def lines(path: Path | None = None) -> Iterator[str]:
    """The table; of `path` alone where it is given."""
    yield _row(HEADS)
    identifier = Identifier.train(samples(ROOT), letters(ROOT))
    if path is not None:
        asked = [question.text for question in labelled(path)]
        yield from (heard.line() for heard in _vietnamese(identifier, asked, path.name))
        return
    for heard in measured(identifier):
        yield heard.line()


def measured(identifier: Identifier) -> Iterator[Heard]:
    """On the repository's own texts."""
    yield from _vietnamese(identifier, [question.text for question in HeldOut([]).of_a_topic()], SAME_HAND)
    for path in sorted(SNIPPETS.glob("*.txt"), key=lambda path: path.stem != VIETNAMESE):
        texts = snippets(path)
        yield from (
            _vietnamese(identifier, texts, "CC0") if path.stem == VIETNAMESE else [_heard(identifier, path.stem, texts, "CC0")]
        )
    for tag in LISTED:
        language = Languages.load(ROOT)[tag]
        for name, write in _spellings(language).items():
            yield _heard(identifier, tag, map(write, drafts(tag)), DRAFTS, name)
        yield from half_of_its_list(language)


def snippets(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def drafts(tag: str) -> list[str]:
    """Sentences of the translations that nobody has read yet: the model does not learn from those. Without {values}, and without
    the sentences of which half is taken over from the Vietnamese text."""
    kept = [t for t in po.read(ROOT / po.FILE.format(tag=tag)).values() if t.state == "draft" and not is_button(t.context)]
    found = [part for t in kept for part in _SENTENCE.split(_PLACEHOLDER.sub(" ", t.text)) if _is_translated(part, t.source)]
    return list(dict.fromkeys(part.strip(" -.:") for part in found))


def _is_translated(part: str, source: str) -> bool:
    known, found = set(words(source)), words(part)
    return sum(word in known for word in found) < len(found) / 2


def identified(identifier: Identifier, text: str) -> str | None:
    """What bot/brain/language.py makes of a first message, which knows places too; None: it stays with the conversation."""
    guess = identifier.guess(text)
    return chosen_language(text) or script_language(text) or (guess.tag if guess else None)


def cut(text: str) -> str:
    """Sixty characters at most, whole words where there are any."""
    return text if len(text) <= LONGEST else text[: LONGEST + 1].rsplit(" ", 1)[0][:LONGEST]


def half_of_its_list(language: Language) -> Iterator[Heard]:
    """Three words together of each half of data/languages/<tag>.txt, asked of a model that learned the other half only.

    Words that stand in another language's texts too are left out: they tell nothing, and the model would have learned them."""
    tag, texts = language.tag, samples(ROOT)
    elsewhere = {word for other, given in texts.items() if other != tag for text in given for word in words(text)}
    own = (word for line in snippets(ROOT / f"data/languages/{tag}.txt") for word in words(line) if word not in elsewhere)
    listed = list(dict.fromkeys(own))
    heard: dict[str, list[str | None]] = {}
    for half in (listed[::2], listed[1::2]):
        out = set(half)
        without = [" ".join(word for word in words(text) if word not in out) for text in texts[tag]]
        identifier = Identifier.train({**texts, tag: without}, letters(ROOT))
        together = [" ".join(half[i : i + WORDS_TOGETHER]) for i in range(0, len(half) - WORDS_TOGETHER + 1, WORDS_TOGETHER)]
        for name, write in _spellings(language).items():
            heard.setdefault(name, []).extend(identified(identifier, write(text)) for text in together)
    for name, found in heard.items():
        yield _counted(tag, OWN_LIST, name, found)


def _spellings(language: Language) -> Mapping[str, Callable[[str], str]]:
    return {AS_TYPED: str, "Vietnamese keyboard": language.on_vietnamese_keyboard, "without diacritics": language.in_ascii}


def _vietnamese(identifier: Identifier, texts: Iterable[str], source: str) -> Iterator[Heard]:
    given = list(texts)
    yield _heard(identifier, VIETNAMESE, given, source)
    yield _heard(identifier, VIETNAMESE, map(fold, given), source, "without diacritics")


def _heard(identifier: Identifier, tag: str, texts: Iterable[str], source: str, spelling: str = AS_TYPED) -> Heard:
    asked = [text for text in map(cut, texts) if len(text) >= SHORTEST and (_is_words(text) or script_language(text))]
    return _counted(tag, source, spelling, map(partial(identified, identifier), asked))


def _counted(tag: str, source: str, spelling: str, heard: Iterable[str | None]) -> Heard:
    found = list(heard)
    return Heard(tag, source, spelling, len(found), share(h == tag for h in found), share(h is None for h in found))


def _is_words(text: str) -> bool:
    return len(text.split()) >= LEAST_WORDS


def _row(cells: Iterable[str]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    main()
