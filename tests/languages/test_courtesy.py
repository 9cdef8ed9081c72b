"""Courtesies around a question are left out; nothing else is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.courtesy import sentences_without_courtesy
from bot.languages.normalise import fold


@pytest.mark.parametrize("spelling", [str, fold])
@pytest.mark.parametrize(
    "text",
    [
        "Chào bác sĩ!",
        "Em xin chân thành cảm ơn bác sĩ ạ.",
        "Mong bác sĩ tư vấn giúp em",
        "Xin được giải đáp.",
        "Chúc bác sĩ nhiều sức khỏe!",
        "Kính thưa bác sĩ. Trân trọng cảm ơn.",
        "Rất mong nhận được sự hỗ trợ của quý cơ quan",
    ],
)
def test_a_courtesy_says_nothing(text: str, spelling: Callable[[str], str]) -> None:
    assert sentences_without_courtesy(spelling(text)) == []


def test_whom_it_is_about_stays() -> None:
    assert sentences_without_courtesy("Chào bác sĩ con em 7 tuổi sốt") == ["con em 7 tuổi sốt"]


def test_the_question_stays_word_for_word() -> None:
    text = "Chào bác sĩ, em 30 tuổi bị hen. Em tiêm được không, mong bác sĩ tư vấn giúp. Cảm ơn!"
    assert sentences_without_courtesy(text) == ["em 30 tuổi bị hen", "em tiêm được không"]


@pytest.mark.parametrize(
    "text",
    ["tôi muốn gặp bác sĩ", "ăn cháo được không", "thủ tục xin hỗ trợ tiền thuê trọ", "bác sĩ tư vấn ở số nào", "mong manh quá"],
)
def test_ordinary_words_are_kept(text: str) -> None:
    assert sentences_without_courtesy(text) == [text]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    sentences_without_courtesy(text)


@pytest.mark.parametrize("unit", ["chào ", "mong được ", "các quý bác ", "em chào bác sĩ ", "chúc và luôn nhiều ", "a "])
def test_a_long_text_is_read_in_time(unit: str) -> None:
    started = time.thread_time()
    sentences_without_courtesy(unit * (20_000 // len(unit)))
    assert time.thread_time() - started < 1.5
