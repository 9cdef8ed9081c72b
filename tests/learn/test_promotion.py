"""Which model runs: noted, followed, given back; a worse one is refused. The models here are small files that Rasa never sees."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import cli_model, model, promotion, service
from bot.cli import app
from bot.promotion import CannotPromote
from bot.settings import Settings, SettingsError
from bot.supervisor import Part, Supervisor
from tests.gateway import free_port
from tests.office import Office

LINE = {"kind": "topic", "name": "testing", "number": 100, "before": 90, "after": 95}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(model, "program", lambda *_: "today")
    monkeypatch.setattr(model, "fingerprint", lambda *_: "newest")
    for folder in ("models", "run"):
        (tmp_path / folder).mkdir()
    return Settings.from_environment({"LOA_HOME": str(tmp_path)})


def trained(settings: Settings, name: str, program: str = "today") -> Path:
    path = settings.models / f"loa-{name}.tar.gz"
    path.write_bytes(name.encode())
    path.with_name(path.name + ".sha256").write_text(hashlib.sha256(name.encode()).hexdigest())
    path.with_name(path.name + ".json").write_text(json.dumps({"program": program, "examples": 7, "learned": 1}))
    return path


def test_the_noted_model_runs_and_the_one_before_is_the_way_back(settings: Settings) -> None:
    first, second = trained(settings, "first"), trained(settings, "second")
    assert promotion.to_run(settings) is None
    promotion.note(settings, first, "an")
    promotion.note(settings, second, "an", "why")
    assert promotion.to_run(settings) == second
    assert promotion.note_back(settings, "binh").model == first.name
    assert promotion.to_run(settings) == first
    with pytest.raises(CannotPromote):
        promotion.note_back(settings, "binh")


def test_a_note_of_another_program_or_a_changed_file_does_not_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trained(settings, "first")
    promotion.note(settings, path, "an")
    path.write_bytes(b"changed")
    assert promotion.to_run(settings) is None
    trained(settings, "first")
    assert promotion.to_run(settings) == path
    monkeypatch.setattr(model, "program", lambda *_: "tomorrow")
    assert promotion.to_run(settings) is None
    for broken in ("", "[]", '{"model": 1}'):
        (settings.home / promotion.NOTE).write_text(broken)
        assert promotion.noted(settings) is None


@pytest.mark.parametrize("name", ["loa-none.tar.gz", "../model.json", "loa-old.tar.gz"])
def test_only_a_model_of_ours_and_of_this_program_is_fit(settings: Settings, name: str) -> None:
    trained(settings, "old", "yesterday")
    with pytest.raises(CannotPromote):
        promotion.checked(settings, name)


def test_learned_examples_alone_make_no_other_program(tmp_path: Path) -> None:
    for file in ("config.yml", "domain.yml", "data/nlu/vi/testing.yml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("a")
    data, program = model.fingerprint(tmp_path), model.program(tmp_path)
    learned = tmp_path / "data/nlu/vi/learned/testing.yml"
    learned.parent.mkdir()
    learned.write_text("b")
    assert (model.fingerprint(tmp_path) != data, model.program(tmp_path)) == (True, program)
    (tmp_path / "data/nlu/vi/testing.yml").write_text("c")
    assert model.program(tmp_path) != program


class TestCommands:
    @pytest.fixture
    def loa(self, settings: Settings, office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("LOA_HOME", str(settings.home))
        monkeypatch.setenv("LOA_DATABASE_URL", office.url)
        return lambda *words: CliRunner().invoke(app, list(words))

    @pytest.fixture
    def judged(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def judge(*worse: str) -> None:
            content = {"worse": list(worse), "lines": [LINE], "asked": "x"}
            monkeypatch.setattr(cli_model, "compare", lambda *_: content)

        judge()
        return judge

    def test_the_first_model_needs_no_comparison_and_the_newest_is_meant(
        self, settings: Settings, loa: Any, office: Office
    ) -> None:
        trained(settings, "newest")
        result = loa("model", "promote")
        assert result.exit_code == 0, result.output
        assert "next start" in result.output
        noted = promotion.noted(settings)
        assert noted
        assert noted.model == "loa-newest.tar.gz"
        assert [action for _, action in office.log("model_promoted")] == ["model_promoted"]

    def test_a_worse_one_is_refused_unless_there_is_a_reason(
        self, settings: Settings, loa: Any, judged: Any, office: Office
    ) -> None:
        promotion.note(settings, trained(settings, "first"), "an")
        trained(settings, "newest")
        judged("topic testing: 90 → 80 of 100")
        refused = loa("model", "promote")
        assert refused.exit_code == 1
        assert "topic testing" in refused.output
        assert loa("model", "promote", "--reason", "  ").exit_code == 1
        assert promotion.to_run(settings) == settings.models / "loa-first.tar.gz"
        assert office.log("model_promoted") == []
        assert loa("model", "promote", "--reason", "the topic was wrong before").exit_code == 0
        detail = office.rows("SELECT detail FROM audit_log WHERE action = 'model_promoted'")[0]["detail"]
        assert detail == {
            "before": "loa-first.tar.gz",
            "reason": "the topic was wrong before",
            "worse": ["topic testing: 90 → 80 of 100"],
        }
        assert loa("model", "rollback").exit_code == 0
        assert promotion.to_run(settings) == settings.models / "loa-first.tar.gz"
        assert len(office.log("model_rolled_back")) == 1

    def test_one_that_cannot_be_compared_needs_a_reason_too(
        self, settings: Settings, loa: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        promotion.note(settings, trained(settings, "first"), "an")
        trained(settings, "newest")
        monkeypatch.setattr(cli_model, "compare", lambda *_: None)
        assert loa("model", "promote").exit_code == 1

    def test_without_the_log_nothing_changes(self, settings: Settings, loa: Any, judged: Any, office: Office) -> None:
        promotion.note(settings, trained(settings, "first"), "an")
        trained(settings, "newest")
        office.rows("ALTER TABLE audit_log RENAME TO audit_log_gone")
        assert isinstance(loa("model", "promote").exception, SettingsError)
        assert promotion.to_run(settings) == settings.models / "loa-first.tar.gz"

    def test_the_list_says_what_runs_and_what_may_not(self, settings: Settings, loa: Any) -> None:
        promotion.note(settings, trained(settings, "first"), "an")
        trained(settings, "old", "yesterday")
        lines = loa("model", "list").output
        assert "RUNS" in next(line for line in lines.splitlines() if line.startswith("loa-first"))
        assert "of another program" in next(line for line in lines.splitlines() if line.startswith("loa-old"))

    def test_a_candidate_of_the_same_data_is_none(self, settings: Settings, loa: Any) -> None:
        promotion.note(settings, trained(settings, "newest"), "an")
        assert isinstance(loa("train", "--candidate").exception, SettingsError)

    def test_there_may_be_nothing_to_compare(self, settings: Settings, loa: Any) -> None:
        assert loa("evaluate", "--compare").exit_code == 2

    def test_a_comparison_in_which_the_new_one_is_worse_ends_with_one(self, settings: Settings, loa: Any, judged: Any) -> None:
        promotion.note(settings, trained(settings, "first"), "an")
        trained(settings, "newest")
        assert loa("evaluate", "--compare").exit_code == 0
        judged("all: 90 → 80 of 100")
        assert loa("evaluate", "--compare").exit_code == 1


# ---- `loa up` follows: Rasa is played by a small process that serves, or does not

RASA = """
import http.server, sys
model, port = sys.argv[sys.argv.index("--model") + 1], int(sys.argv[-1])
if "bad" in model: sys.exit(3)
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(model.encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", port), Door).serve_forever()
"""


class Up:
    """A supervisor with the played Rasa, following the note."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings, self.port = settings, port
        self.supervisor = Supervisor(settings.home, settings.run / "parts.json", quiet=True)
        foundation = service.Foundation(None, "", f"http://127.0.0.1:{port}", "t", "http://127.0.0.1:9")
        first = trained(settings, "first")
        self.rasa = Part("rasa", [sys.executable, "-S", "-c", RASA, "--model", str(first), str(port)])
        self.supervisor.start(self.rasa)
        self.switching = service.Switching(settings, foundation, self.supervisor, self.rasa, first)

    async def says(self, model_name: str, state: str) -> promotion.Serving:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            serving = promotion.serving(self.settings)
            if serving == promotion.Serving(f"loa-{model_name}.tar.gz", state):
                return serving
            await asyncio.sleep(0.05)
        raise AssertionError(f"{promotion.serving(self.settings)} is not {model_name} {state}")


@pytest.fixture
async def up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(service, "LOOK_FOR_MODEL_SECONDS", 0.05)
    running = Up(settings, free_port())
    following = asyncio.create_task(running.switching.follow())
    yield running
    following.cancel()
    await running.supervisor.stop()


async def test_a_promoted_model_takes_over_without_a_crash(up: Up, settings: Settings) -> None:
    noted = promotion.noted(settings)
    assert noted
    assert noted.model == "loa-first.tar.gz", "what runs at the start is noted"
    promotion.note(settings, trained(settings, "second"), "an")
    await up.says("second", "running")
    assert (up.rasa.restarts, str(up.rasa.command[5]).endswith("loa-second.tar.gz")) == (0, True)
    assert not promotion.is_switching(settings.run)


async def test_a_model_that_does_not_come_up_gives_its_place_back(up: Up, settings: Settings) -> None:
    await up.says("first", "running")
    promotion.note(settings, trained(settings, "bad"), "an")
    await up.says("first", "failed")
    noted = promotion.noted(settings)
    assert noted
    assert noted.before == (), "nothing leads back to it"
    assert promotion.to_run(settings) == settings.models / "loa-first.tar.gz"
    assert up.supervisor.is_running(up.rasa)


async def test_a_note_of_a_file_that_is_not_ours_changes_nothing(up: Up, settings: Settings) -> None:
    path = trained(settings, "second")
    path.write_bytes(b"something else")
    promotion.note(settings, path, "an")
    await asyncio.sleep(0.5)
    assert promotion.serving(settings) == promotion.Serving("loa-first.tar.gz", "running")
    assert str(up.rasa.command[5]).endswith("loa-first.tar.gz")


def test_a_switch_ends_by_itself(settings: Settings) -> None:
    promotion.begin_switch(settings, 60)
    assert promotion.is_switching(settings.run)
    promotion.begin_switch(settings, -1)
    assert not promotion.is_switching(settings.run)
    (settings.run / promotion.SWITCHING).write_text("{")
    assert not promotion.is_switching(settings.run)
