"""Words that mean alike get one name, with or without diacritics; the table is clean."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.concepts import TABLES, concepts_of, in_vietnamese
from bot.languages.normalise import fold, normalise
from bot.yaml_files import read_yaml


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("Chó mèo có lây covid không?", ["animal", "animal", "spread"]),
        ("cho meo co lay covid khong", ["animal", "spread"]),  # "cho" alone is also "cho" (for)
        ("chích ngừa AZ rồi có bị sốt không", ["vaccinate", "brand", "symptom"]),
        ("", []),
    ],
)
def test_concepts_are_found_in_order(text: str, concepts: list[str]) -> None:
    assert [found for found in concepts_of(text) if found in {*concepts, "animal"}][-len(concepts) or None :] == concepts


def test_the_longest_phrase_wins() -> None:
    assert "distance" not in concepts_of("tập trung đông người")
    assert "gather" in concepts_of("tập trung đông người")


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.yml")), ids=lambda path: path.stem)
def test_a_phrase_stands_in_one_concept_once(path: object) -> None:
    phrases = [normalise(str(phrase)) for concept in read_yaml(path).values() for phrase in concept]  # type: ignore[arg-type]
    assert [phrase for phrase, number in Counter(phrases).items() if number > 1] == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    concepts_of(text)
    concepts_of(fold(text))


@pytest.mark.parametrize(
    ("text", "vietnamese"),
    [
        ("tlŏ mgang vaccine ở đâu", "tiêm vắc xin ở đâu"),
        ("TLO MGANG o dau", "tiêm o dau"),
        ("chuh vaccine ở xã nào", "tiêm ở xã nào"),
        ("em muốn tiêm vắc xin", None),
        ("", None),
    ],
)
def test_a_mixed_message_is_read_in_vietnamese(text: str, vietnamese: str | None) -> None:
    assert in_vietnamese(text) == vietnamese
