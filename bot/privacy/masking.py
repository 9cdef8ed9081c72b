"""A citizen's question without what names them: before it is stored anywhere but in their own conversation.

Read with and without diacritics. When in doubt it masks: the topic of a question does not hang on a name or a number. What
says where help is needed (commune, district, province) and how old somebody is stays. Pure, linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.languages.normalise import fold
from bot.privacy.names import (
    BARE_GIVEN_NAMES,
    BARE_TITLES,
    CALLED_AFTER,
    FAMILY_NAMES,
    GIVEN_NAMES,
    KEPT_NAMES,
    LARGER_PLACES,
    LONGER_TITLES,
    MAY_BE_A_NAME_BARE,
    MIDDLE_NAMES,
    NAMED_ADDRESS,
    NO_ADDRESS_AFTER,
    NO_NAME_BEFORE,
    NOT_A_NAME,
    NUMBERED_ADDRESS,
    PRONOUNS,
    TITLES,
    WHOLE_ADDRESS,
    Words,
)

LONGEST = 4_000
# Marks, not sentences: they stand where something was.
NAME, ADDRESS, BIRTH = "[tên]", "[địa chỉ]", "[ngày sinh]"
PHONE, PAPER, NUMBER, PLATE = "[điện thoại]", "[giấy tờ]", "[số]", "[biển số]"
MAIL, LINK, ACCOUNT = "[thư]", "[liên kết {}]", "[tài khoản]"
LONGEST_NAME = 5
# So many before and behind say whether a text is written with marks.
WORDS_AROUND = 12
PHONE_DIGITS = {"0": (10, 11), "84": (11, 12)}
# Old and new identity cards, insurance, account.
PAPER_DIGITS = (9, 10, 12, 13, 15)
HOTLINES = ("1800", "1900")
# Second-level domains under which the third label names the site.
_SHARED = {"com", "gov", "edu", "org", "net", "blogspot", "wordpress"}

_MAIL = re.compile(r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\s?\.\s?[a-zA-Z]{2,24}){1,3}")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"']{1,2000}"
    r"|(?<![\w.@])(?:[a-zA-Z0-9-]{1,63}\.){1,4}(?:com|vn|net|org|info|me|io|app|link|ly|gl)\b(?:/[^\s<>\"']{0,2000})?",
    re.IGNORECASE,
)
_PAPER = re.compile(r"(?<!\w)[A-Za-z]{2}[ .-]?\d(?:[ .-]?\d){9,13}(?!\w)|(?<!\w)[A-Za-z]\d{7,8}(?!\w)")
_PLATE = re.compile(r"(?<!\w)\d{2}[ -]?[A-Za-z]{1,2}\d?[ -]{1,2}\d{3}[.]?\d{2}(?!\w)")
_BIRTH = re.compile(
    r"(?P<said>(?:sinh(?:\s+ng[aà]y)?|ng[aà]y\s+sinh|s\.?n|ns)\s*:?\s*(?:l[aà]\s+)?)\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{2,4}",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+(?:\s?-\s?\d{1,3}(?:\.\d{3})+)?")
# Who writes a number to be read by people alone writes `o` for 0.
_DIGITS = re.compile(r"(?<![\w])\+?\(?[\doO]\)?(?:[ .\-()]{0,2}[\doO]){6,}(?!\w)")
LEAST_DIGITS = 5
_SPELLED_DIGIT = "(?:không|khong|một|mot|hai|ba|bốn|bon|tư|năm|nam|lăm|sáu|sau|bảy|bẩy|bay|tám|tam|chín|chin)"
_SPELLED = re.compile(rf"(?<!\w)(?:{_SPELLED_DIGIT}[ ,.-]{{1,3}}){{6,}}{_SPELLED_DIGIT}(?!\w)", re.IGNORECASE)
_HANDLE = re.compile(
    r"(?<!\w)(?P<said>(?:facebook|fb|zalo|tiktok|nick|tài khoản|tai khoan)(?:\s+(?:của|cua)\s+\w+)?\s*(?::|là|la(?!\w))\s*)"
    r"(?P<handle>[^\s,;\[\]]{2,64})",
    re.IGNORECASE,
)
_CALLED = re.compile(r"(?<![\w.])@[\w.]{3,64}")
_PROFILE = re.compile(r"(?P<said>(?<!\w)(?i:fb|facebook|nick)\s+)[A-ZĐ]\w*(?:\s+(?:[A-ZĐ]\w*|\d+)){1,3}")
_SECRET = re.compile(
    r"(?P<said>(?<!\w)(?:mật khẩu|mat khau|password|otp|mã xác nhận|ma xac nhan)(?:\s+[^\W\d]+){0,3}?\s*[:=]?\s*)"
    r"(?=[^\s,;]{4,64}(?![^\s,;]))[^\s,;]*\d[^\s,;]*",
    re.IGNORECASE,
)
# Names in other languages of the province. "What is it called" asks for none.
_FOREIGN_NAMES = (
    re.compile(r"(?P<said>(?<!\w)(?i:my name is|my name's|name:)\s+)[^\W\d_]+(?:\s+[A-ZÀ-ỸĐ][^\W\d_]*){0,3}"),
    re.compile(r"(?P<said>(?<!\w)(?:I am|I'm|i am|i'm|This is|this is)\s+)[A-ZÀ-ỸĐ][^\W\d_]+(?:\s+[A-ZÀ-ỸĐ][^\W\d_]*){1,3}"),
    re.compile(r"(?P<said>ឈ្មោះ\s*)(?!អ្វី|អី)\S+(?:\s+\S+)?"),
    re.compile(r"(?P<said>(?<!\w)(?i:npe hu ua|npe yog)\s+)(?!(?i:li cas|dab tsi))[^\W\d_]+(?:\s+[A-Z][^\W\d_]*){0,3}"),
)
_HOUSE = re.compile(r"(?<!\w)\d{1,4}(?:/\d{1,4}){0,3}[A-Za-z]?\s+(?=\[tên\])")
# "ở số 12 đường Lê Duẩn", "nhà 12/3 thôn 5"; of "mũi 3 thôn 5" the number stays.
_HOUSE_IN_STREET = re.compile(
    r"(?P<said>(?<!\w)(?:số|so|ở|nhà|nha|tại|tai)\s+)\d{1,4}[A-Za-z]?(?:/\d{1,4}[A-Za-z]?){0,3}[,\s]+\[địa chỉ\]", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_](?:['’ʼ]?\w)*|\d+(?:[/-]\d+)*[A-Za-z]?|\S")
_CAPITAL = "[A-ZÀ-ỸĂÂĐÊÔƠƯĆČŃÑ]"
_HIGHLAND = re.compile(
    rf"(?<!\w)(?:Y[ -](?!T[ếeÉE])|H['’ʼ] ?|H (?=\w+\s+{_CAPITAL})){_CAPITAL}[^\W\d_]+(?:\s+{_CAPITAL}[^\W\d_]+){{0,2}}"
)


@dataclass(frozen=True)
class Word:
    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return fold(self.text.lower())

    @property
    def is_letters(self) -> bool:
        return not any(letter.isdigit() for letter in self.text) and self.text[0].isalpha()

    @property
    def is_capital(self) -> bool:
        """Of a name as it is written; a heading in capitals alone says nothing."""
        return self.is_letters and self.text[0].isupper() and (len(self.text) == 1 or not self.text.isupper())

    def one_of(self, words: Words) -> bool:
        return words.has(self.text)

    def says(self, *words: str) -> bool:
        return self.text.lower() in words or (self.text.isascii() and self.text.lower() in map(fold, words))


def without_names(text: str) -> str:
    """The words with a mark in place of every name, number, paper, address and account that may belong to somebody."""
    masked = " ".join(text[:LONGEST].replace("\x00", " ").split(" "))
    masked = _MAIL.sub(MAIL, masked)
    masked = _LINK.sub(_site, masked)
    masked = _PLATE.sub(PLATE, masked)
    masked = _PAPER.sub(PAPER, masked)
    masked = _BIRTH.sub(lambda found: found["said"] + BIRTH, masked)
    masked = _DIGITS.sub(_number, masked)
    masked = _SPELLED.sub(NUMBER, masked)
    masked = _HANDLE.sub(_handle, masked)
    masked = _CALLED.sub(ACCOUNT, masked)
    masked = _PROFILE.sub(lambda found: found["said"] + ACCOUNT, masked)
    masked = _SECRET.sub(lambda found: found["said"] + NUMBER, masked)
    for told in _FOREIGN_NAMES:
        masked = told.sub(lambda found: found["said"] + NAME, masked)
    masked = _replaced(masked, _addresses, ADDRESS)
    masked = _HIGHLAND.sub(lambda found: found[0] if fold(found[0]) in KEPT_NAMES else NAME, masked)
    masked = _replaced(masked, _names, NAME)
    masked = _HOUSE_IN_STREET.sub(lambda found: found["said"] + ADDRESS, masked)
    return _HOUSE.sub("", masked)


def _site(found: re.Match[str]) -> str:
    """The site says what a question is about; the rest of an address may name a person."""
    host = re.sub(r"^(?:https?://)?(?:[^/@]*@)?", "", found[0], flags=re.IGNORECASE).split("/")[0].split(":")[0].lower()
    labels = host.removeprefix("www.").split(".")
    kept = 3 if len(labels) > 2 and labels[-2] in _SHARED and labels[-2] not in {"blogspot", "wordpress"} else 2
    return LINK.format(".".join(labels[-kept:]))


def _number(found: re.Match[str]) -> str:
    if sum(letter.isdigit() for letter in found[0]) < LEAST_DIGITS:
        return found[0]
    digits = re.sub(r"\D", "", re.sub("[oO]", "0", found[0]))
    if _GROUPED.fullmatch(found[0].strip()) or digits.startswith(HOTLINES):
        return found[0]
    if len(digits) in PHONE_DIGITS.get("84" if digits.startswith("84") else digits[0], ()):
        return PHONE
    return PAPER if len(digits) in PAPER_DIGITS else NUMBER


def _handle(found: re.Match[str]) -> str:
    return found[0] if NOT_A_NAME.has(found["handle"]) else found["said"] + ACCOUNT


def _replaced(text: str, spans: Callable[[list[Word]], Iterator[tuple[int, int]]], mark: str) -> str:
    """Marks stand for themselves: a bracket ends every name."""
    words = [Word(found[0], found.start(), found.end()) for found in _WORD.finditer(text)]
    pieces, at = [], 0
    for start, end in spans(words):
        if words[start].start < at:
            continue
        pieces += [text[at : words[start].start], mark]
        at = words[end - 1].end
    return "".join([*pieces, text[at:]])


def _names(words: list[Word]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(words):
        length = _name_at(words, at)
        if length:
            yield at, at + length
        at += length or _kept(words, at) or 1


def _name_at(words: list[Word], at: int) -> int:
    """How many words of a name begin here; 0 for none."""
    if not words[at].is_letters or _kept(words, at) or _is_house(words, at):
        return 0
    after = _cue_before(words, at)
    length = _run(words, at)
    if after == "named" or (after == "is" and length > 1 and words[at].one_of(FAMILY_NAMES)):
        return length
    capitals = _capitals(words, at)
    if after == "is" and capitals:
        return capitals
    if after == "title" and not _ends_sentence(words, at - 1) and (found := capitals or _given(words, at)):
        return found
    return _full_name(words, at, length, capitals)


def _given(words: list[Word], at: int) -> int:
    """ "chị lan", "anh hùng": given names in small letters behind a title. Who writes marks means them: "hai" is no Hải."""
    has_marks = any(not word.text.isascii() for word in words[max(0, at - WORDS_AROUND) : at + WORDS_AROUND])
    if not has_marks and words[at - 1].folded not in BARE_TITLES and not _is_long_title(words[:at]):
        return 0
    names, length = GIVEN_NAMES if has_marks else BARE_GIVEN_NAMES, 0
    while at + length < len(words) and length < LONGEST_NAME and words[at + length].text.lower() in names:
        length += 1
    following = words[at + length] if at + length < len(words) else None
    return max(0, length - 1) if following and following.folded in NO_NAME_BEFORE else length


def _is_long_title(before: list[Word]) -> bool:
    return tuple(word.folded for word in before[-2:]) in LONGER_TITLES


def _full_name(words: list[Word], at: int, length: int, capitals: int) -> int:
    """A family name says it without a cue, when more of a name follows."""
    if not words[at].one_of(FAMILY_NAMES):
        return 0
    if capitals > 1:
        return capitals
    # "xử lý thi hài": who writes marks writes them on both.
    has_middle = at + 2 < len(words) and words[at + 1].one_of(MIDDLE_NAMES)
    has_middle = has_middle and words[at].text.isascii() >= words[at + 1].text.isascii()
    return min(length, 4) if has_middle and length > 2 else 0


def _cue_before(words: list[Word], at: int) -> str:
    """What stands before: `named` ("tên là"), `is` ("tôi là"), `title` ("chị"); empty for none."""
    before = words[max(0, at - 5) : at]
    is_told = bool(before) and before[-1].text == ":"
    is_before = bool(before) and before[-1].says("là")
    if is_told or is_before:
        before = before[:-1]
    whose = list(before)
    while before and before[-1].one_of(PRONOUNS):
        before = before[:-1]
    is_named = is_told or is_before or len(whose) > len(before) or words[at].is_capital or _is_told_by(before)
    if before and before[-1].says("tên") and is_named:
        return "named"
    if not whose:
        return ""
    if is_before:
        return "is" if whose[-1].one_of(PRONOUNS) else ""
    return "title" if not is_told and (whose[-1].one_of(TITLES) or _is_long_title(whose)) else ""


def _is_told_by(before: list[Word]) -> bool:
    """ "tôi tên An", "họ tên An": the name is told; "tên thuốc", "tên xã" is not a person's."""
    return len(before) > 1 and (before[-2].one_of(PRONOUNS) or before[-2].says("họ", "và"))


