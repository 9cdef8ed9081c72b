"""What is told of all that is known: pure choice, with the day, the issuer and the address of every number.

A figure is one reading, or a sum of readings of one feed (seven days; the provinces that one of today's was before), or what a
total rose by within a week or a month. It is never a suspect reading, never from a day that is not over, never below zero, and
never a sum of which a part is missing.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal, Protocol, get_args

from bot.figures.checks import is_whole_country
from bot.figures.known import BULLETIN, Known, Mark, Stored
from bot.figures.readings import COUNTRY, Series

Group = Literal["cases", "vaccination"]
Period = Literal["today", "yesterday", "week", "last_week", "month", "total", "latest"]
Span = Literal["day", "week", "month", "total"]
# `nothing`: no figure of this place. `part_missing`: of a province that is summed over those of before, one has none.
# `other_window`: a figure, but not for what was asked (a week's where a day's was). `not_current`: the last one, and it is old.
Missing = Literal["nothing", "part_missing", "other_window", "not_current"]
Direction = Literal["more", "fewer", "same", "not_comparable"]
Ends = dict[datetime.date, "Figure"]

# The first metric leads; the others are told beside it only for the same day, from the same feed.
METRICS: Mapping[Group, tuple[str, ...]] = {"cases": ("cases", "deaths"), "vaccination": ("doses", "first_doses", "second_doses")}
# What is told, best first. "latest" is the total, with what was new beside it.
SPANS: Mapping[Period, tuple[Span, ...]] = {
    "today": ("day", "week", "total"),
    "yesterday": ("day", "week", "total"),
    "week": ("week", "total", "day"),
    "last_week": ("week", "total", "day"),
    "month": ("month", "week", "total", "day"),
    "total": ("total", "week", "day"),
    "latest": ("total", "week", "day"),
}
# An older figure is no answer to "now": it is told as the last one there is.
CURRENT: Mapping[Span, datetime.timedelta] = {
    "day": datetime.timedelta(days=7),
    "week": datetime.timedelta(days=28),
    "month": datetime.timedelta(days=28),
    "total": datetime.timedelta(days=28),
}
DAYS: Mapping[Span, int] = {"day": 1, "week": 7, "month": 30}
WEEKS_OF_A_MONTH = 4
# NCSC's totals are of the minute in which the province sent them.
HOURS_MAY_DIFFER_BY = datetime.timedelta(hours=1)
UNRANKED = 1_000
NOT_COMPARABLE: frozenset[Mark] = frozenset({"revised", "backlog"})


class Parts(Protocol):
    """What is needed of FigurePlaces."""

    def parts(self, key: str) -> tuple[str, ...]:
        """What a province of today was before July 2025; nothing for any other place."""


@dataclass(frozen=True)
class Asked:
    """`place`: a key of figure places. `compare`: with the week (the month) before is asked too."""

    metric_group: Group
    place: str
    period: Period
    compare: bool = False


@dataclass(frozen=True)
class Figure:
    """A number that may be told. `days`: how many it counts, None for a total. `starts_at`, `ends_at`: as in Window; a total with
    `starts_at` counts since then, not since the beginning.

    `summed_over`: the places whose numbers were added; empty for a place's own number. `stale_since`: the source has published
    nothing newer since then. `reading_ids`: the rows it stands on; those shipped with Loa have none.
    """

    metric: str
    place: str
    window_kind: Span
    as_of: datetime.date
    starts_at: datetime.datetime | None
    ends_at: datetime.datetime | None
    value: int
    issuer: str
    url: str
    fetched_at: datetime.datetime
    stale_since: datetime.date | None
    marks: frozenset[Mark]
    summed_over: tuple[str, ...]
    reading_ids: tuple[int, ...]
    feed: str
    days: int | None = None


@dataclass(frozen=True)
class Comparison:
    """Two windows of one length, one ending where the other starts. `ratio`: now to before, None where before was 0.

    `not_comparable`: days of before were corrected, or late reports lie in one of them. Then the two may also be totals.
    """

    before: Figure
    now: Figure
    change: int
    ratio: float | None
    direction: Direction


@dataclass(frozen=True)
class Told:
    """`figures`: nothing of them was guessed. `missing`: why they are not what was asked; `parts_missing`: of which provinces."""

    figures: tuple[Figure, ...] = ()
    missing: Missing | None = None
    comparison: Comparison | None = None
    parts_missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Choice:
    """A figure of the leading metric, with all that its feed has of the same kind for the same place."""

    figure: Figure
    ends: Ends
    rank: int

    @property
    def order(self) -> tuple[datetime.date, bool, int, datetime.datetime]:
        return self.figure.as_of, self.figure.feed == BULLETIN, -self.rank, self.figure.fetched_at


def tell(known: Known, asked: Asked, places: Parts, today: datetime.date) -> Told:
    """The figures for a question, newest complete day first. `today`: in Viet Nam."""
    teller = _Teller(known, asked.place, places.parts(asked.place), today)
    until = _until(asked.period, today)
    metrics = METRICS[asked.metric_group]
    chosen = teller.best(metrics, SPANS[asked.period], until)
    if chosen is None:
        parts_missing = teller.parts_missing(metrics[0])
        return Told(missing="part_missing" if parts_missing else "nothing", parts_missing=parts_missing)
    figures = teller.with_others(chosen, metrics)
    if asked.period == "latest" and chosen.figure.window_kind == "total":
        figures += teller.new_beside(chosen, metrics, until)
    comparison = teller.comparison(metrics[0], asked.period, until) if asked.compare else None
    return Told(figures, teller.missing(chosen.figure, asked.period), comparison)


def weeks_told(known: Known, metric: str, place: str, places: Parts, today: datetime.date) -> Mapping[datetime.date, Figure]:
    """All weeks of the feed whose newest week is told, by the day that they end on."""
    return _Teller(known, place, places.parts(place), today).weeks(metric)


def all_figures(known: Known, place: str, places: Parts, today: datetime.date) -> list[Figure]:
    """Every figure of a place that can be worked out of what is known, of all feeds, days and spans."""
    return _Teller(known, place, places.parts(place), today).all_figures()


def compared(known: Known, metric: str, asked: Asked, places: Parts, today: datetime.date) -> Comparison | None:
    """As the comparison of `tell`, for a metric that does not lead."""
    teller = _Teller(known, asked.place, places.parts(asked.place), today)
    return teller.comparison(metric, asked.period, _until(asked.period, today))


def _until(period: Period, today: datetime.date) -> datetime.date:
    """The last day that may be told. Last week ended on Sunday."""
    if period == "last_week":
        return today - datetime.timedelta(days=today.isoweekday())
    return today - datetime.timedelta(days=1) if period == "yesterday" else today


class _Teller:
    """All figures of one place, worked out as they are asked for."""

    def __init__(self, known: Known, place: str, parts: tuple[str, ...], today: datetime.date) -> None:
        self._known = known
        self._place = place
        self._parts = parts
        self._today = today
        self._readings = _by_series(_may_be_told(known.readings, self._is_needed, today))
        self._ends: dict[tuple[str, str, Span], Ends] = {}

    def _is_needed(self, place: str) -> bool:
        return place == self._place or place in self._parts or self._place == COUNTRY

    def best(self, metrics: Sequence[str], spans: Sequence[Span], until: datetime.date) -> _Choice | None:
        """The first of `spans` with a current figure; else the newest figure of any, of one day the total first."""
        for metric in metrics:
            choices = [choice for span in spans if (choice := self._newest(metric, span, until))]
            current = next((choice for choice in choices if self._is_current(choice.figure)), None)
            if choices:
                return current or max(choices, key=lambda c: (c.figure.as_of, c.figure.window_kind == "total"))
        return None

    def with_others(self, chosen: _Choice, metrics: Sequence[str]) -> tuple[Figure, ...]:
        """The other metrics beside the leading one: same feed, same day, same kind, or not at all."""
        lead = chosen.figure
        others = (self._of(lead.feed, metric, lead.window_kind).get(lead.as_of) for metric in metrics if metric != lead.metric)
        return (lead, *(other for other in others if other and _is_beside(other, lead)))

    def new_beside(self, chosen: _Choice, metrics: Sequence[str], until: datetime.date) -> tuple[Figure, ...]:
        """What was new lately, told with a total."""
        new = self.best([chosen.figure.metric], ("week", "day"), until)
        return self.with_others(new, metrics) if new and self._is_current(new.figure) else ()

    def weeks(self, metric: str) -> Ends:
        choice = self._newest(metric, "week", self._today)
        return choice.ends if choice else {}

    def all_figures(self) -> list[Figure]:
        told_of = sorted({(series.feed, series.metric) for series in self._readings})
        spans: tuple[Span, ...] = get_args(Span)
        return [figure for feed, metric in told_of for span in spans for figure in self._of(feed, metric, span).values()]

    def missing(self, figure: Figure, period: Period) -> Missing | None:
        if not self._is_current(figure):
            return "not_current"
        return None if figure.window_kind == SPANS[period][0] else "other_window"

    def comparison(self, metric: str, period: Period, until: datetime.date) -> Comparison | None:
        """The newest week (or month) beside the one before it, while they are current. Where there is none because a total
        fell: the two totals, not to be compared."""
        span: Span = "month" if period == "month" else "week"
        days = datetime.timedelta(days=DAYS[span])
        choice = self._newest(metric, span, until)
        total = self._newest(metric, "total", until)
        if choice is None or not self._is_current(choice.figure):
            before = total and total.ends.get(total.figure.as_of - days)
            fell = total and before and self._is_current(total.figure) and before.value > total.figure.value
            return _compared(before, total.figure) if total and before and fell else None
        now = choice.figure
        before = choice.ends.get(now.as_of - datetime.timedelta(days=now.days or 0))
        return _compared(before, now) if before and before.days == now.days else None

    def parts_missing(self, metric: str) -> tuple[str, ...]:
        """Of the feed that knows most of the parts: which it does not know. All known, but never for one day: those behind."""
        feeds = {series.feed for series in self._readings}
        if not self._parts or not feeds:
            return ()
        feed = max(sorted(feeds), key=lambda feed: len(self._last_days(feed, metric)))
        last_days = self._last_days(feed, metric)
        newest = max(last_days.values(), default=None)
        unknown = tuple(part for part in self._parts if part not in last_days)
        return unknown or tuple(part for part in self._parts if last_days[part] != newest)

    def _last_days(self, feed: str, metric: str) -> dict[str, datetime.date]:
        days: dict[str, datetime.date] = {}
        for series, readings in self._readings.items():
            if (series.feed, series.metric) == (feed, metric) and series.place in self._parts:
                days[series.place] = max([*readings, days.get(series.place, datetime.date.min)])
        return days

    def _is_current(self, figure: Figure) -> bool:
        return figure.stale_since is None and self._today - figure.as_of <= CURRENT[figure.window_kind]

    def _newest(self, metric: str, span: Span, until: datetime.date) -> _Choice | None:
        choices = []
        for feed in sorted({series.feed for series in self._readings}):
            ends = self._of(feed, metric, span)
            if days := [day for day in ends if day <= until]:
                choices.append(_Choice(ends[max(days)], ends, self._known.ranks.get(feed, UNRANKED)))
        return max(choices, key=lambda choice: choice.order, default=None)

    def _of(self, feed: str, metric: str, span: Span) -> Ends:
        """All figures of a span: as published, else added up of days or weeks, else what the total rose by."""
        key = (feed, metric, span)
        if key not in self._ends:
            self._ends[key] = self._worked_out(feed, metric, span)
        return self._ends[key]

    def _worked_out(self, feed: str, metric: str, span: Span) -> Ends:
        if span in {"total", "day"}:
            return self._published(feed, metric, span)
        rises = _rises(self._of(feed, metric, "total"), span)
        sums = _sums(self._of(feed, metric, "day"), span, DAYS[span])
        weeks = self._published(feed, metric, "week")
        return {**rises, **weeks, **sums} if span == "week" else {**_sums(weeks, span, WEEKS_OF_A_MONTH), **rises, **sums}

    def _published(self, feed: str, metric: str, kind: str) -> Ends:
        """The place's own numbers of a feed; where it has none, sums over its parts."""
        if own := self._own(feed, metric, self._place, kind):
            return own
        places = self._parts or (self._provinces(feed, metric) if self._place == COUNTRY else ())
        of_parts = [self._own(feed, metric, place, kind) for place in places]
        days = set.intersection(*map(set, of_parts)) if of_parts else set()
        columns = ([ends[day] for ends in of_parts] for day in sorted(days))
        return {column[0].as_of: _over_places(column, self._place, places) for column in columns if _is_one_window(column)}

    def _own(self, feed: str, metric: str, place: str, kind: str) -> Ends:
        readings = self._readings.get(Series(feed, metric, place, kind), {})
        return {day: self._figure(reading) for day, reading in readings.items()}

    def _provinces(self, feed: str, metric: str) -> tuple[str, ...]:
        """All provinces that a feed has figures of, with the row of those whose province is not known; none if one is missing."""
        places = {series.place for series in self._readings if (series.feed, series.metric) == (feed, metric)}
        return tuple(sorted(places)) if is_whole_country(places) else ()

    def _figure(self, reading: Stored) -> Figure:
        kind = reading.window.kind
        return Figure(
            metric=reading.metric,
            place=reading.place,
            window_kind=kind,
            as_of=reading.as_of,
            starts_at=reading.window.starts_at,
            ends_at=reading.window.ends_at,
            value=reading.value,
            issuer=reading.issuer,
            url=reading.url,
            fetched_at=reading.fetched_at,
            stale_since=self._known.stale.get(reading.series),
            marks=reading.marks,
            summed_over=(),
            reading_ids=() if reading.id is None else (reading.id,),
            feed=reading.feed,
            days=DAYS.get(kind),
        )


