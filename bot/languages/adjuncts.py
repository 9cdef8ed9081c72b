"""Phrases that only set the scene: "trong mùa dịch", "để hạn chế lây nhiễm Covid-19".

They stand in questions about anything and hide what is asked from a classifier: how to clean the house *so that nobody is
infected* is a question about cleaning. Pure, linear in the length of the sentence.
"""

from __future__ import annotations

import re

from bot.languages.concepts import concepts_of
from bot.languages.normalise import with_and_without_marks, words

# Alternatives of each place in the two phrases, as citizens write them.
_SO_THAT = "nhằm|để"
_HELPING = "có thể|giúp|được"
_PREVENT = (
    "phòng chống|phòng tránh|phòng ngừa|phòng dịch|phòng bệnh|phòng|hạn chế|ngăn ngừa|ngăn chặn|ngăn|giảm|tránh|bảo vệ"
    "|đề phòng|chống"
)
_THE_DISEASE = "covid|virus|vi rút|dịch bệnh|dịch|lây nhiễm|lây lan|lây|nhiễm bệnh|mầm bệnh"
_WHEN_OR_WHY = "trong|giữa|vào|do|vì|khi|lúc"
_A_TIME = "thời gian|thời điểm|lúc|khi|mùa|đợt|tình hình|bối cảnh|thời|giai đoạn|ảnh hưởng của|ảnh hưởng"
_GOES_ON = "này|diễn ra|bùng phát|phức tạp|hiện nay|căng thẳng"


def _one_of(alternatives: str) -> str:
    return f"(?:{with_and_without_marks(alternatives)})"


_PURPOSE = re.compile(
    rf"(?<!\S){_one_of(_SO_THAT)}(?: {_one_of(_HELPING)})* {_one_of(_PREVENT)}(?!\S)"
    rf"(?: \S+){{0,8}}? {_one_of(_THE_DISEASE)}(?: {_one_of('covid|virus|mới|bệnh|dịch')})*(?!\S)"
)
_TIME_OR_CAUSE = re.compile(
    rf"(?<!\S)(?<!lý )(?<!ly ){_one_of(_WHEN_OR_WHY)}(?: {_one_of(_A_TIME)})*(?: {_one_of('có|đang|xảy ra|bùng phát|đang có')})*"
    rf" {_one_of('đại dịch|dịch bệnh|dịch')}(?: covid)?(?: {_one_of(_GOES_ON)})*(?!\S)"
)
# Less than this is no question any more: "làm gì để phòng dịch" keeps its purpose.
LEAST_WORDS = 3
# Concepts of data/concepts/ that ask without saying about what.
_ASKING = frozenset(
    ("how", "do_what", "what_is", "may", "must", "how_long", "how_many", "where", "when", "who", "why", "is_true", "different")
)


def without_adjuncts(sentence: str) -> str:
    """The normalised sentence without its purpose and its time, where something is left that it is about."""
    for pattern in (_PURPOSE, _TIME_OR_CAUSE):
        if found := pattern.search(sentence):
            rest = " ".join(f"{sentence[: found.start()]} {sentence[found.end() :]}".split())
            if len(words(rest)) >= LEAST_WORDS and set(concepts_of(rest)) - _ASKING:
                sentence = rest
    return sentence
