"""Places in messages, as people write them."""

from __future__ import annotations

import pytest

from bot.directory.places import Places
from bot.settings import ROOT


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load(ROOT)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("tôi ở Đắk Lắk", ["dak-lak"]),
        ("toi o dak lak", ["dak-lak"]),
        ("xét nghiệm ở Buôn Ma Thuột", ["buon-ma-thuot-tp"]),
        ("phường Buôn Ma Thuột", ["buon-ma-thuot-phuong"]),
        ("tp thanh hoá", ["thanh-hoa-tp"]),
        ("tỉnh Thanh Hóa có bao nhiêu ca", ["thanh-hoa"]),
        ("huyen krong pac", ["krong-pac-huyen"]),
        ("từ Hà Nội về Sầm Sơn", ["ha-noi", "sam-son-tp"]),
        ("nam sầm sơn", ["nam-sam-son-phuong"]),
        ("ở M'Đrắk và Ea H'leo", ["m-drak-huyen", "ea-h-leo-huyen"]),
        ("can tho oxy gap", []),
        ("tôi ở Cần Thơ", ["can-tho"]),
        ("tinh can tho", ["can-tho"]),
        ("nhà ở đường Quang Trung", []),
        ("nhà ở phường Quang Trung", ["quang-trung-phuong"]),
        ("không có nơi nào", []),
        ("", []),
    ],
)
def test_places_are_found_as_people_write_them(places: Places, text: str, keys: list[str]) -> None:
    assert [place.key for place in places.places_in(text)] == keys


def test_offsets_are_those_of_the_text_as_typed(places: Places) -> None:
    text = "Ở  ĐẮK LẮK thì sao"
    found = places.places_in(text)[0]
    assert text[found.start : found.end] == "ĐẮK LẮK"


def test_a_district_leads_to_its_province(places: Places) -> None:
    assert places.province_of("krong-pac-huyen") == "dak-lak"
    assert places.province_of("phu-yen") == "dak-lak"
    assert places.province_of("ha-noi") == "ha-noi"
    assert places.province_of("nowhere") is None
    assert places.name("thanh-hoa") == "Thanh Hóa"


def test_every_place_is_found_by_its_own_name_after_its_kind(places: Places) -> None:
    assert places.places_in("Hạc Thành")[0].key == "hac-thanh-phuong"
