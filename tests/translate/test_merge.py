"""Taking the page's work into a file: whose word counts, and what stays out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation, placeholders
from bot.languages.translation import Source, sources
from bot.translate.heard import can_be_recorded, words_to_say
from bot.translate.letters import keys
from bot.translate.merge import Merged, merged
from bot.translate.preview import Run, filled, preview, samples
from bot.translate.work import Head, Piece
from tests.translate.conftest import KEY, RIGHT, WORDS
from tests.translate.test_work import BIH, head, revision


@pytest.fixture
def source(catalogue: Catalogue) -> Source:
    return next(one for one in sources(catalogue) if one.context == KEY)


def merge(catalogue: Catalogue, newest: Head, known: dict[str, Translation] | None = None) -> tuple[Translation, Merged]:
    pair = (catalogue.languages["rad"], catalogue.languages["vi"])
    after, (told,) = merged(sources(catalogue), known or {}, {newest.revision.context: newest}, pair)
    return next(one for one in after if one.context == KEY), told


def of(source: Source, status: str, text: str = RIGHT, **fields: object) -> Head:
    made = revision(1, "approve" if status == "approved" else "done", text, BIH, status, source=source.text)
    return head(replace(made, **{"context": source.context, **fields}))  # type: ignore[arg-type]


def test_the_word_of_a_named_reviewer_counts(catalogue: Catalogue, source: Source) -> None:
    for status, state in (("approved", "approved"), ("done", "reviewed")):
        after, told = merge(catalogue, of(source, status))
        assert (after.state, after.by, told.outcome) == (state, "H' An", state)


def test_nobody_approves_their_own_words_in_the_file_either(catalogue: Catalogue, source: Source) -> None:
    after, told = merge(catalogue, of(source, "approved", author="Y BIH"))
    assert (after.state, told.outcome) == ("draft", "draft")


def test_faulty_words_stay_out(catalogue: Catalogue, source: Source) -> None:
    after, told = merge(catalogue, of(source, "approved", text="Hơ̆k mơak, 114."))
    assert (after.text, told.outcome) == ("", "faulty")
    assert "number_missing" in told.why


def test_a_text_that_is_gone_is_told(catalogue: Catalogue, source: Source) -> None:
    newest = of(source, "approved", context="utter_gone")
    assert merge(catalogue, newest)[1].outcome == "gone"


def test_who_wrote_a_draft_that_was_found_right_stays_its_author(catalogue: Catalogue, source: Source) -> None:
    draft = Translation(KEY, source.text).translated(RIGHT, by="H' Nghĩ", date="2026-11-01")
    after, _ = merge(catalogue, of(source, "approved", author="H' Nghĩ", file_text=RIGHT), {KEY: draft})
    assert (after.by, after.date, after.state) == ("H' Nghĩ", "2026-11-01", "approved")


# ---- what is shown beside


def test_a_bubble_shows_examples_and_the_buttons_as_they_are_now(catalogue: Catalogue) -> None:
    examples = samples(catalogue, WORDS["samples"])
    entry = catalogue.entries["utter_deny"]
    shown = preview(catalogue, {}, "utter_deny", "Iêu {hotline}", examples)
    assert [run.is_example for run in shown.runs] == [False, True]
    assert [button.title for button in shown.buttons] == [button.title for button in entry.buttons]
    title = next(one for one in sources(catalogue) if one.context == "utter_deny/button/0")
    there = {title.context: Piece(title, text="Mơak", translated_from=title.text)}
    assert preview(catalogue, there, "utter_deny", "", examples).buttons[0].title == "Mơak"
    typed = preview(catalogue, {}, title.context, "Đang gõ", examples)
    assert (typed.buttons[0].title, typed.buttons[0].is_this) == ("Đang gõ", True)
    assert preview(catalogue, {}, "hours_unknown", "x", examples).is_part


def test_every_placeholder_of_an_answer_has_an_example(catalogue: Catalogue) -> None:
    examples = samples(catalogue, WORDS["samples"])
    named = {name for entry in catalogue.entries.values() for name, _, _ in placeholders(entry.text) or ()}
    assert "hotline" in named
    assert named - set(examples) == set()
    assert filled("a {unheard_of} b", examples)[1] == Run("unheard_of", is_example=True), "a new one shows its name"


def test_only_what_stays_the_same_is_recorded(catalogue: Catalogue) -> None:
    assert can_be_recorded(catalogue, KEY)
    assert can_be_recorded(catalogue, "utter_deny"), "the number of the hotline is heard"
    assert not can_be_recorded(catalogue, "utter_case_figures"), "figures change"
    assert not can_be_recorded(catalogue, f"{KEY}/button/0")
    assert words_to_say(catalogue, {}, "rad", KEY, RIGHT) == RIGHT
    assert words_to_say(catalogue, {}, "rad", KEY, "{unknown}") == ""
    risky = next(entry.key for entry in catalogue.entries.values() if entry.risk == "high" and "{" not in entry.text)
    assert words_to_say(catalogue, {}, "rad", risky, RIGHT) == RIGHT


def test_letters_that_a_phone_lacks_come_first(catalogue: Catalogue) -> None:
    vietnamese = catalogue.languages["vi"]
    rad = keys(catalogue.languages["rad"], vietnamese)
    assert {"ƀ", "č", "ĕ", "ê̆", "ơ̆"} <= set(rad[: rad.index("ă")])
    assert keys(catalogue.languages["km"], vietnamese) == keys(catalogue.languages["en"], vietnamese) == []
