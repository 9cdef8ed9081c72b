"""One `Outgoing` as Zalo's message objects. Pure functions.

Limits: text 2,000 characters, 5 buttons. An official account can send no sound, and as files only documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.channels.payloads import short_id
from bot.channels.rendering import ELLIPSIS, clip_line, grouped, spelled, split, titles
from bot.channels.zalo_events import ANONYMOUS
from bot.graphemes import cut
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Outgoing

MAX_TEXT_CHARACTERS = 2000
MAX_BUTTONS = 5
MAX_TITLE_CHARACTERS = 100


def parts(message: Outgoing, catalogue: Catalogue, public_url: str) -> list[tuple[str, tuple[Button, ...]]]:
    """(text, buttons) of each message that Zalo gets; the buttons stand under the last text, more than five under a next one.
    An official account can send no sound, and as files only documents: a clip is a line with its address."""
    source = catalogue.source_line(message.source) if message.source else ""
    clips = [clip_line(one, public_url) for one in message.attachments if one.type == "audio" and public_url]
    texts = split("\n\n".join(filter(None, (message.text, source, *clips))), MAX_TEXT_CHARACTERS)
    first, *more = grouped(message.buttons, MAX_BUTTONS) or [()]
    return [
        *((words, ()) for words in texts[:-1]),
        (texts[-1], first),
        *((ELLIPSIS, group) for group in more),
    ]


def without_buttons(words: str, buttons: Sequence[Button]) -> str:
    """The same where Zalo refuses the form of the buttons: what they lead to stands in lines of the text."""
    lines = [words, *(spelled(button) for button in buttons if not button.payload)]
    return split("\n".join(lines), MAX_TEXT_CHARACTERS)[0]


def shown_picture(alt: str, element: Mapping[str, str]) -> dict[str, Any]:
    """`element`: the picture as uploaded, or its address."""
    media = {"type": "template", "payload": {"template_type": "media", "elements": [element]}}
    return {"text": cut(alt, MAX_TEXT_CHARACTERS), "attachment": media}


def template(buttons: Sequence[Button], template_type: str) -> dict[str, Any]:
    """Whether a payload of buttons alone wants a `template_type` is not settled: ZALO_BUTTON_TEMPLATE."""
    named = zip(titles(buttons, MAX_TITLE_CHARACTERS), buttons, strict=True)
    payload: dict[str, Any] = {"buttons": [{"title": title, **_target(button)} for title, button in named]}
    return {"type": "template", "payload": {"template_type": template_type, **payload} if template_type else payload}


def _target(button: Button) -> dict[str, Any]:
    if button.url:
        return {"type": "oa.open.url", "payload": {"url": button.url}}
    if button.phone:
        return {"type": "oa.open.phone", "payload": {"phone_code": button.phone.removeprefix("+")}}
    # Zalo shows it in the talk as the citizen's words and posts it to us as their text.
    return {"type": "oa.query.show", "payload": short_id(button.payload)}


def recipient(address: str) -> dict[str, str]:
    if not address.startswith(f"{ANONYMOUS}:"):
        return {"user_id": address}
    _, person, talk = f"{address}:".split(":", 2)
    return {"anonymous_id": person} | ({"conversation_id": talk.rstrip(":")} if talk else {})
