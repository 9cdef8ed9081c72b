"""What stands on /insights/figures, put together from what is known: newest figures, weeks, table, and the work of the staff."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.figures import acceptance, bulletins
from bot.figures.acceptance import Acceptance, Held
from bot.figures.bulletins import Bulletin
from bot.figures.gate import Judged
from bot.figures.known import BULLETIN, Known, Stored
from bot.figures.places import FigurePlaces
from bot.figures.readings import COUNTRY, Reading
from bot.figures.store import READ_MILLISECONDS, connected, read_known
from bot.figures.told import Asked, Figure, Group, Told, tell
from bot.figures.weeks import as_value, weekly
from bot.insights import spoken
from bot.languages.figure_lines import picture_words
from bot.staff.layout import day

if TYPE_CHECKING:
    from bot.figures.attempts import FeedStatus

CHART_METRICS = ("cases", "deaths", "doses")
WEEKS = 8
FEW_ROWS = 16
MOST_ROWS = 400
MOST_SUSPECTS = 30
MOST_REASONS = 4
MOST_PROPOSALS = 60
MOST_BULLETINS = 15


@dataclass(frozen=True)
class Row:
    """One number with all that is said beside it."""

    label: str
    window: str
    value: int
    issuer: str
    url: str
    fetched_at: datetime.datetime
    marks: Sequence[str]
    place: str


@dataclass(frozen=True)
class Chart:
    url: str
    alt: str


@dataclass(frozen=True)
class View:
    """The public part."""

    place: str
    place_name: str
    newest: Sequence[Row]
    remarks: Sequence[str]
    charts: Sequence[Chart]
    rows: Sequence[Row]
    older: int
    is_shipped_only: bool

    @property
    def is_empty(self) -> bool:
        return not self.newest and not self.rows


@dataclass(frozen=True)
class Proposal:
    """`doubts`: why the gate would not let it pass; `remarks`: what it only notes; `replaces`: the bulletin it corrects."""

    bulletin: Bulletin
    place_name: str
    window: str
    doubts: Sequence[str] = ()
    remarks: Sequence[str] = ()
    replaces: int | None = None


@dataclass(frozen=True)
class Suspect:
    """A series that is kept back: its newest number, and how many there are from which day to which."""

    row: Row
    reasons: Sequence[str]
    held: Held
    first: datetime.date
    last: datetime.date


@dataclass(frozen=True)
class LetThrough:
    """What two people let be told although the gate doubted it."""

    acceptance: Acceptance
    label: str
    place_name: str


@dataclass(frozen=True)
class Work:
    """The staff's part."""

    feeds: Sequence[FeedStatus] = ()
    suspects: Sequence[Suspect] = ()
    more_suspects: int = 0
    proposals: Sequence[Proposal] = ()
    more_proposals: int = 0
    recent: Sequence[Proposal] = ()
    accepted: Sequence[LetThrough] = ()

    def may_pick(self, name: str) -> int:
        """How many proposals this person could approve together."""
        return sum(not one.doubts and one.bulletin.entered_by != name for one in self.proposals)


