"""What the pipeline of config.yml makes of a question, held against what the question is. Pure, without Rasa.

The model guesses, FallbackClassifier doubts, EmergencyDetector overrules both; thresholds can be tried without asking again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.brain.intent_model import DEFAULTS, NO_TOPICS, IntentModel
from bot.languages.danger import asks_permission, danger_sign_in_any
from bot.measuring.held_out import EMERGENCY, Example, Question, Spelling
from bot.settings import ROOT
from bot.yaml_files import read_yaml

# Their answer sends to a doctor or a hotline: not what was asked, perhaps, but no wrong health answer.
LIMITS = frozenset({"other_medical", "out_of_scope"})
# Talk and limits: whoever is answered so is told nothing about the epidemic.
TELLS_NOTHING = NO_TOPICS - {EMERGENCY}
Guess = tuple[str, float]


class Ranks(Protocol):
    """An IntentModel, or whatever else gives the likeliest intents of a text, best first, and its spelling."""

    def ranking(self, text: str) -> list[Guess]: ...

    def respelt(self, text: str) -> str: ...


@dataclass(frozen=True)
class Doubt:
    """The three numbers of config.yml that decide whether a guess is answered."""

    threshold: float
    ambiguity: float
    least_chance: float

    @classmethod
    def read(cls, path: Path = ROOT / "config.yml") -> Doubt:
        settings: dict[str, Any] = {}
        for component in read_yaml(path)["pipeline"]:
            settings.update(component)
        return cls(*(float(settings[name]) for name in ("threshold", "ambiguity_threshold", "least_chance")))


@dataclass(frozen=True)
class Judged:
    """One question and what became of it.

    `believed` is the model's first guess, `margin` its distance to the second: what the fallback looks at. `ranking` is what
    stands after the danger signs; with an `alarm` its first guess is answered whatever the doubt.
    """

    question: Question
    believed: Guess
    margin: float
    ranking: tuple[str, ...]
    alarm: bool

    @property
    def guess(self) -> str:
        return self.ranking[0] if self.ranking else ""

    @property
    def is_exact(self) -> bool:
        return self.guess == self.question.intent

    @property
    def is_right(self) -> bool:
        return self.guess in self.question.accepted

    @property
    def is_in_three(self) -> bool:
        return not self.question.accepted.isdisjoint(self.ranking[:3])

    @property
    def is_false_alarm(self) -> bool:
        return self.guess == EMERGENCY and not self.is_right

    def is_answered(self, threshold: float, ambiguity: float) -> bool:
        """FallbackClassifier's rule. It stands before the danger signs: a taken-back `emergency` passed it as `emergency`."""
        return self.alarm or (self.believed[1] >= threshold and self.margin >= ambiguity)

    def is_refused(self, threshold: float, ambiguity: float) -> bool:
        """No answer about the epidemic: the bot doubts, or says that it does not know, or makes conversation."""
        return self.guess in TELLS_NOTHING or not self.is_answered(threshold, ambiguity)


def judge(model: Ranks, questions: Iterable[Question], spelling: Spelling, least_chance: float) -> list[Judged]:
    """Every question in that spelling, in order; the number of its place is the seed of what is random in a spelling."""
    return [judged(model, question, spelling(question.text, i), least_chance) for i, question in enumerate(questions)]


def judged(model: Ranks, question: Question, text: str, least_chance: float) -> Judged:
    """The question, typed as `text`."""
    guesses = model.ranking(text)
    names = [name for name, _ in guesses]
    believed = guesses[0] if guesses else ("", 0.0)
    margin = believed[1] - guesses[1][1] if len(guesses) > 1 else 1.0
    cries = dict(guesses).get(EMERGENCY, 0.0) >= least_chance
    ranking, alarm = _after_danger((text, model.respelt(text)), names, model_cries=cries)
    return Judged(question, believed, margin, tuple(ranking), alarm)


def _after_danger(writings: tuple[str, str], names: list[str], *, model_cries: bool) -> tuple[list[str], bool]:
    """The ranking as EmergencyDetector leaves it, and whether it raised the alarm."""
    others = [name for name in names if name != EMERGENCY]
    sign = danger_sign_in_any(writings)
    if sign is None and any(map(asks_permission, writings)):
        return others, False
    if sign or model_cries:
        return [EMERGENCY, *others], True
    return names, False


def both_topics(model: IntentModel, text: str, least_chance: float) -> set[str]:
    """The topics that a message gets: the first guess and, if the model hears one, the second question."""
    seen = judged(model, Question(text, ""), text, least_chance)
    second = model.second_question(text, seen.believed[0]) if seen.believed[0] else None
    return {topic for topic in (seen.guess, second) if topic}


def stretches(intents: Sequence[str], folds: int) -> list[list[int]]:
    """The places of each fold: one consecutive stretch of every intent's examples, for neighbours paraphrase each other."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, intent in enumerate(intents):
        places[intent].append(i)
    return [
        sorted(i for group in places.values() for i in group[len(group) * fold // folds : len(group) * (fold + 1) // folds])
        for fold in range(folds)
    ]


def out_of_fold(
    examples: Sequence[Example], folds: int, spellings: dict[str, Spelling], least_chance: float
) -> dict[str, list[Judged]]:
    """Every training example judged by a model that did not see it nor its neighbours: by spelling, fold after fold."""
    found: dict[str, list[Judged]] = {name: [] for name in spellings}
    for held_out in stretches([intent for _, intent in examples], folds):
        model = trained([examples[i] for i in _all_but(held_out, len(examples))])
        for name, spelling in spellings.items():
            for i in held_out:
                text, intent = examples[i]
                found[name].append(judged(model, Question(text, intent), spelling(text, i), least_chance))
    return found


def trained(examples: Sequence[Example]) -> IntentModel:
    """The model of these examples, with the settings of the service."""
    return IntentModel.train([text for text, _ in examples], [intent for _, intent in examples], DEFAULTS)


def _all_but(places: Iterable[int], number: int) -> list[int]:
    left_out = set(places)
    return [i for i in range(number) if i not in left_out]
