"""What Meta's calls say, as events of ours. Pure functions; one event that cannot be read never hides the others.

A call carries several entries (a page each) with several events (up to 1,000 in all, a person's in order):

    {"object": "page", "entry": [{"id": "PAGE", "time": 1700000000000, "messaging": [
        {"sender": {"id": "PSID"}, "recipient": {"id": "PAGE"}, "timestamp": 1700000000000,
         "message": {"mid": "m_1", "text": "Xin chào", "quick_reply": {"payload": "loa-…"}}}]}]}

While another app owns the conversation its events stand under `standby` instead of `messaging`. A person's id (PSID) holds for
one page only, so an address is `PAGE:PSID`. Shapes: developers.facebook.com/documentation/business-messaging/messenger-platform,
webhook-events (read 2026-11-22).
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages import (
    Echo,
    Edited,
    Event,
    Incoming,
    IncomingAttachment,
    Interaction,
    Kind,
    Withdrawn,
    campaign_code,
    clean_text,
    place_on_map,
)

CHANNEL = "messenger"
# Meta's own app in which a page's staff read and answer.
PAGE_INBOX = "263902037430900"
GET_STARTED = "GET_STARTED"
# Stands in every message of ours and comes back in its echo.
OUR_METADATA = "loa"
MAX_ID_CHARACTERS = 400
MAX_PAYLOAD_CHARACTERS = 1000
MAX_URL_CHARACTERS = 2000
MAX_ATTACHMENTS = 20

ATTACHMENTS: Mapping[str, Kind] = {
    "image": "photo",
    "sticker": "sticker",
    "audio": "voice",
    "video": "video",
    "reel": "video",
    "ig_reel": "video",
    "file": "file",
    "location": "location",
}
ENVELOPE = frozenset({"sender", "recipient", "timestamp"})
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class BadEvent(Exception):
    """One event is not of a known shape; the sentence holds no word of a citizen's."""


@dataclass(frozen=True)
class Ignored:
    """An event that nobody answers, by the name under which it is counted."""

    name: str


def read_call(body: Mapping[str, Any]) -> Iterator[tuple[str, Event | Ignored | BadEvent]]:
    """(page, what happened) in Meta's order."""
    if body.get("object") != "page":
        yield "", Ignored("object")
        return
    entries = body.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not _ID.fullmatch(str(entry.get("id"))):
            yield "", BadEvent("an entry names no page")
            continue
        yield from ((str(entry["id"]), found) for found in _read_entry(str(entry["id"]), entry))


def _read_entry(page: str, entry: Mapping[str, Any]) -> Iterator[Event | Ignored | BadEvent]:
    for name in ("messaging", "standby"):
        events = entry.get(name, [])
        if not isinstance(events, list):
            yield BadEvent(f"{name} is no list")
            continue
        for event in events:
            yield _read_safely(page, event, is_standby=name == "standby")
    changes = entry.get("changes")
    for change in changes if isinstance(changes, list) else ():
        yield Ignored(f"change_{_label(change.get('field') if isinstance(change, dict) else None)}")


def _read_safely(page: str, event: Any, *, is_standby: bool) -> Event | Ignored | BadEvent:
    try:
        return read_standby(page, event) if is_standby else read_event(page, event)
    except BadEvent as error:
        return error
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        return BadEvent(f"not of a known shape ({type(error).__name__})")


def read_event(page: str, event: Mapping[str, Any]) -> Event | Ignored:
    """One event of `messaging`; raises BadEvent, KeyError, TypeError … for another shape."""
    if message := event.get("message"):
        return _read_echo(page, event, message) if message.get("is_echo") else _read_message(page, event, message)
    if postback := event.get("postback"):
        return _read_postback(page, event, postback)
    if referral := event.get("referral"):
        return _interaction(page, event, "referral", _campaign(referral))
    if optin := event.get("optin"):
        # The checkbox on a web page names no person.
        named = "id" in (event.get("sender") or {})
        return _interaction(page, event, "opted_in", _campaign(optin)) if named else Ignored("optin")
    if edit := event.get("message_edit"):
        return _read_edit(page, event, edit)
    if unsent := event.get("message_unsend"):
        return Withdrawn(CHANNEL, _address(page, event), _message_id(unsent))
    return _read_control(page, event) or Ignored(_name(event))


def read_standby(page: str, event: Mapping[str, Any]) -> Event | Ignored:
    """Another app owns the conversation and answers it: only what a person of ours writes there is of interest."""
    message = event.get("message") or {}
    if message.get("is_echo"):
        return _read_echo(page, event, message)
    if message.get("is_deleted"):
        return Withdrawn(CHANNEL, _address(page, event), _message_id(message))
    return _read_control(page, event) or Ignored(f"standby_{_name(event)}")


def _read_message(page: str, event: Mapping[str, Any], message: Mapping[str, Any]) -> Event:
    address, message_id = _address(page, event), _message_id(message)
    if message.get("is_deleted"):
        return Withdrawn(CHANNEL, address, message_id)
    sent_at, campaign = _sent_at(event), _campaign(message.get("referral"))
    if quick_reply := message.get("quick_reply"):
        payload = _payload(quick_reply)
        return Incoming(CHANNEL, address, message_id, "payload", payload=payload, sent_at=sent_at, campaign=campaign)
    attachments = tuple(_attachments(message))
    text = clean_text(str(message.get("text") or "")).strip()
    kind: Kind = "text" if text else attachments[0].kind if attachments else "other"
    return Incoming(
        CHANNEL,
        address,
        message_id,
        kind,
        text=text,
        sent_at=sent_at,
        attachments=attachments,
        campaign=campaign,
        place=_place(message),
    )


