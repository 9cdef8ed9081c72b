"""`loa learn`: from what two people agreed on to a file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import cli_learn
from bot.cli import app
from bot.learn import store
from bot.settings import SettingsError
from tests.learn.conftest import Talks
from tests.office import Office

BUS = "vé xe buýt bao nhiêu tiền"


@pytest.fixture
def loa(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli_learn, "ROOT", tmp_path)
    monkeypatch.setenv("LOA_HOME", str(tmp_path))
    monkeypatch.setenv("LOA_DATABASE_URL", office.url)
    return lambda *words: CliRunner().invoke(app, ["learn", *words])


@pytest.fixture
def group(talks: Talks) -> int:
    talks.asks(BUS)
    talks.asks("em tên Hoa, sđt 0905123678, vé xe buýt bao nhiêu tiền")
    talks.are_collected()
    return int(talks.office.rows("SELECT min(id) AS id FROM learn_groups")[0]["id"])


def agree(office: Office, group: int) -> int:
    texts = [row["text"] for row in office.rows("SELECT text FROM learn_questions WHERE group_id = %s", group)]
    office.does(lambda c: store.propose(c, group, "testing_cost", texts, "an"))
    decision = int(office.rows("SELECT max(id) AS id FROM learn_decisions")[0]["id"])
    office.does(lambda c: store.answer_proposal(c, group, decision, "binh", agree=True))
    return decision


def test_what_two_agreed_on_is_written_once_and_taken_out_when_it_is_undone(
    loa: Any, office: Office, group: int, tmp_path: Path
) -> None:
    decision = agree(office, group)
    path = tmp_path / "data/nlu/vi/learned/testing.yml"
    assert "1 of them not written yet" in loa("status").output
    assert "would change" in loa("apply", "--trial").output
    assert not path.exists()
    assert loa("apply").exit_code == 0
    assert BUS in path.read_text("utf-8")
    assert "0905" not in path.read_text("utf-8")
    assert "0 of them not written yet" in loa("status").output
    assert "written" not in loa("apply").output
    office.does(lambda c: store.undo(c, group, decision, "binh"))
    assert "1 groups taken out" in loa("apply").output
    assert not path.exists()
    assert [action for _, action in office.log("learn_applied")] == ["learn_applied", "learn_applied"]


def test_only_one_persons_word_is_never_written(loa: Any, office: Office, group: int, tmp_path: Path) -> None:
    office.does(lambda c: store.propose(c, group, "testing_cost", [BUS], "an"))
    assert loa("apply").exit_code == 0
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence_and_nothing_is_noted(
    loa: Any, office: Office, group: int, tmp_path: Path
) -> None:
    agree(office, group)
    (tmp_path / "data").write_text("a file where a folder should be")
    assert isinstance(loa("apply").exception, SettingsError)
    assert office.rows("SELECT applied_at FROM learn_decisions") == [{"applied_at": None}]
