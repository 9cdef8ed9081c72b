"""What a person is about to send: numbers to dial and links that the directory does not know are flagged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.checks import Flag, Known, address, digits, flags
from bot.directory.contacts import Contacts
from bot.directory.documents import Documents
from bot.languages.catalogue import Catalogue
from bot.settings import PROVINCES, ROOT

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
KNOWN = Known.by(CATALOGUE, "https://loa.example.vn")
CONTACTS = CATALOGUE.contacts.all()


def found(text: str) -> list[str]:
    return [flag.text for flag in flags(text, KNOWN)]


@pytest.mark.parametrize(
    "number",
    [
        "0912345678",
        "0912 345 678",
        "0912.345.678",
        "0912-345-678",
        "091 2 34 56 78",
        "09 12 34 56 78",
        "0912\u00a0345\u00a0678",
        "0912 – 345 – 678",
        "(0262) 3812345",
        "(0262) 3.812.345",
        "0262 3 812 345",
        "02623812345",
        "+84912345678",
        "+84 912 345 678",
        "(+84) 912 345 678",
        "(+84)912.345.678",
        "+84 (0)912 345 678",
        "84 912 345 678",
        "0084 912 345 678",
        "00 84 262 3812345",
        "1900 1234",
        "19001234",
        "1900.12.34",
        "1800 599 928",
        "0912\u200b345\u200b678",  # what copying from a chat leaves
        "\uff10\uff19\uff11\uff12345678",  # full-width digits
        "O912 345 678",
        "09l2 345 678",
        "không chín một hai ba bốn năm sáu bảy tám",
        "khong chin mot hai, ba bon nam, sau bay tam",
        "0 chín 1 hai 3 bốn năm sáu bảy tám",
    ],
)
def test_a_number_is_found_however_it_is_written(number: str) -> None:
    for sentence in (f"Bạn gọi {number} nhé.", f"Bac si: {number}", number, f"chị Lan {number}, anh Ba"):
        assert [flag.kind for flag in flags(sentence, KNOWN)] == ["phone"], sentence


@pytest.mark.parametrize(
    ("sentence", "flagged"),
    [
        ("Bạn gọi 113 nhé", "113"),
        ("ban goi so 114", "114"),
        ("Hotline: 3 812 345", "3 812 345"),
        ("SĐT trạm 3812345", "3812345"),
        ("sdt tram 3812.345", "3812.345"),
        ("Nhắn Zalo 0912345678", "0912345678"),
        ("tổng đài 1080", "1080"),
        ("Điện thoại của trạm: 3812 345.", "3812 345"),
    ],
)
def test_a_short_number_is_found_after_a_word_that_tells_to_call(sentence: str, flagged: str) -> None:
    assert found(sentence) == [flagged]


@pytest.mark.parametrize(
    "sentence",
    [
        "QĐ 3985/QĐ-BYT ngày 29/10/2023, có 11.624.000 ca, giá 100.000 đồng.",
        "Cả nước đã tiêm 84.000.000 liều, 0,5 ml một liều.",
        "Mở cửa 07:00 - 17:00 từ 02/10/2023 đến 05/11/2023.",
        "Gọi 2 lần trong 30 phút; gọi trước 100 người.",
        "Uống 0,5 lít nước, sốt 38,5 độ, SpO2 94-96%, huyết áp 120/80.",
        "Đường dây cũ của năm 2021 nay không còn, số người gọi: 1962.",
        "Bạn sinh năm 1962, tiêm ngày 12.5.2022.",
        "Hai ba ngày nữa, một hai mũi là đủ.",
        "Nghị định 165/2026/NĐ-CP có hiệu lực.",
        "xin chào, bạn cần gì ạ",
        "",
    ],
)
def test_what_is_no_number_to_dial_is_left_alone(sentence: str) -> None:
    assert found(sentence) == []


@pytest.mark.parametrize("contact", [c for c in CONTACTS if c.is_shown], ids=lambda contact: contact.id)
def test_a_number_of_the_directory_may_be_sent_in_any_writing(contact: object) -> None:
    number = contact.dial  # type: ignore[attr-defined]
    spaced = " ".join([number[:4], number[4:7], number[7:]]).strip()
    abroad = f"+84 {number[1:]}" if number.startswith("0") else number
    for written in (number, contact.number, spaced, abroad):  # type: ignore[attr-defined]
        assert found(f"Bạn gọi {written} nhé") == [], written


def test_a_withheld_number_is_flagged() -> None:
    withheld = Contacts({c.id: c.__class__(**{**c.__dict__, "status": "withheld"}) for c in CONTACTS if len(c.dial) > 8})
    known = Known.of(withheld, Documents({}))
    assert withheld.all()
    assert all(flags(f"Bạn gọi {c.number}", known) for c in withheld.all())


@pytest.mark.parametrize(
    "link",
    [
        "https://bit.ly/tiem-vac-xin",
        "http://suckhoe.example/x?a=1",
        "HTTPS://MOH.GOV.VN.DANG-KY.TOP/",
        "www.tiemchung.example",
        "moh.gov.vn.login.xyz",
        "zalo.me/0912345678",
        "t.me/nhom_tiem",
        "hxxps://xau.example/a",
        "bacsi@example.com",
        "https://moh.gov.vn/trang-khong-co-trong-danh-ba",
        "https://[khong-doc-duoc",
    ],
)
def test_a_link_that_the_directory_does_not_know_is_flagged(link: str) -> None:
    assert flags(f"Bạn xem {link}.", KNOWN) == [Flag("link", link)]


def test_documents_their_sites_front_pages_and_our_own_page_may_be_sent() -> None:
    url = next(document.url for document in CATALOGUE.documents.all() if document.url)
    host = url.split("/")[2]
    for link in (url, f"https://{host}", f"https://{host}/", host, "https://loa.example.vn/"):
        assert found(f"Bạn xem {link}, nhé") == [], link


def test_an_address_is_compared_without_what_does_not_matter() -> None:
    assert address("https://WWW.Moh.gov.vn/tin/") == address("http://moh.gov.vn/tin#muc-2") == address("moh.gov.vn/tin")
    assert address("https://moh.gov.vn/Tin") != address("https://moh.gov.vn/tin")
    assert digits("+84 (0)262.246 0701") == digits("0084 262 2460701") == digits("0262-2460701") == "02622460701"


@pytest.mark.parametrize("province", PROVINCES)
def test_no_approved_answer_is_flagged(province: str) -> None:
    """Or operators would be asked to confirm our own words and learn to confirm anything."""
    catalogue = Catalogue.load(ROOT, province)
    assert {key: found(catalogue.answer(key).text) for key in catalogue.entries if found(catalogue.answer(key).text)} == {}


def test_each_is_told_once_in_the_order_of_the_text() -> None:
    assert found("0912345678, bit.ly/a, 0912345678, 0987654321") == ["0912345678", "bit.ly/a", "0987654321"]


@given(st.text(max_size=300))
def test_any_text_can_be_checked(text: str) -> None:
    flags(text, KNOWN)


def test_long_text_is_checked_quickly() -> None:
    for text in ("0 " * 5_000, "goi " * 3_000, "một hai " * 2_000, "a." * 5_000, "(" * 10_000, "1900" * 3_000, "@" * 10_000):
        flags(text, KNOWN)
