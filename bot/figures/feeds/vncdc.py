"""ncov.vncdc.gov.vn, the map of the Ministry of Health's General Department of Preventive Medicine, `v2/vietnam/by-current`:

    [{"id": 16, "tinh": "Tỉnh Đắk Lắk", "ma": 66, "population": 1872600, "ca_nhiem": 1413, "tu_vong": 8, "ca_nhiem_7": 220,
      "data": {"2021-04-27": 0, …, "2021-09-12": 12}, …}, …, {"tinh": "Tỉnh Chưa rõ", "ma": 999, …}]

`ma` is the code of the National Statistics Office of before July 2025, 999 the cases whose province was not known. `id` is no key
(35 comes twice). `data` holds the new cases of each day since the fourth wave began, and `ca_nhiem` is their sum: a total **since
27 April 2021**, which its window says with `starts_at`; `tu_vong` is the deaths of that time. Never read: `population`, which is
shifted from row to row (Tiền Giang with 9,038,600 people, Thanh Hóa with those of Thừa Thiên Huế), and `ca_nhiem_7`, which in
the document of 12 September 2021 is the sum of no seven days.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.figures.checks import sane_population
from bot.figures.feeds.documents import Findings, as_object, as_rows, field, iso_day, number, once_each, text, whole
from bot.figures.feeds.feed import Context, parse_json
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Batch, Window

VNCDC = "vncdc"
ISSUER = "Cục Y tế dự phòng, Bộ Y tế"

_FIELDS = (
    "id tinh ma population ca_nhiem tu_vong ca_nhiem_7 ngay_hien_tai ngay_truoc_do ngay_hom_kia ngay_lien_tiep "
    "ngay_lien_tiep_trong_nuoc data"
)


@dataclass(frozen=True)
class _Province:
    days: Mapping[datetime.date, int | None]
    cases: int | None
    deaths: int | None

    @property
    def is_sum_of_its_days(self) -> bool:
        return self.cases == sum(value or 0 for value in self.days.values())


def read(fetched: Fetched, context: Context) -> Batch:
    """The cases of each day and the totals since the first of them."""
    rows = as_rows(parse_json(fetched.read()), "the document")
    findings = Findings(VNCDC, ISSUER, context.url, context.fetched_at)
    findings.warn_of_unknown(rows, _FIELDS)
    by_place = once_each(((_place(row, findings, context.places), row) for row in rows), findings)
    _warn_of_populations(by_place, findings, context.places)
    provinces = {place: _province(row) for place, row in by_place.items()}
    reported = [day for province in provinces.values() for day, value in province.days.items() if value]
    for place, province in provinces.items():
        _read_province(place, province, max(reported, default=datetime.date.min), findings)
    return findings.batch()


def _place(row: Mapping[str, Any], findings: Findings, places: FigurePlaces) -> str | None:
    return findings.place(places.by_gso(number(row, "ma") or 0, era="until_2025"), text(row, "tinh"), places)


def _province(row: Mapping[str, Any]) -> _Province:
    days = {iso_day(day): whole(value, "data") for day, value in as_object(field(row, "data"), "data").items()}
    return _Province(days, number(row, "ca_nhiem"), number(row, "tu_vong"))


def _read_province(place: str, province: _Province, until: datetime.date, findings: Findings) -> None:
    """`until`: the newest day on which any province had a case. After it nobody has reported yet."""
    for day, value in province.days.items():
        findings.read("cases", place, day, "day", value if day <= until else None)
    if not province.days or until not in province.days:
        return
    if not province.is_sum_of_its_days:
        findings.warn("ca_nhiem is not the sum of data, so nobody knows since when it counts: totals not read", place)
        return
    since = datetime.datetime.combine(min(province.days), datetime.time(), VIETNAM)
    for metric, value in (("cases", province.cases), ("deaths", province.deaths)):
        findings.read(metric, place, until, Window("total", starts_at=since), value)
        findings.read(metric, place, max(province.days), "total", None)


def _warn_of_populations(rows: Mapping[str, Mapping[str, Any]], findings: Findings, places: FigurePlaces) -> None:
    for place, row in rows.items():
        ours, theirs = places.unit(place).population, whole(row.get("population"), "population")
        if ours and theirs and sane_population(theirs, ours):
            findings.warn("populations far from ours (never read)", place)
