"""QR codes, the A5 poster and the picture under a post. Pure: words in, SVG, PDF or PNG out; the same ones give the same bytes.

DejaVu Sans comes with matplotlib and has every letter of Vietnamese and of the languages in Latin letters; letters are drawn as
shapes in the SVG and embedded in the PDF, so that a print shop needs no font.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["svg", "pdf", "png"]
FORMATS: tuple[Format, ...] = ("svg", "pdf", "png")
BRAND, INK, QUIET, ALARM, PAPER, SUN = "#0a4d57", "#12262b", "#40555b", "#9a1f12", "#ffffff", "#f4c667"
FONT = "DejaVu Sans"
MM_A_INCH, POINTS_A_MM = 25.4, 72 / 25.4
WIDTH_MM, HEIGHT_MM = 148.0, 210.0
MARGIN_MM = 10.0
# Read across a street: the code fills the width that the words leave.
LARGEST_QR_MM, SMALLEST_QR_MM = 84.0, 52.0
# The white frame that readers need around a code (ISO/IEC 18004).
QUIET_MODULES = 4
CARD_PX, CARD_DPI = (1200, 630), 100
# A sticker that is scratched or wet is still read.
ERROR_LEVEL: Literal["q"] = "q"
# matplotlib keeps fonts and settings in one place for all threads.
_one_at_a_time = threading.Lock()


class CannotDraw(Exception):
    """Letters that the font does not have; the message holds them."""


@dataclass(frozen=True)
class PosterWords:
    """What stands on the poster, filled: nothing here is chosen by the drawing. `vietnamese`: the same again, where the poster
    speaks another language; `note`: that nobody who speaks it has looked at the words."""

    brand: str
    owner: str
    name: str
    summary: str
    scan: str
    type_in: str
    say: str
    emergency: str
    machine: str
    vietnamese: PosterWords | None = None
    note: str = ""


def qr_svg(url: str) -> bytes:
    out = io.BytesIO()
    _qr(url).save(out, kind="svg", scale=8, border=QUIET_MODULES, dark="#000", light="#fff", xmldecl=True)
    return out.getvalue()


def qr_png(url: str) -> bytes:
    """At least 1,000 pixels wide, whole pixels a module."""
    code = _qr(url)
    scale = -(-1000 // code.symbol_size(scale=1, border=QUIET_MODULES)[0])
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=QUIET_MODULES, dark="#000", light="#fff")
    return out.getvalue()


def poster(words: PosterWords, url: str, kind: Format = "svg") -> bytes:
    """A5 upright, one page. Raises CannotDraw."""
    _check_letters(words.name, words.summary)

    def draw(sheet: _Sheet) -> None:
        sheet.box(0, 0, WIDTH_MM, 32, BRAND)
        sheet.horn(MARGIN_MM, 7, 18)
        sheet.write(words.brand, 33, 8, 24, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(words.owner, 10.5, WIDTH_MM - 33 - MARGIN_MM)[:2], 33, 19.5, 10.5, PAPER)
        bottom = _foot(sheet, words)
        top = _head(sheet, words, bottom)
        side = max(SMALLEST_QR_MM, min(LARGEST_QR_MM, bottom - top))
        sheet.qr(url, (WIDTH_MM - side) / 2, top + (bottom - top - side) / 2, side)

    return _drawn(draw, (WIDTH_MM, HEIGHT_MM), kind, title=words.name, dpi=200)


def card(name: str, summary: str, owner: str, brand: str) -> bytes:
    """The picture that Facebook, Zalo and Messenger show under a post: 1200 × 630 pixels, PNG."""
    width, height = (side / CARD_DPI * MM_A_INCH for side in CARD_PX)
    name, summary = (without_missing(text) for text in (name, summary))

    def draw(sheet: _Sheet) -> None:
        sheet.box(0, 0, width, height, BRAND)
        sheet.horn(20, 18, 28)
        sheet.write(brand, 56, 19, 34, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(owner, 17, width - 76)[:1], 56, 36, 17, PAPER)
        size, lines = sheet.fitted(name, (46, 40, 34, 28), width - 40, most=3)
        below = sheet.write_lines(lines, 20, 62, size, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(summary, 20, width - 40)[:3], 20, below + 4, 20, "#d9ecec")
        sheet.box(0, height - 5, width, 5, SUN)

    return _drawn(draw, (width, height), "png", title=name, dpi=CARD_DPI)


def _head(sheet: _Sheet, words: PosterWords, bottom: float) -> float:
    """Name and short text; returns where the code may begin. A long text is set smaller, never cut."""
    inner = WIDTH_MM - 2 * MARGIN_MM
    for summary_size in (14.0, 12.5, 11.0, 10.0):
        size, lines = sheet.fitted(words.name, (26, 23, 20, 17, 15), inner, most=3)
        text = sheet.wrapped(words.summary, summary_size, inner) if words.summary else []
        needed = 40 + _height(lines, size) + (3 + _height(text, summary_size) if text else 0) + 3
        if needed + SMALLEST_QR_MM <= bottom:
            break
    below = sheet.write_lines(lines, MARGIN_MM, 40, size, INK, bold=True)
    return (sheet.write_lines(text, MARGIN_MM, below + 3, summary_size, INK) if text else below) + 3


def _foot(sheet: _Sheet, words: PosterWords) -> float:
    """The lines under the code, written from below; returns where they begin."""
    again = words.vietnamese
    band = 197.0 if again is None else 192.0
    sheet.box(0, band, WIDTH_MM, HEIGHT_MM - band, "#f1f5f3")
    _band(sheet, words, band + 3.6, 13.0)
    if again is not None:
        _band(sheet, again, band + 10.2, 10.5)
    y = band - 2.0
    for text, size, is_bold, colour in _lines(words, again):
        for line in reversed(sheet.wrapped(text, size, WIDTH_MM - 2 * MARGIN_MM, bold=is_bold)):
            y -= size / POINTS_A_MM * 1.4
            sheet.write(line, WIDTH_MM / 2, y, size, colour, bold=is_bold, align="center")
    return y - 2


def _lines(words: PosterWords, again: PosterWords | None) -> Iterator[tuple[str, float, bool, str]]:
    """(text, size, bold, colour) from below: each line in the poster's language, the Vietnamese of it below."""
    if words.note:
        yield words.note, 7.5, False, QUIET
    lines = ((words.say, 10.5, False), (words.type_in, 10.5, False), (words.scan, 12.0, True))
    below = (again.say, again.type_in, again.scan) if again else ("", "", "")
    for (text, size, is_bold), vietnamese in zip(lines, below, strict=True):
        if vietnamese:
            yield vietnamese, 9.0, False, QUIET
        yield text, size, is_bold, INK


