"""A small picture of the last weeks: one bar a week, a gap where nothing was published, for a phone 320 pixels wide.

Pure: numbers and words in, a PNG of at most 30 KB or an SVG out; the same ones always give the same bytes. The words come from
locales/ (bot/languages/figure_lines.py). DejaVu Sans comes with matplotlib and has every letter of Vietnamese.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from bot.figures.weeks import Bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BYTES = 30 * 1024
# Twice the width of a small phone, so that letters stay sharp there.
WIDTH, HEIGHT = 640, 460
# Divides both without a rest.
DPI = 80
COLOURS = 16
INK, QUIET, BAR, BACKLOG, LINE = "#12262b", "#4b6066", "#0f616d", "#c4820e", "#8a9a9e"
TITLE_PX, TEXT_PX, NUMBER_PX = 28, 20, 22
TITLE_LETTERS, NOTE_LETTERS = 36, 54
# A number over each bar and a day under it as long as they do not run into each other.
MOST_NUMBERS, MOST_DAYS = 10, 8


@dataclass(frozen=True)
class Words:
    """What the picture says: `notes` stand below it (for which day, who published it, what the marks mean)."""

    title: str
    no_figure: str
    notes: tuple[str, ...]
    alt: str


def png(bars: Sequence[Bar], words: Words) -> bytes:
    """Draw with matplotlib. Not safe in two threads at once: it keeps its fonts in one place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    title, notes = _lines(words)
    top = 1 - (18 + len(title) * TITLE_PX * 1.25 + NUMBER_PX * 1.4) / HEIGHT
    bottom = (14 + len(notes) * TEXT_PX * 1.3 + TEXT_PX * 1.7) / HEIGHT
    axes = figure.add_axes((0.02, bottom, 0.96, max(0.2, top - bottom)))
    _draw(axes, bars, words.no_figure)
    _write(figure, title, x=0.03, y=1 - 14 / HEIGHT, size=TITLE_PX, weight="bold", va="top")
    _write(figure, notes, x=0.03, y=10 / HEIGHT, size=TEXT_PX, color=QUIET, va="bottom")
    canvas.draw()
    return _compressed(canvas)


def svg(bars: Sequence[Bar], words: Words) -> str:
    """The same picture for a page, without inline style: it may stand in a page whose policy forbids that."""
    title, notes = _lines(words)
    base = HEIGHT - 14 - len(notes) * TEXT_PX * 1.3 - TEXT_PX * 1.7
    top = 18 + len(title) * TITLE_PX * 1.25 + NUMBER_PX * 1.4
    slot, tallest = (WIDTH - 26) / max(1, len(bars)), _tallest(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label={quoteattr(words.alt)} font-family="DejaVu Sans, Noto Sans, Arial, sans-serif">',
        f"<title>{escape(words.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_text(line, 19, 14 + TITLE_PX * (0.9 + 1.25 * row), TITLE_PX, weight="bold") for row, line in enumerate(title)),
    ]
    for place, bar in enumerate(bars):
        parts += _svg_bar(bar, 13 + slot * place, slot, (base, base - top), tallest, words.no_figure)
        if _has_number(bars, place):
            at = base - (bar.value or 0) / tallest * (base - top) - 6
            parts.append(_text(_shown(bar), 13 + slot * (place + 0.5), at, _number_px(bar, len(bars)), anchor="middle"))
        if _has_day(place, len(bars)):
            is_last = place == len(bars) - 1 and len(bars) > MOST_NUMBERS
            middle, anchor = (WIDTH - 13.0, "end") if is_last else (13 + slot * (place + 0.5), "middle")
            parts.append(_text(_day(bar), middle, base + TEXT_PX * 1.2, TEXT_PX, anchor=anchor, fill=QUIET))
    parts.append(f'<path d="M13 {base:.0f}H{WIDTH - 13}" stroke="{LINE}"/>')
    below = base + TEXT_PX * 1.7 + 14
    parts += [_text(line, 19, below + TEXT_PX * (0.6 + 1.3 * row), TEXT_PX, fill=QUIET) for row, line in enumerate(notes)]
    return "".join([*parts, "</svg>"])


def number(value: int) -> str:
    """11624000 → `11.624.000`."""
    return f"{value:,}".replace(",", ".")


