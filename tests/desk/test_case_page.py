"""One conversation: what is seen of it, who may do what with it, and what is sent, once."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from bot.dialogue.located import units
from tests.desk.conftest import SIGNS, WORDS, Desk, catalogue, does, opened, sends

UNKNOWN_NUMBER = "Bạn gọi 0999 888 777 nhé"


def test_the_page_says_what_the_bot_understood_and_why_it_gave_up(desk: Desk) -> None:
    conversation_id = desk.writes("tiem cho nao", turn="answered", understood=understood("vaccine_where", 0.87))
    asked = desk.says(conversation_id, "???", turn="answered", understood=understood("nlu_fallback", 0.3, "testing_where"))
    replied(desk, conversation_id, asked, "Loa chưa hiểu", "utter_hand_over")
    replied(desk, conversation_id, None, "Tiêm ở trạm y tế", "utter_vaccine_where_place")
    desk.says(conversation_id, "alo", turn="degraded")
    page = desk.comes("lan").opens(f"/desk/cases/{open_case(desk, conversation_id)}").text
    assert WORDS["understood_as"].format(title=title("vaccine_where"), percent=87) in page
    assert WORDS["understood_others"].format(titles=title("testing_where")) in page
    for key in ("answered_notice", "understood_nothing", "why_gave_up", "why_degraded"):
        assert WORDS[key] in page, key
    assert WORDS["answered_with"].format(title=title("vaccine_where")) in page


def test_an_answer_in_another_language_stands_beside_its_vietnamese(desk: Desk) -> None:
    conversation_id = desk.writes("hỏi", turn="answered", language="rad")
    replied(desk, conversation_id, None, "Bi êmuh Loa", "utter_greet", language="rad")
    page = desk.comes("lan").opens(f"/desk/cases/{open_case(desk, conversation_id)}").text
    assert WORDS["in_vietnamese"] in page


def test_beside_a_notice_nothing_stands_that_is_said_below_it_or_has_holes(desk: Desk) -> None:
    conversation_id = desk.writes("hỏi", turn="answered", language="rad")
    values = {"desk": "Bàn trực xã", "position": 2, "claim_minutes": 10}
    told = catalogue().answer("utter_desk_queued_no_wait", values, "rad").text
    replied(desk, conversation_id, None, told, "utter_desk_queued_no_wait", language="rad")
    browser, address = desk.comes("lan"), f"/desk/cases/{open_case(desk, conversation_id)}"
    assert WORDS["in_vietnamese"] not in browser.opens(address).text
    replied(desk, conversation_id, None, "Mrô 2", "utter_desk_queued_no_wait", language="rad")
    assert "Bạn ở vị trí số …" in browser.opens(address).text


def test_what_a_citizen_says_after_the_end_is_for_the_bot_alone(desk: Desk) -> None:
    case_id = desk.asks("xin gặp người")
    lan = desk.holds("lan", case_id)
    does(lan, case_id, "give-back", topic="vaccine_where")
    conversation_id = desk.case(case_id)["conversation_id"]
    [row] = desk.office.rows("SELECT id FROM messages WHERE author = 'operator' AND direction = 'incoming'")
    replied(desk, conversation_id, row["id"], "Tiêm ở trạm y tế", "utter_vaccine_where")
    secret = desk.says(conversation_id, "chuyện riêng với bot", turn="answered")
    replied(desk, conversation_id, secret, "trả lời chuyện riêng", "utter_greet")
    page = lan.opens(f"/desk/cases/{case_id}").text
    assert "xin gặp người" in page
    assert "Tiêm ở trạm y tế" in page, "what the operator asked the bot to say"
    assert "chuyện riêng" not in page
    assert "chuyện riêng" in lan.opens(f"/desk/cases/{open_case(desk, conversation_id)}").text, "a new case shows what led to it"


def test_what_a_citizen_sends_is_shown_and_never_run(desk: Desk) -> None:
    files = [
        {"kind": "photo", "url": "https://cdn.example.org/a.jpg", "name": "<i>a</i>.jpg"},
        {"kind": "file", "url": "javascript:alert(1)", "name": "b"},
        {"kind": "voice", "url": "http://plain.example.org/c", "name": ""},
    ]
    conversation_id = desk.writes("<script>alert(1)</script>", turn="human", attachments=Jsonb(files))
    answer = desk.comes("lan").opens(f"/desk/cases/{open_case(desk, conversation_id)}")
    assert "&lt;script&gt;alert(1)" in answer.text
    assert 'href="https://cdn.example.org/a.jpg" target="_blank" rel="noopener noreferrer nofollow"' in answer.text
    assert "&lt;i&gt;a&lt;/i&gt;.jpg" in answer.text
    for never in ("<script>alert", "javascript:", 'href="http://plain', '<img src="https'):
        assert never not in answer.text, never
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


@pytest.mark.parametrize(
    ("channel", "hours", "key"),
    [
        ("zalo", 0, "window_left"),
        ("zalo", 24 * 8, "window_over"),
        ("telegram", 999, "window_always"),
        ("messenger", 0, "window_unknown"),
    ],
)
def test_how_long_the_channel_takes_our_words(desk: Desk, channel: str, hours: int, key: str) -> None:
    case_id = desk.asks(channel=channel)
    desk.office.rows("UPDATE conversations SET interacted_at = now() - make_interval(hours => %s)", hours)
    page = desk.comes("lan").opens(f"/desk/cases/{case_id}").text
    assert WORDS[key].partition("{")[0] in page.partition("data-window>")[2].partition("</dd>")[0]


def test_who_opened_a_case_is_noted(desk: Desk) -> None:
    case_id = desk.asks()
    desk.comes("lan").opens(f"/desk/cases/{case_id}")
    assert desk.office.rows("SELECT actor FROM audit_log WHERE action = 'case_viewed' AND object = %s", f"case:{case_id}") == [
        {"actor": "lan"}
    ]


def test_there_is_no_such_case(desk: Desk) -> None:
    lan = desk.comes("lan")
    assert lan.opens("/desk/cases/999999").status_code == 404
    assert lan.opens(f"/desk/cases/{9**30}").status_code == 404


def test_a_platform_shows_who_writes_and_not_who_only_looks_on(desk: Desk) -> None:
    SIGNS.clear()
    case_id, waits = desk.asks(channel="telegram"), desk.asks(channel="telegram")
    lan, binh = desk.holds("lan", case_id), desk.comes("binh")
    for who, one in ((binh, case_id), (binh, waits), (lan, case_id)):
        assert does(who, one, "typing").status_code == 200
    [row] = desk.office.rows(
        "SELECT address FROM conversations c JOIN cases k ON k.conversation_id = c.id WHERE k.id = %s", case_id
    )
    assert [row["address"]] == SIGNS
    zalo = desk.asks(channel="zalo")
    assert does(desk.holds("lan", zalo), zalo, "typing").status_code == 200, "Zalo has no such sign"


def test_only_whoever_claimed_it_answers(desk: Desk) -> None:
    case_id = desk.asks()
    lan, binh = desk.holds("lan", case_id), desk.comes("binh")
    assert "data-composer" not in binh.opens(f"/desk/cases/{case_id}").text
    assert sends(binh, case_id, "của tôi").status_code == 409
    refused = does(binh, case_id, "claim")
    assert (refused.status_code, f"next=/desk/cases/{case_id}&amp;over=1" in refused.text) == (409, True)
    assert does(binh, case_id, "close", outcome="answered").status_code == 409
    assert sends(lan, case_id, "Bạn tiêm ở trạm y tế").status_code == 303
    assert desk.sent(case_id) == ["Bạn tiêm ở trạm y tế"]


def test_a_form_that_comes_twice_sends_once(desk: Desk) -> None:
    case_id = desk.asks()
    lan = desk.holds("lan", case_id)
    for _ in range(2):
        assert sends(lan, case_id, "một lần", key="the-same-key").status_code == 303
    sends(lan, case_id, "một lần", key="another-key")
    assert desk.sent(case_id) == ["một lần", "một lần"]
    assert [action for _, action in desk.audited(case_id)].count("message_sent") == 2


def test_a_form_that_comes_again_with_other_words_is_not_swallowed(desk: Desk) -> None:
    case_id = desk.asks()
    lan = desk.holds("lan", case_id)
    for text in ("ngày mai", "ngày kia"):
        sends(lan, case_id, text, key="the-same-key")
    assert desk.sent(case_id) == ["ngày mai", "ngày kia"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": " \r\n "}, "empty"),
        ({"text": "\x00"}, "empty"),
        ({"text": "x" * 10_000}, "too_long"),
        ({"text": "chào", "key": ""}, "key_missing"),
        ({"text": "chào", "key": "'; DROP TABLE cases"}, "key_missing"),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(desk: Desk, fields: dict[str, str], reason: str) -> None:
    case_id = desk.asks()
    answer = sends(desk.holds("lan", case_id), case_id, **fields)
    assert (answer.status_code, WORDS["refused"][reason].partition("{")[0] in answer.text) == (409, True)
    assert fields["text"].strip(" \r\n\x00") in answer.text
    assert desk.sent(case_id) == []


def test_emoji_quotes_and_lines_arrive_as_they_were_typed(desk: Desk) -> None:
    case_id = desk.asks()
    sends(desk.holds("lan", case_id), case_id, "Dạ 👩‍⚕️ \"vâng\"\r\n<b>'ạ'</b> ơ̆")
    assert desk.sent(case_id) == ["Dạ 👩‍⚕️ \"vâng\"\n<b>'ạ'</b> ơ̆"]


def test_a_number_that_the_directory_does_not_know_is_for_seniors_to_confirm(desk: Desk) -> None:
    case_id = desk.asks()
    lan = desk.holds("lan", case_id)
    for fields in ({}, {"confirmed": "1"}):
        answer = sends(lan, case_id, UNKNOWN_NUMBER, **fields)
        assert (answer.status_code, "0999 888 777" in answer.text) == (409, True)
        assert WORDS["flagged_refused"] in answer.text
    does(lan, case_id, "release")
    mai = desk.holds("mai", case_id, role="senior")
    assert WORDS["flagged_confirm"] in sends(mai, case_id, UNKNOWN_NUMBER).text
    assert desk.sent(case_id) == []
    assert sends(mai, case_id, UNKNOWN_NUMBER, confirmed="1").status_code == 303
    assert desk.sent(case_id) == [UNKNOWN_NUMBER]


def test_a_known_number_needs_no_question(desk: Desk) -> None:
    case_id = desk.asks()
    assert sends(desk.holds("lan", case_id), case_id, "Khó thở thì gọi 115 ngay").status_code == 303


def test_a_script_is_answered_with_data(desk: Desk) -> None:
    case_id = desk.asks()
    lan = desk.holds("lan", case_id)
    csrf, address = lan.csrf(f"/desk/cases/{case_id}"), f"/desk/cases/{case_id}/send"
    accept = {"Accept": "application/json"}

    def posts(**fields: str) -> Any:
        return lan.http.post(address, data={"csrf": csrf, "key": "key-of-script", **fields}, headers=accept)

    refused = posts(text=UNKNOWN_NUMBER)
    assert (refused.status_code, refused.json()["flags"]) == (409, [{"kind": "phone", "text": "0999 888 777"}])
    assert posts(text="").json() == {"error": WORDS["refused"]["empty"]}
    assert posts(text="chào").json() == {"done": WORDS["done"]["sent"]}


def test_notes_are_for_colleagues_alone(desk: Desk) -> None:
    case_id = desk.asks()
    assert does(desk.comes("binh"), case_id, "note", text="gọi lại <sau>").status_code == 303
    page = desk.comes("lan").opens(f"/desk/cases/{case_id}").text
    assert WORDS["note_by"].format(name="binh") in page
    assert "gọi lại &lt;sau&gt;" in page
    assert desk.sent(case_id) == []


def test_back_to_the_queue_to_the_bot_and_closed(desk: Desk) -> None:
    case_id = desk.asks()
    lan = desk.holds("lan", case_id)
    assert does(lan, case_id, "release").status_code == 303
    assert (desk.case(case_id)["state"], desk.case(case_id)["owner"]) == ("waiting", "queue")
    does(lan, case_id, "claim")
    assert does(lan, case_id, "give-back", topic="no_such_topic").status_code == 409
    assert does(lan, case_id, "give-back", topic="vaccine_where").status_code == 303
    assert (desk.case(case_id)["state"], desk.case(case_id)["owner"]) == ("ended", "bot")
    [asked] = desk.office.rows("SELECT payload FROM messages WHERE author = 'operator' AND direction = 'incoming'")
    assert asked["payload"] == "/vaccine_where"

    other = desk.asks()
    lan = desk.holds("lan", other)
    assert does(lan, other, "close", outcome="").status_code == 409
    assert does(lan, other, "close", outcome="answered", label="vaccine_cost").status_code == 303
    assert (desk.case(other)["outcome"], desk.case(other)["label"]) == ("answered", "vaccine_cost")
    assert sends(lan, other, "còn nữa").status_code == 409
    assert ("lan", "case_closed") in desk.audited(other)


def test_earlier_cases_of_the_citizen_are_at_hand(desk: Desk) -> None:
    first = desk.asks(topic="vaccine_cost")
    does(desk.holds("lan", first), first, "close", outcome="answered")
    second = open_case(desk, desk.case(first)["conversation_id"])
    page = desk.comes("lan").opens(f"/desk/cases/{second}").text
    earlier = page.partition('id="h-earlier"')[2]
    assert f'href="/desk/cases/{first}"' in earlier
    assert title("vaccine_cost") in earlier


def test_a_long_talk_is_read_in_parts(desk: Desk) -> None:
    case_id = desk.asks("câu đầu tiên")
    conversation_id = desk.case(case_id)["conversation_id"]
    desk.office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, provider_id, text, turn)
           SELECT %s, 'incoming', 'citizen', 'zalo', 'p' || n, 'câu ' || n, 'human' FROM generate_series(1, 130) AS n""",
        conversation_id,
    )
    lan = desk.comes("lan")
    page = lan.opens(f"/desk/cases/{case_id}").text
    assert "câu đầu tiên" not in page
    older = page.partition("?before=")[2].partition('"')[0]
    assert "câu đầu tiên" in lan.opens(f"/desk/cases/{case_id}?before={older}").text


