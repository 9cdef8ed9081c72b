from __future__ import annotations

import datetime
from functools import partial
from typing import Any

import pytest

from bot.figures.feeds import ncsc
from bot.figures.readings import FeedError, Window
from tests.figures.vietnamese import context, document, fetched, newest_rows, told

HA_NOI, DAK_LAK, THANH_HOA = "ha-noi-until-2025", "dak-lak-until-2025", "thanh-hoa-until-2025"
AFTERNOON = context("2022-01-22T17:00")
OF_DAK_LAK = context("2022-01-22T17:00", "https://feed.example/covid/province/40")
DOSES_OF_HA_NOI = context("2022-01-11T17:00", "https://feed.example/vaccine/province/1")


def provinces(**changes: Any) -> list[dict[str, Any]]:
    """The recorded rows; `changes` are those of the last, Đắk Lắk."""
    *others, last = document("ncsc_provinces.json")
    return [*others, {**last, **changes}]


def without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != key}


class TestProvinces:
    """covid/provinces"""

    def test_yesterday_is_told_and_the_running_day_is_not(self) -> None:
        """The newest day was 0 for all provinces on 22 January 2022, after 2,805 and 2,884 in Hà Nội."""
        batch = ncsc.read_cases(fetched(provinces()), AFTERNOON)
        assert told(batch)["cases", HA_NOI, "day", "2022-01-21"] == 2805
        assert told(batch)["deaths", HA_NOI, "day", "2022-01-21"] == 33
        assert {reading.as_of.isoformat() for reading in batch.readings} == {"2022-01-21"}
        assert newest_rows(batch) == {"2022-01-22"}

    def test_a_total_is_of_the_last_reported_day(self) -> None:
        rows = provinces(new_case=7, total_case=14406)
        readings = told(ncsc.read_cases(fetched(rows), AFTERNOON))
        assert readings["cases", HA_NOI, "total", "2022-01-21"] == 103192
        assert readings["cases", DAK_LAK, "day", "2022-01-22"] == 7
        assert readings["cases", DAK_LAK, "total", "2022-01-22"] == 14406

    def test_a_zero_is_not_reported_unless_there_were_deaths_or_cases(self) -> None:
        readings = told(ncsc.read_cases(fetched(provinces()), AFTERNOON))
        assert ("cases", DAK_LAK, "day", "2022-01-21") not in readings
        assert readings["deaths", THANH_HOA, "day", "2022-01-21"] == 0
        assert readings["cases", DAK_LAK, "total", "2022-01-21"] == 14399

    def test_abandoned_fields_are_never_read(self) -> None:
        read = ncsc.read_cases(fetched(provinces(total_recovered=8679, total_active=5, new_recovered=1)), AFTERNOON)
        assert told(read) == told(ncsc.read_cases(fetched(provinces()), AFTERNOON))
        assert {reading.metric for reading in read.readings} == {"cases", "deaths"}

    def test_the_form_with_a_filter_is_refused_with_the_reason(self) -> None:
        with pytest.raises(FeedError, match="filter_type="):
            ncsc.read_cases(fetched({"1": {"21/1/2022": 103192}, "40": {"21/1/2022": 14399}}), AFTERNOON)

    def test_id_20_does_not_count_the_capital_twice(self) -> None:
        rows = provinces()
        batch = ncsc.read_cases(fetched([*rows, {**rows[0], "id": 20}]), AFTERNOON)
        assert told(batch) == told(ncsc.read_cases(fetched(rows), AFTERNOON))
        assert batch.warnings == ("ids that repeat another province, not read: 20",)

    def test_a_province_that_comes_twice_is_read_once_if_both_say_the_same_else_not_at_all(self) -> None:
        rows = provinces()
        same = ncsc.read_cases(fetched([*rows, rows[0]]), AFTERNOON)
        assert told(same) == told(ncsc.read_cases(fetched(rows), AFTERNOON))
        other = ncsc.read_cases(fetched([*rows, {**rows[0], "total_case": 1}]), AFTERNOON)
        assert HA_NOI not in {reading.place for reading in other.readings}
        assert same.warnings == other.warnings == (f"places that come twice: {HA_NOI}",)

    def test_a_damaged_name_is_read_by_its_id(self) -> None:
        batch = ncsc.read_cases(fetched(provinces(name="\ufffd?k L?k")), AFTERNOON)
        assert ("cases", DAK_LAK, "total", "2022-01-21") in told(batch)
        assert batch.warnings == ("names that are in no table: \ufffd?k L?k",)

    def test_a_name_of_another_province_than_the_id_is_not_believed(self) -> None:
        batch = ncsc.read_cases(fetched(provinces(name="Gia Lai")), AFTERNOON)
        assert DAK_LAK not in {reading.place for reading in batch.readings}
        assert "gia-lai-until-2025" not in {reading.place for reading in batch.readings}

    def test_an_id_that_is_in_no_table_is_not_read(self) -> None:
        batch = ncsc.read_cases(fetched(provinces(id=65)), AFTERNOON)
        assert DAK_LAK not in {reading.place for reading in batch.readings}
        assert batch.warnings == ("rows of no province that we know, not read: Đắk Lắk",)

    @pytest.mark.parametrize(
        ("written", "yesterday"), [("05/06/2022 18:05:00", "2022-06-04"), ("5/6/2022", "2022-06-04"), ("1/1/2022", "2021-12-31")]
    )
    def test_dates_come_with_and_without_zeros_and_time(self, written: str, yesterday: str) -> None:
        rows = [{**provinces()[0], "last_updated": written}]
        assert ("cases", HA_NOI, "day", yesterday) in told(ncsc.read_cases(fetched(rows), context("2022-06-05T19:00")))

    @pytest.mark.parametrize("written", ["22-1-2022", "2022/1/22", "1/22/2022", "31/2/2022", "hôm nay"])
    def test_another_form_of_date_is_refused(self, written: str) -> None:
        with pytest.raises(FeedError, match="day/month/year"):
            ncsc.read_cases(fetched(provinces(last_updated=written)), AFTERNOON)

    def test_a_row_without_a_date_is_of_no_day(self) -> None:
        batch = ncsc.read_cases(fetched(provinces(last_updated=None)), AFTERNOON)
        assert DAK_LAK not in {reading.place for reading in batch.readings}
        assert batch.warnings == ("rows without last_updated, not read: Đắk Lắk",)

    def test_a_day_that_has_not_come_is_not_read(self) -> None:
        batch = ncsc.read_cases(fetched(provinces()), context("2022-01-20T12:00"))
        assert list(batch.readings) == []
        assert batch.warnings == ("days that have not come, not read: 2022-01-21, 2022-01-22",)

    def test_a_province_that_ended_has_no_figures_afterwards(self) -> None:
        rows = provinces(last_updated="2/7/2025", case_yesterday=3)
        batch = ncsc.read_cases(fetched(rows), context("2025-07-02T12:00"))
        assert {reading.as_of for reading in batch.readings if reading.place == DAK_LAK} == set()
        assert batch.warnings == (f"days since 1 July 2025 for provinces of before, not read: {DAK_LAK}",)

    @pytest.mark.parametrize("key", ["id", "name", "new_case", "case_yesterday", "total_case", "total_death", "last_updated"])
    def test_a_missing_field_is_named(self, key: str) -> None:
        rows = [without(row, key) for row in provinces()]
        if key == "id":
            assert ncsc.read_cases(fetched(rows), AFTERNOON).warnings == ()
        else:
            with pytest.raises(FeedError, match=key):
                ncsc.read_cases(fetched(rows), AFTERNOON)

    def test_a_new_field_is_noted(self) -> None:
        assert ncsc.read_cases(fetched(provinces(new_case_children=3)), AFTERNOON).warnings == (
            "new fields, not read: new_case_children",
        )

    @pytest.mark.parametrize("value", ["2805", 2805.5, True, [2805], 1e300])
    def test_what_is_no_whole_number_is_refused(self, value: Any) -> None:
        with pytest.raises(FeedError, match="case_yesterday"):
            ncsc.read_cases(fetched(provinces(case_yesterday=value)), AFTERNOON)

    def test_null_is_not_reported(self) -> None:
        readings = told(ncsc.read_cases(fetched(provinces(total_case=None)), AFTERNOON))
        assert ("cases", DAK_LAK, "total", "2022-01-21") not in readings
        assert ("deaths", DAK_LAK, "total", "2022-01-21") in readings

    @pytest.mark.parametrize("body", [b"", b"[", b"[]", b"[1]", b"null", b'"x"', b"[NaN]", b"[" * 100_000, "Hà".encode("cp1258")])
    def test_no_document_is_refused(self, body: bytes) -> None:
        with pytest.raises(FeedError):
            ncsc.read_cases(fetched(body), AFTERNOON)


