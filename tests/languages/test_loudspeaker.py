"""What is read over loudspeakers: twice, with source and date, a draft called a draft, and nothing that may not be said."""

from __future__ import annotations

import dataclasses
import datetime
import re

import pytest

from bot.languages.interface import interface_words
from bot.languages.loudspeaker import ScriptRefused, script
from bot.languages.numbers_in_words import NumberWords
from bot.settings import ROOT
from tests.languages.test_catalogue_languages import VIETNAMESE, approved, draft, speaking

WORDS, NUMBERS = interface_words(ROOT, "loudspeaker"), NumberWords.load(ROOT)
KEY, HIGH = "utter_wear_mask", "utter_emergency"


def of(key: str, tag: str = "vi", catalogue: object = None) -> str:
    return script(catalogue or speaking(), key, tag, WORDS, NUMBERS)  # type: ignore[arg-type]


def readings(text: str) -> list[str]:
    parts = re.split(r"--- .* ---\n", text)
    return [part.strip() for part in parts[1:3]]


def test_vietnamese_is_read_twice_without_a_digit_and_ends_with_its_source() -> None:
    first, second = readings(of(KEY))
    assert first == second
    assert not re.search(r"\d", first)
    assert first.splitlines()[-1] == NUMBERS.spelled_out(VIETNAMESE.source_line(VIETNAMESE.answer(KEY).source.as_dict()))  # type: ignore[union-attr]
    assert "một chín không không" in first, "the number of the province is filled in"


def test_another_language_keeps_its_digits_and_says_so() -> None:
    text = of(KEY, "rad", speaking(approved(KEY, "Iêu {hotline} 1/7")))
    first, _ = readings(text)
    assert first.startswith("Iêu 19009095")
    assert "1/7" in first
    assert WORDS["digits_kept"].format(language="tiếng Ê Đê") in text
    assert VIETNAMESE.answer(KEY).text in text, "for whoever reads, to compare"
    head = text.partition("---")[0]
    assert "- 19009095: một chín không không chín không chín năm\n" in head, "and how Vietnamese says them"
    assert "- 1/7: một trên bảy\n" in head


def test_the_title_is_that_of_the_question() -> None:
    assert of("utter_hotline_static").partition("\n")[0] == WORDS["title"].format(title=VIETNAMESE.title("hotline"))


def test_a_draft_is_called_a_draft() -> None:
    notice = WORDS["draft"].format(language="tiếng Ê Đê")
    assert notice in of(KEY, "rad", speaking(draft(KEY, "Iêu {hotline}")))
    assert notice not in of(KEY, "rad", speaking(approved(KEY, "Iêu {hotline}")))
    assert notice not in of(KEY)


@pytest.mark.parametrize(
    ("key", "tag"), [("utter_nothing", "vi"), (KEY, "xx"), (KEY, "rad"), ("utter_case_figures", "vi"), (HIGH, "rad")]
)
def test_what_may_not_be_said_to_all_is_refused(key: str, tag: str) -> None:
    with pytest.raises(ScriptRefused, match=key if tag != "xx" else tag):
        of(key, tag, speaking(draft(HIGH, "Iêu 115")))


def test_an_approved_warning_is_read() -> None:
    assert "Iêu 115" in of(HIGH, "rad", speaking(approved(HIGH, "Iêu 115")))


def test_what_is_past_its_day_is_not_read() -> None:
    later = dataclasses.replace(speaking(), today=lambda: datetime.date(2036, 1, 1))
    with pytest.raises(ScriptRefused, match="withdrawn"):
        of(KEY, "vi", later)
