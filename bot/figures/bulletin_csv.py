"""A file of bulletins as Excel and people save it: UTF-8 with or without a byte order mark, `;`, `,` or tabs. Pure.

One bad cell refuses the whole file, and every bad cell is named at once: row, column, what stands there and what to do.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.figures.bulletin_draft import COLUMNS, Draft, DraftRefused, Problem, plain, read_draft
from bot.figures.places import FigurePlaces

NEEDED = ("place", "kind", "ends", "issuer", "url")
MOST_ROWS = 2000
DELIMITERS = (";", "\t", ",")


@dataclass(frozen=True)
class RowProblem:
    """`row` as a spreadsheet counts it, 1 for the line of names; 0 for the whole file."""

    row: int
    problem: Problem


class FileRefused(Exception):
    """Nothing was taken. `good`: how many rows were without fault."""

    def __init__(self, problems: list[RowProblem], good: int) -> None:
        rows = len({problem.row for problem in problems})
        super().__init__(f"{rows} bad rows, {good} good ones")
        self.problems, self.good, self.bad = problems, good, rows


def read_file(
    content: str | bytes, places: FigurePlaces, words: Mapping[str, Any], now: datetime.datetime
) -> list[tuple[int, Draft]]:
    """(row, bulletin) of every row; raises FileRefused. `words`: locales/vi/interface/bulletins.yml."""
    rows = _rows(_text(content))
    number, names = next(rows, (0, []))
    if not any(name.strip() for name in names):
        raise _refused(0, Problem("", "", "empty_file"))
    columns = _columns(number, names, words["columns"])
    drafts: list[tuple[int, Draft]] = []
    problems: list[RowProblem] = []
    seen: dict[tuple[str, str, datetime.date], int] = {}
    for number, cells in rows:
        try:
            drafts.append((number, _draft(cells, columns, places, words, now)))
            _only_once(number, drafts[-1][1], seen)
        except DraftRefused as refused:
            drafts = [(row, draft) for row, draft in drafts if row != number]
            problems += [RowProblem(number, problem) for problem in refused.problems]
    if problems:
        raise FileRefused(problems, len(drafts))
    if not drafts:
        raise _refused(0, Problem("", "", "empty_file"))
    return drafts


def _text(content: str | bytes) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        # "Unicode text" of Excel is UTF-16 with its mark.
        return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(0, Problem("", "", "not_utf8")) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line as a spreadsheet counts it, cells) of every row that is not empty."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    taken = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                taken += 1
                yield number, cells
            if taken > MOST_ROWS + 1:
                raise _refused(number, Problem("", "", "too_many_rows", {"limit": MOST_ROWS}))
    except csv.Error as error:
        raise _refused(number + 1, Problem("", "", "not_csv")) from error


def _columns(row: int, names: list[str], known: Mapping[str, list[str]]) -> list[str]:
    """The column of each cell, "" for one without a name."""
    by_name = {plain(name): column for column, given in known.items() for name in given}
    titles = ", ".join(known[column][0] for column in COLUMNS)
    columns: list[str] = []
    problems: list[RowProblem] = []
    for name in names:
        column = by_name.get(plain(name), "")
        if name.strip() and not column:
            problems.append(RowProblem(row, Problem("", name.strip(), "column_unknown", {"columns": titles})))
        if column and column in columns:
            problems.append(RowProblem(row, Problem("", name.strip(), "column_twice")))
        columns.append(column)
    if missing := [known[column][0] for column in NEEDED if column not in columns]:
        problems.append(RowProblem(row, Problem("", "", "columns_missing", {"columns": ", ".join(missing)})))
    if problems:
        raise FileRefused(problems, 0)
    return columns


def _draft(cells: list[str], columns: list[str], places: FigurePlaces, words: Mapping[str, Any], now: datetime.datetime) -> Draft:
    if extra := [cell.strip() for cell in cells[len(columns) :] if cell.strip()]:
        raise DraftRefused([Problem("", extra[0], "extra_cell")])
    fields = {column: cell for column, cell in zip(columns, cells, strict=False) if column}
    return read_draft(fields, places, words["kind_names"], now)


def _only_once(row: int, draft: Draft, seen: dict[tuple[str, str, datetime.date], int]) -> None:
    window = (draft.place, draft.window.kind, draft.as_of)
    first = seen.setdefault(window, row)
    if first != row:
        raise DraftRefused([Problem("place", draft.place, "twice_in_file", {"row": first})])


def _refused(row: int, problem: Problem) -> FileRefused:
    return FileRefused([RowProblem(row, problem)], 0)
