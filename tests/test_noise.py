"""The noise itself: repeatable, never too little or too much, and safe for any text."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.measuring.held_out import examples
from bot.settings import ROOT
from tests.noise import (
    Slip,
    clipped,
    in_telex,
    mistyped,
    noisy,
    with_a_like_sound,
    with_the_other_rising_tone,
    with_the_tone_moved,
)

LETTER = (
    "Chào bác sĩ, mẹ tôi 70 tuổi ở Buôn Hồ bị huyết áp cao, đã tiêm hai mũi vắc xin. "
    "Bây giờ mẹ tôi muốn tiêm mũi nhắc thì phải làm như thế nào, có được không ạ?"
)
PIECES = ("không", "bác", "sĩ", "như", "thế", "nào", "vắc", "xin", "covid", "ĐƯỜNG", "?", ".", ",", "\n", "12", "F0")
MARKED, UNMARKED = "as typed", "without diacritics"


def test_the_same_seed_writes_the_same_message() -> None:
    assert [noisy(LETTER, seed) for seed in range(50)] == [noisy(LETTER, seed) for seed in range(50)]


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (2, "Bsi cho em hỏi tiêm vắc xin rồi có đuoc ún bia hok?"),
        (6, "BÁC SĨ CHO IEM HỎI TIÊM VAC XIN R CÓ DC UỐNG BIA KHÔNG?"),
        (9, "bác sỉ cho e hỏi tiêm vắc xin rồi có được ún bia hông?"),
        (11, "Bac si cho em hỏi tiêm vắc xin rồi có đuoc unốg bia không?"),
    ],
)
def test_messages_are_the_same_on_every_machine(seed: int, message: str) -> None:
    """A change of the tables or of the order of draws moves these; figures measured before it cannot be compared."""
    assert noisy("Bác sĩ cho em hỏi tiêm vắc xin rồi có được uống bia không?", seed) == message


def test_other_seeds_write_other_messages() -> None:
    assert len({noisy(LETTER, seed) for seed in range(100)}) >= 98


@given(st.text(st.characters(exclude_categories=())), st.integers())
@settings(max_examples=500, deadline=None)
def test_any_text_is_taken_and_nothing_becomes_empty(text: str, seed: int) -> None:
    written = noisy(text, seed)
    assert written == noisy(text, seed)
    assert bool(written) == bool(text)


@given(
    st.lists(st.sampled_from(PIECES), max_size=30),
    st.integers(),
)
@settings(max_examples=300, deadline=None)
def test_words_that_are_respelled_lose_no_neighbour(words: list[str], seed: int) -> None:
    """Numbers are not letters, so every one of them must still be there."""
    text = " ".join(words)
    assert re.findall(r"\d+", noisy(text, seed).lower().replace("covid19", "")) == re.findall(r"\d+", text)


@pytest.mark.parametrize("text", ["", " ", "?", "??", "😂", "\ud800", "한국", "ວຽງຈັນ", "\u0301", "x" * 50, "İ", "ß" * 8])
def test_odd_texts(text: str) -> None:
    assert all(bool(noisy(text, seed)) == bool(text) for seed in range(30))


@pytest.mark.parametrize(("spelling", "least", "most"), [(MARKED, 0.25, 0.35), (UNMARKED, 0.18, 0.30)])
def test_a_quarter_to_a_third_of_the_words_change(spelling: str, least: float, most: float) -> None:
    """Who leaves out all marks has fewer ways left of writing a word differently."""
    texts = [text for text in held_out() if text.isascii() == (spelling == UNMARKED)]
    assert len(texts) > 200
    shares = [share_changed(text, noisy(text, seed)) for seed, text in enumerate(texts)]
    assert least <= sum(shares) / len(shares) <= most


def test_no_long_message_is_left_as_it_was_or_made_unreadable() -> None:
    letters = [text for text in held_out() if len(words_of(text)) >= 30 and not text.isascii()]
    shares = [share_changed(text, noisy(text, seed)) for seed, text in enumerate(letters)]
    assert min(shares) > 0.12
    assert max(shares) < 0.5


def test_the_share_would_notice_too_little_and_too_much() -> None:
    assert share_changed(LETTER, LETTER.upper()) == 0
    assert share_changed(LETTER, "ko bít") == 1


@pytest.mark.parametrize(
    ("slip", "word", "typed"),
    [
        (in_telex, "được", "dduwowcj"),
        (in_telex, "việt", "vieetj"),
        (in_telex, "Đắk", "Ddawks"),
        (in_telex, "khong", "khong"),
        (with_the_other_rising_tone, "nghỉ", "nghĩ"),
        (with_the_other_rising_tone, "cũng", "củng"),
        (with_the_tone_moved, "hòa", "hoà"),
        (with_the_tone_moved, "Thuý", "Thúy"),
        (with_the_tone_moved, "khỏe", "khoẻ"),
        (with_the_tone_moved, "toán", "toán"),
        (with_a_like_sound, "sốt", "xốt"),
        (with_a_like_sound, "chỗ", "trỗ"),
        (with_a_like_sound, "lo", "no"),
        (with_a_like_sound, "nhà", "nhà"),
    ],
)
def test_slips(slip: Slip, word: str, typed: str) -> None:
    assert slip(word, Random(0)) == typed


def test_letters_slip_in_long_words_only() -> None:
    assert {mistyped("tôi", Random(seed)) for seed in range(50)} == {"tôi"}
    slips = {mistyped("nghiệm", Random(seed)) for seed in range(200)}
    assert {"nghệm", "ngghiệm", "ngihệm"} <= slips
    assert "nghiệm" not in slips


@pytest.mark.parametrize(
    ("word", "short"), [("phải", "fải"), ("quên", "qên"), ("trong", "trog"), ("nhanh", "nhah"), ("ng", "ng")]
)
def test_clipped_words(word: str, short: str) -> None:
    assert clipped(word) == short


def held_out() -> list[str]:
    return [text for text, _ in examples(sorted((ROOT / "tests/nlu").glob("*.yml")))]


def share_changed(text: str, written: str) -> float:
    """How many of a text's words no longer stand in what was written, whatever their case."""
    before, after = words_of(text), words_of(written)
    kept = sum(block.size for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks())
    return 1 - kept / max(len(before), 1)


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
