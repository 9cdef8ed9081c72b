from __future__ import annotations

import datetime
import shutil
import unicodedata
from pathlib import Path

import pytest

from bot.directory.places import Places
from bot.figures.places import FigurePlaces, letters
from bot.yaml_files import read_yaml
from tests.figures.vietnamese import ROOT, document, places

BEFORE, SINCE = datetime.date(2025, 6, 30), datetime.date(2025, 7, 1)

# The seven that kept their name and got another code; both documents of 2021 have the first, Quyết định 19/2025/QĐ-TTg the second.
RECODED = {
    "lao-cai": ("10", "15"),
    "bac-ninh": ("27", "24"),
    "quang-tri": ("45", "44"),
    "gia-lai": ("64", "52"),
    "tay-ninh": ("72", "80"),
    "dong-thap": ("87", "82"),
    "an-giang": ("89", "91"),
}
# The names of the 63 as tiemchungcovid19.gov.vn, ncov.vncdc.gov.vn and the table of NCSC ids write them, by code and id.
CODES_AND_IDS = """
01 1 Hà Nội|02 5 Hà Giang|04 6 Cao Bằng|06 11 Bắc Kạn|08 9 Tuyên Quang|10 8 Lào Cai|11 62 Điện Biên|12 7 Lai Châu|14 14 Sơn La
15 13 Yên Bái|17 23 Hoà Bình|19 12 Thái Nguyên|20 10 Lạng Sơn|22 17 Quảng Ninh|24 18 Bắc Giang|25 15 Phú Thọ|26 16 Vĩnh Phúc
27 19 Bắc Ninh|30 21 Hải Dương|31 3 Hải Phòng|33 22 Hưng Yên|34 26 Thái Bình|35 24 Hà Nam|36 25 Nam Định|37 27 Ninh Bình
38 28 Thanh Hóa|40 29 Nghệ An|42 30 Hà Tĩnh|44 31 Quảng Bình|45 32 Quảng Trị|46 33 Thừa Thiên Huế|48 4 Đà Nẵng|49 34 Quảng Nam
51 35 Quảng Ngãi|52 37 Bình Định|54 39 Phú Yên|56 41 Khánh Hòa|58 45 Ninh Thuận|60 47 Bình Thuận|62 36 Kon Tum|64 38 Gia Lai
66 40 Đắk Lắk|67 63 Đắk Nông|68 42 Lâm Đồng|70 43 Bình Phước|72 46 Tây Ninh|74 44 Bình Dương|75 48 Đồng Nai
77 52 Bà Rịa - Vũng Tàu|79 2 Hồ Chí Minh|80 49 Long An|82 53 Tiền Giang|83 56 Bến Tre|84 58 Trà Vinh|86 57 Vĩnh Long
87 50 Đồng Tháp|89 51 An Giang|91 54 Kiên Giang|92 55 Cần Thơ|93 64 Hậu Giang|94 59 Sóc Trăng|95 60 Bạc Liêu|96 61 Cà Mau
"""
RECORDED = [
    (code, int(number), name)
    for line in CODES_AND_IDS.strip().splitlines()
    for code, number, name in (entry.split(" ", 2) for entry in line.split("|"))
]


def test_there_are_34_units_today_and_63_before() -> None:
    assert len(places().all("today")) == 34
    assert len(places().all("until_2025")) == 63


def test_every_unit_of_before_went_into_exactly_one_of_today() -> None:
    parts = [part for unit in places().all("today") for part in places().parts(unit.key)]
    assert sorted(parts) == sorted(unit.key for unit in places().all("until_2025"))
    assert places().parts("dak-lak") == ("dak-lak-until-2025", "phu-yen-until-2025")
    assert places().parts("thanh-hoa") == ("thanh-hoa-until-2025",)
    assert places().parts("thanh-pho-ho-chi-minh") == (
        "thanh-pho-ho-chi-minh-until-2025",
        "binh-duong-until-2025",
        "ba-ria-vung-tau-until-2025",
    )
    assert places().parts("dak-lak-until-2025") == places().parts("vn") == places().parts("unknown") == ()


@pytest.mark.parametrize(("code", "number", "name"), RECORDED)
def test_the_recorded_codes_ids_and_names_agree_in_all_63(code: str, number: int, name: str) -> None:
    key = places().by_name(name, era="until_2025")
    assert key is not None
    assert places().by_gso(code, era="until_2025") == key
    assert places().by_ncsc_id(number) == key
    assert (places().unit(key).gso, places().unit(key).ncsc_id) == (code, number)


