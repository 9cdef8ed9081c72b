"""A stop is known by a table of words, with marks and without, and nothing that is not a stop is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages.catalogue import Catalogue
from bot.settings import ROOT
from bot.subscriptions.stopping import has_stop_line, is_stop


@pytest.mark.parametrize(
    "text",
    [
        *(
            "dừng",
            "DỪNG!",
            "dung",
            "Dừng nhận tin giúp tôi ạ",
            "dung nhan tin",
            "dừng nhan tin",
            "stop",
            "/stop",
            "STOP.",
            "unsubscribe",
        ),
        *(
            "xin dừng gửi tin nha Loa",
            "huỷ đăng ký",
            "ngưng gửi đi",
            "không muốn nhận tin nữa",
            "ឈប់",
            "ឈប់។",
            "nres",
            "dừng\u200b 🛑",
        ),
    ],
)
def test_a_stop(text: str) -> None:
    assert is_stop(text)
    assert has_stop_line(f"chào Loa\n{text}\ncảm ơn")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "  ",
            "đúng",
            "Đúng rồi",
            "dùng",
            "đừng",
            "đứng",
            "dừng thuốc được không",
            "dung roi",
            "tôi",
            "cho tôi",
            "loa ơi",
            "không",
        ),
        *("có phải dừng cách ly không", "stop covid", "don't stop", "tin", "đăng ký nhận tin", "\x00", "dừng " * 5000),
    ],
)
def test_no_stop(text: str) -> None:
    assert not is_stop(text)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    is_stop(text)
    has_stop_line(text)


def test_what_finds_the_intent_without_a_model_is_a_stop_too() -> None:
    """With Rasa away "hủy nhận tin" must not be answered with a text and forgotten."""
    keywords = Catalogue.load(ROOT, "dak-lak").intents["unsubscribe"].keywords
    assert [phrase for phrase in keywords if not is_stop(phrase)] == []
