"""One `Outgoing` as Telegram shows it: its words, its buttons. Pure functions.

Limits: text 4,096 UTF-16 units, a photo's caption 1,024, callback_data 64 bytes (core.telegram.org/bots/api, Bot API 10.0). There
is no button that dials.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.payloads import short_id
from bot.channels.rendering import shortened, spelled, split, titles, utf16_units
from bot.languages.catalogue import Catalogue
from bot.messages import Button, Outgoing

MAX_TEXT_UNITS = 4096
MAX_CAPTION_UNITS = 1024
# What a phone shows of a button that has its line for itself.
MAX_TITLE_UNITS = 60


def texts(message: Outgoing, catalogue: Catalogue) -> list[str]:
    """The words, the numbers of buttons that would dial (Telegram has none), and the source; in parts that Telegram takes."""
    lines = [spelled(b) for b in message.buttons if b.phone and not _tells(message.text, b.phone)]
    parts = [message.text, "\n".join(lines), catalogue.source_line(message.source) if message.source else ""]
    return fitting("\n\n".join(filter(None, parts)))


def without_links(text: str, buttons: Sequence[Button]) -> tuple[str, InlineKeyboardMarkup | None]:
    """The same where Telegram refuses a button: the links as lines of the text, the other buttons below it."""
    links = [spelled(button) for button in buttons if button.url]
    words = "\n\n".join(filter(None, [text, "\n".join(links)]))
    return fitting(words)[0], keyboard_of([button for button in buttons if button.payload])


def fitting(text: str) -> list[str]:
    return split(text, MAX_TEXT_UNITS, utf16_units)


def caption(alt: str) -> str:
    return shortened(alt, MAX_CAPTION_UNITS, utf16_units)


def title(alt: str) -> str:
    return shortened(alt, MAX_TITLE_UNITS, utf16_units)


def keyboard_of(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """One button a line, so that its whole title is seen."""
    shown = [button for button in buttons if not button.phone]
    if not shown:
        return None
    named = zip(shown, titles(shown, MAX_TITLE_UNITS, utf16_units), strict=True)
    return InlineKeyboardMarkup([[_button(button, name)] for button, name in named])


def _button(button: Button, name: str) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(name, url=button.url)
    return InlineKeyboardButton(name, callback_data=short_id(button.payload))


def _tells(text: str, phone: str) -> bool:
    """Whether the number stands in the text already, however it is spaced there."""
    spaced = r"[ .-]?".join(re.escape(digit) for digit in phone)
    return re.search(rf"(?<!\d){spaced}(?!\d)", text) is not None
