"""A claim is found however it is worded, and nothing else is taken for it. The sentences here are in no file that is matched."""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from bot.check_rumours import rumour_findings
from bot.content.reports import links_in, refuted
from bot.content.rumours import KnownRumours, likeness
from bot.directory.rumours import Rumour, Rumours
from bot.languages.catalogue import Catalogue
from bot.languages.in_force import InForce, Verdict
from bot.messages import Outgoing
from bot.settings import ROOT

CATALOGUE = Catalogue.load(ROOT, "dak-lak")
RUMOURS = Rumours.load(ROOT)
KNOWN = KnownRumours(RUMOURS, CATALOGUE.in_force)
TODAY = datetime.date(2026, 11, 22)
GENERAL = Outgoing("cách kiểm tra", key="utter_rumor_check")
VERDICT = Verdict(
    3,
    "Chợ Ea Kar có thuốc nam chữa dứt COVID-19",
    ("nghe nói ở chợ ea kar bán thuốc nam uống ba thang là hết covid",),
    "wrong",
    "Sở Y tế không cấp phép thuốc nào như vậy.",
    "Sở Y tế",
    "Thông báo",
    "",
    TODAY,
    "",
    TODAY,
    TODAY,
)

PARAPHRASES = {
    "garlic": [
        "bà nội mình bảo mỗi sáng nhai vài tép tỏi thì khỏi lo dính covid, đúng không",
        "co nguoi noi an toi hang ngay chong duoc virus",
    ],
    "alcohol": ["mấy chú uống rượu mạnh vì nghĩ diệt được virus, thiệt không", "uong bia moi ngay co phong dc covid ko"],
    "bleach": ["trên mạng chỉ uống nước tẩy để diệt virus trong người, có nên không", "uong con cong nghiep chua covid"],
    "spraying": ["người ta xịt cồn từ đầu tới chân khắp người cho chết virus, vậy đúng không"],
    "5g": ["cột sóng 5G mới dựng ở xã làm lây covid phải không ad", "song dien thoai 5g gay ra covid ha"],
    "heat": ["nghe bảo trời nóng trên 35 độ thì virus tự chết hết", "mua he nang nong covid het phai khong"],
    "cold": ["mùa đông tuyết rơi là virus chết hết đúng không"],
    "hot_bath": ["ngày nào cũng tắm nước nóng thì phòng được covid à"],
    "breath_holding": ["nín thở được 10 giây mà không ho là mình không bị covid phải không"],
    "mosquito": ["bị muỗi chích có lây covid không", "muoi dot lay covid that ha"],
    "nose_rinse": ["ngày nào cũng rửa mũi nước muối thì không mắc covid nữa đúng không"],
    "antibiotics": ["mua kháng sinh về uống là khỏi covid, bạn em nói vậy"],
    "infertility": ["nghe đồn con gái tiêm vắc xin covid sau này bị vô sinh", "tiem vac xin covid bi vo sinh that khong"],
    "genes": ["bạn bảo vắc xin mRNA làm thay đổi gen người, thật không"],
    "radiation": ["tin nhắn nói Singapore mổ tử thi thấy covid là vi khuẩn nhiễm phóng xạ"],
    "fund": ["có người gọi kêu chuyển khoản ủng hộ quỹ vắc xin covid, thật không"],
    "directive_16": ["tuần sau tỉnh mình lại áp dụng chỉ thị 16 thật không ad"],
    "f1_quarantine": ["nghe nói giờ f1 vẫn bị đưa đi cách ly tập trung 14 ngày"],
    "molnupiravir": ["mua molnupiravir uống trước để phòng covid được không, thấy quảng cáo"],
    "breast_milk": ["mẹ chồng nói mẹ bị covid thì phải cai sữa kẻo lây cho con qua sữa mẹ"],
}
# True, or about something else, though the words are near.
OTHERS = [
    "rửa tay bằng xà phòng có diệt được virus không",
    "súc họng nước muối có phải biện pháp được khuyên không",
    "đeo khẩu trang có phòng được covid không",
    "tôi nghe nói tối nay tỉnh phong tỏa, có thật không",
    "toi nghe noi toi mai cam cho, tin nay dung khong",
    "người cao tuổi dễ bị covid nặng hơn, đúng không",
    "tiêm vắc xin giảm nguy cơ bệnh nặng, đúng không",
    "tiêm vắc xin xong bị sốt có thật không",
    "uống rượu sau khi tiêm vắc xin có sao không",
    "tôi bị dị ứng kháng sinh có tiêm được không",
    "muoi ngay sau co het bi covid khong",
    "phun thuốc muỗi trong nhà có diệt virus không",
    "phơi quần áo ngoài nắng có diệt được virus không",
    "virus sống bao lâu trên bề mặt, nhiệt độ nào thì chết",
    "đang điều trị hiếm muộn có tiêm vắc xin được không",
    "xã em vừa lắp cột 5G, nạp tiền ở đâu",
    "cồn 70 độ lau bàn ghế có diệt được virus không",
    "trẻ em mắc covid thường nhẹ hơn phải không",
    "quỹ bảo hiểm y tế có chi trả điều trị covid không",
    "covid do vi rút SARS-CoV-2 gây ra, đúng không",
    "mẹ tiêm vắc xin rồi cho con bú được không",
    "kiểm chứng giúp tôi tin này",
    "tin này có thật không",
    "🦠🦠🦠",
    "",
]


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in PARAPHRASES.items() for text in texts])
def test_a_paraphrase_is_found(key: str, text: str) -> None:
    match = KNOWN.match(text)
    assert match is not None
    assert isinstance(match.found, Rumour)
    assert match.found.key == key


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_true_or_something_else_is_not_taken_for_a_rumour(text: str) -> None:
    assert KNOWN.match(text) is None


