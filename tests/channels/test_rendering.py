"""Long answers are cut where a reader would pause; titles that are cut stay apart."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.rendering import grouped, shortened, spelled, split, squeezed, titles, utf16_units
from bot.messages import Button

GRAPHEMES = regex.compile(r"\X")


def buttons(*given_titles: str) -> list[Button]:
    return [Button(title, f"/intent_{number}") for number, title in enumerate(given_titles)]


def test_a_short_text_is_one_part_and_nothing_is_none() -> None:
    assert split("ngắn", 10) == ["ngắn"]
    assert split("  \n ", 10) == []


def test_a_paragraph_is_the_best_place_to_cut_then_a_sentence_a_line_a_word() -> None:
    assert split("Một câu. Hai câu.\n\nBa câu. Bốn câu.", 24) == ["Một câu. Hai câu.", "Ba câu. Bốn câu."]
    assert split("Một câu dài. Hai câu dài.", 16) == ["Một câu dài.", "Hai câu dài."]
    assert split("- một dòng\n- hai dòng\n- ba dòng", 22) == ["- một dòng\n- hai dòng", "- ba dòng"]
    assert split("một hai ba bốn năm", 9) == ["một hai", "ba bốn", "năm"]


def test_a_heading_of_one_word_does_not_become_a_message() -> None:
    parts = split("Chú ý.\n\n" + "từ " * 40, 60)
    assert parts[0] != "Chú ý."
    assert parts[0].startswith("Chú ý.\n\ntừ")


def test_a_phone_number_is_not_cut_at_its_space() -> None:
    assert split("Bạn gọi số 1900 9095 nhé", 16) == ["Bạn gọi số", "1900 9095 nhé"]
    assert shortened("Gọi 1900 9095 ngay", 10) == "Gọi…"


def test_what_fits_exactly_is_not_cut_earlier() -> None:
    assert split("một hai ba", 10) == ["một hai ba"]
    assert split("một hai ba bốn", 10) == ["một hai ba", "bốn"]


def test_an_emoji_counts_two_for_telegram() -> None:
    assert utf16_units("😀a") == 3
    parts = split("😀" * 30, 20, utf16_units)
    assert [utf16_units(part) for part in parts] == [20, 20, 20]


@pytest.mark.parametrize("letter", ["ơ̆", "👩‍👩‍👧", "ệ", "e\u0323\u0302", "🇻🇳"])
def test_a_cut_never_falls_inside_a_letter(letter: str) -> None:
    text = letter * 200
    for limit in range(8, 40):
        parts = split(text, limit)
        assert "".join(parts) == unicodedata.normalize("NFC", text)
        whole = GRAPHEMES.findall(unicodedata.normalize("NFC", letter))
        assert all(set(GRAPHEMES.findall(part)) == set(whole) for part in parts), limit


def test_one_letter_longer_than_the_limit_is_still_sent() -> None:
    zalgo = "a" + "\u0335" * 300
    parts = split(zalgo, 100)
    assert "".join(parts) == zalgo
    assert all(len(part) <= 100 for part in parts)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="aàệ .\n!?-1\u0301\u0335😀‍", max_size=400), st.integers(5, 60))
def test_every_part_fits_and_no_word_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert squeezed("".join(parts)) == squeezed(unicodedata.normalize("NFC", text))


def test_titles_that_fit_stay_as_they_are() -> None:
    assert titles(buttons("Xét nghiệm ở đâu", "Số cần gọi"), 20) == ["Xét nghiệm ở đâu", "Số cần gọi"]


def test_titles_that_would_be_alike_keep_what_tells_them_apart() -> None:
    found = titles(buttons("Phường Buôn Ma Thuột (Đắk Lắk)", "Phường Buôn Ma Thuột (Thành phố)", "Số cần gọi"), 20)
    assert found == ["Phường…(Đắk Lắk)", "Phường…(Thành phố)", "Số cần gọi"]


@pytest.mark.parametrize("limit", [8, 13, 20])
def test_titles_are_never_alike_even_when_they_were(limit: int) -> None:
    found = titles(buttons("Giống nhau hoàn toàn", "Giống nhau hoàn toàn", "Giống nhau hoàn toàn nhé", "x" * 50, "x" * 50), limit)
    assert len(set(found)) == 5
    assert all(0 < len(title) <= limit for title in found)


def test_groups_keep_the_order() -> None:
    assert grouped([1, 2, 3, 4, 5, 6, 7], 3) == [(1, 2, 3), (4, 5, 6), (7,)]
    assert grouped([], 3) == []


def test_a_link_and_a_number_can_be_spelled_out() -> None:
    assert spelled(Button("Văn bản", url="https://example.vn/a")) == "Văn bản: https://example.vn/a"
    assert spelled(Button("Cấp cứu", phone="115")) == "Cấp cứu: 115"


@pytest.mark.parametrize(
    "target",
    [{}, {"payload": "/a", "url": "https://a.vn"}, {"url": "javascript:alert(1)"}, {"phone": "gọi 115"}, {"url": "https://a b"}],
)
def test_a_button_has_exactly_one_target_that_can_be_used(target: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="button"):
        Button("x", **target)
    assert Button.parse({"title": "x", **target}) is None
    assert Button.parse({"title": "x", "phone": "115"}) == Button("x", phone="115")
