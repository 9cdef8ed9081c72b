from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from bot.figures.feeds import pipezero
from bot.figures.readings import FeedError, Window
from tests.figures.vietnamese import context, document, fetched, newest_rows, told

HO_CHI_MINH, DAK_LAK, BA_RIA = (f"{key}-until-2025" for key in ("thanh-pho-ho-chi-minh", "dak-lak", "ba-ria-vung-tau"))
EVENING = context("2021-11-26T18:30")


def data() -> dict[str, Any]:
    """Invented numbers in the shape of the file; none was recorded."""
    return copy.deepcopy(document("pipezero_data.json"))


def days(*written: str) -> dict[str, Any]:
    content = data()
    content["overview"] = [{**row, "date": day} for row, day in zip(content["overview"][-len(written) :], written, strict=True)]
    return content


def read_days(content: dict[str, Any], fetched_at: str, last_modified: str | None = None) -> list[str]:
    batch = pipezero.read(fetched(content, last_modified), context(fetched_at))
    return [key[3] for key in told(batch) if key[:3] == ("cases", "vn", "day")]


def test_the_countrys_days_and_totals_are_read() -> None:
    readings = told(pipezero.read(fetched(data()), EVENING))
    assert readings["cases", "vn", "day", "2021-11-26"] == 700
    assert readings["deaths", "vn", "day", "2021-11-20"] == 4
    assert readings["cases", "vn", "total", "2021-11-26"] == 30000
    assert readings["deaths", "vn", "total", "2021-11-26"] == 100


def test_provinces_are_of_the_newest_day() -> None:
    readings = told(pipezero.read(fetched(data()), EVENING))
    assert readings["cases", DAK_LAK, "total", "2021-11-26"] == 900
    assert readings["deaths", DAK_LAK, "total", "2021-11-26"] == 2
    assert readings["cases", HO_CHI_MINH, "day", "2021-11-26"] == 300


def test_an_en_dash_is_a_hyphen() -> None:
    assert "–" in data()["locations"][2]["name"]
    assert told(pipezero.read(fetched(data()), EVENING))["cases", BA_RIA, "total", "2021-11-26"] == 200


def test_a_day_runs_from_16_to_16() -> None:
    batch = pipezero.read(fetched(data()), EVENING)
    [reading] = [r for r in batch.readings if r.place == "vn" and r.metric == "cases" and r.window.kind == "day"][-1:]
    assert reading.window == Window(
        "day",
        datetime.datetime.fromisoformat("2021-11-25T16:00:00+07:00"),
        datetime.datetime.fromisoformat("2021-11-26T16:00:00+07:00"),
    )
    [total] = [r for r in batch.readings if r.place == "vn" and r.metric == "cases" and r.window.kind == "total"]
    assert total.window == Window("total", ends_at=datetime.datetime.fromisoformat("2021-11-26T16:00:00+07:00"))


@pytest.mark.parametrize(
    ("fetched_at", "written", "read"),
    [
        ("2021-11-26T18:30", ["25-11", "26-11"], ["2021-11-25", "2021-11-26"]),
        ("2021-12-31T18:30", ["30-12", "31-12"], ["2021-12-30", "2021-12-31"]),
        ("2022-01-01T00:05", ["30-12", "31-12"], ["2021-12-30", "2021-12-31"]),
        ("2022-01-01T18:30", ["31-12", "01-01"], ["2021-12-31", "2022-01-01"]),
        ("2022-01-03T08:00", ["31-12", "01-01", "02-01"], ["2021-12-31", "2022-01-01", "2022-01-02"]),
        ("2024-03-01T08:00", ["28-02", "29-02"], ["2024-02-28", "2024-02-29"]),
        ("2021-12-01T08:00", ["1-12", "30-11"], ["2021-11-30", "2021-12-01"]),
    ],
)
def test_the_year_is_the_last_that_is_not_to_come(fetched_at: str, written: list[str], read: list[str]) -> None:
    assert read_days(days(*written), fetched_at) == read


def test_the_new_year_begins_in_viet_nam() -> None:
    """Fetched at 17:05 UTC on 31 December, when it is 1 January there."""
    assert read_days(days("31-12", "01-01"), "2022-01-01T00:05")[-1] == "2022-01-01"


def test_no_day_lies_after_the_file_was_written() -> None:
    """The file of November 2021 is not one of November 2026."""
    content = days("25-11", "26-11")
    assert read_days(content, "2026-11-27T08:00") == ["2026-11-25", "2026-11-26"]
    assert read_days(content, "2026-11-27T08:00", "Fri, 26 Nov 2021 11:00:00 GMT") == ["2021-11-25", "2021-11-26"]


