"""A button's payload is an intent, with or without a place, and nothing else; an attachment is a picture of ours, with words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.directory.places import Places
from bot.messages import Attachment, Outgoing, Payload, campaign_code, leading_campaign_code
from bot.settings import ROOT

TELEGRAM_PAYLOAD_BYTES = 64


@pytest.mark.parametrize(
    "text", ["/testing_where", '/inform_place{"place": "buon-ho-phuong"}', '/choose_language{"language":"hmn-Latn-x-vn"}']
)
def test_a_payload_is_read_and_written_alike(text: str) -> None:
    assert str(Payload.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "testing_where",
        "/",
        "/Testing",
        "/a b",
        "/restart{}",
        '/inform_place{"place": "X"}',
        '/x{"lang": "vi"}',
        '/x{"language": "v_i"}',
        '/x{"place": "a", "language": "vi"}',
        "/x\n",
        "/" + "a" * 99,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert Payload.parse(text) is None


def test_every_place_fits_into_telegrams_button() -> None:
    keys = [place.key for place in Places.load(ROOT).all()]
    assert keys
    assert max(len(str(Payload("inform_place", key)).encode()) for key in keys) <= TELEGRAM_PAYLOAD_BYTES


PICTURE = {"type": "image", "url": "figures/vn/cases.png?weeks=8", "alt": "Biểu đồ"}


def reply(**given: Any) -> dict[str, Any]:
    return {"text": "một câu", **given}


def test_an_attachment_is_read_and_written_alike() -> None:
    outgoing = Outgoing.from_reply(reply(attachments=[PICTURE], figures=[4, 7]))
    assert [attachment.as_dict() for attachment in outgoing.attachments] == [PICTURE]
    assert outgoing.figures == (4, 7)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "figures/vn/cases.png",
        {},
        {**PICTURE, "type": "video"},
        {**PICTURE, "alt": "  "},
        {**PICTURE, "alt": None},
        {**PICTURE, "url": "https://elsewhere.example/x.png"},
        {**PICTURE, "url": "//elsewhere.example/x.png"},
        {**PICTURE, "url": "javascript:alert(1)"},
        {**PICTURE, "url": "/figures/vn/cases.png"},
        {**PICTURE, "url": "figures/../metrics"},
        {**PICTURE, "url": "figures/" + "x" * 400},
        {**PICTURE, "url": 7},
    ],
)
def test_an_attachment_that_no_channel_could_show_costs_no_word(broken: object) -> None:
    assert Attachment.parse(broken) is None
    outgoing = Outgoing.from_reply(reply(attachments=[broken, PICTURE]))
    assert (outgoing.text, len(outgoing.attachments)) == ("một câu", 1)


@pytest.mark.parametrize("broken", [None, "x", 5, {"a": 1}])
def test_a_reply_without_lists_has_no_attachments_and_no_figures(broken: object) -> None:
    outgoing = Outgoing.from_reply(reply(attachments=broken, figures=broken))
    assert (outgoing.attachments, outgoing.figures) == ((), ())


def test_only_whole_numbers_are_ids_of_readings() -> None:
    assert Outgoing.from_reply(reply(figures=[1, "2", None, True, 2.5, 3])).figures == (1, 3)


@pytest.mark.parametrize("code", ["tet2026", "A-b_9", "x" * 64])
def test_a_campaign_code_is_written_alike_everywhere(code: str) -> None:
    assert campaign_code(code) == code


@pytest.mark.parametrize("ref", ["", None, "x" * 65, "mã", "a b", "../x", "a'; DROP TABLE"])
def test_what_is_no_campaign_code_is_none(ref: str | None) -> None:
    assert campaign_code(ref) is None


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("#TET2026 tiêm ở đâu", "TET2026", "tiêm ở đâu"),
        ("#5", "5", ""),
        ("#covid tiêm ở đâu", None, "#covid tiêm ở đâu"),
        ("tiêm #TET2026", None, "tiêm #TET2026"),
        ("#TET2026, chào", None, "#TET2026, chào"),
    ],
)
def test_a_code_at_the_beginning_is_taken_out_of_the_words(text: str, code: str | None, rest: str) -> None:
    assert leading_campaign_code(text) == (code, rest)
