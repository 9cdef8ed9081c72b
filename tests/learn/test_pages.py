"""/learn over HTTP: one person proposes, another agrees, and what is decided is decided once."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.languages.catalogue import Catalogue
from bot.languages.interface import interface_words
from bot.learn.pages import LearnPages
from bot.settings import ROOT
from tests.learn.conftest import Talks
from tests.office import Browser, Office, Server, application

WORDS = interface_words(ROOT, "learn")
BUS, CARD = "vé xe buýt bao nhiêu tiền", "làm căn cước ở đâu"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(ROOT, "dak-lak")


@pytest.fixture
def server(office: Office, catalogue: Catalogue) -> Iterator[Server]:
    running = Server(application(office.url, lambda staff, pool: LearnPages(ROOT, pool, staff.door, catalogue).routes()))
    with running.client:
        yield running


@pytest.fixture
def comes(server: Server, office: Office) -> Any:
    return functools.partial(server.staff, office)


@pytest.fixture
def group(talks: Talks) -> int:
    """The biggest of two groups."""
    for text in (BUS, "ve xe buyt bao nhieu tien", "cho em hỏi vé xe buýt bao nhiêu tiền ạ"):
        talks.asks(text, ranking=[["testing_cost", 0.4]])
    talks.asks(CARD, language="en")
    talks.are_collected()
    return int(talks.office.rows("SELECT id FROM learn_groups WHERE leader = %s", BUS)[0]["id"])


def proposes(browser: Browser, group: int, topic: str = "testing_cost", **fields: str) -> Any:
    page = f"/learn/groups/{group}"
    ticked = fields or {"example_0": BUS}
    return browser.sends(f"{page}/topic", page, topic=topic, **ticked)


def answers(browser: Browser, office: Office, group: int, answer: str) -> Any:
    decision = office.rows("SELECT max(id) AS id FROM learn_decisions")[0]["id"]
    page = f"/learn/groups/{group}"
    return browser.http.post(f"{page}/answer", data={"csrf": browser.csrf(page), "decision": str(decision), "answer": answer})


def state(office: Office) -> tuple[str, list[str]]:
    group = office.rows("SELECT state FROM learn_groups WHERE leader = %s", BUS)[0]["state"]
    return group, [row["state"] for row in office.rows("SELECT state FROM learn_decisions ORDER BY id")]


def test_the_biggest_group_stands_first_and_is_found_by_language_and_words(comes: Any, group: int) -> None:
    an = comes("an")
    page = an.opens("/learn").text
    assert page.index(BUS) < page.index(CARD)
    assert "Giá xét nghiệm" in page, "what the bot guessed"
    assert CARD not in an.opens("/learn?language=vi").text
    assert BUS not in an.opens("/learn?q=CAN CUOC").text
    assert CARD in an.opens("/learn?q=CAN CUOC").text
    assert BUS in an.opens("/learn?q=em hoi").text, "in any wording"
    for nothing in ("/learn?q=%25", "/learn?page=7", "/learn?language=%00", "/learn?q=%00"):
        assert an.opens(nothing).status_code == 200
    assert BUS not in an.opens("/learn?q=%25").text


def test_a_topic_needs_a_second_person(comes: Any, office: Office, group: int) -> None:
    an, binh = comes("an"), comes("binh", "senior")
    assert proposes(an, group).headers["location"].startswith("/learn?done=proposed")
    assert answers(an, office, group, "agree").status_code == 409
    assert state(office) == ("proposed", ["proposed"])
    assert answers(binh, office, group, "agree").headers["location"] == "/learn?state=proposed&done=agreed"
    assert state(office) == ("closed", ["agreed"])
    assert office.log("learn_proposed", "learn_agreed") == [("an", "learn_proposed"), ("binh", "learn_agreed")]
    assert answers(binh, office, group, "agree").status_code == 409, "a double click"


def test_the_database_holds_the_second_person_too(comes: Any, office: Office, group: int) -> None:
    proposes(comes("an"), group)
    with pytest.raises(Exception, match="check constraint"):
        office.rows("UPDATE learn_decisions SET state = 'agreed', decided_by = proposed_by")


def test_who_disagrees_or_withdraws_opens_the_group_again(comes: Any, office: Office, group: int) -> None:
    an, binh = comes("an"), comes("binh")
    proposes(an, group)
    answers(binh, office, group, "refuse")
    assert state(office) == ("open", ["refused"])
    proposes(binh, group)
    answers(binh, office, group, "refuse")
    assert state(office) == ("open", ["refused", "refused"])


def test_only_the_groups_own_questions_become_examples(comes: Any, office: Office, group: int) -> None:
    an = comes("an")
    assert proposes(an, group, example_0=CARD).status_code == 409
    assert proposes(an, group, topic="no_such_topic", example_0=BUS).status_code == 409
    assert state(office) == ("open", [])


@pytest.mark.parametrize("kind", ["answer", "out_of_scope", "ignore"])
def test_one_decision_closes_the_group_and_later_ones_join_it_silently(
    comes: Any, office: Office, talks: Talks, group: int, kind: str
) -> None:
    an, page = comes("an"), f"/learn/groups/{group}"
    assert an.sends(f"{page}/settle", page, kind=kind, note="nói rõ giá").status_code == 303
    talks.asks("vé xe buýt bao nhiêu tiền vậy", minutes=1)
    talks.are_collected()
    assert state(office) == ("closed", ["agreed"])
    assert BUS not in an.opens("/learn").text
    assert WORDS["joined_since"].format(count=1) in an.opens(page).text
    second = an.http.post(f"{page}/settle", data={"csrf": an.csrf("/staff/password"), "kind": "ignore"})
    assert (second.status_code, state(office)) == (409, ("closed", ["agreed"]))


def test_a_decision_is_undone_and_logged(comes: Any, office: Office, group: int) -> None:
    an, page = comes("an"), f"/learn/groups/{group}"
    an.sends(f"{page}/settle", page, kind="ignore")
    decision = office.rows("SELECT id FROM learn_decisions")[0]["id"]
    assert an.sends(f"{page}/undo", page, decision=str(decision)).status_code == 303
    assert state(office) == ("open", ["undone"])
    assert office.log("learn_settled", "learn_undone") == [("an", "learn_settled"), ("an", "learn_undone")]


def test_a_needed_answer_is_a_task_with_a_state(comes: Any, office: Office, group: int) -> None:
    an, page = comes("an"), f"/learn/groups/{group}"
    an.sends(f"{page}/settle", page, kind="answer", note="<b>giá vé</b>")
    listed = an.opens("/learn/tasks").text
    assert "&lt;b&gt;giá vé&lt;/b&gt;" in listed
    task = re.search(r"/learn/tasks/(\d+)", listed)
    assert task
    assert an.sends(f"/learn/tasks/{task[1]}", "/learn/tasks", task="doing").status_code == 303
    assert office.rows("SELECT task, task_by FROM learn_decisions") == [{"task": "doing", "task_by": "an"}]
    assert an.sends(f"/learn/tasks/{task[1]}", "/learn/tasks", task="cancelled").status_code in {404, 409}


def test_unknown_groups_and_odd_numbers_are_pages_that_say_so(comes: Any) -> None:
    an = comes("an")
    for path in ("/learn/groups/4711", "/learn/groups/99999999999999999999999"):
        page = an.opens(path)
        assert (page.status_code, WORDS["refused"]["unknown"] in page.text) == (404, True)
    assert comes("dung", "operator").opens("/learn").status_code == 403
