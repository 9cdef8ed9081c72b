"""Places in messages, as people write them."""

from __future__ import annotations

import time

import pytest

from bot.directory.places import Places
from bot.languages.normalise import fold
from bot.settings import ROOT

NEAR = ["dak-lak"]


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load(ROOT)


def keys_in(places: Places, text: str, near: list[str] | None = None) -> list[str]:
    """One word for each place; the candidates of an ambiguous name joined by a bar."""
    return ["|".join(mention.keys) for mention in places.mentions(text, NEAR if near is None else near)]


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


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        # communes and wards that ended on 30 June 2025 are called by the unit into which they went
        ("tôi ở xã Cuôr Knia, huyện Buôn Đôn", ["ea-nuol-xa"]),
        ("xã Ea Bar huyện Buôn Đôn", ["ea-nuol-xa"]),
        ("phường Khánh Xuân", ["thanh-nhat-phuong"]),
        ("phường Tân Lợi, TP Buôn Ma Thuột", ["buon-ma-thuot-phuong"]),
        ("thị trấn Buôn Trấp", ["krong-ana-xa"]),
        ("tt Ea Pốk", ["quang-phu-xa"]),
        ("thị trấn Phước An", ["krong-pac-xa"]),
        ("xã Hòa Thắng, Buôn Ma Thuột", ["tan-lap-phuong"]),
        ("phường 7 Tuy Hòa", ["tuy-hoa-phuong"]),
        ("xã Hòa Kiến tp tuy hòa", ["binh-kien-phuong"]),
        ("thị trấn La Hai", ["dong-xuan-xa"]),
        ("phường Đông Vệ", ["hac-thanh-phuong"]),
        ("thị trấn Rừng Thông", ["dong-son-phuong"]),
        ("phường Rừng Thông, thành phố Thanh Hóa", ["dong-son-phuong"]),
        ("xã Quảng Nham", ["tien-trang-xa"]),
        ("thị trấn Bến Sung", ["nhu-thanh-xa"]),
        ("xã Hà Vinh", ["bim-son-phuong"]),
        # and those that had ended in 2024
        ("phường Thắng Lợi, Buôn Ma Thuột", ["buon-ma-thuot-phuong"]),
        ("xã Bình Ngọc tp Tuy Hòa", ["tuy-hoa-phuong"]),
        ("phường Tân Sơn tp Thanh Hóa", ["hac-thanh-phuong"]),
        # old districts and provinces stay what they were
        ("huyện Krông Búk", ["krong-buk-huyen"]),
        ("thị xã Đông Hòa", ["dong-hoa-tx"]),
        ("tỉnh Phú Yên", ["phu-yen"]),
        ("phường Phú Yên", ["phu-yen-phuong"]),
        ("huyện Đông Sơn", ["dong-son-huyen"]),
        ("huyện Tĩnh Gia", ["nghi-son-tx"]),
        ("phường Tĩnh Gia", ["tinh-gia-phuong"]),
        # elsewhere
        ("từ Bình Dương về", ["binh-duong"]),
        ("bay từ Nha Trang ra Hà Nội", ["nha-trang", "ha-noi"]),
        ("tp. Hồ Chí Minh", ["thanh-pho-ho-chi-minh"]),
        ("SG", ["thanh-pho-ho-chi-minh"]),
        ("TP Vinh", ["vinh"]),
    ],
)
def test_old_names_lead_to_todays_units(places: Places, text: str, keys: list[str]) -> None:
    assert keys_in(places, text) == keys


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (["Cư M'gar", "Cư M’gar", "Cư M`gar", "cu mgar", "Cumgar", "CưMgar", "Cư-M'gar", "Chư M'gar", "Cư Mgar"], "cu-m-gar-huyen"),
        (["Ea H'leo", "Ea H’Leo", "EaHleo", "ea hleo", "Ea-H'leo", "Ia H'leo", "eahleo", "EA H'LEO"], "ea-h-leo-huyen"),
        (["Krông Pắc", "Krông Pách", "Krông Pắk", "Krông Păk", "krong pak", "Krong Pach", "KrôngPắc", "krong pac"], "krong-pac-huyen"),
        (["M'Đrắk", "M’Drắk", "Mdrak", "MĐrắk", "Ma Đrắk", "m'drak", "M' Đrăk"], "m-drak-huyen"),
        (["Buôn Ma Thuột", "Buôn Mê Thuột", "Ban Mê Thuột", "BMT", "TP BMT", "TP.BMT", "tpbmt", "buon ma thuot", "Buon Me Thuot"], "buon-ma-thuot-tp"),
        (["Đắk Lắk", "Đăk Lăk", "Đắc Lắc", "Dak Lak", "Daklak", "dac lac", "ĐắkLắk", "Đ.Lắk", "Darlac"], "dak-lak"),
        (["Ea Kar", "EaKar", "eaka", "ea kar"], "ea-kar-huyen"),
        (["Krông A Na", "Krông Ana", "Krong Ana", "KrôngAna"], "krong-a-na-huyen"),
        (["Tuy Hòa", "Tuy Hoà", "tuy hoa", "Tuyhoa", "TP. Tuy Hòa", "tp tuy hoà"], "tuy-hoa-tp"),
        (["huyện Cẩm Thủy", "huyện Cẩm Thuỷ", "huyen cam thuy", "H. Cẩm Thủy", "H.Cẩm Thủy", "H Cẩm Thủy"], "cam-thuy-huyen"),
        (["TX Buôn Hồ", "tx. buôn hồ", "thị xã Buôn Hồ", "thi xa buon ho"], "buon-ho-tx"),
        (["P. Tân Lập", "P.Tân Lập", "phường tân lập", "phuong tan lap"], "tan-lap-phuong"),
        (["xã Pơng Drang", "X. Pơng Drang", "xa pong drang", "Pong Drang", "PơngDrang"], "pong-drang-xa"),
        (["xã Mỹ Lộc, Hậu Lộc", "xã Mĩ Lộc, Hậu Lộc"], "hau-loc-xa"),
        (["xã Quý Lương", "xã Quí Lương"], "quy-luong-xa"),
    ],
)  # fmt: skip
def test_spellings_that_differ_by_rule_are_one(places: Places, spellings: list[str], key: str) -> None:
    assert {spelling: keys_in(places, spelling) for spelling in spellings} == {spelling: [key] for spelling in spellings}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("huyện Quảng Sương", ["quang-xuong-huyen"]),
        ("huyện Hoàng Hóa", ["hoang-hoa-huyen"]),
        ("tp Xầm Sơn", ["sam-son-tp"]),
        ("ở Krông Pắcc", ["krong-pac-huyen"]),
        ("tôi ở cư m'ga", ["cu-m-gar-huyen"]),
        ("huyện krog pac", ["krong-pac-huyen"]),
        ("tôi ở Bỉm Sơnn", ["bim-son-tx"]),
        ("xã Hoằngg Lộc", ["hoang-loc-xa"]),
        # without a word of place, or where another Vietnamese word stands, a slip is not guessed
        ("Krông Pắcc có gì vui", []),
        ("Bỉm Sơnn có gì vui", []),
        ("huyện Sơn Hà", []),
        ("xã Xuân Thọ 3", ["xuan-tho-xa"]),
        ("xã Hòa Bình 3", []),
        ("ở thành phố lớn", []),
    ],
)
def test_one_wrong_letter_is_understood_after_a_kind_or_a_word_of_place(places: Places, text: str, keys: list[str]) -> None:
    assert keys_in(places, text) == keys