class TestSeries:
    """covid/province/40"""

    def test_days_come_in_any_order(self) -> None:
        readings = told(ncsc.read_series(fetched(document("ncsc_province_40.json")), OF_DAK_LAK))
        assert [(key[3], value) for key, value in readings.items() if key[:3] == ("cases", DAK_LAK, "day")] == [
            ("2022-01-15", 215),
            ("2022-01-17", 413),
            ("2022-01-18", 181),
            ("2022-01-19", 3),
            ("2022-01-20", 153),
        ]
        assert readings["deaths", DAK_LAK, "day", "2022-01-18"] == 0

    def test_what_follows_the_last_reported_day_is_not_read(self) -> None:
        """0 cases on the 21st and the 22nd, the total repeats that of the 20th."""
        batch = ncsc.read_series(fetched(document("ncsc_province_40.json")), OF_DAK_LAK)
        assert max(reading.as_of for reading in batch.readings).isoformat() == "2022-01-20"
        assert told(batch)["cases", DAK_LAK, "total", "2022-01-20"] == 14399
        assert newest_rows(batch) == {"2022-01-22"}

    def test_recovered_and_active_are_never_read(self) -> None:
        batch = ncsc.read_series(fetched(document("ncsc_province_40.json")), OF_DAK_LAK)
        assert {reading.metric for reading in batch.readings} == {"cases", "deaths"}
        assert batch.warnings == ()

    def test_only_the_last_120_days_are_kept(self) -> None:
        content = document("ncsc_province_40.json")
        content["case_by_day"] |= {"18/3/2020": 1, "24/9/2021": 5, "23/9/2021": 6}
        days = {key[3] for key in told(ncsc.read_series(fetched(content), OF_DAK_LAK)) if key[2] == "day"}
        assert "2021-09-24" in days
        assert "2021-09-23" not in days

    def test_the_address_says_which_province(self) -> None:
        content = without(document("ncsc_province_40.json"), "id")
        batch = ncsc.read_series(fetched(content), OF_DAK_LAK, feed="ncsc-series")
        assert {reading.place for reading in batch.readings} == {DAK_LAK}

    def test_an_answer_for_another_province_is_refused(self) -> None:
        with pytest.raises(FeedError, match="province 41 was asked for"):
            ncsc.read_series(
                fetched(document("ncsc_province_40.json")), context("2022-01-22T17:00", "https://feed.example/covid/province/41")
            )

    @pytest.mark.parametrize("identity", [{"id": 20}, {}])
    def test_id_20_is_refused(self, identity: dict[str, int]) -> None:
        content = without(document("ncsc_province_40.json"), "id") | identity
        with pytest.raises(FeedError, match="id 20 is answered with Hà Nội"):
            ncsc.read_series(fetched(content), context("2022-01-22T17:00", "https://feed.example/covid/province/20"))

    def test_an_id_without_a_province_is_refused(self) -> None:
        content = without(document("ncsc_province_40.json"), "id")
        for url in ("https://feed.example/covid/province/65", "https://feed.example/covid/province/0"):
            with pytest.raises(FeedError, match="no province has the id"):
                ncsc.read_series(fetched(content), context("2022-01-22T17:00", url))

    @pytest.mark.parametrize("key", ["case_by_day", "case_by_time", "death_by_day", "death_by_time"])
    def test_a_missing_series_is_named(self, key: str) -> None:
        with pytest.raises(FeedError, match=key):
            ncsc.read_series(fetched(without(document("ncsc_province_40.json"), key)), OF_DAK_LAK)

    def test_an_empty_series_may_be_an_array(self) -> None:
        content = document("ncsc_province_40.json") | {"death_by_day": [], "death_by_time": []}
        assert {reading.metric for reading in ncsc.read_series(fetched(content), OF_DAK_LAK).readings} == {"cases"}

    def test_nothing_reported_gives_nothing(self) -> None:
        content = document("ncsc_province_40.json")
        for key in ("case_by_day", "death_by_day"):
            content[key] = dict.fromkeys(content[key], 0)
        batch = ncsc.read_series(fetched(content), OF_DAK_LAK)
        assert list(batch.readings) == []
        assert newest_rows(batch) == {"2022-01-22"}

    def test_the_feed_may_have_a_name_of_its_own(self) -> None:
        read = partial(ncsc.read_series, feed="ncsc-series-phu-yen")
        assert read(fetched(document("ncsc_province_40.json")), OF_DAK_LAK).feed == "ncsc-series-phu-yen"


