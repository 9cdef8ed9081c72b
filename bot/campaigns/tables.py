"""Counts as they may be shown: no cell tells of fewer than five people, and none can be worked out from its neighbours. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.campaigns.counting import Row

FEWEST = 5
FEW = "<5"
# A second cell that would tell, by subtraction, what a single hidden one holds.
HIDDEN = "…"
MEASURES = ("opened", "started", "questions", "handed_over", "solved")
OF_TOPICS = ("questions",)

Cell = int | str


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is of, and its cells in the order of the measures."""

    of: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    lines: tuple[Line, ...]
    totals: tuple[Cell, ...]


def shown(count: int) -> Cell:
    return FEW if 0 < count < FEWEST else count


def totals(rows: Iterable[Row]) -> dict[str, Cell]:
    """Of one campaign, or of whatever the rows are of."""
    kept = list(rows)
    return {measure: shown(sum(getattr(row, measure) for row in kept)) for measure in MEASURES}


def table(rows: Iterable[Row], of: Callable[[Row], str], measures: Sequence[str] = MEASURES) -> Table:
    """One line a group, in the order of the groups' names; without lines that hold nothing."""
    groups: dict[str, list[int]] = {}
    for row in rows:
        sums = groups.setdefault(of(row), [0] * len(measures))
        for number, measure in enumerate(measures):
            sums[number] += getattr(row, measure)
    filled = {name: sums for name, sums in sorted(groups.items()) if any(sums)}
    columns = [hidden([sums[number] for sums in filled.values()]) for number in range(len(measures))]
    lines = tuple(Line(name, tuple(column[n] for column in columns)) for n, name in enumerate(filled))
    whole = tuple(shown(sum(sums[number] for sums in filled.values())) for number in range(len(measures)))
    return Table(lines, whole)


def hidden(column: Sequence[int]) -> list[Cell]:
    """One to four are `<5`. Is that one cell alone, the total would tell it: the smallest other one is hidden as well."""
    cells: list[Cell] = [shown(count) for count in column]
    others = [n for n, count in enumerate(column) if count >= FEWEST]
    if cells.count(FEW) == 1 and others:
        cells[min(others, key=lambda n: (column[n], n))] = HIDDEN
    return cells


def export_rows(
    rows: Sequence[Row], codes: Mapping[int, str], places: Callable[[str], str], topics: Callable[[str], str]
) -> list[list[Any]]:
    """One line for each campaign, day, place and topic; the cells as in the tables of the page."""
    kept = [row for row in rows if row.campaign_id in codes]
    kept.sort(key=lambda row: (codes[row.campaign_id], row.day, row.topic, row.place))
    groups: dict[int, list[int]] = {}
    for number, row in enumerate(kept):
        groups.setdefault(row.campaign_id, []).append(number)
    cells: dict[tuple[int, str], Cell] = {}
    for numbers in groups.values():
        for measure in MEASURES:
            column = hidden([getattr(kept[number], measure) for number in numbers])
            cells.update({(number, measure): cell for number, cell in zip(numbers, column, strict=True)})
    return [
        [codes[row.campaign_id], row.day.isoformat(), places(row.place), topics(row.topic), *(cells[n, m] for m in MEASURES)]
        for n, row in enumerate(kept)
    ]


def as_csv(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> bytes:
    """UTF-8 with a mark, so that Excel reads the letters; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([[_no_formula(cell) for cell in line] for line in lines])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(title: str, head: Sequence[str], lines: Sequence[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    sheet.append(list(head))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, line in enumerate(lines, 2):
        for column, value in enumerate(line, 1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a name that begins with = is no formula
    for letter, width in zip("ABCDEFGHI", (18, 12, 26, 30, 10, 10, 10, 14, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _no_formula(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
