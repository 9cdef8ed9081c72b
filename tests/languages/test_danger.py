"""The table of danger signs: who is in danger now is told to call 115, who asks about danger is not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.languages.danger import DangerTable, asks_permission, danger_sign
from bot.languages.normalise import fold


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("mẹ tôi khó thở quá", "cannot_breathe"),
        ("ko thở đc", "cannot_breathe"),
        ("ba em thở hổng nổi", "cannot_breathe"),
        ("thở 34 lần/phút", "cannot_breathe"),
        ("F0 thở 28 lần/phút nhưng không mệt", "cannot_breathe"),
        ("nhịp thở 27, spo2 97", "cannot_breathe"),
        ("môi con tím ngắt", "blue"),
        ("vợ em bất tỉnh rồi", "unconscious"),
        ("ông nội gọi hoài không thưa", "does_not_answer"),
        ("bé nhà em co giật", "fits"),
        ("bố em đau ngực dữ dội", "chest_pain"),
        ("bé bỏ bú từ sáng", "not_waking_or_feeding"),
        ("tiêm xong sưng môi", "severe_reaction"),
        ("vừa tiêm xong thấy tê môi, chóng mặt", "severe_reaction"),
        ("spo2 của mẹ em còn 90", "low_oxygen"),
        ("oxy 95 tụt xuống 89", "low_oxygen"),
        ("kẹp tay máy báo 88", "low_oxygen"),
        ("huyết áp 80/50", "low_blood_pressure"),
        ("mạch đo được 42", "slow_pulse"),
        ("bạn con xỉu ngoài sân trường", "unconscious"),
        ("ba em lờ đờ như người mất hồn", "unconscious"),
        ("cháu sốt cao, mà giờ mê sảng", "unconscious"),
        ("ho ra máu", "bleeding"),
        ("tôi không muốn sống nữa", "suicide"),
        ("gọi cấp cứu giúp tôi", "calls_for_help"),
    ],
)
def test_danger_is_recognised(text: str, sign: str) -> None:
    assert danger_sign(text) == sign


@pytest.mark.parametrize("text", ["mẹ tôi khó thở quá", "bé nhà em co giật", "tôi không muốn sống nữa", "chồng tôi ngất xỉu rồi"])
def test_danger_is_recognised_without_diacritics(text: str) -> None:
    assert danger_sign(fold(text)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "khó thở có phải triệu chứng covid không",
        "Covid có gây khó thở không",
        "đeo khẩu trang khó thở quá",
        "tôi từng bị co giật hồi nhỏ, tiêm được không",
        "khẩu trang vải có giặt được không",
        "sốc phản vệ là gì",
        "spo2 bao nhiêu là bình thường",
        "spo2 dưới 94 có nguy hiểm không",
        "spo2 98",
        "mạch 72",
        "mạch dưới 50 có nguy hiểm không",
        "mẹ em bị tim mạch, 45 tuổi",
        "hẹp mạch vành 30 phần trăm",
        "uong thuoc co duoc khong",
        "chi ay la nguoi nha",
        "sot 39 co phai test khong",
        "thở trên 25 lần/phút có nguy hiểm không",
        "nhịp thở 22",
        "tiêm vắc xin xong bị tê tay",
        "nhổ răng tiêm thuốc tê, tê môi mãi",
        "tôi không khó thở, chỉ ho",
        "nóng muốn chết",
        "chi phí cấp cứu bao nhiêu",
        "gọi hotline không ai nghe",
        "tim tai lieu o dau",
        "tu tu tra loi",
        "toi can tu van",
        "cho hoi xiu",
        "",
    ],
)
def test_questions_memories_and_jests_are_no_danger(text: str) -> None:
    assert danger_sign(text) is None


def test_a_memory_does_not_hide_what_happens_now() -> None:
    assert danger_sign("mẹ tôi từng bị hen, bây giờ khó thở dữ dội") == "cannot_breathe"
    assert danger_sign("Hôm qua tiêm về không sao. Giờ con em co giật!") == "fits"


HISTORIES = [
    "Tôi dị ứng hải sản, mỗi lần ăn là sưng môi, khó thở, vậy tôi tiêm vắc xin được không?",
    "Em từng sốc phản vệ phải cấp cứu hai lần. Em có nên tiêm không bác sĩ?",
    "Ba tôi nhồi máu cơ tim đã đặt stent, hay tức ngực, có được tiêm không?",
    "Mẹ tôi liệt nửa người, huyết áp hay đo 85/55. Mẹ tôi có đủ điều kiện tiêm không?",
    "Bị ong đốt thì sưng mặt, khó thở. Bao giờ thì tiêm nhắc được?",
]


@pytest.mark.parametrize("spelling", [str, fold])
@pytest.mark.parametrize("text", HISTORIES)
def test_illnesses_told_with_a_question_about_vaccination_are_history(text: str, spelling: Callable[[str], str]) -> None:
    assert danger_sign(spelling(text)) is None
    assert asks_permission(spelling(text))


@pytest.mark.parametrize(
    "text",
    [
        "Vừa tiêm xong 10 phút, sưng môi khó thở, mũi sau có được tiêm không?",
        "Mẹ em khó thở quá rồi, mẹ có được tiêm không?",
        "Bố tôi đặt stent năm 2020, sáng nay đau ngực dữ dội. Bố có nên tiêm không?",
        "Em không muốn sống nữa, em có được tiêm không?",
        "Mẹ em đang li bì, mẹ có được tiêm không?",
        "Em vừa tiêm xong 10 phút thấy tê môi, tiêm mũi 2 được không?",
    ],
)
def test_what_happens_now_is_danger_even_beside_a_question_about_vaccination(text: str) -> None:
    assert danger_sign(text) is not None


@pytest.mark.parametrize("text", ["Tiêm xong khó thở, có sao không?", "con em co giật", "xin chào", ""])
def test_who_asks_no_permission_is_not_taken_for_it(text: str) -> None:
    assert not asks_permission(text)


@pytest.mark.parametrize(
    "text",
    [
        "chế độ bảo hiểm tai nạn lao động ra sao",
        "người đang ho, sốt, khó thở nghi mắc thì cách ly thế nào",
        "đi mua thức ăn có bị phạt không",
        "nhóm nào dễ trở nặng",
        "cho trẻ bú như thế nào",
    ],
)
def test_general_questions_are_no_danger(text: str) -> None:
    assert danger_sign(text) is None


def test_a_child_breathes_faster_than_an_adult() -> None:
    assert danger_sign("bé thở 45 lần một phút") is None
    assert danger_sign("bé thở 65 lần một phút") == "cannot_breathe"
    assert danger_sign("bố em thở 35 lần một phút") == "cannot_breathe"
    assert danger_sign("cháu 14 tuổi thở 32 lần một phút") == "cannot_breathe"
    assert danger_sign("bé 10 tuổi thở 32 lần một phút") is None


def test_every_phrase_of_the_table_compiles_and_is_found_in_itself() -> None:
    assert len(DangerTable.load().signs) > 8


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    danger_sign(text)


@pytest.mark.parametrize("unit", ["khó ", "môi gọi tay người ", "không thở\n", "spo2 ", "không bị có ", "1"])
def test_a_long_text_is_read_in_time(unit: str) -> None:
    started = time.thread_time()
    danger_sign(unit * (20_000 // len(unit)))
    assert time.thread_time() - started < 1.5
