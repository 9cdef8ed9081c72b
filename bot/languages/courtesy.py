"""Greetings, thanks and good wishes around a question: "Chào bác sĩ, … Mong bác sĩ tư vấn giúp, em xin cảm ơn."

They say nothing about what is asked, yet to a classifier they look like a farewell. Pure, linear in the length of the text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bot.languages.normalise import KEPT_TEXTS, clauses, normalise, with_and_without_marks, words

_YOU = (
    "(?:(?:quý |các |ban |chuyên |những )*(?:cơ quan|cô chú|cô|bác sĩ|bác|ban tư vấn|bạn|anh chị|anh|chị|chú|ad|admin|mọi người"
    "|cả nhà|chuyên gia|cán bộ|chương trình|thầy thuốc|sở y tế|y tế|tư vấn viên|loa))"
)
_ME = "(?:em|tôi|cháu|con|mình|tui|tớ|chúng tôi|gia đình|e)"
_REPLY = (
    "(?:tư vấn|giải đáp|trả lời|giải thích|phản hồi|hồi âm|phúc đáp|hồi đáp|góp ý|chỉ dẫn|chỉ giúp|chỉ bảo|cho lời khuyên"
    "|cho ý kiến|lời khuyên|ý kiến)"
)
# "Mong được hỗ trợ." is polite, "mong được hỗ trợ tiền trọ" asks for something.
_HELP = rf"(?:{_REPLY}|hướng dẫn|xem giúp|giúp đỡ|giúp|bảo giúp|quan tâm|hỗ trợ(?= ạ| của|$))"
_FOR_ME = rf"(?:(?:được|nhận được|nhận|sự|có|sớm|câu|{_YOU}|cho|giúp|{_ME}) )*"
_WELL = "(?:sức khỏe|khỏe mạnh|mạnh khỏe|khỏe|an lành|vui vẻ|hạnh phúc|tốt lành|may mắn|bình an)"

# One of these makes a run of polite words a courtesy. `!chào`: only with its mark, "chao" alone may be a bowl of porridge.
_HEARTS = (
    "cảm ơn",
    "đội ơn",
    "biết ơn",
    "trân trọng",
    "!chào",
    f"(?:xin|kính|{_ME}|gửi lời) chào",
    f"chào {_YOU}",
    "kính (?:gửi|thưa|mong)",
    f"thưa {_YOU}",
    f"(?:(?:rất|kính) )?(?:mong|mong muốn|hy vọng|hi vọng) {_FOR_ME}{_HELP}",
    f"(?:nhờ|xin) {_FOR_ME}{_REPLY}",
    "(?:rất|kính) mong",
    f"chúc (?:{_YOU} )?(?:(?:và|gia đình|luôn|nhiều|dồi dào|thật|có|một|ngày) )*{_WELL}",
    "có (?:một |vài |chút )?(?:câu hỏi|thắc mắc)(?: này| như sau| sau)?",
    "xin phép (?:được )?hỏi",
)
# What may stand around it in the same run.
_AROUND = (
    f"{_YOU}|{_ME}|{_HELP}|alo|hello|hi|dạ|vâng|ạ|à|ơi|nhé|nha|nhiều|lắm|với|giùm|dùm|rất|xin|chân thành|vô cùng|sớm|trước|và|từ"
    "|sự|của|về|cho|hỏi|một|chút|xíu|tí|ít|công tác tốt|thành công|trong công việc"
)
_ANY_HEART = with_and_without_marks("|".join(_HEARTS))
_HEART = re.compile(rf"(?<!\S)(?:{_ANY_HEART})(?!\S)")
_RUN = re.compile(rf"(?<!\S)(?:(?:{_ANY_HEART}|{with_and_without_marks(_AROUND)})(?: |$))++")
_WHOM = re.compile(rf"(?:(?<!\S){with_and_without_marks(_ME)} ){{1,2}}$")


def sentences_without_courtesy(text: str) -> list[str]:
    """The words of every sentence that says more than a courtesy, in order; none for "Xin chào bác sĩ ạ!"."""
    return [left for left in map(_without_courtesy, clauses(text)) if left]


@lru_cache(maxsize=KEPT_TEXTS)
def _without_courtesy(sentence: str) -> str:
    """Kept: who reads the message and who looks for a second question in it ask for the same sentences."""
    return _RUN.sub(_unless_polite, " ".join(words(normalise(sentence)))).strip()


def _unless_polite(run: re.Match[str]) -> str:
    if not _HEART.search(run.group()):
        return run.group()
    # "chào bác sĩ con em 7 tuổi": who it is about already belongs to what follows.
    whom = _WHOM.search(run.group()) if run.end() < len(run.string) else None
    return whom.group() if whom else ""
