"""Every answer that a citizen can get: sourced, dated, short, and with no number that the directory does not know."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from bot.check import findings, unknown_numbers
from bot.languages.catalogue import Catalogue, CatalogueError, Entry
from bot.messages import Button
from bot.settings import PROVINCES, ROOT

TODAY = datetime.date(2026, 11, 22)


@pytest.fixture(scope="module", params=PROVINCES)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    return Catalogue.load(ROOT, request.param, today=lambda: TODAY)


def test_nothing_is_wrong_in_locales_and_directory(catalogue: Catalogue) -> None:
    assert findings(catalogue) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": None}, "source is needed"),
        ({"source": "no-such-document"}, "not in data/directory/documents.yml"),
        ({"text": "Bạn gọi 0912 345 678 nhé."}, "not in data/directory/contacts.yml"),
        ({"text": "Bạn gọi 19003228."}, "not in data/directory/contacts.yml"),
        ({"text": "Bạn gọi 113 nhé."}, "not in data/directory/contacts.yml"),
        ({"text": "dài " * 300}, "more than 900"),
        ({"buttons": (Button("x", "/no_such_intent"),)}, "which is no intent"),
        ({"buttons": (Button("một cái tên dài quá chừng", "/hotline"),)}, "longer than 20"),
        ({"buttons": (Button("x", "/hotline"),) * 5}, "more than 4 buttons"),
        ({"review_by": datetime.date(2020, 1, 1)}, "dates must follow"),
        (
            {
                "valid_until": datetime.date(2026, 11, 21),
                "review_by": datetime.date(2026, 11, 21),
                "reviewed": datetime.date(2026, 1, 1),
            },
            "withdrawn",
        ),
        ({"review_by": datetime.date(2026, 11, 21), "reviewed": datetime.date(2026, 1, 1)}, "review was due"),
    ],
)
def test_each_guard_can_fail(catalogue: Catalogue, change: dict[str, object], said: str) -> None:
    broken = _with(catalogue, dataclasses.replace(catalogue.entries["utter_testing_where"], **change))  # type: ignore[arg-type]
    assert any(said in finding.sentence for finding in findings(broken)), findings(broken)


def test_a_high_risk_topic_cannot_lose_its_mark(catalogue: Catalogue) -> None:
    broken = _with(catalogue, dataclasses.replace(catalogue.entries["utter_emergency"], risk="normal"))
    assert any("risk must be high" in finding.sentence for finding in findings(broken))


def test_numbers_are_found_in_the_ways_people_write_them(catalogue: Catalogue) -> None:
    text = "Gọi 0262.2460701, 096 306 14 14 (của ta), +84 912 345 678 hay 1900 3228; QĐ 3985/QĐ-BYT ngày 29/10/2023, 11.624.000 ca, 100.000 đồng, gọi 115"
    assert len(unknown_numbers(catalogue, text)) == 3


def test_the_emergency_answer_begins_with_115(catalogue: Catalogue) -> None:
    assert "115" in catalogue.answer("utter_emergency").text.split(".")[0]


def test_an_answer_past_its_date_withdraws_itself(catalogue: Catalogue) -> None:
    late = dataclasses.replace(catalogue, today=lambda: datetime.date(2030, 1, 1))
    answer = late.answer("utter_testing_where")
    assert answer.withdrawn
    assert answer.text == late.answer("utter_withdrawn").text
    assert catalogue.answer("utter_testing_where").withdrawn is False


def test_what_catches_everything_else_never_withdraws_into_itself(catalogue: Catalogue) -> None:
    late = dataclasses.replace(catalogue, today=lambda: datetime.date(2040, 1, 1))
    for key in ("utter_withdrawn", "utter_apology", "no_such_key"):
        assert "115" in late.answer(key).text


def test_an_action_without_values_leaves_no_braces(catalogue: Catalogue) -> None:
    for key in catalogue.entries:
        assert "{" not in catalogue.answer(key).text


def test_broken_files_are_named(tmp_path: object) -> None:
    from bot.languages import catalogue as module

    path = ROOT / "locales/vi/testing.yml"
    with pytest.raises(CatalogueError, match=r"testing.yml: utter_x has no source"):
        module._entry(path, "testing", "utter_x", {"text": "a"})
    with pytest.raises(CatalogueError, match="quote titles with commas"):
        module._entry(
            path,
            "testing",
            "utter_x",
            {"text": "a", "source": "none", "risk": "normal", "reviewed": TODAY, "review_by": TODAY, "valid_until": TODAY,
             "buttons": [{"title": "Rửa tay", "khử khuẩn": None, "payload": "/x"}]},
        )  # fmt: skip


def _with(catalogue: Catalogue, entry: Entry) -> Catalogue:
    return dataclasses.replace(catalogue, entries={**catalogue.entries, entry.key: entry})
