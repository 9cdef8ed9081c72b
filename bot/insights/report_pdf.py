"""The weekly report as one page A4, by fpdf2: pure Python, no system package.

DejaVu Sans has every letter of Vietnamese and comes with matplotlib; the letters used are embedded: every printer has them.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.insights.report import Report

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "DejaVu"
BRAND, INK, QUIET, LINE = (10, 77, 87), (18, 38, 43), (64, 85, 91), (195, 207, 205)
WIDTH_MM, HEIGHT_MM, MARGIN_MM, HEAD_MM = 210.0, 297.0, 17.0, 27.0
# Points: the largest at which all of it stands on one page.
SIZES = (10.5, 9.5, 8.5, 7.5, 6.5)
MM_A_POINT = 25.4 / 72


class TooLong(Exception):
    """Not even the smallest letters bring it onto one page."""


def pdf(report: Report, made_at: datetime.datetime) -> bytes:
    """Raises TooLong. The same report gives the same bytes."""
    for size in SIZES:
        sheet = _sheet(report, made_at)
        try:
            _write(sheet, report, size)
            if sheet.page == 1:
                return bytes(sheet.output())
        finally:
            _close(sheet)
    raise TooLong(str(report.week))


def _close(sheet: FPDF) -> None:
    """The fonts' files, which fpdf2 leaves open."""
    from fpdf.fonts import TTFFont

    for font in sheet.fonts.values():
        if isinstance(font, TTFFont):
            font.close()


def _sheet(report: Report, made_at: datetime.datetime) -> FPDF:
    from fpdf import FPDF

    sheet = FPDF(format="A4")
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        sheet.add_font(FONT, style, _fonts() / name)
    sheet.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
    sheet.set_auto_page_break(auto=True, margin=MARGIN_MM)
    sheet.set_title(f"{report.title}. {report.of}")
    sheet.set_lang("vi")
    sheet.set_creation_date(made_at)
    sheet.add_page()
    return sheet


def _fonts() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts/ttf"


def _write(sheet: FPDF, report: Report, size: float) -> None:
    sheet.set_fill_color(*BRAND)
    sheet.rect(0, 0, WIDTH_MM, HEAD_MM, style="F")
    sheet.set_xy(MARGIN_MM, 7)
    _text(sheet, report.title, 19, (255, 255, 255), bold=True)
    _text(sheet, f"{report.of} · {report.days}", 10, (217, 236, 236))
    sheet.set_y(HEAD_MM + 3)
    for note in report.notes:
        _text(sheet, note, size, QUIET)
    for section in report.sections:
        sheet.ln(size * 0.16)
        _text(sheet, section.title, size + 1.5, BRAND, bold=True)
        sheet.set_draw_color(*LINE)
        sheet.line(MARGIN_MM, sheet.get_y(), WIDTH_MM - MARGIN_MM, sheet.get_y())
        sheet.ln(size * 0.08)
        for line in section.lines:
            _text(sheet, line, size, INK, mark="•")
    sheet.ln(size * 0.3)
    _text(sheet, report.made, max(6.5, size - 1.5), QUIET)


def _text(sheet: FPDF, text: str, size: float, colour: tuple[int, int, int], *, bold: bool = False, mark: str = "") -> None:
    sheet.set_font(FONT, "B" if bold else "", size)
    sheet.set_text_color(*colour)
    height = size * MM_A_POINT * 1.36
    below: dict[str, Any] = {"new_x": "LMARGIN", "new_y": "NEXT", "align": "L"}
    if mark:
        sheet.cell(4.5, height, mark)
    sheet.multi_cell(0, height, text, **below)
