"""tiemchungcovid19.gov.vn, the national vaccination portal, `api/public/dashboard/vaccination-statistics/all`:

    [{"provinceCode": "66", "provinceName": "Đắk Lắk", "totalInjected": 74185, "totalOnceInjected": …, "totalTwiceInjected": …,
      "lastReportedDate": null, "vaccineInjectionDailies": [], …}, …]

`provinceCode` is the code of the National Statistics Office of before July 2025, as text with a leading zero. A row without
`lastReportedDate` (all 63 on 5 August 2021) has numbers of no day: not read. The portal's other document, `get-detail-latest`,
calls the people `objectInjection` and yesterday's doses `totalPopulation`: refused, so that nobody takes them by their names.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from bot.figures.feeds.documents import Findings, as_rows, day_month_year, field, iso_day, number, once_each, text
from bot.figures.feeds.feed import Context, parse_json
from bot.figures.fetch import Fetched
from bot.figures.places import FigurePlaces
from bot.figures.readings import VIETNAM, Batch, FeedError, Window

TIEMCHUNG = "tiemchung"
ISSUER = "Cổng thông tin tiêm chủng COVID-19 quốc gia"

_METRICS = {"doses": "totalInjected", "first_doses": "totalOnceInjected", "second_doses": "totalTwiceInjected"}
_MISLEADING = ("objectInjection", "totalPopulation")
_FIELDS = (
    "totalVaccinationLocation totalInjected population totalOnceInjected totalTwiceInjected lastOnceInjected lastTwiceInjected "
    "currentTeamInjectInPractice totalVaccineAllocated popOverEighteen totalVaccineAllocatedReality provinceCode provinceName "
    "vaccineInjectionDailies lastReportedDate ratioOnePerAll ratioTwicePerAll"
)


def read(fetched: Fetched, context: Context) -> Batch:
    """The doses of all provinces up to the moment of their last report."""
    document = parse_json(fetched.read())
    if isinstance(document, dict) and any(key in document for key in _MISLEADING):
        raise FeedError(f"the document is get-detail-latest, whose {' and '.join(_MISLEADING)} are not what they are called")
    rows = as_rows(document, "the document")
    findings = Findings(TIEMCHUNG, ISSUER, context.url, context.fetched_at)
    findings.warn_of_unknown(rows, _FIELDS)
    for place, row in once_each(((_place(row, findings, context.places), row) for row in rows), findings).items():
        values = {metric: number(row, key) for metric, key in _METRICS.items()}
        reported = _reported(row, findings)
        if reported is not None:
            day, moment = reported
            for metric, value in values.items():
                findings.read(metric, place, day, Window("total", ends_at=moment), value)
    return findings.batch()


def _place(row: Mapping[str, Any], findings: Findings, places: FigurePlaces) -> str | None:
    return findings.place(places.by_gso(text(row, "provinceCode"), era="until_2025"), text(row, "provinceName"), places)


def _reported(row: Mapping[str, Any], findings: Findings) -> tuple[datetime.date, datetime.datetime | None] | None:
    """The day and, if written, the moment of the last report; None, with a warning, for none. In which form the portal writes it
    nobody has recorded, so a form that cannot be read is odd and no fault of the rest."""
    written = field(row, "lastReportedDate")
    if written is None:
        findings.warn("rows without lastReportedDate, so of no day: not read", str(row["provinceName"]))
        return None
    try:
        return _moment(str(written))
    except FeedError:
        findings.warn("rows whose lastReportedDate cannot be read: not read", str(row["provinceName"]))
        return None


def _moment(written: str) -> tuple[datetime.date, datetime.datetime | None]:
    """`2021-08-05`, `2021-08-05T17:00:00.000+00:00` (without an offset: local) or `05/08/2021 17:00`."""
    if "/" in written:
        return day_month_year(written)
    if "T" not in written:
        return iso_day(written), None
    try:
        moment = datetime.datetime.fromisoformat(written)
    except ValueError as error:
        raise FeedError("a moment is not written as ISO 8601") from error
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)).astimezone(VIETNAM)
    return moment.date(), moment
