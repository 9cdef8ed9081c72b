"""What the actions decide, filled into the catalogue's texts: short enough to send, and no placeholder left empty."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from actions import figures
from actions.figures import ActionCaseFigures, ActionVaccinationFigures
from actions.help import ActionHotline
from actions.rules import SUBJECT_WORDS, ActionOfficialDocuments
from bot.figures.known import Known
from bot.figures.store import shipped
from bot.languages.catalogue import Catalogue
from bot.languages.figure_lines import figure_texts
from bot.settings import PROVINCES, ROOT

LONGEST = 900
PLACEHOLDER = re.compile(r"{(\w+)}")
# `figure_lines` may be empty: a place without figures has none to tell.
FILLED_BY_THE_CATALOGUE = {"province", "hotline", "figure_lines"}


def _without_empty_lines(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def check(catalogue: Catalogue, key: str, values: dict) -> None:
    assert key in catalogue.entries
    values = {**values, **_without_empty_lines(figure_texts(values, catalogue.fragments, beside=LONGEST // 2))}
    asked = set(PLACEHOLDER.findall(catalogue.entries[key].text)) - FILLED_BY_THE_CATALOGUE
    assert not [name for name in asked if not values.get(name)], f"{key} would show an empty place"
    answer = catalogue.answer(key, values)
    assert answer.key == key
    assert len(answer.text) <= LONGEST
    assert all(line in answer.text for line in map(str, (values[name] for name in asked - {"contacts", "documents"})))


YESTERDAY = date(2026, 11, 21)


def knows(monkeypatch: pytest.MonkeyPatch, known: Known) -> None:
    """Figures as they are known on 22/11/2026."""

    async def at_once(*_: object) -> Known:
        return known

    monkeypatch.setattr(figures, "known_soon", at_once)
    monkeypatch.setattr(figures, "today", lambda: date(2026, 11, 22))


@pytest.fixture(params=PROVINCES)
def catalogue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.setenv("LOA_PROVINCE", request.param)
    return Catalogue.load(ROOT, request.param, lambda: date(2026, 11, 22))


@pytest.mark.parametrize("place", [None, "dak-lak", "thanh-hoa", "ba-ria-vung-tau"])
async def test_whom_to_call(run, catalogue: Catalogue, place):
    check(catalogue, *await run(ActionHotline(), place=place))


@pytest.mark.parametrize("text", ["", *SUBJECT_WORDS])
async def test_documents(run, catalogue: Catalogue, text):
    check(catalogue, *await run(ActionOfficialDocuments(), next(iter(SUBJECT_WORDS.get(text, ("",))))))


@pytest.mark.parametrize("place", [None, "ba-ria-vung-tau"])
async def test_case_figures(run, catalogue: Catalogue, place):
    check(catalogue, *await run(ActionCaseFigures(), place=place))


async def test_case_figures_that_move(run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    knows(monkeypatch, Known([replace(r, as_of=YESTERDAY) for r in shipped(ROOT).readings]))
    key, values = await run(ActionCaseFigures())
    assert key == "utter_case_figures"
    check(catalogue, key, values)


async def test_vaccination_figures(run, catalogue: Catalogue):
    check(catalogue, *await run(ActionVaccinationFigures()))


async def test_no_figures(run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    knows(monkeypatch, Known([]))
    check(catalogue, *await run(ActionCaseFigures()))
    check(catalogue, *await run(ActionVaccinationFigures()))


@pytest.mark.parametrize("values", [{"contacts": []}, {"contacts": ["cap-cuu-115"], "place_name": ""}])
def test_an_empty_place_would_be_noticed(catalogue: Catalogue, values):
    with pytest.raises(AssertionError, match="empty place"):
        check(catalogue, "utter_hotline", values)


def test_a_text_that_is_too_long_would_be_noticed(catalogue: Catalogue):
    with pytest.raises(AssertionError):
        check(catalogue, "utter_official_documents", {"documents": [d.id for d in catalogue.documents.all()]})
