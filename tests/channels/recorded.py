"""The recorded events of each platform (fixtures/), told anew by a citizen of the test: with their id, the time of day, signed.

Every recorded event is used at most once by a citizen, so the recorded ids of messages stay apart by the citizen's alone.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.channels.messenger_events import BadEvent, Ignored, read_call
from bot.channels.telegram_updates import parse_update
from bot.channels.zalo_events import parse_event
from bot.messages import Event
from bot.settings import Settings
from tests.simulators import messenger as meta
from tests.simulators import zalo as zalo_platform
from tests.simulators.messenger import MessengerSimulator, text_of
from tests.simulators.telegram import SECRET_HEADER, TelegramSimulator
from tests.simulators.zalo import ZaloSimulator

FIXTURES = Path(__file__).parent / "fixtures"
TELEGRAM_SECRET = "a-secret_token-1"
# Said a minute ago, one after the other.
BEGAN_SECONDS_AGO = 90.0


@dataclass(frozen=True)
class Posting:
    """One call of a platform; `events`: what is to be read in it."""

    path: str
    raw: bytes
    headers: Mapping[str, str]
    events: tuple[Event, ...]
    retry_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A message that reached a citizen."""

    platform_id: str
    address: str
    text: str


@dataclass(frozen=True)
class Platform:
    """`tell(name, citizen, number, mark)`: the recorded event of this name as this citizen's `number`th; with another `mark` (a
    digit) under another id. `unruly`: events after which the bot may be quiet."""

    channel: str
    names: Sequence[str]
    edited: Sequence[str]
    withdrawn: Sequence[str]
    unruly: Sequence[str]
    tell: Callable[..., Posting]
    sent: Callable[[], list[Said]]


def zalo(simulator: ZaloSimulator) -> Platform:
    recorded = {case["name"]: case["raw_body"] for case in _fixture("zalo_webhooks.json") if case["name"] != "probe"}
    settings = Settings.from_environment(simulator.settings).zalo
    assert settings

    def tell(name: str, citizen: int, number: int, mark: str = "") -> Posting:
        body = recorded[name].replace("2810377614503297185", zalo_platform.APP_ID)
        body = body.replace("3117204459081726354", zalo_platform.OA_ID)
        body = body.replace("6420175938841207733", str(citizen)).replace("4411902", str(citizen))
        body = re.sub(r'"msg_id":"([^"]+)"', rf'"msg_id":"\1.{citizen}{mark}"', body)
        timestamp = str(_moment(number))
        raw = body.replace("1763778120417", timestamp).encode()
        simulator._last_seen[str(citizen)] = simulator.now
        event = parse_event(json.loads(raw), settings)
        return Posting("/webhooks/zalo", raw, simulator.headers(raw, timestamp), (event,) if event else (), {"num_retry": "1"})

    def sent() -> list[Said]:
        return [Said(body["message_id"], _zalo_address(body["recipient"]), body["message"]["text"]) for body in simulator.sent]

    unruly = ("operator", "operator's picture", "unfollow")
    return Platform("zalo", [name for name in recorded if name not in unruly], (), (), unruly, tell, sent)


def telegram(simulator: TelegramSimulator) -> Platform:
    recorded = {case["name"]: json.dumps(case["body"]) for case in _fixture("telegram.json")}

    def tell(name: str, citizen: int, number: int, mark: str = "") -> Posting:
        body = recorded[name].replace("770077", str(citizen)).replace("1700000000", str(_moment(number) // 1000))
        body = re.sub(r'"update_id": (\d+)', rf'"update_id": {citizen}\1', body)
        raw = re.sub(r'"message_id": (1\d\d)\b', rf'"message_id": \g<1>{mark}', body).encode()
        simulator.chats.add(citizen)
        event = parse_update(json.loads(raw))
        return Posting("/webhooks/telegram", raw, {SECRET_HEADER: TELEGRAM_SECRET}, (event,) if event else ())

    def sent() -> list[Said]:
        return [Said(m["message_id"], m["chat_id"], m["text"]) for m in simulator.sent]

    names = [name for name in recorded if name not in ("edit", "blocked")]
    return Platform("telegram", names, ("edit",), (), ("blocked",), tell, sent)


def messenger(simulator: MessengerSimulator) -> Platform:
    recorded = {call["name"]: call["raw_body"] for call in _fixture("messenger.json")["calls"]}

    def tell(name: str, citizen: int, number: int, mark: str = "") -> Posting:
        body = recorded[name].replace('"7001"', f'"{citizen}"').replace('"7002"', f'"{citizen}2"')
        body = re.sub(r'"mid":"([^"]+)"', rf'"mid":"\1.{citizen}{mark}"', body)
        raw = re.sub(r"\b17637000\d{5}\b", str(_moment(number)), body).encode()
        found = [event for _, event in read_call(json.loads(raw))]
        events = tuple(event for event in found if not isinstance(event, Ignored | BadEvent))
        for event in events:
            page, _, person = event.address.partition(":")
            simulator.thread(person, page)
        return Posting("/webhooks/messenger", raw, {"X-Hub-Signature-256": meta.signature(raw)}, events)

    def sent() -> list[Said]:
        return [Said(m["mid"], f"{m['page']}:{m['person']}", text_of(m)) for m in simulator.sent]

    edited, withdrawn = ("edit",), ("unsend", "unsend_event")
    unruly = ("operator_echo", "operator_echo_picture", "other_app_echo", "standby_echo", "taken_by_inbox", "standby_unsend")
    names = [name for name in recorded if name not in (*edited, *withdrawn, *unruly)]
    return Platform("messenger", names, edited, withdrawn, unruly, tell, sent)


def _zalo_address(recipient: Mapping[str, str]) -> str:
    if "user_id" in recipient:
        return recipient["user_id"]
    return ":".join(["anonymous", recipient["anonymous_id"], recipient.get("conversation_id", "")]).rstrip(":")


def _moment(number: int) -> int:
    """Milliseconds since 1970 of a citizen's `number`th event."""
    return int((time.time() - BEGAN_SECONDS_AGO + number) * 1000)


def _fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))
