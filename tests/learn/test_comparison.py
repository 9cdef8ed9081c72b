"""Two models asked the same questions: what is worse than it may be is named."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import yaml

from bot.measuring import compare, comparison, held_out
from bot.measuring.comparison import LIMITS, Line, compared, counted, table, verdict
from bot.measuring.held_out import HeldOut
from bot.measuring.judging import Doubt, trained

EXAMPLES = [
    *(
        (f"xét nghiệm {where} ở đâu", "testing_where")
        for where in ("nhanh", "pcr", "covid", "kháng nguyên", "tại nhà", "gần đây")
    ),
    *(
        (f"tiêm {what} có đau không", "vaccine_side_effects")
        for what in ("vắc xin", "mũi một", "mũi hai", "nhắc lại", "cho bé", "gần đây")
    ),
    *((f"chào {who}", "greet") for who in ("bạn", "loa", "em", "bác sĩ", "cả nhà", "ad")),
]


@pytest.mark.parametrize(
    ("line", "is_worse"),
    [
        (Line("all", "", 1000, 900, 896), False),
        (Line("all", "", 1000, 900, 894), True),
        (Line("topic", "testing", 20, 20, 17), False),
        (Line("topic", "testing", 20, 20, 16), True),
        (Line("topic", "testing", 1000, 900, 880), False),
        (Line("cries heard", "", 300, 300, 299), True),
        (Line("cries heard", "", 300, 299, 300), False),
        (Line("wrong and sure", "", 1000, 50, 58), True),
        (Line("wrong and sure", "", 1000, 58, 50), False),
        (Line("false alarms", "", 100, 5, 9), True),
        (Line("off topic refused", "", 100, 95, 90), True),
        (Line("language", "km", 30, 30, 28), True),
        (Line("set", "faq", 0, 0, 0), False),
    ],
)
def test_what_is_worse_than_it_may_be(line: Line, is_worse: bool) -> None:
    assert line.is_worse is is_worse
    assert bool(verdict([line])) is is_worse
    assert ("WORSE" in list(table([line]))[1]) is is_worse


def test_both_must_be_asked_the_same() -> None:
    with pytest.raises(ValueError, match="same questions"):
        compared({("all", ""): (1, 2)}, {("all", ""): (1, 3)})


@pytest.fixture
def asked(tmp_path: Path) -> HeldOut:
    def writes(name: str, content: object) -> None:
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")

    def block(intent: str, *texts: str) -> dict[str, str]:
        return {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}

    writes("testing", {"nlu": [block("testing_where", "chỗ nào xét nghiệm pcr", "xét nghiệm nhanh ở đâu vậy")]})
    writes("faq", {"nlu": [block("vaccine_side_effects", "tiêm mũi ba có đau không")]})
    writes("emergency", {"nlu": [block("emergency", "mẹ tôi không thở được")]})
    writes("not_emergency", {"sentences": ["hết khó thở rồi"]})
    writes("off_topic", {"sentences": {"weather": ["mai có mưa không"]}})
    return HeldOut(EXAMPLES, tmp_path)


def test_every_kind_of_line_has_a_limit_and_a_model_that_forgot_a_topic_is_worse(
    asked: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "_languages", lambda *_: iter([(("language", "km"), (1, 1))]))
    doubt, spellings = Doubt(0.2, 0.0, 0.9), {"as typed": held_out.spellings()["as typed"]}
    topic_of = {"testing_where": "testing", "vaccine_side_effects": "vaccination", "greet": "talk"}
    forgetful = [(text, "greet" if intent == "testing_where" else intent) for text, intent in EXAMPLES]
    before, after = (counted(trained(examples), asked, doubt, spellings, topic_of) for examples in (EXAMPLES, forgetful))
    lines = compared(before, after)
    assert {line.kind for line in lines} == set(LIMITS)
    assert before["topic", "testing"] == (2, 2)
    assert after["topic", "testing"] == (0, 2)
    assert before["cries heard", ""] == (1, 1), "the table hears it, whatever the model"
    assert any(sentence.startswith("all") for sentence in verdict(lines))


def test_a_model_is_read_out_of_rasas_archive(tmp_path: Path) -> None:
    trained(EXAMPLES).save(tmp_path)
    archive = tmp_path / "loa-x.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(
            tmp_path,
            "components/train_bot.brain.intent.LinearIntentClassifier2",
            filter=lambda m: None if m.name.endswith("gz") else m,
        )
    assert compare.read(archive).ranking("xét nghiệm nhanh ở đâu")[0][0] == "testing_where"
    (tmp_path / "loa-y.tar.gz").write_bytes(b"no archive")
    for missing in ("loa-y.tar.gz", "loa-z.tar.gz"):
        with pytest.raises(compare.NoIntentModel):
            compare.read(tmp_path / missing)


def test_every_intent_has_its_topic() -> None:
    topics = comparison.topics()
    assert topics["testing_where"] == "testing"
    assert topics["emergency"] == "covid"
