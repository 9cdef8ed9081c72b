"""One slip is repaired; known words, short words, numbers and other languages are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.spelling import Spelling

KNOWN = {
    "khong": 9.0,
    "duoc": 8.0,
    "viet": 3.0,
    "benh": 5.0,
    "vien": 5.0,
    "nghiem": 4.0,
    "xet": 4.0,
    "khau": 2.0,
    "trang": 2.0,
    "khang": 1.0,
}


@pytest.fixture
def spelling() -> Spelling:
    return Spelling(KNOWN)


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("vieetj", "viet"),  # Telex keys left standing
        ("dduwowcj", "duoc"),
        ("nghiemr", "nghiem"),
        ("ngihem", "nghiem"),  # two letters swapped
        ("nghim", "nghiem"),  # one missing
        ("beenhj", "benh"),
        ("trangg", "trang"),  # one too many
        ("khog", "khong"),  # the commoner of two near ones
    ],
)
def test_a_slip_is_repaired(spelling: Spelling, mistyped: str, meant: str) -> None:
    assert spelling.repair(mistyped) == meant


@pytest.mark.parametrize("word", ["khong", "ko", "f0", "molnupiravir", "115", "xyz", "a" * 5_000])
def test_other_words_are_left_alone(spelling: Spelling, word: str) -> None:
    assert spelling.repair(word) == word


def test_a_message_keeps_its_known_words_as_typed(spelling: Spelling) -> None:
    assert spelling.repaired("bệnh viện xét ngihem được khôngg?") == "bệnh viện xét nghiem được khong?"


def test_marks_that_nobody_writes_are_left_out(spelling: Spelling) -> None:
    written = {"bệnh", "viện", "được"}
    assert spelling.with_known_marks("bênh viện, được khôngg? giât", written) == "benh viện, được khong? giât"


def test_another_language_is_not_made_vietnamese(spelling: Spelling) -> None:
    assert spelling.repaired("please tell vient kongh where") == "please tell vient kongh where"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    Spelling(KNOWN).with_known_marks(text, set())