def _may_be_told(readings: Iterable[Stored], is_needed: Callable[[str], bool], today: datetime.date) -> Iterator[Stored]:
    """Good, not negative, and of a day that is over (a window of hours may end within today)."""
    for reading in readings:
        is_over = reading.as_of < today or (reading.as_of == today and reading.window.ends_at is not None)
        if is_needed(reading.place) and is_over and reading.verdict == "good" and reading.value >= 0:
            yield reading


def _by_series(readings: Iterable[Stored]) -> dict[Series, dict[datetime.date, Stored]]:
    """One reading for each day of a series (ascending): the newest version."""
    series: dict[Series, dict[datetime.date, Stored]] = {}
    for reading in sorted(readings, key=lambda r: (r.as_of, r.id or 0, r.fetched_at)):
        series.setdefault(reading.series, {})[reading.as_of] = reading
    return series


def _sums(ends: Ends, span: Span, count: int) -> Ends:
    """Sums of `count` windows that follow each other without a gap or an overlap."""
    figures = [ends[day] for day in sorted(ends)]
    sums = (figures[last - count : last] for last in range(count, len(figures) + 1))
    return {windows[-1].as_of: _over_time(windows, span) for windows in sums if all(map(_follows, windows, windows[1:]))}


def _follows(before: Figure, after: Figure) -> bool:
    days = datetime.timedelta(days=after.days or 0)
    return after.as_of - before.as_of == days and before.ends_at == after.starts_at


