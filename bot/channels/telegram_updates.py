"""What Telegram's updates mean to us: `parse_update` and the tables behind it. Nothing here calls anybody.

A text update (Bot API 10.0, core.telegram.org/bots/api#update):

    {"update_id": 1, "message": {"message_id": 1, "date": 1700000000, "chat": {"id": 7, "type": "private"},
     "from": {"id": 7, "is_bot": false, "first_name": "A"}, "text": "/start tet2026"}}

`edited_message` has the same shape and `edit_date`. A pressed button comes as `callback_query` with our short id in `data`; its
`message` is ours, so its date is not that of the press. `my_chat_member` comes in a private chat only when the citizen blocks us
("kicked") or takes that back ("member"). Ids are below 2^52; message ids rise within a chat.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from bot.channels.body import BadBody
from bot.graphemes import cut
from bot.messages import (
    Edited,
    Event,
    Incoming,
    IncomingAttachment,
    Interaction,
    InteractionKind,
    Kind,
    campaign_code,
    clean_text,
    place_on_map,
)

CHANNEL = "telegram"
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
# Telegram sends it when a citizen opens the talk, with the payload of a link behind it; it gets the first message.
START = "/start"
LANGUAGE = "/language"
# Commands that are buttons of ours under another name. Everything else a citizen types is text.
COMMANDS: Mapping[str, str] = {
    "/help": "/help_menu",
    LANGUAGE: "/choose_language",
    "/stop": "/unsubscribe",
}
# The first that stands in a message names it: an animation comes with a `document`, a venue with a `location`.
ATTACHMENTS: Mapping[str, Kind] = {
    "photo": "photo",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "sticker",
    "location": "location",
    "document": "file",
    "contact": "other",
    "poll": "other",
    "dice": "other",
    "story": "other",
    "paid_media": "other",
}
MEMBERSHIPS: Mapping[str, InteractionKind] = {"kicked": "unfollow", "left": "unfollow", "member": "opted_in"}
MAX_NAME_CHARACTERS = 200


def parse_update(update: Mapping[str, Any]) -> Event | None:
    """One update; None for what needs nothing done (channel posts, service messages, other bots). Raises BadBody."""
    if not isinstance(update.get("update_id"), int):
        raise BadBody(400, "update_id is missing")
    try:
        return _parse(update)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError) as error:
        raise BadBody(400, f"the update is not of a known shape ({type(error).__name__})") from error


def name_of(update: Mapping[str, Any]) -> str:
    """The update's kind as a counter's label; there are no more labels than kinds that we ask for."""
    return next((name for name in ALLOWED_UPDATES if name in update), "other")


def callback_id(update: Mapping[str, Any]) -> str | None:
    """What answerCallbackQuery must be called with, whatever else is known about the button."""
    callback = update.get("callback_query")
    found = callback.get("id") if isinstance(callback, dict) else None
    return found if isinstance(found, str) and found else None


def _parse(update: Mapping[str, Any]) -> Event | None:
    if callback := update.get("callback_query"):
        return _parse_callback(callback)
    if membership := update.get("my_chat_member"):
        return _parse_membership(membership)
    if message := update.get("message"):
        return _parse_message(message)
    if message := update.get("edited_message"):
        return _parse_edited(message)
    return None


def _parse_callback(callback: Mapping[str, Any]) -> Incoming | None:
    chat = (callback.get("message") or {}).get("chat") or {}
    data = callback.get("data")
    if chat.get("type") != "private" or not isinstance(data, str):
        return None
    return Incoming(CHANNEL, _address(chat), f"callback:{callback['id']}", "payload", payload=clean_text(data))


def _parse_membership(membership: Mapping[str, Any]) -> Incoming | Interaction | None:
    chat, status = membership["chat"], membership["new_chat_member"]["status"]
    address = _address(chat)
    if chat.get("type") in {"group", "supergroup"}:
        return _group(address) if status in {"member", "administrator"} else None
    kind = MEMBERSHIPS.get(status)
    if chat.get("type") != "private" or kind is None:
        return None
    return Interaction(CHANNEL, address, kind, f"{status}:{address}:{membership['date']}", sent_at=_moment(membership["date"]))


def _parse_message(message: Mapping[str, Any]) -> Incoming | None:
    chat = message["chat"]
    if (message.get("from") or {}).get("is_bot"):
        return None
    if chat.get("type") != "private":
        is_command = str(message.get("text") or "").startswith("/")
        return _group(_address(chat)) if is_command and chat.get("type") in {"group", "supergroup"} else None
    return _parse_text(message) if isinstance(message.get("text"), str) else _parse_other(message)


def _parse_text(message: Mapping[str, Any]) -> Incoming:
    text = _words(message["text"])
    command, rest = _command(text)
    address, provider_id, sent_at = _address(message["chat"]), _provider_id(message), _sent_at(message)
    if command == START:
        return Incoming(CHANNEL, address, provider_id, "start", sent_at=sent_at, campaign=campaign_code(rest))
    if _is_button(command, rest):
        return Incoming(CHANNEL, address, provider_id, "payload", payload=COMMANDS[command], sent_at=sent_at)
    return Incoming(CHANNEL, address, provider_id, "text", text=text, sent_at=sent_at)


def _parse_other(message: Mapping[str, Any]) -> Incoming | None:
    """A photo, a voice, a place …; with words beside it, the words are what is answered."""
    name = next((name for name in ATTACHMENTS if name in message), None)
    if name is None:
        return None
    kind, caption = ATTACHMENTS[name], _words(message.get("caption"))
    provider_id = _provider_id(message)
    if not caption and (album := message.get("media_group_id")):
        provider_id = f"{_address(message['chat'])}:album:{album}"  # ten pictures sent at once get one answer
    return Incoming(
        CHANNEL,
        _address(message["chat"]),
        provider_id,
        "text" if caption else kind,
        text=caption,
        sent_at=_sent_at(message),
        attachments=() if kind == "location" else (_attachment(kind, message[name]),),
        place=_place(message[name]) if kind == "location" else None,
    )


def _parse_edited(message: Mapping[str, Any]) -> Incoming | Edited | None:
    """New words of a message. A place that moves, a poll that is voted on have none."""
    chat = message["chat"]
    words = _words(message.get("text") or message.get("caption"))
    if chat.get("type") != "private" or (message.get("from") or {}).get("is_bot") or not words:
        return None
    command, rest = _command(words)
    if command == START or _is_button(command, rest):
        # "/hlep" made "/help". Its own id: the message was stored, and a redelivery of the edit must find this one.
        again = _parse_text({**message, "text": words})
        return Incoming(CHANNEL, again.address, f"{again.provider_id}#{command}", again.kind, payload=again.payload)
    return Edited(CHANNEL, _address(chat), _provider_id(message), words, _moment(message.get("edit_date")))


def _group(address: str) -> Incoming:
    """In a group nothing is answered but, once for all, with "please write to me in private"."""
    return Incoming(CHANNEL, address, f"group:{address}", "group")


def _is_button(command: str, rest: str) -> bool:
    """`/language km` says which one, so it is read like any other text."""
    return command in COMMANDS and not (command == LANGUAGE and rest)


def _command(words: str) -> tuple[str, str]:
    """(`/start`, what stands behind it): phones write `/Start`, groups and menus `/start@loa_bot`."""
    first, _, rest = words.partition(" ")
    return (first.partition("@")[0].casefold(), rest.strip()) if words.startswith("/") else ("", words)


def _words(text: object) -> str:
    return clean_text(text).strip() if isinstance(text, str) else ""


def _address(chat: Mapping[str, Any]) -> str:
    return str(int(chat["id"]))


def _provider_id(message: Mapping[str, Any]) -> str:
    return f"{_address(message['chat'])}:{int(message['message_id'])}"


def _moment(seconds: object) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if isinstance(seconds, int) and seconds > 0 else None


def _sent_at(message: Mapping[str, Any]) -> datetime.datetime | None:
    """Telegram tells whole seconds; the rising message id keeps several messages of one second in their order."""
    at = _moment(message.get("date"))
    return at.replace(microsecond=int(message["message_id"]) % 1_000_000) if at else None


def _place(location: Mapping[str, Any]) -> str | None:
    return place_on_map(float(location["latitude"]), float(location["longitude"]))


def _attachment(kind: Kind, content: object) -> IncomingAttachment:
    """By Telegram's file id, which only our bot can fetch. Of a contact's card nothing is kept: it is somebody else's."""
    file = content[-1] if isinstance(content, list) and content else content  # photos come in sizes, the largest last
    fields = file if isinstance(file, dict) else {}
    file_id = fields.get("file_id")
    name = clean_text(str(fields.get("file_name") or ""))
    url = f"telegram-file:{cut(file_id, MAX_NAME_CHARACTERS)}" if isinstance(file_id, str) else ""
    return IncomingAttachment(kind, url, cut(name, MAX_NAME_CHARACTERS))
