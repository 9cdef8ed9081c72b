"""No cut falls inside what a reader sees as one letter: highland breves, Khmer below the line, emoji, whatever is typed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.channels.rendering import shortened, split, titles, utf16_units
from bot.graphemes import GRAPHEME, cut
from bot.messages import MAX_STORED_CHARACTERS, Button, clean_text

# Letters as citizens of our provinces type them: precomposed and not, with marks of two kinds, beside Khmer and emoji.
LETTERS = st.sampled_from(
    [
        "ơ̆",
        "ư̆",
        "ê̆",
        "â̆",
        "tlâ̆o",
        "ƀ",
        "č",
        "ĕ",
        "ŏ",
        "o\u031b\u0306",
        "a\u0302\u0301",
        "ệ",
        "đ",
        "n'",
        " ",
        "\n",
        ".",
        "ស្រ",
        "ខ្មែ",
        "ក្រុំ",
        "កៀ",
        "👩‍👩‍👧",
        "🇻🇳",
        "1",
    ]
)
TEXTS = st.lists(LETTERS, max_size=60).map("".join)


def letters(text: str) -> list[str]:
    return [letter for letter in GRAPHEME.findall(unicodedata.normalize("NFC", text)) if not letter.isspace()]


@pytest.mark.parametrize("letter", ["ơ̆", "ស្រ", "ក្រុំ", "👩‍👩‍👧", "🇻🇳", "e\u0323\u0302"])
def test_a_letter_is_one(letter: str) -> None:
    assert GRAPHEME.findall(letter) == [letter]


def test_a_sign_below_with_nothing_below_ends_the_letter() -> None:
    assert GRAPHEME.findall("ក្ ក") == ["ក្", " ", "ក"]


@given(TEXTS, st.integers(8, 40))
def test_a_cut_keeps_whole_letters(text: str, limit: int) -> None:
    normal = unicodedata.normalize("NFC", text)
    kept = cut(normal, limit)
    assert len(kept) <= limit
    assert GRAPHEME.findall(normal)[: len(GRAPHEME.findall(kept))] == GRAPHEME.findall(kept)


@given(TEXTS, st.integers(8, 40), st.sampled_from([len, utf16_units]))
@example("ស្រ" * 20, 10, len)
def test_parts_of_a_long_answer_hold_whole_letters(text: str, limit: int, measure: object) -> None:
    parts = split(text, limit, measure)  # type: ignore[arg-type]
    assert [letter for part in parts for letter in letters(part)] == letters(text)


@given(TEXTS, st.integers(8, 40))
def test_a_shortened_text_begins_with_whole_letters(text: str, limit: int) -> None:
    kept = shortened(text, limit)
    assert len(kept) <= limit
    begun = letters(kept.removesuffix("…"))
    assert letters(text)[: len(begun)] == begun


@given(TEXTS.filter(lambda text: len(text.strip()) > 3), st.integers(10, 20))
def test_titles_that_are_cut_to_differ_keep_whole_letters(text: str, limit: int) -> None:
    known = {*letters(text), *"ABCDEFGH…1234567890 "}
    for title in titles([Button(f"{text}AB", "/a"), Button(f"{text}CD", "/b"), Button(f"EF{text}", "/c")], limit):
        assert set(letters(title)) <= known
        assert len(title) <= limit


@given(st.text(max_size=80))
def test_any_text_can_be_stored_and_cut(text: str) -> None:
    clean = clean_text(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert clean_text(clean) == clean
    clean.encode()


@pytest.mark.parametrize("letter", ["ơ̆", "ស្រ", "👩‍👩‍👧"])
def test_what_is_too_long_to_store_ends_with_a_whole_letter(letter: str) -> None:
    clean = clean_text(letter * MAX_STORED_CHARACTERS)
    assert MAX_STORED_CHARACTERS - len(letter) < len(clean) <= MAX_STORED_CHARACTERS
    assert clean == letter * (len(clean) // len(letter))
