"""Each guard over a translation, and that it can fail; what is right passes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.directory.languages import Languages
from bot.languages.interface import interface_words
from bot.languages.translation_lint import Problem, problems, sentence
from bot.settings import ROOT

LANGUAGES = Languages.load(ROOT)
WORDS = interface_words(ROOT, "translation")["problems"]
SOURCE = "Gọi 115 ngay, hoặc {hotline}. Theo 2447/QĐ-BYT ngày 29/10/2023 ở xã Ea Tu."
RIGHT = "Iêu 115 mtam, amâodah {hotline}. Tui si 2447/QĐ-BYT 29/10/2023 ti xã Ea Tu, ƀuôn hơ̆ng."


def found(text: str, source: str = SOURCE, context: str = "utter_x", tag: str = "rad") -> list[str]:
    return [problem.code for problem in problems(context, source, text, LANGUAGES[tag], LANGUAGES["vi"])]


def test_a_right_translation_has_no_problem() -> None:
    assert found(RIGHT) == []
    assert found("") == [], "what is missing is not wrong"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (RIGHT.replace("{hotline}", ""), "placeholder_missing"),
        (RIGHT.replace("{hotline}", "{hotline} {nơi}"), "placeholder_unknown"),
        (RIGHT.replace("{hotline}", "{hotlime}"), "placeholder_unknown"),
        (RIGHT.replace("{hotline}", "{hotline"), "braces_broken"),
        (RIGHT.replace("115", "114"), "number_unknown"),
        (RIGHT.replace("115", "một một năm"), "number_missing"),
        (RIGHT + " 0912 345 678", "number_unknown"),
        (RIGHT + " 1900.9095", "number_unknown"),
        (RIGHT.replace("2447/QĐ-BYT", "2474/QĐ-BYT"), "number_missing"),
        (RIGHT.replace("29/10/2023", "29/10/2022"), "other_number"),
        (unicodedata.normalize("NFD", RIGHT), "not_nfc"),
        (RIGHT.replace("ƀuôn", "ƀuôn Zƀf"), "letter_not_allowed"),
        (RIGHT.replace("hơ̆ng", "tơru\\m"), "legacy_font"),
        (RIGHT.replace("hơ̆ng", "[ă"), "legacy_font"),
        (RIGHT.replace("hơ̆ng", "tlǒ"), "look_alike"),
        (RIGHT + "\u200b", "invisible"),
        (RIGHT + " ung" * 700, "too_long"),
        (RIGHT + " ung" * 300, "long"),
        (SOURCE, "same_as_source"),
    ],
)
def test_each_guard_can_fail(text: str, code: str) -> None:
    assert code in found(text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Hu 115 tam sim, los yog {hotline}. 2447/QĐ-BYT 29/10/2023, xã Ea Tu.", "mww-Latn"),
        ("ទូរស័ព្ទ 115 ឬ {hotline}។ 2447/QĐ-BYT 29/10/2023 Ea Tu, Covid-19\u200bវ៉ាក់សាំង", "km"),
        ("Call 115 at once, or {hotline}. 2447/QĐ-BYT of 29/10/2023 in Ea Tu, Đắk Lắk's.", "en"),
        ("Jao n'gor 115, {hotline}. 2447/QĐ-BYT 29/10/2023 tâm M’nông, ê̆ ơ̆.", "cmo"),
    ],
)
def test_every_language_has_its_letters_and_loanwords(text: str, tag: str) -> None:
    assert found(text, tag=tag) == []


def test_khmer_letters_do_not_belong_into_latin_words_and_the_reverse() -> None:
    assert "letter_not_allowed" in found(RIGHT + " ភាសា")
    assert "letter_not_allowed" in found("ភាសា 115 {hotline} 2447/QĐ-BYT 29/10/2023 ƀuôn", tag="km")


def test_a_button_is_short() -> None:
    assert found("Anôk tlŏ mgang klei ruă", "Tiêm ở đâu", "utter_x/button/0") == ["long"]
    assert found("a " * 60, "Tiêm ở đâu", "utter_x/button/0") == ["too_long"]


def test_every_problem_has_words_and_they_name_what_is_wrong() -> None:
    for code in ("placeholder_missing", "number_unknown", "look_alike", "long"):
        assert code in WORDS
    told = sentence(Problem("placeholder_missing", values={"name": "{hotline}"}), WORDS)
    assert "{hotline}" in told
    look_alike = Problem("look_alike", values={"found": "ǒ", "expected": "ŏ"})
    assert "ǒ" in sentence(look_alike, WORDS)


@given(st.text(max_size=80), st.sampled_from(["rad", "km", "mww-Latn", "en"]))
def test_no_text_breaks_the_lint_and_every_problem_can_be_said(text: str, tag: str) -> None:
    for problem in problems("utter_x", SOURCE, text, LANGUAGES[tag], LANGUAGES["vi"]):
        assert sentence(problem, WORDS)
