"""What names a person is gone before a question is stored for learning; what it asks about stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy.masking import LONGEST, without_names

NAMES = [
    ("Tôi tên là Nguyễn Văn Bình, hỏi lịch tiêm", "Tôi tên là [tên], hỏi lịch tiêm"),
    ("toi ten nguyen van binh o buon ma thuot hoi tiem vac xin", "toi ten [tên] o buon ma thuot hoi tiem vac xin"),
    ("em là Hoa bị sốt 3 ngày", "em là [tên] bị sốt 3 ngày"),
    ("con tôi tên Gia Bảo 5 tuổi tiêm được chưa", "con tôi tên [tên] 5 tuổi tiêm được chưa"),
    ("mẹ em tên Trần Thị Lan năm nay 70 tuổi bị tim", "mẹ em tên [tên] năm nay 70 tuổi bị tim"),
    ("họ tên: LE THI HOA, 1990", "họ tên: [tên], 1990"),
    ("Chị Hoa dương tính", "Chị [tên] dương tính"),
    ("cho hỏi nguyen thi lan dong da tiem chua", "cho hỏi [tên] da tiem chua"),
    ("chị lan ở nhà một mình sốt cao", "chị [tên] ở nhà một mình sốt cao"),
    ("cho hỏi chi lan o cu dong da tiem chua", "cho hỏi chi [tên] o cu dong da tiem chua"),
    ("anh tuấn anh hùng là F0", "anh [tên] anh [tên] là F0"),
    ("bác sĩ hùng khám cho cháu", "bác sĩ [tên] khám cho cháu"),
    ("bác sĩ Hùng khám cho cháu", "bác sĩ [tên] khám cho cháu"),
    ("con gai Minh Anh sot", "con gai [tên] sot"),
    ("Y Bhin Mlô 60 tuổi", "[tên] 60 tuổi"),
    ("H'Hen Niê sốt cao", "[tên] sốt cao"),
    ("ông Y Nuê hỏi", "ông [tên] hỏi"),
    ("H Hen Niê hỏi", "[tên] hỏi"),
    ("em là sinh viên tên Trang", "em là sinh viên tên [tên]"),
    ("my name is john Smith, where to test", "my name is [tên], where to test"),
    ("I am Anna Lee and I have a fever", "I am [tên] and I have a fever"),
    ("ខ្ញុំឈ្មោះ សុខ", "ខ្ញុំឈ្មោះ [tên]"),
    ("kuv lub npe hu ua Xeeb Vaj xav nug", "kuv lub npe hu ua [tên] xav nug"),
]
NUMBERS = [
    ("sđt 0905 123 678 nhé", "sđt [điện thoại] nhé"),
    ("gọi +84 905.123.678", "gọi [điện thoại]"),
    ("0905123678", "[điện thoại]"),
    ("gọi em 09O5123678", "gọi em [điện thoại]"),
    ("o905 12 36 78", "[điện thoại]"),
    ("mã OTP 482913 này", "mã OTP [số] này"),
    ("mật khẩu của em là 12abc34", "mật khẩu của em là [số]"),
    ("nhắn @hoanguyen nhé", "nhắn [tài khoản] nhé"),
    ("fb Hoa Nguyen 99 nhắn tin", "fb [tài khoản] nhắn tin"),
    ("cccd 066123456789", "cccd [giấy tờ]"),
    ("cmnd 240 123 456", "cmnd [giấy tờ]"),
    ("bhyt DN4 01 01 234 56789", "bhyt [giấy tờ]"),
    ("hộ chiếu B1234567", "hộ chiếu [giấy tờ]"),
    ("stk 19034567 890123", "stk [số]"),
    ("không chín không năm một hai ba sáu bảy tám gọi em", "[số] gọi em"),
    ("thư an.nguyen@example.org", "thư [thư]"),
    ("thư an . nguyen @ example . org", "thư an . [thư]"),
    ("xe 47B1-123.45 có qua chốt được không", "xe [biển số] có qua chốt được không"),
    ("sinh ngày 12/3/1985", "sinh ngày [ngày sinh]"),
    ("zalo: hoanguyen99 nhé", "zalo: [tài khoản] nhé"),
    ("https://facebook.com/nguyen.van.a?token=1 đúng không", "[liên kết facebook.com] đúng không"),
    ("https://soyte.daklak.gov.vn/-/bai-viet?x=1", "[liên kết daklak.gov.vn]"),
    ("nguyenvana.blogspot.com/tin", "[liên kết blogspot.com]"),
]
ADDRESSES = [
    ("số nhà 12 đường Lê Duẩn, xã Ea Tu", "[địa chỉ], xã Ea Tu"),
    ("so nha 12 le duan xa ea tu", "[địa chỉ] xa ea tu"),
    ("nhà ở hẻm 12/4 đường Nguyễn Huệ", "nhà ở [địa chỉ] [địa chỉ]"),
    ("12/3 Nguyễn Huệ có chốt", "[tên] có chốt"),
    ("nhà em ở số 12 đường Lê Duẩn, hỏi", "nhà em ở số [địa chỉ], hỏi"),
    ("o so 12B, duong Le Duan co chot", "o so [địa chỉ] co chot"),
    ("tiêm mũi 3 thôn 5", "tiêm mũi 3 [địa chỉ]"),
    ("ở buôn Ako Dhong", "ở [địa chỉ]"),
    ("ở tổ 5 phường Tân Lập", "ở [địa chỉ] phường Tân Lập"),
    ("địa chỉ: 5 Y Jút, phường Tân Lập", "[địa chỉ], phường Tân Lập"),
]
KEPT = [
    "tôi là giáo viên trường Lê Lợi muốn tiêm",
    "tôi là F0 cách ly mấy ngày",
    "Tên thuốc Molnupiravir mua ở đâu",
    "tên vắc xin là gì",
    "Em tên là gì vậy",
    "bạn tên gì",
    "hôm nay 11.624.000 ca hả? gọi 1900 9095 hay 115",
    "bệnh tiểu đường có tiêm được không, đường huyết 7.2",
    "TP Hồ Chí Minh còn dịch không? Hồ Chí Minh",
    "Bệnh viện Nguyễn Tri Phương ở đâu",
    "ngày 12/03/2021 tôi tiêm mũi 1 vắc xin AstraZeneca",
    "Buôn Ma Thuột, Buôn Hồ, xã Ea Tu hôm nay bao nhiêu ca",
    "bà bầu 12 tuần sốt 38.5 có uống paracetamol được không",
    "Nghị quyết 68/NQ-CP hỗ trợ bao nhiêu",
    "I am Vietnamese, this is a question about covid",
    "quên mật khẩu PC-Covid thì làm sao lấy lại",
    "mã xác nhận tiêm mũi 2 ở đâu",
    "តើវ៉ាក់សាំងឈ្មោះអ្វី",
    "lub npe hu ua li cas",
    "o o o o o o o o",
    "bé hai tuổi sốt, cháu tâm thần, bà hoa mắt chóng mặt, em bình thường",
    "chau hai tuoi, em lan dau tiem, chi lan dau tiem, bi anh huong gi, co hoa mat khong",
    "ông bảo là em liên hệ trạm, cháu thu thập gì",
    "chị phong tỏa rồi hả, chị bình tĩnh, em việt nam",
    "facebook của Sở Y tế là gì",
]


@pytest.mark.parametrize(("text", "masked"), NAMES + NUMBERS + ADDRESSES)
def test_what_names_a_person_is_gone(text: str, masked: str) -> None:
    assert without_names(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_what_a_question_asks_about_stays(text: str) -> None:
    assert without_names(text) == text


@given(st.text(max_size=300))
def test_any_text_is_masked_without_an_error_and_shows_no_long_number(text: str) -> None:
    masked = without_names(text)
    assert not re.search(r"(?<![\d.\w])0\d{8,}(?![\d\w])", masked)


@given(
    st.from_regex(r"0[35789]\d{8}", fullmatch=True),
    st.sampled_from(["", " ", ".", "-"]),
    st.sampled_from(["sđt {}", "{} gọi em", "({})"]),
)
def test_no_mobile_number_stays_however_it_is_written(number: str, separator: str, around: str) -> None:
    written = separator.join([number[:4], number[4:7], number[7:]])
    masked = without_names(around.format(written))
    assert not re.search(r"\d", masked), masked


def test_a_pasted_page_is_cut_and_nul_bytes_are_dropped() -> None:
    assert len(without_names("\x00a " * 10_000)) <= LONGEST
    assert "\x00" not in without_names("\x00a")