def test_a_claim_in_the_middle_of_a_long_message_is_found_and_a_page_of_text_is_none() -> None:
    story = "Nhà em ở xa, mấy hôm nay bà con kể đủ thứ chuyện. " * 6
    found = KNOWN.match(f"{story}Có người nói ăn tỏi sống mỗi ngày là diệt được virus. {story}")
    assert found is not None
    assert KNOWN.match(story * 20 + "x" * 10_000) is None


def test_every_wording_is_found_as_its_own_claim_and_files_fit_each_other() -> None:
    assert rumour_findings(dataclasses.replace(CATALOGUE, today=lambda: TODAY), ROOT) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"source": "tingia-gov-vn"}, "rests on"), ({"risk": "normal"}, "risk: high")],
)
def test_each_guard_of_the_file_can_fail(change: dict[str, str], sentence: str) -> None:
    entries = {
        **CATALOGUE.entries,
        "utter_rumor_check_garlic": dataclasses.replace(CATALOGUE.entries["utter_rumor_check_garlic"], **change),
    }
    broken = dataclasses.replace(CATALOGUE, entries=entries, today=lambda: TODAY)
    assert any(sentence in finding.sentence for finding in rumour_findings(broken, ROOT))
    late = dataclasses.replace(CATALOGUE, today=lambda: TODAY + datetime.timedelta(days=400))
    assert any("was held against" in finding.sentence for finding in rumour_findings(late, ROOT))
    more = dataclasses.replace(
        CATALOGUE, entries={**CATALOGUE.entries, "utter_rumor_check_x": entries["utter_rumor_check_garlic"]}
    )
    assert any("answer to no claim" in finding.sentence for finding in rumour_findings(more, ROOT))


def test_a_verdict_of_staff_is_found_by_its_claim_and_by_what_people_reported() -> None:
    in_force = InForce()
    known = KnownRumours(RUMOURS, in_force)
    asked = "nghe nói chợ ea kar bán thuốc nam ba thang là hết covid, có thật không"
    assert known.match(asked) is None
    in_force.fill((), (), [VERDICT])
    match = known.match(asked)
    assert match is not None
    assert match.found == VERDICT
    assert known.match("chợ Ea Kar mở cửa mấy giờ, có bán thuốc không") is None


def test_the_debunk_takes_the_place_of_the_general_answer_and_only_of_it() -> None:
    other = Outgoing("gọi 115", key="utter_emergency")
    (first, last) = refuted(CATALOGUE, KNOWN, "ăn tỏi có diệt được virus không", [other, GENERAL], "vi", offers=True)
    assert (first, last.key) == (other, "utter_rumor_check_garlic")
    assert last.source is not None
    assert refuted(CATALOGUE, KNOWN, "ăn tỏi có diệt được virus không", [other], "vi", offers=True) == [other]


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("nghe nói ngày mai tỉnh đóng cửa chợ, có thật không", True),
        ("tin này thật không", False),
        ("https://example.com/bai-viet thật không", True),
    ],
)
def test_an_unknown_one_may_be_handed_over_when_there_is_something_to_check(text: str, offers: bool) -> None:
    keys = [reply.key for reply in refuted(CATALOGUE, KNOWN, text, [GENERAL], "vi", offers=True)]
    assert keys == ["utter_rumor_check", *(["utter_report_offer"] if offers else [])]
    assert [r.key for r in refuted(CATALOGUE, KNOWN, text, [GENERAL], "vi")] == ["utter_rumor_check"]


def test_links_lose_what_may_be_somebodys_own() -> None:
    text = "xem https://an:mk@example.com/bai?id=5&token=abc#toi, http://EXAMPLE.com/a?x=1 và javascript:alert(1) https://[ nhé"
    assert links_in(text) == ["https://example.com/bai?id=5", "http://EXAMPLE.com/a"]
    assert len(links_in(" ".join(f"https://example.com/{n}" for n in range(50)))) == 5


def test_two_reports_of_one_rumour_are_alike() -> None:
    one, other = "ngày mai đóng cửa chợ Buôn Hồ có thật không", "ngay mai cho buon ho dong cua ha ad"
    assert likeness(one, other) > 0.5 > likeness(one, "vắc xin có chip theo dõi")
    assert likeness("", one) == 0
