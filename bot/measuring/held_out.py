"""The questions that understanding is measured with: none of them is trained on.

tests/nlu holds the repository's own; a file of labelled questions (tab separated) may lie anywhere.
"""

from __future__ import annotations

import contextlib
import csv
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bot.languages.normalise import fold, normalise, words
from bot.settings import ROOT
from bot.yaml_files import read_yaml

TESTS = ROOT / "tests/nlu"
TRAINING = ROOT / "data/nlu"
# Sets of their own; every other file of Rasa's NLU format in tests/nlu belongs to the set `topics`.
OWN_SETS = ("stories", "faq")
EMERGENCY = "emergency"
# Not questions about a topic: nothing is written around them.
NO_TOPICS = frozenset({"talk", "limits", EMERGENCY})

# A spelling writes the question with a number of its own, so that what is random in it stays the same on every run.
Spelling = Callable[[str, int], str]
Example = tuple[str, str]


@dataclass(frozen=True)
class Question:
    """A text, the intent that it asks, another that would be right too (or ""), and the group it is counted in."""

    text: str
    intent: str
    also_right: str = ""
    group: str = ""

    @property
    def accepted(self) -> frozenset[str]:
        return frozenset(filter(None, (self.intent, self.also_right)))


@dataclass(frozen=True)
class SeveralQuestions:
    """A message that asks these topics, one or two."""

    text: str
    intents: frozenset[str]


Asked = TypeVar("Asked", Question, SeveralQuestions)


def examples(paths: Iterable[Path]) -> list[Example]:
    """(text, intent) of Rasa's NLU files, in the order of the files; files of another shape or absent hold none."""
    found: list[Example] = []
    for path in paths:
        for block in (read_yaml(path).get("nlu") or ()) if path.exists() else ():
            lines = (line.strip() for line in str(block.get("examples") or "").splitlines())
            found.extend((line[2:].strip(), block["intent"]) for line in lines if line.startswith("- "))
    return found


def training_examples() -> list[Example]:
    """The Vietnamese ones; what other languages have is measured apart (languages.py)."""
    return examples(sorted((TRAINING / "vi").rglob("*.yml")))


def _asked_elsewhere() -> frozenset[str]:
    """Files of tests/nlu that are no questions of a Vietnamese topic: the sets of their own and those of other languages."""
    return frozenset(OWN_SETS) | {path.name for path in TRAINING.glob("*")}


class HeldOut:
    """What tests/nlu asks, by the shape of its files; a file that is absent asks nothing.

    What stands in the training data too ("vâng ạ") would be no test; it is left out and kept in `left_out`.
    """

    def __init__(self, trained: Iterable[Example], folder: Path = TESTS) -> None:
        self._folder = folder
        self._trained = {as_learned(text) for text, _ in trained}
        self.left_out: set[str] = set()

    def sets(self) -> dict[str, list[Question]]:
        """The questions with one intent: `topics`, and OWN_SETS where they are there."""
        files = [path for path in sorted(self._folder.glob("*.yml")) if path.stem not in _asked_elsewhere()]
        sets = {"topics": self._questions(files), **{name: self._questions([self._path(name)]) for name in OWN_SETS}}
        return {name: questions for name, questions in sets.items() if questions}

    def of_a_topic(self) -> list[Question]:
        """Of `topics`, what asks about the epidemic."""
        files = [path for path in sorted(self._folder.glob("*.yml")) if path.stem not in NO_TOPICS | _asked_elsewhere()]
        return [question for question in self._questions(files) if question.intent != EMERGENCY]

    def cries(self) -> list[Question]:
        """Somebody is in danger."""
        return [question for question in self._questions([self._path(EMERGENCY)]) if question.intent == EMERGENCY]

    def look_alikes(self) -> list[Question]:
        """What only looks like danger."""
        return self._sentences("not_emergency")

    def off_topic(self) -> list[Question]:
        """What is none of Loa's business, grouped by kind."""
        return self._sentences("off_topic")

    def two_questions(self) -> list[SeveralQuestions]:
        path = self._path("two_questions")
        messages = read_yaml(path)["messages"] if path.exists() else ()
        return self._unseen(SeveralQuestions(str(message["text"]), frozenset(message["intents"])) for message in messages)

    def _questions(self, paths: Iterable[Path]) -> list[Question]:
        return self._unseen(Question(text, intent) for text, intent in examples(paths))

    def _sentences(self, name: str) -> list[Question]:
        """The bare sentences of a file; their group is their kind, where the file has kinds."""
        path = self._path(name)
        found = read_yaml(path)["sentences"] if path.exists() else {}
        by_kind = found if isinstance(found, dict) else {"": found}
        return self._unseen(Question(str(text), "", group=kind) for kind, texts in by_kind.items() for text in texts)

    def _unseen(self, messages: Iterable[Asked]) -> list[Asked]:
        asked = list(messages)
        seen = {message.text for message in asked if as_learned(message.text) in self._trained}
        self.left_out |= seen
        return [message for message in asked if message.text not in seen]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.yml"


def number_trained_on(questions: Iterable[Question], trained: Iterable[Example]) -> int:
    """How many of the questions stand in the training data too."""
    learned = {as_learned(text) for text, _ in trained}
    return sum(as_learned(question.text) in learned for question in questions)


def as_learned(text: str) -> str:
    """Texts that are the same to the model are the same here; a text without a word is itself."""
    return " ".join(words(fold(normalise(text)))) or text


def labelled(path: Path) -> list[Question]:
    """Questions of a tab-separated file with the columns question, intent, alt_intent, stratum; raises OSError or KeyError."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Question(row["question"], row["intent"].strip(), (row["alt_intent"] or "").strip(), row["stratum"]) for row in rows
        ]


def spellings() -> dict[str, Spelling]:
    """How each question is typed. `noisy` comes from tests/noise.py and is left out where that is not installed."""
    known: dict[str, Spelling] = {"as typed": lambda text, _: text, "without diacritics": lambda text, _: fold(text)}
    with contextlib.suppress(ImportError):
        known["noisy"] = importlib.import_module("tests.noise").noisy
    return known


def surrounded(questions: Sequence[Question], around: Mapping[str, Sequence[str]]) -> dict[str, list[Question]]:
    """Every question with something written around it, the same on every call: one list per way of doing so."""
    ways: dict[str, Callable[[str, str, str, str], str]] = {
        "greeting": lambda opening, _history, question, _closing: f"{opening} {question}",
        "thanks": lambda _opening, _history, question, closing: f"{_ended(question)} {closing}",
        "both, commas": lambda opening, _history, question, closing: f"{opening.rstrip('.!')}, {question} {closing}",
        "history": lambda _opening, history, question, _closing: f"{history} {question}",
        "letter": lambda opening, history, question, closing: f"{opening} {history} {_ended(question)} {closing}",
    }
    return {name: list(_written(questions, around, write)) for name, write in ways.items()}


def _written(
    questions: Sequence[Question], around: Mapping[str, Sequence[str]], write: Callable[[str, str, str, str], str]
) -> Iterator[Question]:
    for i, question in enumerate(questions):
        opening, history = _nth(around["openings"], i), _nth(around["histories"], 3 * i)
        yield replace(question, text=write(opening, history, question.text, _nth(around["closings"], 5 * i)))


def _nth(texts: Sequence[str], number: int) -> str:
    return texts[number % len(texts)]


def _ended(question: str) -> str:
    return question if question.endswith((".", "?", "!")) else f"{question}?"
