"""Whether a figure may be told: pure rules over values and days, each with the recorded fault that taught it.

A rule returns None when nothing is wrong, else the reason in one sentence for the log.
"""

from __future__ import annotations

import datetime

# A field that has not moved for this long is "not updated" (the WHO's row for Viet Nam stands still since 2023-12-03).
STALE_AFTER = datetime.timedelta(days=14)
# The WHO publishes its weekly file weeks late; a file whose newest row is older than this has itself stopped.
FILE_MAY_LAG = datetime.timedelta(days=60)
# A cumulative total may be corrected downwards a little; more is another series, another country or a cut file.
MAY_FALL_BY = 0.01
# Viet Nam had 101.1 million inhabitants in the count of 1 April 2024; more reported cases than people is no figure.
MOST_CASES = 101_000_000


def stale_since(as_of: datetime.date, newest_row: datetime.date, fetched_on: datetime.date) -> datetime.date | None:
    """`as_of` when the source has gone on (or stopped altogether) without a newer value, else None."""
    is_stale = newest_row - as_of >= STALE_AFTER or fetched_on - as_of >= FILE_MAY_LAG
    return as_of if is_stale else None


def impossible(cases: int, deaths: int) -> str | None:
    """Totals that no country can have reported."""
    if cases < 0 or deaths < 0:
        return f"a total is negative: {cases} cases, {deaths} deaths"
    if cases > MOST_CASES:
        return f"{cases} cases are more than the country has people"
    if deaths > cases:
        return f"{deaths} deaths are more than the {cases} cases"
    return None


def doubtful(value: int, as_of: datetime.date, last_value: int, last_as_of: datetime.date) -> str | None:
    """What speaks against telling `value` after `last_value` has been told."""
    if value < last_value * (1 - MAY_FALL_BY):
        return f"{value} for {as_of} is more than {MAY_FALL_BY:.0%} below {last_value} for {last_as_of}"
    if as_of < last_as_of:
        return f"its last reported day {as_of} lies before {last_as_of}, which was told already"
    return None
