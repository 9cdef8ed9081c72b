from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.learn.turns import KEPT_LETTERS, FinishedTurn, kept_text, language_of, question_of, reason_of, searchable

NOW = datetime.datetime(2026, 11, 22, 18, 30, tzinfo=datetime.UTC)


def turn(**fields: Any) -> FinishedTurn:
    understood = {"intent": "nlu_fallback", "confidence": 0.4, **fields.pop("understood", {})}
    values: dict[str, Any] = {
        "id": 1,
        "conversation_id": 1,
        "finished_at": NOW,
        "text": "vé xe buýt bao nhiêu",
        "language": "vi",
        "outcome": "answered",
        "is_typed": True,
        "handed_over": False,
        **fields,
    }
    return FinishedTurn(understood=understood, **values)


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("not_understood", {}),
        ("handed_over", {"handed_over": True}),
        ("refused", {"understood": {"intent": "out_of_scope", "confidence": 0.99}}),
        ("refused", {"understood": {"intent": "other_medical", "confidence": 0.99}}),
        ("unsure", {"understood": {"intent": "testing_where", "confidence": 0.65}}),
        (None, {"understood": {"intent": "testing_where", "confidence": 0.95}}),
        (None, {"understood": {"intent": "testing_where", "confidence": None}}),
        (None, {"understood": {"intent": "greet", "confidence": 0.3}}),
        (None, {"understood": {"intent": "emergency", "confidence": 0.3}}),
        (None, {"understood": {"intent": None}}),
        (None, {"outcome": "human"}),
        (None, {"is_typed": False}),
    ],
)
def test_why_a_turn_teaches_something(reason: str | None, fields: dict[str, Any]) -> None:
    assert reason_of(turn(**fields)) == reason


def test_the_day_is_that_of_viet_nam() -> None:
    question = question_of(turn(), "refused")
    assert question
    assert question.day == datetime.date(2026, 11, 23)


def test_the_language_is_the_messages_before_the_conversations() -> None:
    heard = {
        "entities": [{"entity": "place", "value": "x"}, {"entity": "language", "value": "km"}],
        "conversation_language": "en",
    }
    assert language_of(turn(understood=heard)) == "km"
    assert language_of(turn(understood={"conversation_language": "en"})) == "en"
    assert language_of(turn()) == "vi"


@given(
    st.text(max_size=200),
    st.dictionaries(st.sampled_from(["ranking", "entities", "confidence"]), st.none() | st.text() | st.lists(st.integers())),
)
def test_any_turn_is_read_without_an_error(text: str, understood: dict[str, Any]) -> None:
    question = question_of(turn(text=text, understood=understood), "unsure")
    assert question is None or 0 < len(question.text) <= KEPT_LETTERS


def test_what_is_only_marks_is_nothing() -> None:
    assert kept_text("0905123678") == ""
    assert kept_text("😀 ?") == ""
    assert kept_text("a\n\nvé xe\x00 buýt") == "a vé xe buýt"


def test_searching_needs_no_marks_but_khmer_keeps_its_own() -> None:
    assert searchable("Vé xe BUÝT đâu") == "ve xe buyt dau"
    assert searchable("ខ្ញុំ") == "ខ្ញុំ"
