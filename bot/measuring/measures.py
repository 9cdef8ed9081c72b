"""Numbers of judged questions: how often right, answered and wrong, how far to be believed. Pure; shares from 0 to 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.measuring.judging import LIMITS, Doubt, Judged

NOTHING = float("nan")


@dataclass(frozen=True)
class Summary:
    """One line of the table. All but `number` are shares of all questions; F1 is the mean over the intents that were asked."""

    number: int
    lenient: float
    strict: float
    f1_lenient: float
    f1_strict: float
    in_three: float
    answered: float
    wrong: float
    wrong_topic: float
    wrong_high_risk: float
    false_alarms: float


@dataclass(frozen=True)
class Point:
    """What a threshold does: the share that is answered, how much of that is right, the share of all with a wrong answer, and
    the same when a wrong "ask a doctor" or "none of my business" is not counted."""

    threshold: float
    coverage: float
    accuracy: float
    wrong: float
    wrong_topic: float


@dataclass(frozen=True)
class Bin:
    """The guesses of about the same probability: how many, their mean probability, the share that was right."""

    number: int
    chance: float
    right: float


def share(flags: Iterable[bool]) -> float:
    """Of nothing, it is not a number."""
    known = list(flags)
    return sum(known) / len(known) if known else NOTHING


def summary(judged: Sequence[Judged], doubt: Doubt, high_risk: AbstractSet[str]) -> Summary:
    """`high_risk`: the intents whose answer does harm when it is not what was asked."""
    answered = [j.is_answered(doubt.threshold, doubt.ambiguity) for j in judged]
    wrong = [is_answered and not j.is_right for j, is_answered in zip(judged, answered, strict=True)]
    return Summary(
        number=len(judged),
        lenient=share(j.is_right for j in judged),
        strict=share(j.is_exact for j in judged),
        f1_lenient=macro_f1(judged, lenient=True),
        f1_strict=macro_f1(judged, lenient=False),
        in_three=share(j.is_in_three for j in judged),
        answered=share(answered),
        wrong=share(wrong),
        wrong_topic=share(is_wrong and j.guess not in LIMITS for j, is_wrong in zip(judged, wrong, strict=True)),
        wrong_high_risk=share(is_wrong and j.guess in high_risk for j, is_wrong in zip(judged, wrong, strict=True)),
        false_alarms=share(j.is_false_alarm for j in judged),
    )


def f1_by_intent(judged: Sequence[Judged], *, lenient: bool = False) -> list[tuple[str, float, int]]:
    """(intent, F1, number of questions) of every intent asked, worst first. Lenient: an accepted guess counts as the label."""
    pairs = [(j.question.intent, j.question.intent if lenient and j.is_right else j.guess) for j in judged]
    asked, guessed = Counter(truth for truth, _ in pairs), Counter(guess for _, guess in pairs)
    right = Counter(truth for truth, guess in pairs if truth == guess)
    scores = [(intent, 2 * right[intent] / (number + guessed[intent]), number) for intent, number in asked.items()]
    return sorted(scores, key=lambda score: (score[1], score[0]))


def macro_f1(judged: Sequence[Judged], *, lenient: bool) -> float:
    scores = [f1 for _, f1, _ in f1_by_intent(judged, lenient=lenient)]
    return sum(scores) / len(scores) if scores else NOTHING


def confusions(judged: Iterable[Judged]) -> Counter[tuple[str, str]]:
    """(what was asked, what was understood) → how often, of the questions that were not understood."""
    return Counter((j.question.intent, j.guess) for j in judged if not j.is_right)


def curve(judged: Sequence[Judged], thresholds: Iterable[float], ambiguity: float) -> list[Point]:
    return [_point(judged, threshold, ambiguity) for threshold in thresholds]


def _point(judged: Sequence[Judged], threshold: float, ambiguity: float) -> Point:
    answered = [j for j in judged if j.is_answered(threshold, ambiguity)]
    wrong = [j for j in answered if not j.is_right]
    number = len(judged) or NOTHING
    return Point(
        threshold,
        coverage=len(answered) / number,
        accuracy=share(j.is_right for j in answered),
        wrong=len(wrong) / number,
        wrong_topic=sum(j.guess not in LIMITS for j in wrong) / number,
    )


def smallest_threshold(judged: Sequence[Judged], ambiguity: float, most_wrong: float) -> float | None:
    """The smallest threshold in steps of 0.01 at which no more than `most_wrong` of all get a wrong answer; None if none does."""
    points = curve(judged, (per_cent / 100 for per_cent in range(101)), ambiguity)
    return next((point.threshold for point in points if point.wrong <= most_wrong), None)


def reliability(judged: Iterable[Judged], bins: int = 10) -> list[Bin]:
    """The model's own guesses by their probability, in bins of equal width without the empty ones. What the table of danger
    signs decided says nothing about the model and is looked at as if it had not."""
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for j in judged:
        name, chance = j.believed
        groups[min(int(chance * bins), bins - 1)].append((chance, name in j.question.accepted))
    return [
        Bin(len(group), sum(chance for chance, _ in group) / len(group), share(right for _, right in group))
        for group in groups
        if group
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: how far probability and truth are apart, on average over the questions."""
    number = sum(b.number for b in bins)
    return sum(b.number * abs(b.chance - b.right) for b in bins) / number if number else NOTHING


def grouped(judged: Iterable[Judged], by: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """In the order in which the groups first occur."""
    groups: dict[str, list[Judged]] = {}
    for j in judged:
        groups.setdefault(by(j), []).append(j)
    return groups
