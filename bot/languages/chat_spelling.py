"""Chat spellings of Vietnamese written out: by the word, by how its letters stand, and by the words around it.

Only what a reader knows at sight is written out. What reads two ways stays, unless a neighbour decides: `đk không` asks
whether one may (được), `đk tiêm` is to register (đăng ký). The texts are lower case and NFC already.
"""

from __future__ import annotations

import re
import unicodedata

# As whole words only. Left out on purpose: what reads two ways (hn = hôm nay / Hà Nội, bt = biết / bình thường); bn, đk and hong
# are read by their neighbours below.
CHAT_SPELLINGS = {
    **dict.fromkeys(("ko", "k", "kh", "kg", "hok", "hk", "hem", "khum", "kô", "khg", "hôk", "khôg", "hông"), "không"),
    **dict.fromkeys(("dc", "đc", "dx", "đx", "đuoc", "dươc", "đươc", "đuợc"), "được"),
    **dict.fromkeys(("đk", "đki", "dki", "đkí", "đky", "dky", "đký"), "đăng ký"),
    **dict.fromkeys(("bik", "bít", "bjt", "pít", "bjk"), "biết"),
    **dict.fromkeys(("mk", "mik", "mìk"), "mình"),
    **dict.fromkeys(("trc", "trk"), "trước"),
    **dict.fromkeys(("thanks", "thank", "tks", "thks", "thx", "camon"), "cảm ơn"),
    **dict.fromkeys(("okie", "oke", "okê", "okela", "okay", "oki"), "ok"),
    **dict.fromkeys(("bs", "bsi", "bsĩ"), "bác sĩ"),
    **dict.fromkeys(("sđt", "sdt"), "số điện thoại"),
    **dict.fromkeys(("z", "zậy", "zay"), "vậy"),
    **dict.fromkeys(("cx", "cug", "cũg"), "cũng"),
    **dict.fromkeys(("đag", "dag", "đg"), "đang"),
    **dict.fromkeys(("nhìu", "nhju"), "nhiều"),
    **dict.fromkeys(("ng", "ngừi"), "người"),
    **dict.fromkeys(("bnhiêu", "bnhieu", "baonhieu", "bnhiu"), "bao nhiêu"),
    **dict.fromkeys(("ntn", "nhtn"), "như thế nào"),
    **dict.fromkeys(("lsao", "lmsao"), "làm sao"),
    **dict.fromkeys(("mn", "mng"), "mọi người"),
    **dict.fromkeys(("wa", "qá"), "quá"),
    **dict.fromkeys(("j", "ji", "jì", "zì", "gj"), "gì"),
    **dict.fromkeys(("vs", "zới"), "với"),
    "lm": "làm",
    "s": "sao",
    **dict.fromkeys(("r", "rùi", "gòi", "roài"), "rồi"),
    **dict.fromkeys(("uốg", "uog", "ún"), "uống"),
    "iem": "em",
    "mún": "muốn",
    "thỳ": "thì",
    "zờ": "giờ",
    "zề": "về",
    "zợ": "vợ",
    "zô": "vô",
    "bịnh": "bệnh",
    "triu": "triệu",
    "cly": "cách ly",
    "bjo": "bây giờ",
    "trog": "trong",
    "xog": "xong",
    "đúg": "đúng",
    "thág": "tháng",
    "nhữg": "những",
    "nx": "nữa",
    "ik": "đi",
    "lun": "luôn",
    "thui": "thôi",
    "thik": "thích",
    "hnay": "hôm nay",
    "hqua": "hôm qua",
    "xn": "xét nghiệm",
    "kq": "kết quả",
    **dict.fromkeys(("bv", "bviện", "bvien"), "bệnh viện"),
    "bhyt": "bảo hiểm y tế",
    "cty": "công ty",
    "ktx": "ký túc xá",
    "cmnd": "chứng minh nhân dân",
    "cccd": "căn cước công dân",
    "yte": "y tế",
    "đt": "điện thoại",
    "fo": "f0",
    "kí": "ký",
    "sỹ": "sĩ",
}

LONGEST_SYLLABLE = 7
TONES = "\u0300\u0301\u0309\u0303\u0323"  # grave, acute, hook, tilde, dot below
# Of letters taken apart: what is left of ă, ê or ư without its marks.
_VOWELS = frozenset("aeiouy")


def _after(words: str) -> str:
    return "(?:" + "|".join(f"(?<={word} )" for word in words.split()) + ")"


def _not_after(words: str) -> str:
    return "".join(f"(?<!{word} )" for word in words.split())


