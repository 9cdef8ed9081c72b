"""Spelling for matching: every way citizens type a word ends in one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.normalise import MAX_CHARACTERS, clauses, fold, normalise, words


@pytest.mark.parametrize(
    ("typed", "spelt"),
    [
        ("Hoà thuỷ khoẻ qúy thúôc", "hòa thủy khỏe quý thuốc"),
        ("chích vaxin đc ko z", "chích vắc xin được không vậy"),
        ("Covid-19, cô vít, sars-cov-2 và nCoV", "covid, covid, covid và covid"),
        ("tiem vac xin", "tiem vắc xin"),
        ("khônggggg bít j lun", "không biết gì luôn"),
        ("sốt,ho.đau họng", "sốt, ho. đau họng"),
        ("F 0 tại nhà, fo cần jì", "f0 tại nhà, f0 cần gì"),
        ("giặt khuỷu tay giếng ưu tiên của cửa mưa", "giặt khuỷu tay giếng ưu tiên của cửa mưa"),
        ("ghi ncovi ở pccovid.gov.vn, 38,5 độ", "ghi ncovi ở pccovid.gov.vn, 38,5 độ"),
        ("  nhiều   khoảng\n\ntrắng ", "nhiều khoảng trắng"),
        ("kkkk vui quá", "haha vui quá"),
    ],
)
def test_one_spelling_for_what_citizens_type(typed: str, spelt: str) -> None:
    assert normalise(typed) == spelt


def test_units_after_a_number_are_not_chat_spellings() -> None:
    assert normalise("50 kg và 5 k với 5k") == "50 kg và 5 k với 5k"


def test_decomposed_and_precomposed_letters_are_the_same_text() -> None:
    assert normalise("ti\u00eam ch\u1ee7ng") == normalise("tie\u0302m chu\u0309ng")


def test_control_zero_width_and_surrogate_code_points_are_dropped() -> None:
    assert normalise("ti\u200bêm\x00 chủ\udc80ng\ufeff") == "tiêm chủng"


def test_fold_keeps_the_letters_of_other_scripts() -> None:
    assert fold("Đắk Lắk ƀuôn ơ̆ ខ្ញុំ") == "Dak Lak buon o ខ្ញុំ"


def test_a_pasted_page_keeps_its_beginning_and_its_end() -> None:
    spelt = normalise("đầu trang " + "giữa " * 5_000 + "câu hỏi cuối")
    assert spelt.startswith("đầu trang")
    assert spelt.endswith("câu hỏi cuối")
    assert len(spelt) <= MAX_CHARACTERS


def test_clauses_and_words() -> None:
    assert clauses("Mẹ em sốt. Giờ làm sao?\n") == ["Mẹ em sốt", "Giờ làm sao"]
    assert words("38,5 độ!") == ["38", "5", "độ"]


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60) | st.text(alphabet="kKhoàạưđ19-vixncod .,!\u0301\u200b\ud800", max_size=40))
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert fold(fold(once)) == fold(once)


@pytest.mark.parametrize("unit", ["a", "k ", "à", "covid ", "vac", ".", "ha", "1,", "\u0301", "co vi", "vi rút "])
def test_long_input_takes_linear_time(unit: str) -> None:
    started = time.thread_time()
    normalise(unit * (400_000 // len(unit)))
    assert time.thread_time() - started < 1.0
