from __future__ import annotations

import datetime
from typing import Any

import pytest

from bot.figures.feeds import tiemchung
from bot.figures.readings import FeedError, Window
from tests.figures.vietnamese import context, document, fetched, told

DAK_LAK = "dak-lak-until-2025"
EVENING = context("2021-08-05T20:00")


def rows(reported: Any) -> list[dict[str, Any]]:
    return [{**row, "lastReportedDate": reported} for row in document("tiemchung_all.json")]


def test_rows_without_a_date_are_of_no_day() -> None:
    """All 63 recorded rows have null."""
    batch = tiemchung.read(fetched(document("tiemchung_all.json")), EVENING)
    assert list(batch.readings) == []
    assert batch.warnings == (
        "rows without lastReportedDate, so of no day: not read: Hà Nội, Hoà Bình, Đắk Lắk, Bà Rịa - Vũng Tàu",
    )


@pytest.mark.parametrize(
    ("written", "day", "moment"),
    [
        ("2021-08-05", "2021-08-05", None),
        ("2021-08-05T10:00:00.000+00:00", "2021-08-05", "2021-08-05T17:00:00+07:00"),
        ("2021-08-04T18:30:00Z", "2021-08-05", "2021-08-05T01:30:00+07:00"),
        ("2021-08-05T17:00:00", "2021-08-05", "2021-08-05T17:00:00+07:00"),
        ("05/08/2021 17:00", "2021-08-05", "2021-08-05T17:00:00+07:00"),
        ("5/8/2021", "2021-08-05", None),
    ],
)
def test_a_row_with_a_date_is_read(written: str, day: str, moment: str | None) -> None:
    batch = tiemchung.read(fetched(rows(written)), EVENING)
    assert told(batch)["doses", DAK_LAK, "total", day] == 74185
    assert told(batch)["first_doses", "ha-noi-until-2025", "total", day] == 780561
    assert told(batch)["second_doses", "ha-noi-until-2025", "total", day] == 58275
    ends_at = datetime.datetime.fromisoformat(moment) if moment else None
    assert {reading.window for reading in batch.readings} == {Window("total", ends_at=ends_at)}
    assert batch.warnings == ()


@pytest.mark.parametrize("written", ["hôm qua", 1628150400000, "2021-13-05", "2021-08-05Tx", ""])
def test_a_date_that_cannot_be_read_is_not_guessed(written: Any) -> None:
    batch = tiemchung.read(fetched(rows(written)), EVENING)
    assert list(batch.readings) == []
    assert len(batch.warnings) == 1


def test_codes_are_text_with_a_leading_zero() -> None:
    places = {reading.place for reading in tiemchung.read(fetched(rows("2021-08-05")), EVENING).readings}
    assert places == {"ha-noi-until-2025", "hoa-binh-until-2025", DAK_LAK, "ba-ria-vung-tau-until-2025"}
    numeric = [{**row, "provinceCode": int(row["provinceCode"])} for row in rows("2021-08-05")]
    with pytest.raises(FeedError, match="provinceCode"):
        tiemchung.read(fetched(numeric), EVENING)


def test_the_document_of_misleading_names_is_refused() -> None:
    """get-detail-latest calls people objectInjection and yesterday's doses totalPopulation."""
    content = {"allocatedDate": "2021-08-05", "objectInjection": 780561, "totalPopulation": 58275, "totalOneInjected": 1}
    with pytest.raises(FeedError, match="objectInjection and totalPopulation"):
        tiemchung.read(fetched(content), EVENING)


def test_misleading_names_in_a_row_are_never_read() -> None:
    content = [{**row, "objectInjection": 1, "totalPopulation": 2} for row in rows("2021-08-05")]
    batch = tiemchung.read(fetched(content), EVENING)
    assert told(batch) == told(tiemchung.read(fetched(rows("2021-08-05")), EVENING))
    assert batch.warnings == ("new fields, not read: objectInjection, totalPopulation",)


@pytest.mark.parametrize(
    "key", ["provinceCode", "provinceName", "totalInjected", "totalOnceInjected", "totalTwiceInjected", "lastReportedDate"]
)
def test_a_missing_field_is_named(key: str) -> None:
    content = [{name: value for name, value in row.items() if name != key} for row in rows("2021-08-05")]
    with pytest.raises(FeedError, match=key):
        tiemchung.read(fetched(content), EVENING)
