"""The gate: every reading of a document is judged before it may be told. What is suspect is kept, and never told.

Three rounds, so that one fault does not hide behind another: what is not finished; what cannot be true by itself or beside the
rest of the document; what does not fit the readings of before. The rules are those of `checks`; each stands here once, in a
table, so that a test can take it away.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from bot.figures import checks
from bot.figures.checks import Day
from bot.figures.known import BULLETIN, History, Mark, Stored, Verdict
from bot.figures.places import FigurePlaces
from bot.figures.readings import COUNTRY, Batch, Reading, Series

NOBODY_COUNTED: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Judged:
    """A reading and whether it may be told. `reasons`: why not, or why with a mark, one sentence each, for the log."""

    reading: Reading
    verdict: Verdict
    marks: frozenset[Mark] = frozenset()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a check has to say about a reading: a verdict, or only a mark."""

    reading: Reading
    reason: str
    verdict: Verdict = "good"
    mark: Mark | None = None


@dataclass(frozen=True)
class Document:
    """The readings of a batch that are looked at together, and what they are held against."""

    readings: Sequence[Reading]
    history: History
    today: datetime.date
    people: Mapping[str, int]

    def by_series(self) -> dict[Series, list[Reading]]:
        """Ascending by day."""
        series: dict[Series, list[Reading]] = {}
        for reading in sorted(self.readings, key=lambda reading: reading.as_of):
            series.setdefault(reading.series, []).append(reading)
        return series

    def before(self, series: Series) -> Sequence[Reading]:
        return self.history.series(series.feed, series.metric, series.place, series.kind)

    def by_day(self) -> dict[tuple[str, str, datetime.date], dict[str, Reading]]:
        """Metric, kind and day → place → reading."""
        days: dict[tuple[str, str, datetime.date], dict[str, Reading]] = {}
        for reading in self.readings:
            days.setdefault((reading.metric, reading.window.kind, reading.as_of), {})[reading.place] = reading
        return days


@dataclass
class Beside:
    """What one reading of a series stands among: the good ones so far (`days` ascending) and its document's own (ascending)."""

    by_day: dict[datetime.date, Reading]
    days: list[datetime.date]
    document: Mapping[datetime.date, Reading]

    def earlier(self, day: datetime.date, within: datetime.timedelta | None = None) -> list[Reading]:
        """Ascending; all, or those of so long before `day`."""
        first = bisect_left(self.days, day - within) if within else 0
        return [self.by_day[known] for known in self.days[first : bisect_left(self.days, day)]]

    def last_before(self, day: datetime.date) -> Reading | None:
        place = bisect_left(self.days, day)
        return self.by_day[self.days[place - 1]] if place else None

    def told_later(self, day: datetime.date) -> Reading | None:
        """The first reading of a later day that this document does not hold."""
        later = (known for known in self.days[bisect_left(self.days, day) :] if known > day)
        return next((self.by_day[known] for known in later if known not in self.document), None)

    def next_in_document(self, day: datetime.date) -> Reading | None:
        return next((reading for later, reading in self.document.items() if later > day), None)

    def add(self, reading: Reading) -> None:
        if reading.as_of not in self.by_day:
            insort(self.days, reading.as_of)
        self.by_day[reading.as_of] = reading


@dataclass
class _Notes:
    """What the rounds have found so far. `accepted`: readings that two people let be told: doubts about them are noted only."""

    accepted: frozenset[Reading]
    findings: dict[Reading, list[Finding]] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            is_settled = finding.verdict == "suspect" and finding.reading in self.accepted
            kept = replace(finding, verdict="good") if is_settled else finding
            self.findings.setdefault(finding.reading, []).append(kept)

    def verdict(self, reading: Reading) -> Verdict:
        verdicts = {finding.verdict for finding in self.findings.get(reading, ())}
        return "incomplete" if "incomplete" in verdicts else "suspect" if "suspect" in verdicts else "good"

    def judged(self, reading: Reading) -> Judged:
        findings = self.findings.get(reading, ())
        marks = frozenset[Mark](finding.mark for finding in findings if finding.mark)
        if reading in self.accepted:
            marks |= {"accepted"}
        return Judged(reading, self.verdict(reading), marks, tuple(dict.fromkeys(finding.reason for finding in findings)))