# ---- small things


def understood(intent: str, confidence: float, *others: str) -> Jsonb:
    ranking = [[intent, confidence], *([other, 0.1] for other in others)]
    return Jsonb({"intent": intent, "confidence": confidence, "ranking": ranking, "entities": []})


def replied(desk: Desk, conversation_id: int, to: int | None, text: str, key: str, language: str = "vi") -> None:
    desk.office.rows(
        """INSERT INTO messages (conversation_id, direction, author, channel, text, response_key, language, in_reply_to, delivery)
           VALUES (%s, 'outgoing', 'bot', 'zalo', %s, %s, %s, %s, 'sent')""",
        conversation_id,
        text,
        key,
        language,
        to,
    )


def open_case(desk: Desk, conversation_id: int) -> int:
    return int(desk.office.does(lambda connection: opened(connection, conversation_id, "asked", None)))


def title(intent: str) -> str:
    return catalogue().title(intent)


# ── a place on the map ─────────────────────────────────────────────────────────────────────────────

POINT, ELSEWHERE, FAR = "12.667,108.038", "12.911,108.268", "21.028,105.854"


def test_a_place_on_the_map_that_came_after_the_take_over_is_named_and_becomes_the_place_of_the_case(desk: Desk) -> None:
    case_id = desk.asks("xin gặp người")
    lan, page = desk.holds("lan", case_id), f"/desk/cases/{case_id}"
    assert WORDS["place_offered"] not in lan.opens(page).text
    desk.says(desk.case(case_id)["conversation_id"], "", kind="location", place=POINT)
    first, *others = units(POINT)
    shown = lan.opens(page).text
    assert f"{POINT} ({WORDS['place_near'].format(places=', '.join(unit.full_name for unit in (first, *others)))})" in shown
    for unit in (first, *others):
        assert f'name="place" value="{unit.key}"' in shown
    assert WORDS["place_offered"] not in desk.comes("minh").opens(page).text, "only whoever holds the case"
    assert does(lan, case_id, "place", place=others[0].key).headers["location"].endswith("?done=placed")
    assert desk.case(case_id)["place"] == others[0].key
    shown = lan.opens(page).text
    assert f"<dd>{others[0].full_name}</dd>" in shown
    assert f'name="place" value="{others[0].key}"' not in shown, "it was chosen"
    assert f'name="place" value="{first.key}"' in shown, "a wrong press is mended by another"
    assert ("lan", "case_placed") in desk.audited(case_id)
    [row] = desk.office.rows("SELECT detail FROM audit_log WHERE action = 'case_placed' AND object = %s", f"case:{case_id}")
    assert row["detail"] == {"place": others[0].key}


