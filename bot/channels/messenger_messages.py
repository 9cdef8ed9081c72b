"""One `Outgoing` as Messenger's message objects. Pure functions.

Limits (send-messages/template/button and /quick-replies, read 2026-11-22): text 2,000 characters, text above buttons 640, three
buttons of 20 characters that stay, or 13 quick replies of 20 characters that go once anything else is said. Characters are
counted as UTF-16 units, which is never less than what Meta counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.messenger_events import OUR_METADATA
from bot.channels.payloads import short_id
from bot.channels.rendering import BOUNDARIES, spelled, split, titles, utf16_units
from bot.messages import Button

MAX_TEXT = 2000
MAX_TEXT_ABOVE_BUTTONS = 640
MAX_BUTTONS = 3
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20

Message = dict[str, Any]


@dataclass(frozen=True)
class Arranged:
    """Where each button goes: below the text for good, beside it as a quick reply, or into the text as a line."""

    below: tuple[Button, ...]
    beside: tuple[Button, ...]
    lines: tuple[str, ...]


def rendered(text: str, buttons: Sequence[Button]) -> list[Message]:
    """The messages in order; buttons stand on the last one."""
    arranged = arrange(buttons)
    whole = "\n\n".join(filter(None, (text.strip(), "\n".join(arranged.lines))))
    limit = MAX_TEXT_ABOVE_BUTTONS if arranged.below else MAX_TEXT
    *before, last = split_for_buttons(whole, limit)
    shown = titles([*arranged.below, *arranged.beside], MAX_TITLE, utf16_units)
    below, beside = shown[: len(arranged.below)], shown[len(arranged.below) :]
    final: Message = _template(last, arranged.below, below) if arranged.below else {"text": last}
    if arranged.beside:
        pairs = zip(arranged.beside, beside, strict=True)
        final["quick_replies"] = [
            {"content_type": "text", "title": title, "payload": short_id(button.payload)} for button, title in pairs
        ]
    return [{**message, "metadata": OUR_METADATA} for message in (*({"text": part} for part in before), final)]


def picture(url: str) -> Message:
    return {"attachment": {"type": "image", "payload": {"url": url, "is_reusable": True}}, "metadata": OUR_METADATA}


def sound(url: str) -> Message:
    return {"attachment": {"type": "audio", "payload": {"url": url, "is_reusable": True}}, "metadata": OUR_METADATA}


def arrange(buttons: Sequence[Button]) -> Arranged:
    """At most three of any kind stay below the text. More: what is pressed becomes quick replies, links and numbers stay below.
    A number that cannot be dialled from abroad (115, 1900 …) has no button on Messenger and becomes a line."""
    lines = [spelled(button) for button in buttons if button.phone and dialled(button.phone) is None]
    usable = [button for button in buttons if not button.phone or dialled(button.phone)]
    if len(usable) <= MAX_BUTTONS:
        return Arranged(tuple(usable), (), tuple(lines))
    pressed = [button for button in usable if button.payload]
    links = [button for button in usable if not button.payload]
    lines += [spelled(button) for button in links[MAX_BUTTONS:]]
    lines += [f"- {button.title}" for button in pressed[MAX_QUICK_REPLIES:]]
    return Arranged(tuple(links[:MAX_BUTTONS]), tuple(pressed[:MAX_QUICK_REPLIES]), tuple(lines))


def dialled(phone: str) -> str | None:
    """The number as Messenger wants it, `+84…`; None for short and service numbers, which have no such form."""
    if phone.startswith("+"):
        return phone
    national = re.fullmatch(r"0(\d{8,10})", phone)
    return f"+84{national[1]}" if national else None


def split_for_buttons(text: str, limit: int) -> list[str]:
    """Readable parts of which the last one has room above the buttons."""
    *before, last = split(text, MAX_TEXT, utf16_units)
    if utf16_units(last) <= limit:
        return [*before, last]
    for boundary in BOUNDARIES:
        for match in boundary.finditer(last):
            head, tail = last[: match.start()].rstrip(), last[match.end() :].lstrip()
            if head and tail and utf16_units(tail) <= limit:
                return [*before, head, tail]
    return [*before, *split(last, limit, utf16_units)]


def _template(text: str, buttons: Sequence[Button], shown: Sequence[str]) -> Message:
    listed = [_button(button, title) for button, title in zip(buttons, shown, strict=True)]
    return {"attachment": {"type": "template", "payload": {"template_type": "button", "text": text, "buttons": listed}}}


def _button(button: Button, title: str) -> Message:
    if button.url:
        return {"type": "web_url", "title": title, "url": button.url}
    if button.phone:
        return {"type": "phone_number", "title": title, "payload": dialled(button.phone)}
    return {"type": "postback", "title": title, "payload": short_id(button.payload)}
