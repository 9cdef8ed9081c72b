"""Which figure a question asks for: "hôm nay", "tuần trước", "từ đầu dịch", "so với tuần trước", how many fell ill or died.

Pure, linear in the length of the text. Read only after the model has understood that a figure is asked: a word that means
something else elsewhere ("tăng", "mất") is taken at its meaning here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from bot.languages.normalise import normalise, with_and_without_marks

Period = Literal["today", "yesterday", "week", "last_week", "month", "total", "latest"]
Doses = Literal["doses", "people"]


@dataclass(frozen=True)
class Wanted:
    """What a question about figures says besides its place.

    `period` is None when it names none, `metrics` and `doses` are empty when neither or nothing is named.
    `is_other_time`: a date, a month or a year of its own; `is_other_count`: patients,
    recovered, a third dose …, which no official source that Loa reads tells; `is_share`: a percentage; `is_home`: "tỉnh mình".
    """

    period: Period | None = None
    is_compared: bool = False
    metrics: tuple[str, ...] = ()
    doses: Doses | None = None
    is_country: bool = False
    is_home: bool = False
    is_abroad: bool = False
    is_other_time: bool = False
    is_other_count: bool = False
    is_share: bool = False
    is_picture: bool = False

    def after(self, earlier: Wanted) -> Wanted:
        """A short question after another one ("còn Thanh Hóa?", "so với tuần trước?"): what it does not say stands as before."""
        return replace(
            self,
            period=self.period or earlier.period,
            is_compared=self.is_compared or earlier.is_compared,
            metrics=self.metrics or earlier.metrics,
            doses=self.doses or earlier.doses,
        )


def wanted(text: str) -> Wanted:
    """Read one message, typed with or without diacritics."""
    said = _WHOLE.sub("; ", spelt := normalise(text))
    compared = _COMPARED_WITH.sub(" ; ", said)
    return Wanted(
        period=_period(compared),
        is_compared=compared != said or _has(_COMPARES, said),
        metrics=_metrics(said),
        doses=_doses(said),
        is_country=_has(_COUNTRY, spelt),
        is_home=_has(_HOME, spelt),
        is_abroad=_has(_ABROAD, spelt),
        is_other_time=_has(_OTHER_TIME, compared),
        is_other_count=_has(_OTHER_COUNT, said),
        is_share=_has(_SHARE, spelt),
        is_picture=_has(_PICTURE, spelt),
    )


def _of(*phrases: str) -> re.Pattern[str]:
    """Whole words, marked or bare; `!tổng` only as written."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(with_and_without_marks, phrases))})(?!\w)")


