"""A short question after an answer keeps its topic; a message with words of its own is left to the model."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.follow_ups import SAME, TABLE, Named, follow_ups
from bot.languages.normalise import fold
from bot.settings import ROOT

CASES = [
    ("giá bao nhiêu?", "testing_where", "testing_cost"),
    ("có mất tiền không vậy", "vaccine_where", "vaccine_cost"),
    ("ai trả tiền?", "home_treatment_f0", "treatment_cost"),
    ("ở đâu vậy ad", "testing_when", "testing_where"),
    ("đi đâu ạ?", "vaccine_eligibility", "vaccine_where"),
    ("khi nào?", "testing_where", "testing_when"),
    ("đăng ký thế nào?", "vaccine_where", "vaccine_registration"),
    ("bao lâu?", "quarantine_rules", "quarantine_rules"),
    ("bao lâu có kết quả", "testing_where", "testing_result"),
    ("số nào?", "testing_where", "hotline"),
    ("gọi ai vậy bạn", "home_treatment_f0", "hotline"),
    ("còn trẻ em thì sao?", "vaccine_eligibility", "vaccine_pregnancy_children"),
    ("thế còn bé nhà tôi", "symptoms", "symptoms"),
    ("còn bà bầu?", "vaccine_doses_schedule", "vaccine_pregnancy_children"),
    ("người già thì sao ạ", "vaccine_where", "vaccine_eligibility"),
    ("còn người có bệnh nền", "variants", "risk_groups"),
    ("có tác dụng phụ không?", "vaccine_types", "vaccine_side_effects"),
    ("cần giấy tờ gì?", "travel_rules", "travel_rules"),
    ("có bị phạt không vậy", "wear_mask", "penalties"),
    ("văn bản nào quy định?", "no_gathering", "official_documents"),
    ("còn tiêm thì sao", "testing_where", "vaccine_where"),
    ("thế còn xét nghiệm", "vaccine_cost", "testing_cost"),
    ("còn cả nước?", "case_figures", "case_figures"),
    ("tỉnh mình thì sao ạ", "vaccination_figures", "vaccination_figures"),
    ("so với tuần trước?", "case_figures", "case_figures"),
    ("còn tuần trước thì sao", "case_figures", "case_figures"),
    ("hôm qua?", "vaccination_figures", "vaccination_figures"),
    ("còn tử vong?", "case_figures", "case_figures"),
    ("thế còn số ca mắc", "vaccination_figures", "case_figures"),
    ("có biểu đồ không", "case_figures", "case_figures"),
]


@pytest.mark.parametrize("spelling", [str, fold, str.upper], ids=["marked", "bare", "capitals"])
@pytest.mark.parametrize(("text", "earlier", "meant"), CASES)
def test_a_short_question_keeps_the_topic(text: str, earlier: str, meant: str, spelling: object) -> None:
    assert follow_ups().meant(spelling(text), earlier) == meant  # type: ignore[operator]


@pytest.mark.parametrize(("text", "span"), [("còn ở Buôn Hồ thì sao?", (6, 13)), ("Buôn Hồ", (0, 7)), ("tại Buôn Hồ ạ", (4, 11))])
def test_a_message_that_only_names_a_place_asks_about_it(text: str, span: tuple[int, int]) -> None:
    place = Named(*span, "place")
    assert follow_ups().meant(text, "testing_where", [place]) == "testing_where"
    assert follow_ups().meant(text, "rumor_check", [place]) is None


@pytest.mark.parametrize("text", ["Thanh Hóa tuần này", "còn Thanh Hóa tuần trước thì sao", "Thanh Hóa so với tuần trước?"])
def test_a_place_and_a_short_question_ask_it_of_the_place(text: str) -> None:
    start = text.index("Thanh Hóa")
    place = Named(start, start + len("Thanh Hóa"), "place")
    assert follow_ups().meant(text, "case_figures", [place]) == "case_figures"
    assert follow_ups().meant(text, "testing_where", [place]) is None
    assert follow_ups().meant(f"{text} và bão", "case_figures", [place]) is None


def test_a_message_that_only_names_an_illness_asks_about_it() -> None:
    text = "còn mẹ tôi bị gout thì sao ạ?"
    entities = [{"entity": "condition", "value": "gout", "start": 14, "end": 18}, {"entity": "date", "start": 0, "end": 3}]
    assert follow_ups().meant(text, "vaccine_where", Named.among(entities)) == "vaccine_eligibility"
    assert follow_ups().meant("mẹ tôi bị gout uống thuốc gì", "vaccine_where", [Named(10, 14, "ill")]) is None


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("giá vàng bao nhiêu?", "testing_where"),
        ("con tôi sốt cao quá phải làm sao", "vaccine_eligibility"),
        ("tôi muốn hỏi chuyện khác, xét nghiệm giá bao nhiêu", "vaccine_where"),
        ("giá bao nhiêu?", "rumor_check"),
        ("", "testing_where"),
        ("thì sao", "testing_where"),
    ],
)
def test_other_messages_are_left_to_the_model(text: str, earlier: str) -> None:
    assert follow_ups().meant(text, earlier) is None


def test_the_table_speaks_of_existing_intents_and_aspects() -> None:
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    intents = set(yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["intents"])
    assert set(table["phrases"]["vi"]) | {"place"} == set(table["meanings"])
    for meanings in table["meanings"].values():
        assert set(meanings) - {SAME} <= intents
        for patterns in meanings.values():
            assert all(any(fnmatchcase(intent, pattern) for intent in intents) for pattern in patterns)


def test_no_phrase_stands_for_two_aspects() -> None:
    phrases = [p for aspect in yaml.safe_load(TABLE.read_text(encoding="utf-8"))["phrases"]["vi"].values() for p in aspect]
    assert len(phrases) == len(set(phrases))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    follow_ups().meant(text, "testing_where", [Named(0, len(text), "place")])
