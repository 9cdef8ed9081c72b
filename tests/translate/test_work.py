"""What stands now and what may be done with it: every rule of the page, without a page."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source
from bot.translate.invites import Invite
from bot.translate.work import Audio, Head, Piece, Plan, Revision, Wanted, WorkRefused, chosen, counted, following, piece, plan

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
SOURCE = Source("utter_x", "Gọi 115", "help", "normal", "none", "help, answer")
AN = Invite(1, "rad", "H' An", "translator", NOW)
BIH = Invite(2, "rad", "Y Bih", "reviewer", NOW)


def revision(number: int, action: str, text: str, by: Invite = AN, status: str = "draft", **fields: str) -> Revision:
    given = {"source": SOURCE.text, "author": AN.name, "file_text": "", "note": "", **fields}
    return Revision(number, SOURCE.context, action, status, text, invite_id=by.id, name=by.name, at=NOW, **given)  # type: ignore[arg-type]


def head(*past: Revision) -> Head:
    known = {hash_of(one.text) for one in past} | {hash_of(one.file_text) for one in past}
    return Head(max(past, key=lambda one: one.number), frozenset(known))


def file(text: str, **fields: object) -> Translation:
    return replace(Translation(SOURCE.context, SOURCE.text).translated(text, by="File", date="2026-11-01"), **fields)  # type: ignore[arg-type]


def wants(action: str, text: str, base: int = 0, **fields: object) -> Wanted:
    given = {"source_hash": hash_of(SOURCE.text), **fields}
    return Wanted(action, text, base, **given)  # type: ignore[arg-type]


def steps(planned: Plan) -> list[tuple[str, str, str]]:
    return [(step.action, step.status, step.text) for step in planned.steps]


def why(*given: object) -> str:
    with pytest.raises(WorkRefused) as refused:
        plan(*given)  # type: ignore[arg-type]
    return refused.value.reason


# ---- what stands now


def test_without_revisions_the_file_counts() -> None:
    assert piece(SOURCE, None, None).state == "missing"
    now = piece(SOURCE, file("Iêu 115"), None)
    assert (now.state, now.text, now.author, now.number) == ("draft", "Iêu 115", "File", 0)
    read = file("Iêu 115", status="reviewed", records=(f"reviewed: Y Bih, 2026-11-02, {hash_of('Iêu 115')}",))
    assert piece(SOURCE, read, None).state == "done"
    assert piece(SOURCE, replace(read, records=()), None).state == "draft", "a word without its record is none"


def test_the_newest_revision_counts_unless_the_file_got_other_words_since() -> None:
    newest = head(revision(1, "save", "Iêu 115", file_text="cũ"))
    assert piece(SOURCE, file("cũ"), newest).text == "Iêu 115"
    assert piece(SOURCE, file("Iêu 115"), newest).text == "Iêu 115", "merged meanwhile"
    elsewhere = piece(SOURCE, file("mới, 115"), newest)
    assert (elsewhere.text, elsewhere.number) == ("mới, 115", 1)


def test_words_for_another_vietnamese_are_stale_with_the_old_one_beside() -> None:
    now = piece(SOURCE, None, head(revision(1, "done", "Iêu 114", status="done", source="Gọi 114")))
    assert (now.state, now.translated_from) == ("stale", "Gọi 114")
    assert piece(SOURCE, replace(file("Iêu"), source="Gọi 114"), None).translated_from == "Gọi 114", "the file is behind"
    fuzzy = replace(file("Iêu"), is_fuzzy=True)
    assert (piece(SOURCE, fuzzy, None).state, piece(SOURCE, fuzzy, None).translated_from) == ("stale", "")


def test_an_approval_in_the_file_counts_here_too() -> None:
    approved = file("Iêu 115", status="approved", records=(f"approved: Y Bih, 2026-11-02, {hash_of('Iêu 115')}",))
    assert piece(SOURCE, approved, head(revision(1, "done", "Iêu 115", status="done"))).state == "approved"
    assert piece(SOURCE, approved, head(revision(1, "return", "Iêu 115", BIH))).state == "draft"


# ---- what is done


def test_saving_makes_a_draft_and_saving_again_nothing() -> None:
    assert steps(plan(Piece(SOURCE), [], AN, wants("save", "Iêu 115"))) == [("save", "draft", "Iêu 115")]
    past = [revision(1, "save", "Iêu 115")]
    now = piece(SOURCE, None, head(*past))
    assert steps(plan(now, past, AN, wants("save", "Iêu 115", 1))) == []
    assert steps(plan(now, past, AN, wants("save", "Iêu 115", 0))) == [], "a double click"


def test_two_who_write_over_the_same_words_the_second_is_told() -> None:
    past = [revision(1, "save", "Iêu 115")]
    now = piece(SOURCE, None, head(*past))
    assert why(now, past, BIH, wants("save", "Pia 115", 0)) == "conflict"
    assert why(now, past, AN, wants("save", "Pia 115", 0)) == "conflict", "their own other window"
    assert why(now, past, BIH, wants("save", "Pia 115", 7)) == "conflict", "a number that nobody has had"
    assert steps(plan(now, past, BIH, wants("save", "Pia 115", 1))) == [("save", "draft", "Pia 115")]


def test_a_recording_of_somebody_else_does_not_stand_in_the_way() -> None:
    past = [revision(2, "audio", "Iêu 115", BIH), revision(1, "save", "Iêu 115")]
    assert steps(plan(piece(SOURCE, None, head(*past)), past, AN, wants("save", "Pia 115", 1))) == [("save", "draft", "Pia 115")]


def test_done_keeps_the_words_also_where_it_cannot_be_done() -> None:
    assert steps(plan(Piece(SOURCE), [], AN, wants("done", "Iêu 115")))[-1] == ("done", "done", "Iêu 115")
    left = plan(Piece(SOURCE), [], AN, wants("done", "Iêu", has_errors=True))
    assert (steps(left), left.left_out) == ([("save", "draft", "Iêu")], "done_has_errors")
    assert plan(Piece(SOURCE), [], AN, wants("done", "")).left_out == "done_empty"


def test_done_says_that_stale_words_still_hold() -> None:
    past = [revision(1, "done", "Iêu 115", status="done", source="Gọi 114")]
    assert steps(plan(piece(SOURCE, None, head(*past)), past, AN, wants("done", "Iêu 115", 1))) == [("done", "done", "Iêu 115")]


def test_a_draft_of_the_file_keeps_its_author_when_it_is_found_right() -> None:
    (step,) = plan(piece(SOURCE, file("Iêu 115"), None), [], AN, wants("done", "Iêu 115")).steps
    assert (step.action, step.author) == ("done", "File")


def test_the_vietnamese_that_changed_meanwhile_is_told() -> None:
    assert why(Piece(SOURCE), [], AN, wants("save", "Iêu", source_hash=hash_of("Gọi 114"))) == "source_changed"
    assert why(Piece(SOURCE), [], AN, wants("save", "x" * 20_001)) == "text_too_long"


def test_an_old_wording_comes_back_and_what_was_typed_is_kept_before() -> None:
    past = [revision(2, "save", "Pia 115"), revision(1, "save", "Iêu 115")]
    now = piece(SOURCE, None, head(*past))
    planned = plan(now, past, BIH, wants("restore", "đang gõ", 2, number=1))
    assert steps(planned) == [("save", "draft", "đang gõ"), ("restore", "draft", "Iêu 115")]
    assert planned.steps[1].author == AN.name
    assert why(now, past, BIH, wants("restore", "Pia 115", 2, number=9)) == "revision_unknown"


# ---- a second person


DONE = [revision(2, "done", "Iêu 115", status="done"), revision(1, "save", "Iêu 115")]


def judged(by: Invite, past: list[Revision] = DONE, action: str = "approve", text: str = "Iêu 115", **fields: object) -> str:
    now = replace(piece(SOURCE, None, head(*past)), **{name: fields.pop(name) for name in ("audio",) if name in fields})  # type: ignore[arg-type]
    try:
        (step,) = plan(now, past, by, wants(action, text, past[0].number, **fields)).steps
    except WorkRefused as refused:
        return refused.reason
    return step.status


def test_a_second_person_approves() -> None:
    assert judged(BIH) == "approved"


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (AN, "not_reviewer"),
        (replace(AN, role="reviewer"), "own_words"),
        (replace(AN, id=9, role="reviewer"), "own_words"),
        (replace(AN, id=9, name="h' AN", role="reviewer"), "own_words"),
        (replace(BIH, id=AN.id), "own_words"),
    ],
)
def test_nobody_approves_their_own_words_by_whatever_link(by: Invite, reason: str) -> None:
    assert judged(by) == reason


def test_nobody_approves_words_that_they_brought_back_or_called_done() -> None:
    for action in ("done", "restore", "audio"):
        past = [revision(3, "done", "Iêu 115", status="done"), revision(2, action, "Iêu 115", BIH), *DONE[1:]]
        assert judged(BIH, past) == "own_words", action
    returned = [revision(3, "done", "Iêu 115", status="done"), revision(2, "return", "Iêu 115", BIH), *DONE[1:]]
    assert judged(BIH, returned) == "approved", "who sent it back had no hand in it"


def test_what_stands_against_an_approval() -> None:
    assert judged(BIH, text="Iêu 115!") == "judged_changed"
    assert judged(BIH, has_audio=True) == "judged_changed"
    assert judged(BIH, has_errors=True) == "approve_has_errors"
    assert judged(BIH, DONE[1:]) == "not_done"
    heard = Audio(1, SOURCE.context, "ogg", 9, hash_of("other words"), "other words", "X", NOW)
    assert judged(BIH, audio=heard) == "approve_audio_old"
    assert judged(BIH, audio=replace(heard, text_hash=hash_of("Iêu 115"))) == "approved"
    assert judged(BIH, audio=replace(heard, text_hash=hash_of("Iêu 115"), name=BIH.name)) == "own_words"


def test_a_reviewer_sends_back_with_a_word() -> None:
    assert judged(BIH, action="return", note="sai tên") == "draft"
    assert judged(BIH, action="return", note="x" * 501) == "note_too_long"
    assert judged(BIH, DONE[1:], action="return") == "nothing_to_return"
    assert judged(AN, action="return") == "not_reviewer"


def test_a_new_recording_of_approved_words_asks_for_another_ear() -> None:
    past = [revision(3, "approve", "Iêu 115", BIH, status="approved"), *DONE]
    now = piece(SOURCE, None, head(*past))
    assert steps(plan(now, past, BIH, wants("audio", "Iêu 115", 3, has_audio=True))) == [("audio", "done", "Iêu 115")]
    assert why(Piece(SOURCE), [], AN, wants("audio", "", has_audio=True)) == "audio_without_text"


# ---- the list


def test_the_list_puts_first_where_a_mistake_hurts() -> None:
    risky = Source("utter_y", "Khó thở thì gọi 115", "help", "high", "none", "help, answer")
    found = [Piece(SOURCE), Piece(risky)]
    assert [one.source.context for one in chosen(found)] == ["utter_y", "utter_x"]
    assert [one.source.context for one in chosen(found, words="kho THO")] == ["utter_y"]
    assert chosen(found, "draft") == []
    assert counted(found)["missing"] == 2
    assert following(found, "utter_x") == found[1]
    assert following(found, "utter_y") is None
