"""What each update of Telegram means, and that no shape of one breaks the parser."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.body import BadBody
from bot.channels.telegram_updates import callback_id, name_of, parse_update
from bot.messages import Edited, Event, Incoming, IncomingAttachment, Interaction

SECOND = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.UTC)


def message(text: str | None = None, **fields: Any) -> dict[str, Any]:
    body = {
        "message_id": 5,
        "date": 1_700_000_000,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "is_bot": False},
        **fields,
    }
    return body if text is None else {**body, "text": text}


def parsed(kind: str, content: object) -> Event | None:
    return parse_update({"update_id": 1, kind: content})


def incoming(text: str | None = None, **fields: Any) -> Incoming:
    found = parsed("message", message(text, **fields))
    assert isinstance(found, Incoming)
    return found


def test_a_message_is_known_by_its_chat_and_its_number_and_stands_in_its_second_by_that_number() -> None:
    first, second = incoming("a"), incoming("b", message_id=6)
    assert (first.address, first.provider_id, first.kind, first.text) == ("7", "7:5", "text", "a")
    assert first.sent_at and second.sent_at
    assert SECOND < first.sent_at < second.sent_at < SECOND + datetime.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "kind", "payload", "campaign"),
    [
        ("/start", "start", None, None),
        ("/start tet-2026_A", "start", None, "tet-2026_A"),
        ("/Start@loa_bot tet2026", "start", None, "tet2026"),
        ("/start with spaces", "start", None, None),
        ("/start " + "x" * 65, "start", None, None),
        ("/help", "payload", "/help_menu", None),
        ("/language@loa_bot", "payload", "/choose_language", None),
        ("/language km", "text", None, None),
        ("/stop now", "payload", "/unsubscribe", None),
        ("/testing_where", "text", None, None),
        ("/starts", "text", None, None),
        ('/inform_place{"place": "x"}', "text", None, None),
        ("help", "text", None, None),
    ],
)
def test_only_our_four_commands_are_more_than_text(text: str, kind: str, payload: str | None, campaign: str | None) -> None:
    found = incoming(text)
    assert (found.kind, found.payload, found.campaign) == (kind, payload, campaign)
    assert found.text == (text if kind == "text" else "")


@pytest.mark.parametrize(
    ("content", "kind", "url"),
    [
        ({"photo": [{"file_id": "small"}, {"file_id": "large"}]}, "photo", "telegram-file:large"),
        ({"voice": {"file_id": "V"}}, "voice", "telegram-file:V"),
        ({"video_note": {"file_id": "V"}}, "video", "telegram-file:V"),
        ({"animation": {"file_id": "A"}, "document": {"file_id": "A"}}, "video", "telegram-file:A"),
        ({"sticker": "a shape of tomorrow"}, "sticker", ""),
        ({"photo": []}, "photo", ""),
        ({"contact": {"phone_number": "0905123456", "first_name": "B"}}, "other", ""),
        ({"poll": {"id": "1", "question": "?"}}, "other", ""),
    ],
)
def test_what_is_no_text_keeps_its_kind_and_nothing_of_a_contact(content: dict[str, Any], kind: str, url: str) -> None:
    found = incoming(**content)
    assert (found.kind, found.attachments) == (kind, (IncomingAttachment(kind, url),))  # type: ignore[arg-type]
    assert "0905123456" not in repr(found)


def test_a_file_keeps_its_name_cut() -> None:
    (kept,) = incoming(document={"file_id": "D", "file_name": "x" * 5000}).attachments
    assert len(kept.name) == 200


def test_words_beside_a_picture_are_what_is_answered() -> None:
    found = incoming(photo=[{"file_id": "F"}], caption=" tiêm ở đâu ")
    assert (found.kind, found.text, found.attachments[0].kind) == ("text", "tiêm ở đâu", "photo")


def test_an_album_gets_one_answer_and_its_words_their_own() -> None:
    album = [incoming(message_id=n, photo=[{"file_id": "F"}], media_group_id="A") for n in (5, 6)]
    assert len({found.provider_id for found in album}) == 1
    assert incoming(photo=[{"file_id": "F"}], media_group_id="A", caption="a").provider_id == "7:5"


def test_a_location_and_a_venue_are_a_place() -> None:
    where = {"latitude": 12.6661234, "longitude": -108}
    assert incoming(location=where).place == "12.666,-108.000"
    assert incoming(location=where, venue={"location": where, "title": "x"}).place == "12.666,-108.000"


def test_a_pressed_button_is_known_by_its_callback() -> None:
    callback = {
        "id": "cb",
        "from": {"id": 7},
        "data": "loa-1",
        "message": {"message_id": 3, "date": 0, "chat": message()["chat"]},
    }
    found = parsed("callback_query", callback)
    assert found == Incoming("telegram", "7", "callback:cb", "payload", payload="loa-1")
    assert callback_id({"callback_query": callback}) == "cb"


@pytest.mark.parametrize(
    "callback",
    [
        {"id": "cb", "from": {"id": 7}, "inline_message_id": "x", "data": "y"},
        {"id": "cb", "from": {"id": 7}, "game_short_name": "g", "message": message()},
        {"id": "cb", "from": {"id": 7}, "data": "y", "message": message(chat={"id": -1, "type": "group"})},
    ],
)
def test_a_button_that_is_not_ours_means_nothing_but_can_be_answered(callback: dict[str, Any]) -> None:
    assert parsed("callback_query", callback) is None
    assert callback_id({"callback_query": callback}) == "cb"


def test_an_edit_finds_its_message_and_one_without_words_is_none() -> None:
    edited = message("mới", edit_date=1_700_000_100)
    assert parsed("edited_message", edited) == Edited("telegram", "7", "7:5", "mới", SECOND + datetime.timedelta(seconds=100))
    assert parsed("edited_message", message(photo=[], caption="mới")) == Edited("telegram", "7", "7:5", "mới")
    named = message("/language km", edit_date=edited["edit_date"])
    assert isinstance(parsed("edited_message", named), Edited), "which language is read like any other words"
    assert parsed("edited_message", message(location={"latitude": 1, "longitude": 2})) is None
    assert parsed("edited_message", {**edited, "chat": {"id": -1, "type": "group"}}) is None
    assert parsed("edited_message", {**edited, "from": {"id": 8, "is_bot": True}}) is None


def test_a_command_that_was_mistyped_and_edited_is_obeyed_once() -> None:
    found = parsed("edited_message", message("/help", edit_date=1_700_000_100))
    assert found == Incoming("telegram", "7", "7:5#/help", "payload", payload="/help_menu")


@pytest.mark.parametrize(("status", "kind"), [("kicked", "unfollow"), ("member", "opted_in")])
def test_blocking_and_coming_back_are_told_with_their_time(status: str, kind: str) -> None:
    change = {"chat": message()["chat"], "date": 1_700_000_000, "new_chat_member": {"status": status}}
    found = parsed("my_chat_member", change)
    assert isinstance(found, Interaction)
    assert (found.kind, found.address, found.provider_id, found.sent_at) == (kind, "7", f"{status}:7:1700000000", SECOND)


def test_a_group_is_one_message_whatever_is_commanded_in_it() -> None:
    group = {"chat": {"id": -100, "type": "supergroup"}}
    said = [parsed("message", message(text, message_id=n, **group)) for n, text in enumerate(("/start", "/help@loa_bot"))]
    added = parsed("my_chat_member", {**group, "date": 1, "new_chat_member": {"status": "member"}})
    assert {*said, added} == {Incoming("telegram", "-100", "group:-100", "group")}
    for silent in (
        parsed("message", message("chào cả nhà", **group)),
        parsed("message", message("/start", chat={"id": -5, "type": "channel"})),
        parsed("my_chat_member", {**group, "date": 1, "new_chat_member": {"status": "kicked"}}),
    ):
        assert silent is None


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("channel_post", message("a")),
        ("message", message("a", **{"from": {"id": 8, "is_bot": True}})),
        ("message", message(new_chat_members=[{"id": 1}])),
        ("message", message(pinned_message=message("a"))),
        ("message_reaction", {"chat": {"id": 7}}),
    ],
)
def test_what_needs_nothing_done_is_counted_by_a_few_names(kind: str, content: dict[str, Any]) -> None:
    assert parsed(kind, content) is None
    assert name_of({"update_id": 1, kind: content}) in {"message", "other"}


@pytest.mark.parametrize(
    "update",
    [
        {"message": message("a")},
        {"update_id": "1", "message": message("a")},
        {"update_id": 1, "message": {"chat": 5}},
        {"update_id": 1, "message": message("a", chat={"id": "x", "type": "private"})},
        {"update_id": 1, "message": message("a", date=10**30)},
        {"update_id": 1, "message": message(location={"latitude": "north"})},
        {"update_id": 1, "callback_query": {"data": "x", "message": message()}},
        {"update_id": 1, "my_chat_member": {"chat": {"id": 7, "type": "private"}}},
    ],
)
def test_an_update_without_shape_is_refused_and_never_breaks(update: dict[str, Any]) -> None:
    with pytest.raises(BadBody) as refused:
        parse_update(update)
    assert refused.value.status == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted({*message("a"), "caption", "location", "photo", "edit_date", "media_group_id"})), JSON)
)
def test_any_json_at_all_is_an_event_or_refused(fields: dict[str, Any]) -> None:
    for kind in ("message", "edited_message", "callback_query", "my_chat_member"):
        try:
            parse_update({"update_id": 1, kind: {**message("a"), **fields}})
        except BadBody:
            continue


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "e\u0301" * 10_000, "\u202e" + "x" * 9, "Z" + "\u0335" * 3000])
def test_strange_texts_are_storable(text: str) -> None:
    found = incoming(text).text
    assert "\x00" not in found
    found.encode("utf-8")
    assert len(found) <= 20_000
