"""Who names a language and says nothing else, asks for it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.choices import chosen_language
from bot.languages.normalise import fold


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("nói tiếng Ê Đê", "rad"),
        ("/language km", "km"),
        ("language mww-Latn", "mww-Latn"),
        ("noi tieng e de", "rad"),
        ("cho tôi đọc tiếng Gia Rai với", "jra"),
        ("tiếng M'nông", "cmo"),
        ("Mnong", "cmo"),
        ("hais lus Hmoob", "mww-Latn"),
        ("nói tiếng H'Mông được không", "mww-Latn"),
        ("có chữ Mông Việt Nam không", "hmn-Latn-x-vn"),
        ("ខ្ញុំចង់អានភាសាខ្មែរ", "km"),
        ("English please!", "en"),
        ("do you speak English?", "en"),
        ("tiếng Thái", "blt-Latn"),
        ("có tiếng Mường không", "mtq"),
        ("đổi về tiếng Việt", "vi"),
        ("tôi không biết tiếng Việt, nói tiếng Ê Đê", "rad"),
        ("I don't speak Vietnamese, English please", "en"),
        ("tôi không biết tiếng Anh", None),
        ("người Ê Đê có được hỗ trợ không", None),
        ("tiêm vắc xin bằng tiếng Anh", None),
        ("không", None),
        ("", None),
    ],
)
def test_a_choice_is_heard(text: str, tag: str | None) -> None:
    assert chosen_language(text) == tag
    if text.isascii() or tag != "km":
        assert chosen_language(fold(text).upper()) == tag


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    chosen_language(text)
