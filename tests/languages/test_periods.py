"""What a question about figures asks for, as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages.normalise import fold
from bot.languages.periods import wanted

SPELLINGS = pytest.mark.parametrize("spelling", [str, fold, str.upper], ids=["marked", "bare", "capitals"])


@SPELLINGS
@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("hôm nay bao nhiêu ca?", "today"),
        ("bữa ni trong xã có thêm mấy người dính cô vít", "today"),
        ("số ca mới 24h qua", "today"),
        ("dịch ở Nghi Sơn ntn r, nay thêm mấy ca", "today"),
        ("Tính từ sáng đến giờ có ca mới nào chưa?", "today"),
        ("tp hcm hôm qua mấy ca vậy", "yesterday"),
        ("số ca nhiễm mới ngày hôm qua", "yesterday"),
        ("Thanh Hóa tuần này", "week"),
        ("số ca trong 7 ngày gần đây", "week"),
        ("mấy hôm nay dịch thế nào", "week"),
        ("dạo này nhiều ca không", "week"),
        ("tuần trước bao nhiêu ca", "last_week"),
        ("trong tuần qua cả tỉnh có mấy người mất do covid", "last_week"),
        ("tuần vừa rồi có thêm mấy ca", "last_week"),
        ("tháng này đã bao nhiêu ca rồi", "month"),
        ("từ đầu tháng đến nay mấy ca", "month"),
        ("cả tháng có ai mất vì covid không", "month"),
        ("từ đầu dịch đến nay bao nhiêu ca", "total"),
        ("Tính đến hôm nay cả nước ghi nhận bao nhiêu ca", "total"),
        ("tổng cộng bao nhiêu ca", "total"),
        ("con số tiêm chủng cộng dồn", "total"),
        ("từ đầu dịch đến hôm nay chết bao nhiêu người", "total"),
        ("bao nhiêu ca rồi", None),
        ("đi chơi cuối tuần rồi mới hỏi số ca", None),
    ],
)
def test_a_period_is_understood(text: str, period: str | None, spelling: object) -> None:
    assert wanted(spelling(text)).period == period  # type: ignore[operator]


@SPELLINGS
@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("so với tuần trước", None),
        ("số ca tuần này so với tuần trước", "week"),
        ("hôm nay so với hôm qua tăng bao nhiêu", "today"),
        ("tháng này so với tháng trước ca mắc tăng gấp mấy lần", "month"),
        ("dịch đang lên hay xuống", None),
        ("so sánh giúp em số ca của tuần này với tuần trước", "week"),
    ],
)
def test_what_is_compared_with_is_not_what_is_asked(text: str, period: str | None, spelling: object) -> None:
    want = wanted(spelling(text))  # type: ignore[operator]
    assert (want.is_compared, want.period) == (True, period)


def test_a_week_alone_compares_nothing() -> None:
    assert not wanted("tuần trước bao nhiêu ca").is_compared


@SPELLINGS
@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("bao nhiêu ca mắc hôm nay", ("cases",)),
        ("bao nhiêu người nhiễm rồi", ("cases",)),
        ("bao nhiêu người chết vì covid", ("deaths",)),
        ("có bao nhiêu ca tử vong ở Hà Nội tuần này", ("deaths",)),
        ("có ai mất vì dịch không", ("deaths",)),
        ("số ca mắc và tử vong", ("cases", "deaths")),
        ("tình hình dịch hôm nay", ()),
        ("bữa nay cả nước sao rồi", ()),
    ],
)
def test_cases_and_deaths_are_told_apart(text: str, metrics: tuple[str, ...], spelling: object) -> None:
    assert wanted(spelling(text)).metrics == metrics  # type: ignore[operator]


@SPELLINGS
@pytest.mark.parametrize(
    ("text", "doses"),
    [
        ("cả nước tiêm bao nhiêu liều rồi", "doses"),
        ("đã tiêm được mấy triệu mũi", "doses"),
        ("tiêm được bao nhiêu người rồi", "people"),
        ("số người đã tiêm đủ 2 mũi", None),
        ("tiến độ tiêm chủng", None),
    ],
)
def test_doses_and_people_are_told_apart(text: str, doses: str | None, spelling: object) -> None:
    assert wanted(spelling(text)).doses == doses  # type: ignore[operator]


@SPELLINGS
@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("cả nước mấy ca", "is_country"),
        ("tỉnh mình mấy ca", "is_home"),
        ("thế giới bao nhiêu ca", "is_abroad"),
        ("bao nhiêu người khỏi bệnh", "is_other_count"),
        ("còn mấy người thở máy", "is_other_count"),
        ("bao nhiêu người tiêm mũi 3", "is_other_count"),
        ("tỷ lệ tiêm bao nhiêu phần trăm", "is_share"),
        ("năm 2022 bao nhiêu ca", "is_other_time"),
        ("ngày 20/11 mấy ca", "is_other_time"),
        ("tổng số ca từ đầu năm 2026 đến nay", "is_other_time"),
        ("cho xem biểu đồ số ca", "is_picture"),
    ],
)
def test_what_is_asked_besides_is_noticed(text: str, field: str, spelling: object) -> None:
    assert getattr(wanted(spelling(text)), field)  # type: ignore[operator]
    assert not getattr(wanted("bao nhiêu ca"), field)


@pytest.mark.parametrize("text", ["cho tôi hỏi mấy ca", "cho toi hoi may ca", "cho em hỏi số ca"])
def test_a_polite_question_is_no_own_province(text: str) -> None:
    assert not wanted(text).is_home


def test_the_whole_country_typed_bare_is_no_case() -> None:
    assert wanted("ca nuoc sao roi").metrics == ()
    assert wanted("so ca nuoc minh").metrics == ("cases",)


def test_a_follow_up_keeps_what_it_does_not_say() -> None:
    earlier = wanted("hôm nay có bao nhiêu người chết, so với tuần trước")
    later = wanted("còn Thanh Hóa?").after(earlier)
    assert (later.period, later.is_compared, later.metrics) == ("today", True, ("deaths",))
    assert wanted("còn tuần trước bao nhiêu ca?").after(earlier).period == "last_week"


@given(st.text(max_size=80))
def test_no_text_makes_it_fail(text: str) -> None:
    wanted(text)