def people_of(places: FigurePlaces) -> dict[str, int]:
    """How many people live in each place of figures, for `judge`."""
    units = [*places.all("today"), *places.all("until_2025"), places.unit(COUNTRY)]
    return {unit.key: unit.population for unit in units if unit.population}


def judge(batch: Batch, history: History, today: datetime.date, people: Mapping[str, int] = NOBODY_COUNTED) -> list[Judged]:
    """Every reading of `batch` with its verdict. `today`: in Viet Nam. `people`: of each place, where known."""
    readings = list(dict.fromkeys(batch.readings))
    notes = _Notes(_accepted(readings, history))
    for round_of_checks in (UNFINISHED_CHECKS, DOCUMENT_CHECKS):
        document = Document([r for r in readings if notes.verdict(r) == "good"], history, today, people)
        for check in round_of_checks:
            notes.add(check(document))
    left = Document([r for r in readings if notes.verdict(r) == "good"], history, today, people)
    for series, of_series in left.by_series().items():
        _judge_in_order(of_series, left.before(series), notes)
    return [notes.judged(reading) for reading in readings]


def _accepted(readings: Iterable[Reading], history: History) -> frozenset[Reading]:
    """Those that say again a number that two people let be told (bot/figures/acceptance.py)."""
    known: dict[Series, dict[tuple[datetime.date, int], Reading]] = {}
    for series in {reading.series for reading in readings}:
        before = history.series(series.feed, series.metric, series.place, series.kind)
        known[series] = {(r.as_of, r.value): r for r in before if isinstance(r, Stored) and "accepted" in r.marks}
    return frozenset(reading for reading in readings if (reading.as_of, reading.value) in known[reading.series])


def series_states(
    batch: Batch, judged: Iterable[Judged], history: History, today: datetime.date
) -> dict[Series, datetime.date | None]:
    """Since when each series of the batch is not updated; None where it is. The same number in bulletin after bulletin was
    entered each time by two people, so it stands still only when no bulletin comes."""
    days = _good_days(batch, judged, history)
    newest_rows = {series: min(row, today) for series, row in _newest_rows(batch).items()}
    moved = {series: _moved_on(of) for series, of in days.items() if of}
    newest = max(newest_rows.values(), default=today)
    moving = {series for series, day in moved.items() if newest - day < checks.STALE_AFTER}
    return {
        series: checks.stopped(of, newest_rows[series], today, kind=series.kind)
        or (
            None
            if batch.feed == BULLETIN
            else _stands_still(of, series.kind, history.stale_since(series), others_move=bool(moving - {series}))
        )
        for series, of in days.items()
    }


def _newest_rows(batch: Batch) -> dict[Series, datetime.date]:
    """As the adapter says, or the newest day with a reading."""
    newest: dict[Series, datetime.date] = {}
    for reading in batch.readings:
        newest[reading.series] = max(reading.as_of, newest.get(reading.series, reading.as_of))
    return {**newest, **batch.newest_rows}


def _good_days(batch: Batch, judged: Iterable[Judged], history: History) -> dict[Series, list[Day]]:
    good: dict[Series, dict[datetime.date, int]] = {}
    for series in {*batch.newest_rows, *(reading.series for reading in batch.readings)}:
        before = history.series(series.feed, series.metric, series.place, series.kind)
        good[series] = {reading.as_of: reading.value for reading in before}
    for one in judged:
        if one.verdict == "good":
            good[one.reading.series][one.reading.as_of] = one.reading.value
        elif good[one.reading.series].get(one.reading.as_of) == one.reading.value:
            # The number that was believed is not any more; another one would leave it as the last good one.
            del good[one.reading.series][one.reading.as_of]
    return {series: sorted(days.items()) for series, days in good.items()}


