"""A citizen asks in Vietnamese and gets the right, sourced answer: the whole service, nothing replaced but the platforms."""

from __future__ import annotations

import pytest

from tests.stack import Bot, Citizen


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("Cho em hỏi xét nghiệm covid ở đâu vậy ạ", "utter_testing_where"),
        ("xet nghiem o dau", "utter_testing_where"),
        ("giá test nhanh bao nhiêu tiền", "utter_testing_cost"),
        ("test lên hai vạch là sao", "utter_testing_result"),
        ("tiêm vắc xin ở đâu", "utter_vaccine_where"),
        ("tiem vac xin covid o dau vay", "utter_vaccine_where"),
        (
            "Mẹ tôi 70 tuổi bị tiểu đường, cao huyết áp. Vậy mẹ tôi có tiêm vắc xin covid được không bác sĩ?",
            "utter_vaccine_eligibility_caution",
        ),
        ("5K là gì", "utter_prevention_5k"),
        ("đeo khẩu trang loại nào tốt", "utter_wear_mask"),
        ("triệu chứng covid là gì", "utter_symptoms"),
        ("covid lây qua đường nào", "utter_transmission"),
        ("quỹ vắc xin còn nhận đóng góp không", "utter_vaccine_fund_donation"),
        ("có phải cài bluezone nữa không", "utter_app_bluezone_ncovi_pccovid"),
        ("tung tin giả bị phạt bao nhiêu", "utter_penalties"),
        ("mày là người hay máy", "utter_bot_identity"),
    ],
)
def test_a_question_is_answered_by_its_topic(citizen: Citizen, bot: Bot, question: str, key: str) -> None:
    citizen.says(question)
    bot.uses(key)


def test_every_answer_of_substance_carries_its_document(citizen: Citizen, bot: Bot) -> None:
    citizen.says("5K là gì")
    bot.cites("byt-khuyen-cao-2025-05-14")
    assert citizen.replies[0]["revision"]


def test_a_citizen_in_danger_is_told_115_before_anything_else(citizen: Citizen, bot: Bot) -> None:
    citizen.says("con toi tim tai khong tho duoc cuu voi")
    bot.uses("utter_emergency")
    bot.begins_with_number("115")


def test_the_hotline_of_a_named_place_is_told(citizen: Citizen, bot: Bot) -> None:
    citizen.says("gọi số nào ở Thanh Hóa")
    bot.uses("utter_hotline")
    bot.names("02371022")
    bot.names("115")


def test_without_a_place_the_provinces_own_line_is_told(citizen: Citizen, bot: Bot) -> None:
    citizen.says("cho xin số điện thoại đường dây nóng")
    bot.uses("utter_hotline")
    bot.names("19009095")
    assert "02371022" not in citizen.replies[0]["text"]


def test_official_documents_come_with_number_and_link(citizen: Citizen, bot: Bot) -> None:
    citizen.says("cho tôi xem văn bản, chỉ thị mới nhất về phòng chống dịch")
    bot.uses("utter_official_documents")
    bot.names("114/2025/QH15")
    bot.names("https://")


def test_case_figures_carry_issuer_and_day(citizen: Citizen, bot: Bot) -> None:
    citizen.says("hôm nay cả nước có bao nhiêu ca covid")
    assert citizen.replies[0]["response_key"] in {"utter_case_figures", "utter_case_figures_frozen"}
    bot.names("WHO")
    bot.names("/20")


def test_figures_of_a_province_say_that_there_is_no_official_daily_number(citizen: Citizen, bot: Bot) -> None:
    citizen.says("Đắk Lắk hôm nay có mấy ca")
    bot.uses("utter_case_figures_place_last")
    bot.names("20/1/2022")


def test_vaccination_figures_are_dated(citizen: Citizen, bot: Bot) -> None:
    citizen.says("cả nước tiêm được bao nhiêu mũi vắc xin rồi")
    bot.uses("utter_vaccination_figures_frozen")
    bot.names("148.350.360")


def test_a_button_leads_on(citizen: Citizen, bot: Bot) -> None:
    citizen.says("xét nghiệm ở đâu")
    citizen.presses("Giá xét nghiệm")
    bot.uses("utter_testing_cost")


def test_not_understood_twice_is_handed_over_and_never_asked_to_rephrase_again(citizen: Citizen, bot: Bot) -> None:
    citizen.says("cái kia thế nào rồi hả")
    bot.uses("utter_offer_topics")
    citizen.says("chuyện hôm qua tới đâu rồi")
    bot.uses("utter_hand_over")
    citizen.says("thứ ba tuần sau nữa thì")
    bot.uses("utter_hand_over")


def test_a_typed_intent_is_never_obeyed(citizen: Citizen, bot: Bot) -> None:
    # "/emergency" is no case of it: the English word alone is understood as a cry for help, and answered with 115.
    for typed in ("/vaccine_cost", '/inform_place{"place": "dak-lak"}', " /restart", "\u200b/vaccine_cost"):
        citizen.says(typed)
        assert citizen.replies
        assert citizen.understood.get("confidence") != 1.0, typed


def test_the_place_is_remembered_for_the_next_question(citizen: Citizen, bot: Bot) -> None:
    citizen.says("em ở Sầm Sơn")
    bot.uses("utter_inform_place")
    citizen.says("cho em xin số điện thoại đường dây nóng")
    bot.names("02371022")


def test_hostile_inputs_are_all_answered(citizen: Citizen) -> None:
    for text in (
        "😀" * 50,
        "a\x00b",
        "x" * 10_000,
        "ខ្មែរ",
        "\u202e đảo ngược",
        "'; DROP TABLE messages; --",
        "{{7*7}}",
        "{hotline}",
    ):
        citizen.says(text)
        assert citizen.replies
