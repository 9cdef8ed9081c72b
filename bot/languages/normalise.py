"""Vietnamese as citizens type it, brought to one spelling before anything matches or learns from it.

Pure, linear in the length of the text, total (any `str`, lone surrogates too) and idempotent. For matching only:
what is shown or stored is always the citizen's own text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bot.languages.chat_spelling import TONES, before_words, in_context, one_word

# Longer than any question; a pasted page keeps its beginning and its end, where the question stands.
MAX_CHARACTERS = 4_000
# One respelling can complete another ("kkk k"): ordinary text is stable after one pass, odd text after two or three.
MAX_PASSES = 6
# Half a dozen readers ask for the same message and its sentences one after the other.
KEPT_TEXTS = 512

_COVID = re.compile(
    r"(?<!\w)(?:(?:vi\s?rút|virus|virut|dịch|bệnh)\s+)?(?:"
    r"(?:co|cô|ko|kô)[\s-]?(?:v[iy][dt]|vy|vít|víd|vịt|vít)(?:[\s-]{0,2}19)?|[ck]ovi[dt]s?\s?-?\s?19|covy[dt]?|"
    r"sars[\s-]*cov[\s-]*2|sarscov2|(?:2019[\s-]?)?n[\s-]?cov|c(?:orona|ôrôna|ô rô na|orna)(?:virus)?(?:[\s-]?vi(?:rút|rus))?|"
    r"(?:viêm phổi|cúm) (?:vũ hán|vu han))(?!\w)"
)
_VACCINE = re.compile(
    r"(?<!\w)(?:v[aăắáâ][ck]?-?[cxs]{1,2}[iíì]n{1,2}e?s?|vaxin|vx|v[ắăáa][ck][\s-](?:xin|sin|xinh|cin|xịn))(?!\w)"
)
_INVISIBLE = {"Cc", "Cf", "Cs"}
_SPACES = "\t\n\r\x0b\x0c"
# A comma inside a number stays: "1,5 triệu".
_SPACED_PUNCTUATION = re.compile(r"([!?;:…,])(?=\w)(?!(?<=\d,)\d)")
_FULL_STOP_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_]{2})\.(?=[^\W\d_])(?!(?:vn|com|gov|org|net|edu|html?|pdf)\b)")
_ELONGATED = re.compile(r"([^\W\d_])\1\1+")
_LAUGH = re.compile(r"(?<!\w)(?:k{2,}|(?:ha|hi|he|hé|hì){2,}h?)(?!\w)")
# Without one of these a text holds nothing that the pattern of that name could find: looking for a few letters costs less.
_OF_A_LAUGH = ("kk", "ah", "ih", "eh", "éh", "ìh")
_OF_COVID = ("ov", "ôv", "o v", "ô v", "o-v", "ô-v", "corona", "côr", "cô r", "corna", "vũ hán", "vu han")
_OF_A_VACCINE = ("va", "vă", "vắ", "vá", "vâ", "vx")
_SPLIT_F0 = re.compile(r"(?<!\w)f\s+([0-3])(?!\w)")
# Khmer is written without spaces: what stands for a word is a cluster, a consonant with all that is written around it.
FIRST_OF_KHMER = "\u1780"
_KHMER = "\u1780-\u17b3"
_CLUSTER = rf"[{_KHMER}](?:\u17d2[{_KHMER}]|[\u17b4-\u17d1\u17d3\u17dd])*"
_WORD = re.compile(rf"{_CLUSTER}|[^\W_{_KHMER}][^\W_\u0300-\u036f{_KHMER}]*(?:[\u0300-\u036f]+[^\W_\u0300-\u036f{_KHMER}]*)*")
_WORD_OF_A_PATTERN = re.compile(r"!?[^\W\d_]+")
_CLAUSE_END = re.compile(r"[.!?;…។៕\n]+")

_VOWELS = "aăâeêioôơuưy"
_SYLLABLE = re.compile(
    rf"(ngh?|[ckgnpt]h|gi(?=[{_VOWELS}])|qu(?=[{_VOWELS}])|tr|[bcdđghklmnpqrstvx])?([{_VOWELS}]{{1,3}})(ch|ng|nh|[cmnpt])?"
)


@lru_cache(maxsize=KEPT_TEXTS)
def normalise(text: str) -> str:
    """One spelling for matching: lower case, NFC, tones placed alike, chat spellings written out, at most 4,000 characters."""
    plain = _plain(_cap(text))
    for _ in range(MAX_PASSES):
        spelt = _cap(_spell(plain))
        if spelt == plain:
            break
        plain = _plain(spelt)
    return spelt


def fold(text: str) -> str:
    """Latin letters without marks (`Đắk Lắk` → `Dak Lak`); other scripts stay as they are. Case is kept."""
    if text.isascii():
        return text
    bare = _without_latin_marks(unicodedata.normalize("NFC", text))
    return bare.translate(_TO_ASCII)


def words(text: str) -> list[str]:
    """The words and numbers of a text, in order, without punctuation; of Khmer its clusters."""
    return _WORD.findall(text)


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a text as typed begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


@lru_cache(maxsize=50_000)
def spell(word: str) -> str:
    """One word as it is compared with names: lower case, NFC, tone placed; chat spellings are left alone."""
    return _place_tone(unicodedata.normalize("NFC", unicodedata.normalize("NFC", word).lower()))


def is_khmer(word: str) -> bool:
    """Is this, of `words`, a Khmer cluster?"""
    return FIRST_OF_KHMER <= word[:1] <= "\u17b3"


def clauses(text: str) -> list[str]:
    """Sentences and lines of a text as typed, in order, without empty ones. Citizens tell a story and ask last."""
    return [part.strip() for part in _CLAUSE_END.split(text) if part.strip()]


def with_and_without_marks(pattern: str) -> str:
    """A regular expression in which every marked word also matches typed without any mark; `!tím` only as written."""
    return _WORD_OF_A_PATTERN.sub(lambda word: _either(word.group()), pattern)


def _either(word: str) -> str:
    bare = fold(word)
    return word[1:] if word.startswith("!") else word if bare == word else f"(?:{word}|{bare})"


def _plain(text: str) -> str:
    """Lower case and NFC, without what nobody sees. What is plain already stays as it is."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", _visible(text)).lower())