FALSE_FRIENDS = """
cần thở oxy gấp
can tho oxy gap, con toi kho tho
ho ra cả máu thì làm sao
ho ra ca mau
tiêm cho yên tâm
ở nhà cho yên tâm
uống thuốc có hợp lý không
tại sao vàng da
tai sao vang da
về văn hóa ứng xử trong mùa dịch
hoi ve van hoa phong chong dich
ở trường mình có F0
o truong minh co f0
o truong trung hoc co phai deo khau trang
đồng tiền lúc này quý lắm
ve dong tien ho tro
cả nhà ở ban công hóng gió
ai thiết kế ra ứng dụng này
cán bộ khuyến nông xã
công nhân nông trường cao su
tập trung ở quảng trường
thống nhất cách làm
thành công rồi
chúc thắng lợi
chào buổi bình minh
sống hòa thuận
vì hòa bình thế giới
đoàn kết chống dịch
mãn kinh hồi xuân
chị Thanh Hoa hỏi xét nghiệm
chi thanh hoa hoi
anh Minh Sơn bị F0
cô Ngọc Liên tiêm chưa
bác sĩ Trung Thành
bạn Hà Giang ơi
Nguyễn Thái Bình
tôi tên Thanh Tân
tên em là Hải Bình
chú Hải Dương
Lê Xuân Lập
sốt 5 ngày, nam ca trong xom
năm ca nhiễm mới
ỉa lỏng nhiều lần
diễn biến của bệnh
anh huong den dien bien cua benh
buồn nôn, ho nhiều
bac si cu bao chet
ông cứ bảo không sao
bảo vệ mình khỏi covid
tu bao ve minh khoi covid
đường dây nóng công dân
duong day nong cong dan o nuoc ngoai
các tỉnh, thành phố
danh sach cac tinh, thanh pho
ghi nhầm giới tính thành nam
ghi nham gioi tinh thanh nam
chụp X-quang thấy bóng tim to
bay xa nữa không
cách xa nhau bao nhiêu
giãn cách xã hội
tình hình xã hội
phuong tien cong cong hoat dong the nao
địa phương nào cũng vậy
nha chi co hai phong
nhà chỉ có hai phòng
trợ lý trả lời tự động này của ai
hay phòng khám tư cũng được
cháu đọc thấy người ta khuyên
chau doc tin tren mang
chu cty khong cho nghi
tán thành
từ hôm qua tới giờ sốt
ở chung phòng với người bệnh
về quê ăn Tết
đến bệnh viện nào
tôi đang ở trong khu cách ly
sâm Ngọc Linh có tốt không
phường 9
số 9 đường Lê Lợi
F1, F2 là gì
thôn Tân Lập
trường Trần Phú
huyện nào, xã nào cũng được
Quốc lộ 26
đi đường Hồ Chí Minh
""".strip().splitlines()


