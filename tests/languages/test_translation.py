"""Bringing translations up to date loses none of them; counting and approving tell the truth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation
from bot.languages.translation import (
    ReviewRefused,
    Source,
    contexts_of,
    coverage,
    extracted,
    reviewed,
    sources,
    state_beside,
    total,
)
from bot.settings import ROOT


def source(context: str, text: str, topic: str = "talk") -> Source:
    return Source(context, text, topic, "normal", "none", f"{topic}, answer")


def translated(context: str, of: str, text: str) -> Translation:
    return Translation(context, of, notes=source(context, of).notes).translated(text, by="A", date="2026-11-23")


def known(*translations: Translation) -> dict[str, Translation]:
    return {t.context: t for t in translations}


def test_what_did_not_change_stays() -> None:
    before = translated("utter_greet", "Chào", "Lợi")
    assert extracted([source("utter_greet", "Chào")], known(before)) == [before]


def test_a_changed_text_is_withheld_and_kept_with_what_was_translated() -> None:
    before = translated("utter_greet", "Chào", "Lợi")
    (after,) = extracted([source("utter_greet", "Chào bạn")], known(before))
    assert (after.text, after.source, after.previous, after.is_fuzzy, after.state) == ("Lợi", "Chào bạn", "Chào", True, "stale")
    (again,) = extracted([source("utter_greet", "Chào bạn nhé")], known(after))
    assert again.previous == "Chào", "what was translated, not what stood there in between"
    (back,) = extracted([source("utter_greet", "Chào")], known(again))
    assert back == before


def test_it_is_withheld_before_anybody_extracts() -> None:
    assert state_beside(source("utter_greet", "Chào bạn"), known(translated("utter_greet", "Chào", "Lợi"))) == "stale"


def test_a_text_that_is_gone_waits_and_comes_back() -> None:
    before = translated("utter_greet", "Chào", "Lợi")
    (gone,) = extracted([], known(before))
    assert gone == replace(before, is_obsolete=True)
    (back,) = extracted([source("utter_greet", "Chào")], {"#~ utter_greet 0": gone})
    assert back == before


def test_a_button_takes_its_title_along() -> None:
    first, second = translated("k/button/0", "Số", "Mrô"), translated("k/button/1", "Ở đâu", "Ti pă")
    wanted = [source("k/button/0", "Giá"), source("k/button/1", "Số"), source("k/button/2", "Ở đâu")]
    after = {t.context: t for t in extracted(wanted, known(first, second))}
    assert [(after[f"k/button/{n}"].text, after[f"k/button/{n}"].state) for n in range(3)] == [
        ("", "missing"),
        ("Mrô", "draft"),
        ("Ti pă", "draft"),
    ]


WORDS = st.sampled_from(["Chào", "Số", "Giá", "Ở đâu"])
CONTEXTS = st.sampled_from(["a", "b", "a/button/0", "a/button/1", "a/button/2"])
VERSIONS = st.lists(st.dictionaries(CONTEXTS, WORDS, max_size=5), min_size=1, max_size=5)


@given(st.dictionaries(CONTEXTS, WORDS, min_size=1), VERSIONS)
def test_no_translation_is_ever_lost(first: dict[str, str], versions: list[dict[str, str]]) -> None:
    now = [translated(context, text, f"T{n}") for n, (context, text) in enumerate(first.items())]
    for version in versions:
        by_key = {f"#~ {t.context} {n}" if t.is_obsolete else t.context: t for n, t in enumerate(now)}
        now = extracted([source(context, text) for context, text in version.items()], by_key)
        assert {f"T{n}" for n in range(len(first))} <= {t.text for t in now}
        for t in now:
            if t.state == "draft":
                assert (t.text, t.source) in {(f"T{n}", text) for n, text in enumerate(first.values())}, "beside its own words"


def test_the_catalogue_is_extracted_whole() -> None:
    catalogue = Catalogue.load(ROOT, "dak-lak")
    found = {s.context: s for s in sources(catalogue)}
    assert len(found) == len(sources(catalogue)), "a context stands once"
    assert set(catalogue.entries) | set(catalogue.fragments) <= set(found)
    assert found["utter_greet/button/0"].text == catalogue.entries["utter_greet"].buttons[0].title  # type: ignore[union-attr]
    assert found["utter_emergency"].risk == "high"
    assert "risk: high" in found["utter_emergency"].notes


def test_coverage_counts_by_topic() -> None:
    wanted = [source("a", "Chào"), source("b", "Số", "help"), source("c", "Giá", "help")]
    parts = coverage(wanted, known(translated("a", "Chào", "Lợi"), translated("b", "cũ", "x")))
    assert [(p.topic, p.counts["draft"], p.counts["stale"], p.counts["missing"]) for p in parts] == [
        ("talk", 1, 0, 0),
        ("help", 0, 1, 1),
    ]
    assert total(parts).total == 3


def test_who_approved_which_wording_when_is_kept() -> None:
    draft = translated("a", "Chào", "Lợi")
    read = reviewed(draft, "reviewed", by="Y Bih", on="2026-11-23")
    approved = reviewed(read, "approved", by="Y Bih", on="2026-11-24")
    assert (read.state, approved.state) == ("reviewed", "approved")
    assert approved.records == (
        f"reviewed: Y Bih, 2026-11-23, {draft.revision}",
        f"approved: Y Bih, 2026-11-24, {draft.revision}",
    )
    rejected = reviewed(approved, "draft", by="Y Bih", on="2026-11-25")
    assert (rejected.state, rejected.records[-1]) == ("draft", f"rejected: Y Bih, 2026-11-25, {draft.revision}")
    assert approved.translated("Lợi ih", by="B", date="2026-11-26").state == "draft"


@pytest.mark.parametrize(
    ("translation", "by", "said"),
    [
        (translated("a", "Chào", "Lợi"), "a", "another person"),
        (Translation("a", "Chào"), "B", "missing"),
        (replace(translated("a", "Chào", "Lợi"), is_fuzzy=True), "B", "stale"),
        (translated("a", "Chào", "Lợi"), " ", "name"),
    ],
)
def test_what_cannot_be_approved(translation: Translation, by: str, said: str) -> None:
    with pytest.raises(ReviewRefused, match=said):
        reviewed(translation, "approved", by=by, on="2026-11-23")


def test_a_key_stands_for_its_text_and_its_buttons() -> None:
    texts = known(translated("a", "Chào", "x"), translated("a/button/0", "Số", "y"), translated("b", "Giá", "z"))
    assert list(contexts_of(["a"], texts)) == ["a", "a/button/0"]
    assert list(contexts_of(["a/button/0"], texts)) == ["a/button/0"]
    with pytest.raises(ReviewRefused, match="no such text"):
        list(contexts_of(["c"], texts))
