"""Approved answers are found by words, and seen in both languages before they are sent."""

from __future__ import annotations

import dataclasses
import datetime
import re

import pytest

from bot.desk.answers import Answers
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.spoken import Spoken
from bot.messages import Outgoing
from bot.settings import ROOT

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
ANSWERS = Answers(CATALOGUE)


def topics(words: str) -> list[str]:
    return [hit.topic for hit in ANSWERS.search(words)]


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("tiêm ở đâu", "vaccine_where"),
        ("tiem o dau", "vaccine_where"),
        ("TIÊM  Ở ĐÂU??", "vaccine_where"),
        ("xet nghiem het bao nhieu tien", "testing_cost"),
        ("hom nay bao nhieu ca", "case_figures"),
        ("goi so nao", "hotline"),
        ("ba bau tiem duoc khong", "vaccine_pregnancy_children"),
        ("mắc covid cách ly mấy ngày", "home_treatment_f0"),
        ("molnupiravir", "treatment_drugs"),  # only in the text
        ("khẩu tr", "wear_mask"),  # still typing
    ],
)
def test_a_topic_is_found_by_title_keywords_and_text_with_and_without_accents(words: str, topic: str) -> None:
    assert topics(words)[0] == topic


def test_what_only_an_answer_for_children_says_is_found() -> None:
    assert "rút lõm ngực" not in CATALOGUE.entries["utter_symptoms"].text
    assert "symptoms" in topics("rút lõm ngực")


@pytest.mark.parametrize("words", ["", "   ", "?!.", "qwxz", "\x00", "\ud800", "🙂"])
def test_nothing_is_found_for_no_words_of_ours(words: str) -> None:
    assert topics(words) == []


def test_a_finished_word_is_not_the_beginning_of_another() -> None:
    assert "wear_mask" in topics("khâ")
    assert "wear_mask" not in topics("khâ ")


def test_a_hit_tells_its_source_and_when_it_was_read_and_the_line_that_matters() -> None:
    hit = ANSWERS.search("sàng lọc trước khi tiêm")[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", hit.reviewed)
    assert hit.source
    assert 0 < len(hit.snippet) <= 141
    assert {hit.key for hit in ANSWERS.search("tiêm vắc xin", limit=3)} <= set(CATALOGUE.entries)
    assert len(ANSWERS.search("tiêm vắc xin", limit=3)) == 3


def test_small_talk_is_found_by_its_name_only() -> None:
    assert topics("xin chào")[0] == "greet"
    assert "greet" not in topics("máy trả lời tự động")


def test_every_topic_can_be_found_by_its_own_title() -> None:
    missed = {name for name, intent in CATALOGUE.intents.items() if name not in topics(intent.title)}
    assert missed == set()


def test_a_withdrawn_answer_is_not_found_and_its_preview_says_so() -> None:
    late = Answers(dataclasses.replace(CATALOGUE, today=lambda: datetime.date(2040, 1, 1)))
    assert late.search("tiêm ở đâu") == []
    preview = late.preview("utter_vaccine_where")
    assert preview is not None
    assert preview.is_withdrawn
    assert not ANSWERS.preview("utter_vaccine_where").is_withdrawn  # type: ignore[union-attr]


def test_long_questions_are_searched_quickly() -> None:
    assert ANSWERS.search("tiêm ở đâu " * 2_000)


# ---- seen before it is sent


def test_in_vietnamese_there_is_one_text() -> None:
    preview = ANSWERS.preview("utter_testing_where")
    assert preview is not None
    assert (preview.own, preview.own_words, preview.is_draft, preview.sent) == (None, "", False, preview.vi)


def test_a_draft_is_seen_alone_and_sent_with_the_vietnamese_text() -> None:
    preview = ANSWERS.preview("utter_testing_where", "rad")
    assert preview is not None
    assert preview.own is not None
    assert preview.is_draft
    assert preview.vi.text in preview.sent.text
    assert preview.vi.text not in preview.own_words
    assert CATALOGUE.fragments["draft_notice"].strip() not in preview.own_words
    assert preview.sent.text.startswith(preview.own_words)


def test_what_a_native_speaker_approved_is_no_draft() -> None:
    key = "utter_testing_where"
    source = CATALOGUE.entries[key].text
    approved = po.Translation(key, source, "Words of a speaker {hotline} {province}", "approved", source_hash=po.hash_of(source))
    approved = dataclasses.replace(approved, records=(f"approved: a speaker, 2026-11-22, {approved.revision}",))
    catalogue = dataclasses.replace(CATALOGUE, spoken={"rad": Spoken({key: approved})})
    preview = Answers(catalogue).preview(key, "rad")
    assert preview is not None
    assert preview.own is not None
    assert not preview.is_draft
    assert preview.own_words == preview.own.text
    assert preview.own_words.startswith("Words of a speaker")


def test_a_draft_of_a_high_risk_answer_is_never_read_aloud() -> None:
    preview = ANSWERS.preview("utter_emergency", "rad")
    assert preview is not None
    assert (preview.risk, preview.own, preview.own_words) == ("high", None, "")


def test_what_the_bot_fills_in_is_marked_and_shown_for_everybody() -> None:
    live, plain = ANSWERS.preview("utter_case_figures", "en"), ANSWERS.preview("utter_testing_cost")
    assert live is not None
    assert plain is not None
    assert (live.is_live, plain.is_live) == (True, False)
    assert live.vi.key == "utter_case_figures_unavailable"
    assert live.topic == "case_figures"
    assert "{" not in live.vi.text


@pytest.mark.parametrize("key", ["", "utter_", "utter_nothing", "utter_welcome", "greet", "utter_greet\x00"])
def test_what_is_no_answer_has_no_preview(key: str) -> None:
    assert ANSWERS.preview(key) is None


def test_every_answer_can_be_seen_in_every_language() -> None:
    for topic in CATALOGUE.intents:
        for language in ("vi", "rad", "km", "no-such"):
            assert ANSWERS.preview(f"utter_{topic}", language) is not None


def test_a_variant_belongs_to_the_longest_topic() -> None:
    assert ANSWERS.topic_of("utter_testing_where_place") == "testing_where"
    assert ANSWERS.topic_of("utter_vaccine_where") == "vaccine_where"
    assert ANSWERS.topic_of("utter_apology") is None


def test_replies_of_the_bot_are_put_side_by_side() -> None:
    vi = Outgoing("Có 5 ca.", key="utter_case_figures_place", figures=(7,))
    own = Outgoing(
        f"5 cases.\n\n{CATALOGUE.fragments['draft_notice'].strip()}\n\nCó 5 ca.", key=vi.key, language="en", figures=(7,)
    )
    preview = ANSWERS.shown("case_figures", vi, own)
    assert (preview.own_words, preview.is_draft, preview.sent.figures) == ("5 cases.", True, (7,))
