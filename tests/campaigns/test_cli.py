"""`loa campaign` from its first to its last command, over a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli_campaign import app
from tests.office import Office

ADDED = ["add", "Xét nghiệm dịp Tết", "--code", "tet2026", "--topic", "testing_where", "--spot", "poster"]


@pytest.fixture
def loa(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in {
        "LOA_HOME": str(tmp_path),
        "LOA_DATABASE_URL": database_url,
        "LOA_PUBLIC_URL": "https://loa.example.vn",
    }.items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_a_campaign_from_its_making_to_its_end(loa: CliRunner, office: Office, tmp_path: Path) -> None:
    added = loa.invoke(app, ADDED)
    assert (added.exit_code, "https://loa.example.vn/c/tet2026" in added.output) == (0, True)
    assert "tet2026" in loa.invoke(app, ["list"]).output
    office.rows("INSERT INTO campaign_days (campaign_id, day, opened) SELECT id, '2026-11-22', 3 FROM campaigns")
    assert "<5" in loa.invoke(app, ["show", "TET2026"]).output
    for command, start in (
        (["qr"], b"<?xml"),
        (["qr", "--png"], b"\x89PNG"),
        (["poster"], b"%PDF"),
        (["poster", "--svg"], b"<?xml"),
    ):
        path = tmp_path / "-".join(command)
        assert loa.invoke(app, [command[0], "tet2026", *command[1:], "--out", str(path)]).exit_code == 0
        assert path.read_bytes().startswith(start)
    exported = loa.invoke(app, ["export"]).output
    assert exported.splitlines()[1].startswith("tet2026,2026-11-22,,,<5,0")
    assert loa.invoke(app, ["end", "tet2026"]).exit_code == 0
    assert [action for _, action in office.log("campaign_added", "campaign_ended")] == ["campaign_added", "campaign_ended"]


@pytest.mark.parametrize(
    "arguments", [[*ADDED[:3], "khong-so", "--topic", "testing_where"], ["show", "no-1"], ["end", "no-1"], ["poster", "x"]]
)
def test_what_cannot_be_is_one_sentence(loa: CliRunner, arguments: list[str]) -> None:
    refused = loa.invoke(app, arguments)
    assert (refused.exit_code, refused.output.startswith("loa: ")) == (1, True)