@pytest.mark.parametrize("text", FALSE_FRIENDS)
def test_people_streets_and_everyday_words_are_no_places(places: Places, text: str) -> None:
    assert keys_in(places, text) == []


def test_there_are_enough_of_them() -> None:
    assert len(set(FALSE_FRIENDS)) >= 60


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ở Tân Lập", "tan-lap-phuong|pong-drang-xa"),
        ("o tan lap", "tan-lap-phuong|pong-drang-xa"),
        ("Tân Tiến", "buon-ma-thuot-phuong|tan-tien-xa-dak-lak"),
        ("xã Ea Bhốk", "ea-ktur-xa|dray-bhang-xa"),
        ("phường 9, Tuy Hòa", "tuy-hoa-phuong|binh-kien-phuong"),
        ("xã Hòa An", "krong-pac-xa|tuy-hoa-phuong|phu-hoa-1-xa"),
        ("phường Đông Sơn", "hac-thanh-phuong|bim-son-phuong|dong-son-phuong"),
        ("xa ea drong", "ea-drong-xa|cuor-dang-xa"),
    ],
)
def test_a_name_that_several_places_have_is_left_open(places: Places, text: str, keys: str) -> None:
    assert keys_in(places, text) == [keys]
    assert places.places_in(text, NEAR) == []
    (mention,) = places.mentions(text, NEAR)
    assert places.candidates(mention.name, NEAR) == mention.keys


