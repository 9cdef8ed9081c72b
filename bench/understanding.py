"""`make bench-nlu`: how fast and how well Loa understands, beside stock Rasa; a table on the screen and in bench/results/.

Three models are trained and asked one after the other: stock Rasa's DIET (the pipeline of `rasa init`) and Loa on the same
sample of our examples, and Loa on all of them. The real Rasa agent parses; nothing else of the service runs.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from bench.measure import load_average, machine, percentile
from bench.outcome import reported, say
from bench.parsing import ParsingJob, TrainingJob, parse, train
from bench.stock_project import stock_config
from bench.table import Expectation, markdown_table, number, rich_table
from bot.languages.normalise import fold
from bot.measuring.held_out import TRAINING, Example, HeldOut, Question, training_examples
from bot.settings import ROOT

# So many of the messages are enough to know how many a core takes in a second.
ON_ONE_CORE = 500


@dataclass(frozen=True)
class Measured:
    """One model: seconds, bytes, seconds of each message on all cores and on one, and the share understood."""

    name: str
    examples: int
    training: float
    training_cpu: float
    training_components: float
    model_bytes: int
    seconds: Sequence[float]
    seconds_on_one_core: Sequence[float]
    cpu_seconds_on_one_core: Sequence[float]
    right: float
    right_without_diacritics: float

    @property
    def a_second(self) -> float:
        return len(self.seconds_on_one_core) / sum(self.seconds_on_one_core)

    @property
    def cpu_milliseconds(self) -> float:
        return 1000 * percentile(self.cpu_seconds_on_one_core, 0.5)

    def milliseconds(self, share: float) -> float:
        return 1000 * percentile(self.seconds, share)


@dataclass(frozen=True)
class Report:
    models: Sequence[Measured]
    heading: str
    notes: Sequence[str]

    def rows(self) -> Iterator[tuple[str, ...]]:
        yield ("training examples", *(number(m.examples) for m in self.models))
        yield ("training, imports apart, s", *(number(m.training) for m in self.models))
        yield ("– of it in the components, s", *(number(m.training_components) for m in self.models))
        yield ("– CPU of all cores, s", *(number(m.training_cpu) for m in self.models))
        yield ("model file, MB", *(number(m.model_bytes / 1e6) for m in self.models))
        yield ("parse p50, ms", *(number(m.milliseconds(0.5)) for m in self.models))
        yield ("parse p95, ms", *(number(m.milliseconds(0.95)) for m in self.models))
        yield ("– of it CPU, on one core, p50, ms", *(number(m.cpu_milliseconds) for m in self.models))
        yield ("parses/s on one core", *(number(m.a_second) for m in self.models))
        yield ("understood, as typed", *(f"{m.right:.3f}" for m in self.models))
        yield ("understood, without diacritics", *(f"{m.right_without_diacritics:.3f}" for m in self.models))

    def expectations(self) -> list[Expectation]:
        """Of Loa on all data, which is measured last."""
        loa = self.models[-1]
        p50, megabytes = loa.milliseconds(0.5), loa.model_bytes / 1e6
        return [
            Expectation("parse p50 at most 2 ms", f"{number(p50)} ms", p50 <= 2),
            Expectation("at least 400 parses/s on one core", f"{number(loa.a_second)}/s", loa.a_second >= 400),
            Expectation("trained in at most 20 s", f"{number(loa.training)} s", loa.training <= 20),
            Expectation("a model file of at most 30 MB", f"{number(megabytes)} MB", megabytes <= 30),
        ]

    def print(self, console: Console) -> None:
        console.print(self.heading, markup=False, highlight=False)
        console.print(rich_table(self._heads(), list(self.rows())))
        console.print(rich_table(("expected", "found", ""), [expectation.cells() for expectation in self.expectations()]))
        for note in self.notes:
            console.print(f"- {note}", markup=False, highlight=False)

    def markdown(self) -> str:
        parts = [
            self.heading,
            markdown_table(self._heads(), list(self.rows())),
            markdown_table(("expected", "found", ""), [expectation.cells() for expectation in self.expectations()]),
            "\n".join(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(parts) + "\n"

    def _heads(self) -> tuple[str, ...]:
        return ("measure", *(m.name for m in self.models))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return reported(lambda folder: _measure_all(options, folder), "understanding")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.understanding", description=__doc__)
    parser.add_argument(
        "--sample", type=int, default=1000, help="training examples for both on equal terms (default %(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=50, help="of DIET; `rasa init` says 100 (default %(default)s)")
    parser.add_argument("--messages", type=int, default=0, help="ask so many of tests/nlu only, evenly spread (default all)")
    parser.add_argument("--skip-stock", action="store_true", help="measure Loa alone")
    return parser.parse_args(arguments)


def _measure_all(options: argparse.Namespace, folder: Path) -> Report:
    before, examples = load_average(), training_examples()
    asked = [question for questions in HeldOut(examples).sets().values() for question in questions]
    questions = _evenly(asked, options.messages or len(asked))
    sample = _evenly(examples, options.sample)
    stock_project, our_sample = folder / "stock.yml", folder / "sample.yml"
    _write_yaml(stock_project, stock_config(options.epochs))
    _write_yaml(our_sample, _training_data(sample))
    ours = ROOT / "config.yml"
    plan = [
        *([] if options.skip_stock else [(f"stock Rasa, {options.epochs} epochs", stock_project, our_sample, len(sample))]),
        ("Loa, same examples", ours, our_sample, len(sample)),
        ("Loa, all examples", ours, TRAINING, len(examples)),
    ]
    models = [_measure(*entry, questions, folder) for entry in plan]
    now = datetime.datetime.now(datetime.UTC)
    heading = f"{now:%Y-%m-%d %H:%M} UTC, {machine()}; load average {before} before, {load_average()} after"
    return Report(models, heading, _notes(len(questions)))


def _measure(name: str, config: Path, data: Path, examples: int, questions: Sequence[Question], folder: Path) -> Measured:
    say(f"{name}: training on {examples} examples")
    trained = train(TrainingJob(str(config), str(data), str(folder), "model"), folder)
    say(f"{name}: trained in {trained.seconds:.1f} s; parsing {len(questions)} messages in two spellings")
    texts = [question.text for question in questions]
    typed = parse(ParsingJob(trained.path, texts, on_one_core=False), folder)
    bare = parse(ParsingJob(trained.path, [fold(text) for text in texts], on_one_core=False), folder)
    one_core = parse(ParsingJob(trained.path, _evenly(texts, min(ON_ONE_CORE, len(texts))), on_one_core=True), folder)
    return Measured(
        name,
        examples,
        trained.seconds,
        trained.cpu_seconds,
        trained.in_components,
        Path(trained.path).stat().st_size,
        typed.seconds,
        one_core.seconds,
        one_core.cpu_seconds,
        _right(questions, typed.guesses),
        _right(questions, bare.guesses),
    )


def _evenly(items: Sequence[Any], many: int) -> list[Any]:
    """So many of them from beginning to end: of examples, every intent keeps its share."""
    return [items[i * len(items) // many] for i in range(min(many, len(items)))]


def _right(questions: Sequence[Question], guesses: Sequence[str]) -> float:
    return sum(guess in question.accepted for question, guess in zip(questions, guesses, strict=True)) / len(questions)


def _training_data(examples: Sequence[Example]) -> dict[str, Any]:
    by_intent: dict[str, list[str]] = {}
    for text, intent in examples:
        by_intent.setdefault(intent, []).append(f"- {text}\n")
    return {"version": "3.1", "nlu": [{"intent": intent, "examples": "".join(lines)} for intent, lines in by_intent.items()]}


def _notes(messages: int) -> list[str]:
    return [
        f"{messages} messages of tests/nlu, one after the other through Rasa's agent (`parse_message`) and the whole pipeline; "
        "none is in the training data.",
        "Training: reading the data, the components, packing the model. Imports apart.",
        "On one core: a process that may use one core and one thread.",
        "Understood: the likeliest intent is the right one, however sure; what is then said or offered is another matter.",
        "Stock Rasa: the pipeline of `rasa init` with fewer epochs, so that a run takes minutes. What a message costs does not "
        "depend on them.",
    ]


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10_000), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
