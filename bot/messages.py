"""What passes between channels and the dialogue: `Incoming` from a citizen, `Outgoing` to them.

Everything here was parsed and cleaned at the border; past it nobody looks into a platform's payload.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

MAX_STORED_CHARACTERS = 20_000

_PAYLOAD = re.compile(r'/(?P<intent>[a-z0-9_]{1,60})(?:\{"place": ?"(?P<place>[a-z0-9-]{1,60})"\})?')

Kind = Literal["text", "payload", "photo", "voice", "video", "sticker", "location", "file", "group", "start", "other"]


@dataclass(frozen=True)
class Incoming:
    """One message of a citizen. `provider_id` is unique within the channel: a redelivery carries the same one.

    `payload` is that of a button (`/testing_where`); `text` is what was typed and is never a command.
    """

    channel: str
    address: str
    provider_id: str
    kind: Kind
    text: str = ""
    payload: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Received:
    """Where a message was stored. `message_id` is None for a redelivery, which changes nothing."""

    conversation_id: int
    message_id: int | None


class NotStored(Exception):
    """The message could not be stored. The edge answers 503, so that the platform or the page sends it again."""


@dataclass(frozen=True)
class Payload:
    """What a button means, as Rasa writes it: `/testing_where`, or with a place `/inform_place{"place": "buon-ho-phuong"}`."""

    intent: str
    place: str | None = None

    @classmethod
    def parse(cls, text: str) -> Payload | None:
        """None for anything but the two forms. Whether the intent and the place exist is for the caller to say."""
        match = _PAYLOAD.fullmatch(text)
        return cls(match["intent"], match["place"]) if match else None

    def __str__(self) -> str:
        return f"/{self.intent}" if self.place is None else f'/{self.intent}{{"place": "{self.place}"}}'


@dataclass(frozen=True)
class Button:
    title: str
    payload: str

    def as_dict(self) -> dict[str, str]:
        return {"title": self.title, "payload": self.payload}


@dataclass(frozen=True)
class Outgoing:
    """One message to a citizen as it is stored: `source` is the card of the document that the answer rests on."""

    text: str
    buttons: tuple[Button, ...] = ()
    source: Mapping[str, Any] | None = None
    key: str = ""
    revision: str = ""
    language: str = "vi"
    author: Literal["bot", "operator"] = "bot"

    @classmethod
    def from_reply(cls, reply: Mapping[str, Any]) -> Outgoing:
        """Read one reply of the engine or the catalogue; raises KeyError/TypeError on another shape."""
        if not isinstance(reply["text"], str) or not reply["text"].strip():
            raise TypeError("a reply needs a text")
        return cls(
            text=reply["text"],
            buttons=tuple(Button(str(b["title"]), str(b["payload"])) for b in reply.get("buttons") or ()),
            source=reply.get("source"),
            key=str(reply.get("key") or ""),
            revision=str(reply.get("revision") or ""),
            language=str(reply.get("language") or "vi"),
        )


def clean_text(text: str) -> str:
    """NFC, without NUL and lone surrogates (PostgreSQL stores neither), cut at a generous limit.

    A cut never ends inside a base letter + combining mark (Gia Rai `ơ̆` is two code points even in NFC).
    """
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return cut(unicodedata.normalize("NFC", storable), MAX_STORED_CHARACTERS)


def cut(text: str, limit: int) -> str:
    """The first `limit` characters at most, never ending before a combining mark that belongs to the last letter."""
    if len(text) <= limit:
        return text
    end = limit
    while end > 0 and unicodedata.combining(text[end]):
        end -= 1
    return text[:end]
