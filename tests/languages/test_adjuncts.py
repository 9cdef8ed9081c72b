"""What only sets the scene is left out, unless nothing else is asked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.adjuncts import without_adjuncts
from bot.languages.normalise import fold


@pytest.mark.parametrize(
    ("sentence", "left"),
    [
        ("rửa tay thế nào để phòng chống lây nhiễm covid", "rửa tay thế nào"),
        ("trong mùa dịch đi chợ có phải đeo khẩu trang không", "đi chợ có phải đeo khẩu trang không"),
        ("mất việc vì dịch có được hỗ trợ không", "mất việc có được hỗ trợ không"),
    ],
)
def test_time_and_purpose_are_left_out(sentence: str, left: str) -> None:
    assert without_adjuncts(sentence) == left
    assert without_adjuncts(fold(sentence)) == fold(left)


@pytest.mark.parametrize(
    "sentence",
    ["làm gì để phòng dịch", "phải làm sao để tránh lây covid", "dịch bệnh bây giờ thế nào", "với lý do dịch công ty nợ lương"],
)
def test_what_is_asked_about_stays(sentence: str) -> None:
    assert without_adjuncts(sentence) == sentence


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="để phòng chống dịch trong mùa covid lây ", max_size=120))
def test_it_only_ever_shortens_and_never_fails(text: str) -> None:
    assert len(without_adjuncts(text)) <= len(text)