@pytest.mark.parametrize(
    ("text", "near", "keys"),
    [
        # the kind
        ("phường Tân Lập", [], ["tan-lap-phuong"]),
        ("xã Tân Lập", [], ["pong-drang-xa"]),
        ("xã Ea Drơng", [], ["cuor-dang-xa"]),
        # another place of the message
        ("xã Tân Tiến huyện Krông Pắc", [], ["tan-tien-xa-dak-lak"]),
        ("xã Tân Tiến, Nga Sơn, Thanh Hóa", [], ["tan-tien-xa-thanh-hoa"]),
        ("huyện Krông Pắc, xã Hòa An", [], ["krong-pac-xa"]),
        ("xa hoa an, huyen phu hoa", [], ["tuy-hoa-phuong|phu-hoa-1-xa"]),
        ("xã Hòa An thuộc huyện Krông Pắc tỉnh Đắk Lắk", [], ["krong-pac-xa"]),
        ("Phú Xuân, Thanh Hóa", [], ["phu-xuan-xa-thanh-hoa|xuan-tin-xa"]),
        ("xa Quang Trung, huyen Quang Xuong", [], ["quang-chinh-xa"]),
        ("Quảng Ninh, Quảng Xương", [], ["quang-ninh-xa"]),
        ("Bình Thuận, Buôn Hồ", [], ["cu-bao-phuong"]),
        ("các tỉnh Quảng Ninh, Thanh Hóa", [], ["quang-ninh", "thanh-hoa"]),
        # what the conversation remembers, then the service's province
        ("ở Tân Tiến", ["krong-pac-huyen", "dak-lak"], ["tan-tien-xa-dak-lak"]),
        ("ở Tân Lập", ["pong-drang-xa", "dak-lak"], ["pong-drang-xa"]),
        ("ở Tân Lập", ["buon-ma-thuot-phuong", "dak-lak"], ["tan-lap-phuong"]),
        ("ở Phú Xuân", ["dak-lak"], ["phu-xuan-xa-dak-lak"]),
        ("xã Tân Tiến", ["thanh-hoa"], ["tan-tien-xa-thanh-hoa"]),
        ("ở Phú Xuân", [], ["phu-xuan-xa-dak-lak|phu-xuan-xa-thanh-hoa|xuan-tin-xa"]),
        ("ở Phú Xuân", ["ha-noi", "nowhere"], ["phu-xuan-xa-dak-lak|phu-xuan-xa-thanh-hoa|xuan-tin-xa"]),
        # of a district and a commune of one name the district is meant, unless the kind says otherwise
        ("ở Ea Súp", [], ["ea-sup-huyen"]),
        ("xã Ea Súp", [], ["ea-sup-xa"]),
        ("Phú Hòa", [], ["phu-hoa-huyen"]),
        ("Thọ Xuân, Thanh Hóa", [], ["tho-xuan-huyen"]),
        # a district or a province that is not ours says that the commune is none of ours
        ("xã Tân Lập, huyện Mộc Châu, Sơn La", [], ["son-la"]),
        ("xã Tân Tiến huyện An Dương", [], []),
        ("xã Tân Lập thuộc huyện nào", ["dak-lak"], ["pong-drang-xa"]),
    ],
)
def test_candidates_are_narrowed(places: Places, text: str, near: list[str], keys: list[str]) -> None:
    assert keys_in(places, text, near) == keys


def test_offsets_cover_the_address_as_typed(places: Places) -> None:
    text = "Ở  ĐẮK LẮK thì sao, còn xã Tân Tiến,  huyện Krông Pắc?"
    first, second = places.places_in(text)
    assert text[first.start : first.end] == "ĐẮK LẮK"
    assert text[second.start : second.end] == "xã Tân Tiến,  huyện Krông Pắc"


def test_a_district_leads_to_its_province(places: Places) -> None:
    assert places.province_of("krong-pac-huyen") == "dak-lak"
    assert places.province_of("phu-yen") == "dak-lak"
    assert places.province_of("ha-noi") == "ha-noi"
    assert places.province_of("nowhere") is None
    assert places.name("thanh-hoa") == "Thanh Hóa"


def test_an_old_province_elsewhere_leads_to_todays(places: Places) -> None:
    assert places.province_of("ha-giang") == "tuyen-quang"
    assert places.province_of("nha-trang") == "khanh-hoa"


def test_places_are_called_as_the_directory_writes_them(places: Places) -> None:
    assert places.spoken("ea-kiet-xa") == "xã Ea Kiết"
    assert places.spoken("ea-kar-huyen") == "Ea Kar"
    assert places["buon-ho-tx"].full_name == "thị xã Buôn Hồ"
    assert places.before("ea-ktur-xa", 200) == "xã Ea Ktur, Ea Tiêu; một phần xã Ea Bhốk (huyện Cư Kuin)"
    assert places.before("ea-ktur-xa", 20) == "xã Ea Ktur…"
    assert places.now("buon-ho-tx", 200) == "phường Buôn Hồ, Cư Bao; xã Ea Drông"
    assert places.now("phu-yen", 200) == "tỉnh Đắk Lắk"
    assert places.before_called("tuy-hoa-phuong", "xã Hòa An") == "một phần xã Hòa An, huyện Phú Hòa"
    assert places.before_called("dong-son-phuong", "phường Đông Sơn") == ""


def test_hostile_text_is_read(places: Places) -> None:
    for text in ("xã", "xã " * 2000, "'" * 5000, "ở ở ở", "\ud800", "ea " * 3000, "P.", "9" * 4000):
        places.mentions(text, NEAR)


def test_reading_a_message_costs_little(places: Places) -> None:
    """About 0.05 ms on a quiet machine; the bound leaves room for a loaded one."""
    text = "Nhà em ở xã Tân Tiến, huyện Krông Pắc, mới đi Đồng Nai về thì xét nghiệm ở đâu gần nhất vậy ạ"
    for spelt in (text, fold(text)):
        took = []
        for _ in range(200):
            started = time.thread_time()
            places.mentions(spelt, NEAR)
            took.append(time.thread_time() - started)
        assert sorted(took)[100] < 0.002