@pytest.mark.parametrize("key", [unit.key for unit in places().all("until_2025")])
def test_every_province_of_before_answers_to_its_name_in_every_spelling(key: str) -> None:
    name = places().unit(key).name.removeprefix("Thành phố ")
    folded = letters(name)
    for prefix in ("", "Tỉnh ", "tỉnh ", "Thành phố ", "TP ", "TP.", "TP. ", "Tp. "):
        assert places().by_name(f"{prefix}{name}", era="until_2025") == key
    for spelling in (name.upper(), name.replace("òa", "oà").replace("óa", "oá"), name.replace(" – ", "-"), name.replace(" ", "")):
        assert places().by_name(spelling, era="until_2025") == key
    assert places().by_name(unicodedata.normalize("NFD", name), era="until_2025") == key
    assert places().by_name(folded, era="until_2025") == key


def test_63_recorded_names() -> None:
    assert len(RECORDED) == len({places().by_name(name, era="until_2025") for *_, name in RECORDED}) == 63


@pytest.mark.parametrize(("key", "before", "today"), [(key, *codes) for key, codes in RECODED.items()])
def test_a_province_that_stayed_may_have_got_another_code(key: str, before: str, today: str) -> None:
    assert places().unit(f"{key}-until-2025").gso == before
    assert places().unit(key).gso == today


def test_no_other_province_that_stayed_got_another_code() -> None:
    stayed = {unit.key for unit in places().all("today") if unit.gso != places().unit(f"{unit.key}-until-2025").gso}
    assert stayed == set(RECODED)


@pytest.mark.parametrize(
    ("code", "before", "today"),
    [
        (24, "bac-giang-until-2025", "bac-ninh"),
        ("52", "binh-dinh-until-2025", "gia-lai"),
        (15, "yen-bai-until-2025", "lao-cai"),
        ("44", "quang-binh-until-2025", "quang-tri"),
        (80, "long-an-until-2025", "tay-ninh"),
        (82, "tien-giang-until-2025", "dong-thap"),
        (91, "kien-giang-until-2025", "an-giang"),
        (66, "dak-lak-until-2025", "dak-lak"),
        (54, "phu-yen-until-2025", None),
    ],
)
def test_one_code_means_two_units(code: int | str, before: str, today: str | None) -> None:
    assert places().by_gso(code, era="until_2025") == before
    assert places().by_gso(code, era="today") == today


@pytest.mark.parametrize("code", [1, "1", "01", " 01 "])
def test_a_code_may_lack_its_zero(code: int | str) -> None:
    assert places().by_gso(code, era="until_2025") == "ha-noi-until-2025"


@pytest.mark.parametrize("code", [0, 3, 99, "", "VNALL", "-1", "１", "6.6"])
def test_what_is_no_code_is_no_place(code: int | str) -> None:
    assert places().by_gso(code, era="until_2025") is None


def test_the_row_of_cases_without_a_province_is_the_unknown_one() -> None:
    for era in ("today", "until_2025"):
        assert places().by_gso(999, era=era) == "unknown"
        assert places().by_name("Tỉnh Chưa rõ", era=era) == "unknown"
    assert places().unit("unknown").population is None


def test_id_20_answers_as_ha_noi() -> None:
    assert places().by_ncsc_id(20) == places().by_ncsc_id(1) == "ha-noi-until-2025"
    assert places().unit("ha-noi-until-2025").ncsc_id == 1
    assert places().by_ncsc_id(0) is places().by_ncsc_id(65) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("TP. Hồ Chí Minh", "thanh-pho-ho-chi-minh"),
        ("TP HCM", "thanh-pho-ho-chi-minh"),
        ("TP.HCM", "thanh-pho-ho-chi-minh"),
        ("T.P Hồ Chí Minh", "thanh-pho-ho-chi-minh"),
        ("Thành phố Hồ Chí Minh", "thanh-pho-ho-chi-minh"),
        ("Ho Chi Minh City", "thanh-pho-ho-chi-minh"),
        ("Bà Rịa – Vũng Tàu", "ba-ria-vung-tau"),
        ("Bà Rịa - Vũng Tàu", "ba-ria-vung-tau"),
        ("Bà Rịa-Vũng Tàu", "ba-ria-vung-tau"),
        ("Tỉnh Hoà Bình", "hoa-binh"),
        ("Khánh Hoà", "khanh-hoa"),
        ("Thanh Hoá", "thanh-hoa"),
        ("Đắc Lắc", "dak-lak"),
        ("Đăk Lăk", "dak-lak"),
        ("DakLak", "dak-lak"),
        ("Kontum", "kon-tum"),
        ("Bắc Cạn", "bac-kan"),
        ("Thừa Thiên - Huế", "hue"),
        ("TT Huế", "hue"),
        ("Huế", "hue"),
        # A table of ids that went through a Western code page.
        ("H\xe0 N<U+1ED9>i", "ha-noi"),
        ("Ð<U+1EAF>k L<U+1EAF>k", "dak-lak"),
        ("Bình Duong", "binh-duong"),
        ("B\xe0 R<U+1ECB>a - Vung T\xe0u", "ba-ria-vung-tau"),
    ],
)
def test_a_name_is_known_in_the_spellings_of_the_feeds(name: str, key: str) -> None:
    assert places().by_name(name, era="until_2025") == f"{key}-until-2025"