def _draw(axes: Axes, bars: Sequence[Bar], no_figure: str) -> None:
    tallest, count = _tallest(bars), len(bars)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(0, tallest)
    axes.set_axis_off()
    axes.axhline(0, color=LINE, linewidth=2, clip_on=False)
    for place, bar in enumerate(bars):
        if bar.value is None:
            axes.plot([place - 0.3, place + 0.3], [0, 0], color="white", linewidth=4, zorder=3, clip_on=False)
            _label(axes, place, tallest * 0.03, no_figure, rotation=90, color=QUIET, size=_points(TEXT_PX))
            continue
        colour = BACKLOG if bar.is_backlog else BAR
        hatch = "//" if bar.is_backlog else ""
        axes.bar(place, bar.value, width=0.72, color=colour, linewidth=0, hatch=hatch, edgecolor="white")
        if _has_number(bars, place):
            _label(axes, place, bar.value + tallest * 0.02, _shown(bar), color=INK, size=_points(_number_px(bar, count)))
    for place, bar in enumerate(bars):
        if _has_day(place, count):
            is_last = place == count - 1 and count > MOST_NUMBERS
            axes.annotate(
                _day(bar),
                (place + (0.5 if is_last else 0), 0),
                xytext=(0, -_points(TEXT_PX * 0.4)),
                textcoords="offset points",
                ha="right" if is_last else "center",
                va="top",
                color=QUIET,
                fontsize=_points(TEXT_PX),
                annotation_clip=False,
            )


def _label(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    axes.text(x, y, text, ha="center", va="bottom", parse_math=False, clip_on=False, **look)


def _write(figure: Any, lines: Sequence[str], *, x: float, y: float, size: int, color: str = INK, **look: Any) -> None:
    figure.text(x, y, "\n".join(lines), fontsize=_points(size), color=color, linespacing=1.3, parse_math=False, **look)


def _compressed(canvas: Any) -> bytes:
    """A few colours are enough for bars and letters, and weigh a third."""
    from PIL import Image

    picture = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    written = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(written, format="PNG", optimize=True)
    return written.getvalue()


def _svg_bar(bar: Bar, left: float, slot: float, ground: tuple[float, float], tallest: float, no_figure: str) -> list[str]:
    base, room = ground
    middle = left + slot / 2
    if bar.value is None:
        turned = f'transform="rotate(-90 {middle:.0f} {base - 8:.0f})"'
        return [_text(no_figure, middle, base - 8, TEXT_PX, fill=QUIET, dy=TEXT_PX * 0.35, extra=turned)]
    height = bar.value / tallest * room
    colour = BACKLOG if bar.is_backlog else BAR
    left, width = left + slot * 0.14, slot * 0.72
    return [f'<rect x="{left:.1f}" y="{base - height:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>']


def _text(
    text: str,
    x: float,
    y: float,
    size: float,
    *,
    fill: str = INK,
    anchor: str = "start",
    weight: str = "normal",
    dy: float = 0,
    extra: str = "",
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" dy="{dy:.0f}" font-size="{size:.0f}" fill="{fill}" text-anchor="{anchor}" '
        f'font-weight="{weight}" {extra}>{escape(text)}</text>'
    )


def _lines(words: Words) -> tuple[list[str], list[str]]:
    return textwrap.wrap(words.title, TITLE_LETTERS), [line for note in words.notes for line in textwrap.wrap(note, NOTE_LETTERS)]


def _tallest(bars: Sequence[Bar]) -> float:
    return max([bar.value or 0 for bar in bars] + [1])


def _shown(bar: Bar) -> str:
    return f"{number(bar.value or 0)}{'*' if bar.is_backlog else ''}"


def _day(bar: Bar) -> str:
    return f"{bar.ends_on.day}/{bar.ends_on.month}"


def _has_day(place: int, count: int) -> bool:
    """Counted from the newest week, which always has its day."""
    return (count - 1 - place) % -(-count // MOST_DAYS) == 0


def _has_number(bars: Sequence[Bar], place: int) -> bool:
    """Every week as long as there is room, else the highest, the newest and those with late reports."""
    if bars[place].value is None:
        return False
    highest = max(range(len(bars)), key=lambda number: bars[number].value or 0)
    return len(bars) <= MOST_NUMBERS or bars[place].is_backlog or place in {highest, len(bars) - 1}


def _number_px(bar: Bar, count: int) -> float:
    """Smaller where a long number would run into its neighbours; a letter is about 0.62 of its size wide."""
    if count > MOST_NUMBERS:
        return NUMBER_PX
    return min(NUMBER_PX, (WIDTH - 26) / count / (len(_shown(bar)) * 0.62))


def _points(pixels: float) -> float:
    return pixels * 72 / DPI
