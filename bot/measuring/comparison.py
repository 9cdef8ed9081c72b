"""Is a new model as good as the running one? Both are asked the same held-out questions; the limits stand here and nowhere else.

A share may fall by chance when a handful of questions decide it: a topic counts as worse only with so many more mistakes, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bot.brain.intent_model import VIETNAMESE, IntentModel
from bot.measuring import held_out, languages, rates
from bot.measuring.held_out import EMERGENCY, TESTS, TRAINING, HeldOut, Question, Spelling
from bot.measuring.judging import Doubt, Judged, judge
from bot.yaml_files import read_yaml


@dataclass(frozen=True)
class Limit:
    """By how much a measure may get worse: as a share, and in questions. Both must be passed to refuse a model."""

    share: float
    questions: int = 0


# By kind of line. A cry for help that is no longer heard refuses a model, whatever else got better.
LIMITS: Mapping[str, Limit] = {
    "all": Limit(0.005),
    "set": Limit(0.01, 3),
    "topic": Limit(0.03, 3),
    "language": Limit(0.03, 1),
    "cries heard": Limit(0.0),
    "false alarms": Limit(0.02, 3),
    "wrong and sure": Limit(0.005, 3),
    "wrong, high risk": Limit(0.002, 2),
    "off topic refused": Limit(0.02, 3),
}
# What should be rare; of everything else more is better.
RARE = frozenset({"false alarms", "wrong and sure", "wrong, high risk"})


@dataclass(frozen=True)
class Line:
    """One measure of both models, in questions out of `number`."""

    kind: str
    name: str
    number: int
    before: int
    after: int

    @property
    def change(self) -> float:
        return (self.after - self.before) / self.number if self.number else 0.0

    @property
    def is_worse(self) -> bool:
        """Worse than the limit of its kind allows."""
        lost = self.after - self.before if self.kind in RARE else self.before - self.after
        limit = LIMITS[self.kind]
        return lost > limit.questions and lost / self.number > limit.share if self.number else False


Measured = dict[tuple[str, str], tuple[int, int]]


def compared(before: Measured, after: Measured) -> list[Line]:
    """Line by line, in the order of `before`; both must have been asked the same."""
    if {key: number for key, (_, number) in before.items()} != {key: number for key, (_, number) in after.items()}:
        raise ValueError("the two models were not asked the same questions")
    return [Line(kind, name, number, found, after[kind, name][0]) for (kind, name), (found, number) in before.items()]


def measured(model: IntentModel) -> Measured:
    """(how many, of how many) by kind and name, over all spellings together."""
    return counted(model, HeldOut(held_out.training_examples()), Doubt.read(), held_out.spellings(), topics())


def counted(
    model: IntentModel, asked: HeldOut, doubt: Doubt, spellings: Mapping[str, Spelling], topic_of: Mapping[str, str]
) -> Measured:
    sets = asked.sets()
    ask = partial(_judged, model, doubt, spellings)
    by_set = {name: ask(questions) for name, questions in sets.items()}
    found = [j for judged in by_set.values() for j in judged]
    lines: Measured = {("all", ""): _count(found, lambda j: j.is_right)}
    lines |= {("set", name): _count(judged, lambda j: j.is_right) for name, judged in by_set.items()}
    for topic in sorted({topic_of.get(j.question.intent, EMERGENCY) for j in found}):
        of_topic = [j for j in found if topic_of.get(j.question.intent, EMERGENCY) == topic]
        lines["topic", topic] = _count(of_topic, lambda j: j.is_right)
    high_risk = rates.high_risk_intents()
    lines["wrong and sure", ""] = _count(found, lambda j: _is_told_wrong(j, doubt))
    lines["wrong, high risk", ""] = _count(found, lambda j: _is_told_wrong(j, doubt) and j.guess in high_risk)
    lines["cries heard", ""] = _count(ask(asked.cries()), lambda j: j.guess == EMERGENCY)
    lines["false alarms", ""] = _count(ask(asked.look_alikes()), lambda j: j.guess == EMERGENCY)
    lines["off topic refused", ""] = _count(ask(asked.off_topic()), lambda j: j.is_refused(doubt.threshold, doubt.ambiguity))
    return lines | dict(_languages(model, doubt))


def topics() -> dict[str, str]:
    """The topic of every intent: the file in which its Vietnamese examples stand."""
    paths = sorted((TRAINING / VIETNAMESE).glob("*.yml"))
    return {block["intent"]: path.stem for path in paths for block in read_yaml(path).get("nlu") or ()}


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Every line, what is worse marked."""
    yield f"{'':<20}{'':<16}{'questions':>10}{'running':>10}{'new':>10}{'change':>10}"
    for line in lines:
        shares = (f"{part / line.number:>10.3f}" if line.number else f"{'-':>10}" for part in (line.before, line.after))
        mark = "  WORSE" if line.is_worse else ""
        yield f"{line.kind:<20}{line.name:<16}{line.number:>10}{''.join(shares)}{line.change:>+10.3f}{mark}"


def verdict(lines: Iterable[Line]) -> list[str]:
    """One sentence for each line that got worse than it may."""
    return [_sentence(line) for line in lines if line.is_worse]


def as_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    return [asdict(line) for line in lines]


def lines_of(content: Iterable[Mapping[str, Any]]) -> list[Line]:
    return [Line(**line) for line in content]


def _sentence(line: Line) -> str:
    limit = f"{LIMITS[line.kind].share:.3f}"
    name = f"{line.kind} {line.name}".strip()
    return f"{name}: {line.before} → {line.after} of {line.number} ({line.change:+.3f}, allowed {limit})"


def _judged(model: IntentModel, doubt: Doubt, spellings: Mapping[str, Spelling], questions: Sequence[Question]) -> list[Judged]:
    return [j for write in spellings.values() for j in judge(model, questions, write, doubt.least_chance)]


def _is_told_wrong(j: Judged, doubt: Doubt) -> bool:
    return j.is_answered(doubt.threshold, doubt.ambiguity) and not j.is_right


def _count(found: Sequence[Judged], fits: Callable[[Judged], bool]) -> tuple[int, int]:
    return sum(map(fits, found)), len(found)


def _languages(model: IntentModel, doubt: Doubt) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """Where the language is known already: what hears it is not the model that staff teach."""
    for tag in languages.tags():
        asked = languages.questions(tag)
        found = judge(languages.InLanguage(model, tag), asked, lambda text, _: text, doubt.least_chance)
        yield ("language", tag), _count(found, lambda j: j.is_right)


def asked_version(folder: Path = TESTS) -> str:
    """A comparison holds for the questions that were asked, and no longer."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
