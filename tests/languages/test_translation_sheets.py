"""A translator's table: written, filled in with a spreadsheet, read back; each row's trouble is told."""

from __future__ import annotations

import csv
import datetime
import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.directory.languages import Languages
from bot.languages import po
from bot.languages.interface import interface_words
from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source, extracted
from bot.languages.translation_sheets import COLUMNS, Row, SheetRefused, as_csv, as_xlsx, cleaned, read_rows, table, taken_in
from bot.settings import ROOT

WORDS = interface_words(ROOT, "translation")
LANGUAGES = Languages.load(ROOT)
RAD, VI = LANGUAGES["rad"], LANGUAGES["vi"]
DAY = datetime.date(2026, 11, 23)
WANTED = [
    Source("utter_greet", "Chào bạn, gọi {hotline}", "talk", "normal", "none", "talk, answer"),
    Source("utter_greet/button/0", "Số cần gọi", "talk", "normal", "none", "talk, button"),
    Source("line", "- {number}: {name}", "system", "normal", "none", "system, part of answers"),
]


def take(*rows: Row, known: dict[str, Translation] | None = None) -> tuple[dict[str, Translation], dict[str, list[str]]]:
    merged, results = taken_in(rows, WANTED, known or {}, (RAD, VI), by="H' An", on=DAY)
    return merged, {result.row.context: [problem.code for problem in result.problems] for result in results}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_table_that_nobody_touched_changes_nothing(tmp_path: Path, suffix: str) -> None:
    known = {
        s.context: Translation(s.context, s.text).translated(text, by="A", date="2026-11-22")
        for s, text in zip(WANTED, ("Lợi {hotline}\n\nih", "Mrô", "- {number}: {name}"), strict=True)
    }
    rows = table(WANTED, known, WORDS)
    path = tmp_path / f"rad{suffix}"
    path.write_bytes(as_xlsx(rows, "rad") if suffix == ".xlsx" else as_csv(rows))
    read = read_rows(path, WORDS)
    assert [row.translation for row in read] == [t.text for t in known.values()]
    assert [row.source for row in read] == [s.text for s in WANTED]
    assert [row.source_hash for row in read] == [hash_of(s.text) for s in WANTED]
    assert take(*read, known=known) == (known, {})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_as_machines_of_any_language_save_it(tmp_path: Path, delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([["Bản  dịch", "Mã"], ["ƀuôn; a, b", "utter_greet"], ["", "line"], [], ["x"]])
    (tmp_path / "a.csv").write_text("\ufeff" + file.getvalue(), encoding="utf-8")
    assert read_rows(tmp_path / "a.csv", WORDS) == [Row(2, "utter_greet", "ƀuôn; a, b"), Row(3, "line", "")]


def test_a_cell_is_never_a_formula(tmp_path: Path) -> None:
    rows = [list(COLUMNS), ["line", "", "", "=1+1", "- {number}", "", "", ""]]
    assert "'- {number}" in as_csv(rows).decode("utf-8-sig")
    (tmp_path / "a.xlsx").write_bytes(as_xlsx(rows, "rad"))
    (row,) = read_rows(tmp_path / "a.xlsx", WORDS)
    assert (row.source, row.translation) == ("=1+1", "- {number}")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "Mã;Bản dịch\nutter_greet;x".encode("utf-16-le"), "not_utf8|no_columns"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "unreadable"),
        ("a.docx", b"PK", "unreadable"),
        ("a.po", b'msgid "', "unreadable"),
        ("a.yml", b"a: [1\n: x", "unreadable"),
        ("a.yml", b"\x80", "unreadable"),
        ("a.csv", b"a,b\n1,2", "no_columns"),
        ("a.csv", b"", "no_columns"),
        ("a.xlsx", b"not a spreadsheet", "unreadable"),
        ("a.po", b'msgid "\xff', "unreadable"),
        ("a.yml", b"- a", "unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SheetRefused, match=said):
        read_rows(tmp_path / name, WORDS)
    assert all(WORDS["file_problems"][one] for one in said.split("|"))


def test_unicode_text_of_excel_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Mã\tBản dịch\r\nutter_greet\tƀuôn hơ̆ng\r\n".encode("utf-16"))
    assert read_rows(tmp_path / "a.txt", WORDS) == [Row(2, "utter_greet", "ƀuôn hơ̆ng")]


@pytest.mark.parametrize("name", ["a.xlsx", "a.po"])
def test_a_file_of_another_language_is_refused(tmp_path: Path, name: str) -> None:
    rows = [list(COLUMNS), ["line", "", "", "x", "- {number}", "", "", ""]]
    of_jra = po.as_text("jra", 1, [Translation("line", "x", "y")]).encode()
    (tmp_path / name).write_bytes(as_xlsx(rows, "jra") if name == "a.xlsx" else of_jra)
    assert read_rows(tmp_path / name, WORDS, ["rad"])
    with pytest.raises(SheetRefused, match="other_language"):
        read_rows(tmp_path / name, WORDS, ["rad", "jra"])


@pytest.mark.parametrize("cell", ["#NAME?", "=-Iêu 115", "#REF!"])
def test_what_excel_took_for_a_formula_is_no_translation(tmp_path: Path, cell: str) -> None:
    book = Workbook()
    for row in (["Mã", "Bản dịch"], ["line", cell]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    taken, problems = take(*read_rows(tmp_path / "a.xlsx", WORDS))
    assert ("line" in taken, "formula" in problems["line"]) == (False, True)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".po"])
