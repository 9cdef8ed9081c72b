"""The test set that puts a letter around every question."""

from __future__ import annotations

from bot.brain.evaluate import surrounded

AROUND = {"openings": ["Chào bác sĩ."], "histories": ["Tôi 50 tuổi."], "closings": ["Xin cảm ơn.", "Mong tin."]}


def test_every_question_keeps_its_intent_and_its_words() -> None:
    tests = [("xét nghiệm ở đâu", "testing_where"), ("Giá bao nhiêu?", "testing_cost")]
    for written in surrounded(tests, AROUND).values():
        assert [intent for _, intent in written] == ["testing_where", "testing_cost"]
        assert all(text in longer and longer != text for (text, _), (longer, _) in zip(tests, written, strict=True))


def test_a_letter_has_everything_around_the_question() -> None:
    written = surrounded([("xét nghiệm ở đâu", "testing_where")], AROUND)
    assert written["letter"] == [("Chào bác sĩ. Tôi 50 tuổi. xét nghiệm ở đâu? Xin cảm ơn.", "testing_where")]
    assert written["both, commas"][0][0] == "Chào bác sĩ, xét nghiệm ở đâu Xin cảm ơn."
