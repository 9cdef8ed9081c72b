"""The A5 poster and the picture under a post. Pure: words in, SVG, PDF or PNG out; the same ones give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.campaigns.sheet import (
    BRAND,
    MM_A_INCH,
    PAPER,
    POINTS_A_MM,
    Format,
    Sheet,
    drawn,
    lines_height,
    missing_letters,
    text_width,
    without_missing,
)

INK, QUIET, ALARM, SUN = "#12262b", "#40555b", "#9a1f12", "#f4c667"
WIDTH_MM, HEIGHT_MM = 148.0, 210.0
MARGIN_MM = 10.0
# Read across a street: the code fills the width that the words leave.
LARGEST_QR_MM, SMALLEST_QR_MM = 84.0, 52.0
CARD_PX, CARD_DPI = (1200, 630), 100


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


def poster(words: PosterWords, url: str, kind: Format = "svg") -> bytes:
    """A5 upright, one page. Raises CannotDraw."""
    _check_letters(words.name, words.summary)

    def draw(sheet: Sheet) -> None:
        sheet.box(0, 0, WIDTH_MM, 32, BRAND)
        sheet.horn(MARGIN_MM, 7, 18)
        sheet.write(words.brand, 33, 8, 24, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(words.owner, 10.5, WIDTH_MM - 33 - MARGIN_MM)[:2], 33, 19.5, 10.5, PAPER)
        bottom = _foot(sheet, words)
        top = _head(sheet, words, bottom)
        side = max(SMALLEST_QR_MM, min(LARGEST_QR_MM, bottom - top))
        sheet.qr(url, (WIDTH_MM - side) / 2, top + (bottom - top - side) / 2, side)

    return drawn(draw, (WIDTH_MM, HEIGHT_MM), kind, title=words.name, dpi=200)


def card(name: str, summary: str, owner: str, brand: str) -> bytes:
    """The picture that Facebook, Zalo and Messenger show under a post: 1200 × 630 pixels, PNG."""
    width, height = (side / CARD_DPI * MM_A_INCH for side in CARD_PX)
    name, summary = (without_missing(text) for text in (name, summary))

    def draw(sheet: Sheet) -> None:
        sheet.box(0, 0, width, height, BRAND)
        sheet.horn(20, 18, 28)
        sheet.write(brand, 56, 19, 34, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(owner, 17, width - 76)[:1], 56, 36, 17, PAPER)
        size, lines = sheet.fitted(name, (46, 40, 34, 28), width - 40, most=3)
        below = sheet.write_lines(lines, 20, 62, size, PAPER, bold=True)
        sheet.write_lines(sheet.wrapped(summary, 20, width - 40)[:3], 20, below + 4, 20, "#d9ecec")
        sheet.box(0, height - 5, width, 5, SUN)

    return drawn(draw, (width, height), "png", title=name, dpi=CARD_DPI)


def _head(sheet: Sheet, words: PosterWords, bottom: float) -> float:
    """Name and short text; returns where the code may begin. A long text is set smaller, never cut."""
    inner = WIDTH_MM - 2 * MARGIN_MM
    for summary_size in (14.0, 12.5, 11.0, 10.0):
        size, lines = sheet.fitted(words.name, (26, 23, 20, 17, 15), inner, most=3)
        text = sheet.wrapped(words.summary, summary_size, inner) if words.summary else []
        needed = 40 + lines_height(lines, size) + (3 + lines_height(text, summary_size) if text else 0) + 3
        if needed + SMALLEST_QR_MM <= bottom:
            break
    below = sheet.write_lines(lines, MARGIN_MM, 40, size, INK, bold=True)
    return (sheet.write_lines(text, MARGIN_MM, below + 3, summary_size, INK) if text else below) + 3


def _foot(sheet: Sheet, words: PosterWords) -> float:
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


def _band(sheet: Sheet, words: PosterWords, y: float, size: float) -> None:
    """Whom to call on the left, that it is a machine on the right: in smaller letters where both are long."""
    room = WIDTH_MM - 2 * MARGIN_MM - 4
    alarm = next((s for s in (size, 10.5, 9.0, 7.5) if text_width(words.emergency, s, bold=True) <= room * 0.6), 6.5)
    left = room - text_width(words.emergency, alarm, bold=True)
    machine = next((s for s in (9.5, 8.5, 7.5, 6.5) if text_width(words.machine, s, bold=False) <= left), 5.5)
    sheet.write(words.emergency, MARGIN_MM, y, alarm, ALARM, bold=True)
    sheet.write(words.machine, WIDTH_MM - MARGIN_MM, y + (alarm - machine) / POINTS_A_MM, machine, QUIET, align="right")


def _check_letters(*texts: str) -> None:
    if missing := missing_letters(*texts):
        raise CannotDraw(missing)
