"""Answers with figures: every number with its day and its issuer, every combination within 900 characters, pictures in words."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from bot.check import MAX_ANSWER_CHARACTERS
from bot.languages.catalogue import Catalogue
from bot.languages.figure_lines import MOST_CHARACTERS, picture_words, sentence
from bot.settings import PROVINCES, ROOT

METRICS = ("cases", "deaths", "doses", "first_doses", "second_doses")
LONGEST_PLACE = "Thành phố Hồ Chí Minh"
LONGEST_ISSUER = "Trung tâm Công nghệ phòng, chống dịch COVID-19 quốc gia (NCSC)"
WEEK = {"kind": "week", "days": 7, "as_of": "2026-11-15"}
NOTES = [
    {"key": key, "may_go": number, **given}
    for number, (key, given) in enumerate(
        [
            ("not_today", {}),
            ("backlog", {}),
            ("province", {"asked": "xã Xuân Sơn Hòa Bình"}),
            ("summed", {"parts": "Thành phố Hồ Chí Minh, Bình Dương, Bà Rịa - Vũng Tàu", "place": LONGEST_PLACE}),
            ("revised", {}),
            ("other_time", {}),
            ("share", {}),
            ("other_count", {}),
            ("abroad", {}),
            ("bulletin", {}),
        ],
        start=1,
    )
]


@pytest.fixture(scope="module", params=PROVINCES)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    return Catalogue.load(ROOT, request.param)


@pytest.fixture(scope="module")
def fragments(catalogue: Catalogue) -> Any:
    return catalogue.fragments


def figure(**given: Any) -> dict[str, Any]:
    usual = {
        "metric": "cases",
        "place_name": "Đắk Lắk",
        "kind": "day",
        "days": 1,
        "as_of": "2026-11-21",
        "starts_at": None,
        "ends_at": None,
        "value": 1234,
        "issuer": "Sở Y tế",
        "fetched_on": "2026-11-22",
        "stale_since": None,
    }
    return {**usual, **given}


def told(*figures: dict[str, Any], comparison: Any = None, notes: Any = (), is_old: bool = False) -> dict[str, Any]:
    return {"told": {"figures": list(figures), "comparison": comparison, "notes": list(notes), "is_old": is_old}}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("kind", "value"), [("total", 5), ("total", 0), ("day", 5), ("day", 0), ("week", 5)])
def test_every_figure_has_a_sentence_and_a_line_with_number_day_and_place(
    catalogue: Catalogue, metric: str, kind: str, value: int
) -> None:
    one = figure(metric=metric, kind=kind, value=value, days={"total": None, "day": 1, "week": 7}[kind])
    said = sentence(one, catalogue.fragments)
    assert "Đắk Lắk" in said
    assert "21/11/2026" in said
    assert value == 0 or "5" in said
    text = catalogue.answer("utter_case_figures_frozen", told(one, is_old=True)).text
    assert "21/11/2026" in text
    assert "{" not in text


def test_a_number_is_told_with_its_issuer_and_the_day_it_was_read(catalogue: Catalogue) -> None:
    text = catalogue.answer("utter_case_figures", told(figure())).text
    for part in ("1.234", "Đắk Lắk", "21/11/2026", "Sở Y tế", "22/11/2026"):
        assert part in text, part


def test_two_issuers_are_both_named(catalogue: Catalogue) -> None:
    text = catalogue.answer("utter_case_figures", told(figure(), figure(metric="deaths", issuer="Cục Phòng bệnh"))).text
    assert "Sở Y tế" in text
    assert "Cục Phòng bệnh" in text


def test_thousands_are_grouped_as_the_language_does(fragments: Any) -> None:
    one = figure(value=11_624_000)
    assert "11.624.000" in sentence(one, fragments)
    assert "11,624,000" in sentence(one, {**fragments, "figure_thousands": ","})


def test_a_window_of_hours_is_told_by_its_hours(fragments: Any) -> None:
    one = figure(starts_at="2026-11-20T09:00:00+00:00", ends_at="2026-11-21T09:30:00+00:00")
    said = sentence(one, fragments)
    assert "16 giờ 20/11/2026" in said
    assert "16 giờ 30 21/11/2026" in said


def test_a_week_names_its_first_and_last_day(fragments: Any) -> None:
    assert "9/11" in sentence(figure(**WEEK), fragments)
    across = sentence(figure(**{**WEEK, "as_of": "2027-01-02"}), fragments)
    assert "27/12/2026" in across


@pytest.mark.parametrize("direction", ["more", "fewer", "same"])
def test_a_comparison_has_both_numbers_and_both_times(catalogue: Catalogue, direction: str) -> None:
    before, now = figure(**{**WEEK, "as_of": "2026-11-08"}, value=97), figure(**WEEK, value=120)
    compared = {"direction": direction, "change": 23, "before": before, "now": now}
    beside_a_day = catalogue.answer("utter_case_figures", told(figure(), comparison=compared)).text
    assert "120" in beside_a_day
    assert "8/11/2026" in beside_a_day
    after_itself = catalogue.answer("utter_case_figures", told(now, comparison=compared)).text
    assert after_itself.count("120") == 1
    assert "8/11/2026" in after_itself
    if direction != "same":
        assert "97" in beside_a_day
        assert "23" in beside_a_day


def test_what_cannot_be_compared_is_said(catalogue: Catalogue) -> None:
    text = catalogue.answer("utter_case_figures", told(figure(), comparison={"direction": "not_comparable"})).text
    assert catalogue.fragments["figure_not_comparable"] in text


def longest(kind: str, metrics: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        figure(
            metric=metric,
            kind=kind,
            days={"week": 7, "day": 1}.get(kind),
            place_name=LONGEST_PLACE,
            value=100_000_000,
            issuer=LONGEST_ISSUER,
            stale_since="2026-11-21",
        )
        for metric in metrics
    ]


@pytest.mark.parametrize(
    ("key", "metrics"),
    [
        ("utter_case_figures", ("cases", "deaths")),
        ("utter_case_figures_frozen", ("cases", "deaths")),
        ("utter_case_figures_place_last", ("cases", "deaths")),
        ("utter_case_figures_place", ()),
        ("utter_vaccination_figures", ("doses", "first_doses", "second_doses")),
        ("utter_vaccination_figures_frozen", ("doses", "first_doses", "second_doses")),
        ("utter_vaccination_figures_place_last", ("doses", "first_doses", "second_doses")),
        ("utter_vaccination_figures_place", ()),
    ],
)
@pytest.mark.parametrize("kind", ["week", "total"])
def test_the_longest_answer_fits(catalogue: Catalogue, key: str, metrics: tuple[str, ...], kind: str) -> None:
    figures = longest(kind, metrics)
    compared = {"direction": "fewer", "change": -12_345_678, "before": longest("week", ("cases",))[0], "now": figure(**WEEK)}
    is_old = key not in {"utter_case_figures", "utter_vaccination_figures"}
    comparison = compared if figures and not is_old else None
    for notes in itertools.chain([NOTES], itertools.combinations(NOTES, 3)):
        values = told(*figures, comparison=comparison, notes=notes, is_old=is_old)
        for province in PROVINCES:
            answer = catalogue.answer(key, {**values, "place_name": "phường Buôn Ma Thuột", "for_province": province})
            assert len(answer.text) <= MAX_ANSWER_CHARACTERS, (len(answer.text), answer.text)
            assert figures == [] or LONGEST_ISSUER in answer.text


def test_the_limit_is_the_one_that_is_checked() -> None:
    assert MOST_CHARACTERS == MAX_ANSWER_CHARACTERS


def test_the_source_stays_and_the_least_needed_line_goes_first(catalogue: Catalogue) -> None:
    text = catalogue.answer(
        "utter_case_figures_frozen", told(*longest("total", ("cases", "deaths")), notes=NOTES, is_old=True)
    ).text
    assert LONGEST_ISSUER in text
    assert catalogue.fragments["figure_note_bulletin"] not in text
    assert catalogue.fragments["figure_note_backlog"] in text


def test_an_answer_without_figures_has_no_blank_lines_left_over(catalogue: Catalogue) -> None:
    text = catalogue.answer("utter_case_figures_place", {**told(), "place_name": "Thanh Hóa"}).text
    assert "\n\n\n" not in text


def test_the_source_card_is_the_publication_of_the_number(catalogue: Catalogue) -> None:
    published = {"issuer": "CDC", "as_of": "2026-11-21", "url": "https://cdc.example/so-12", "fetched_on": "2026-11-22"}
    source = catalogue.answer("utter_case_figures", {**told(figure()), "published": published}).source
    assert source is not None
    assert (source.issuer, source.date, source.url, source.reviewed) == (
        "CDC",
        "2026-11-21",
        "https://cdc.example/so-12",
        "2026-11-22",
    )
    assert catalogue.answer("utter_case_figures", told(figure())).source != source


def a_picture(**given: Any) -> dict[str, Any]:
    bars = [
        {"ends_on": "2026-11-01", "value": 1200, "is_backlog": True},
        {"ends_on": "2026-11-08", "value": None, "is_backlog": False},
        {"ends_on": "2026-11-15", "value": 0, "is_backlog": False},
    ]
    usual = {
        "metric": "cases",
        "place": "dak-lak",
        "place_name": "Đắk Lắk",
        "summed_over": [],
        "bars": bars,
        "issuer": "CDC",
        "fetched_on": "2026-11-16",
        "stale_since": None,
        "weeks": 8,
    }
    return {**usual, **given}


def test_a_picture_says_its_numbers_in_words(catalogue: Catalogue) -> None:
    (attachment,) = catalogue.answer("utter_case_figures", {**told(figure()), "picture": a_picture()}).attachments
    assert attachment.url == "figures/dak-lak/cases.png?weeks=8"
    for part in ("Đắk Lắk", "15/11", "1.200", "CDC", catalogue.fragments["picture_no_figure"]):
        assert part in attachment.alt, part
    assert ": 0" in attachment.alt, "zero is a number, no gap"


def test_the_notes_of_a_picture_name_what_is_to_be_known(fragments: Any) -> None:
    plain = picture_words(a_picture(bars=a_picture()["bars"][2:]), fragments)
    full = picture_words(a_picture(stale_since="2026-11-15", summed_over=["Đắk Lắk", "Phú Yên"]), fragments)
    assert len(full["notes"]) - len(plain["notes"]) == 3
    assert any("Phú Yên" in note for note in full["notes"])
    assert any("CDC" in note and "16/11/2026" in note for note in plain["notes"])


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_words_for_a_picture(fragments: Any, metric: str) -> None:
    assert picture_words(a_picture(metric=metric), fragments)["title"]


@pytest.mark.parametrize(
    "broken", [{}, {"metric": "recovered"}, a_picture(bars=[]), a_picture(fetched_on=None), a_picture(bars=None)]
)
def test_a_picture_that_cannot_be_described_never_costs_the_words(catalogue: Catalogue, broken: dict[str, Any]) -> None:
    answer = catalogue.answer("utter_case_figures", {**told(figure()), "picture": broken, "figures": [4, 5]})
    assert answer.attachments == ()
    assert "1.234" in answer.text
    assert answer.as_reply()["figures"] == [4, 5]


def test_a_withdrawn_answer_tells_no_figures_and_shows_no_picture(catalogue: Catalogue) -> None:
    import dataclasses
    import datetime

    late = dataclasses.replace(catalogue, today=lambda: datetime.date(2040, 1, 1))
    answer = late.answer("utter_case_figures", {**told(figure()), "picture": a_picture(), "figures": [4]})
    assert (answer.withdrawn, answer.attachments, answer.figures) == (True, (), ())
