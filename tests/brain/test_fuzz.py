"""Ten thousand hostile messages through the real parse: each is understood as something, none breaks anything."""

from __future__ import annotations

import random
import sys
from typing import Any

from bot.brain.channel import typed
from bot.languages.chat_spelling import CHAT_SPELLINGS

NUMBER = 10_000
SEED = 20_261_122
# A long message costs hundreds of short ones; a few of each kind are enough.
LONG_ONE_IN = 200
PIECES = [
    *CHAT_SPELLINGS,
    *("xét nghiệm", "tiêm", "vắc xin", "covid-19", "khó thở", "Cư M'gar", "bà bầu 20 tuần", "mũi 2", "dương tính ngày thứ 5"),
    *(
        "/restart",
        "/testing_where",
        '/inform_place{"place": "x"}',
        "{{7*7}}",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "'; DROP TABLE",
    ),
    *("[test](place)", "[x]{'entity': 'place'}", "%s%n", "../../etc/passwd", "\\u0000", "data:;base64,AAAA", "http://a.b/?q=%00"),
    *(
        "👨‍👩‍👧‍👦",
        "🇻🇳",
        "💉" * 9,
        "\u202eNÉĐ",
        "\u200b\u200d",
        "ă̂̉́ộ̃",
        "ក្រុម",
        "ประเทศ",
        "العربية",
        "汉字",
        "Ꭰꮃ",
        "𝒄𝒐𝒗𝒊𝒅",
        "ﬁ",
        "İ",
        "ẞ",
    ),
    *(
        "\x00",
        "\ud800",
        "\udfff",
        "\x1b[31m",
        "\r\n",
        "\t",
        "\ufeff",
        "\uffff",
        "\U0010ffff",
        "1e309",
        "٣٤",
        "½",
        "NaN",
        "-1",
        "99" * 40,
    ),
]


def hostile_messages() -> list[str]:
    """The same list on every run: random code points, mixed pieces, repetitions, very long ones."""
    chance = random.Random(SEED)
    return [_message(chance, number) for number in range(NUMBER)]


def _message(chance: random.Random, number: int) -> str:
    if number % LONG_ONE_IN == 0:
        return chance.choice(PIECES) * chance.randint(200, 2_000)
    kind = number % 4
    if kind == 0:
        return "".join(chr(chance.randint(0, sys.maxunicode)) for _ in range(chance.randint(0, 40)))
    if kind == 1:
        return chance.choice(PIECES) * chance.randint(1, 20)
    joiner = chance.choice(["", " ", ",", "\n", "?", "và"])
    return joiner.join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))


async def test_every_hostile_message_is_understood_as_something(agent: Any) -> None:
    known = {*agent.domain.intents, "nlu_fallback", None}
    for message in hostile_messages():
        text = typed(message)
        parsed = await agent.parse_message(text)
        assert parsed["intent"]["name"] in known, ascii(message)[:200]
        assert 0 <= parsed["intent"]["confidence"] <= 1, ascii(message)[:200]
        assert all(0 <= e["start"] <= e["end"] <= len(text) for e in parsed["entities"]), ascii(message)[:200]
