"""What passes between channels and the dialogue: `Incoming` from a citizen, `Outgoing` to them, and what else happens there.

Everything here was parsed and cleaned at the border; past it nobody looks into a platform's payload.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.graphemes import cut

MAX_STORED_CHARACTERS = 20_000

# A picture or a clip of ours, by an address within the service (`figures/vn/cases.png?weeks=8`), never another host's.
_OURS = re.compile(r"[a-z0-9][A-Za-z0-9_.,/?&=-]{0,300}")
_ATTACHMENT_TYPES: tuple[Literal["image", "audio"], ...] = ("image", "audio")
_PAYLOAD = re.compile(
    r"/(?P<intent>[a-z0-9_]{1,60})"
    r'(?:\{(?:"place": ?"(?P<place>[a-z0-9-]{1,60})"|"language": ?"(?P<language>[A-Za-z0-9-]{2,35})"'
    r'|"answer": ?"(?P<answer>[0-9a-f]{4,16})"|"news": ?"(?P<news>[a-z0-9_:-]{3,100})")\})?'
)

# A campaign's code is written alike on every platform: t.me start payloads take no other letters.
_CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Zalo carries no campaign, so a link fills in `#CODE` as the first word; a digit tells a code from a citizen's hashtag.
_LEADING_CODE = re.compile(r"#(?=[A-Za-z_-]*\d)(?P<code>[A-Za-z0-9_-]{1,64})(?:\s+|$)")
_URL = re.compile(r"https?://[^\s<>\"']{3,1000}")
_PHONE = re.compile(r"\+?\d{3,15}")

Kind = Literal["text", "payload", "photo", "voice", "video", "sticker", "location", "file", "group", "start", "other"]


@dataclass(frozen=True)
class IncomingAttachment:
    """Something that a citizen sent beside or instead of words. `url` is the platform's and is never fetched blindly."""

    kind: Kind
    url: str = ""
    name: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "url": self.url, "name": self.name}


@dataclass(frozen=True)
class Incoming:
    """One message of a citizen. `provider_id` is unique within the channel: a redelivery carries the same one, and so does
    an event that edits or withdraws the message later (Telegram: chat and message, not the update).

    `payload` is what a button of ours carried, `/testing_where` or its short id (bot/dialogue/payloads.py); `text` is what was
    typed and is never a command. `sent_at` is the platform's clock, with a time zone; it orders what waits, so messages of one
    second need a rising fraction. `campaign` is a checked code (`campaign_code`). `place` is a place's key or `lat,lon`.
    """

    channel: str
    address: str
    provider_id: str
    kind: Kind
    text: str = ""
    payload: str | None = None
    language: str | None = None
    sent_at: datetime.datetime | None = None
    attachments: tuple[IncomingAttachment, ...] = ()
    campaign: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class Echo:
    """Something that our own account said: the bot's words coming back, or a person's who typed in the platform's inbox.

    Hand over every echo; which is which is decided by the ids of our sends. `operator`: the platform's id of the person.
    """

    channel: str
    address: str
    provider_id: str
    text: str
    operator: str | None = None


@dataclass(frozen=True)
class Edited:
    """A citizen changed a message that they had sent; `provider_id` is that of the message."""

    channel: str
    address: str
    provider_id: str
    text: str
    sent_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Withdrawn:
    """A citizen deleted a message of theirs; `provider_id` is that of the message."""

    channel: str
    address: str
    provider_id: str


InteractionKind = Literal["follow", "unfollow", "chat_now", "referral", "opted_in"]


@dataclass(frozen=True)
class Interaction:
    """A citizen did something without saying anything. It opens the time in which we may write; `unfollow` ends it.

    `provider_id` must be the same for a redelivery: built from kind, address and the platform's time where it has no id.
    """

    channel: str
    address: str
    kind: InteractionKind
    provider_id: str
    campaign: str | None = None
    sent_at: datetime.datetime | None = None


# What a channel can report; `bot.dialogue.receive.store_event` takes any of them.
Event = Incoming | Echo | Edited | Withdrawn | Interaction


def campaign_code(text: str | None) -> str | None:
    """The code of a start payload or a `ref`; None for what is none of ours."""
    return text if text and _CAMPAIGN.fullmatch(text) else None


def leading_campaign_code(text: str) -> tuple[str | None, str]:
    """(code, the words without it): `#TET2026 tiêm ở đâu` is the code `TET2026` and a question."""
    match = _LEADING_CODE.match(text)
    return (match["code"], text[match.end() :]) if match else (None, text)


@dataclass(frozen=True)
class Received:
    """Where a message was stored. `message_id` is None for a redelivery, which changes nothing."""

    conversation_id: int
    message_id: int | None


class NotStored(Exception):
    """The message could not be stored. The edge answers 503, so that the platform or the page sends it again."""


# Buttons that the gateway understands by itself: no intents, Rasa never sees them. About the desk and calls to it.
DESK_INTENTS = frozenset(
    {
        "desk_position",
        "desk_back",
        "desk_leave",
        "desk_leave_nothing",
        "desk_transfer_yes",
        "desk_transfer_no",
    }
)
CALL_INTENTS = frozenset({"call_code", "call_unlink"})
# About a person's own data; about a claim that may be handed over to staff.
DATA_INTENTS = frozenset({"erase_my_data", "keep_my_data"})
RUMOUR_INTENTS = frozenset({"report_rumour", "keep_rumour"})
# About news that somebody asks for. (`unsubscribe` is an intent, and the gateway takes its button.)
SUBSCRIPTION_INTENTS = frozenset(
    {
        "subscribe_figures",
        "subscribe_notices",
        "subscribe_answers",
        "subscribe_to",
        "subscribe_agree",
        "subscribe_refuse",
        "subscription_list",
        "subscription_end",
    }
)
GATEWAY_INTENTS = DESK_INTENTS | CALL_INTENTS | DATA_INTENTS | RUMOUR_INTENTS | SUBSCRIPTION_INTENTS


