"""The pictures are drawn, can be read, and are the same for the same questions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bot.measuring.held_out import Question
from bot.measuring.judging import Judged
from bot.measuring.measures import curve
from bot.measuring.pictures import MOST_INTENTS, confusion_picture, coverage_picture, most_confused, reliability_picture

JUDGED = [
    Judged(Question("1", "testing_cost"), ("testing_cost", 0.9), 0.8, ("testing_cost",), alarm=False),
    Judged(Question("2", "testing_cost"), ("testing_where", 0.6), 0.3, ("testing_where",), alarm=False),
    Judged(Question("3", "wear_mask"), ("wear_mask", 0.5), 0.3, ("wear_mask",), alarm=False),
]


def test_only_confused_intents_are_in_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "confusions.svg"
    confusion_picture(JUDGED, path)
    drawn = path.read_text(encoding="utf-8")
    assert "testing_cost" in drawn
    assert "testing_where" in drawn
    assert "wear_mask" not in drawn


def test_a_model_without_a_mistake_has_a_picture_too(tmp_path: Path) -> None:
    confusion_picture([JUDGED[0]], tmp_path / "none.svg")
    assert (tmp_path / "none.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_the_commonest_confusions_come_first_and_bound_the_picture() -> None:
    wrong = Counter({("a", "b"): 1, ("c", "d"): 9, **{(f"x{i}", f"y{i}"): 2 for i in range(40)}})
    assert most_confused(wrong)[:2] == ["c", "d"]
    assert len(most_confused(wrong)) == MOST_INTENTS


def test_the_same_questions_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        reliability_picture(JUDGED, tmp_path / f"{name}-reliability.svg")
        coverage_picture({"as typed": curve(JUDGED, (0.3, 0.6), 0.1)}, 0.6, tmp_path / f"{name}-coverage.svg")
    for kind in ("reliability", "coverage"):
        one, two = ((tmp_path / f"{name}-{kind}.svg").read_text(encoding="utf-8") for name in ("one", "two"))
        assert one == two
