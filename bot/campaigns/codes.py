"""A campaign's code: how it must look, and how people write it who heard it from a loudspeaker. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.languages.normalise import fold

CODE = re.compile(r"(?=[^0-9]*[0-9])[a-z0-9-]{3,24}")
LONGEST_SPOKEN = 60
_MARK = r"(?:(?:nhan |go )?(?:#|ma(?: so| chien dich)?(?: la)?[ :.-]+|code[ :.-]+))"
# `#tet2026 tiêm ở đâu`, `mã Tết 2026 giá bao nhiêu`: the first words after the mark.
MOST_WORDS = 5
_MARKED = re.compile(rf"{_MARK}(?P<words>[a-z0-9-]{{1,24}}(?: [a-z0-9-]{{1,24}}){{0,{MOST_WORDS - 1}}})(?P<rest>.*)", re.DOTALL)
_AFTER = re.compile(r"[\s,.;:!?]")
# `Tết 2026`, alone: at most as many words.
_ALONE = re.compile(rf"(?:{_MARK} ?)?(?P<code>[a-z0-9-]+(?: [a-z0-9-]+){{0,4}})[ .!?]*")
# Four digits after `mã` are the code of a phone call, which the desk gives out.
_CALL_CODE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True)
class Spoken:
    """A text that may begin with a campaign's code. `key`: the code without hyphens; `rest`: the words behind it."""

    key: str
    rest: str = ""


def is_code(text: str) -> bool:
    return CODE.fullmatch(text) is not None


def key_of(code: str) -> str:
    """The code as it is heard: `TET-2026` and `tet2026` are the same."""
    return code.lower().replace("-", "")


def spoken_codes(text: str) -> list[Spoken]:
    """What in this text may be a code, the likeliest first: the whole of a short text, or the word behind `#` or `mã`.

    Whether there is such a campaign only the store knows: the caller leaves the words alone where there is none.
    """
    words = " ".join(text.split())
    folded = fold(words.lower())
    found: list[Spoken] = []
    if len(folded) <= LONGEST_SPOKEN and (alone := _ALONE.fullmatch(folded)):
        found.append(Spoken(key_of(alone["code"].replace(" ", ""))))
    if len(folded) == len(words) and (marked := _MARKED.match(folded)):
        found += _marked(words, marked)
    return [one for one in found if CODE.fullmatch(one.key) and not _CALL_CODE.fullmatch(one.key)]


def _marked(words: str, marked: re.Match[str]) -> Iterator[Spoken]:
    """The words behind the mark as one code, the most words first: `tet 2026 gia`, `tet 2026`, `tet`."""
    ends = [marked.start("words") + found.end() for found in re.finditer(r"[a-z0-9-]+", marked["words"])]
    for end in reversed(ends):
        if end == len(words) or _AFTER.match(words, end):
            yield Spoken(key_of(marked.string[marked.start("words") : end].replace(" ", "")), words[end:].strip(" ,.;:!?"))
