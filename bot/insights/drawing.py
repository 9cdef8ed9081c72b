"""The pictures of /insights: SVG by matplotlib, one thread at a time, read as well in grey as in colour.

Numbers under five were replaced before they come here. The colours are those of Okabe and Ito, which colour-blind people tell
apart; areas carry patterns and bars their numbers besides. What a picture shows stands in a table under it as well.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.campaigns.tables import FEW, HIDDEN, Cell, hidden

INK, QUIET, LINE = "#12262b", "#40555b", "#c3cfcd"
COLOURS = ("#0f616d", "#e69f00", "#d55e00", "#56b4e9", "#7a7a7a")
HATCHES = ("", "//", "xx", "..", "\\\\")
FONT = "DejaVu Sans"
# A third wider than on a small phone: letters of 17 pixels are still read there.
WIDTH, DPI = 480, 80
TEXT = 17 * 72 / DPI
# Where a hidden number is drawn: it is not told whether it was one or four.
HIDDEN_HEIGHT = 2.5
# Where all are few, their bars are short all the same.
LEAST_WHOLE = 12.0
MOST_DAYS = 5
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Series:
    """A name and a cell for each day or step; `heights`: how high they are drawn, where the cells do not say it."""

    name: str
    cells: Sequence[Cell]
    heights: Sequence[float] = ()

    @property
    def drawn(self) -> Sequence[float]:
        return self.heights or [height(cell) for cell in self.cells]


def lines(labels: Sequence[str], series: Sequence[Series]) -> bytes:
    """A line for each, marked differently and named at its end."""

    def draw(axes: Any) -> None:
        for number, one in enumerate(series):
            heights = one.drawn
            style = ("-", "--", ":")[number % 3]
            marks = {"marker": "os^"[number % 3], "markersize": 5, "markevery": max(1, len(labels) // 15)}
            axes.plot(range(len(labels)), heights, color=COLOURS[number], linewidth=2.5, linestyle=style, label=one.name, **marks)
        _days(axes, labels)
        axes.set_ylim(0, max(1, *(height for one in series for height in one.drawn)) * 1.08)
        _legend(axes, len(series))

    return _drawn(draw, 380)


def stacked(labels: Sequence[str], series: Sequence[Series]) -> bytes:
    """Columns of parts, each with a pattern of its own. All columns of a part are one shape: browsers draw hundreds slowly."""

    def draw(axes: Any) -> None:
        from matplotlib.patches import PathPatch

        floor = [0.0] * len(labels)
        for number, one in enumerate(series):
            top = [below + above for below, above in zip(floor, one.drawn, strict=True)]
            look = {"facecolor": COLOURS[number], "hatch": HATCHES[number], "edgecolor": "white", "linewidth": 0}
            axes.add_patch(PathPatch(_columns(floor, top), label=one.name, **look))
            floor = top
        axes.set_ylim(0, max(1, *floor) * 1.05)
        _days(axes, labels)
        _legend(axes, len(series))

    return _drawn(draw, 500)


def _columns(floor: Sequence[float], top: Sequence[float], width: float = 0.86) -> Any:
    from matplotlib.path import Path

    corners: list[tuple[float, float]] = []
    for place, (below, above) in enumerate(zip(floor, top, strict=True)):
        left, right = place - width / 2, place + width / 2
        corners += [(left, below), (right, below), (right, above), (left, above), (left, below)]
    return Path(corners, [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(floor))


def bars(series: Series, names: Sequence[str], before: Series | None = None) -> bytes:
    """A bar for each name with its number, the longest name first; `before`: a mark where it stood."""

    def draw(axes: Any) -> None:
        places = range(len(names))
        marked = before.drawn if before else [0.0] * len(names)
        axes.barh(places, series.drawn, height=0.4, color=COLOURS[0])
        largest = max([*series.drawn, *marked, LEAST_WHOLE])
        for place, (cell, length) in enumerate(zip(series.cells, series.drawn, strict=True)):
            end = max(length, marked[place])
            axes.text(end + largest * 0.02, place, said(cell), va="center", color=INK, fontsize=TEXT, family=FONT)
            axes.text(0, place - 0.25, names[place], va="bottom", color=INK, fontsize=TEXT, family=FONT, parse_math=False)
        if before:
            marks = {"marker": "|", "s": 300, "linewidths": 3.5, "color": COLOURS[2], "zorder": 3}
            axes.scatter(marked, list(places), label=before.name, **marks)
            _legend(axes, 1)
        axes.set_xlim(0, largest * 1.22)
        axes.set_ylim(len(names) - 0.6, -0.8)
        axes.set_yticks([])
        axes.set_xticks([])
        axes.grid(visible=False)

    return _drawn(draw, 60 + 56 * max(1, len(names)))


def columns(series: Series, names: Sequence[str]) -> bytes:
    """A column for each step of a histogram, its number above it."""

    def draw(axes: Any) -> None:
        heights = series.drawn
        axes.bar(range(len(names)), heights, width=0.8, color=COLOURS[0])
        for place, (cell, top) in enumerate(zip(series.cells, heights, strict=True)):
            if cell != 0:
                axes.text(place, top, said(cell), ha="center", va="bottom", color=INK, fontsize=TEXT * 0.9, family=FONT)
        axes.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=TEXT * 0.9, family=FONT)
        axes.set_ylim(0, max([*heights, LEAST_WHOLE]) * 1.15)
        axes.set_yticks([])

    return _drawn(draw, 400)


def heights(column: Sequence[int]) -> list[float]:
    """How high the cells of `hidden` are drawn: few as 2.5. The number that is hidden beside the only few, and may be large, is
    drawn at what the sum leaves for it, which is no secret: a picture of 280 as of 2 would lie."""
    cells = hidden(column)
    drawn = [height(cell) for cell in cells]
    if HIDDEN in cells:
        few, beside = cells.index(FEW), cells.index(HIDDEN)
        drawn[beside] = column[few] + column[beside] - HIDDEN_HEIGHT
    return drawn


def height(cell: Cell) -> float:
    return HIDDEN_HEIGHT if cell in (FEW, HIDDEN) else float(cell)


def said(cell: Cell) -> str:
    return f"{cell:,}".replace(",", ".") if isinstance(cell, int) else cell


def _days(axes: Any, labels: Sequence[str]) -> None:
    step = -(-len(labels) // MOST_DAYS)
    places = list(range(len(labels) - 1, -1, -step))[::-1]
    axes.set_xticks(places, [labels[place] for place in places])
    axes.set_xlim(-0.6, max(len(labels) - 0.4, 0.6))


def _legend(axes: Any, count: int) -> None:
    look = {"fontsize": TEXT, "frameon": False, "prop": {"family": FONT, "size": TEXT}, "handlelength": 2.2}
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncols=count if count < 3 else 1,
        borderaxespad=0.2,
        columnspacing=1.2,
        **look,
    )


def _drawn(draw: Callable[[Any], None], height_px: int) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _one_at_a_time, mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "loa", "hatch.color": "white"}):
        figure = Figure(figsize=(WIDTH / DPI, height_px / DPI), dpi=DPI, facecolor="white", layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="y", color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        for edge in ("top", "right", "left"):
            axes.spines[edge].set_visible(False)
        axes.spines["bottom"].set_color(LINE)
        axes.tick_params(colors=QUIET, labelsize=TEXT, length=0)
        axes.yaxis.set_major_formatter(lambda value, _: said(int(value)) if value == int(value) else "")
        draw(axes)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_fontfamily(FONT)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
