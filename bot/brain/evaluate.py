"""How well are citizens understood? `python -m bot.brain.evaluate` trains on data/nlu and asks tests/nlu, never seen in training.

Prints accuracy as typed and without diacritics, what share is answered at each threshold and how much of that is right,
the same with courtesies and an unrelated history written around each question (tests/nlu/surroundings.yml), danger signs found
and false alarms, time per message; writes the F1 of every intent and all mistakes to reports/.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.brain.intent_model import DEFAULTS, IntentModel
from bot.languages.danger import asks_permission, danger_sign
from bot.languages.normalise import fold
from bot.settings import ROOT

EMERGENCY = "emergency"
THRESHOLDS = (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
Example = tuple[str, str]
Spelling = Callable[[str], str]
SPELLINGS: dict[str, Spelling] = {"as typed": str, "without diacritics": fold}


@dataclass(frozen=True)
class Judged:
    """One test question: what it is, what the whole pipeline before the fallback makes of it, and how sure."""

    text: str
    truth: str
    guess: str
    chance: float
    margin: float
    in_three: bool

    @property
    def is_right(self) -> bool:
        return self.guess == self.truth

    def is_answered(self, threshold: float, ambiguity: float) -> bool:
        return self.chance >= threshold and self.margin >= ambiguity


def examples(paths: Iterable[Path]) -> list[Example]:
    """(text, intent) of Rasa's NLU files, in the order of the files; files of another shape hold none."""
    found: list[Example] = []
    for path in paths:
        for block in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or ():
            lines = (line.strip() for line in str(block.get("examples") or "").splitlines())
            found.extend((line[2:].strip(), block["intent"]) for line in lines if line.startswith("- "))
    return found


def surrounded(tests: Sequence[Example], around: Mapping[str, Sequence[str]]) -> dict[str, list[Example]]:
    """Every test with something written around it, the same on every call: one list per way of doing so."""
    ways: dict[str, Callable[[str, str, str, str], str]] = {
        "greeting": lambda opening, _history, question, _closing: f"{opening} {question}",
        "thanks": lambda _opening, _history, question, closing: f"{_ended(question)} {closing}",
        "both, commas": lambda opening, _history, question, closing: f"{opening.rstrip('.!')}, {question} {closing}",
        "history": lambda _opening, history, question, _closing: f"{history} {question}",
        "letter": lambda opening, history, question, closing: f"{opening} {history} {_ended(question)} {closing}",
    }
    return {
        name: [
            (write(_nth(around["openings"], i), _nth(around["histories"], 3 * i), text, _nth(around["closings"], 5 * i)), intent)
            for i, (text, intent) in enumerate(tests)
        ]
        for name, write in ways.items()
    }


def _nth(sentences: Sequence[str], number: int) -> str:
    return sentences[number % len(sentences)]


def _ended(question: str) -> str:
    return question if question.endswith((".", "?", "!")) else f"{question}?"


def judge(model: IntentModel, tests: Sequence[Example], spelling: Spelling) -> list[Judged]:
    least = _least_chance()
    return [_judged(model, spelling(text), truth, least) for text, truth in tests]


def _judged(model: IntentModel, text: str, truth: str, least_chance: float) -> Judged:
    ranking = model.ranking(text) or [("", 0.0)]
    others = [guess for guess in ranking if guess[0] != EMERGENCY]
    sign = danger_sign(text)
    if sign is None and asks_permission(text):
        ranking = others or ranking
    elif sign or dict(ranking).get(EMERGENCY, 0.0) >= least_chance:
        ranking = [(EMERGENCY, 1.0), *others]
    second = ranking[1][1] if len(ranking) > 1 and ranking[0][1] < 1 else 0.0  # danger overrules doubt
    return Judged(text, truth, *ranking[0], ranking[0][1] - second, truth in {name for name, _ in ranking[:3]})


