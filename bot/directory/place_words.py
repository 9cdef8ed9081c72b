"""The words around a place's name that say what it is: kinds ("xã", "TP."), words of place ("ở"), people and streets."""

from __future__ import annotations

from collections.abc import Mapping

from bot.languages.normalise import fold

LEVELS = {"province": 1, "city": 2, "town": 2, "district": 2, "ward": 3, "commune": 3, "township": 3}
# What may stand before a name and the kind of place that it says.
KIND_WORDS: Mapping[tuple[str, ...], str] = {
    ("tỉnh",): "province",
    ("thành", "phố"): "city",
    ("tp",): "city",
    ("thị", "xã"): "town",
    ("tx",): "town",
    ("huyện",): "district",
    ("quận",): "district",
    ("phường",): "ward",
    ("xã",): "commune",
    ("thị", "trấn"): "township",
    ("tt",): "township",
}
# How we write a kind ourselves, and how the directory's files do.
KIND_NAMES: Mapping[str, str] = {
    "province": "tỉnh",
    "city": "thành phố",
    "town": "thị xã",
    "district": "huyện",
    "ward": "phường",
    "commune": "xã",
    "township": "thị trấn",
}
# One letter is a kind only as a capital or with a full stop: "H. Krông Pắc", "P Tân Lập".
KIND_LETTERS = {"h": "district", "q": "district", "p": "ward", "x": "commune"}
# "quan" without marks is rather quán, quản or quan, and the two provinces never had a quận.
_NO_KIND_BARE = {("quan",)}
KINDS: Mapping[tuple[str, ...], str] = {
    **{tuple(map(fold, said)): kind for said, kind in KIND_WORDS.items() if tuple(map(fold, said)) not in _NO_KIND_BARE},
    **KIND_WORDS,
}
# Typed without marks these look like a kind or a word of place: "địa phương Thanh Hóa", "cách xa Buôn Hồ", "bảo vệ mình".
NOT_AFTER = {
    "phuong": {"dia", "doi", "song"},
    "xa": {"rat", "qua", "cach", "xoi"},
    "tinh": {"hoa", "tam", "dac", "gioi"},
    "ve": {"bao"},
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLACE_WORDS = _words(
    "ở tại về đến tới từ ra vô vào lên xuống qua sang quê gốc trú vùng vực bên dưới trên ngoài trong dân người gần quanh "
    "ubnd cdc chợ"
)
# Before a name without marks only these are still a word of place rather than another word ("ra ca mau" is "ra cả máu").
PLACE_WORDS_BARE = _words("o tai ve den tu que vung xuong ubnd cdc")
PLACE_PAIRS = frozenset(
    {("y", "tế"), ("bệnh", "viện"), ("địa", "bàn"), ("y", "te"), ("benh", "vien"), ("dia", "ban"), ("khu", "vuc")}
)
PERSON_WORDS = _words("anh chị ông bà cô chú bác dì cậu mợ thím thầy tên bạn bé sĩ bs họ thị chi ong ten") | _words(
    "nguyễn trần lê phạm huỳnh phan vũ võ bùi đỗ ngô hoàng dương nguyen tran pham huynh phan vo bui ngo"
)
# Roads carry the names of provinces too; schools, companies and hamlets those of communes.
ROAD_WORDS = _words("đường phố ngõ hẻm kiệt lộ duong ngo hem")
STREET_WORDS = ROAD_WORDS | _words("trường số cầu thpt thcs học non ty thôn làng ấp xóm buôn bản khóm tổ đội thon lang xom")
# What may stand around a place in a message that names nothing but the place.
FILLERS = _words(
    "dạ vâng ạ em tôi mình tui con cháu ở tại là nhà thưa loa ad bạn ơi nhé nha nhá thì thuộc "
    "da vang a toi minh o la thua thi thuoc"
)
SMALL_WORDS_BETWEEN = _words("thuộc của ở tại thuoc cua o tai")
# After "huyện" or "tỉnh" these begin no name.
NO_NAME = _words(
    "nào gì đó này cũ mới khác mình tôi em ta nao gi do nay cu moi khac minh toi thì là thi la không có co và hay lân"
)
BEFORE_A_NAME = (
    PLACE_WORDS | PLACE_WORDS_BARE | {said[-1] for said in KINDS} | {pair[-1] for pair in PLACE_PAIRS} | frozenset(KIND_LETTERS)
)
