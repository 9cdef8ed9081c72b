"""`loa operator`, run as an administrator runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli_operators import app
from tests.office import Browser, Office


@pytest.fixture
def loa(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LOA_DATABASE_URL", office.url)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_printed_password_opens_the_account_and_stands_alone_on_standard_output(loa: Any, browser: Browser) -> None:
    made = loa("add", "an.nguyen", "--role", "senior")
    assert made.exit_code == 0
    assert made.stdout.count("\n") == 1
    assert browser.logs_in("an.nguyen", made.stdout.strip()).status_code == 303


def test_a_reset_prints_another_password_and_may_change_the_role(loa: Any, browser: Browser, office: Office) -> None:
    first = loa("add", "an", "--role", "operator").stdout.strip()
    second = loa("reset", "an", "--role", "content").stdout.strip()
    assert browser.logs_in("an", first).status_code == 401
    assert browser.logs_in("an", second).status_code == 303
    assert office.rows("SELECT role FROM operators") == [{"role": "content"}]


def test_a_disabled_account_is_listed_as_such(loa: Any) -> None:
    assert "no account yet" in loa("list").stdout
    loa("add", "an", "--role", "admin")
    assert loa("disable", "an").exit_code == 0
    listed = loa("list").stdout
    assert "an" in listed
    assert "disabled" in listed


def test_a_role_and_the_need_of_approval_are_changed_and_logged(loa: Any, office: Office) -> None:
    loa("add", "an", "--role", "operator")
    assert office.rows("SELECT needs_approval FROM operators") == [{"needs_approval": True}]
    assert loa("needs-approval", "an", "no").exit_code == 0
    assert loa("role", "an", "senior").exit_code == 0
    assert loa("add", "binh", "--role", "operator", "--no-approval").exit_code == 0
    assert office.rows("SELECT name, role, needs_approval FROM operators ORDER BY name") == [
        {"name": "an", "role": "senior", "needs_approval": False},
        {"name": "binh", "role": "operator", "needs_approval": False},
    ]
    assert [action for _, action in office.log("operator_approval_set", "operator_role_changed")] == [
        "operator_approval_set",
        "operator_role_changed",
    ]


def test_somebody_is_logged_out_everywhere(loa: Any, browser: Browser, office: Office) -> None:
    browser.carries(office.hires("an"))
    assert loa("log-out", "an").exit_code == 0
    assert browser.opens("/staff/password").status_code == 303


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("role", "an", "boss"), 2, "none of"),
        (("role", "nobody", "senior"), 1, "there is no account"),
        (("needs-approval", "an", "maybe"), 2, "neither yes nor no"),
        (("log-out", "nobody"), 1, "there is no account"),
        (("add", "an", "--role", "boss"), 2, "none of"),
        (("add", "an"), 2, "--role"),
        (("add", "Không Được", "--role", "admin"), 1, "is no account name"),
        (("reset", "nobody"), 1, "there is no account"),
        (("disable", "nobody"), 1, "there is no account"),
        (("reset", "nobody", "--role", "boss"), 2, "none of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(loa: Any, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = loa(*arguments)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_without_a_database_it_says_so(loa: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", "postgresql://127.0.0.1:9/nothing")
    done = loa("list")
    assert (done.exit_code, "does not answer" in done.stderr) == (1, True)


def test_the_log_comes_out_as_json_without_passwords(loa: Any) -> None:
    password = loa("add", "an", "--role", "admin").stdout.strip()
    loa("disable", "an")
    log = loa("log").stdout
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(line["action"], line["object"]) for line in lines] == [("operator_added", "an"), ("operator_disabled", "an")]
    assert all(line["actor"].startswith("shell:") for line in lines)
    assert password not in log
