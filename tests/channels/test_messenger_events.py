"""Messenger's calls as Meta signs and shapes them, and what each becomes."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels.messenger import is_from_meta
from bot.channels.messenger_events import MAX_PAYLOAD_CHARACTERS, BadEvent, Ignored, read_call
from bot.messages import Echo, Edited, Event, Incoming, IncomingAttachment, Interaction, Withdrawn

RECORDED = json.loads((Path(__file__).parent / "fixtures/messenger.json").read_text(encoding="utf-8"))
CALLS: dict[str, dict[str, Any]] = {call["name"]: call for call in RECORDED["calls"]}
AT = datetime.datetime(2025, 11, 21, 4, 40, tzinfo=datetime.UTC)
ADDRESS = "1001:7001"


def recorded(name: str) -> list[Event | Ignored | BadEvent]:
    return [found for _, found in read_call(json.loads(CALLS[name]["raw_body"]))]


def only(name: str) -> Any:
    (found,) = recorded(name)
    return found


def incoming(provider_id: str, kind: Any, **more: Any) -> Incoming:
    return Incoming("messenger", ADDRESS, provider_id, kind, sent_at=AT, **more)


@pytest.mark.parametrize("name", CALLS)
def test_every_recorded_call_is_signed_and_one_changed_byte_is_not(name: str) -> None:
    raw, header = CALLS[name]["raw_body"].encode(), CALLS[name]["headers"]["X-Hub-Signature-256"]
    assert is_from_meta(raw, header, RECORDED["app_secret"])
    assert not is_from_meta(raw + b" ", header, RECORDED["app_secret"])


@pytest.mark.parametrize("header", ["", "sha256=", "sha1=2b", "sha256=có dấu", "0" * 64, "sha256=" + "0" * 64])
def test_a_wrong_signature_is_none(header: str) -> None:
    assert not is_from_meta(b"{}", header, "secret")


def test_without_a_secret_nothing_is_from_meta() -> None:
    hmac_of_an_empty_key = "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    assert not is_from_meta(b"", hmac_of_an_empty_key, "")


def test_a_call_written_anew_has_another_signature() -> None:
    """Meta escapes letters and slashes: only the raw bytes are signed."""
    raw, header = CALLS["text"]["raw_body"], CALLS["text"]["headers"]["X-Hub-Signature-256"]
    again = json.dumps(json.loads(raw), separators=(",", ":"), ensure_ascii=False).encode()
    assert not is_from_meta(again, header, RECORDED["app_secret"])


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("text", incoming("m_text", "text", text="Xét nghiệm ở đâu?")),
        ("quick_reply", incoming("m_quick", "payload", payload="loa-0123456789abcdef0123")),
        ("postback", incoming("m_press", "payload", payload="loa-abcdef01234567890123")),
        ("get_started_from_link", incoming("m_start", "start", campaign="tet2026")),
        ("message_from_ad", incoming("m_ad", "text", text="Tiêm ở đâu", campaign="tet2026")),
        ("unsupported", incoming("m_unsupported", "other")),
        ("operator_echo", Echo("messenger", ADDRESS, "m_op", "Chào bạn, tôi là trực ban", "page-inbox")),
        ("operator_echo_picture", Echo("messenger", ADDRESS, "m_op2", "", "page-inbox")),
        ("other_app_echo", Echo("messenger", ADDRESS, "m_other", "Khuyến mãi", "app-555")),
        ("standby_echo", Echo("messenger", ADDRESS, "m_sop", "Mời bạn gọi số này", "page-inbox")),
        ("edit", Edited("messenger", ADDRESS, "m_text", "Xét nghiệm ở Buôn Hồ?", AT + datetime.timedelta(seconds=9))),
        ("unsend", Withdrawn("messenger", ADDRESS, "m_text")),
        ("unsend_event", Withdrawn("messenger", ADDRESS, "m_text")),
        ("standby_unsend", Withdrawn("messenger", ADDRESS, "m_standby")),
        ("own_echo", Ignored("echo_own")),
        ("standby_text", Ignored("standby_message")),
        ("standby_postback", Ignored("standby_postback")),
        ("passed_to_us", Ignored("pass_thread_control")),
        ("edit_of_nothing", Ignored("message_edit_0")),
        ("optin_of_nobody", Ignored("optin")),
        ("read", Ignored("read")),
        ("delivery", Ignored("delivery")),
        ("reaction", Ignored("reaction")),
        ("policy", Ignored("policy_enforcement")),
        ("page_feed", Ignored("change_feed")),
        ("instagram", Ignored("object")),
    ],
)
def test_what_a_call_becomes(name: str, event: object) -> None:
    assert only(name) == event


@pytest.mark.parametrize(
    ("name", "kind", "text", "url"),
    [
        ("photo", "photo", "", "https://cdn.example/photo.jpg"),
        ("photo_with_words", "text", "Kết quả này là sao?", "https://cdn.example/photo.jpg"),
        ("sticker", "sticker", "", "https://cdn.example/like.png"),
        ("sticker_until_2026", "sticker", "", "https://cdn.example/like.png"),
        ("voice", "voice", "", "https://cdn.example/voice.mp4"),
        ("video", "video", "", "https://cdn.example/video.mp4"),
        ("reel", "video", "", "https://cdn.example/reel.mp4"),
        ("file", "file", "", "https://cdn.example/ket-qua.pdf"),
        ("location", "location", "", "https://maps.example/x"),
        ("shared_link", "text", "https://covid19.example.vn/tin đúng không?", "https://covid19.example.vn/tin"),
        ("shared_without_payload", "other", "", ""),
    ],
)
def test_what_is_sent_beside_words(name: str, kind: str, text: str, url: str) -> None:
    found = only(name)
    assert (found.kind, found.text, found.attachments[0].url) == (kind, text, url)


def test_a_location_is_a_place() -> None:
    assert only("location").place == "12.909,108.271"
    assert only("location").attachments == (IncomingAttachment("location", "https://maps.example/x", "Vị trí"),)


def test_a_link_opened_in_a_talk_is_a_sign_of_life_with_its_campaign() -> None:
    found = only("referral")
    assert (found.kind, found.address, found.campaign, found.sent_at) == ("referral", ADDRESS, "tet2026", AT)
    assert isinstance(only("optin"), Interaction)
    assert only("optin").provider_id != found.provider_id


def test_a_ref_that_is_no_code_of_ours_is_no_campaign() -> None:
    assert only("strange_ref").campaign is None


def test_the_inbox_taking_the_talk_is_a_persons_doing() -> None:
    taken = only("taken_by_inbox")
    assert isinstance(taken, Echo)
    assert (taken.address, taken.operator, taken.text) == (ADDRESS, "page-inbox", "")


def test_a_press_without_an_id_is_told_from_the_next_one_by_its_time() -> None:
    body = json.loads(CALLS["postback_without_mid"]["raw_body"])
    first = only("postback_without_mid").provider_id
    assert first == only("postback_without_mid").provider_id
    body["entry"][0]["messaging"][0]["timestamp"] += 1
    ((_, later),) = read_call(body)
    assert isinstance(later, Incoming)
    assert later.provider_id != first


def test_several_pages_and_people_in_one_call_keep_their_order() -> None:
    found = list(read_call(json.loads(CALLS["two_pages"]["raw_body"])))
    assert [(page, event.address, event.text) for page, event in found if isinstance(event, Incoming)] == [
        ("1001", "1001:7001", "một"),
        ("1001", "1001:7002", "hai"),
        ("1002", "1002:7001", "ba"),
    ]


def test_one_bad_event_hides_no_other() -> None:
    found = recorded("one_bad_among_good")
    assert [event.text for event in found if isinstance(event, Incoming)] == ["một", "", "hai", "ba"]
    assert sum(isinstance(event, BadEvent) for event in found) == 7


@pytest.mark.parametrize(
    "body",
    [
        {"object": "page"},
        {"object": "page", "entry": None},
        {"object": "page", "entry": {}},
        {"object": "page", "entry": [{"id": "1", "messaging": {"a": 1}, "standby": None, "changes": ["x"]}]},
        {"object": "page", "entry": [{"id": None}, 5, {"id": "1", "changes": 5}]},
        {"object": ["page"]},
        {},
    ],
)
def test_no_shape_breaks_the_reader(body: dict[str, Any]) -> None:
    assert not [found for _, found in read_call(body) if not isinstance(found, Ignored | BadEvent)]


def test_a_message_holds_nothing_that_the_database_cannot_store() -> None:
    message = {"mid": "m_1", "text": "a\x00b\ud800c", "attachments": [{"type": "image", "payload": {"url": "https://x/\x00"}}]}
    event = {"sender": {"id": "7"}, "recipient": {"id": "1"}, "timestamp": "soon", "message": message}
    ((_, found),) = read_call({"object": "page", "entry": [{"id": "1", "messaging": [event]}]})
    assert isinstance(found, Incoming)
    assert (found.text, found.attachments[0].url, found.sent_at) == ("ab?c", "https://x/", None)


@pytest.mark.parametrize("mid", ["", "a\x00", "m" * 500, 5, None])
def test_an_id_that_could_not_be_stored_is_refused(mid: object) -> None:
    event = {"sender": {"id": "7"}, "recipient": {"id": "1"}, "message": {"mid": mid, "text": "a"}}
    ((_, found),) = read_call({"object": "page", "entry": [{"id": "1", "messaging": [event]}]})
    assert isinstance(found, BadEvent)


def test_a_long_payload_is_cut() -> None:
    event = {"sender": {"id": "7"}, "recipient": {"id": "1"}, "postback": {"mid": "m_1", "payload": "x" * 5000}}
    ((_, found),) = read_call({"object": "page", "entry": [{"id": "1", "messaging": [event]}]})
    assert isinstance(found, Incoming)
    assert len(found.payload or "") == MAX_PAYLOAD_CHARACTERS
