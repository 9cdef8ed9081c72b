from __future__ import annotations

import pytest

from actions import rules
from actions.asked import documents
from actions.rules import AT_MOST, SUBJECT_WORDS, USUAL_SUBJECT, ActionOfficialDocuments


async def test_documents_that_everybody_follows_come_newest_first(run):
    key, values = await run(ActionOfficialDocuments(), "cho tôi xem văn bản quy định")
    chosen = [documents()[id_] for id_ in values["documents"]]
    assert key == "utter_official_documents"
    assert 0 < len(chosen) <= AT_MOST
    assert all(USUAL_SUBJECT in document.topics for document in chosen)
    assert [d.date for d in chosen] == sorted((d.date for d in chosen), reverse=True)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("văn bản nào về tiêm vắc xin", "vaccination"),
        ("van ban nao ve vaccine?", "vaccination"),
        ("quy định xử phạt tin giả", "rumours"),
    ],
)
async def test_a_named_subject_has_its_own_documents(run, text, subject):
    _, values = await run(ActionOfficialDocuments(), text)
    assert values["documents"] == [d.id for d in documents().in_force("dak-lak") if subject in d.topics][:AT_MOST]


async def test_only_documents_in_force_are_named(run):
    assert any(document.status != "in_force" for document in documents().all()), "all are in force: this test cannot fail"
    for text in ("", *(phrase for phrases in SUBJECT_WORDS.values() for phrase in phrases)):
        _, values = await run(ActionOfficialDocuments(), text)
        assert values["documents"]
        assert {documents()[id_].status for id_ in values["documents"]} == {"in_force"}


async def test_a_subject_without_a_document_in_force_falls_back_to_the_usual_ones(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SUBJECT_WORDS, "no-such-topic", ("van ban la",))
    usual = await run(ActionOfficialDocuments(), "văn bản")
    assert await run(ActionOfficialDocuments(), "văn bản lạ") == usual
    # What stands about testing was never read in the original or has ended.
    assert await run(ActionOfficialDocuments(), "thông tư về xét nghiệm covid") == usual


async def test_of_many_documents_only_the_newest_are_named(run, monkeypatch: pytest.MonkeyPatch):
    _, values = await run(ActionOfficialDocuments())
    monkeypatch.setattr(rules, "AT_MOST", 2)
    assert (await run(ActionOfficialDocuments()))[1]["documents"] == values["documents"][:2] != values["documents"]


async def test_a_button_without_text_is_answered(run):
    assert (await run(ActionOfficialDocuments(), None))[1]["documents"]