def _stands_still(
    days: Sequence[Day], kind: str, known_since: datetime.date | None, *, others_move: bool
) -> datetime.date | None:
    since = checks.stands_still(days, kind=kind)
    if since is None or (others_move and checks.is_quiet(days, since, kind=kind)):
        return None
    # Nothing that is remembered is older: then it stands still since it was first known to.
    return min(since, known_since or since) if since == days[0][0] else since


def _moved_on(days: Sequence[Day]) -> datetime.date:
    """The first day with the value of the last."""
    moved = days[-1]
    for day in reversed(days):
        if day[1] != moved[1]:
            break
        moved = day
    return moved[0]


def _judge_in_order(readings: Sequence[Reading], before: Sequence[Reading], notes: _Notes) -> None:
    """The readings of one series, oldest first, each beside the good ones."""
    beside = Beside(
        {reading.as_of: reading for reading in before},
        [reading.as_of for reading in before],
        {reading.as_of: reading for reading in readings},
    )
    for reading in readings:
        for check in SERIES_CHECKS:
            notes.add(check(reading, beside))
        if notes.verdict(reading) == "good":
            beside.add(reading)


def still_running(document: Document) -> Iterator[Finding]:
    for reading in document.readings:
        if reason := checks.unfinished_day(reading, document.today):
            yield Finding(reading, reason, "incomplete")


def not_filled_in(document: Document) -> Iterator[Finding]:
    """Zeros at the end of a daily series that follow a week without zeros; for totals: the same total repeated."""
    finished = Document(
        [r for r in document.readings if not checks.unfinished_day(r, document.today)],
        document.history,
        document.today,
        document.people,
    )
    for series, readings in finished.by_series().items():
        if series.kind == "week":
            continue
        values = {reading.as_of: reading.value for reading in [*finished.before(series), *readings]}
        days = sorted(values.items())
        unfilled = set(checks.unfilled_days(checks.rises(days) if series.kind == "total" else days))
        for reading in readings:
            if reading.as_of in unfilled:
                yield Finding(reading, f"nothing new on {reading.as_of}, after a week without such a day", "incomplete")


def not_sane(document: Document) -> Iterator[Finding]:
    for reading in document.readings:
        if reason := checks.sane_number(reading, document.people.get(reading.place)):
            is_negative_day = reading.value < 0 and reading.window.kind != "total"
            yield Finding(reading, reason, "suspect", "negative_day" if is_negative_day else None)


def said_twice(document: Document) -> Iterator[Finding]:
    """Two numbers for one place and day: which is meant cannot be known (NCSC's number 20 answers with number 1)."""
    by_key: dict[tuple[Series, datetime.date], list[Reading]] = {}
    for reading in document.readings:
        by_key.setdefault((reading.series, reading.as_of), []).append(reading)
    for readings in by_key.values():
        if len({reading.value for reading in readings}) > 1:
            values = ", ".join(str(reading.value) for reading in readings)
            yield from (Finding(reading, f"the document says {values} for one day", "suspect") for reading in readings)


def contradictory(document: Document) -> Iterator[Finding]:
    """Totals of one place and day of which one is a part of the other."""
    days = document.by_day()
    for (metric, kind, day), parts in days.items():
        wholes = days.get((checks.PART_OF.get(metric, ""), kind, day), {}) if kind == "total" else {}
        for place, part in parts.items():
            whole = wholes.get(place)
            if whole and (reason := checks.contradiction(metric, part.value, whole.value)):
                yield Finding(part, reason, "suspect")
                yield Finding(whole, reason, "suspect")


def more_new_than_ever(document: Document) -> Iterator[Finding]:
    """More in a day or a week than since the beginning."""
    days = document.by_day()
    for (metric, kind, day), news in days.items():
        totals = days.get((metric, "total", day), {}) if kind != "total" else {}
        for place, new in news.items():
            if place in totals and new.value > totals[place].value:
                yield Finding(new, f"{new.value} are more than the {totals[place].value} since the beginning", "suspect")


