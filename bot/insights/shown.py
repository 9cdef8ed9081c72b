"""The counts as staff see them: tiles with what changed, and pictures with their tables. Cells under five are hidden. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.campaigns.tables import FEW, Cell, hidden, shown
from bot.insights import drawing
from bot.insights.drawing import Series
from bot.insights.named import Namer
from bot.insights.numbers import NONE, OUTCOMES, Counts, Span, changed, up_to
from bot.insights.rollups import BOUNDS, ENDLESS

MOST_BARS = 12
WAIT_STEPS = (60, 300, 900, 1800, 3600, 14400, 86400, ENDLESS)
BETTER, WORSE, NEITHER = "better", "worse", ""
# Points of a share; less is chance and gets no colour.
NOTABLE = 2
NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Tile:
    """`judged`: whether the change is for the better or the worse, "" for neither."""

    name: str
    value: str
    change: str
    judged: str = NEITHER


@dataclass(frozen=True)
class Picture:
    """`rows`: the table under it; `draw` takes a while and belongs into a thread."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    draw: Callable[[], bytes]


class View:
    """`before`: as many days before the span's."""

    def __init__(self, span: Span, before: Span, words: Mapping[str, Any], namer: Namer) -> None:
        self.span, self.before, self._words, self._namer = span, before, words, namer

    def tiles(self) -> list[Tile]:
        spans = (self.span, self.before)
        by_bot, understood, fallback, refused = (
            [span.share(part, whole) for span in spans]
            for part, whole in (
                ("by_bot", "conversations"), ("understood", "typed"), ("fallback", "questions"), ("refused", "questions")
            )
        )  # fmt: skip
        wait, answer = [up_to(span.waits, 0.5) for span in spans], [up_to(span.answer_times, 0.95) for span in spans]
        return [
            self._counted("messages", *(span.a_day("messages") for span in spans)),
            self._counted("conversations", *(span.a_day("conversations") for span in spans)),
            self._shared("by_bot", by_bot, BETTER),
            self._shared("understood", understood, BETTER),
            self._shared("fallback", fallback, WORSE),
            self._shared("refused", refused),
            self._summed("cases", [sum(span.cases.values()) for span in spans]),
            self._timed("wait", *wait),
            self._timed("answer", *answer),
            self._shared("helpful", [span.helpful for span in spans], BETTER),
            self._summed("emergencies", [span.total["emergencies"] for span in spans]),
        ]

    def pictures(self) -> list[Picture]:
        return [
            self._traffic(),
            self._outcomes(),
            self._bars("topics", "topic", "questions", with_before=self._are_alike),
            self._bars("places", "place", "messages"),
            self._bars("channels", "channel", "messages"),
            self._bars("languages", "language", "messages"),
            self._waits(),
        ]

    def picture(self, name: str) -> Picture | None:
        return next((picture for picture in self.pictures() if picture.name == name), None)

    def answers(self) -> list[list[Cell]]:
        """Wordings that were judged, the worst first: title, told, helpful, not helpful, share."""
        judged = [told for told in self.span.answers if told.helpful + told.not_helpful]
        judged.sort(key=lambda told: (told.share if told.share is not None else 2, -told.not_helpful, told.key))
        columns = [hidden([getattr(told, name) for told in judged]) for name in ("told", "helpful", "not_helpful")]
        return [
            [
                self._words["answer_of"].format(title=self._namer.answer(told.key), revision=told.revision or "–"),
                *(column[number] for column in columns),
                percent(told.share) if told.share is not None and FEW not in (columns[1][number], columns[2][number]) else "–",
            ]
            for number, told in enumerate(judged)
        ]

    def figures(self) -> list[list[Cell]]:
        names = self._words["metrics"]
        cells = hidden(list(self.span.figures.values()))
        return [
            [f"{names.get(metric, metric)}, {self._namer.place(place)}", cell]
            for (metric, place), cell in zip(self.span.figures, cells, strict=True)
        ]

    def deliveries(self) -> list[list[Cell]]:
        """What did not arrive: channel, state, reason, count."""
        failed = {key: count for key, count in self.span.deliveries.items() if key[1] not in {"sent", "waiting", "sending"}}
        cells = hidden(list(failed.values()))
        statuses, reasons = self._words["statuses"], self._words["send_reasons"]
        return [
            [self._namer.channel(channel), statuses.get(status, status), reasons.get(reason, reason), cell]
            for (channel, status, reason), cell in zip(failed, cells, strict=True)
        ]

    def cases(self) -> list[list[Cell]]:
        ordered = sorted(self.span.cases.items(), key=lambda item: (-item[1], item[0]))
        cells = hidden([count for _, count in ordered])
        return [[self._words["case_reasons"].get(reason, reason), cell] for (reason, _), cell in zip(ordered, cells, strict=True)]

    @property
    def _are_alike(self) -> bool:
        """Sums of both spans may stand side by side: as many days were counted."""
        return len(self.before.counted) == len(self.span.counted)

    def _traffic(self) -> Picture:
        names = ("messages", "conversations")
        columns = [[shown(day[name]) for day in self._by_day()] for name in names]
        series = [Series(self._words["measures"][name], column) for name, column in zip(names, columns, strict=True)]
        head = [self._words["heads"]["day"], *(one.name for one in series)]
        return Picture("traffic", head, self._day_rows(columns), lambda: drawing.lines(self._labels(), series))

    def _outcomes(self) -> Picture:
        """A day's few are hidden together with its next smallest, so that the day's sum does not tell them."""
        counts = [[day[name] for name in OUTCOMES] for day in self._by_day()]
        columns = list(zip(*map(hidden, counts), strict=True))
        heights = list(zip(*map(drawing.heights, counts), strict=True))
        names = [self._words["measures"][name] for name in OUTCOMES]
        series = [Series(*one) for one in zip(names, columns, heights, strict=True)]
        head = [self._words["heads"]["day"], *(one.name for one in series)]
        return Picture("outcomes", head, self._day_rows(columns), lambda: drawing.stacked(self._labels(), series))

    def _bars(self, name: str, part: str, measure: str, *, with_before: bool = False) -> Picture:
        counts = self.span.parts[part]
        keys = [key for key in counts if counts[key][measure]]
        now = self._series(self._words["measures"][measure], [counts[key][measure] for key in keys])
        before = None
        if with_before:
            earlier = self.before.parts[part]
            before = self._series(self._words["measures"]["before"], [earlier.get(key, NONE)[measure] for key in keys])
        shown_series = [now, before] if before else [now]
        head = [self._words["heads"][part], *(one.name for one in shown_series)]
        rows = [[self._namer.of(part, key), *(one.cells[n] for one in shown_series)] for n, key in enumerate(keys)]
        # What was not said or not understood would make all else small; it stands in the table.
        chosen = [n for n, key in enumerate(keys) if key][:MOST_BARS]
        names = [self._namer.of(part, keys[n]) for n in chosen]
        return Picture(name, head, rows, lambda: drawing.bars(_of(now, chosen), names, before and _of(before, chosen)))

    @staticmethod
    def _series(name: str, column: Sequence[int]) -> Series:
        return Series(name, hidden(column), drawing.heights(column))

    def _waits(self) -> Picture:
        steps = _in_steps(self.span.waits)
        head = [self._words["heads"]["wait"], self._words["measures"]["count"]]
        series = self._series(head[1], list(steps.values()))
        names = [self._wait_name(step) for step in steps]
        rows = [[name, cell] for name, cell in zip(names, series.cells, strict=True)] if any(steps.values()) else []
        return Picture("waits", head, rows, lambda: drawing.columns(series, names))

    def _wait_name(self, step: int) -> str:
        time = self._namer.time(step)
        return time if step == ENDLESS else str(self._words["within"]).format(time=time)

    def _by_day(self) -> list[Counts]:
        return [self.span.by_day.get(day, NONE) for day in self.span.days.all()]

    def _labels(self) -> list[str]:
        return [f"{day.day}/{day.month}" for day in self.span.days.all()]

    def _day_rows(self, columns: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
        """The newest day first."""
        days = [f"{day:%d/%m/%Y}" for day in self.span.days.all()]
        return [[day, *(column[number] for column in columns)] for number, day in enumerate(days)][::-1]

    def _counted(self, name: str, now: float | None, before: float | None) -> Tile:
        value = self._words["no_value"] if now is None else amount(now)
        return Tile(name, value, self._change(now, before))

    def _summed(self, name: str, sums: Sequence[int]) -> Tile:
        """The whole number; the change is that of a day, for a span may have days that were not counted."""
        now, before = sums
        if _are_few(now, before) or not self.before.counted:
            return Tile(name, amount(now), self._words["change_none"])
        change = changed(now / max(1, len(self.span.counted)), before / len(self.before.counted))
        return Tile(name, amount(now), change_words(self._words, change))

    def _change(self, now: float | None, before: float | None) -> str:
        return change_words(self._words, changed(now, before) if not _are_few(now, before) else None)

    def _shared(self, name: str, shares: Sequence[float | None], good: str = NEITHER) -> Tile:
        """`shares`: now and before; `good`: what more of it is."""
        now, before = shares
        if now is None:
            return Tile(name, self._words["no_value"], self._words["change_none"])
        if before is None:
            return Tile(name, percent(now), self._words["change_none"])
        points = round(now * 100) - round(before * 100)
        if not points:
            return Tile(name, percent(now), self._words["change_same"])
        said = self._words["change_points_up" if points > 0 else "change_points_down"].format(points=abs(points))
        return Tile(name, percent(now), said, _judged(good, is_more=points > 0) if abs(points) >= NOTABLE else NEITHER)

    def _timed(self, name: str, now: int | None, before: int | None) -> Tile:
        if now is None:
            return Tile(name, self._words["no_value"], self._words["change_none"])
        value = self._wait_name(now)
        if before is None or before == now:
            return Tile(name, value, self._words["change_none" if before is None else "change_same"])
        is_faster = now < before
        said = self._words["change_faster" if is_faster else "change_slower"].format(before=self._namer.time(before))
        return Tile(name, value, said, BETTER if is_faster else WORSE)


def _of(series: Series, places: Sequence[int]) -> Series:
    return Series(series.name, [series.cells[n] for n in places], [series.drawn[n] for n in places])


def amount(value: float) -> str:
    """Whole numbers, and what is under five only as such."""
    whole = round(value)
    cell = shown(whole) if value else 0
    return FEW if 0 < value < 5 else drawing.said(cell)


def percent(part: float | None) -> str:
    return "–" if part is None else f"{round(part * 100)}{NBSP}%"


def change_words(words: Mapping[str, Any], change: float | None) -> str:
    if change is None:
        return str(words["change_none"])
    whole = round(abs(change) * 100)
    if not whole:
        return str(words["change_same"])
    return str(words["change_up" if change > 0 else "change_down"]).format(percent=drawing.said(whole))


def _are_few(*values: float | None) -> bool:
    """A change of hidden numbers would tell them."""
    return any(value is not None and 0 < value < 5 for value in values)


def _judged(good: str, *, is_more: bool) -> str:
    if good == NEITHER:
        return NEITHER
    return good if is_more else (WORSE if good == BETTER else BETTER)


def _in_steps(times: Mapping[int, int]) -> dict[int, int]:
    steps = dict.fromkeys(WAIT_STEPS, 0)
    for bound in (*BOUNDS, ENDLESS):
        step = next(step for step in WAIT_STEPS if bound <= step)
        steps[step] += times.get(bound, 0)
    return steps