def test_an_unreadable_last_modified_is_as_none() -> None:
    assert read_days(days("25-11", "26-11"), "2021-11-26T18:30", "yesterday") == ["2021-11-25", "2021-11-26"]


def test_a_file_that_stands_still_has_no_year() -> None:
    with pytest.raises(FeedError, match="26-11, is long past and has no year"):
        pipezero.read(fetched(data()), context("2026-11-30T08:00"))
    with pytest.raises(FeedError, match="long past"):
        pipezero.read(fetched(data(), "Mon, 20 Dec 2021 11:00:00 GMT"), context("2026-11-27T08:00"))
    with pytest.raises(FeedError, match="too far apart"):
        pipezero.read(fetched(data()), context("2026-11-22T08:00"))


def test_days_too_far_apart_have_no_year() -> None:
    """One day ahead of the clock would be a year back."""
    with pytest.raises(FeedError, match="too far apart"):
        pipezero.read(fetched(days("26-11", "27-11")), EVENING)


@pytest.mark.parametrize("written", ["26/11", "2021-11-26", "31-02", "26-13", ""])
def test_another_form_of_date_is_refused(written: str) -> None:
    with pytest.raises(FeedError, match="date of overview"):
        pipezero.read(fetched(days("25-11", written)), EVENING)


def test_a_running_day_of_zeros_is_not_reported() -> None:
    content = days("25-11", "26-11")
    content["overview"][-1] |= {"cases": 0, "death": 0}
    content["today"]["internal"] |= {"cases": 0, "death": 0}
    batch = pipezero.read(fetched(content), context("2021-11-26T12:00"))
    readings = told(batch)
    assert ("cases", "vn", "day", "2021-11-26") not in readings
    assert readings["cases", "vn", "total", "2021-11-25"] == 30000
    assert ("cases", HO_CHI_MINH, "day", "2021-11-25") not in readings
    assert "2021-11-26" in newest_rows(batch)


def test_totals_of_no_known_day_are_not_read() -> None:
    """`today` and the newest day of `overview` are the same day, unless a part of the file stands still."""
    content = data()
    content["today"]["internal"]["cases"] = 999
    batch = pipezero.read(fetched(content), EVENING)
    assert {reading.window.kind for reading in batch.readings} == {"day"}
    assert {reading.place for reading in batch.readings} == {"vn"}
    assert len(batch.warnings) == 1


def test_being_treated_is_never_read() -> None:
    """It is negative by construction, and no number of the file that is read is."""
    content = data()
    assert content["today"]["internal"]["treating"] < 0
    batch = pipezero.read(fetched(content), EVENING)
    assert {reading.metric for reading in batch.readings} == {"cases", "deaths"}
    assert min(reading.value for reading in batch.readings) >= 0


def test_the_world_is_not_read() -> None:
    content = data()
    content["total"]["world"] = content["today"]["world"] = {}
    assert told(pipezero.read(fetched(content), EVENING)) == told(pipezero.read(fetched(data()), EVENING))


def test_the_order_of_the_provinces_does_not_matter() -> None:
    content = data()
    content["locations"].reverse()
    assert told(pipezero.read(fetched(content), EVENING)) == told(pipezero.read(fetched(data()), EVENING))


def test_a_name_that_is_in_no_table_is_noted() -> None:
    content = data()
    content["locations"][1]["name"] = "Đang cập nhật"
    batch = pipezero.read(fetched(content), EVENING)
    assert DAK_LAK not in {reading.place for reading in batch.readings}
    assert batch.warnings == ("names that are in no table, not read: Đang cập nhật",)


def test_since_the_merger_a_list_without_an_ended_province_is_of_today() -> None:
    content = days("1-7", "2-7")
    content["locations"] = content["locations"][:2]
    batch = pipezero.read(fetched(content), context("2025-07-02T18:30"))
    assert {reading.place for reading in batch.readings} == {"vn", "dak-lak", "thanh-pho-ho-chi-minh"}


def test_since_the_merger_a_list_of_before_is_not_read() -> None:
    batch = pipezero.read(fetched(days("1-7", "2-7")), context("2025-07-02T18:30"))
    assert {reading.place for reading in batch.readings} == {"vn"}
    assert any("provinces of before" in warning for warning in batch.warnings)


@pytest.mark.parametrize("key", ["total", "today", "overview", "locations"])
def test_a_missing_part_is_named(key: str) -> None:
    content = data()
    del content[key]
    with pytest.raises(FeedError, match=key):
        pipezero.read(fetched(content), EVENING)


@pytest.mark.parametrize("key", ["name", "cases", "death", "casesToday"])
def test_a_missing_field_of_a_province_is_named(key: str) -> None:
    content = data()
    del content["locations"][0][key]
    with pytest.raises(FeedError, match=key):
        pipezero.read(fetched(content), EVENING)
