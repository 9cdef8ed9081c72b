"""Two questions in one message are two; a long story with one question is one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.normalise import fold
from bot.languages.questions import questions


@pytest.mark.parametrize("spelling", [str, fold], ids=["marked", "bare"])
@pytest.mark.parametrize(
    "text",
    [
        "Test ở đâu? Giá bao nhiêu?",
        "Test ở đâu, với lại giá bao nhiêu",
        "1. Cách ly mấy ngày\n2. Được ra ngoài không",
        "Tôi bị tiểu đường có tiêm được không và tiêm ở đâu?",
        "xét nghiệm ở đâu còn tiêm thì ở chỗ nào",
    ],
)
def test_two_questions(text: str, spelling: object) -> None:
    assert len(questions(spelling(text))) == 2  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "Mẹ tôi 60 tuổi và bố tôi 65 tuổi có nên tiêm không",
        "Em không đeo khẩu trang, không ra khỏi nhà, vậy có bị phạt không",
        "Tôi bị hen. Tôi uống thuốc mỗi ngày. Tôi tiêm được không?",
    ],
)
def test_one_question(text: str) -> None:
    assert len(questions(text)) == 1


def test_the_story_goes_with_the_question_after_it() -> None:
    assert questions("Tôi bị hen. Tôi tiêm được không? Tiêm ở đâu?") == ["tôi bị hen tôi tiêm được không", "tiêm ở đâu"]


def test_a_courtesy_asks_nothing() -> None:
    assert questions("Chào bác sĩ, em xin cảm ơn ạ!") == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_no_text_makes_it_fail(text: str) -> None:
    questions(text)
