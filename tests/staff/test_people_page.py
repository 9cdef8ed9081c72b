"""/staff/people and the commands beside it: who may change whose account, and what the log says of it."""

from __future__ import annotations

import re

import pytest

from tests.office import Browser, Office, Server, reasons

PAGE = "/staff/people"


@pytest.fixture
def admin(server: Server, office: Office) -> Browser:
    browser = server.visitor()
    browser.carries(office.hires("lan", "admin"))
    return browser


def test_a_new_role_holds_at_once_and_stands_in_the_log_with_the_old_one(server: Server, admin: Browser, office: Office) -> None:
    binh = server.visitor()
    binh.carries(office.hires("binh", "senior"))
    assert binh.opens(PAGE).status_code == 403
    assert admin.sends(f"{PAGE}/binh/role", PAGE, role="admin").headers["location"] == f"{PAGE}?done=role"
    assert binh.opens(PAGE).status_code == 200
    admin.sends(f"{PAGE}/binh/role", PAGE, role="admin")
    assert office.rows("SELECT actor, object, detail FROM audit_log WHERE action = 'operator_role_changed'") == [
        {"actor": "lan", "object": "binh", "detail": {"role": "admin", "before": "senior"}}
    ], "the same role again is no change"


def test_a_closed_account_and_ended_sessions_are_out_at_once(server: Server, admin: Browser, office: Office) -> None:
    binh, chi = server.visitor(), server.visitor()
    binh.carries(office.hires("binh", "senior"))
    chi.carries(office.hires("chi", "senior"))
    admin.sends(f"{PAGE}/binh/disable", PAGE)
    admin.sends(f"{PAGE}/chi/sessions", PAGE)
    assert [browser.opens("/staff/password").status_code for browser in (binh, chi)] == [303, 303]
    assert office.rows("SELECT name FROM operators WHERE disabled_at IS NOT NULL") == [{"name": "binh"}]
    assert office.log("operator_disabled", "operator_logged_out") == [
        ("lan", "operator_disabled"),
        ("lan", "operator_logged_out"),
    ]
    page = admin.opens(PAGE).text
    assert f"{PAGE}/binh/role" not in page, "a closed account is opened by a reset alone"
    assert f"{PAGE}/chi/role" in page


def test_whether_words_need_approval_is_changed_and_logged(admin: Browser, office: Office) -> None:
    office.adds("moi", "operator")
    office.adds("cu", "senior")
    before = office.rows("SELECT name, needs_approval FROM operators WHERE name IN ('moi', 'cu') ORDER BY name")
    assert before == [{"name": "cu", "needs_approval": False}, {"name": "moi", "needs_approval": True}]
    admin.sends(f"{PAGE}/moi/approval", PAGE, needed="0")
    admin.sends(f"{PAGE}/cu/approval", PAGE, needed="1")
    after = office.rows("SELECT name, needs_approval FROM operators WHERE name IN ('moi', 'cu') ORDER BY name")
    assert after == [{"name": "cu", "needs_approval": True}, {"name": "moi", "needs_approval": False}]
    logged = office.rows("SELECT object, detail FROM audit_log WHERE action = 'operator_approval_set' ORDER BY id")
    assert logged == [{"object": "moi", "detail": {"needed": False}}, {"object": "cu", "detail": {"needed": True}}]


@pytest.mark.parametrize(
    ("path", "fields", "status", "reason"),
    [
        ("lan/disable", {}, 409, "own_account"),
        ("lan/role", {"role": "operator"}, 409, "own_account"),
        ("lan/sessions", {}, 409, "own_account"),
        ("nobody/disable", {}, 404, "nobody"),
        ("%3Cscript%3E/role", {"role": "senior"}, 404, "nobody"),
        ("binh/role", {"role": "boss"}, 422, "role_unknown"),
        ("binh/role", {}, 422, "role_unknown"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(
    admin: Browser, office: Office, path: str, fields: dict[str, str], status: int, reason: str
) -> None:
    office.hires("binh", "senior")
    before = office.rows("SELECT name, role, disabled_at FROM operators ORDER BY name")
    refused = admin.sends(f"{PAGE}/{path}", PAGE, **fields)
    assert (refused.status_code, reasons(refused)) == (status, [reason])
    assert office.rows("SELECT name, role, disabled_at FROM operators ORDER BY name") == before
    assert "<script>" not in refused.text


def test_the_list_tells_who_was_here_last_also_after_the_logout(server: Server, admin: Browser, office: Office) -> None:
    password = office.settles("binh", "senior")
    binh = server.visitor()
    binh.logs_in("binh", password)
    assert re.search(r"binh.*?1 phiên", admin.opens(PAGE).text, re.S)
    binh.sends("/staff/logout", "/staff/password")
    assert office.rows("SELECT last_seen_at IS NOT NULL AS seen FROM operators WHERE name = 'binh'") == [{"seen": True}]
    row = admin.opens(PAGE).text.split('<th scope="row">binh')[1].split("</tr>")[0]
    assert "phiên" not in row
    assert "chưa lần nào" not in row


def test_a_session_that_is_over_is_not_counted(admin: Browser, office: Office) -> None:
    office.hires("binh", "senior")
    office.rows(
        "UPDATE staff_sessions SET last_seen_at = now() - interval '31 minutes' WHERE token_hash = sha256('token-of-binh')"
    )
    row = admin.opens(PAGE).text.split('<th scope="row">binh')[1].split("</tr>")[0]
    assert "phiên" not in row
