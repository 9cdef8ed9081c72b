"""Messages as they are typed on phones, made from clean ones: for measuring how well a citizen in a hurry is understood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from random import Random

Words = list[str]
Slip = Callable[[str, Random], str]

LEAST_SHARE, MOST_SHARE = 0.25, 0.35
SHORTEST_WORD_TO_SLIP_IN = 4

# Chat spellings a Vietnamese reader knows at sight; several words may become one. Not taken from bot/languages/normalise.py:
# a test that borrowed its table would only ever ask what is known already.
CHAT_SPELLINGS = {
    "không": ("ko", "k", "hok", "kg", "hong", "khong", "hông", "hem"),
    "không biết": ("ko bít", "k bt", "khg biết"),
    "được": ("dc", "đc", "đk", "dk", "đuoc"),
    "gì": ("j", "ji", "zì"),
    "rồi": ("r", "rùi", "gòi"),
    "với": ("vs", "zới", "vơi"),
    "biết": ("bít", "bik", "biêt"),
    "bao nhiêu": ("bnhiu", "bn", "bao nhiu", "nhiu"),
    "bao lâu": ("bn lâu", "bao lau", "bao lâuu"),
    "như thế nào": ("ntn", "như nào", "thế nào", "nhu the nao"),
    "thế nào": ("tn", "sao", "thế nèo"),
    "làm sao": ("lm sao", "lsao", "làm s"),
    "tại sao": ("ts", "tại s", "tsao"),
    "vậy": ("z", "v", "zậy", "dậy"),
    "mình": ("mik", "mk", "mìn"),
    "người": ("ng", "ngừi", "ngươi", "nguoi"),
    "trước": ("trc", "trướt", "truoc"),
    "cũng": ("cx", "cũg", "cug"),
    "những": ("nhữg", "nhug"),
    "nhiều": ("nhìu", "nhiu", "nhieu"),
    "bác sĩ": ("bs", "bsi", "bác sỉ", "bác sỹ", "bac si"),
    "xét nghiệm": ("xn", "xét ngiệm", "xet nghiệm"),
    "bệnh viện": ("bv", "bviện", "bịnh viện"),
    "bệnh": ("bịnh", "bênh"),
    "quá": ("qá", "wa", "quáa"),
    "bây giờ": ("h", "bjo", "bi giờ", "bây h"),
    "giờ": ("h", "zờ", "gio"),
    "hôm nay": ("hnay", "hum nay", "nay"),
    "hôm qua": ("hqua", "hum qua", "hq"),
    "điện thoại": ("đt", "dt", "đthoại"),
    "số điện thoại": ("sđt", "sdt"),
    "mọi người": ("mn", "mng", "mọi ng"),
    "đăng ký": ("đk", "dki", "đăng kí"),
    "công ty": ("cty", "cti", "ct"),
    "thành phố": ("tp", "t.phố"),
    "nhà nước": ("nn", "nhà nc"),
    "nước": ("nc", "nươc"),
    "bảo hiểm y tế": ("bhyt", "bhiểm y tế"),
    "bảo hiểm": ("bh", "bhiểm"),
    "kết quả": ("kq", "kết qả"),
    "khẩu trang": ("kt", "khẩu trag", "khau trang"),
    "cách ly": ("cách li", "cly", "cach ly"),
    "tiêm chủng": ("tiêm chũng", "tc"),
    "triệu chứng": ("tr chứng", "triệu trứng"),
    "em": ("e", "iem"),
    "anh": ("a", "ah"),
    "chị": ("c", "chj"),
    "cháu": ("chau", "chaú"),
    "tôi": ("toi", "t", "tui"),
    "vợ": ("vk",),
    "chồng": ("ck",),
    "đang": ("đg", "đag", "dang"),
    "làm": ("lm", "lam"),
    "thì": ("thi", "thỳ"),
    "nhà": ("nha",),
    "nữa": ("nx", "nửa"),
    "đi": ("ik", "di"),
    "luôn": ("lun", "luon"),
    "thôi": ("thui", "thoy"),
    "muốn": ("mún", "muon"),
    "uống": ("ún", "uog"),
    "chưa": ("chua", "chưaa", "ch"),
    "trong": ("trog", "tr"),
    "phải": ("fải", "phai", "pải"),
    "vì": ("zì", "vi"),
    "cảm ơn": ("tks", "cam on", "cám ơn", "camon"),
    "giúp": ("gíup", "giup", "júp"),
    "tuổi": ("tủi", "tuoi", "tuỏi"),
    "tháng": ("th", "thág"),
    "ngày": ("ngay", "ngàyy"),
    "triệu": ("tr", "triu"),
    "nghìn": ("k", "ngàn"),
}
TOPIC_SPELLINGS = {
    "vắc xin": ("vx", "vacxin", "vắcxin", "vac xin", "văc xin", "vaxin", "vắc-xin", "vacin"),
    "vaccine": ("vacxin", "vacine", "vaccin", "vắc xin", "vx"),
    "vacxin": ("vắc xin", "vx", "vac-xin"),
    "covid": ("cô vít", "covit", "cô vy", "ncov", "covd", "kovid", "covid19", "cô-vít"),
    "corona": ("côrôna", "corna", "cô rô na"),
    "virus": ("virut", "vi rút", "vi-rut", "virur"),
    "pfizer": ("phizer", "fizer", "pfize"),
    "moderna": ("modena", "mô đéc na"),
    "astrazeneca": ("astra", "az", "astrazenca"),
    "omicron": ("ô mi cờ rôn", "omicrom", "omycron"),
    "delta": ("đenta", "den ta"),
    "test": ("tét", "tets"),
}
# Typed without marks these words are others too (`vay`: a loan, `cung`: a bow), so there they stay as they are.
_READ_TWO_WAYS = re.compile(
    "anh|chau|chi|chong|chua|cung|dang|di|em|gio|lam|ngay|nha|nhung|nua|nuoc|thang|thi|thoi|toi|trong|vay|vi|vo"
)

_PARTS = re.compile(r"[^\W\d_]+|[\W\d_]+")
_COMMA_OR_STOP_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])([,.]) (?=[^\W\d_])")
_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_TONES = {_ACUTE: "s", _GRAVE: "f", _HOOK: "r", _TILDE: "x", _DOT: "j"}
_SHAPES = {"\u0302": "", "\u031b": "w", "\u0306": "w"}
_OPEN_PAIRS = ("oa", "oe", "uy")
_CLIPS = tuple(
    (re.compile(long, re.IGNORECASE), short)
    for long, short in ((r"^ph(?=.)", "f"), (r"^qu(?=.)", "q"), (r"(?<=..)n(?=[gh]$)", ""))
)
_LIKE_SOUNDS = (("ch", "tr"), ("tr", "ch"), ("s", "x"), ("x", "s"), ("l", "n"), ("n", "l"))


def noisy(text: str, seed: int) -> str:
    """`text` as somebody in a hurry types it; the same text and seed give the same message, on every machine.

    A quarter to a third of the words change, most of them into chat spellings (a fifth to a quarter where the text has no
    marks to lose). ``Bác sĩ cho em hỏi tiêm vắc xin rồi có được uống bia không?`` becomes, with the seeds 2, 6, 9 and 11:

    - ``Bsi cho em hỏi tiêm vắc xin rồi có đuoc ún bia hok?``
    - ``BÁC SĨ CHO IEM HỎI TIÊM VAC XIN R CÓ DC UỐNG BIA KHÔNG?``
    - ``bác sỉ cho e hỏi tiêm vắc xin rồi có được ún bia hông?``
    - ``Bac si cho em hỏi tiêm vắc xin rồi có đuoc unốg bia không?``

    Any `str` is taken and never fails; letters come back composed (NFC). What holds no words comes back as it was, but for
    a question mark; a text with anything in it never comes back empty. Numbers and the order of the words are kept.
    """
    rng = Random(seed)
    parts: Words = _PARTS.findall(unicodedata.normalize("NFC", text))
    share = rng.uniform(LEAST_SHARE, MOST_SHARE)
    places = [i for i, part in enumerate(parts) if part.isalpha()]
    left = round(len(places) * share)
    untouched = _slip(parts, places, rng)
    left -= len(places) - len(untouched)
    left -= _shorten(parts, untouched, left, rng)
    _simplify(parts, untouched, left, rng)
    return _punctuated_and_cased("".join(parts), rng)


def _slip(parts: Words, places: Iterable[int], rng: Random) -> list[int]:
    """What fingers and ears do to single words, each in its own small share of them; the places left as they were."""
    untouched = []
    for place in places:
        word = parts[place]
        parts[place] = _slipped(word, rng)
        if parts[place] == word:
            untouched.append(place)
    return untouched


def _slipped(word: str, rng: Random) -> str:
    chance = rng.random()
    for slip, share in SLIPS.items():
        if chance < share:
            return slip(word, rng)
        chance -= share
    return word


def mistyped(word: str, rng: Random) -> str:
    """A letter dropped, doubled, or swapped with its neighbour: `nghiệm` → `nghệm`, `ngghiệm`, `ngihệm`."""
    if len(word) < SHORTEST_WORD_TO_SLIP_IN:
        return word
    at = rng.randrange(1, len(word) - 1)
    here, after = word[at], word[at + 1]
    return word[:at] + rng.choice((after, here * 2 + after, after + here)) + word[at + 2 :]


def in_telex(word: str, _rng: Random) -> str:
    """The keys instead of the letters, as when the keyboard was not set to Vietnamese: `được` → `dduwowcj`."""
    keys: list[str] = []
    tone = ""
    for letter in unicodedata.normalize("NFD", word.replace("đ", "dd").replace("Đ", "Dd")):
        if letter in _TONES:
            tone = _TONES[letter]
        elif letter in _SHAPES:
            keys.append(_SHAPES[letter] or "".join(keys[-1:]).lower())
        else:
            keys.append(letter)
    return unicodedata.normalize("NFC", "".join(keys)) + tone


def with_the_other_rising_tone(word: str, _rng: Random) -> str:
    """Hỏi for ngã and ngã for hỏi: `nghỉ` → `nghĩ`, `cũng` → `củng`."""
    swapped = unicodedata.normalize("NFD", word).translate({ord(_HOOK): _TILDE, ord(_TILDE): _HOOK})
    return unicodedata.normalize("NFC", swapped)


def with_the_tone_moved(word: str, _rng: Random) -> str:
    """`hòa` → `hoà`, `thuý` → `thúy`: the tone on the other vowel of an open syllable."""
    split = unicodedata.normalize("NFD", word)
    tone = next((letter for letter in split if letter in _TONES), "")
    bare = split.replace(tone, "") if tone else split
    if not tone or not bare.lower().endswith(_OPEN_PAIRS):
        return word
    moved = f"{bare[:-1]}{tone}{bare[-1]}" if split.endswith(tone) else f"{bare}{tone}"
    return unicodedata.normalize("NFC", moved)


def with_a_like_sound(word: str, _rng: Random) -> str:
    """`sốt` → `xốt`, `chỗ` → `trỗ`, `lo` → `no`: what sounds alike in one region or another. `nh`, `ng` do not."""
    lower = word.lower()
    for begins, becomes in _LIKE_SOUNDS:
        if lower.startswith(begins) and not lower.startswith(("nh", "ng")):
            return _cased_like(word, becomes + lower[len(begins) :])
    return word


# How often each is tried; where it finds nothing to do the word stays. Fingers slip in one of 25 words, though only in long
# ones, and one in 40 is telex, though only among marked ones.
SLIPS: dict[Slip, float] = {
    mistyped: 0.1,
    in_telex: 0.035,
    with_the_other_rising_tone: 0.08,
    with_the_tone_moved: 0.3,
    with_a_like_sound: 0.01,
}


def _shorten(parts: Words, untouched: list[int], most: int, rng: Random) -> int:
    """Chat and topic spellings at `most` so many words; how many words gave way. Takes their places from `untouched`."""
    free, changed = set(untouched), 0
    for place in rng.sample(untouched, len(untouched)):
        for length in (4, 3, 2, 1):
            run = range(place, place + 2 * length - 1, 2)
            ways = _ways_to_write(parts, run, free)
            if ways and changed + length <= most and rng.random() < 0.85:  # nobody shortens everything
                parts[place] = _cased_like(parts[place], rng.choice(ways))
                for later in range(place + 1, run[-1] + 1):
                    parts[later] = ""
                free.difference_update(run)
                changed += length
                break
    untouched[:] = sorted(free)
    return changed


def _ways_to_write(parts: Words, run: range, free: set[int]) -> tuple[str, ...]:
    """Other spellings of the words at these places, if they stand there with single spaces between and nothing was done to them."""
    if not free.issuperset(run) or any(parts[place + 1] != " " for place in run[:-1]):
        return ()
    typed = " ".join(parts[place] for place in run).lower()
    return tuple(way for way in SPELLINGS.get(typed, ()) if way != typed)


def _simplify(parts: Words, places: list[int], most: int, rng: Random) -> None:
    """The rest of the share: words without their tone, without any mark, or with fewer letters, between words in full."""
    for place in rng.sample(places, len(places)):
        word = parts[place]
        simpler = sorted({without_marks(word), _without_tone(word), clipped(word)} - {word})
        if simpler and most > 0:
            parts[place] = rng.choice(simpler)
            most -= 1


def without_marks(word: str) -> str:
    """`được` → `duoc`; other scripts lose their combining marks too."""
    split = unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in split if not unicodedata.combining(letter)) or word


def clipped(word: str) -> str:
    """One letter for two: `phải` → `fải`, `quên` → `qên`, `trong` → `trog`, `nhanh` → `nhah`."""
    for long, short in _CLIPS:
        word = long.sub(short, word)
    return word


def _without_tone(word: str) -> str:
    kept = (letter for letter in unicodedata.normalize("NFD", word) if letter not in _TONES)
    return unicodedata.normalize("NFC", "".join(kept)) or word


def _punctuated_and_cased(text: str, rng: Random) -> str:
    text = _COMMA_OR_STOP_BETWEEN_WORDS.sub(lambda found: found[1] + ("" if rng.random() < 0.3 else " "), text)
    if rng.random() < 0.5:
        text = text.rstrip("? ") or text
    case = rng.random()
    return text.lower() if case < 0.3 else text.upper() if case < 0.36 else text


def _cased_like(old: str, new: str) -> str:
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[0].upper() + new[1:] if old[:1].isupper() else new


def _with_bare_keys(spellings: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The same for who types without marks, and then shortens without marks too."""
    bare = {without_marks(written): tuple(map(without_marks, ways)) for written, ways in spellings.items()}
    return {written: ways for written, ways in bare.items() if not _READ_TWO_WAYS.fullmatch(written)} | spellings


SPELLINGS = _with_bare_keys(CHAT_SPELLINGS | TOPIC_SPELLINGS)
