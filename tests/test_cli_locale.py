"""`loa locale`, on a copy of the texts: extract, export, import, review, stale, lint, status."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import cli_locale
from bot.languages import po
from bot.languages.coverage_table import BEGIN, END, MarkersMissing, with_table
from bot.languages.po import Translation
from bot.settings import ROOT

Loa = Callable[..., Result]
KEY = "utter_goodbye"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "locales/vi", tmp_path / "locales/vi")
    shutil.copytree(ROOT / "data/directory", tmp_path / "data/directory")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/languages.md").write_text(f"# Languages\n\n{BEGIN}\nold\n{END}\n\nend\n", encoding="utf-8")
    monkeypatch.setattr(cli_locale, "ROOT", tmp_path)
    reviewers(tmp_path, "Y Bih")
    return tmp_path


@pytest.fixture
def loa(root: Path) -> Loa:
    return lambda *words: CliRunner().invoke(cli_locale.app, [str(word) for word in words])


def reviewers(root: Path, name: str) -> None:
    path = root / "data/directory/languages.yml"
    head, tail = path.read_text(encoding="utf-8").split("  rad:\n")
    path.write_text(f"{head}  rad:\n{tail.replace('reviewers: []', f'reviewers: [{name}]', 1)}", encoding="utf-8")


def change_vietnamese(root: Path, before: str, after: str) -> None:
    path = root / "locales/vi/talk.yml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def kept(root: Path, context: str = KEY) -> Translation:
    return po.read(root / "locales/rad/messages.po")[context]


def drafts(root: Path, text: str) -> Path:
    path = root / "rad.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_whole_way_of_a_translation(loa: Loa, root: Path) -> None:
    assert loa("extract", "rad").exit_code == 0
    assert kept(root).state == "missing"

    assert loa("export", "rad", "--csv", root / "rad.csv", "--only", "missing").exit_code == 0
    table = (root / "rad.csv").read_text(encoding="utf-8-sig")
    assert KEY in table
    done = loa("import", "rad", drafts(root, f"{KEY}: Hơ̆k mơak, 115.\n{KEY}x: y"), "--by", "H' An")
    assert done.exit_code == 1, "a row is left out"
    assert "1 translations taken in as drafts, 1 rows left out" in done.output
    assert kept(root).state == "draft"

    read = loa("review", "rad", KEY, "--by", "Y Bih", "--approve")
    assert "1 translations approved by Y Bih" in read.output, read.output
    assert kept(root).state == "approved"
    assert loa("lint", "rad").exit_code == 0

    change_vietnamese(root, "chúc bạn và gia đình mạnh khỏe", "chúc bạn mạnh khỏe")
    assert "Hơ̆k mơak" in loa("stale", "rad").output, "withheld before anybody extracts"
    assert "1 stale" in loa("extract", "rad").output
    assert (kept(root).state, kept(root).previous.split(",")[0]) == ("stale", "Chào bạn")
    assert loa("review", "rad", KEY, "--by", "Y Bih", "--approve").exit_code == 2
    change_vietnamese(root, "chúc bạn mạnh khỏe", "chúc bạn và gia đình mạnh khỏe")
    loa("extract", "rad")
    assert kept(root).state == "approved", "changed back: what was approved is right again"


def test_extracting_twice_changes_nothing(loa: Loa, root: Path) -> None:
    loa("import", "rad", drafts(root, f"{KEY}: Hơ̆k mơak, 115."), "--by", "H' An")
    loa("extract", "rad")
    before = (root / "locales/rad/messages.po").read_bytes()
    loa("extract", "rad")
    assert (root / "locales/rad/messages.po").read_bytes() == before


def test_a_file_is_made_only_for_a_language_that_is_named(loa: Loa, root: Path) -> None:
    loa("extract", "rad")
    assert loa("extract").output.count(" missing of ") == 1
    assert [path.parent.name for path in (root / "locales").glob("*/messages.po")] == ["rad"]


@pytest.mark.parametrize("form", ["--xlsx", "--csv", "--po"])
def test_an_export_comes_back_unchanged(loa: Loa, root: Path, form: str) -> None:
    loa("import", "rad", drafts(root, f"{KEY}: |-\n  - Hơ̆k mơak\n\n  115."), "--by", "H' An")
    before = (root / "locales/rad/messages.po").read_bytes()
    path = root / f"out.{form.removeprefix('--')}"
    assert loa("export", "rad", form, path).exit_code == 0
    again = loa("import", "rad", path, "--by", "X")
    assert (again.exit_code, " 0 translations taken in" in again.output) == (0, True), again.output
    assert (root / "locales/rad/messages.po").read_bytes() == before


def test_what_is_wrong_in_a_row_is_said_in_its_words(loa: Loa, root: Path) -> None:
    said = loa("import", "rad", drafts(root, "utter_deny: Ơ\nutter_goodbye: tlǒ 115"), "--by", "H' An").output
    words = cli_locale._words()["problems"]
    assert words["placeholder_missing"].partition("{name}")[0] + "{hotline}" in said
    assert words["look_alike"].format(found="ǒ", expected="ŏ") in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("extract", "xx"), "not a language to translate into"),
        (("extract", "vi"), "not a language to translate into"),
        (("export", "rad"), "say where to"),
        (("export", "rad", "--csv", "x.csv", "--only", "nonsense"), "--only must be one of"),
        (("review", "rad", KEY, "--by", "Nobody", "--approve"), "not among the reviewers"),
        (("review", "jra", KEY, "--by", "Y Bih", "--approve"), "not among the reviewers"),
        (("review", "rad", "no_such", "--by", "Y Bih"), "no such text"),
        (("review", "rad", KEY, "--by", "Y Bih", "--approve", "--reject"), "either"),
    ],
)
def test_what_is_refused_is_one_sentence(loa: Loa, words: tuple[str, ...], said: str) -> None:
    result = loa(*words)
    assert result.exit_code == 2
    assert said in result.output


def test_nobody_approves_their_own_words(loa: Loa, root: Path) -> None:
    loa("import", "rad", drafts(root, f"{KEY}: Hơ̆k mơak, 115."), "--by", "Y Bih")
    assert "another person" in loa("review", "rad", KEY, "--by", "Y Bih", "--approve").output
    assert loa("review", "rad", KEY, "--by", "Y Bih").exit_code == 0, "reading again is no approval"
    assert kept(root).state == "reviewed"


def test_lint_fails_on_what_must_not_be_released(loa: Loa, root: Path) -> None:
    loa("import", "rad", drafts(root, f"{KEY}: Hơ̆k mơak, 115."), "--by", "H' An")
    path = root / "locales/rad/messages.po"
    path.write_text(path.read_text(encoding="utf-8").replace("mơak, 115.", "mơak, 114."), encoding="utf-8")
    found = loa("lint", "rad")
    assert (found.exit_code, KEY in found.output) == (1, True)


def test_the_table_is_written_between_its_markers(loa: Loa, root: Path) -> None:
    loa("import", "rad", drafts(root, f"{KEY}: Hơ̆k mơak, 115."), "--by", "H' An")
    assert loa("status", "--write").exit_code == 0
    document = (root / "docs/languages.md").read_text(encoding="utf-8")
    assert document.startswith("# Languages\n")
    assert document.endswith(f"{END}\n\nend\n")
    assert "old" not in document
    (line,) = [line for line in document.splitlines() if "| `rad` |" in line and "Êđê" in line]
    assert line.split(" | ")[3:6] == ["0", "0", "1"]
    with pytest.raises(MarkersMissing):
        with_table("# Languages", "x")