def _run(words: list[Word], at: int) -> int:
    """The words of a name that begins here: capitals as long as there are capitals, else until a word that no name has."""
    if words[at].is_capital:
        return _capitals(words, at)
    length = 0
    while at + length < len(words) and length < LONGEST_NAME and _may_be_named(words[at + length]):
        length += 1
    return length


def _capitals(words: list[Word], at: int) -> int:
    length = 0
    while at + length < len(words) and length < LONGEST_NAME and words[at + length].is_capital:
        length += 1
    return length


def _may_be_named(word: Word) -> bool:
    return word.is_letters and (not word.one_of(NOT_A_NAME) or word.text.lower() in MAY_BE_A_NAME_BARE)


def _kept(words: list[Word], at: int) -> int:
    """How many words of a place called after somebody, or of a word of illness, begin here."""
    return next((n for n in (3, 2) if " ".join(word.folded for word in words[at : at + n]) in KEPT_NAMES), 0)


def _is_house(words: list[Word], at: int) -> bool:
    """ "bệnh viện Hoàn Mỹ", "thành phố Hồ Chí Minh": houses and places that are called after somebody."""
    before = words[max(0, at - 2) : at]
    is_city = len(before) == 2 and before[0].says("thành") and before[1].says("phố")
    return bool(before) and (before[-1].one_of(CALLED_AFTER) or is_city)


