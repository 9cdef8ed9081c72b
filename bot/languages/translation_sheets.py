"""Tables for translators: written as Excel or CSV, read back row by row with what is wrong in each."""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from bot.directory.languages import Language
from bot.languages import po
from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source, state_beside
from bot.languages.translation_lint import Problem, problems
from bot.yaml_files import parse_yaml

COLUMNS = ("context", "where", "risk", "source", "translation", "state", "note", "source_hash")
_WIDTHS = {"context": 24, "where": 18, "risk": 12, "source": 60, "translation": 60, "state": 16, "note": 30, "source_hash": 16}
MOST_ROWS = 20_000
# Excel would read a line of a list ("- …") in a CSV file as a formula.
_FORMULA = re.compile(r"[=+\-@]")
_GUARDED = re.compile(r"\A'(?=[=+\-@])")
# What Excel makes of a cell that begins with "=" or "-", and what it shows instead of a value.
_FORMULA_OR_ERROR = re.compile(r"=|#(?:NAME\?|VALUE!|REF!|DIV/0!|N/A|NULL!|NUM!)")
# By them Excel's "Unicode text" is known.
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class SheetRefused(Exception):
    """The file as a whole cannot be read; the message is a key of `file_problems`."""


@dataclass(frozen=True)
class Row:
    """One row of a translator's table. `number`: as the spreadsheet shows it; `source_hash`: "" where the table has none;
    `says_stale`: it still calls itself one whose Vietnamese changed."""

    number: int
    context: str
    translation: str
    source: str = ""
    source_hash: str = ""
    says_stale: bool = False


@dataclass(frozen=True)
class RowResult:
    """What became of a row that has something to say about it."""

    row: Row
    problems: tuple[Problem, ...]
    was_taken: bool


