from __future__ import annotations

import datetime
from typing import Any

import pytest

from bot.figures.feeds import vncdc
from bot.figures.readings import FeedError, Window
from tests.figures.vietnamese import context, document, fetched, newest_rows, told

DAK_LAK, HOA_BINH = "dak-lak-until-2025", "hoa-binh-until-2025"
NEXT_DAY = context("2021-09-13T08:00")


def rows(**changes: Any) -> list[dict[str, Any]]:
    """The recorded rows; `changes` are those of the first, Đắk Lắk."""
    first, *others = document("vncdc_by_current.json")
    return [{**first, **changes}, *others]


def test_days_and_totals_are_read() -> None:
    readings = told(vncdc.read(fetched(rows()), NEXT_DAY))
    assert readings["cases", DAK_LAK, "day", "2021-09-12"] == 12
    assert readings["cases", DAK_LAK, "total", "2021-09-12"] == 1413
    assert readings["deaths", DAK_LAK, "total", "2021-09-12"] == 8


def test_a_total_says_since_when_it_counts() -> None:
    batch = vncdc.read(fetched(rows()), NEXT_DAY)
    since = datetime.datetime.fromisoformat("2021-04-27T00:00:00+07:00")
    windows = {reading.window for reading in batch.readings if reading.window.kind == "total"}
    assert windows == {Window("total", starts_at=since)}


def test_a_total_that_is_not_the_sum_of_the_days_is_not_read() -> None:
    """Then nobody knows since when it counts."""
    batch = vncdc.read(fetched(rows(ca_nhiem=1500)), NEXT_DAY)
    assert ("cases", DAK_LAK, "total", "2021-09-12") not in told(batch)
    assert ("deaths", DAK_LAK, "total", "2021-09-12") not in told(batch)
    assert ("cases", DAK_LAK, "day", "2021-09-12") in told(batch)
    assert any("not the sum of data" in warning for warning in batch.warnings)


def test_the_row_of_cases_without_a_province_is_kept_apart() -> None:
    readings = told(vncdc.read(fetched(rows()), NEXT_DAY))
    assert readings["cases", "unknown", "total", "2021-09-12"] == 2984


def test_the_old_place_of_the_tone_is_read() -> None:
    assert ("cases", HOA_BINH, "total", "2021-09-12") in told(vncdc.read(fetched(rows()), NEXT_DAY))


def test_a_population_that_cannot_be_true_is_noted_and_the_row_read() -> None:
    """Tiền Giang with 9,038,600 people."""
    batch = vncdc.read(fetched(rows()), NEXT_DAY)
    assert [warning for warning in batch.warnings if "populations" in warning] == [
        "populations far from ours (never read): tien-giang-until-2025"
    ]
    assert told(batch)["cases", "tien-giang-until-2025", "total", "2021-09-12"] == 12210


def test_a_day_without_a_case_anywhere_was_not_reported() -> None:
    content = [{**row, "data": {**row["data"], "2021-09-13": 0}} for row in rows()]
    batch = vncdc.read(fetched(content), NEXT_DAY)
    assert max(reading.as_of for reading in batch.readings).isoformat() == "2021-09-12"
    assert newest_rows(batch) == {"2021-09-13"}


def test_a_day_without_a_case_in_one_province_is_a_zero() -> None:
    assert told(vncdc.read(fetched(rows()), NEXT_DAY))["cases", HOA_BINH, "day", "2021-09-12"] == 0


def test_an_id_that_comes_twice_does_not_matter() -> None:
    """Lai Châu and Cao Bằng both have the id 35."""
    content = rows()
    content[1]["id"] = content[0]["id"]
    assert told(vncdc.read(fetched(content), NEXT_DAY)) == told(vncdc.read(fetched(rows()), NEXT_DAY))


def test_a_code_that_contradicts_its_name_is_not_believed() -> None:
    """24 was Bắc Giang; in a document since July 2025 it would be Bắc Ninh."""
    batch = vncdc.read(fetched(rows(ma=24, tinh="Tỉnh Bắc Ninh")), NEXT_DAY)
    assert not {reading.place for reading in batch.readings} & {"bac-giang-until-2025", "bac-ninh-until-2025", DAK_LAK}
    assert any("of two provinces" in warning for warning in batch.warnings)


@pytest.mark.parametrize("key", ["ma", "tinh", "ca_nhiem", "tu_vong", "data"])
def test_a_missing_field_is_named(key: str) -> None:
    content = [{name: value for name, value in row.items() if name != key} for row in rows()]
    with pytest.raises(FeedError, match=key):
        vncdc.read(fetched(content), NEXT_DAY)


@pytest.mark.parametrize("day", ["12/9/2021", "2021-9-12", "20210912", "2021-02-30"])
def test_another_form_of_date_is_refused(day: str) -> None:
    with pytest.raises(FeedError, match="year-month-day"):
        vncdc.read(fetched(rows(data={day: 3})), NEXT_DAY)


def test_no_days_give_no_figures() -> None:
    content = [{**row, "data": {}} for row in rows()]
    assert list(vncdc.read(fetched(content), NEXT_DAY).readings) == []
