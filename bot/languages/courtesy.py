"""Greetings, thanks and good wishes around a question: "Chào bác sĩ, … Mong bác sĩ tư vấn giúp, em xin cảm ơn."

They say nothing about what is asked, yet to a classifier they look like a farewell. Pure, linear in the length of the text.
"""

from __future__ import annotations

import re

from bot.languages.normalise import clauses, normalise, with_and_without_marks, words

_YOU = (
    "(?:(?:quý |các |ban |chuyên |những )*(?:bác sĩ|bác|bạn|anh chị|anh|chị|cô chú|cô|chú|ad|admin|mọi người|cả nhà|cơ quan|ban tư vấn"
    "|chuyên gia|cán bộ|chương trình|thầy thuốc|sở y tế|y tế|tư vấn viên|loa))"
)
_ME = "(?:em|tôi|cháu|con|mình|tui|tớ|chúng tôi|gia đình|e)"
_HELP = (
    "(?:tư vấn|giải đáp|trả lời|giải thích|hướng dẫn|phản hồi|hồi âm|phúc đáp|hồi đáp|góp ý|chỉ dẫn|chỉ giúp|chỉ bảo|cho lời khuyên"
    "|cho ý kiến|lời khuyên|ý kiến|xem giúp|giúp đỡ|giúp|hỗ trợ|bảo giúp|quan tâm)"
)
_ANSWER = rf"(?:(?:được|nhận được|nhận|sự|có|sớm|câu|{_YOU}|cho|giúp|{_ME}) )*{_HELP}"
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
    f"(?:(?:rất|kính) )?(?:mong|nhờ|xin|mong muốn|hy vọng|hi vọng) {_ANSWER}",
    "(?:rất|kính) mong",
    f"chúc (?:{_YOU} )?(?:(?:và|gia đình|luôn|nhiều|dồi dào|thật|có|một|ngày) )*{_WELL}",
    "có (?:một |vài |chút )?(?:câu hỏi|thắc mắc)(?: này| như sau| sau)?",
    "xin phép (?:được )?hỏi",
)
# What may stand around it in the same run.
_AROUND = (
    f"{_YOU}|{_ME}|{_HELP}|alo|hello|hi|dạ|vâng|ạ|à|ơi|nhé|nha|nhiều|lắm|với|giùm|dùm|rất|xin|chân thành|vô cùng|sớm|trước|và|từ|sự"
    "|của|về|cho|hỏi|một|chút|xíu|tí|ít|công tác tốt|thành công|trong công việc"
)
_ANY_HEART = with_and_without_marks("|".join(_HEARTS))
_HEART = re.compile(rf"(?<!\S)(?:{_ANY_HEART})(?!\S)")
_RUN = re.compile(rf"(?<!\S)(?:(?:{_ANY_HEART}|{with_and_without_marks(_AROUND)})(?: |$))++")


def sentences_without_courtesy(text: str) -> list[str]:
    """The words of every sentence that says more than a courtesy, in order; none for "Xin chào bác sĩ ạ!"."""
    spelt = (" ".join(words(normalise(sentence))) for sentence in clauses(text))
    return [left for left in (_RUN.sub(_unless_polite, sentence).strip() for sentence in spelt) if left]


def _unless_polite(run: re.Match[str]) -> str:
    return "" if _HEART.search(run.group()) else run.group()
