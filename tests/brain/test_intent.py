"""The intent model: learns quickly, survives a round trip without pickle, reads the question at the end of a story."""

from __future__ import annotations

import io
import pickletools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from bot.brain import counting, linear
from bot.brain.counting import counted, times_in
from bot.brain.features import features
from bot.brain.intent_model import DEFAULTS, RANKING_LENGTH, IntentModel
from bot.brain.linear import LinearModel, _weighted

EXAMPLES = {
    "testing_where": [
        "xét nghiệm ở đâu",
        "chỗ nào xét nghiệm",
        "đi xét nghiệm ở đâu vậy",
        "điểm xét nghiệm ở đâu",
        "nơi xét nghiệm gần nhất",
    ],
    "symptoms": [
        "triệu chứng là gì",
        "có triệu chứng gì",
        "bị sốt có phải triệu chứng",
        "dấu hiệu của bệnh",
        "biểu hiện của bệnh thế nào",
    ],
    "greet": ["xin chào", "chào bạn", "alo", "chào buổi sáng", "hello bạn"],
}


@pytest.fixture(scope="module")
def model() -> IntentModel:
    pairs = [(text, intent) for intent, texts in EXAMPLES.items() for text in texts]
    return IntentModel.train(
        [text for text, _ in pairs], [intent for _, intent in pairs], {**DEFAULTS, "minimum_examples": {"w": 1, "v": 1, "c": 1}}
    )


def test_questions_are_understood_with_and_without_diacritics(model: IntentModel) -> None:
    assert model.ranking("Xét nghiệm ở đâu ạ?")[0][0] == "testing_where"
    assert model.ranking("xet nghiem o dau a")[0][0] == "testing_where"


def test_a_ranking_is_a_distribution_best_first(model: IntentModel) -> None:
    chances = [chance for _, chance in model.ranking("triệu chứng")]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1.0001
    assert len(chances) <= RANKING_LENGTH


def test_a_text_without_a_word_has_no_ranking(model: IntentModel) -> None:
    assert model.ranking(" … 🙂 !!") == []


def test_a_story_is_read_by_its_last_sentence_too(model: IntentModel) -> None:
    story = "Chào bạn, hôm qua tôi đi chợ gặp nhiều người, về nhà thấy trong người vẫn bình thường. Xét nghiệm ở đâu vậy?"
    assert model.ranking(story)[0][0] == "testing_where"


@pytest.mark.parametrize(
    "text",
    [
        "Xét nghiệm ở đâu vậy ạ? Xin cảm ơn bác sĩ.",
        "Chào bác sĩ. Cho em hỏi xét nghiệm ở đâu ạ",
        "Em chào bác sĩ ạ, em muốn hỏi chỗ nào xét nghiệm, mong bác sĩ tư vấn giúp em, em cảm ơn nhiều",
        "chao bac si. xet nghiem o dau vay. cam on bac si",
    ],
)
def test_courtesies_do_not_hide_the_question(model: IntentModel, text: str) -> None:
    assert model.ranking(text)[0][0] == "testing_where"


def test_a_history_of_another_illness_does_not_hide_the_question() -> None:
    told = [
        "tôi bị tiểu đường đang uống thuốc",
        "mẹ tôi bị đau khớp",
        "tôi mổ ruột thừa",
        "tôi bị gút uống thuốc đều",
        "đau lưng",
    ]
    pairs = [(text, intent) for intent, texts in {**EXAMPLES, "other_medical": told}.items() for text in texts]
    learned = IntentModel.train(
        [text for text, _ in pairs], [intent for _, intent in pairs], {**DEFAULTS, "minimum_examples": {"w": 1, "v": 1, "c": 1}}
    )
    history = "Tôi bị tiểu đường đang uống thuốc đều, mẹ tôi bị đau khớp, tôi bị gút, mổ ruột thừa."
    assert learned.ranking(history)[0][0] == "other_medical"
    assert learned.ranking(f"{history} Đi xét nghiệm ở đâu vậy?")[0][0] == "testing_where"


def test_a_mistyped_message_is_respelt_and_a_clean_one_stays_itself() -> None:
    texts = ["xét nghiệm ở đâu"] * 4 + ["triệu chứng thế nào"] * 4
    learned = IntentModel.train(texts, ["testing_where"] * 4 + ["symptoms"] * 4, DEFAULTS)
    assert learned.respelt("Xét ngihem ở đâu, trieêu chứng?") == "xét nghiem ở đâu, trieu chứng?"
    assert learned.respelt("Xét nghiệm ở đâu?") == "Xét nghiệm ở đâu?"


