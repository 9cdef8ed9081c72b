"""What the actions decide, filled into the catalogue's texts: short enough to send, and no placeholder left empty."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from actions import figures
from actions.figures import ActionCaseFigures, ActionVaccinationFigures
from actions.help import ActionHotline
from actions.rules import SUBJECT_WORDS, ActionOfficialDocuments
from bot.figures.feeds import Reading
from bot.figures.store import Told, shipped
from bot.languages.catalogue import Catalogue
from bot.settings import PROVINCES, ROOT

LONGEST = 900
PLACEHOLDER = re.compile(r"{(\w+)}")
FILLED_BY_THE_CATALOGUE = {"province", "hotline"}


def check(catalogue: Catalogue, key: str, values: dict) -> None:
    assert key in catalogue.entries
    asked = set(PLACEHOLDER.findall(catalogue.entries[key].text)) - FILLED_BY_THE_CATALOGUE
    assert not [name for name in asked if not values.get(name)], f"{key} would show an empty place"
    answer = catalogue.answer(key, values)
    assert answer.key == key
    assert len(answer.text) <= LONGEST
    assert all(line in answer.text for line in map(str, (values[name] for name in asked - {"contacts", "documents"})))


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
    moving = [Reading(r.feed, r.metric, r.place, r.as_of, None, r.value, r.issuer, r.url, datetime.now(UTC)) for r in shipped()]
    monkeypatch.setattr(figures, "read_told", lambda _: Told(moving, refresh_is_due=False))
    key, values = await run(ActionCaseFigures())
    assert key == "utter_case_figures"
    check(catalogue, key, values)


async def test_vaccination_figures(run, catalogue: Catalogue):
    check(catalogue, *await run(ActionVaccinationFigures()))


async def test_no_figures(run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(figures, "read_told", lambda _: Told([], refresh_is_due=False))
    check(catalogue, *await run(ActionCaseFigures()))
    check(catalogue, *await run(ActionVaccinationFigures()))


@pytest.mark.parametrize("values", [{"contacts": []}, {"contacts": ["cap-cuu-115"], "place_name": ""}])
def test_an_empty_place_would_be_noticed(catalogue: Catalogue, values):
    with pytest.raises(AssertionError, match="empty place"):
        check(catalogue, "utter_hotline", values)


def test_a_text_that_is_too_long_would_be_noticed(catalogue: Catalogue):
    with pytest.raises(AssertionError):
        check(catalogue, "utter_official_documents", {"documents": [d.id for d in catalogue.documents.all()]})
