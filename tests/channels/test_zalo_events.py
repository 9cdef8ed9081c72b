"""Every event of Zalo that is known, as recorded: who signed it, and what Loa reads in it."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from bot.channels import zalo_signature
from bot.channels.zalo_events import Unreadable, name_of, parse_event
from bot.channels.zalo_signature import Candidate, Signed, is_stale, matching
from bot.messages import Echo, Incoming, IncomingAttachment, Interaction
from bot.settings import Settings, ZaloSettings
from tests.simulators.zalo import mac

APP, OA, SECRET, USER = "2810377614503297185", "3117204459081726354", "fixture-oa-secret", "6420175938841207733"
AT = datetime.datetime(2025, 11, 22, 2, 22, 0, 417000, datetime.UTC)
RECORDED = {
    case["name"]: case for case in json.loads((Path(__file__).parent / "fixtures/zalo_webhooks.json").read_text(encoding="utf-8"))
}


def settings(**changed: str) -> ZaloSettings:
    given = {"ZALO_APP_ID": APP, "ZALO_APP_SECRET": "the-app-secret", "ZALO_OA_ID": OA, "ZALO_OA_SECRET": SECRET, **changed}
    found = Settings.from_environment(given).zalo
    assert found
    return found


def event(name: str) -> dict[str, Any]:
    return json.loads(RECORDED[name]["raw_body"])


def said(provider_id: str, kind: str = "text", text: str = "", **more: Any) -> Incoming:
    return Incoming("zalo", more.pop("address", USER), provider_id, kind, text=text, sent_at=AT, **more)


def link(kind: str, url: str, name: str = "") -> tuple[IncomingAttachment, ...]:
    return (IncomingAttachment(kind, url, name),)


READ = {
    "text": said("96d3cdf3af150460901", text="Xin chào, xét nghiệm ở đâu?"),
    "text with quote": said("96d3cdf3af150460902", text="còn trẻ em?"),
    "button": said("96d3cdf3af150460903", "payload", payload="loa-0123456789abcdef0123"),
    "campaign": said("96d3cdf3af150460904", text="tiêm ở đâu", campaign="TET2026"),
    "campaign alone": said("96d3cdf3af150460905", "start", campaign="TET2026"),
    "hostile text": said("96d3cdf3af150460906", text="ab ? / é"),
    "image": said("m-image", "photo", attachments=link("photo", "https://example.com/a.jpg")),
    "image with words": said("m-image2", text="đây là gì?", attachments=link("photo", "https://example.com/a.jpg")),
    "gif": said("m-gif", "video", attachments=link("video", "https://example.com/a.gif")),
    "link": said("m-link", "other", attachments=link("other", "https://example.com/")),
    "link with words": said(
        "m-link2", text="https://example.com/ có thật không", attachments=link("other", "https://example.com/")
    ),
    "audio": said("m-audio", "voice", attachments=link("voice", "https://example.com/a.amr")),
    "video": said("m-video", "video", attachments=link("video", "https://example.com/a.mp4")),
    "sticker": said("m-sticker", "sticker", attachments=link("sticker", "https://example.com/s.png")),
    "location": said("m-location", "location", attachments=link("location", ""), place="12.667,108.038"),
    "location beside the message": said("m-location2", "location", attachments=link("location", ""), place="12.667,108.038"),
    "business card": said("m-card", "other", attachments=link("other", "https://zalo.me/x")),
    "file": said("m-file", "file", attachments=link("file", "https://example.com/a.pdf", "kết quả.pdf")),
    "a kind that is not known": said("m-holo", "other"),
    "anonymous text": said("m-anon", text="alo", address="anonymous:4411902:c-881"),
    "follow": Interaction("zalo", USER, "follow", f"follow:{USER}:1763778120417", sent_at=AT),
    "unfollow": Interaction("zalo", USER, "unfollow", f"unfollow:{USER}:1763778120417", sent_at=AT),
    "chat now": Interaction("zalo", USER, "chat_now", f"chat_now:{USER}:1763778120417", sent_at=AT),
    "widget": Interaction("zalo", USER, "opted_in", f"opted_in:{USER}:1763778120417", sent_at=AT),
    "operator": Echo("zalo", USER, "op-1", "Chào chị, em là Lan.", operator="5120094"),
    "operator's picture": Echo("zalo", USER, "op-2", "https://example.com/p.jpg", operator="5120094"),
    "ids and time as numbers": said("n-1", text="a"),
}
NOTHING_TO_DO = {
    "echo": "oa_send_text",
    "seen": "user_seen_message",
    "received": "user_received_message",
    "reaction": "user_reacted_message",
    "form": "user_submit_info",
    "consent request": "oa_send_consent",
    "withdrawn consent": "user_withdraw",
    "group": "user_send_group_text",
    "another account": "user_send_text",
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read_in_an_event(name: str) -> None:
    assert parse_event(event(name), settings()) == READ[name]


@pytest.mark.parametrize("name", NOTHING_TO_DO)
def test_an_event_that_needs_nothing_done_has_a_name(name: str) -> None:
    assert parse_event(event(name), settings()) is None
    assert name_of(event(name)) == NOTHING_TO_DO[name]


def test_every_recorded_event_is_expected() -> None:
    assert set(RECORDED) - {"probe"} == READ.keys() | NOTHING_TO_DO.keys()


def test_an_echo_without_a_name_is_a_persons_only_where_the_setting_says_so() -> None:
    echo = parse_event(event("echo"), settings(ZALO_UNNAMED_ECHOES="operator"))
    assert isinstance(echo, Echo)
    assert (echo.provider_id, echo.operator) == ("out-1", None)


@pytest.mark.parametrize(
    "broken",
    [
        {"event_name": "user_send_text"},
        {"event_name": "user_send_text", "sender": {"id": USER}, "recipient": {"id": OA}, "message": {"text": "a"}},
        {
            "event_name": "user_send_text",
            "sender": {"id": "a b"},
            "recipient": {"id": OA},
            "message": {"text": "a", "msg_id": "1"},
        },
        {
            "event_name": "user_send_text",
            "sender": {"id": True},
            "recipient": {"id": OA},
            "message": {"text": "a", "msg_id": "1"},
        },
        {"event_name": "user_send_text", "sender": [], "recipient": {"id": OA}, "message": []},
        {"event_name": "follow", "follower": None},
    ],
)
def test_a_shape_that_nobody_has_seen_is_unreadable_and_nothing_of_it_is_told(broken: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as told:
        parse_event(broken, settings())
    assert "a b" not in str(told.value)


def test_a_name_is_a_label_and_nothing_else() -> None:
    assert name_of({"event_name": 'x{} "'}) == name_of({}) == name_of({"event_name": 5}) == "unnamed"


# ── the signature ─────────────────────────────────────────────────────────────────────────────────────


def signed(name: str = "text", **changed: str) -> Signed:
    case = RECORDED[name]
    headers = case["headers"]
    whole = Signed(case["raw_body"].encode(), headers["X-ZEvent-Signature"], headers["X-ZEvent-Timestamp"])
    return dataclasses.replace(whole, **changed)


@pytest.mark.parametrize("name", sorted(set(RECORDED) - {"probe"}))
def test_every_recorded_event_is_signed_by_app_id_body_timestamp_and_oa_secret(name: str) -> None:
    found = matching(settings(), signed(name))
    assert found == Candidate("app_id", "body", "ZALO_OA_SECRET", AT)


@pytest.mark.parametrize("first", ["app_id", "oa_id"])
@pytest.mark.parametrize("place", ["body", "header"])
@pytest.mark.parametrize("secret", ["ZALO_OA_SECRET", "ZALO_APP_SECRET"])
def test_each_candidate_is_accepted_and_named(first: str, place: str, secret: str) -> None:
    key = {"ZALO_OA_SECRET": SECRET, "ZALO_APP_SECRET": "the-app-secret"}[secret]
    timestamp = {"body": "1763778120417", "header": "1763778120999"}[place]
    raw = RECORDED["text"]["raw_body"].encode()
    given = Signed(raw, mac(raw, timestamp, first={"app_id": APP, "oa_id": OA}[first], secret=key), "1763778120999")
    found = matching(settings(), given)
    assert found
    assert (found.first, found.timestamp, found.secret) == (first, place, secret)


def test_a_secret_may_be_changed_without_losing_events() -> None:
    assert matching(settings(ZALO_OA_SECRET=f"the-new-one, {SECRET}"), signed())
    assert matching(settings(ZALO_OA_SECRET="the-new-one"), signed()) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": ""},
        {"signature": "mac="},
        {"signature": "mac=" + "0" * 64},
        {"signature": "mac=" + "é" * 64},
        {"signature": RECORDED["text"]["headers"]["X-ZEvent-Signature"] + "0"},
        {"raw": RECORDED["text"]["raw_body"].replace("chào", "chao").encode()},
        {"raw": RECORDED["text"]["raw_body"].encode() + b"\n"},
        {"raw": b""},
        {"raw": b"[" * 100_000},
    ],
)
def test_anything_else_is_refused(changed: dict[str, Any]) -> None:
    assert matching(settings(), signed(**changed)) is None


def test_the_header_is_read_with_and_without_its_prefix() -> None:
    whole = signed().signature
    for form in (whole, whole.removeprefix("mac="), whole.upper().replace("MAC", "mac"), f" mac = {whole[4:]}"):
        assert matching(settings(), signed(signature=form)), form


def test_all_candidates_are_compared_even_after_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    real = zalo_signature.hmac.compare_digest
    monkeypatch.setattr(zalo_signature.hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    assert matching(settings(), signed())
    assert len(compared) == 8


@pytest.mark.parametrize(
    ("age", "retry", "stale"),
    [
        (0, "", False),
        (299, "", False),
        (301, "", True),
        (-299, "", False),
        (-301, "", True),
        (301, "1", False),
        (6630, "5", False),  # all of Zalo's waits added up
        (7501, "5", True),
        (301, "0", True),
        (301, "x", True),
        (-301, "1", True),
    ],
)
def test_staleness(age: float, retry: str, stale: bool) -> None:
    given = signed(retry=retry)
    candidate = matching(settings(), given)
    assert candidate
    assert is_stale(candidate, given, AT + datetime.timedelta(seconds=age), 300) is stale


def test_a_timestamp_that_is_no_time_is_stale() -> None:
    raw = b'{"timestamp": "soon"}'
    given = Signed(raw, mac(raw, "soon", first=APP, secret=SECRET), "")
    candidate = matching(settings(), given)
    assert candidate
    assert is_stale(candidate, given, AT, 300)
