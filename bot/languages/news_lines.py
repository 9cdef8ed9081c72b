"""What is said of subscriptions and of news, put together from the fragments of locales/vi/subscriptions.yml. Pure.

The room of subscriptions gives kinds, names and numbers (bot/subscriptions/), the fragments hold every word, this joins them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.graphemes import cut

Fragments = Mapping[str, str]
# Beside figures and the words around them, the lines of news stay within what all platforms show as one message.
MOST_CHARACTERS = 700
MOST_CHARACTERS_OF_A_NOTICE = 500


def news_texts(values: Mapping[str, Any], fragments: Fragments) -> dict[str, str]:
    """The placeholders `wanted`, `how`, `reach`, `none_now`, `subscribed` and `news` as text, those that were given."""
    texts: dict[str, str] = {}
    if "wanted" in values:
        texts |= {"wanted": _wanted(values["wanted"], fragments), "how": _how(values["wanted"], fragments)}
    if "reach" in values:
        reach = values["reach"]
        texts["reach"] = fragments[f"news_reach_{reach['kind']}"].format(channel=reach["channel"], count=reach["count"])
    if values.get("none_now"):
        texts["none_now"] = fragments["news_none_now"].format(places=", ".join(values["none_now"]))
    if "subscribed" in values:
        texts["subscribed"] = "\n".join(_subscribed(values["subscribed"], fragments))
    if "news" in values:
        texts["news"] = "\n".join(_short_enough([_line(news, fragments) for news in values["news"]], fragments))
    return texts


def _wanted(wanted: Mapping[str, Any], fragments: Fragments) -> str:
    return fragments[f"news_wanted_{wanted['kind']}"].format(name=wanted["name"])


def _how(wanted: Mapping[str, Any], fragments: Fragments) -> str:
    return fragments[f"news_how_{wanted['how']}"] if wanted.get("how") else ""


def _subscribed(subscribed: Sequence[Mapping[str, Any]], fragments: Fragments) -> list[str]:
    line = fragments["news_line_subscribed"]
    return [
        line.format(number=number, wanted=_wanted(wanted, fragments), how=_how(wanted, fragments))
        for number, wanted in enumerate(subscribed, start=1)
    ]


def _line(news: Mapping[str, Any], fragments: Fragments) -> str:
    if news["kind"] == "notice":
        return fragments["news_line_notice"].format(text=_squeezed(news["text"]))
    return fragments["news_line_answer"].format(name=news["name"])


def _squeezed(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS_OF_A_NOTICE else f"{cut(text, MOST_CHARACTERS_OF_A_NOTICE - 1)}…"


def _short_enough(lines: Sequence[str], fragments: Fragments) -> list[str]:
    kept = list(lines[:1])
    for line in lines[1:]:
        if sum(map(len, [*kept, line])) > MOST_CHARACTERS:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return [*kept, *([fragments["news_line_more"].format(count=left)] if left else [])]