def _over_time(windows: Sequence[Figure], span: Span) -> Figure:
    return replace(
        _together(windows),
        window_kind=span,
        as_of=windows[-1].as_of,
        starts_at=windows[0].starts_at,
        ends_at=windows[-1].ends_at,
        value=sum(figure.value for figure in windows),
        days=sum(figure.days or 0 for figure in windows),
    )


def _over_places(column: Sequence[Figure], place: str, places: tuple[str, ...]) -> Figure:
    together = _together(column)
    # A sum of a few parts is no newer than the oldest of them; that one of 63 provinces is silent does not stop the country.
    stand_still = [figure.stale_since for figure in column if figure.stale_since]
    stale_since = together.stale_since if place != COUNTRY else max(stand_still) if len(stand_still) == len(column) else None
    return replace(
        together,
        place=place,
        ends_at=min((figure.ends_at for figure in column if figure.ends_at), default=None),
        value=sum(figure.value for figure in column),
        summed_over=places,
        stale_since=stale_since,
    )


def _rises(totals: Ends, span: Span) -> Ends:
    """What totals rose by within the days of `span`; nothing up to a day whose total was taken back later."""
    days = sorted(totals)
    lowest_later = dict(zip(reversed(days), accumulate((totals[day].value for day in reversed(days)), min), strict=True))
    length = datetime.timedelta(days=DAYS[span])
    rises: Ends = {}
    for last in days:
        before, now = totals.get(last - length), totals[last]
        if before is None or not _ends_before(before, now, length) or not before.value <= now.value <= lowest_later[last]:
            continue
        within = [totals[day] for day in days if last - length < day <= last]
        marks = frozenset(mark for figure in within for mark in figure.marks)
        if any(earlier.value > later.value for earlier, later in pairwise([before, *within])):
            marks |= {"revised"}
        rises[last] = replace(
            _together([before, now]),
            window_kind=span,
            starts_at=before.ends_at,
            value=now.value - before.value,
            days=DAYS[span],
            marks=marks,
        )
    return rises