def test_a_message_of_courtesies_alone_stays_one(model: IntentModel) -> None:
    assert model.ranking("Xin chào. Chào buổi sáng!")[0][0] == "greet"


def test_training_twice_gives_the_same_model() -> None:
    texts = [text for group in EXAMPLES.values() for text in group]
    intents = [intent for intent, group in EXAMPLES.items() for _ in group]
    one, two = (IntentModel.train(texts, intents, DEFAULTS).model for _ in range(2))
    assert np.array_equal(one.weights, two.weights)
    assert one.temperature == two.temperature


def test_two_processes_fit_the_same_model_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(7)
    table = sparse.random(240, 80, density=0.2, format="csr", random_state=chance)
    truth = np.arange(240) % 6
    models = []
    for worth in (table.nnz + 1, 0, 0):
        monkeypatch.setattr(linear, "WORTH_A_PROCESS", worth)
        models.append(linear.fit(table, truth, list("abcdef"), {}, cost=1.0))
    assert np.abs(models[0].weights).sum() > 0
    assert all(np.array_equal(model.weights, models[0].weights) for model in models)
    assert all(np.array_equal(model.bias, models[0].bias) for model in models)


def test_a_model_is_kept_without_pickle(model: IntentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    restored = IntentModel.load(tmp_path)
    for text in ("xét nghiệm ở đâu", "chao ban", "bị sốt"):
        assert [name for name, _ in restored.ranking(text)] == [name for name, _ in model.ranking(text)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays.npz", "vocabulary.json", "words.json"]
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=r".*"):
            list(pickletools.genops(io.BytesIO(path.read_bytes())))


def test_a_broken_model_file_is_refused(model: IntentModel, tmp_path: Path) -> None:
    model.model.save(tmp_path)
    np.savez(tmp_path / "arrays.npz", weights=np.array([{"code": 1}], dtype=object))
    with pytest.raises((ValueError, KeyError)):
        LinearModel.load(tmp_path)


def test_a_table_row_is_what_a_message_is_weighed_as() -> None:
    texts = [*(text for group in EXAMPLES.values() for text in group), "tiêm tiêm ở đâu, tiêm mấy giờ", "…"]
    blocks, table = counted(texts, features, {"w": 1, "v": 2, "c": 1})
    for row, counts in zip(table.toarray(), map(features, texts), strict=True):
        expected = np.zeros_like(row)
        for name, block in blocks.items():
            columns, values = _weighted(counts[name], block)
            expected[columns] = values
        assert row == pytest.approx(expected, abs=1e-6)


def test_a_rare_term_does_not_count_and_the_commonest_stands_first() -> None:
    blocks, table = counted(["xét nghiệm ở đâu", "xét nghiệm mấy giờ"], features, {"v": 2})
    assert list(blocks["v"].index) == ["xet", "nghiem", "xet nghiem"]
    assert table.shape == (2, 3)
    assert times_in(table[:1], blocks["v"]) == {"xet": 1, "nghiem": 1, "xet nghiem": 1}


def test_two_processes_see_the_same_table_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for group in EXAMPLES.values() for text in group]
    tables = []
    for worth in (len(texts) + 1, 0):
        monkeypatch.setattr(counting, "WORTH_A_PROCESS", worth)
        tables.append(counted(texts, features, {"w": 1, "c": 1}))
    (blocks, table), (by_two, table_by_two) = tables
    assert {name: list(block.index) for name, block in blocks.items()} == {name: list(b.index) for name, b in by_two.items()}
    assert table.nnz == table_by_two.nnz > 0
    assert (table != table_by_two).nnz == 0


def test_numbers_are_alike_and_words_are_counted_in_both_spellings() -> None:
    found = features("Mũi 3 và mũi 4")
    assert found["w"]["mũi 0"] == 2
    assert found["v"]["mui"] == 2
    assert isinstance(found["c"], Counter)


def test_a_change_in_what_the_model_sees_is_a_new_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bot.brain import features as seen
    from bot.brain.intent import LinearIntentClassifier

    before = LinearIntentClassifier.fingerprint_addon({})
    changed = tmp_path / "features.py"
    changed.write_text("WORDS = (1, 6)")
    monkeypatch.setattr(seen, "__file__", str(changed))
    assert LinearIntentClassifier.fingerprint_addon({}) != before