def _before(words: str) -> str:
    return rf"(?=\s(?:{'|'.join(words.split())})(?!\w))"


_AT_THE_END = (
    rf"(?:(?=\s*(?:$|[?!.,;]))|{_before('ạ a ta vậy vay nhỉ nhi bác bac chị chi em e ad bạn ban nè ne đó do hả ha luôn luon')})"
)
# (what must stand somewhere in the text, what is read, what it means). A pattern may not meet its own meaning again.
_BY_NEIGHBOURS = tuple(
    (hint, re.compile(rf"(?<!\w){pattern}"), meant)
    for hint, pattern, meant in (
        ("cám ơn", r"cám ơn(?!\w)", "cảm ơn"),
        ("cam on", r"cam on(?!\w)", "cảm ơn"),
        ("cách li", r"cách li(?!\w)", "cách ly"),
        ("cach li", r"cach li(?!\w)", "cach ly"),
        ("hum ", rf"hum{_before('nay qua kia trước truoc')}", "hôm"),
        ("nhà nc", r"nhà nc(?!\w)", "nhà nước"),
        ("tét ", rf"tét{_before('nhanh covid pcr')}", "test"),
        ("tets", r"tets(?!\w)", "test"),
        # "27 tủi", "sau 2 th", "3 tr"
        ("tủi", r"(?<=\d )tủi(?!\w)", "tuổi"),
        ("th", r"(?<=\d )th(?!\w)", "tháng"),
        ("tr", r"(?<=\d )tr(?!\w)", "triệu"),
        # "bn": bao nhiêu, or bạn
        ("bn", rf"bn{_before('lâu lau')}", "bao"),
        (
            "bn",
            "bn"
            + _before(
                "tiền tien ngày ngay ca mũi mui lần lan người nguoi ng tuổi tuoi độ giờ gio tháng thang tuần tuan liều f0 vậy"
            ),
            "bao nhiêu",
        ),
        ("bn", rf"{_after('giá hết mất tốn phạt gia het mat ton')}bn(?!\w)", "bao nhiêu"),
        # "hong": không, hồng, or họng typed without its mark
        (
            "hong",
            _not_after("đau rát sưng khô viêm ngứa dau rat sung kho viem ngua ở o trong vùng vung")
            + "hong"
            + _before("thấy thay thở tho biết biet phải phai được duoc dám dam muốn muon chịu chiu cần"),
            "không",
        ),
        ("hong", rf"{_after('được duoc nữa nua sao tốt')}hong{_AT_THE_END}", "không"),
        # "mun": muốn, or mụn typed without its mark
        (
            "mun",
            "mun"
            + _before(
                "hỏi hoi biết biet kết ket chết chet đi di tiêm tiem chích chich đăng dang xin gặp gap được duoc xét xet test"
            ),
            "muốn",
        ),
    )
)
# "đk", "dk": may one (được)? But not where it is asked whether one must register or has registered (đăng ký).
_MAY = re.compile(
    r"(?<!\w)"
    + _not_after("cần phải muốn cách có nên để can phai muon cach co nen de")
    + "(?:đk|dk)"
    + _before("không khong ko k hem hok hông hong")
)


def one_word(word: str) -> str | None:
    """What the word is short for, or how it is properly spelt; None where it is no chat spelling."""
    if known := CHAT_SPELLINGS.get(word):
        return known
    if word.isascii():
        return None
    return _with_all_letters(word)


def before_words(text: str) -> str:
    """What must be read before single words are written out."""
    return _MAY.sub("được", text) if "đk" in text or "dk" in text else text


def in_context(text: str) -> str:
    """What only the neighbours tell."""
    for hint, pattern, meant in _BY_NEIGHBOURS:
        if hint in text:
            text = pattern.sub(meant, text)
    return text


def _with_all_letters(word: str) -> str | None:
    """`fải` → `phải`, `qá` → `quá`, `ngiệm` → `nghiệm`: no Vietnamese syllable begins so."""
    if len(word) > LONGEST_SYLLABLE or word[0] not in "fqn":
        return None
    split = unicodedata.normalize("NFD", word)
    second, third = split[1:2], split[2:3]
    has_tone = any(tone in split for tone in TONES)
    if word[0] == "q" and second in _VOWELS - {"u"}:
        return f"qu{word[1:]}"
    if word[0] == "f" and second in _VOWELS and has_tone:
        return f"ph{word[1:]}"
    if word.startswith("ng") and third in {"i", "e"} and has_tone:
        return f"ngh{word[2:]}"
    return None
