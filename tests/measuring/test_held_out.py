"""The questions that understanding is measured with: read from every form of file, and written around without changing them."""

from __future__ import annotations

from pathlib import Path

from bot.measuring.held_out import HeldOut, Question, examples, labelled, spellings, surrounded, training_examples

AROUND = {"openings": ["Chào bác sĩ."], "histories": ["Tôi 50 tuổi."], "closings": ["Xin cảm ơn.", "Mong tin."]}


def test_every_question_keeps_its_intent_and_its_words() -> None:
    questions = [Question("xét nghiệm ở đâu", "testing_where"), Question("Giá bao nhiêu?", "testing_cost")]
    for written in surrounded(questions, AROUND).values():
        assert [question.intent for question in written] == ["testing_where", "testing_cost"]
        assert all(q.text in longer.text and longer.text != q.text for q, longer in zip(questions, written, strict=True))


def test_a_letter_has_everything_around_the_question() -> None:
    written = surrounded([Question("xét nghiệm ở đâu", "testing_where")], AROUND)
    assert written["letter"][0].text == "Chào bác sĩ. Tôi 50 tuổi. xét nghiệm ở đâu? Xin cảm ơn."
    assert written["both, commas"][0].text == "Chào bác sĩ, xét nghiệm ở đâu Xin cảm ơn."


def test_examples_of_absent_files_and_files_of_another_shape_are_none(tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text("sentences: [một câu]\n", encoding="utf-8")
    assert examples([other, tmp_path / "absent.yml"]) == []


def test_absent_files_ask_nothing(tmp_path: Path) -> None:
    asked = HeldOut([], tmp_path)
    assert asked.sets() == {}
    assert [asked.of_a_topic(), asked.cries(), asked.look_alikes(), asked.off_topic(), asked.two_questions()] == [[]] * 5


def test_sentences_come_by_kind_or_all_together(tmp_path: Path) -> None:
    (tmp_path / "off_topic.yml").write_text("sentences: {one: [a, b], two: [c]}\n", encoding="utf-8")
    (tmp_path / "not_emergency.yml").write_text("sentences: [a, b]\n", encoding="utf-8")
    asked = HeldOut([], tmp_path)
    assert [(q.group, q.text) for q in asked.off_topic()] == [("one", "a"), ("one", "b"), ("two", "c")]
    assert [(q.group, q.text) for q in asked.look_alikes()] == [("", "a"), ("", "b")]


def test_what_is_trained_on_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "off_topic.yml").write_text("sentences: {one: [Bóng đá?, '🙂', 'mưa không']}\n", encoding="utf-8")
    asked = HeldOut([("bong da", "out_of_scope"), ("👍", "affirm")], tmp_path)
    assert [question.text for question in asked.off_topic()] == ["🙂", "mưa không"]
    assert asked.left_out == {"Bóng đá?"}


def test_a_labelled_file_gives_questions_with_their_alternative(tmp_path: Path) -> None:
    path = tmp_path / "asked.tsv"
    rows = ['1\trandom\tgiá "pcr" bao nhiêu\ttesting_cost\ttesting_types\t', "2\trare\tở đâu\ttesting_where\t\tlong"]
    path.write_text("\n".join(["id\tstratum\tquestion\tintent\talt_intent\tflags", *rows]) + "\n", encoding="utf-8")
    assert labelled(path) == [
        Question('giá "pcr" bao nhiêu', "testing_cost", "testing_types", "random"),
        Question("ở đâu", "testing_where", "", "rare"),
    ]
    assert labelled(path)[0].accepted == {"testing_cost", "testing_types"}


def test_nearly_every_question_of_ours_is_held_out() -> None:
    """Short talk ("vâng ạ") cannot be said otherwise; questions can."""
    asked = HeldOut(training_examples())
    number = sum(len(questions) for questions in asked.sets().values())
    assert number > 900
    assert len(asked.left_out) <= 0.03 * number


def test_spellings_are_the_same_on_every_call() -> None:
    text = "Xét nghiệm ở đâu và giá bao nhiêu vậy bác sĩ?"
    assert [write(text, 3) for write in spellings().values()] == [write(text, 3) for write in spellings().values()]
    assert spellings()["without diacritics"](text, 0) == "Xet nghiem o dau va gia bao nhieu vay bac si?"
