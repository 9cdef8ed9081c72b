"""How well are citizens understood? `python -m bot.measuring.evaluate` trains on data/nlu and asks tests/nlu, never trained on.

As typed, without diacritics and as typed in a hurry: right, answered and wrong, danger found and false alarms, what is
none of Loa's business, two questions in one message, other languages apart, time per message. Tables and pictures go to reports/.

--questions asks the labelled questions of a file instead; of them only figures are printed and written, no sentence.
--folds asks every training example of a model that has not seen it: the way config.yml's threshold is chosen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.brain.intent_model import IntentModel
from bot.languages.danger import danger_sign_in_any
from bot.measuring import held_out, identification, languages, pictures, rates
from bot.measuring.held_out import Example, HeldOut, Question, Spelling
from bot.measuring.judging import Doubt, Judged, judge, out_of_fold, trained
from bot.measuring.measures import curve, grouped, smallest_threshold, summary
from bot.measuring.tables import LEGEND, THRESHOLDS, Report, f1_lines, heads, row, threshold_lines

# config.yml's threshold is the smallest at which no more than this share of all questions gets the answer to another.
MOST_WRONG = 0.06
REFUSED_TARGET = 0.90


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    doubt, spellings = Doubt.read(), held_out.spellings()
    if "noisy" not in spellings:
        print("tests/noise.py is not there: no noisy spelling")
    if options.folds:
        _choose_threshold(options.folds, doubt, spellings)
    if options.questions:
        _ask_file(options.questions, doubt, spellings)
    if not (options.folds or options.questions):
        _ask_own(doubt, spellings)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="loa evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", type=Path, metavar="FILE", help="tab separated: question, intent, alt_intent, stratum")
    parser.add_argument("--folds", type=int, metavar="N", help="out-of-fold thresholds on data/nlu, 5 is usual")
    options = parser.parse_args(arguments)
    if options.folds is not None and options.folds < 2:
        parser.error("--folds needs at least 2")
    if options.questions and not options.questions.is_file():
        parser.error(f"there is no file {options.questions}")
    return options


def _ask_own(doubt: Doubt, spellings: Mapping[str, Spelling]) -> None:
    report = Report("understanding")
    examples = held_out.training_examples()
    model, asked = _train(examples, report), HeldOut(examples)
    sets, high_risk = asked.sets(), rates.high_risk_intents()
    judged: dict[str, list[Judged]] = {}
    report.say(heads("set"))
    for name, questions in sets.items():
        for spelling, write in spellings.items():
            found = judge(model, questions, write, doubt.least_chance)
            judged.setdefault(spelling, []).extend(found)
            report.say(row(name, spelling, summary(found, doubt, high_risk)))
    for spelling, found in judged.items():
        report.say(row("all", spelling, summary(found, doubt, high_risk)))
    report.say(LEGEND)
    report.say_all(threshold_lines(judged, doubt))
    _say_surrounded(report, model, asked.of_a_topic(), doubt)
    for measure in (_say_danger, _say_off_topic, _say_two_questions):
        measure(report, model, asked, doubt, spellings)
    report.say_all(languages.lines(model, doubt))
    report.say_all(identification.lines())
    report.say(f"\n{len(asked.left_out)} messages of tests/nlu stand in the training data too and were not asked")
    _say_speed(report, model, [question for questions in sets.values() for question in questions])
    _draw(report, judged, doubt)
    as_typed = judged["as typed"]
    report.write([*f1_lines(as_typed), "", "mistakes as typed:", *_mistakes(as_typed)])


def _ask_file(path: Path, doubt: Doubt, spellings: Mapping[str, Spelling]) -> None:
    report = Report(path.stem)
    questions, high_risk = held_out.labelled(path), rates.high_risk_intents()
    examples = held_out.training_examples()
    model = _train(examples, report)
    report.say(f"{held_out.number_trained_on(questions, examples)} of {len(questions)} questions stand in the training data too")
    judged = {name: judge(model, questions, write, doubt.least_chance) for name, write in spellings.items()}
    report.say(heads("stratum"))
    for spelling, found in judged.items():
        strata = grouped(found, lambda j: j.question.group)
        for name, group in {**strata, "all": found}.items():
            report.say(row(name, spelling, summary(group, doubt, high_risk)))
    report.say(LEGEND)
    report.say_all(threshold_lines(judged, doubt))
    _draw(report, judged, doubt)
    report.write(f1_lines(judged["as typed"]))


def _choose_threshold(folds: int, doubt: Doubt, spellings: Mapping[str, Spelling]) -> None:
    report = Report("calibration")
    examples = held_out.training_examples()
    report.say(f"{len(examples)} training examples, each judged by a model that has not seen its fold of {folds}")
    judged = out_of_fold(examples, folds, dict(spellings), doubt.least_chance)
    report.say_all(threshold_lines(judged, doubt))
    for spelling, found in judged.items():
        least = smallest_threshold(found, doubt.ambiguity, MOST_WRONG)
        named = "none" if least is None else f"{least:.2f}"
        report.say(f"smallest threshold with at most {MOST_WRONG:.0%} wrong answers, {spelling}: {named}")
    _draw(report, judged, doubt)
    report.write(f1_lines(judged["as typed"]))


def _train(examples: Sequence[Example], report: Report) -> IntentModel:
    started, of_cpu = time.perf_counter(), time.process_time()
    model = trained(examples)
    seconds, of_cpu = time.perf_counter() - started, time.process_time() - of_cpu
    labels = len(model.model.labels)
    report.say(f"{len(examples)} examples, {labels} intents, trained in {seconds:.1f} s ({of_cpu:.1f} s of one core)")
    return model


def _say_surrounded(report: Report, model: IntentModel, questions: Sequence[Question], doubt: Doubt) -> None:
    report.say(f"\n{len(questions)} questions of a topic, right")
    for way, share in rates.right_when_surrounded(model, questions, doubt).items():
        report.say(f"  {way}: {share:.3f}")


def _say_danger(report: Report, model: IntentModel, asked: HeldOut, doubt: Doubt, spellings: Mapping[str, Spelling]) -> None:
    cries, calm = asked.cries(), asked.look_alikes()
    report.say(f"\ndanger: {len(cries)} cries for help, {len(calm)} messages that look like one")
    for name, write in spellings.items():
        by_table = (rates.heard_by_table(group, write) for group in (cries, calm))
        by_both = (rates.heard(model, group, write, doubt) for group in (cries, calm))
        for who, (found, false) in (("table", by_table), ("table and model", by_both)):
            report.say(f"  {name}, {who}: {found:.3f} found, {false:.3f} false alarms")


def _say_off_topic(report: Report, model: IntentModel, asked: HeldOut, doubt: Doubt, spellings: Mapping[str, Spelling]) -> None:
    questions = asked.off_topic()
    if not questions:
        report.say("\ntests/nlu/off_topic.yml is not there: nothing off topic was asked")
        return
    report.say(f"\n{len(questions)} messages that are none of Loa's business, share refused (target {REFUSED_TARGET:.2f})")
    report.say(f"{'':<34}" + "".join(f"{name:>20}" for name in spellings))
    refused = [rates.refused_by_kind(model, questions, write, doubt) for write in spellings.values()]
    for kind in refused[0]:
        report.say(f"{kind:<34}" + "".join(f"{by_kind[kind]:>20.3f}" for by_kind in refused))


def _say_two_questions(
    report: Report, model: IntentModel, asked: HeldOut, doubt: Doubt, spellings: Mapping[str, Spelling]
) -> None:
    messages = asked.two_questions()
    if not messages:
        report.say("\ntests/nlu/two_questions.yml is not there: no message with two questions was asked")
        return
    two = sum(len(message.intents) > 1 for message in messages)
    report.say(f"\n{two} messages with two questions, {len(messages) - two} that ask one")
    for name, write in spellings.items():
        both, false = rates.two_questions(model, messages, write, doubt)
        report.say(f"  {name}: both topics found {both:.3f}, a second heard where there is none {false:.3f}")


def _say_speed(report: Report, model: IntentModel, questions: Sequence[Question]) -> None:
    times = []
    for question in questions:
        started = time.perf_counter()
        model.ranking(question.text)
        danger_sign_in_any((question.text, model.respelt(question.text)))
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    report.say(f"\ntime per message: p50 {times[len(times) // 2]:.2f} ms, p95 {times[int(len(times) * 0.95)]:.2f} ms")


def _mistakes(judged: Sequence[Judged]) -> list[str]:
    return [f"{j.question.intent} → {j.guess} {j.believed[1]:.2f}  {j.question.text}" for j in judged if not j.is_right]


def _draw(report: Report, judged: Mapping[str, Sequence[Judged]], doubt: Doubt) -> None:
    as_typed = judged["as typed"]
    pictures.confusion_picture(as_typed, report.path("-confusions.svg"))
    pictures.reliability_picture(as_typed, report.path("-reliability.svg"))
    curves = {name: curve(found, THRESHOLDS, doubt.ambiguity) for name, found in judged.items()}
    pictures.coverage_picture(curves, doubt.threshold, report.path("-coverage.svg"))


if __name__ == "__main__":
    main()