@dataclass(frozen=True)
class Payload:
    """What a button means, as Rasa writes it: `/testing_where`, or with a place `/inform_place{"place": "buon-ho-phuong"}`, a
    language `/choose_language{"language":"rad"}`, the revision of the answer it judges `/helpful{"answer":"1a2b3c4d"}`, or what
    somebody wants to be told `/subscribe_to{"news":"figures:dak-lak:daily"}`."""

    intent: str
    place: str | None = None
    language: str | None = None
    answer: str | None = None
    news: str | None = None

    @classmethod
    def parse(cls, text: str) -> Payload | None:
        """None for anything but the five forms. Whether intent, place, language, answer and news exist, the caller says."""
        match = _PAYLOAD.fullmatch(text)
        return cls(match["intent"], match["place"], match["language"], match["answer"], match["news"]) if match else None

    def __str__(self) -> str:
        if self.news is not None:
            return f'/{self.intent}{{"news":"{self.news}"}}'
        if self.answer is not None:
            return f'/{self.intent}{{"answer":"{self.answer}"}}'
        if self.language is not None:
            return f'/{self.intent}{{"language":"{self.language}"}}'
        return f"/{self.intent}" if self.place is None else f'/{self.intent}{{"place": "{self.place}"}}'


@dataclass(frozen=True)
class Button:
    """Something to press. Exactly one of: `payload` comes back to us, `url` is opened (http or https), `phone` is called."""

    title: str
    payload: str = ""
    url: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.payload, self.url, self.phone))) != 1:
            raise ValueError("a button has exactly one of payload, url and phone")
        if self.url and not _URL.fullmatch(self.url):
            raise ValueError("a button's url begins with https:// or http:// and holds no spaces")
        if self.phone and not _PHONE.fullmatch(self.phone):
            raise ValueError("a button's phone is 3 to 15 digits, with or without a plus")

    @classmethod
    def parse(cls, raw: object) -> Button | None:
        """None for what nobody could press: an answer arrives without a broken button rather than not at all."""
        given = raw if isinstance(raw, Mapping) else {}
        title = given.get("title")
        targets = {name: str(given[name]) for name in ("payload", "url", "phone") if given.get(name)}
        try:
            return cls(title, **targets) if isinstance(title, str) and title.strip() else None
        except ValueError:
            return None

    def as_dict(self) -> dict[str, str]:
        target = {"payload": self.payload, "url": self.url, "phone": self.phone}
        return {"title": self.title} | {name: value for name, value in target.items() if value}


@dataclass(frozen=True)
class Attachment:
    """A picture beside a message, or the message to be heard. `url` is relative to the service's own address; `alt` says in words
    what a picture shows, and of a clip which language it is in and whether a machine speaks."""

    url: str
    alt: str
    type: Literal["image", "audio"] = "image"

    @classmethod
    def parse(cls, raw: object) -> Attachment | None:
        """None for what no channel could show: a picture or a clip is never worth the text that it stands beside."""
        given = raw if isinstance(raw, Mapping) else {}
        url, alt = given.get("url"), given.get("alt")
        kind = next((known for known in _ATTACHMENT_TYPES if known == given.get("type")), None)
        if kind is None or not isinstance(url, str) or not isinstance(alt, str) or not alt.strip():
            return None
        return cls(url, alt, kind) if _OURS.fullmatch(url) and ".." not in url else None

    def as_dict(self) -> dict[str, str]:
        return {"type": self.type, "url": self.url, "alt": self.alt}


@dataclass(frozen=True)
class Outgoing:
    """One message to a citizen as it is stored: `source` is the card of the document that the answer rests on, `figures` the
    ids of the readings whose numbers it tells, `quotes` the platform's id of the question when others came after it."""

    text: str
    buttons: tuple[Button, ...] = ()
    source: Mapping[str, Any] | None = None
    key: str = ""
    revision: str = ""
    language: str = "vi"
    author: Literal["bot", "operator"] = "bot"
    attachments: tuple[Attachment, ...] = ()
    figures: tuple[int, ...] = ()
    quotes: str = ""

    @classmethod
    def from_reply(cls, reply: Mapping[str, Any]) -> Outgoing:
        """Read one reply of the engine or the catalogue; raises KeyError/TypeError on another shape."""
        if not isinstance(reply["text"], str) or not reply["text"].strip():
            raise TypeError("a reply needs a text")
        return cls(
            text=reply["text"],
            buttons=tuple(b for raw in _listed(reply.get("buttons")) if (b := Button.parse(raw))),
            source=reply.get("source"),
            key=str(reply.get("key") or ""),
            revision=str(reply.get("revision") or ""),
            language=str(reply.get("language") or "vi"),
            attachments=tuple(a for raw in _listed(reply.get("attachments")) if (a := Attachment.parse(raw))),
            figures=tuple(id_ for id_ in _listed(reply.get("figures")) if isinstance(id_, int) and not isinstance(id_, bool)),
            quotes=str(reply.get("quotes") or ""),
        )


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def place_on_map(latitude: float, longitude: float) -> str | None:
    """`lat,lon` to three places, a hundred metres: enough to tell the commune, and nobody's door. None where that is nowhere."""
    return f"{latitude:.3f},{longitude:.3f}" if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def clean_text(text: str) -> str:
    """NFC, without NUL and lone surrogates (PostgreSQL stores neither), cut at a generous limit.

    A cut never falls inside a letter.
    """
    storable = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return cut(unicodedata.normalize("NFC", storable), MAX_STORED_CHARACTERS)