def f1_by_intent(judged: Sequence[Judged]) -> list[tuple[str, float, int]]:
    """(intent, F1, number of questions), worst first."""
    asked, guessed = Counter(j.truth for j in judged), Counter(j.guess for j in judged)
    right = Counter(j.truth for j in judged if j.is_right)
    scores = [(intent, 2 * right[intent] / (number + guessed[intent]), number) for intent, number in asked.items()]
    return sorted(scores, key=lambda score: score[1])


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    trained_on = examples(sorted((ROOT / "data/nlu").rglob("*.yml")))
    tests = examples(sorted((ROOT / "tests/nlu").glob("*.yml")))
    started = time.process_time()
    model = IntentModel.train([text for text, _ in trained_on], [intent for _, intent in trained_on], DEFAULTS)
    seconds = time.process_time() - started
    print(f"{len(trained_on)} examples, {len(model.model.labels)} intents, trained in {seconds:.1f} s of one core")
    reports = {name: judge(model, tests, spelling) for name, spelling in SPELLINGS.items()}
    for name, judged in reports.items():
        _print_summary(name, judged, options.ambiguity)
    _print_surrounded(model)
    _print_danger(model)
    _print_speed(model, tests)
    _write_report(reports["as typed"], ROOT / "reports")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.brain.evaluate", description=__doc__)
    parser.add_argument("--ambiguity", type=float, default=0.1, help="config.yml's ambiguity_threshold")
    return parser.parse_args(arguments)


def _print_summary(name: str, judged: Sequence[Judged], ambiguity: float) -> None:
    right, in_three = _share(j.is_right for j in judged), _share(j.in_three for j in judged)
    print(f"\n{name}: {len(judged)} questions, accuracy {right}, in the first three {in_three}")
    for threshold in THRESHOLDS:
        answered = [j for j in judged if j.is_answered(threshold, ambiguity)]
        share, right = len(answered) / len(judged), _share(j.is_right for j in answered)
        print(f"  threshold {threshold:.2f}: answered {share:.3f}, of these right {right}")


def _print_surrounded(model: IntentModel) -> None:
    topics = [path for path in sorted((ROOT / "tests/nlu").glob("*.yml")) if path.stem not in {"talk", "limits", "emergency"}]
    questions = [example for example in examples(topics) if example[1] != EMERGENCY]
    around = yaml.safe_load((ROOT / "tests/nlu/surroundings.yml").read_text(encoding="utf-8"))
    print(f"\n{len(questions)} questions of a topic, alone: {_share(j.is_right for j in judge(model, questions, str))}")
    for way, tests in surrounded(questions, around).items():
        print(f"  with {way}: {_share(j.is_right for j in judge(model, tests, str))}")


def _least_chance() -> float:
    pipeline: list[dict[str, Any]] = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    return next(float(component["least_chance"]) for component in pipeline if "least_chance" in component)


def _print_danger(model: IntentModel) -> None:
    danger = [text for text, intent in examples([ROOT / "tests/nlu/emergency.yml"]) if intent == EMERGENCY]
    harmless: list[Any] = yaml.safe_load((ROOT / "tests/nlu/not_emergency.yml").read_text(encoding="utf-8"))["sentences"]
    cries, calm = [(text, EMERGENCY) for text in danger], [(str(text), "") for text in harmless]
    for name, spelling in SPELLINGS.items():
        found = _share(danger_sign(spelling(text)) is not None for text in danger)
        false = _share(danger_sign(spelling(str(text))) is not None for text in harmless)
        print(f"danger table {name}: {found} of {len(danger)} found, {false} of {len(harmless)} false alarms")
        alarms = [_share(j.guess == EMERGENCY for j in judge(model, group, spelling)) for group in (cries, calm)]
        print(f"  together with the model: {alarms[0]} found, {alarms[1]} false alarms")


def _print_speed(model: IntentModel, tests: Sequence[Example]) -> None:
    times = []
    for text, _ in tests:
        started = time.perf_counter()
        model.ranking(text)
        danger_sign(text)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    print(f"time per message: p50 {times[len(times) // 2]:.2f} ms, p95 {times[int(len(times) * 0.95)]:.2f} ms")


def _write_report(judged: Sequence[Judged], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    scores = [f"{f1:.2f}  {intent} ({number})" for intent, f1, number in f1_by_intent(judged)]
    mistakes = [f"{j.truth} → {j.guess} {j.chance:.2f}  {j.text}" for j in judged if not j.is_right]
    path = folder / "understanding.txt"
    path.write_text("\n".join([*scores, "", *mistakes]) + "\n", encoding="utf-8")
    print(f"F1 by intent and {len(mistakes)} mistakes: {path}")


def _share(flags: Iterable[bool]) -> str:
    known = list(flags)
    return f"{sum(known) / len(known):.3f}" if known else "none"


if __name__ == "__main__":
    main()
