"""A writing that one language has, tells that language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.normalise import fold, is_khmer, normalise, words
from bot.languages.scripts import script_language, without_zero_width


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("តើខ្ញុំអាចចាក់វ៉ាក់សាំងនៅឯណា", "km"),
        ("ចាក់ vaccine Covid-19 នៅឯណា", "km"),
        ("ຂ້ອຍເປັນໄຂ້", "lo"),
        ("ฉันมีไข้", "th"),
        ("ꪼꪕ ꪎꪱꪫ", "blt-Tavt"),
        ("ꨌꩌꨛꨩ", "cjm-Cham"),
        ("xét nghiệm ở đâu", None),
        ("ក vaccine", None),
        ("tlŏ mgang vaccine ở đâu", None),
        ("🙂 123", None),
        ("", None),
    ],
)
def test_the_script_tells_the_language(text: str, tag: str | None) -> None:
    assert script_language(text) == tag


def test_characters_that_nobody_sees_are_taken_away() -> None:
    assert without_zero_width("ជ្រើសរើស\u200bភាសា\ufeff") == "ជ្រើសរើសភាសា"
    assert without_zero_width("ơ̆ ê̆") == "ơ̆ ê̆"


def test_khmer_is_cut_into_clusters_and_nothing_else_is() -> None:
    assert words("តើខ្ញុំ covid") == ["តើ", "ខ្ញុំ", "covid"]
    assert [is_khmer(word) for word in words("តើ vaccine")] == [True, False]
    assert words(normalise("ñu hơ̆ng ƀuôn M'nông")) == ["ñu", "hơ̆ng", "ƀuôn", "m", "nông"]
    assert fold("Ƀuôn hơ̆ng ñu") == "Buon hong nu"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_no_text_makes_it_fail(text: str) -> None:
    script_language(text)
    assert without_zero_width(without_zero_width(text)) == without_zero_width(text)
    assert "".join(words(text)) in "".join(c for c in text if not c.isspace()) or words(text)
