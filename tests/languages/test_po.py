"""Translations as they are kept: what goes out comes back, and what may be served is decided here."""

from __future__ import annotations

import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages import po
from bot.languages.po import Translation, TranslationsError, hash_of

DRAFT = Translation("utter_greet", "Chào bạn\n\n- {hotline}").translated("Lợi\n\n- {hotline}", by="H' An", date="2026-11-23")
PLAIN = st.text(alphabet=string.ascii_letters + "ăơ̆ƀĕ\n\"\\ {}'", min_size=1, max_size=40).map(str.strip).filter(bool)


def round_trip(path: Path, *translations: Translation) -> list[Translation]:
    po.write(path / "messages.po", "rad", 1, translations)
    return list(po.read(path / "messages.po").values())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    full = replace(
        DRAFT,
        notes=("risk: normal", "shown: talk, answer"),
        records=("reviewed: Y Bih, 2026-11-23, 0123456789ab",),
        remarks=("hỏi lại",),
    )
    stale = replace(DRAFT, context="utter_thanks", is_fuzzy=True, previous="Chào\nbạn")
    gone = replace(DRAFT, context="utter_gone", is_obsolete=True)
    assert round_trip(tmp_path, full, stale, gone) == [full, stale, gone]


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=4))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    import unicodedata

    given_ = [
        Translation(f"k{n}", source).translated(unicodedata.normalize("NFC", text), by="x", date="2026-11-23")
        for n, (source, text) in enumerate(pairs)
    ]
    assert round_trip(tmp_path_factory.mktemp("po"), *given_) == given_


def test_no_file_is_no_translation_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert po.read(tmp_path / "rad/messages.po") == {}
    (tmp_path / "messages.po").write_bytes(b'msgid "\xff\xfe\nmsgstr')
    with pytest.raises(TranslationsError, match=r"messages.po cannot be read"):
        po.read(tmp_path / "messages.po")


def test_states() -> None:
    assert replace(DRAFT, text="").state == "missing"
    assert DRAFT.state == "draft"
    assert replace(DRAFT, is_fuzzy=True).state == "stale"
    assert replace(DRAFT, source="Chào bạn nhé").state == "stale", "made for other words"
    assert replace(DRAFT, source_hash="").state == "stale", "nobody knows for which words"


def test_approval_holds_for_one_wording_only() -> None:
    approved = replace(DRAFT, status="approved", records=(f"approved: Y Bih, 2026-11-23, {DRAFT.revision}",))
    assert approved.state == "approved"
    assert replace(approved, text="Lợi ih\n\n- {hotline}").state == "draft", "somebody changed the words afterwards"
    assert replace(DRAFT, status="approved").state == "draft", "nobody has approved it"


def test_placeholders() -> None:
    assert po.placeholders("a {x} b {y}") == po.placeholders("{y}{x}")
    assert po.placeholders("a {x") is None
    assert po.placeholders("{x!r}") != po.placeholders("{x}")
    assert hash_of("a") != hash_of("b")
