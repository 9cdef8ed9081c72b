"""Zalo's events as ours. What each looks like; ids and timestamps are strings, larger than 2^53:

{"app_id": "360846524940903967", "sender": {"id": "246845883529197922"}, "recipient": {"id": "388613280878808645"},
 "user_id_by_app": "…", "event_name": "user_send_text", "message": {"text": "…", "msg_id": "96d3cdf3af150460909"},
 "timestamp": "1543908534741"}
… "event_name": "user_send_location", "message": {"msg_id": "…", "attachments": [{"type": "location", "payload":
    {"coordinates": {"latitude": "10.7642473", "longitude": "106.6564314"}}}]}
… "event_name": "oa_send_text", "sender": {"id": "<account>", "admin_id": "<person>"}, "recipient": {"id": "<citizen>"} …
{"event_name": "follow", "oa_id": "…", "follower": {"id": "…"}, "source": "oa_profile", "timestamp": "…"}
{"event_name": "user_click_chatnow", "oa_id": "…", "user_id": "…", "timestamp": "…"}
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.channels.payloads import DIGITS, PREFIX
from bot.channels.zalo_signature import moment
from bot.messages import (
    Echo,
    Event,
    Incoming,
    IncomingAttachment,
    Interaction,
    InteractionKind,
    Kind,
    clean_text,
    leading_campaign_code,
    place_on_map,
)
from bot.settings import ZaloSettings

CHANNEL = "zalo"
KINDS: Mapping[str, Kind] = {
    "text": "text",
    "image": "photo",
    "gif": "video",
    "link": "other",
    "audio": "voice",
    "video": "video",
    "sticker": "sticker",
    "location": "location",
    "business_card": "other",
    "file": "file",
}
MESSAGE_PREFIXES = ("user_send_", "anonymous_send_")
GROUP_PREFIXES = ("user_send_group_", "oa_send_group_")
ECHO_PREFIX = "oa_send_"
# No message of the account, in spite of its name: a request for the consent to be called.
NO_ECHO = frozenset({"oa_send_consent"})
ANONYMOUS = "anonymous"
# The citizen takes back the consent to keep their data: a person must see to it.
DATA_RIGHTS_EVENT = "user_withdraw"

_SHORT_ID = re.compile(rf"{re.escape(PREFIX)}[0-9a-f]{{{DIGITS}}}")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,200}")


class Unreadable(Exception):
    """A signed event of a shape that Zalo has not used so far; the sentence holds no word of it."""


def parse_event(event: Mapping[str, Any], settings: ZaloSettings) -> Event | None:
    """One event; None for what needs nothing done. Raises Unreadable."""
    try:
        return _parse(event, settings)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unreadable(f"{name_of(event)} is not of a known shape ({type(error).__name__})") from error


def name_of(event: Mapping[str, Any]) -> str:
    """The event's name as a counter's label."""
    name = event.get("event_name")
    return name[:40] if isinstance(name, str) and re.fullmatch(r"[a-z0-9_]+", name[:40]) else "unnamed"


def _parse(event: Mapping[str, Any], settings: ZaloSettings) -> Event | None:
    name = name_of(event)
    if name.startswith(GROUP_PREFIXES) or name in NO_ECHO:
        return None
    if name.startswith(MESSAGE_PREFIXES):
        return _message(event, name) if _id(event["recipient"]["id"]) == settings.oa_id else None
    if name.startswith(ECHO_PREFIX):
        return _echo(event, settings) if _id(event["sender"]["id"]) == settings.oa_id else None
    if name in ("follow", "unfollow"):
        return _interaction(event, "follow" if name == "follow" else "unfollow", event["follower"]["id"], settings)
    if name == "user_click_chatnow":
        return _interaction(event, "chat_now", event["user_id"], settings)
    if name == "widget_interaction_accepted":
        return _interaction(event, "opted_in", event["data"]["user_id"], settings)
    return None


def _message(event: Mapping[str, Any], name: str) -> Incoming:
    message = event["message"]
    attachments = _attachments(event, message)
    kind = KINDS.get(name.rpartition("_send_")[2], "other")
    campaign, words = leading_campaign_code(clean_text(str(message.get("text") or "")).strip())
    payload = words if kind == "text" and _SHORT_ID.fullmatch(words) else None
    if payload:
        kind, words = "payload", ""
    elif words:
        kind = "text"  # what was written beside a picture or a link is what is asked
    elif kind == "text":
        kind = "start" if campaign else "other"
    return Incoming(
        CHANNEL,
        _citizen(event, event["sender"], message),
        _id(message["msg_id"]),
        kind,
        text=words,
        payload=payload,
        sent_at=_sent_at(event),
        attachments=attachments,
        campaign=campaign,
        place=_place(event, message),
    )


def _citizen(event: Mapping[str, Any], party: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """Whom we can answer. Without a Zalo account (the widget) that needs the talk's id beside the person's."""
    address = _id(party["id"])
    if ANONYMOUS not in str(event["event_name"]):
        return address
    talk = message.get("conversation_id") or event.get("conversation_id")
    return f"{ANONYMOUS}:{address}:{_id(talk)}" if talk else f"{ANONYMOUS}:{address}"


def _listed_attachments(event: Mapping[str, Any], message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """They stand in the message; some events were seen with them beside it."""
    found = message.get("attachments") or event.get("attachments")
    return [item for item in found if isinstance(item, dict)][:20] if isinstance(found, list) else []


def _attachments(event: Mapping[str, Any], message: Mapping[str, Any]) -> tuple[IncomingAttachment, ...]:
    return tuple(
        IncomingAttachment(
            KINDS.get(str(item.get("type")), "other") if item.get("type") != "text" else "other",
            url=clean_text(str(_payload(item).get("url") or ""))[:2000],
            name=clean_text(str(_payload(item).get("name") or ""))[:200],
        )
        for item in _listed_attachments(event, message)
    )


def _place(event: Mapping[str, Any], message: Mapping[str, Any]) -> str | None:
    """Of a location, whose coordinates are strings."""
    for item in _listed_attachments(event, message):
        coordinates = _payload(item).get("coordinates")
        if item.get("type") == "location" and isinstance(coordinates, dict):
            latitude, longitude = float(coordinates["latitude"]), float(coordinates["longitude"])
            return place_on_map(latitude, longitude)
    return None


def _payload(item: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = item.get("payload")
    return payload if isinstance(payload, dict) else {}


def _echo(event: Mapping[str, Any], settings: ZaloSettings) -> Echo | None:
    """A person in the OA Manager is named by `admin_id`. Without it the words are the bot's, or the account's own automatic
    greeting, which must not silence the bot, unless ZALO_UNNAMED_ECHOES says that people write without a name there."""
    operator = event["sender"].get("admin_id")
    if not operator and settings.unnamed_echoes == "ignore":
        return None
    message = event["message"]
    links = (attachment.url for attachment in _attachments(event, message))
    text = clean_text(str(message.get("text") or "")).strip() or next((url for url in links if url), "")
    address = _citizen(event, event["recipient"], message)
    return Echo(CHANNEL, address, _id(message["msg_id"]), text, operator=_id(operator) if operator else None)


def _interaction(event: Mapping[str, Any], kind: InteractionKind, user: object, settings: ZaloSettings) -> Interaction | None:
    if "oa_id" in event and _id(event["oa_id"]) != settings.oa_id:
        return None
    address = _id(user)
    return Interaction(CHANNEL, address, kind, f"{kind}:{address}:{_id(event['timestamp'])}", sent_at=_sent_at(event))


def _sent_at(event: Mapping[str, Any]) -> datetime.datetime | None:
    return moment(str(event.get("timestamp")))


def _id(value: object) -> str:
    """An id as text, whether JSON had it as a string or as a number."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text):
        raise ValueError("an id is missing or of another form")
    return text