def _read_postback(page: str, event: Mapping[str, Any], postback: Mapping[str, Any]) -> Event | Ignored:
    address, sent_at, campaign = _address(page, event), _sent_at(event), _campaign(postback.get("referral"))
    payload = _payload(postback)
    # `mid` came with Graph 8; without it the time tells a redelivery from a second press.
    message_id = _message_id(postback) if postback.get("mid") else _made_id("postback", address, event, payload)
    if payload == GET_STARTED:
        return Incoming(CHANNEL, address, message_id, "start", sent_at=sent_at, campaign=campaign)
    return Incoming(CHANNEL, address, message_id, "payload", payload=payload, sent_at=sent_at, campaign=campaign)


def _read_echo(page: str, event: Mapping[str, Any], message: Mapping[str, Any]) -> Event | Ignored:
    """What our page said. Meta names the app it was said with, never the person; our own messages carry our mark."""
    if message.get("metadata") == OUR_METADATA:
        return Ignored("echo_own")
    app = str(message.get("app_id") or "")
    text = clean_text(str(message.get("text") or "")).strip()
    operator = "page-inbox" if app in ("", PAGE_INBOX) else f"app-{app}"[:80]
    return Echo(CHANNEL, _address(page, event, "recipient"), _message_id(message), text, operator)


def _read_edit(page: str, event: Mapping[str, Any], edit: Mapping[str, Any]) -> Event | Ignored:
    if str(edit.get("num_edit")) == "0":
        return Ignored("message_edit_0")  # seen in the field beside new messages: nothing was changed
    text = clean_text(str(edit.get("text") or "")).strip()
    return Edited(CHANNEL, _address(page, event), _message_id(edit), text, _sent_at(event)) if text else Ignored("message_edit")


def _read_control(page: str, event: Mapping[str, Any]) -> Event | None:
    """The Page Inbox takes a conversation, or gets it: a person has it now, before they write a word."""
    for name in ("take_thread_control", "pass_thread_control"):
        control = event.get(name)
        if isinstance(control, dict) and str(control.get("new_owner_app_id")) == PAGE_INBOX:
            address = _address(page, event)
            return Echo(CHANNEL, address, _made_id(name, address, event), "", "page-inbox")
    return None


def _interaction(page: str, event: Mapping[str, Any], kind: Any, campaign: str | None) -> Interaction:
    address = _address(page, event)
    return Interaction(CHANNEL, address, kind, _made_id(kind, address, event), campaign, _sent_at(event))


def _address(page: str, event: Mapping[str, Any], side: str = "sender") -> str:
    person = str(event[side]["id"])
    if not _ID.fullmatch(person):
        raise BadEvent(f"{side}.id is no id")
    return f"{page}:{person}"


def _message_id(given: Mapping[str, Any]) -> str:
    message_id = given["mid"]
    if not isinstance(message_id, str) or not 0 < len(message_id) <= MAX_ID_CHARACTERS or clean_text(message_id) != message_id:
        raise BadEvent("mid is no id")
    return message_id


def _made_id(name: str, address: str, event: Mapping[str, Any], payload: str = "") -> str:
    """For events without an id: the same for a redelivery, another for the next event."""
    mark = hashlib.sha256(payload.encode()).hexdigest()[:12] if payload else ""
    return f"{name}:{address}:{event.get('timestamp')}:{mark}"[:MAX_ID_CHARACTERS]


def _payload(given: Mapping[str, Any]) -> str:
    payload = given.get("payload")
    if not isinstance(payload, str) or not payload:
        raise BadEvent("a button without a payload")
    return clean_text(payload[:MAX_PAYLOAD_CHARACTERS])


def _campaign(referral: Any) -> str | None:
    """`ref` of an m.me link, of an ad, of a plugin; anything but a code of ours is nothing."""
    return campaign_code(str(referral.get("ref") or "")) if isinstance(referral, dict) else None


def _sent_at(event: Mapping[str, Any]) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromtimestamp(int(event["timestamp"]) / 1000, datetime.UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _attachments(message: Mapping[str, Any]) -> Iterator[IncomingAttachment]:
    given = message.get("attachments")
    for raw in given[:MAX_ATTACHMENTS] if isinstance(given, list) else ():
        payload = raw.get("payload") if isinstance(raw.get("payload"), dict) else {}
        # Until August 2026 a sticker came as an image with a number.
        kind = "sticker" if payload.get("sticker_id") else ATTACHMENTS.get(str(raw.get("type")), "other")
        url, name = (_short(value) for value in (payload.get("url") or raw.get("url"), payload.get("title") or raw.get("title")))
        yield IncomingAttachment(kind, url, name)


def _short(value: Any) -> str:
    return clean_text(value)[:MAX_URL_CHARACTERS] if isinstance(value, str) else ""


def _place(message: Mapping[str, Any]) -> str | None:
    """`lat,lon` of a shared location. Meta took its button away in 2020; old apps still send it."""
    for raw in message.get("attachments") or ():
        coordinates = (raw.get("payload") or {}).get("coordinates") if raw.get("type") == "location" else None
        if isinstance(coordinates, dict):
            return _coordinates(coordinates)
    return None


def _coordinates(given: Mapping[str, Any]) -> str | None:
    try:
        latitude, longitude = float(given["lat"]), float(given["long"])
    except (KeyError, TypeError, ValueError):
        return None
    return place_on_map(latitude, longitude)


def _name(event: Mapping[str, Any]) -> str:
    """The event's own word (`read`, `delivery`, `reaction`)."""
    return _label(next((key for key in event if key not in ENVELOPE), "empty"))


def _label(word: object) -> str:
    """What Meta invents is one label of the counters, whatever it is."""
    return word if isinstance(word, str) and re.fullmatch(r"[a-z_]{1,40}", word) else "other"
