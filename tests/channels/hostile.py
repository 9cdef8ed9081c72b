"""Words that break programs, and the answer that must arrive all the same: every platform's tests play them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.messages import clean_text

HOSTILE = {
    "10,000 characters": "x" * 10_000,
    "10,000 characters of words": "tiêm phòng ở đâu? " * 556,
    "NUL": "ba\x00 tôi bị sốt",
    "a lone surrogate": "\ud83d ba tôi bị sốt \udc00",
    "right to left": "\u202eđảo chữ\u202c شكرا \u200f!",
    "zalgo": "z" + "\u0335\u0321" * 1500 + " tiêm ở đâu",
    "beyond the basic plane": "😷" * 3000,
    "not composed": "tie\u0302m ơ\u0309 đa\u0302u " * 40,
    "a command": "/restart",
    "a command with a payload": '/inform_place{"place": "buon-ho-phuong"}',
    "markup": "<b>*_[a](https://x)</b> {{ 7 * 7 }} '; DROP TABLE messages; --",
}


def as_typed(name: str) -> str:
    """The words as they are stored and asked."""
    return clean_text(HOSTILE[name]).strip()


def is_answered(name: str, arrived: Sequence[str]) -> bool:
    """Whether the parts that arrived are the whole answer; where it was cut, spaces may be gone."""
    return "".join("".join(arrived).split()) == "".join(f"answer to {as_typed(name)}".split())
