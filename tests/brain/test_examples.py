"""Rasa gets the same examples as from its own importer, and each file is read once however often it asks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data import loading

from bot.brain.examples import ExamplesOnce
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
    real = loading.load_data
    monkeypatch.setattr(loading, "load_data", lambda path, language="en": (read.append(path), real(path, language))[1])
    importer = ExamplesOnce(training_data_paths=[str(folder)])
    for language in ("vi", "en", "vi"):
        importer.get_nlu_data(language)
    assert len(read) == 2


def test_the_project_uses_it() -> None:
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in config["importers"]] == [f"{ExamplesOnce.__module__}.{ExamplesOnce.__name__}"]