def test_only_whoever_holds_the_case_says_its_place_and_only_one_that_is_near(desk: Desk) -> None:
    case_id = desk.asks("", kind="location", place=POINT)
    lan = desk.comes("lan")
    key = units(POINT)[0].key
    assert WORDS["refused"]["not_owner"] in does(lan, case_id, "place", place=key).text, "nobody holds it"
    minh = desk.holds("minh", case_id)
    assert does(lan, case_id, "place", place=key).status_code == 409, "another holds it"
    for wrong in ("", "dak-lak", units(ELSEWHERE)[0].key, "\x00", "x" * 10_000):
        answer = does(minh, case_id, "place", place=wrong)
        assert (answer.status_code, WORDS["refused"]["place_unknown"] in answer.text) == (409, True), wrong[:20]
    assert desk.case(case_id)["place"] == POINT
    assert does(minh, case_id, "place", place=key).status_code == 303


def test_the_place_of_a_case_that_began_with_the_map_is_the_likeliest_commune(desk: Desk) -> None:
    case_id = desk.asks("", kind="location", place=POINT)
    near = WORDS["place_near"].format(places=units(POINT)[0].full_name)
    assert f"<dd>{near}</dd>" in desk.comes("lan").opens(f"/desk/cases/{case_id}").text


def test_a_place_far_away_is_told_as_such_and_not_offered(desk: Desk) -> None:
    case_id = desk.asks("xin gặp người")
    lan = desk.holds("lan", case_id)
    desk.says(desk.case(case_id)["conversation_id"], "", kind="location", place=FAR)
    shown = lan.opens(f"/desk/cases/{case_id}").text
    assert f"{FAR} ({WORDS['place_near_none']})" in shown
    assert WORDS["place_offered"] not in shown


@pytest.mark.parametrize(
    "columns",
    [{"turn": "withdrawn"}, {"created_at": "2026-01-01T00:00:00+00:00"}, {"kind": "text"}],
)
def test_a_place_that_was_taken_back_or_is_long_ago_is_not_offered(desk: Desk, columns: dict[str, Any]) -> None:
    case_id = desk.asks("xin gặp người")
    lan = desk.holds("lan", case_id)
    desk.says(desk.case(case_id)["conversation_id"], "", **{"kind": "location", "place": POINT, **columns})
    assert WORDS["place_offered"] not in lan.opens(f"/desk/cases/{case_id}").text
