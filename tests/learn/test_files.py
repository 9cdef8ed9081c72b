"""Agreed questions become examples with a provenance, never a question of the tests, and go again when the decision is undone."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bot.learn import files
from bot.learn.files import sentences
from bot.learn.store import Decision
from bot.measuring.comparison import topics
from bot.measuring.held_out import as_learned, examples
from bot.settings import ROOT
from bot.yaml_files import read_yaml

NOW = datetime.datetime(2026, 11, 22, 8, tzinfo=datetime.UTC)
FIRST = Decision(
    id=1, key="0123456789ab", group_id=1, kind="topic", topic="testing_where", examples=["test chỗ mô rứa"], asked=14, note="",
    state="agreed", proposed_by="an", proposed_at=NOW, decided_by="binh", decided_at=NOW, undone_by=None, undone_at=None, task=None,
    task_by=None, task_at=None, applied_at=None, language="vi",
)  # fmt: skip
SECOND = replace(FIRST, id=2, key="ba9876543210", examples=["lấy mẫu ở chỗ nào rứa"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, name, intent, text in (
        ("data/nlu/vi", "testing", "testing_where", "xét nghiệm ở đâu"),
        ("tests/nlu", "testing", "testing_where", "test ở chỗ nào vậy"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        content = {"nlu": [{"intent": intent, "examples": f"- {text}\n"}]}
        (tmp_path / folder / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (tmp_path / "tests/nlu/not_emergency.yml").write_text("sentences: [sốt nhẹ thì sao]\n", encoding="utf-8")
    two = "messages:\n- text: giá bao nhiêu và ở đâu\n  intents: [a, b]\n"
    (tmp_path / "tests/nlu/two_questions.yml").write_text(two, encoding="utf-8")
    return tmp_path


def topic_of(intent: str) -> str | None:
    return {"testing_where": "testing"}.get(intent)


def test_a_block_says_who_stands_for_it(root: Path) -> None:
    done = files.write(root, [FIRST], set(), topic_of)
    path = root / "data/nlu/vi/learned/testing.yml"
    assert done.files == [path]
    assert "# 0123456789ab: proposed by an, agreed by binh on 2026-11-22; asked 14 times\n" in path.read_text("utf-8")
    assert examples([path]) == [("test chỗ mô rứa", "testing_where")]


def test_a_second_time_changes_nothing_and_the_next_is_added(root: Path) -> None:
    files.write(root, [FIRST], set(), topic_of)
    path = root / "data/nlu/vi/learned/testing.yml"
    before = path.read_bytes()
    again = files.write(root, [FIRST], set(), topic_of)
    assert (again.files, again.added, path.read_bytes()) == ([], [], before)
    files.write(root, [FIRST, SECOND], set(), topic_of)
    assert path.read_bytes().startswith(before)
    assert [text for text, _ in examples([path])] == ["test chỗ mô rứa", "lấy mẫu ở chỗ nào rứa"]


def test_what_was_undone_goes_and_what_nobody_here_knows_stays(root: Path) -> None:
    files.write(root, [FIRST, SECOND], set(), topic_of)
    path = root / "data/nlu/vi/learned/testing.yml"
    done = files.write(root, [], {FIRST.key}, topic_of)
    assert (done.removed, [text for text, _ in examples([path])]) == ([FIRST.key], ["lấy mẫu ở chỗ nào rứa"])
    assert files.learned_keys(root) == {SECOND.key}
    files.write(root, [], {SECOND.key}, topic_of)
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Xet nghiem o dau?", "known"),
        ("test ở chỗ nào vậy", "held_out"),
        ("TEST O CHO NAO VAY", "held_out"),
        ("Sốt nhẹ thì sao?", "held_out"),
        ("giá bao nhiêu, và ở đâu", "held_out"),
        ("[tên] và [tên] hỏi chỗ xét nghiệm", "masked"),
        ("[tên] hỏi", "masked"),
    ],
)
def test_neither_what_is_known_nor_a_question_of_the_tests_is_written(root: Path, text: str, why: str) -> None:
    done = files.write(root, [replace(FIRST, examples=[text])], set(), topic_of)
    assert (done.files, done.skipped) == ([], {why: 1})


def test_a_known_example_is_not_written_twice_from_two_groups(root: Path) -> None:
    done = files.write(root, [FIRST, replace(SECOND, examples=list(FIRST.examples))], set(), topic_of)
    assert (done.examples, done.skipped) == (1, {"known": 1})


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("em tên [tên] hỏi chỗ xét nghiệm", "em tên hỏi chỗ xét nghiệm"),
        ("xem [đây](testing) {x} - a", "xem testing x - a"),
        ("- # chỗ xét nghiệm", "chỗ xét nghiệm"),
        ("a\u2028b chỗ: 'này' \"kia\" #5", "a b chỗ: 'này' \"kia\" #5"),
        ("[tên]", None),
        ("ừ", None),
    ],
)
def test_nothing_of_a_question_is_read_as_markup(text: str, example: str | None) -> None:
    assert files.example_of(text) == example


def test_another_language_says_so_and_strange_ones_are_left_out(root: Path) -> None:
    files.write(root, [replace(FIRST, language="en", examples=["any test spot round here"])], set(), topic_of)
    (block,) = yaml.safe_load((root / "data/nlu/en/learned/testing.yml").read_text("utf-8"))["nlu"]
    assert block["metadata"] == {"language": "en"}
    done = files.write(root, [replace(SECOND, language="../x"), replace(SECOND, topic="gone")], set(), topic_of)
    assert (done.files, done.skipped) == ([], {"intent_gone": 2})


def learned_questions_of_the_tests(root: Path) -> set[str]:
    """What stands in the learned examples and in tests/nlu."""
    learned = (sentences(read_yaml(path)) for path in (root / "data/nlu").glob(f"*/{files.FOLDER}/*.yml"))
    asked = (sentences(read_yaml(path)) for path in (root / "tests/nlu").rglob("*.yml"))
    return {as_learned(text) for texts in learned for text in texts} & {as_learned(text) for texts in asked for text in texts}


def test_no_learned_example_of_the_repository_is_a_question_of_its_tests(root: Path) -> None:
    # The two lines that every such file has, and the names of intents, are no questions.
    no_questions = {as_learned(word) for word in ("3.1", "vi", *topics())}
    assert learned_questions_of_the_tests(ROOT) - no_questions == set()
    path = root / "data/nlu/vi/learned/testing.yml"
    path.parent.mkdir()
    path.write_text("nlu:\n- intent: testing_where\n  examples: |\n    - Sốt nhẹ thì sao?\n", encoding="utf-8")
    assert as_learned("sốt nhẹ thì sao") in learned_questions_of_the_tests(root)


def test_a_trial_writes_nothing(root: Path) -> None:
    assert files.write(root, [FIRST], set(), topic_of, is_trial=True).files
    assert not (root / "data/nlu/vi/learned").exists()