def _has(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.search(text) is not None


_NOW = "(?:ngày )?(?:hôm|bữa|sáng|trưa|chiều|tối|hiện) nay|nay|bây giờ|giờ|lúc này|hiện tại|thời điểm (?:này|hiện tại|hiện nay)"
# "cả nước" typed "ca nuoc" is no "ca" (case); nor are the whole province, week, month. "so ca tuan nay" is.
_WHOLE = re.compile(
    r"(?<!\w)(?<!so )(?:cả|ca) (?=(?:nước|nuoc|tỉnh|tinh|tuần|tuan|tháng|thang)(?!\w))|(?<!\w)(?:tất cả|tat ca)(?!\w)"
)
_COUNTRY = _of("cả nước", "toàn quốc", "việt nam", "vn", "nước (?:mình|ta|nhà)", "trong nước", "trên cả nước")
_HOME = _of(
    "(?:tỉnh|huyện|xã|phường|thành phố|buôn|thôn|vùng|!chỗ|khu) (?:mình|ta|tôi|tui|em|này|nhà|tớ|chúng tôi|tụi em|ni|nớ)",
    "(?:cả|toàn|trong|của) tỉnh(?! nào)",
    "tỉnh (?:hiện|đã|có|nhận|công bố)",
    "quê (?:mình|tôi|tui|em|nhà|cháu)",
    "ở đây",
)
_ABROAD = _of(
    "thế giới",
    "toàn cầu",
    "(?:bao nhiêu|các|nhiều|mấy) (?:quốc gia|nước)",
    "!mỹ|nhật bản|hàn quốc|trung quốc|!lào(?! cai)|campuchia|thái lan|ấn độ|singapore|đài loan|châu (?:âu|á|phi|mỹ)",
    "nước ngoài",
)
_PICTURE = _of("biểu đồ", "đồ thị", "bảng số liệu", "đường cong", "diễn biến")

# What is compared with, taken away before the period is read: "so với tuần trước" asks about this week.
_BEFORE = (
    "(?:ngày )?hôm (?:qua|trước|kia)|(?:mấy |vài )?(?:ngày|tuần|tháng) (?:liền )?(?:trước đó|trước|qua|rồi|vừa rồi|vừa qua)|"
    "cùng kỳ(?: năm (?:ngoái|trước))?|năm (?:ngoái|trước)|(?:hồi|dạo|đợt|lúc) trước"
)
_COMPARED_WITH = _of(
    f"so (?:sánh )?với (?:thời điểm |cùng kỳ |số ca |số liệu |hồi |của )*(?:{_BEFORE})",
    "với (?:của )?(?:tuần|tháng|ngày) (?:liền )?trước",
    "với hôm (?:qua|trước)",
)
_COMPARES = _of(
    "so với", "so sánh", "tăng", "giảm", "nhiều hơn", "ít hơn", "(?:đi |đang )?lên hay(?: đi| đang)? xuống", "gấp (?:mấy|đôi|ba)"
)

# In this order: "mấy hôm nay" is no "hôm nay", "từ đầu tháng đến nay" is no total.
_FIRST: tuple[tuple[Period, re.Pattern[str]], ...] = (
    ("today", _of(f"từ (?:sáng|trưa|khuya|đêm qua) (?:đến|tới) (?:{_NOW})")),
    ("week", _of(f"từ đầu tuần(?: (?:đến|tới) (?:{_NOW}))?")),
    ("month", _of(f"từ đầu tháng(?: (?:đến|tới) (?:{_NOW}))?")),
    (
        "week",
        _of(
            "(?:mấy|vài|bảy|7|những) (?:hôm|bữa|bựa|ngày|bửa)(?: gần)? (?:nay|ni|rày|đây|qua|nhất|vừa qua|vừa rồi|liền)",
            "dạo (?:này|ni|gần đây)",
        ),
    ),
)
# A total so far: "đến nay", "đến hôm nay" must go before "hôm nay" is looked for.
_SO_FAR = _of(
    f"(?:tính |kể |cho |cập nhật )?(?:đến|tới|tính) (?:{_NOW})",
    "từ (?:đầu|khi có|khi bắt đầu|lúc có|hồi có|lúc bắt đầu)(?: mùa| đợt| đại)? dịch",
    "từ trước (?:đến|tới) (?:nay|giờ)",
    "từ đầu(?! (?:năm|nam|tháng|thang|tuần|tuan))",
)
_PERIODS: tuple[tuple[Period, re.Pattern[str]], ...] = (
    ("yesterday", _of("(?:hôm|bữa|ngày hôm|tối|chiều|sáng|đêm) qua", "qua nay")),
    (
        "today",
        _of(
            "(?:hôm|bữa|sáng|trưa|chiều|tối|đêm) (?:nay|ni|rày)",
            "nay (?:có|thêm|mấy|bao|ra|tăng)",
            "trong ngày",
            "(?:24|hai mươi tư|hai mươi bốn) ?(?:h|giờ|tiếng)",
            "(?:một|1) ngày (?:qua|vừa qua|nay)",
        ),
    ),
    ("last_week", re.compile("(?<!cuối )(?<!cuoi )" + _of("tuần (?:liền )?(?:trước|qua|rồi|vừa rồi|vừa qua|kia)").pattern)),
    ("week", re.compile("(?<!cuối )(?<!cuoi )" + _of("tuần").pattern)),
    ("week", _of("(?:bảy|7) ngày", "gần đây", "mới đây")),
    ("month", _of("tháng(?! ?\\d)", "(?:30|ba mươi) ngày")),
)
_TOTAL = _of("tổng cộng", "tổng số", "!tổng", "tong ca", "lũy kế", "cộng dồn", "toàn bộ")
_OTHER_TIME = re.compile(
    _of(
        "ngày \\d{1,2}(?: tháng)?",
        "tháng (?:\\d|một|hai|ba|tư|năm|sáu|bảy|tám|chín|mười)",
        "năm (?:\\d{2,4}|nay|ngoái|trước|kia|rồi)",
        "(?:từ|hồi|cả|trong|suốt) (?:đầu )?năm",
        "từng (?:năm|tháng)",
        "theo năm",
        "quý",
        "đỉnh(?: dịch)?",
        "cao điểm",
        "(?:đợt|làn sóng)(?: dịch| bùng phát)? (?:\\d|thứ|đầu)",
        "thứ (?:[2-7]|hai|ba|tư|năm|sáu|bảy) (?:tuần|vừa|rồi|trước)",
    ).pattern
    + r"|(?<![\d/])\d{1,2}/\d{1,4}(?:/\d{2,4})?(?![\d/])"
)

_DEATH = "tử vong|chết|qua đời|thiệt mạng|không qua khỏi|hy sinh|(?:bị |đã )?mất (?:vì|do)|đã mất"
_DEATHS = _of(
    f"(?:số )?(?:ca bệnh|ca|người bệnh|người|bệnh nhân|trường hợp|ai|số|cụ)(?: (?:bị|đã|vừa|mới))? (?:{_DEATH}|mất|!tử)",
    _DEATH,
)
_CASES = _of(
    "ca(?! nao tu vong)", "mắc", "nhiễm", "dương tính", "f0", "dính", "bị bệnh", "bệnh nhân", "người bệnh", "người bị", "lây"
)
_OTHER_COUNT = _of(
    "khỏi(?: bệnh)?",
    "(?:ra|xuất|nhập|nằm) viện",
    "(?:đang|được) điều trị",
    "(?:ca|bệnh nhân|người|bệnh|trường hợp) (?:bệnh )?nặng",
    "nguy kịch",
    "thở (?:máy|oxy|ô xy)",
    "ecmo",
    "hồi sức",
    "trẻ em",
    "trẻ",
    "học sinh",
    "bà bầu",
    "nhân viên y tế",
    "công nhân",
    "người (?:già|cao tuổi)",
    "(?:theo|độ|trên|dưới|mấy|bao nhiêu) tuổi",
    "từ \\d+ tuổi",
    "nhập cảnh",
    "cộng đồng",
    "ổ dịch",
    "trung bình",
    "xét nghiệm",
    "mũi (?:thứ )?(?:ba|bốn|năm|3|4|5|nhắc|nhắc lại|tăng cường|bổ sung)",
    "(?:ba|3|4|5|bốn) mũi",
    "chưa (?:được )?(?:tiêm|chích)",
    "theo (?:huyện|xã|phường)",
)
_SHARE = re.compile(_of("phần trăm", "(?:tỷ|tỉ) lệ", "!phủ", "do phu", "bao phu", "mấy phần").pattern + "|%")
_PEOPLE = _of("người", "dân", "ai", "trẻ em", "học sinh", "bà con")
_DOSES = _of("liều", "mũi")


def _period(said: str) -> Period | None:
    for period, pattern in _FIRST:
        if _has(pattern, said):
            return period
    rest = _SO_FAR.sub(" ; ", said)
    for period, pattern in _PERIODS:
        if _has(pattern, rest):
            return period
    return "total" if rest != said or _has(_TOTAL, said) else None


def _metrics(said: str) -> tuple[str, ...]:
    rest = _DEATHS.sub(" ; ", said)
    asks_deaths, asks_cases = rest != said, _has(_CASES, rest)
    return (*(("cases",) if asks_cases else ()), *(("deaths",) if asks_deaths else ()))


def _doses(said: str) -> Doses | None:
    people, doses = _has(_PEOPLE, said), _has(_DOSES, said)
    return None if people == doses else "people" if people else "doses"
