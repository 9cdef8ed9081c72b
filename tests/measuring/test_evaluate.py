"""`loa evaluate --questions`: figures of a labelled file go to the screen and to reports/, its sentences nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.measuring import evaluate, held_out, tables
from bot.measuring.evaluate import main

TRAINING = [
    *((f"xét nghiệm ở {place}", "testing_where") for place in ["đâu", "vậy", "gần", "nhất", "chỗ", "nào", "phường"]),
    *((f"khẩu trang {how}", "wear_mask") for how in ["đeo", "giặt", "mua", "vải", "loại", "nào"]),
]
SECRET = "Chị Bảy hàng xóm hỏi khẩu trang"


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tables, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(held_out, "training_examples", lambda: TRAINING)
    return tmp_path / "reports"


def test_sentences_of_a_labelled_file_are_never_written(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "asked.tsv"
    rows = [f"1\trandom\t{SECRET}\twear_mask\t\t", f"2\trare\t{SECRET} ở đâu\ttesting_where\t\t"]
    asked.write_text("\n".join(["id\tstratum\tquestion\tintent\talt_intent\tflags", *rows]) + "\n", encoding="utf-8")
    main(["--questions", str(asked)])
    printed = capsys.readouterr().out
    files = list(reports.iterdir())
    assert {path.name for path in files} == {f"asked{end}" for end in (".txt", *(f"-{p}.svg" for p in PICTURES))}
    assert "random" in printed
    assert all("Bảy" not in text for text in (printed, *(path.read_text(encoding="utf-8") for path in files)))


PICTURES = ("confusions", "coverage", "reliability")


def test_folds_name_a_threshold_for_every_spelling(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--folds", "2"])
    printed = capsys.readouterr().out
    assert printed.count("smallest threshold") == len(held_out.spellings())
    assert (reports / "calibration.txt").exists()


@pytest.mark.parametrize("arguments", [["--folds", "1"], ["--questions", "absent.tsv"]])
def test_what_cannot_be_measured_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate.main(arguments)