def test_a_translation_that_became_old_is_not_revived_by_a_table_that_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    old = Translation("utter_greet", "Chào {hotline}").translated("Lợi {hotline}", by="A", date="2026-11-22")
    known = {one.context: one for one in extracted(WANTED, {"utter_greet": old})}
    path = tmp_path / f"rad{suffix}"
    rows = table(WANTED, known, WORDS)
    written = {".xlsx": lambda: as_xlsx(rows, "rad"), ".csv": lambda: as_csv(rows)}
    path.write_bytes(written.get(suffix, lambda: po.as_text("rad", 1, known.values()).encode())())
    (row, *_) = read = read_rows(path, WORDS)
    assert take(*read, known=known) == (known, {"utter_greet": ["still_stale"]})
    seen, _ = take(replace(row, says_stale=False), known=known)
    assert (seen["utter_greet"].state, seen["utter_greet"].source) == ("draft", WANTED[0].text), "a person said it is right still"
    better, _ = take(replace(row, translation="Lợi ih {hotline}"), known=known)
    assert better["utter_greet"].state == "draft"


def test_letters_in_pieces_are_put_together_and_told() -> None:
    taken, problems = take(Row(2, "utter_greet", unicodedata.normalize("NFD", "Lợi {hotline}")))
    assert taken["utter_greet"].text == "Lợi {hotline}"
    assert problems == {"utter_greet": ["not_nfc"]}


def test_a_mapping_of_drafts_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("utter_greet: |-\n  Lợi {hotline}\nline: ~\n", encoding="utf-8")
    assert [(row.context, row.translation) for row in read_rows(tmp_path / "a.yml", WORDS)] == [
        ("utter_greet", "Lợi {hotline}"),
        ("line", ""),
    ]


def test_a_good_row_becomes_a_draft() -> None:
    merged, said = take(Row(2, "utter_greet", " Lợi  \r\n{hotline}\u00a0", source_hash=hash_of(WANTED[0].text)))
    translation = merged["utter_greet"]
    assert said == {}
    assert (translation.text, translation.state, translation.by, translation.date) == (
        "Lợi\n{hotline}",
        "draft",
        "H' An",
        "2026-11-23",
    )


def test_a_bad_row_stays_out_and_says_why() -> None:
    merged, said = take(
        Row(2, "utter_greet", "Lợi"), Row(3, "utter_grit", "x"), Row(4, "line", "- {number}: {name}!"), Row(5, "line", "y")
    )
    assert set(merged) == {"line"}
    assert said == {"utter_greet": ["placeholder_missing"], "utter_grit": ["unknown_context"], "line": ["twice"]}


def test_a_row_for_words_that_changed_meanwhile_is_kept_and_withheld() -> None:
    merged, said = take(Row(2, "utter_greet", "Lợi {hotline}", source="Chào {hotline}", source_hash=hash_of("Chào {hotline}")))
    assert said == {"utter_greet": ["source_changed"]}
    assert (merged["utter_greet"].state, merged["utter_greet"].previous) == ("stale", "Chào {hotline}")


def test_what_was_approved_is_a_draft_again_when_it_is_replaced() -> None:
    before = Translation("utter_greet", WANTED[0].text).translated("Lợi {hotline}", by="A", date="2026-11-22")
    approved = replace(before, status="approved", records=(f"approved: B, 2026-11-22, {before.revision}",))
    merged, said = take(Row(2, "utter_greet", "Lợi ih {hotline}"), known={"utter_greet": approved})
    assert (merged["utter_greet"].state, said) == ("draft", {"utter_greet": ["approved_replaced"]})
    assert merged["utter_greet"].records == approved.records
    assert take(Row(2, "utter_greet", ""), known={"utter_greet": approved})[0] == {"utter_greet": approved}


def test_cleaning_keeps_every_word() -> None:
    assert cleaned("ơ\u0306 \r\n\u00a0x\r") == "ơ̆\n x"
