"""Who a citizen is, shown so that two can be told apart and nobody be found: the only place that decides how much is shown."""

from __future__ import annotations

import re

SHOWN_CHARACTERS = 3
# Shorter than this, the end would give too much of the whole away.
SHORTEST_SHOWN = 6
# Phone, identity card, insurance and account numbers, as people write them; hotlines (115, 1900 9095) are shorter.
_NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[ .\-]?\d){8,}(?!\w)")
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")


def masked(address: str) -> str:
    """Of an id on a platform or a phone number: `…678`."""
    return f"…{address[-SHOWN_CHARACTERS:]}" if len(address) > SHORTEST_SHOWN else "…"


def masked_words(text: str) -> str:
    """A citizen's words for a list that many look at: numbers and mail addresses that belong to somebody are shortened."""
    return _NUMBER.sub(lambda found: masked(found[0]), _MAIL.sub("…@…", text))
