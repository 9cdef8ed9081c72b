"""Rasa gets the same examples as from its own importer, and each file is read once however often it asks."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from rasa.shared.exceptions import YamlException
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data import loading
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.brain import examples
from bot.brain.examples import Example, ExamplesOnce
from bot.settings import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"one": "xét nghiệm ở đâu", "two": "chỗ nào xét nghiệm"}.items():
        lines = f'version: "3.1"\nnlu:\n- intent: testing_where\n  examples: |\n    - {text}\n'
        (tmp_path / f"{name}.yml").write_text(lines, encoding="utf-8")
    return tmp_path


def test_it_reads_what_rasa_reads(folder: Path) -> None:
    ours, rasas = (kind(training_data_paths=[str(folder)]).get_nlu_data() for kind in (ExamplesOnce, RasaFileImporter))
    assert ours.fingerprint() == rasas.fingerprint()
    assert len(ours.training_examples) == 2


def test_every_file_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = examples._read

    def counted(path: str, language: str | None) -> TrainingData | None:
        read.append(path)
        return real(path, language)

    monkeypatch.setattr(examples, "_read", counted)
    importer = ExamplesOnce(training_data_paths=[str(folder)])
    for language in ("vi", "en", "vi"):
        importer.get_nlu_data(language)
    assert len(read) == 2


BLOCK = "- intent: testing_where\n  examples: |\n    - {}\n"


@pytest.mark.parametrize(
    "blocks",
    [
        BLOCK.format("xét nghiệm ở [Buôn Hồ](place:buon-ho) không"),
        BLOCK.format("xét nghiệm ở đâu") + "  metadata: {language: en}\n",
        BLOCK.format("xét nghiệm ở đâu\n    - xét nghiệm ở đâu\n    -   chỗ nào test  "),
        BLOCK.format("examples: hay intent: là gì"),
        BLOCK.format("test \\u00e1 where"),
        "- intent: 'no'\n  examples: |\n    - hổng có\n",
        BLOCK.format("xét nghiệm ở đâu") + "- synonym: test\n  examples: |\n    - xn\n",
        BLOCK.format("xét nghiệm ở đâu") + "- regex: phone\n  examples: |\n    - \\d+\n",
        "- intent: faq/where\n  examples:\n  - text: |\n      xét nghiệm ở đâu\n    metadata: {by: hand}\n",
    ],
)
def test_what_a_file_may_hold_is_read_as_rasa_reads_it(tmp_path: Path, blocks: str) -> None:
    path = tmp_path / "one.yml"
    path.write_text(f'version: "3.1"\nnlu:\n{blocks}', encoding="utf-8")
    ours, rasas = (kind(training_data_paths=[str(path)]).get_nlu_data() for kind in (ExamplesOnce, RasaFileImporter))
    assert [message.data for message in ours.training_examples] == [message.data for message in rasas.training_examples]
    assert ours.fingerprint() == rasas.fingerprint()


@pytest.mark.parametrize(
    "blocks",
    [
        BLOCK.format("một") + "  examples: |\n    - hai\n",
        BLOCK.format("một\u2028- hai"),
        "- intent: [1]\n  examples: 3\n",
        "- intent: greet\n  examples: |\n   - chào\n - hai\n",
    ],
)
def test_rasa_says_what_is_wrong_with_a_file(tmp_path: Path, blocks: str) -> None:
    (tmp_path / "one.yml").write_text(f'version: "3.1"\nnlu:\n{blocks}', encoding="utf-8")
    with pytest.raises(YamlException, match=r"one\.yml|duplicate"):
        ExamplesOnce(training_data_paths=[str(tmp_path)]).get_nlu_data()


def test_plain_examples_do_not_go_the_slow_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(loading, "load_data")
    assert len(ExamplesOnce(training_data_paths=[str(folder)]).get_nlu_data().training_examples) == 2


def test_a_copy_stands_by_itself() -> None:
    example = Example({"text": "xét nghiệm ở đâu", "intent": "testing_where", "metadata": {"intent": {"language": "en"}}})
    before = example.fingerprint()
    other = copy.deepcopy(example)
    assert other == example
    other.set("intent", "testing_when")
    other.get("metadata")["intent"]["language"] = "km"
    assert example.fingerprint() == before != other.fingerprint()
    assert example.get("metadata") == {"intent": {"language": "en"}}


def test_the_project_uses_it() -> None:
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in config["importers"]] == [f"{ExamplesOnce.__module__}.{ExamplesOnce.__name__}"]
