"""Pictures of judged questions as SVG: which intents are confused, whether probabilities are true, what a threshold costs.

The colours are Okabe and Ito's, which the colour-blind tell apart; every line has a mark of its own too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from bot.measuring.judging import Judged
from bot.measuring.measures import Point, calibration_error, confusions, reliability

# Beyond this many rows the numbers can no longer be read.
MOST_INTENTS = 22
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#767676"
LINES = ((BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."))
# Text stays text (small files, readable by a screen reader), and the same numbers give the same file.
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "loa", "font.family": "sans-serif", "font.size": 10}


def confusion_picture(judged: Sequence[Judged], path: Path) -> None:
    """Rows: what was asked; columns: what was understood. Only the intents with the most confusions; right guesses in grey."""
    wrong = confusions(judged)
    intents = most_confused(wrong)
    right = Counter(j.question.intent for j in judged if j.is_right)
    counts = np.array([[wrong[truth, guess] for guess in intents] for truth in intents]).reshape(len(intents), len(intents))
    with _drawn(path, (max(6.0, 0.45 * len(intents) + 3.5), max(4.0, 0.4 * len(intents) + 3.0))) as axes:
        axes.set_title(f"{sum(wrong.values())} of {len(judged)} questions not understood; right ones in grey", fontsize=11)
        if not intents:
            axes.set_axis_off()
            return
        axes.imshow(counts, cmap="Blues", vmin=0, vmax=counts.max() * 1.2)
        for row, truth in enumerate(intents):
            axes.text(row, row, str(right[truth]), ha="center", va="center", color=GREY)
            for column in np.flatnonzero(counts[row]):
                dark = counts[row, column] > 0.6 * counts.max()
                axes.text(column, row, str(counts[row, column]), ha="center", va="center", color="white" if dark else "black")
        axes.set_xticks(range(len(intents)), intents, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(intents)), intents)
        axes.set_xticks(np.arange(len(intents)) - 0.5, minor=True)
        axes.set_yticks(np.arange(len(intents)) - 0.5, minor=True)
        axes.grid(which="minor", color="#e0e0e0", linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.set(xlabel="understood as", ylabel="asked")


def reliability_picture(judged: Sequence[Judged], path: Path) -> None:
    """How often the model is right when it says how sure it is; the size of a point is the number of questions."""
    bins = reliability(judged)
    with _drawn(path, (5.5, 5.0)) as axes:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as sure as right")
        chances, rights = [b.chance for b in bins], [b.right for b in bins]
        axes.plot(chances, rights, color=BLUE, linewidth=1)
        axes.scatter(
            chances, rights, s=[20 + 180 * b.number / len(judged) for b in bins], color=BLUE, label="the model", zorder=3
        )
        for b in bins:
            axes.annotate(str(b.number), (b.chance, b.right), xytext=(6, -12), textcoords="offset points", fontsize=8)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="probability that the model gives", ylabel="share that is right")
        axes.set_title(f"expected calibration error {calibration_error(bins):.3f}, {len(judged)} questions", fontsize=11)
        axes.legend(loc="upper left", frameon=False)


def coverage_picture(curves: Mapping[str, Sequence[Point]], threshold: float, path: Path) -> None:
    """Above: share answered and how much of it is right; below: the share of all with a wrong answer, over the threshold."""
    with _drawn(path, (6.5, 6.0), rows=2) as (above, below):
        for (name, points), (colour, mark, dashes) in zip(curves.items(), LINES, strict=False):
            at = [point.threshold for point in points]
            look = {"color": colour, "marker": mark, "markersize": 4, "linestyle": dashes}
            above.plot(at, [point.coverage for point in points], label=f"answered, {name}", **look)
            above.plot(at, [point.accuracy for point in points], label=f"of these right, {name}", fillstyle="none", **look)
            below.plot(at, [point.wrong for point in points], label=f"wrong answers, {name}", **look)
        for axes in (above, below):
            axes.axvline(threshold, color=GREY, linestyle=":")
            axes.grid(color="#e0e0e0", linewidth=0.6)
            axes.legend(fontsize=8, frameon=False)
        above.set_ylabel("share")
        above.set_title(f"what a threshold answers; dotted: {threshold:g}, config.yml's", fontsize=11)
        below.set(xlabel="threshold", ylabel="share of all")
        below.set_ylim(bottom=0)


def most_confused(wrong: Counter[tuple[str, str]]) -> list[str]:
    """The intents of the commonest confusions, those that are confused with each other side by side."""
    chosen: list[str] = []
    for (truth, guess), _ in sorted(wrong.items(), key=lambda pair: (-pair[1], pair[0])):
        new = [name for name in dict.fromkeys((truth, guess)) if name and name not in chosen]
        if len(chosen) + len(new) <= MOST_INTENTS:
            chosen += new
    return chosen


@contextmanager
def _drawn(path: Path, inches: tuple[float, float], rows: int = 1) -> Iterator[Any]:
    """The empty axes of one picture (an array of them for several rows), written to `path` at the end."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        yield figure.subplots(rows)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