def not_adding_up(document: Document) -> Iterator[Finding]:
    """The country and its provinces do not agree: one of them is wrong, so neither is told, nor any sum of them."""
    for by_place in document.by_day().values():
        national = by_place.get(COUNTRY)
        provinces = {place: reading.value for place, reading in by_place.items() if place != COUNTRY}
        if national and (reason := checks.sum_of_provinces(national.value, provinces)):
            yield from (Finding(reading, reason, "suspect") for reading in by_place.values())


def fallen(reading: Reading, beside: Beside) -> Iterator[Finding]:
    """A total below the one before it, or below what was told for its own day; or above what is told for a later day."""
    if reading.window.kind != "total":
        return
    earlier = [beside.last_before(reading.as_of), beside.by_day.get(reading.as_of)]
    pairs = [(reading, other) for other in earlier if other] + [
        (other, reading) for other in [beside.told_later(reading.as_of)] if other
    ]
    for later, before in pairs:
        fall = checks.falling_total(later.value, before.value)
        reason = f"{later.value} for {later.as_of} after {before.value} for {before.as_of}"
        if fall:
            yield Finding(reading, reason, "suspect" if fall == "suspect" else "good", "revised")


def fallen_back(reading: Reading, beside: Beside) -> Iterator[Finding]:
    """A total that the next day of the same document goes back behind, to where the series was: a slip of one day."""
    before = beside.last_before(reading.as_of)
    after = beside.next_in_document(reading.as_of)
    if reading.window.kind != "total" or before is None or after is None:
        return
    if (
        checks.falling_total(after.value, reading.value) == "suspect"
        and checks.falling_total(after.value, before.value) != "suspect"
    ):
        yield Finding(reading, f"{reading.value} for {reading.as_of}, and {after.value} for {after.as_of}", "suspect")


def published_again(reading: Reading, beside: Beside) -> Iterator[Finding]:
    """Another number for a day that had one: a correction. It stays one when the document is read once more."""
    known = beside.by_day.get(reading.as_of)
    if known is None:
        return
    if known.value == reading.value:
        if isinstance(known, Stored) and "revised" in known.marks:
            yield Finding(reading, f"{reading.as_of} was corrected earlier", mark="revised")
    elif reading.window.kind != "total" and (reason := checks.emptied(reading.value, known.value)):
        yield Finding(reading, f"{reason} for {reading.as_of}", "suspect", "revised")
    else:
        yield Finding(reading, f"{reading.value} for {reading.as_of} instead of {known.value}", mark="revised")


def many_at_once(reading: Reading, beside: Beside) -> Iterator[Finding]:
    """More than ten times what is usual; of a total: what it rose by, a day."""
    kind = reading.window.kind
    earlier = beside.earlier(reading.as_of, checks.FOUR_WEEKS)
    if kind == "total":
        *before, (_, new) = _paces([*earlier, reading]) or [(reading.as_of, 0.0)]
    else:
        before, new = [(other.as_of, float(other.value)) for other in earlier], float(reading.value)
    if checks.backlog(new, [usual for _, usual in before], kind):
        yield Finding(reading, f"{new:.0f} new for {reading.as_of} are more than ten times the usual", mark="backlog")


def _paces(totals: Sequence[Reading]) -> list[tuple[datetime.date, float]]:
    """How much totals (ascending) rose by a day, between one and the next."""
    return [(later.as_of, (later.value - before.value) / (later.as_of - before.as_of).days) for before, later in pairwise(totals)]


UNFINISHED_CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (still_running, not_filled_in)
DOCUMENT_CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    not_sane,
    said_twice,
    contradictory,
    more_new_than_ever,
    not_adding_up,
)
SERIES_CHECKS: tuple[Callable[[Reading, Beside], Iterator[Finding]], ...] = (fallen, fallen_back, published_again, many_at_once)
