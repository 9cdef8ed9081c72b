"""Greetings, thanks and good wishes around a question: "Chào bác sĩ, … Mong bác sĩ tư vấn giúp, em xin cảm ơn."

They say nothing about what is asked, yet to a classifier they look like a farewell. Pure.
"""

from __future__ import annotations

import re

from bot.languages.normalise import fold, normalise, words

# A remainder shorter than this asks nothing: "ok hiểu, cảm ơn" is thanks as a whole.
QUESTION_WORDS = 3

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
_HEARTS = (
    "cảm ơn",
    "đội ơn",
    "biết ơn",
    "trân trọng",
    "!chào",
    "(?:xin|kính|em|tôi|cháu|con|gửi lời) chào",
    rf"chào {_YOU}",
    "kính (?:gửi|thưa|mong)",
    rf"thưa {_YOU}",
    rf"(?:mong|nhờ|xin|mong muốn|hy vọng|hi vọng) {_ANSWER}",
    "(?:rất|kính) mong",
    rf"chúc (?:{_YOU} )?(?:và |gia đình |luôn |nhiều |dồi dào |thật |có |một |ngày )*(?:sức khỏe|khỏe mạnh|mạnh khỏe|khỏe|an lành|vui vẻ|hạnh phúc|tốt lành|may mắn|bình an)",
    "có (?:một |vài |chút )?(?:câu hỏi|thắc mắc)(?: này| như sau| sau)?",
    "xin phép (?:được )?hỏi",
)
_AROUND = (
    _YOU, _ME, _HELP, "alo", "hello", "hi", "ạ", "à", "ơi", "nhé", "nha", "nhiều", "lắm", "với", "giúp", "giùm", "dùm", "rất", "xin", "chân thành",
    "vô cùng", "sớm", "trước", "dạ", "vâng", "và", "từ", "sự", "của", "về", "cho", "hỏi", "một", "chút", "xíu", "tí", "ít",
    "công tác tốt", "thành công", "trong công việc",
)  # fmt: skip


def _spelt(phrase: str) -> str:
    """Every word with its marks or without any; `!chào` only with them."""
    return re.sub(r"!?[^\W\d_]+", lambda found: _either(found.group()), phrase)


def _either(word: str) -> str:
    bare = fold(word)
    return word[1:] if word.startswith("!") else word if bare == word else f"(?:{word}|{bare})"


_HEART = re.compile(rf"(?<!\S)(?:{_spelt('|'.join(_HEARTS))})(?!\S)")
_RUN = re.compile(rf"(?<!\S)(?:(?:{_spelt('|'.join((*_HEARTS, *_AROUND)))})(?: |$))++")


def without_courtesy(text: str) -> str:
    """The words of the text without courtesies; the text itself when hardly a word would be left."""
    spelt = " ".join(words(normalise(text)))
    left = _RUN.sub(_unless_polite, spelt)
    return left.strip() if len(words(left)) >= QUESTION_WORDS else text


def _unless_polite(run: re.Match[str]) -> str:
    return "" if _HEART.search(run.group()) else run.group()
