"""The queue: who waits, in the order of work, for the eyes of the desk alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.handoff.desks import Desks
from tests.desk.conftest import PLACE, WORDS, Desk, does


def rows_of(page: Any, name: str) -> list[int]:
    """The cases of one list, in its order."""
    part = re.search(rf'data-list="{name}">(.*?)</ol>', page.text, re.S)
    assert part, name
    return [int(number) for number in re.findall(r'id="row-(\d+)"', part[1])]


def test_danger_comes_first_then_who_waits_longest(desk: Desk) -> None:
    first, second = desk.asks(), desk.asks()
    urgent = desk.asks(reason="emergency")
    assert rows_of(desk.comes("lan").opens("/desk"), "waiting") == [urgent, first, second]


def test_a_row_shows_what_the_case_is_about_and_nobody_in_it(desk: Desk) -> None:
    desk.asks("số tôi 0905 123 678 <b>tiêm ở đâu</b>", topic="vaccine_where", place=PLACE, language="rad")
    page = desk.comes("lan").opens("/desk").text
    assert "…678 &lt;b&gt;tiêm ở đâu&lt;/b&gt;" in page
    assert "0905" not in page
    assert "citizen-" not in page
    assert "…001" in page
    for shown in ("Êđê", "Buôn Hồ", WORDS["channels"]["zalo"], WORDS["case_reasons"]["asked"]):
        assert shown.lower().replace(" ", "") in page.lower().replace(" ", ""), shown


def test_an_empty_queue_says_so(desk: Desk) -> None:
    page = desk.comes("lan").opens("/desk").text
    assert WORDS["desk_waiting_none"] in page
    assert 'data-none="waiting" hidden' not in page


def test_mine_and_my_colleagues_stand_apart(desk: Desk) -> None:
    mine, theirs, waiting = desk.asks(), desk.asks(), desk.asks()
    lan, binh = desk.comes("lan"), desk.comes("binh")
    does(lan, mine, "claim")
    does(binh, theirs, "claim")
    page = lan.opens("/desk")
    assert [rows_of(page, name) for name in ("mine", "others", "waiting")] == [[mine], [theirs], [waiting]]
    assert WORDS["desk_held_by"].format(name="binh") in page.text


def test_a_case_is_claimed_from_its_row_and_a_second_claim_names_who_was_first(desk: Desk) -> None:
    case_id = desk.asks()
    lan, binh = desk.comes("lan"), desk.comes("binh")
    assert lan.sends("/desk/claim", "/desk", case=str(case_id)).headers["location"] == f"/desk/cases/{case_id}?done=claimed"
    second = binh.sends("/desk/claim", "/desk", case=str(case_id))
    assert (second.status_code, WORDS["refused"]["claimed_by"].format(name="lan") in second.text) == (409, True)
    assert desk.case(case_id)["operator"] == "lan"
    assert desk.audited(case_id) == [("lan", "case_claimed")]


def test_a_claim_of_what_is_no_case_is_refused(desk: Desk) -> None:
    lan = desk.comes("lan")
    for nonsense in ("", "x", "0", "-1", "9" * 40, "²"):
        answer = lan.sends("/desk/claim", "/desk", case=nonsense)
        assert (answer.status_code, WORDS["refused"]["unknown"] in answer.text) == (409, True), nonsense


def test_a_row_keeps_the_last_words_when_a_button_is_pressed(desk: Desk) -> None:
    case_id = desk.asks("tôi muốn hỏi chuyện tiêm")
    desk.says(desk.case(case_id)["conversation_id"], "", payload="/desk_position")
    page = desk.comes("lan").opens("/desk").text
    assert ("tôi muốn hỏi chuyện tiêm" in page, WORDS["desk_no_words"] in page) == (True, False)


def test_who_looked_at_the_queue_is_noted(desk: Desk) -> None:
    desk.comes("who-looks").opens("/desk")
    assert ("who-looks", "queue_viewed") in desk.office.log("queue_viewed")


def test_the_desk_is_for_operators_seniors_and_admins(desk: Desk) -> None:
    case_id = desk.asks()
    assert desk.comes("an", "content").opens("/desk").status_code == 403
    assert desk.comes("an", "content").opens(f"/desk/cases/{case_id}").status_code == 403
    for role in ("operator", "senior", "admin"):
        assert desk.comes(f"a-{role}", role).opens("/desk").status_code == 200


def test_what_is_over_is_found_page_by_page(desk: Desk) -> None:
    lan = desk.comes("lan", "senior")
    conversation_id = desk.writes()
    desk.office.rows(
        """INSERT INTO cases (conversation_id, desk, reason, state, language, opened_at, ended_at, outcome)
           SELECT %s, 'dak-lak', 'asked', 'ended', 'vi', now(), now() - make_interval(mins => 60 - n), 'answered'
             FROM generate_series(1, 53) AS n""",
        conversation_id,
    )
    page = lan.opens("/desk/past")
    shown = re.findall(r"/desk/cases/(\d+)", page.text)
    older = re.search(r"/desk/past\?before=\d+", page.text)
    assert older
    rest = re.findall(r"/desk/cases/(\d+)", lan.opens(older[0]).text)
    assert (len(shown), len(rest)) == (50, 3)
    assert sorted(map(int, shown + rest), reverse=True) == [int(number) for number in shown + rest]
    assert desk.office.log("past_cases_viewed") == [("lan", "past_cases_viewed")] * 2


def test_what_is_over_can_be_narrowed_to_one_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = desk.asks(), desk.asks()
    senior = desk.comes("mai", "senior")
    for case_id in (here, there):
        does(senior, case_id, "close", outcome="answered")
    desk.office.rows("UPDATE cases SET desk = 'cdc' WHERE id = %s", there)
    monkeypatch.setattr(Desks, "__contains__", lambda _, id_: id_ in {"dak-lak", "cdc"})
    for asked, shown in (("?desk=cdc", {there}), ("?desk=dak-lak", {here}), ("", {here, there}), ("?desk=nope", {here, there})):
        page = senior.opens(f"/desk/past{asked}").text
        assert {int(found) for found in re.findall(r"/desk/cases/(\d+)", page)} == shown, asked


def test_an_admin_reads_that_nobody_is_handed_over_without_an_account_for_it(desk: Desk) -> None:
    admin = desk.comes("quan", "admin")
    desk.office.rows("UPDATE operators SET disabled_at = now() WHERE role IN ('operator', 'senior')")
    assert WORDS["desk_nobody"] in admin.opens("/desk").text
    desk.comes("moi-den")
    assert WORDS["desk_nobody"] not in admin.opens("/desk").text
    desk.office.rows("UPDATE operators SET disabled_at = NULL")
