"""Many phrases at once: longest first, with or without marks."""

from __future__ import annotations

from bot.languages.phrases import Phrases, words_of


def find(phrases: Phrases[str], text: str) -> list[tuple[str, ...]]:
    return [found.values for found in phrases.find(words_of(text))]


def test_the_longest_phrase_wins_and_nothing_overlaps() -> None:
    phrases: Phrases[str] = Phrases()
    phrases.add("Sầm Sơn", "city")
    phrases.add("Nam Sầm Sơn", "ward")
    assert find(phrases, "ở nam sầm sơn và Sầm Sơn") == [("ward",), ("city",)]


def test_a_word_without_marks_stands_for_every_marked_one_and_not_the_reverse() -> None:
    phrases: Phrases[str] = Phrases()
    phrases.add("Huế", "hue")
    assert find(phrases, "o hue") == [("hue",)]
    assert find(phrases, "hoa huệ") == []


def test_a_phrase_that_needs_marks_is_not_found_without_them() -> None:
    phrases: Phrases[str] = Phrases()
    phrases.add("Cần Thơ", "can-tho", needs_marks=True)
    assert find(phrases, "can tho") == []
    assert find(phrases, "cần thơ") == [("can-tho",)]


def test_a_phrase_that_does_not_count_hides_no_other() -> None:
    phrases: Phrases[str] = Phrases()
    phrases.add("bị tim", "heart", needs_marks=True)
    phrases.add("bị tim bẩm sinh", "congenital")
    phrases.add("tim mạch", "vessels")
    found = phrases.find(words_of("bi tim mach"), lambda value: value != "heart")
    assert [each.values for each in found] == [("vessels",)]


def test_phrases_of_one_spelling_are_all_given() -> None:
    phrases: Phrases[str] = Phrases()
    phrases.add("Tuy Hòa", "city")
    phrases.add("Tuy Hoà", "ward")
    assert find(phrases, "tuy hoa") == [("city", "ward")]
