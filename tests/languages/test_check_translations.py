"""`loa check` on the translations: a line a language, and what must not be released is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.check_translations import translation_findings
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.po import Translation
from bot.languages.translation import Source, sources
from bot.settings import ROOT


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


def draft(source: Source, text: str) -> Translation:
    return Translation(source.context, source.text).translated(text, by="H' An", date="2026-11-23")


def told(catalogue: Catalogue, root: Path, *translations: Translation) -> list[tuple[str, str]]:
    po.write(root / "locales/rad/messages.po", "rad", 1, translations)
    return [(finding.severity, finding.sentence) for finding in translation_findings(catalogue, root)]


def test_what_ships_may_be_released(catalogue: Catalogue) -> None:
    assert [f for f in translation_findings(catalogue, ROOT) if f.severity == "error"] == []


def test_a_lost_number_is_an_error_and_named(catalogue: Catalogue, tmp_path: Path) -> None:
    source = next(s for s in sources(catalogue) if s.context == "utter_goodbye")
    assert told(catalogue, tmp_path, draft(source, "Lač jăk kơ ih. 115.")) == []
    [(severity, said)] = told(catalogue, tmp_path, draft(source, "Lač jăk kơ ih."))
    assert severity == "error"
    assert "utter_goodbye" in said


def test_what_is_withheld_is_counted(catalogue: Catalogue, tmp_path: Path) -> None:
    every = {source.context: source for source in sources(catalogue)}
    high = draft(every["utter_emergency"], every["utter_emergency"].text)
    old = replace(draft(replace(every["utter_thanks"], text="Cảm ơn"), "Lač jăk"), source="Cảm ơn")
    [(severity, said)] = told(catalogue, tmp_path, old)
    assert (severity, said.startswith("1 withheld")) == ("review", True)
    [(severity, said)] = told(catalogue, tmp_path, high)
    assert (severity, said.startswith("1 of high risk withheld")) == ("review", True)


def test_a_broken_file_is_an_error_and_no_crash(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "locales/rad/messages.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'msgid "\xff')
    assert [f.severity for f in translation_findings(catalogue, tmp_path)] == ["error"]
