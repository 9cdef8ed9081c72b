"""The web chat's contract, with what bad input does to it."""

from __future__ import annotations

import json
import time

import httpx
import jwt

from tests.gateway import GatewayProcess, Visitor
from tests.simulators.rasa import RasaSimulator, with_reply


def test_an_answer_comes_as_an_event_of_the_contract(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    visitor.writes("xin chào")
    event = read_events(visitor, 1)[0]
    assert set(event) == {"id", "author", "text", "buttons", "attachments", "source", "language", "talk_language", "talk_owner"}
    assert (event["author"], event["text"], event["talk_owner"]) == ("bot", "answer to xin chào", "bot")


def test_a_picture_comes_with_its_words(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    picture = {"type": "image", "url": "figures/vn/cases.png?weeks=8", "alt": "Biểu đồ cột 8 tuần"}
    rasa.faults = [with_reply(attachments=[picture, {"type": "image", "url": "https://elsewhere.example/x.png", "alt": "x"}])]
    visitor = Visitor(gateway.address)
    visitor.writes("hôm nay mấy ca")
    (event,) = read_events(visitor, 1)
    assert (event["text"], event["attachments"]) == ("11.624.000 ca", [picture])


def test_a_stream_resumes_after_the_last_event_seen(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    for number, text in enumerate(("một", "hai", "ba"), start=1):
        visitor.writes(text)
        gateway.wait_for_replies(number)  # typed before the answer, the third would be read with the second
    events = read_events(visitor, 3)
    resumed = read_events(visitor, 2, last_event_id=events[0]["id"])
    assert [e["text"] for e in resumed] == ["answer to hai", "answer to ba"]


def test_a_button_is_obeyed_and_a_typed_command_is_not(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    visitor = Visitor(gateway.address)
    assert visitor.posts(payload="/testing_where").status_code == 202
    visitor.writes("/testing_where")
    gateway.wait_for_replies(2)
    asked = [(turn["payload"], turn["text"]) for turn in rasa.turns]
    assert asked == [("/testing_where", None), (None, "/testing_where")]


def test_a_button_counts_on_the_first_page_or_where_we_offered_it(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    visitor = Visitor(gateway.address)
    for invented in ('/inform{"place":"x"}', "/penalties", "/restart"):
        assert visitor.posts(payload=invented).status_code == 202
    gateway.wait_for_replies(3)
    assert {reply["response_key"] for reply in gateway.replies()} == {"utter_old_button"}
    assert rasa.turns == []
    rasa.faults = [with_reply(buttons=[{"title": "Mức phạt", "payload": "/penalties"}])]
    visitor.writes("phạt")
    gateway.wait_for_replies(4)
    visitor.posts(payload="/penalties")
    gateway.wait_for_replies(5)
    assert rasa.turns[-1]["payload"] == "/penalties"
    other = Visitor(gateway.address)
    other.posts(payload="/penalties")
    assert gateway.wait_for_replies(6)[-1]["response_key"] == "utter_old_button"


def test_links_and_numbers_come_as_buttons_of_their_own_kind(gateway: GatewayProcess, rasa: RasaSimulator) -> None:
    buttons = [{"title": "Gọi 115", "phone": "115"}, {"title": "Văn bản", "url": "https://moh.gov.vn/x"}]
    rasa.faults = [with_reply(buttons=[*buttons, {"title": "hỏng", "url": "javascript:alert(1)"}])]
    visitor = Visitor(gateway.address)
    visitor.writes("số nào")
    assert read_events(visitor, 1)[0]["buttons"] == buttons


BAD_BODIES = [
    ({}, 400),
    ({"text": 5}, 400),
    ({"text": "a", "payload": "/b"}, 400),
    ({"payload": ""}, 400),
    ({"text": "a", "id": ""}, 400),
    ({"text": "a", "id": "x" * 101}, 400),
    ({"text": "a", "id": 7}, 400),
    ([], 400),
    ({"text": "x" * 20_001}, 413),
]


def test_bad_bodies_are_refused_with_a_sentence(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    for body, status in BAD_BODIES:
        response = visitor.posts(body)
        assert response.status_code == status, body
        assert response.json()["error"]
    assert gateway.rows("SELECT 1 FROM messages") == []


def test_broken_bytes_are_refused_and_hostile_text_is_stored(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    headers = {"Authorization": f"Bearer {visitor.token}"}
    for raw in (b"\xff\xfe", b"{", b"\x00", b'{"text": "' + b"[" * 5000, b"[" * 100_000):
        assert visitor.call("POST", "/webchat/messages", content=raw, headers=headers).status_code == 400
    assert visitor.call("POST", "/webchat/messages", content=b" " * 300_000, headers=headers).status_code == 413
    for text in ("a\x00b", "x" * 10_000, "😀" * 500, "\ud800 lone", "mixed ខ្មែរ ǎ̆̂ العربية", "   ", ""):
        assert visitor.call("POST", "/webchat/messages", content=json.dumps({"text": text}), headers=headers).status_code == 202
    gateway.wait_for("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM messages WHERE turn = 'waiting')")
    turns = gateway.rows("SELECT turn, count(*) AS n FROM messages WHERE direction = 'incoming' GROUP BY turn")
    assert turns == [{"turn": "answered", "n": 7}]


def test_forged_old_and_missing_tokens_are_refused(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    forged = jwt.encode(
        {"sub": "x", "exp": 9_999_999_999}, "another key that is long enough for the algorithm", algorithm="HS256"
    )
    unsigned = jwt.encode({"sub": "x", "exp": 9_999_999_999}, "", algorithm="none")
    for token in ("", "x.y.z", forged, unsigned, visitor.token[:-3]):
        headers = {"Authorization": f"Bearer {token or 'x'}"}
        posted = httpx.post(f"{gateway.address}/webchat/messages", json={"text": "a"}, headers=headers, timeout=30)
        typed = httpx.post(f"{gateway.address}/webchat/typing", json={}, headers=headers, timeout=30)
        streamed = httpx.get(f"{gateway.address}/webchat/events", params={"token": token}, timeout=30)
        assert (posted.status_code, typed.status_code, streamed.status_code) == (401, 401, 401), token
    assert gateway.rows("SELECT 1 FROM messages") == []


def test_a_session_says_in_which_language_it_begins(gateway: GatewayProcess) -> None:
    visitor = Visitor(gateway.address)
    for asked, begun in (
        ({}, "vi"),
        ({"language": "rad"}, "rad"),
        ({"language": "en-US"}, "en"),
        ({"language": "klingon"}, "vi"),
    ):
        told = visitor.call("POST", "/webchat/session", json=asked).json()
        assert told["language"] == begun, asked
    assert visitor.call("POST", "/webchat/session", json={"language": ["x"]}).json()["language"] == "vi"


def test_one_session_never_sees_anothers_answers(gateway: GatewayProcess) -> None:
    first, second = Visitor(gateway.address), Visitor(gateway.address)
    first.writes("riêng tư")
    gateway.wait_for_replies(1)
    second.writes("của tôi")
    assert [e["text"] for e in read_events(second, 1)] == ["answer to của tôi"]


def read_events(visitor: Visitor, count: int, last_event_id: str | None = None) -> list[dict[str, object]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    events: list[dict[str, object]] = []
    url, params = f"{visitor.address}/webchat/events", {"token": visitor.token}
    deadline = time.monotonic() + 30
    with httpx.stream("GET", url, params=params, headers=headers, timeout=20, trust_env=False) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line[6:]))
            if len(events) == count:
                return events
            assert time.monotonic() < deadline, f"{count} events were awaited, these came: {events}"
    return events
