"""/content over HTTP: staff withdraw and restore, propose and approve notices, judge rumours; two people, an end, a log."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute
from typer.testing import CliRunner

from bot.cli import app
from bot.content.notice_pages import NoticePages
from bot.content.pages import ContentPages
from bot.content.rumour_pages import RumourPages
from bot.content.store import in_force
from bot.database import Pool
from bot.directory.rumours import Rumours
from bot.languages.catalogue import VIETNAM, Catalogue
from bot.languages.interface import interface_words
from bot.settings import ROOT, TelegramSettings
from bot.staff.pages import StaffPages
from tests.office import Browser, Office, Server, application
from tests.simulators.server import Answer, Request, Simulator

WORDS = interface_words(ROOT, "content")
REFUSED = WORDS["refused"]
CATALOGUE = Catalogue.load(ROOT, "dak-lak")
ANSWER = "/content/answers/utter_wear_mask"
RUMOURS = "/content/rumours"


def day(ahead: int) -> str:
    return (datetime.datetime.now(VIETNAM).date() + datetime.timedelta(days=ahead)).isoformat()


NOTICE = {"scope": "all", "topic": "", "place": "", "text": "Chợ Ea Kar tạm nghỉ.", "starts": "", "ends": f"{day(3)}T18:00"}
VERDICT = {
    "claim": "Mai cấm chợ Ea Kar",
    "verdict": "wrong",
    "text": "UBND xã cho biết chợ họp như thường.",
    "source_issuer": "UBND xã",
    "source_title": "Thông báo về chợ",
    "source_number": "",
    "source_date": "2026-11-20",
    "source_url": "https://example.com/tb",
    "valid_until": day(30),
}


JPEG = b"\xff\xd8\xff\xe0 a picture"


class TelegramFiles(Simulator):
    """Answers getFile and hands out the file."""

    def answer(self, request: Request) -> Answer:
        if request.path == "/bot7:TEST/getFile" and request.query["file_id"] in ("F1", "F2"):
            return Answer(200, {"ok": True, "result": {"file_path": f"photos/{request.query['file_id']}.jpg", "file_size": 20}})
        files = {"/file/bot7:TEST/photos/F1.jpg": JPEG, "/file/bot7:TEST/photos/F2.jpg": b"<script>"}
        return Answer(200, files[request.path]) if request.path in files else Answer(400, {"ok": False})


@pytest.fixture(scope="module")
def telegram() -> Iterator[TelegramFiles]:
    simulator = TelegramFiles()
    yield simulator
    simulator.close()


@pytest.fixture
def server(office: Office, telegram: TelegramFiles) -> Iterator[Server]:
    settings = TelegramSettings("7:TEST", telegram.url, "")

    def routes(staff: StaffPages, pool: Pool) -> list[BaseRoute]:
        content = ContentPages.build(ROOT, pool, staff.door, CATALOGUE)
        rumours = RumourPages(content.room, Rumours.load(ROOT), settings)
        return [*content.routes(), *NoticePages(content.room).routes(), *rumours.routes()]

    running = Server(application(office.url, routes))
    with running.client:
        yield running


@pytest.fixture
def an(server: Server, office: Office) -> Browser:
    return server.staff(office, "an")


@pytest.fixture
def binh(server: Server, office: Office) -> Browser:
    return server.staff(office, "binh")


def plain(answer: Any) -> str:
    return str(answer.text).replace("&#34;", '"').replace("&#39;", "'")


def held(office: Office) -> list[tuple[str, str | None]]:
    found = office.does(in_force)[0]
    return [(one.key, one.language) for one in found]


# ---- answers


def test_an_answer_is_found_withdrawn_and_restored(an: Browser, office: Office) -> None:
    assert "utter_wear_mask" in an.opens("/content?q=deo khau trang").text
    assert WORDS["found_none"] in plain(an.opens("/content?q=zzzz&state=over&topic=x"))
    made = an.sends(f"{ANSWER}/withdraw", ANSWER, reason="Sai số", until=day(5), language="")
    assert made.headers["location"] == f"{ANSWER}?done=withdrawn"
    assert held(office) == [("utter_wear_mask", None)]
    for page in ("/content", ANSWER, "/content?state=withdrawn"):
        assert "Sai số" in an.opens(page).text
    assert an.sends(f"{ANSWER}/restore", ANSWER, language="").status_code == 303
    assert held(office) == []
    again = an.http.post(f"{ANSWER}/restore", data={"csrf": an.csrf(ANSWER), "language": ""})
    assert (again.status_code, REFUSED["not_withdrawn"] in again.text) == (409, True)
    assert office.log("answer_withdrawn", "answer_restored") == [("an", "answer_withdrawn"), ("an", "answer_restored")]


def test_the_other_answers_to_the_same_question_go_with_it(an: Browser, office: Office) -> None:
    """A citizen who names a commune gets another key with nearly the same words."""
    page, others = "/content/answers/utter_testing_where", ("place", "district", "elsewhere")
    for name in others:
        assert re.search(rf'name="also-utter_testing_where_{name}" value="1" checked', an.opens(page).text)
        assert (
            f'name="also-utter_testing_where_{name}" value="1">'
            in an.opens(f"{page}_{'district' if name == 'place' else 'place'}").text
        )
    form = {"reason": "Sai", "until": day(5), "language": ""}
    ticked = {f"also-utter_testing_where_{name}": "1" for name in others[:2]}
    assert an.sends(f"{page}/withdraw", page, **form, **ticked, **{"also-utter_wear_mask": "1"}).status_code == 303
    assert sorted(held(office)) == [(f"utter_testing_where{name}", None) for name in ("", "_district", "_place")]
    assert "also-" not in an.opens("/content/answers/utter_rumor_check_garlic").text


def test_one_translation_alone_and_the_same_form_twice_and_another_end(an: Browser, binh: Browser, office: Office) -> None:
    form = {"reason": "Dịch sai", "until": day(5), "language": "en"}
    for _ in range(2):
        assert an.sends(f"{ANSWER}/withdraw", ANSWER, **form).status_code == 303
    assert held(office) == [("utter_wear_mask", "en")]
    assert len(office.log("answer_withdrawn")) == 1, "a double click is one deed"
    binh.sends(f"{ANSWER}/withdraw", ANSWER, **{**form, "until": day(9)})
    assert len(office.rows("SELECT 1 FROM withdrawals WHERE ended_at IS NULL")) == 1
    assert len(office.log("answer_withdrawn")) == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reason": "  "}, "reason_shape"),
        ({"reason": "x" * 501}, "reason_shape"),
        ({"until": ""}, "time_shape"),
        ({"until": "mai"}, "time_shape"),
        ({"until": day(-1)}, "ends_past"),
        ({"until": day(400)}, "ends_late"),
        ({"language": "xx"}, "key_unknown"),
        ({"language": "vi"}, "key_unknown"),
    ],
)
def test_a_withdrawal_without_reason_or_end_is_refused_and_nothing_typed_is_lost(
    an: Browser, office: Office, fields: dict[str, str], reason: str
) -> None:
    form = {"reason": "Câu này sai", "until": day(5), "language": "", **fields}
    answer = an.sends(f"{ANSWER}/withdraw", ANSWER, **form)
    assert (answer.status_code, REFUSED[reason] in plain(answer)) == (422, True)
    assert form["reason"].strip()[:20] in plain(answer)
    assert held(office) == []


def test_what_stands_in_for_others_and_what_is_no_answer_cannot_be_withdrawn(an: Browser, office: Office) -> None:
    csrf = an.csrf(ANSWER)
    form = {"csrf": csrf, "reason": "x", "until": day(5), "language": ""}
    assert REFUSED["never_withdrawn"] in an.http.post("/content/answers/utter_withheld/withdraw", data=form).text
    for key in ("utter_no_such", "x%00y", "..%2f.."):
        answer = an.http.post(f"/content/answers/{key}/withdraw", data=form)
        assert answer.status_code in {404, 409}, key
    assert held(office) == []


# ---- notices


def test_a_notice_waits_for_a_second_person_runs_and_is_ended(an: Browser, binh: Browser, office: Office) -> None:
    page = "/content/notices"
    assert an.sends(page, **NOTICE, is_emergency="1").headers["location"] == f"{page}?done=notice_proposed"
    (row,) = office.rows("SELECT id, is_emergency FROM notices")
    decide = f"{page}/{row['id']}/decide"
    assert office.does(in_force)[1] == []
    own = an.http.post(decide, data={"csrf": an.csrf(page), "decision": "approve"})
    assert (own.status_code, REFUSED["own_words"] in own.text, WORDS["notice_own"] in own.text) == (409, True, True)
    assert binh.sends(decide, page, decision="approve").status_code == 303
    assert [notice.is_emergency for notice in office.does(in_force)[1]] == [True]
    assert binh.sends(decide, page, decision="reject").status_code == 409, "decided once"
    assert an.sends(f"{page}/{row['id']}/end", page).status_code == 303
    assert office.does(in_force)[1] == []
    assert an.sends(f"{page}/{row['id']}/end", page).status_code == 409
    assert office.log("notice_proposed", "notice_approved", "notice_ended") == [
        ("an", "notice_proposed"),
        ("binh", "notice_approved"),
        ("an", "notice_ended"),
    ]


def test_a_notice_of_a_place_covers_what_lies_in_it(an: Browser, office: Office) -> None:
    an.sends("/content/notices", **{**NOTICE, "scope": "place", "place": "dak-lak"})
    an.sends("/content/notices", **{**NOTICE, "scope": "place", "place": "buon-ho-phuong"})
    province, ward = office.rows("SELECT places FROM notices ORDER BY id")
    assert {"dak-lak", "buon-ho-phuong"} <= set(province["places"])
    assert ward["places"] == ["buon-ho-phuong"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scope": ""}, "scope_unknown"),
        ({"scope": "topic"}, "topic_unknown"),
        ({"scope": "topic", "topic": "greet"}, "topic_unknown"),
        ({"scope": "place", "place": "../etc"}, "place_unknown"),
        ({"text": " "}, "notice_shape"),
        ({"text": "x" * 10_000}, "notice_shape"),
        ({"ends": ""}, "time_shape"),
        ({"ends": "2026-13-40T99:99"}, "time_shape"),
        ({"starts": f"{day(4)}T00:00"}, "ends_before"),
        ({"ends": f"{day(90)}T00:00"}, "ends_late"),
        ({"starts": "2021-01-01T00:00", "ends": "2021-01-02T00:00"}, "ends_past"),
    ],
)
def test_a_notice_that_cannot_be_is_refused_and_nothing_typed_is_lost(
    an: Browser, office: Office, fields: dict[str, str], reason: str
) -> None:
    answer = an.sends("/content/notices", **{**NOTICE, **fields})
    assert (answer.status_code, REFUSED[reason] in plain(answer)) == (422, True)
    assert fields.get("text", NOTICE["text"]).strip()[:50] in plain(answer)
    assert office.rows("SELECT 1 FROM notices") == []


# ---- rumours


def reported(office: Office, *texts: str) -> list[int]:
    (row,) = office.rows("INSERT INTO conversations (channel, address) VALUES ('zalo', 'c1') RETURNING id")
    return [
        int(
            office.rows(
                """INSERT INTO rumour_reports (conversation_id, text, links, pictures, consent)
                   VALUES (%s, %s, '{https://example.com/a}', '{telegram-file:x}', 'r') RETURNING id""",
                row["id"],
                text,
            )[0]["id"]
        )
        for text in texts
    ]


def test_a_verdict_answers_all_reports_like_it_after_a_second_person(an: Browser, binh: Browser, office: Office) -> None:
    one, other, third = reported(office, "mai cấm chợ ea kar <b>thật</b> không", "mai cam cho ea kar thật ko", "vắc xin có chip")
    page = an.opens(f"{RUMOURS}/reports/{one}").text
    assert "&lt;b&gt;thật" in page
    assert f'name="report-{other}"' in page
    assert f'name="report-{third}"' not in page
    form = {**VERDICT, f"report-{one}": "1", f"report-{other}": "1", "about": str(one)}
    assert an.sends(f"{RUMOURS}/verdicts", f"{RUMOURS}/reports/{one}", **form).status_code == 303
    (verdict,) = office.rows("SELECT id FROM rumour_verdicts")
    decide = f"{RUMOURS}/verdicts/{verdict['id']}/decide"
    own = an.http.post(decide, data={"csrf": an.csrf(ANSWER), "decision": "approve"})
    assert (own.status_code, office.does(in_force)[2]) == (409, [])
    assert binh.sends(decide, ANSWER, decision="approve").status_code == 303
    (published,) = office.does(in_force)[2]
    assert (published.claim, len(published.wordings)) == ("Mai cấm chợ Ea Kar", 2)
    states = office.rows("SELECT state, telling FROM rumour_reports ORDER BY id")
    assert [(row["state"], row["telling"]) for row in states] == [("answered", "waiting")] * 2 + [("open", None)]
    assert an.sends(f"{RUMOURS}/verdicts/{verdict['id']}/end", RUMOURS).status_code == 303
    assert office.does(in_force)[2] == []


def test_a_rejected_verdict_gives_its_reports_back(an: Browser, binh: Browser, office: Office) -> None:
    (one,) = reported(office, "mai cấm chợ")
    an.sends(f"{RUMOURS}/verdicts", f"{RUMOURS}/reports/{one}", **{**VERDICT, f"report-{one}": "1"})
    (verdict,) = office.rows("SELECT id FROM rumour_verdicts")
    binh.sends(f"{RUMOURS}/verdicts/{verdict['id']}/decide", RUMOURS, decision="reject")
    assert office.rows("SELECT state, verdict_id FROM rumour_reports") == [{"state": "open", "verdict_id": None}]


def test_a_known_claim_answers_at_once_and_a_dismissed_one_says_nothing(an: Browser, office: Office) -> None:
    one, other = reported(office, "tỏi chữa covid", "chuyện nhà hàng xóm")
    assert an.sends(f"{RUMOURS}/reports/{one}/known", f"{RUMOURS}/reports/{one}", known="no-such").status_code == 409
    assert an.sends(f"{RUMOURS}/reports/{one}/known", f"{RUMOURS}/reports/{one}", known="garlic").status_code == 303
    assert an.sends(f"{RUMOURS}/reports/{other}/dismiss", f"{RUMOURS}/reports/{other}", reason=" ").status_code == 409
    assert (
        an.sends(f"{RUMOURS}/reports/{other}/dismiss", f"{RUMOURS}/reports/{other}", reason="không phải tin").status_code == 303
    )
    rows = office.rows("SELECT known, state, telling FROM rumour_reports ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("garlic", "answered", "waiting"), (None, "dismissed", None)]
    assert REFUSED["report_gone"] in an.opens(f"{RUMOURS}/reports/99999999999").text


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"claim": ""}, "claim_shape"),
        ({"verdict": "maybe"}, "verdict_unknown"),
        ({"text": "x" * 601}, "verdict_shape"),
        ({"source_issuer": " "}, "source_shape"),
        ({"source_title": ""}, "source_shape"),
        ({"source_date": day(2)}, "source_date_ahead"),
        ({"source_date": ""}, "day_shape"),
        ({"source_url": "javascript:alert(1)"}, "url_shape"),
        ({"valid_until": day(-1)}, "ends_past"),
        ({"valid_until": day(400)}, "ends_late"),
    ],
)
def test_a_verdict_without_source_or_end_is_refused(an: Browser, office: Office, fields: dict[str, str], reason: str) -> None:
    answer = an.sends(f"{RUMOURS}/verdicts", f"{RUMOURS}/new", **{**VERDICT, **fields})
    assert (answer.status_code, REFUSED[reason] in plain(answer)) == (422, True)
    assert fields.get("claim", VERDICT["claim"]) in plain(answer)
    assert office.rows("SELECT 1 FROM rumour_verdicts") == []


def test_a_picture_on_telegram_is_seen_through_us_and_only_a_picture(an: Browser, office: Office) -> None:
    asked_about = "telegram-file:F1", "telegram-file:F2", "telegram-file:gone", "https://example.com/1.jpg"
    office.rows("INSERT INTO conversations (channel, address) VALUES ('telegram', '1')")
    office.rows(
        "INSERT INTO rumour_reports (conversation_id, text, pictures, consent) SELECT id, 'tin', %s, 'c' FROM conversations",
        list(asked_about),
    )
    (report,) = (row["id"] for row in office.rows("SELECT id FROM rumour_reports"))
    pictures = f"{RUMOURS}/reports/{report}/pictures"
    for page in (RUMOURS, f"{RUMOURS}/reports/{report}"):
        assert f'href="{pictures}/1"' in an.opens(page).text
    seen = an.opens(f"{pictures}/1")
    assert (seen.content, seen.headers["content-type"]) == (JPEG, "image/jpeg")
    assert "sandbox" in seen.headers["content-security-policy"]
    for number in (0, 2, 3, 4, 5):
        refused = an.opens(f"{pictures}/{number}")
        assert (refused.status_code, REFUSED["picture_gone"] in plain(refused)) == (409, True), number
    assert office.log("rumour_picture_opened") == [("an", "rumour_picture_opened")]


# ---- the command


def test_the_command_withdraws_restores_proposes_and_lists(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOA_DATABASE_URL", office.url)

    def runs(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["content", *words])
        return done.exit_code, done.output

    code, said = runs("withdraw", "utter_wear_mask", "--reason", "sai", "--until", day(3))
    assert (code, f"{day(3)} 23:59" in said) == (0, True), "the end as it was asked for, in Vietnam"
    assert "utter_testing_where_place" in runs("withdraw", "utter_testing_where", "--reason", "sai", "--until", day(3))[1]
    assert len(held(office)) == 2
    assert runs("withdraw", "utter_testing_where", "--reason", "sai", "--until", day(3), "--variants")[0] == 0
    assert ("utter_testing_where_place", None) in held(office)
    office.rows("UPDATE withdrawals SET ended_at = now(), ended_by = 'test' WHERE response_key LIKE 'utter_testing%%'")
    assert runs("notice", "Chợ nghỉ", "--until", day(3), "--topic", "vaccination", "--emergency")[0] == 0
    code, listed = runs("list")
    assert (code, "utter_wear_mask" in listed, bool(re.search(r"proposed +notice \d+ emergency topic vaccination", listed))) == (
        0,
        True,
        True,
    )
    assert runs("restore", "utter_wear_mask")[0] == 0
    for words in (("restore", "utter_wear_mask"), ("withdraw", "utter_x", "--reason", "sai", "--until", day(3))):
        assert runs(*words)[0] == 1
    assert held(office) == []


def test_every_word_of_the_pages_is_there_and_used() -> None:
    room = ROOT / "bot/content"
    templates = "".join(path.read_text("utf-8") for path in room.glob("templates/*.html"))
    code = "".join(path.read_text("utf-8") for path in room.glob("*.py"))
    used = set(re.findall(r'\bwords(?:\.|\[")([a-z_]+)', templates + code))
    assert used - set(interface_words(ROOT, "staff", "content", "in_force")) == set()
    assert set(WORDS) - used == set()
    assert {reason for reason in REFUSED if f'"{reason}"' not in code} == set()
    assert {reason for reason in re.findall(r'ContentRefused\("([a-z_]+)"', code) if reason not in REFUSED} == set()
    assert {f"judged_{verdict}" for verdict in WORDS["verdict_names"]} <= set(CATALOGUE.fragments)
