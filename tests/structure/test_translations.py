"""The translations that are shipped: nothing faulty, nothing approved by nobody, the table of docs/languages.md up to date."""

from __future__ import annotations

import dataclasses

import pytest

from bot.directory.languages import VIETNAMESE, Language, Languages
from bot.languages import po
from bot.languages.catalogue import Catalogue
from bot.languages.coverage_table import coverage_table, with_table
from bot.languages.translation import coverage, extracted, sources
from bot.languages.translation_lint import faults
from bot.settings import ROOT

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
OURS = CATALOGUE.languages[VIETNAMESE]
TRANSLATED = [language for language in Languages.load(ROOT).translated() if (ROOT / po.FILE.format(tag=language.tag)).exists()]


def known(language: Language) -> dict[str, po.Translation]:
    return po.read(ROOT / po.FILE.format(tag=language.tag))


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.tag)
def test_nothing_faulty_is_shipped(language: Language) -> None:
    wrong = [(t.context, p.code, p.values) for t, p in faults(known(language), language, OURS) if p.severity == "error"]
    assert wrong == []


def test_a_faulty_translation_is_found() -> None:
    language = CATALOGUE.languages["rad"]
    bad = po.Translation("k", "Gọi 115").translated("Iêu 114", by="A", date="2026-11-22")
    assert {problem.code for _, problem in faults({"k": bad}, language, OURS)} == {"number_missing", "number_unknown"}
    assert list(faults({"k": dataclasses.replace(bad, is_fuzzy=True)}, language, OURS)) == [], "withheld"


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.tag)
def test_the_files_are_those_of_todays_vietnamese(language: Language) -> None:
    """Run `loa locale extract` when this fails."""
    assert extracted(sources(CATALOGUE), known(language)) == list(known(language).values())


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.tag)
def test_only_named_reviewers_have_approved(language: Language) -> None:
    names = {record.partition(": ")[2].split(", ")[0] for t in known(language).values() for record in t.records}
    assert names <= set(language.reviewers)


def test_folders_of_locales_are_languages() -> None:
    folders = {path.name for path in (ROOT / "locales").iterdir() if path.is_dir()}
    assert folders <= {language.tag for language in CATALOGUE.languages.all()}


def test_the_table_in_the_documents_is_todays() -> None:
    """Run `loa locale status --write` when this fails."""
    document = (ROOT / "docs/languages.md").read_text(encoding="utf-8")
    counted = [(one, coverage(sources(CATALOGUE), known(one))) for one in CATALOGUE.languages.translated()]
    assert with_table(document, coverage_table(counted)) == document


def test_every_answer_of_every_translation_is_filled() -> None:
    for language in TRANSLATED:
        for key in CATALOGUE.entries:
            answer = CATALOGUE.answer(key, {}, language.tag)
            assert answer.text
            assert "{" not in answer.text
