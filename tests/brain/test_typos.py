"""Training meets slips of the thumb: the same ones every time, and only some."""

from __future__ import annotations

from bot.brain.typos import mistyped

TEXT = "khong biet xet nghiem covid mat bao nhieu thoi gian thi duoc tra ket qua " * 20


def test_the_same_seed_slips_the_same_way() -> None:
    assert mistyped(TEXT, 7) == mistyped(TEXT, 7) != mistyped(TEXT, 8)


def test_most_words_stay() -> None:
    same = [a == b for a, b in zip(TEXT.split(), mistyped(TEXT, 1).split(), strict=True)]
    assert 0.6 < sum(same) / len(same) < 0.98


def test_nothing_to_mistype_is_no_error() -> None:
    assert mistyped("", 1) == ""
    assert mistyped("a bc 115", 1) == "a bc 115"