class TestVaccine:
    """vaccine/provinces and vaccine/province/1"""

    def test_totals_are_as_of_the_moment_they_were_written(self) -> None:
        batch = ncsc.read_vaccine(fetched(document("ncsc_vaccine_provinces.json")), context("2021-08-05T20:00"))
        readings = told(batch)
        assert readings["doses", HA_NOI, "total", "2021-08-05"] == 838836
        assert readings["first_doses", HA_NOI, "total", "2021-08-05"] == 780561
        assert readings["second_doses", HA_NOI, "total", "2021-08-05"] == 58275
        assert {reading.place for reading in batch.readings} == {HA_NOI, DAK_LAK, "thanh-pho-ho-chi-minh-until-2025"}
        moment = datetime.datetime.fromisoformat("2021-08-05T18:05:00+07:00")
        assert {reading.window for reading in batch.readings} == {Window("total", ends_at=moment)}

    def test_the_series_of_first_doses_ends_where_its_meaning_changed(self) -> None:
        """Until 10 November 2021 once + twice = total; from the 11th once is those with one dose only, and falls."""
        content = document("ncsc_vaccine_province.json")
        batch = ncsc.read_vaccine_series(fetched(content), DOSES_OF_HA_NOI)
        first = [(key[3], value) for key, value in told(batch).items() if key[0] == "first_doses"]
        assert first == [("2021-11-09", 31575885), ("2021-11-10", 31347108), ("2022-01-10", 78037292)]
        assert told(batch)["doses", HA_NOI, "total", "2022-01-10"] == 148350360
        assert told(batch)["second_doses", HA_NOI, "total", "2022-01-10"] == 70313068
        assert batch.warnings == ()

    def test_the_recorded_series_changed_its_meaning_on_that_day(self) -> None:
        once, twice, total = (
            document("ncsc_vaccine_province.json")[f"{key}_injected_by_time"] for key in ("once", "twice", "total")
        )
        assert once["10/11/2021"] + twice["10/11/2021"] == total["10/11/2021"]
        assert once["11/11/2021"] + 2 * twice["11/11/2021"] == total["11/11/2021"]

    def test_a_running_day_that_repeats_the_total_is_not_read(self) -> None:
        content = document("ncsc_vaccine_province.json")
        for key in ("total", "once", "twice"):
            content[f"{key}_injected_by_time"]["11/1/2022"] = content[f"{key}_injected_by_time"]["10/1/2022"]
        batch = ncsc.read_vaccine_series(fetched(content), DOSES_OF_HA_NOI)
        assert max(reading.as_of for reading in batch.readings).isoformat() == "2022-01-10"
        assert newest_rows(batch) == {"2022-01-11"}

    def test_a_scalar_that_belongs_to_no_day_is_not_read(self) -> None:
        content = document("ncsc_vaccine_province.json") | {"totalInjected": 148_999_999}
        batch = ncsc.read_vaccine_series(fetched(content), DOSES_OF_HA_NOI)
        assert ("first_doses", HA_NOI, "total", "2022-01-10") not in told(batch)
        assert len(batch.warnings) == 1

    def test_a_province_is_refused_for_id_20_here_too(self) -> None:
        with pytest.raises(FeedError, match="id 20"):
            ncsc.read_vaccine_series(
                fetched(document("ncsc_vaccine_province.json")),
                context("2022-01-11T17:00", "https://feed.example/vaccine/province/20"),
            )

    @pytest.mark.parametrize("key", ["totalInjected", "totalOnceInjected", "totalTwiceInjected", "last_updated"])
    def test_a_missing_field_is_named(self, key: str) -> None:
        rows = [without(row, key) for row in document("ncsc_vaccine_provinces.json")]
        with pytest.raises(FeedError, match=key):
            ncsc.read_vaccine(fetched(rows), context("2021-08-05T20:00"))