def table(wanted: Sequence[Source], known: Mapping[str, Translation], words: Mapping[str, Any]) -> list[list[str]]:
    """The header and a row for each source."""
    rows = [[str(words["columns"][column]) for column in COLUMNS]]
    for source in wanted:
        before = known.get(source.context)
        text = before.text if before is not None else ""
        note = before.previous if before is not None and before.is_fuzzy else ""
        risk, state = words["risks"][source.risk], words["states"][state_beside(source, known)]
        rows.append([source.context, source.where, risk, source.text, text, state, note, hash_of(source.text)])
    return rows


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with the mark by which Excel knows it."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([[_guarded(cell) for cell in row] for row in rows])
    return file.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Sequence[Sequence[str]], tag: str) -> bytes:
    """The sheet is called as the language, so that it comes back to no other."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.active
    sheet.title = tag
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            field = sheet.cell(number, column)
            field.value, field.data_type = cell, "s"  # never a formula
            field.alignment = Alignment(wrap_text=True, vertical="top")
            field.font = Font(bold=number == 1)
    for column, name in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[sheet.cell(1, column).column_letter].width = _WIDTHS[name]
    sheet.freeze_panes = "B2"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read_rows(path: Path, words: Mapping[str, Any], others: Collection[str] = ()) -> list[Row]:
    """Of an .xlsx, .csv or .po file, or a .yml file of `context: translation`; raises SheetRefused. `others`: tags of languages
    that this file must not be of."""
    readers: dict[str, Callable[[], list[Row]]] = {
        ".xlsx": lambda: _rows_of_table(_xlsx_cells(path, others), words),
        ".po": lambda: _po_rows(path, others),
        ".yml": lambda: _yaml_rows(path),
        **dict.fromkeys((".csv", ".tsv", ".txt"), lambda: _rows_of_table(_csv_cells(path), words)),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SheetRefused("unreadable")
    return reader()


def taken_in(
    rows: Sequence[Row],
    wanted: Sequence[Source],
    known: Mapping[str, Translation],
    languages: tuple[Language, Language],
    *,
    by: str,
    on: datetime.date,
) -> tuple[dict[str, Translation], list[RowResult]]:
    """(the translations with what could be taken, what is to be said of rows). `languages`: this one and Vietnamese.

    Rows without a translation and rows that change nothing are passed over. What has an error stays out.
    """
    by_context = {source.context: source for source in wanted}
    merged, results, seen = dict(known), [], set[str]()
    for row in rows:
        source = by_context.get(row.context)
        if source is None or row.context in seen:
            found = Problem("unknown_context" if source is None else "twice", values={"context": row.context})
            results.append(RowResult(row, (found,), was_taken=False))
            continue
        seen.add(row.context)
        text = cleaned(row.translation)
        before = merged.get(row.context)
        if not text or (before is not None and before.text == text and before.state != "stale"):
            continue
        if before is not None and before.text == text and row.says_stale:  # nobody has looked at it
            results.append(RowResult(row, (Problem("still_stale"),), was_taken=False))
            continue
        found_all = (*_about_the_row(row, source, before), *problems(row.context, source.text, text, *languages))
        is_wrong = any(problem.severity == "error" for problem in found_all)
        if not is_wrong:
            merged[row.context] = _translation(row, source, before, text, by=by, date=on.isoformat())
        if found_all:
            results.append(RowResult(row, found_all, was_taken=not is_wrong))
    return merged, results


def cleaned(text: str) -> str:
    """NFC, lines ended alike, without spaces at the ends of lines: nothing that a translator would call their words."""
    normal = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return "\n".join(line.rstrip() for line in normal.split("\n")).strip()


def _about_the_row(row: Row, source: Source, before: Translation | None) -> Iterator[Problem]:
    if _FORMULA_OR_ERROR.match(row.translation):
        yield Problem("formula", values={"text": row.translation[:40]})
    if unicodedata.normalize("NFC", row.translation) != row.translation:
        yield Problem("not_nfc", "look")
    if row.source_hash and row.source_hash != hash_of(source.text):
        yield Problem("source_changed", "look")
    if before is not None and before.state == "approved":
        yield Problem("approved_replaced", "look")


def _translation(row: Row, source: Source, before: Translation | None, text: str, *, by: str, date: str) -> Translation:
    kept = replace(before, source=source.text) if before is not None else Translation(source.context, source.text)
    translated = replace(kept.translated(text, by=by, date=date), notes=source.notes)
    if row.source_hash and row.source_hash != hash_of(source.text):
        return replace(translated, source_hash=row.source_hash, is_fuzzy=True, previous=cleaned(row.source))
    return translated


def _rows_of_table(cells: Sequence[Sequence[str]], words: Mapping[str, Any]) -> list[Row]:
    if not cells or len(cells) > MOST_ROWS:
        raise SheetRefused("no_columns")
    names = {_plain(str(shown)): column for column, shown in words["columns"].items()} | {name: name for name in COLUMNS}
    places = {names[_plain(cell)]: place for place, cell in enumerate(cells[0]) if _plain(cell) in names}
    if not {"context", "translation"} <= set(places):
        raise SheetRefused("no_columns")
    found = []
    for number, line in enumerate(cells[1:], start=2):
        given = {name: line[place] if place < len(line) else "" for name, place in places.items()}
        if given["context"].strip():
            found.append(
                Row(
                    number,
                    given["context"].strip(),
                    given["translation"],
                    given.get("source", ""),
                    given.get("source_hash", "").strip(),
                    says_stale=_plain(given.get("state", "")) == _plain(str(words["states"]["stale"])),
                )
            )
    return found


def _xlsx_cells(path: Path, others: Collection[str]) -> list[list[str]]:
    """A formula as it was typed: its value may never have been computed."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        sheet = load_workbook(io.BytesIO(path.read_bytes()), read_only=True).worksheets[0]
        if _is_among(others, sheet.title):
            raise SheetRefused("other_language")
        rows = sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 1)
        return [["" if cell is None else str(cell) for cell in row] for row in rows]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
        raise SheetRefused("unreadable") from error


def _csv_cells(path: Path) -> list[list[str]]:
    """Excel writes semicolons or tabs where the machine's language takes the comma for numbers."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetRefused("not_utf8") from error
    except OSError as error:
        raise SheetRefused("unreadable") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return [[_GUARDED.sub("", cell, count=1) for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise SheetRefused("unreadable") from error


def _po_rows(path: Path, others: Collection[str]) -> list[Row]:
    try:
        if _is_among(others, po.language_of(path)):
            raise SheetRefused("other_language")
        entries = po.read(path).values()
    except po.TranslationsError as error:
        raise SheetRefused("unreadable") from error
    if not entries:
        raise SheetRefused("unreadable")
    return [
        Row(number, entry.context, entry.text, entry.source, hash_of(entry.source), says_stale=entry.is_fuzzy)
        for number, entry in enumerate(entries, start=1)
        if not entry.is_obsolete
    ]


def _yaml_rows(path: Path) -> list[Row]:
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SheetRefused("unreadable") from error
    if not isinstance(content, dict):
        raise SheetRefused("unreadable")
    return [Row(number, str(context), str(text or "")) for number, (context, text) in enumerate(content.items(), start=1)]


def _is_among(others: Collection[str], named: str) -> bool:
    """A file may call itself nothing, or anything; Poedit writes `mww_Latn`."""
    return named.replace("_", "-").casefold() in {tag.casefold() for tag in others}


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _plain(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFC", cell).split()).casefold()
