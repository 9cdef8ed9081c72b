"""Vietnamese as a loudspeaker says it: no digit is left, no number becomes another one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages.catalogue import Catalogue
from bot.languages.numbers_in_words import NumberWords
from bot.settings import PROVINCES, ROOT

WORDS = NumberWords.load(ROOT)
VALUES = {
    "không": 0,
    "một": 1,
    "mốt": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "năm": 5,
    "lăm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
}
SCALES = {"nghìn": 10**3, "triệu": 10**6, "tỷ": 10**9}


def value(said: str) -> int:
    """What a listener understands."""
    total = group = 0
    digit: int | None = None
    for word in said.split():
        if word in VALUES:
            digit = VALUES[word]
        elif word == "mười":
            group, digit = group + 10, None
        elif word == "mươi":
            group, digit = group + 10 * (digit or 0), None
        elif word == "trăm":
            group, digit = group + 100 * (digit or 0), None
        elif word in SCALES:
            total, group, digit = total + (group + (digit or 0)) * SCALES[word], 0, None
        else:
            assert word == "linh", word
    return total + group + (digit or 0)


@given(st.integers(0, 999_999_999_999))
def test_every_number_is_understood_as_itself(number: int) -> None:
    assert value(WORDS.whole(number)) == number
    written = f"{number:,}".replace(",", ".")
    assert value(WORDS.spelled_out(f"{written} ca").removesuffix(" ca")) == number


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("105", "một trăm linh năm"),
        ("Số đầu 1900: cước", "Số đầu một chín không không: cước"),
        ("năm 1900 và đầu năm 1900", "năm một nghìn chín trăm và đầu năm một nghìn chín trăm"),
        ("15 và 25 và 21 và 11", "mười lăm và hai mươi lăm và hai mươi mốt và mười một"),
        ("1.001 liều", "một nghìn không trăm linh một liều"),
        ("11.624.000 ca", "mười một triệu sáu trăm hai mươi bốn nghìn ca"),
        ("98,5%", "chín mươi tám phẩy năm phần trăm"),
        ("94–96%", "chín mươi bốn đến chín mươi sáu phần trăm"),
        ("sốt 38,5 °C", "sốt ba mươi tám phẩy năm độ C"),
        ("2020-2022", "hai nghìn không trăm hai mươi đến hai nghìn không trăm hai mươi hai"),
        ("29/10/2023", "ngày hai mươi chín tháng mười năm hai nghìn không trăm hai mươi ba"),
        ("ngày 1/7", "ngày một tháng bảy"),
        ("từ 9/11 đến 15/11", "từ ngày chín tháng mười một đến ngày mười lăm tháng mười một"),
        ("ngày 9–15/11", "ngày chín đến ngày mười lăm tháng mười một"),
        ("Tháng 6/2021", "Tháng sáu năm hai nghìn không trăm hai mươi mốt"),
        ("2/3 số liều, 24/7", "hai trên ba số liều, hai mươi bốn trên bảy"),
        ("7h30–17h", "bảy giờ ba mươi phút đến mười bảy giờ"),
        ("1900 9095", "một chín không không, chín không chín năm"),
        ("0262.3852423", "không hai sáu hai, ba tám năm hai bốn hai ba"),
        ("096 306 1414", "không chín sáu, ba không sáu, một bốn một bốn"),
        ("+84963061414", "cộng, tám bốn chín sáu ba không sáu một bốn một bốn"),
        ("gọi 115", "gọi một một năm"),
        ("115 ca, điều 115", "một trăm mười lăm ca, điều một trăm mười lăm"),
        ("13/2026/TT-BYT", "mười ba gạch chéo hai nghìn không trăm hai mươi sáu gạch chéo tê tê gạch ngang bê y tê"),
        ("COVID-19, SpO2, F0, 5K, BA.3.2", "cô vít mười chín, ét pê o hai, ép không, năm ca, bê a chấm ba chấm hai"),
        ("xã/phường và/hoặc thôn", "xã hoặc phường và hoặc thôn"),
        ("-5 và 007", "âm năm và không không bảy"),
        ("- một\n- 2 m", "một\nhai mét"),
        ("https://moh.gov.vn/x.", "(địa chỉ ghi trong bản giấy)."),
        ("", ""),
    ],
)
def test_as_people_say_it(written: str, said: str) -> None:
    assert WORDS.spelled_out(written) == said


@pytest.mark.parametrize("province", PROVINCES)
def test_no_answer_keeps_a_digit(province: str) -> None:
    catalogue = Catalogue.load(ROOT, province)
    texts = {key: WORDS.spelled_out(text) for key in catalogue.entries if (text := catalogue.heard(key, "vi"))}
    assert {key for key, text in texts.items() if re.search(r"\d|%|°", text)} == set()
    assert len(texts) > 90


@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    WORDS.spelled_out(text)


@given(st.from_regex(r"0[35789][0-9]{8}", fullmatch=True), st.sampled_from(["Gọi {} nhé.", "({})", "{}"]))
def test_a_telephone_number_is_said_digit_by_digit(number: str, around: str) -> None:
    said = WORDS.spelled_out(around.format(number))
    assert "".join(str(VALUES[word]) for word in re.findall(r"\w+", said) if word in VALUES) == number
