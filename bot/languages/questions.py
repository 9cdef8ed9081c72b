"""Which parts of a message ask something: "test ở đâu, với lại có mất tiền không?" holds two questions.

Pure, linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.languages.courtesy import sentences_without_courtesy
from bot.languages.normalise import with_and_without_marks, words

# Words by which a part of a sentence asks, and by which a citizen asks for something.
_ASKS = with_and_without_marks(
    "gì|nào|sao|đâu|mấy|bao nhiêu|bao lâu|bao giờ|ai|nhiêu|hả|à|hở|nhỉ|phải không|đúng không|cho xin|xin số|cho biết|là gì|"
    "thế nào|làm sao|muốn hỏi|hay là"
)
# "không đeo khẩu trang" tells, "có phải đeo khẩu trang không ạ" asks: these two words ask at the end only.
_AT_THE_END = with_and_without_marks("(?:không|chưa)(?: (?:ạ|vậy|hả|nhỉ|ad|bác sĩ|em|anh|chị|bạn|ta|á|thế|nữa|loa|với))*")
_ASKING = re.compile(rf"(?<!\S)(?:{_ASKS})(?!\S)|(?<!\S){_AT_THE_END}$")
# What begins another question inside one sentence.
_ANOTHER = (
    "với lại|cho (?:em|tôi|mình|cháu|con)? ?hỏi thêm|hỏi thêm|ngoài ra|à mà|tiện thể|nhân tiện|đồng thời|còn nữa|thêm nữa"
    "|thêm câu nữa|câu nữa|một câu nữa|thứ hai|và cho (?:em|tôi|mình|cháu|con) hỏi|và nữa"
)
_SPLIT = re.compile(rf"(?<!\S)(?:{with_and_without_marks(_ANOTHER)})(?!\S)")
# "và", "còn" join as often as they separate: they separate only what asks on both sides.
_SOFT_SPLIT = re.compile(rf"(?<!\S)(?:{with_and_without_marks('và|còn|rồi|con|mà')})(?!\S)")
_SENTENCE = re.compile(r"(?P<said>[^.!?;…\n]+)(?P<end>[.!?;…\n]*)")
# Not inside a number ("1,5 triệu").
_COMMA = re.compile(r",(?!\d)")
LEAST_WORDS = 2


def questions(text: str) -> list[str]:
    """The parts of the message that ask, in order, each with what was told before it; without courtesies, normalised."""
    found, told = [], ""
    for piece, has_mark in _pieces(text):
        told = f"{told} {piece}".strip()
        if len(words(piece)) >= LEAST_WORDS and (has_mark or _ASKING.search(piece)):
            found.append(told)
            told = ""
    return found


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Sentences and what is joined inside them, normalised, each with whether a question mark stands behind it."""
    for sentence in _SENTENCE.finditer(_COMMA.sub(".", text)):
        has_mark = "?" in sentence["end"]
        parts = [part.strip() for said in sentences_without_courtesy(sentence["said"]) for part in _SPLIT.split(said)]
        pieces = [piece for part in parts if part for piece in _separated(part)]
        yield from ((piece, has_mark and i == len(pieces) - 1) for i, piece in enumerate(pieces))


def _separated(part: str) -> list[str]:
    """The part cut in two at the first soft joiner with a question on both sides; whole if there is none."""
    for joiner in _SOFT_SPLIT.finditer(part):
        left, right = part[: joiner.start()].strip(), part[joiner.end() :].strip()
        if all(len(words(side)) >= LEAST_WORDS and _ASKING.search(side) for side in (left, right)):
            return [left, right]
    return [part]