class FiguresView:
    """Reads and arranges; everything here blocks, so call it in a thread. `fragments`: the words of the pictures."""

    def __init__(self, root: Path, url: str, words: Mapping[str, Any], fragments: Mapping[str, str]) -> None:
        self._root, self._url, self._words, self._fragments = root, url, words, fragments
        self.places = FigurePlaces.below(root)

    def name(self, key: str) -> str:
        unit = self.places.unit(key)
        return str(self._words["until_2025_name"]).format(name=unit.name) if unit.era == "until_2025" else unit.name

    def public(self, place: str, today: datetime.date, most_rows: int = FEW_ROWS) -> View:
        known = read_known(self._url, self._root)
        groups: tuple[Group, ...] = ("cases", "vaccination")
        told = {group: tell(known, Asked(group, place, "latest"), self.places, today) for group in groups}
        found = [figure for part in told.values() for figure in part.figures]
        held = _newest_first(known, {place, *self.places.parts(place)})
        return View(
            place=place,
            place_name=self.name(place),
            newest=[self._figure(figure) for figure in found],
            remarks=self._remarks(told, place),
            charts=self._charts(known, place, today),
            rows=[self._reading(reading, known) for reading in held[:most_rows]],
            older=max(0, len(held) - most_rows),
            is_shipped_only=bool(held) and all(reading.id is None for reading in held),
        )

    def work(self) -> Work:
        """Raises psycopg.Error when the database is away."""
        from bot.figures.attempts import status  # here: it brings the HTTP library, which no citizen's page needs

        feeds = status(self._url)
        with connected(self._url, READ_MILLISECONDS * 2) as connection:
            waiting, all_waiting = bulletins.waiting(connection, MOST_PROPOSALS)
            before = bulletins.known_before(connection) if waiting else None
            proposals = [
                self._proposal(one, bulletins.doubts(connection, one, history=before), bulletins.corrected_by(connection, one))
                for one in waiting
            ]
            held = acceptance.held(connection)
            accepted = acceptance.acceptances(connection, "accepted", MOST_BULLETINS)
            recent = [one for one in bulletins.bulletins(connection, limit=MOST_BULLETINS * 2) if one.state != "proposed"]
        return Work(
            feeds,
            [self._suspect(one) for one in held[:MOST_SUSPECTS]],
            max(0, len(held) - MOST_SUSPECTS),
            proposals,
            all_waiting - len(proposals),
            [self._proposal(one) for one in recent[:MOST_BULLETINS]],
            [self._let_through(one) for one in accepted],
        )

    def _suspect(self, held: Held) -> Suspect:
        days = [reading.as_of for reading in held.readings]
        newest = max(held.readings, key=lambda reading: reading.as_of)
        return Suspect(self._plain(newest), self.reasons(held.reasons[:MOST_REASONS]), held, min(days), max(days))

    def _let_through(self, one: Acceptance) -> LetThrough:
        label = spoken.label(one.series.metric, one.series.kind, self._words)
        return LetThrough(one, label, self.name(one.series.place))

    def reasons(self, sentences: Sequence[str]) -> list[str]:
        return [spoken.reason(sentence, self._words) or sentence for sentence in sentences]

    def _proposal(self, bulletin: Bulletin, judged: Sequence[Judged] = (), replaces: int | None = None) -> Proposal:
        return Proposal(
            bulletin,
            self.name(bulletin.draft.place),
            spoken.window(bulletin.readings[0], self._words),
            list(dict.fromkeys(text for one in judged if one.verdict != "good" for text in self.reasons(one.reasons))),
            list(dict.fromkeys(text for one in judged if one.verdict == "good" for text in self.reasons(one.reasons))),
            replaces,
        )

    def _figure(self, figure: Figure) -> Row:
        marks = self._marks(figure.marks, figure.stale_since)
        if figure.feed == BULLETIN:
            marks.append(str(self._words["bulletin_mark"]))
        if figure.summed_over:
            parts = ", ".join(self.name(part) for part in figure.summed_over)
            marks.append(str(self._words["summed"]).format(parts=parts))
        return Row(
            spoken.label(figure.metric, figure.window_kind, self._words),
            spoken.window(figure, self._words),
            figure.value,
            figure.issuer,
            figure.url,
            figure.fetched_at,
            marks,
            self.name(figure.place),
        )

    def _reading(self, reading: Stored, known: Known) -> Row:
        stale = known.stale.get(reading.series)
        is_last = stale is not None and reading.as_of >= stale
        return self._plain(reading, self._marks(reading.marks, stale if is_last else None))

    def _plain(self, reading: Reading, marks: Sequence[str] = ()) -> Row:
        return Row(
            spoken.label(reading.metric, reading.window.kind, self._words),
            spoken.window(reading, self._words),
            reading.value,
            reading.issuer,
            reading.url,
            reading.fetched_at,
            marks,
            self.name(reading.place),
        )

    def _marks(self, marks: frozenset[Any], stale_since: datetime.date | None) -> list[str]:
        said = [str(self._words["marks"][mark]) for mark in sorted(marks)]
        if stale_since:
            said.append(str(self._words["stale"]).format(day=day(stale_since)))
        return said

    def _remarks(self, told: Mapping[Group, Told], place: str) -> list[str]:
        """A sum of which every part is missing is no sum: nothing is known then, and that is said elsewhere."""
        said = []
        for group, part in told.items():
            template = self._words["missing"].get(part.missing or "")
            if template and len(part.parts_missing) < max(1, len(self.places.parts(place))):
                parts = ", ".join(self.name(missing) for missing in part.parts_missing)
                given = {"group": self._words["metric_groups"][group], "place": self.name(place), "parts": parts}
                said.append(str(template).format(**given))
        return said

    def _charts(self, known: Known, place: str, today: datetime.date) -> list[Chart]:
        charts = []
        for metric in CHART_METRICS:
            found = weekly(known, metric, place, self.places, weeks=WEEKS, today=today)
            if found and sum(bar.value is not None for bar in found.bars) > 1:
                alt = str(picture_words(as_value(found, self.places), self._fragments)["alt"])
                charts.append(Chart(f"/figures/{place}/{metric}.svg?weeks={WEEKS}", alt))
        return charts


def _newest_first(known: Known, places: set[str]) -> list[Stored]:
    """What may be told of these places: of one day the place of today before its parts, cases before doses."""
    held = [reading for reading in known.readings if reading.place in places and reading.verdict == "good"]
    return sorted(held, key=lambda r: (-r.as_of.toordinal(), r.place != COUNTRY, r.place, r.metric, r.window.kind, r.feed))