def _band(sheet: _Sheet, words: PosterWords, y: float, size: float) -> None:
    """Whom to call on the left, that it is a machine on the right: in smaller letters where both are long."""
    room = WIDTH_MM - 2 * MARGIN_MM - 4
    alarm = next((s for s in (size, 10.5, 9.0, 7.5) if _width(words.emergency, s, bold=True) <= room * 0.6), 6.5)
    left = room - _width(words.emergency, alarm, bold=True)
    machine = next((s for s in (9.5, 8.5, 7.5, 6.5) if _width(words.machine, s, bold=False) <= left), 5.5)
    sheet.write(words.emergency, MARGIN_MM, y, alarm, ALARM, bold=True)
    sheet.write(words.machine, WIDTH_MM - MARGIN_MM, y + (alarm - machine) / POINTS_A_MM, machine, QUIET, align="right")


def _height(lines: Sequence[str], size: float) -> float:
    return len(lines) * size / POINTS_A_MM * 1.3


class _Sheet:
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
            self.write(line, x, y + _height(lines[:number], size), size, colour, bold=bold)
        return y + _height(lines, size)

    def wrapped(self, text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
        lines: list[str] = []
        for word in _pieces(text, lambda piece: _width(piece, size, bold=bold) <= width):
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and _width(longer, size, bold=bold) <= width:
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

        matrix = [list(row) for row in _qr(url).matrix]
        module = side / (len(matrix) + 2 * QUIET_MODULES)
        self.box(x, y, side, side, "#ffffff")
        corners: list[tuple[float, float]] = []
        codes: list[Any] = []
        for row, cells in enumerate(matrix):
            for start, end in _runs(cells):
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


def _drawn(draw: Callable[[_Sheet], None], size: tuple[float, float], kind: Format, *, title: str, dpi: int) -> bytes:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _one_at_a_time, mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "loa", "pdf.fonttype": 42}):
        figure = Figure(figsize=(round(size[0] / MM_A_INCH, 6), round(size[1] / MM_A_INCH, 6)), dpi=dpi, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, size[0]), ylim=(size[1], 0))
        axes.axis("off")
        draw(_Sheet(axes))
        out = io.BytesIO()
        about: dict[str, Any] = {"svg": {"Title": title, "Date": None}, "pdf": {"Title": title, "CreationDate": None}, "png": {}}
        figure.savefig(out, format=kind, dpi=dpi, metadata=about[kind])
    return out.getvalue()


def _qr(url: str) -> Any:
    import segno  # here: a start needs no QR codes

    return segno.make(url, error=ERROR_LEVEL, micro=False)


def _runs(cells: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of dark modules."""
    start: int | None = None
    for column, cell in enumerate([*cells, 0]):
        if cell and start is None:
            start = column
        elif not cell and start is not None:
            yield start, column
            start = None


def _pieces(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Words; one that is wider than the line (a long address) in pieces that are not."""
    for word in text.split():
        rest = word
        while not fits(rest) and len(rest) > 1:
            end = next((n for n in range(len(rest) - 1, 0, -1) if fits(rest[:n])), 1)
            yield rest[:end]
            rest = rest[end:]
        yield rest


def _width(text: str, size: float, *, bold: bool) -> float:
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


def _check_letters(*texts: str) -> None:
    if missing := missing_letters(*texts):
        raise CannotDraw(missing)
