"""A page to draw on, in millimetres: boxes, words, codes, and the sign of the service. matplotlib draws it.

DejaVu Sans comes with matplotlib and has every letter of Vietnamese and of the languages in Latin letters; letters are drawn as
shapes in the SVG and embedded in the PDF, so that a print shop needs no font.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from bot.campaigns.qr import QUIET_MODULES, qr_code, runs

Format = Literal["svg", "pdf", "png"]
BRAND, PAPER = "#0a4d57", "#ffffff"
FONT = "DejaVu Sans"
MM_A_INCH, POINTS_A_MM = 25.4, 72 / 25.4
# matplotlib keeps fonts and settings in one place for all threads.
_one_at_a_time = threading.Lock()


class Sheet:
    """A page in millimetres from its upper left corner, sizes of letters in points."""

    def __init__(self, axes: Any) -> None:
        self._axes = axes

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        from matplotlib.patches import Rectangle

        self._axes.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="none"))

    def write(self, text: str, x: float, y: float, size: float, colour: str, *, bold: bool = False, align: str = "left") -> None:
        """`y`: the top of the line."""
        font = {"fontsize": size, "fontweight": "bold" if bold else "normal", "family": FONT}
        baseline = y + size / POINTS_A_MM
        self._axes.text(x, baseline, text, color=colour, ha=align, va="baseline", parse_math=False, **font)

    def write_lines(self, lines: Sequence[str], x: float, y: float, size: float, colour: str, *, bold: bool = False) -> float:
        """Returns the lower end."""
        for number, line in enumerate(lines):
            self.write(line, x, y + lines_height(lines[:number], size), size, colour, bold=bold)
        return y + lines_height(lines, size)

    def wrapped(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        lines: list[str] = []
        for word in _pieces(text, lambda piece: text_width(piece, size, bold=bold) <= width):
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and text_width(longer, size, bold=bold) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def fitted(self, text: str, sizes: Sequence[float], width: float, *, most: int) -> tuple[float, list[str]]:
        """The largest size at which the bold text takes no more than `most` lines; the smallest one takes what it takes."""
        for size in sizes:
            lines = self.wrapped(text, size, width, bold=True)
            if len(lines) <= most:
                return size, lines
        return size, lines

    def qr(self, url: str, x: float, y: float, side: float) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        matrix = [list(row) for row in qr_code(url).matrix]
        module = side / (len(matrix) + 2 * QUIET_MODULES)
        self.box(x, y, side, side, "#ffffff")
        corners: list[tuple[float, float]] = []
        codes: list[Any] = []
        for row, cells in enumerate(matrix):
            for start, end in runs(cells):
                left, right = (x + (QUIET_MODULES + column) * module for column in (start, end))
                upper = y + (QUIET_MODULES + row) * module
                lower = upper + module * 1.01  # rows that only touch show a hairline on some screens
                corners += [(left, upper), (right, upper), (right, lower), (left, lower), (left, upper)]
                codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
        self._axes.add_patch(PathPatch(Path(corners, codes), facecolor="#000000", edgecolor="none"))

    def horn(self, x: float, y: float, side: float) -> None:
        """The sign of the service, as on its pages."""
        from matplotlib.patches import Arc, FancyBboxPatch, Polygon

        unit = side / 32
        style = f"round,pad=0,rounding_size={9 * unit}"
        self._axes.add_patch(FancyBboxPatch((x, y), side, side, boxstyle=style, facecolor=PAPER, edgecolor="none"))
        shape = [(5.5, 13), (5.5, 19), (10, 19), (19.5, 25), (19.5, 7), (10, 13)]
        self._axes.add_patch(Polygon([(x + a * unit, y + b * unit) for a, b in shape], facecolor=BRAND, edgecolor="none"))
        for radius, centre in ((10, 20.5), (17, 20.5)):
            arc = Arc((x + centre * unit, y + 16 * unit), radius * unit, radius * unit, theta1=-52, theta2=52)
            arc.set(edgecolor="#c4820e", linewidth=2.2 * unit * POINTS_A_MM, capstyle="round")
            self._axes.add_patch(arc)


def drawn(draw: Callable[[Sheet], None], size: tuple[float, float], kind: Format, *, title: str, dpi: int) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _one_at_a_time, mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "loa", "pdf.fonttype": 42}):
        figure = Figure(figsize=(round(size[0] / MM_A_INCH, 6), round(size[1] / MM_A_INCH, 6)), dpi=dpi, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, size[0]), ylim=(size[1], 0))
        axes.axis("off")
        draw(Sheet(axes))
        out = io.BytesIO()
        about: dict[str, Any] = {"svg": {"Title": title, "Date": None}, "pdf": {"Title": title, "CreationDate": None}, "png": {}}
        figure.savefig(out, format=kind, dpi=dpi, metadata=about[kind])
    return out.getvalue()


def lines_height(lines: Sequence[str], size: float) -> float:
    return len(lines) * size / POINTS_A_MM * 1.3


def _pieces(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Words; one that is wider than the line (a long address) in pieces that are not."""
    for word in text.split():
        rest = word
        while not fits(rest) and len(rest) > 1:
            end = next((n for n in range(len(rest) - 1, 0, -1) if fits(rest[:n])), 1)
            yield rest[:end]
            rest = rest[end:]
        yield rest


def text_width(text: str, size: float, *, bold: bool) -> float:
    """In millimetres."""
    face = _face("bold" if bold else "normal")
    face.set_size(size, 72)
    face.set_text(text)
    return float(face.get_width_height()[0]) / 64 / POINTS_A_MM


@functools.cache
def _face(weight: str) -> Any:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    return FT2Font(findfont(FontProperties(family=FONT, weight=weight)))


@functools.cache
def _letters() -> frozenset[int]:
    return frozenset(_face("bold").get_charmap())


def missing_letters(*texts: str) -> str:
    return "".join(
        sorted({letter for text in texts for letter in text if not letter.isspace() and ord(letter) not in _letters()})
    )


def without_missing(text: str) -> str:
    return "".join(letter for letter in text if letter.isspace() or ord(letter) in _letters())