@pytest.mark.parametrize("name", ["", "Tỉnh", "H\ufffd N\ufffdi", "Quảng", "Buôn Ma Thuột", "???"])
def test_what_is_no_province_is_no_place(name: str) -> None:
    assert places().by_name(name, era="until_2025") is None


def test_a_province_that_ended_is_none_of_today() -> None:
    assert places().by_name("Phú Yên", era="until_2025") == "phu-yen-until-2025"
    assert places().by_name("Phú Yên", era="today") is None
    assert places().by_name("Đắk Lắk", era="today") == "dak-lak"


def test_the_country_has_names_in_both_eras() -> None:
    assert {
        places().by_name(name, era=era) for name in ("Cả nước", "Việt Nam", "Vietnam", "VN") for era in ("today", "until_2025")
    } == {"vn"}


def test_a_list_of_provinces_is_of_today_only_if_it_names_none_that_ended() -> None:
    assert places().era_of(["Đắk Lắk", "Huế"], BEFORE) == "until_2025"
    assert places().era_of(["Đắk Lắk", "Huế"], SINCE) == "today"
    assert places().era_of(["Đắk Lắk", "Phú Yên"], SINCE) == "until_2025"


def test_the_population_of_a_province_of_today_is_that_of_its_parts() -> None:
    assert places().unit("dak-lak-until-2025").population == 1869322
    assert places().unit("dak-lak").population == 1869322 + 961152
    assert places().unit("vn").population == sum(unit.population or 0 for unit in places().all("today")) == 96108532


def test_the_populations_are_those_of_the_portal() -> None:
    for row in document("tiemchung_all.json"):
        key = places().by_gso(row["provinceCode"], era="until_2025")
        assert key is not None
        assert places().unit(key).population == row["population"]


def test_every_place_that_citizens_name_has_a_place_of_figures() -> None:
    for place in Places.load(ROOT).all():
        assert places().of_citizen_place(place.key) in places()
    assert places().of_citizen_place("phu-yen") == "phu-yen-until-2025"
    assert places().of_citizen_place("dak-lak") == "dak-lak"
    assert places().of_citizen_place("ea-ktur-xa") == "dak-lak"
    assert places().of_citizen_place("buon-ho-tx") == "dak-lak"
    with pytest.raises(KeyError):
        places().of_citizen_place("atlantis")


def test_nothing_is_written_twice() -> None:
    """What the provinces' own file says is not repeated: a code or a name stands here only where it was another."""
    provinces = read_yaml(ROOT / "data/directory/places/provinces.yml")["places"]
    for key, row in read_yaml(ROOT / "data/directory/figure_places.yml")["until_2025"].items():
        assert row.get("gso") != provinces[key]["gso"]
        assert row.get("name") != provinces[key]["name"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "data/directory", tmp_path / "data/directory")
    return tmp_path


def test_a_province_that_one_of_the_files_lacks_is_named(copy: Path) -> None:
    table = copy / "data/directory/figure_places.yml"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join(line for line in lines if not line.startswith("  phu-yen:")), encoding="utf-8")
    with pytest.raises(KeyError, match="phu-yen"):
        FigurePlaces.load(copy)


def test_two_provinces_with_one_code_are_found(copy: Path) -> None:
    table = copy / "data/directory/figure_places.yml"
    table.write_text(table.read_text(encoding="utf-8").replace('gso: "27"', 'gso: "24"'), encoding="utf-8")
    with pytest.raises(KeyError, match="24"):
        FigurePlaces.load(copy)