def _spell(text: str) -> str:
    """One pass over a plain text. To look for a pattern costs half of replacing it."""
    if _holds(text, _OF_A_LAUGH):
        text = _LAUGH.sub("haha", text)
    if _ELONGATED.search(text):
        text = _ELONGATED.sub(r"\1", text)
    if _SPACED_PUNCTUATION.search(text):
        text = _SPACED_PUNCTUATION.sub(r"\1 ", text)
    if "." in text:
        text = _FULL_STOP_BETWEEN_WORDS.sub(". ", text)
    text = " ".join(_respelt(before_words(text)).split())
    if "f " in text:
        text = _SPLIT_F0.sub(r"f\1", text)
    text = in_context(text)
    if _holds(text, _OF_COVID):
        text = _COVID.sub("covid", text)
    if _holds(text, _OF_A_VACCINE):
        text = _VACCINE.sub("vắc xin", text)
    return " ".join(text.split())


def _holds(text: str, parts: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, parts))


def _respelt(text: str) -> str:
    """Most texts hold no word that is spelt otherwise, and are left as they are at once."""
    said = _WORD.findall(text)
    if list(map(_respell_word, said)) == said:
        return text
    return _WORD.sub(_respell, text)


def _respell(match: re.Match[str]) -> str:
    """A short word after a number is a unit or a name ("50 kg", "5 k"): its letters are left alone."""
    word = match.group()
    respelt = _respell_word(word)
    if respelt == word:
        return word
    start = match.start()
    before = match.string[max(0, start - 2) : start].rstrip()
    return word if before[-1:].isdigit() else respelt


@lru_cache(maxsize=50_000)
def _respell_word(word: str) -> str:
    return one_word(word) or _place_tone(word)


def _place_tone(word: str) -> str:
    """The tone on the vowel where older spelling puts it: hoà → hòa, thuỷ → thủy, qúy → quý, thúôc → thuốc."""
    if len(word) > 8 or word.isascii():
        return word
    if "ñ" in word:  # Ê Đê and Gia Rai: its tilde is no tone
        return word
    split = unicodedata.normalize("NFD", word)
    tones = [mark for mark in split if mark in TONES]
    if len(tones) != 1:
        return word
    bare = unicodedata.normalize("NFC", split.replace(tones[0], ""))
    syllable = _SYLLABLE.fullmatch(bare)
    if syllable is None:
        return word
    at = syllable.start(2) + _tone_index(syllable.group(2), closed=syllable.group(3) is not None)
    return unicodedata.normalize("NFC", bare[: at + 1] + tones[0] + bare[at + 1 :])


def _tone_index(vowels: str, *, closed: bool) -> int:
    """Which vowel of the group carries the tone: the last marked one, else by the length of the group."""
    marked = [i for i, letter in enumerate(vowels) if letter in "ăâêôơư"]
    if marked and not (vowels == "ưa" or vowels == "ưu"):
        return marked[-1]
    if len(vowels) == 1 or vowels in {"ưa", "ưu"}:
        return 0
    if len(vowels) == 3:
        return 1
    return 1 if closed else 0


def _visible(text: str) -> str:
    """Without control, format and surrogate code points; lines and tabs become spaces."""
    if text.isprintable():
        return text
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if character in _SPACES:
        return " "
    return "" if unicodedata.category(character) in _INVISIBLE else character


def _cap(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    half = MAX_CHARACTERS // 2
    start, end = text[:half], text[-half + 1 :]
    # Not inside a word, so that no half of a word turns into another word.
    start = start[: start.rfind(" ")] if " " in start else start
    end = end[end.find(" ") + 1 :] if " " in end else end
    return f"{start} {end}"


def _without_latin_marks(text: str) -> str:
    if text.isascii():
        return text
    return _LATIN_WITH_MARKS.sub("", text)


def _ascii_table() -> dict[int, str]:
    """Every precomposed Latin letter → its letter without marks; đ and ƀ have no decomposition and are named."""
    table = {ord("đ"): "d", ord("Đ"): "D", ord("ƀ"): "b", ord("Ƀ"): "B"}
    for code in (*range(0x00C0, 0x0250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base != chr(code) and base.isascii():
            table[code] = base
    return table


_TO_ASCII = _ascii_table()
_LATIN_WITH_MARKS = re.compile("[\u0300-\u036f]+")
