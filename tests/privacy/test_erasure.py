"""Erased is erased: the whole database is searched for the person's words."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.privacy import erasure
from bot.settings import SettingsError
from tests.office import Office
from tests.privacy.person import ADDRESS, WORDS, found_in, lives_in

# A pointer at a conversation that is emptied instead, with the reason.
EMPTIED: dict[tuple[str, str], str] = {}


def test_nothing_of_the_person_is_left_and_others_stay(office: Office) -> None:
    conversation = lives_in(office)
    lives_in(office, address="1", words="người khác")
    assert {"messages", "trackers", "cases", "case_notes", "conversations"} <= {
        *found_in(office, WORDS),
        *found_in(office, ADDRESS),
    }

    erased = office.does(lambda connection: erasure.erase(connection, conversation, asked_by=erasure.CITIZEN))

    assert (found_in(office, WORDS), found_in(office, ADDRESS)) == ([], [])
    assert found_in(office, "người khác")
    assert (erased.channel, erased.address, erased.counts["messages"]) == ("telegram", ADDRESS, 2)
    assert [row["receipt"] for row in office.rows("SELECT * FROM erasures")] == [erased.receipt]


def test_words_that_help_to_know_a_rumour_go_too_unless_somebody_else_said_the_same(office: Office) -> None:
    first, second = lives_in(office), lives_in(office, address="2", words="khác")
    office.rows(
        """INSERT INTO rumour_verdicts (claim, wordings, verdict, text, source_issuer, source_title, source_date, valid_until, written_by)
           VALUES ('c', ARRAY[%s, 'ai cũng nói'], 'wrong', 't', 'i', 't', '2026-11-01', '2027-11-01', 'a')""",
        WORDS,
    )
    for conversation, words in ((first, WORDS), (first, "ai cũng nói"), (second, "ai cũng nói")):
        office.rows(
            """INSERT INTO rumour_reports (conversation_id, text, consent, verdict_id)
               SELECT %s, %s, 'c', id FROM rumour_verdicts""",
            conversation,
            words,
        )
    office.does(lambda connection: erasure.erase(connection, first, asked_by=erasure.CITIZEN))
    assert found_in(office, WORDS) == []
    assert office.rows("SELECT wordings FROM rumour_verdicts") == [{"wordings": ["ai cũng nói"]}]


def test_a_second_time_there_is_nothing_to_erase(office: Office) -> None:
    conversation = lives_in(office)
    first, second = (
        office.does(lambda connection: erasure.erase(connection, conversation, asked_by=erasure.CITIZEN)) for _ in range(2)
    )
    assert first is not None
    assert second is None
    assert len(office.rows("SELECT * FROM erasures")) == 1


def test_every_table_that_points_at_a_conversation_goes_with_it(office: Office) -> None:
    """A table that somebody adds later cannot be forgotten by the erasure, by the export or by this test."""
    pointing = office.rows(
        """SELECT c.conrelid::regclass::text AS child, a.attname AS column, c.confdeltype AS on_delete FROM pg_constraint c
           JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           WHERE c.contype = 'f' AND c.confrelid IN ('conversations'::regclass, 'messages'::regclass, 'cases'::regclass)"""
    )
    # 'c' deletes the row, 'n' empties the pointer.
    assert [row for row in pointing if row["on_delete"] not in ("c", "n")] == []
    named = office.rows(
        """SELECT table_name AS child, column_name AS column FROM information_schema.columns
           WHERE table_schema = 'public' AND column_name IN ('conversation_id', 'message_id', 'case_id')"""
    )
    known = {(row["child"], row["column"]) for row in pointing}
    assert {(row["child"], row["column"]) for row in named} - known - set(EMPTIED) == set()


def test_the_export_holds_every_word_and_is_noted(office: Office) -> None:
    conversation = lives_in(office)
    data = office.does(lambda connection: erasure.export(connection, conversation, asked_by="shell:test"))
    assert {"conversations", "messages", "trackers", "cases", "case_notes", "echoes"} <= set(data)
    assert [message["text"] for message in data["messages"]] == [WORDS, WORDS]
    assert data["cases"][0]["contact"] == WORDS
    json.dumps(data)
    assert office.log("privacy_export") == [("shell:test", "privacy_export")]


class TestCommands:
    @pytest.fixture
    def runs(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("LOA_DATABASE_URL", office.url)
        return lambda *words: CliRunner().invoke(app, ["privacy", *words])

    def test_export_writes_a_file_for_its_owner_alone_and_no_file_twice(self, office: Office, runs: Any, tmp_path: Path) -> None:
        lives_in(office)
        path = tmp_path / "person.json"
        words = ("export", "--channel", "telegram", "--address", ADDRESS, "--output", str(path))
        assert runs(*words).exit_code == 0
        assert WORDS in path.read_text("utf-8")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert isinstance(runs(*words).exception, SettingsError)

    def test_erase_prints_the_receipt_that_is_kept(self, office: Office, runs: Any) -> None:
        conversation = lives_in(office)
        result = runs("erase", "--conversation", str(conversation), "--yes")
        assert office.rows("SELECT receipt FROM erasures")[0]["receipt"] in result.output
        assert found_in(office, WORDS) == []
        assert [action for _, action in office.log("privacy_erase")] == ["privacy_erase"]

    def test_erase_does_nothing_without_a_yes(self, office: Office, runs: Any) -> None:
        conversation = lives_in(office)
        assert runs("erase", "--conversation", str(conversation)).exit_code == 1
        assert found_in(office, WORDS)

    @pytest.mark.parametrize("words", [("--yes",), ("--yes", "--channel", "zalo"), ("--yes", "--conversation", "4711")])
    def test_nobody_named_or_nobody_found_is_said_in_one_sentence(self, runs: Any, words: tuple[str, ...]) -> None:
        assert isinstance(runs("erase", *words).exception, SettingsError)

    def test_retention_shows_what_is_due_and_changes_nothing(self, office: Office, runs: Any) -> None:
        lives_in(office, days=400)
        result = runs("retention")
        assert result.exit_code == 0
        assert "LOA_KEEP_MESSAGES_DAYS" in result.output
        assert found_in(office, WORDS)
