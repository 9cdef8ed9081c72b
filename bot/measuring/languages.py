"""How well are citizens understood who do not write Vietnamese: each language apart, and who wrote the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.brain.foreign_model import ForeignModel
from bot.brain.intent_model import IntentModel
from bot.languages.identify import VIETNAMESE, Identifier
from bot.languages.samples import letters, samples
from bot.measuring.held_out import TESTS, TRAINING, Example, Question, as_learned, examples
from bot.measuring.identification import identified
from bot.measuring.judging import Doubt, Guess, Judged, judged
from bot.measuring.measures import share
from bot.settings import ROOT
from bot.yaml_files import read_yaml

SAME_HAND = "same hand"
OTHERS = "others"
HEADS = ("language", "written by", "n", "identified", "right", "answered", "wrong", "known", "k answered", "k wrong")


@dataclass(frozen=True)
class InLanguage:
    """The model, asked in one language."""

    model: IntentModel
    language: str

    def ranking(self, text: str) -> list[Guess]:
        return self.model.ranking(text, self.language)

    def respelt(self, text: str) -> str:
        return self.model.respelt(text, self.language)


def tags() -> list[str]:
    """The languages with examples, without Vietnamese."""
    return sorted(path.name for path in TRAINING.glob("*") if path.is_dir() and path.name != VIETNAMESE)


def foreign_examples() -> list[Example]:
    return [example for tag in tags() for example in examples(sorted((TRAINING / tag).rglob("*.yml")))]


def with_foreign(model: IntentModel) -> IntentModel:
    """The same Vietnamese model with that of the other languages beside it."""
    trained = foreign_examples()
    foreign = ForeignModel.train([text for text, _ in trained], [intent for _, intent in trained], tags())
    return IntentModel(model.model, model.known_words, foreign)


def questions(tag: str, folder: Path = TESTS) -> list[Question]:
    """The held-out questions of a language; their group is who wrote them."""
    path = folder / f"{tag}.yml"
    learned = {as_learned(text) for text, _ in foreign_examples()}
    return [question for question in _written(path) if as_learned(question.text) not in learned] if path.exists() else []


def lines(model: IntentModel, doubt: Doubt) -> Iterator[str]:
    """A table: each language and who wrote the questions, as the first message of a Vietnamese conversation."""
    identifier, both = Identifier.train(samples(ROOT), letters(ROOT)), with_foreign(model)
    yield "\n" + "".join(f"{name:<12}" for name in HEADS)
    for tag in tags():
        asked = questions(tag)
        for hand in dict.fromkeys(question.group for question in asked):
            yield _line(both, identifier, tag, hand, [q for q in asked if q.group == hand], doubt)
    yield "identified: the language is heard in that one message; known: right where the language was known before,"
    yield "k answered, k wrong: the same of what was sure enough to be answered."
    yield f"{SAME_HAND}: written by those who wrote the training examples, so these figures flatter; {OTHERS}: CC0 texts."


def _line(model: IntentModel, identifier: Identifier, tag: str, hand: str, asked: Sequence[Question], doubt: Doubt) -> str:
    heard = [identified(identifier, question.text) or VIETNAMESE for question in asked]
    first = [_judged(model, question, language, doubt) for question, language in zip(asked, heard, strict=True)]
    later = [_judged(model, question, tag, doubt) for question in asked]
    identified_as = share(language == tag for language in heard)
    shares = (identified_as, *_shares(first, doubt), *_shares(later, doubt))
    return "".join(f"{cell:<12}" for cell in (tag, hand, str(len(asked)), *(f"{number:.3f}" for number in shares)))


def _judged(model: IntentModel, question: Question, language: str, doubt: Doubt) -> Judged:
    return judged(InLanguage(model, language), question, question.text, doubt.least_chance)


def _shares(found: Sequence[Judged], doubt: Doubt) -> tuple[float, float, float]:
    """(right, answered, answered wrongly)"""
    answered = [j.is_answered(doubt.threshold, doubt.ambiguity) for j in found]
    wrong = share(is_answered and not j.is_right for j, is_answered in zip(found, answered, strict=True))
    return share(j.is_right for j in found), share(answered), wrong


def _written(path: Path) -> Iterator[Question]:
    for block in read_yaml(path)["nlu"]:
        by = OTHERS if block.get("from") else SAME_HAND
        for line in str(block["examples"]).splitlines():
            if line.strip().startswith("- "):
                yield Question(line.strip()[2:].strip(), block["intent"], group=by)