def _ends_sentence(words: list[Word], at: int) -> bool:
    return words[at].text in ".!?"


def _addresses(words: list[Word]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(words):
        length = _address_at(words, at)
        if length:
            yield at, at + length
        at += length or 1


def _address_at(words: list[Word], at: int) -> int:
    if _kept(words, at) or (at and words[at - 1].one_of(NO_ADDRESS_AFTER)):
        return 0
    if size := _said(words, at, WHOLE_ADDRESS):
        return _whole(words, at, size)
    if size := _said(words, at, NAMED_ADDRESS):
        return _named(words, at, size, lambda word: word.text[0].isdigit() or word.is_capital)
    size = _said(words, at, NUMBERED_ADDRESS)
    return _named(words, at, size, lambda word: word.text[0].isdigit()) if size else 0


def _said(words: list[Word], at: int, cues: tuple[str, ...]) -> int:
    """How many words of the first cue that stands here; 0 for none."""
    split = (cue.split() for cue in cues)
    return next(
        (len(cue) for cue in split if len(words) >= at + len(cue) and all(words[at + i].says(c) for i, c in enumerate(cue))), 0
    )


def _whole(words: list[Word], at: int, size: int) -> int:
    """ "số nhà …", "địa chỉ …": until a comma, the end of a sentence or the name of a larger place."""
    length = size
    while at + length < len(words) and length < size + 10:
        word = words[at + length]
        if word.text in ",;.!?[]" or word.one_of(LARGER_PLACES):
            break
        length += 1
    return length if length > size + (words[at + size - 1].text == ":") else 0


def _named(words: list[Word], at: int, size: int, belongs: Callable[[Word], bool]) -> int:
    """ "đường Lê Duẩn", "thôn 5", "hẻm 12/4"; an age or a span of time is none of it ("đường 4 năm")."""
    length = size
    while at + length < len(words) and length < size + 4 and belongs(words[at + length]):
        length += 1
    following = words[at + length] if at + length < len(words) else None
    return length if length > size and not (following and following.says("năm", "tuổi", "tháng", "ngày")) else 0
