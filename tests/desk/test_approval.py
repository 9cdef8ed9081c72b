"""What new staff write reaches nobody before a senior has read it; approved answers are no matter of this."""

from __future__ import annotations

import re

import pytest

from tests.desk.conftest import WORDS, Desk, does, sends
from tests.office import Browser


def draft_on(senior: Browser) -> str:
    found = re.search(r"/desk/drafts/(\d+)/approve", senior.opens("/desk").text)
    assert found
    return found[1]


def decides(senior: Browser, draft: str, decision: str, **fields: str) -> int:
    return int(senior.sends(f"/desk/drafts/{draft}/{decision}", "/desk", **fields).status_code)


@pytest.fixture
def case_id(desk: Desk) -> int:
    return desk.asks()


def test_words_of_new_staff_wait_and_are_sent_as_theirs_when_a_senior_agrees(desk: Desk, case_id: int) -> None:
    new = desk.holds("moi", case_id, is_new=True)
    for _ in range(2):
        assert (
            sends(new, case_id, "Bạn đến trạm y tế nhé", key="twice-the-same")
            .headers["location"]
            .endswith("waiting_for_approval")
        )
    assert desk.sent(case_id) == []
    assert WORDS["draft_states"]["waiting"] in new.opens(f"/desk/cases/{case_id}").text

    senior = desk.comes("mai", "senior")
    assert "Bạn đến trạm y tế nhé" in senior.opens("/desk").text
    draft = draft_on(senior)
    assert decides(senior, draft, "approve") == 303
    assert decides(senior, draft, "approve") == 409
    assert desk.sent(case_id) == ["Bạn đến trạm y tế nhé"]
    assert ("mai", "draft_sent") in desk.audited(case_id)
    assert ("moi", "draft_written") in desk.audited(case_id)
    [message] = desk.office.rows(
        "SELECT o.name FROM messages m JOIN operators o ON o.id = m.operator_id WHERE m.author = 'operator'"
    )
    assert message["name"] == "moi"


def test_a_refusal_needs_a_reason_that_the_author_reads(desk: Desk, case_id: int) -> None:
    new = desk.holds("moi", case_id, is_new=True)
    sends(new, case_id, "uống thuốc này đi")
    senior = desk.comes("mai", "senior")
    draft = draft_on(senior)
    assert decides(senior, draft, "refuse", reason="  ") == 409
    assert decides(senior, draft, "refuse", reason="chưa có <nguồn>") == 303
    page = new.opens(f"/desk/cases/{case_id}").text
    assert WORDS["draft_states"]["refused"].format(name="mai") in page
    assert "chưa có &lt;nguồn&gt;" in page
    assert desk.sent(case_id) == []


def test_nothing_is_sent_when_the_case_has_left_its_author(desk: Desk, case_id: int) -> None:
    new = desk.holds("moi", case_id, is_new=True)
    sends(new, case_id, "muộn rồi")
    does(new, case_id, "give-back")
    senior = desk.comes("mai", "senior")
    answer = senior.sends(f"/desk/drafts/{draft_on(senior)}/approve", "/desk")
    assert (answer.status_code, WORDS["refused"]["draft_void"] in answer.text) == (409, True)
    assert desk.sent(case_id) == []
    assert desk.office.rows("SELECT state FROM drafts") == [{"state": "void"}]


def test_only_seniors_and_admins_approve_and_never_their_own_words(desk: Desk, case_id: int) -> None:
    new = desk.holds("moi", case_id, is_new=True)
    sends(new, case_id, "chờ duyệt")
    senior = desk.comes("mai", "senior")
    draft = draft_on(senior)
    assert decides(new, draft, "approve") == 403
    assert "/approve" not in desk.comes("lan").opens("/desk").text

    desk.office.rows("UPDATE operators SET role = 'senior' WHERE name = 'moi'")
    assert f"/desk/drafts/{draft}/approve" not in new.opens("/desk").text
    assert decides(new, draft, "approve") == 409
    assert desk.sent(case_id) == []
    desk.office.rows("UPDATE operators SET role = 'operator' WHERE name = 'moi'")


def test_a_draft_of_somebody_elses_case_is_not_kept(desk: Desk, case_id: int) -> None:
    desk.holds("lan", case_id)
    assert sends(desk.comes("moi", is_new=True), case_id, "của tôi").status_code == 409
    assert desk.office.rows("SELECT 1 FROM drafts") == []


def test_the_database_itself_refuses_own_approval(desk: Desk, case_id: int) -> None:
    sends(desk.holds("moi", case_id, is_new=True), case_id, "tự duyệt")
    with pytest.raises(Exception, match="drafts_check"):
        desk.office.rows("UPDATE drafts SET state = 'sent', decided_by = operator_id")


def test_settled_staff_and_seniors_send_at_once(desk: Desk, case_id: int) -> None:
    mai = desk.holds("mai", case_id, role="senior", is_new=True)
    sends(mai, case_id, "gửi ngay")
    assert desk.sent(case_id) == ["gửi ngay"]