def _ends_before(before: Figure, now: Figure, length: datetime.timedelta) -> bool:
    """Whether the totals began together and end about the same hour; with neither's hour known, at midnight."""
    if before.starts_at != now.starts_at or before.ends_at is None or now.ends_at is None:
        return (before.starts_at, before.ends_at) == (now.starts_at, now.ends_at)
    return abs(now.ends_at - before.ends_at - length) <= HOURS_MAY_DIFFER_BY


def _together(figures: Sequence[Figure]) -> Figure:
    """The last figure with what is true of all: every mark and row, the last fetching, the first standing still."""
    return replace(
        figures[-1],
        fetched_at=max(figure.fetched_at for figure in figures),
        stale_since=min((figure.stale_since for figure in figures if figure.stale_since), default=None),
        marks=frozenset(mark for figure in figures for mark in figure.marks),
        reading_ids=tuple(number for figure in figures for number in figure.reading_ids),
    )


def _is_one_window(column: Sequence[Figure]) -> bool:
    """Totals of one day may have been counted up to different hours of it; days and weeks may not."""
    first = column[0]
    return all(
        (figure.days, figure.starts_at) == (first.days, first.starts_at)
        and (figure.ends_at == first.ends_at or figure.days is None)
        for figure in column
    )


def _is_beside(other: Figure, lead: Figure) -> bool:
    return (other.days, other.ends_at, other.summed_over) == (lead.days, lead.ends_at, lead.summed_over)


def _compared(before: Figure, now: Figure) -> Comparison:
    change = now.value - before.value
    ratio = now.value / before.value if before.value else None
    direction: Direction = "same" if not change else "more" if change > 0 else "fewer"
    if now.window_kind == "total" or (before.marks | now.marks) & NOT_COMPARABLE:
        direction, ratio = "not_comparable", None
    return Comparison(before, now, change, ratio, direction)
