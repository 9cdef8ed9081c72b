"""A whole talk: short questions keep the topic, a place is remembered, two questions get two answers, nothing loops."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.stack import Bot, Citizen


@pytest.mark.parametrize(
    ("question", "follow_up", "intent"),
    [
        ("xét nghiệm covid ở đâu", "giá bao nhiêu?", "testing_cost"),
        ("xet nghiem covid o dau", "gia bao nhieu", "testing_cost"),
        ("khi nào cần đi xét nghiệm covid", "ở đâu vậy ad", "testing_where"),
        ("que test nhanh có mấy loại", "bao lâu có kết quả?", "testing_result"),
        ("tiêm vắc xin covid ở đâu", "có mất tiền không?", "vaccine_cost"),
        ("tiêm vắc xin covid ở đâu", "còn trẻ em thì sao?", "vaccine_pregnancy_children"),
        ("tiêm vắc xin covid mấy mũi", "còn bà bầu thì sao?", "vaccine_pregnancy_children"),
        ("vắc xin covid có những loại nào", "có tác dụng phụ không?", "vaccine_side_effects"),
        ("tiêm vắc xin covid ở đâu", "còn người có bệnh nền?", "vaccine_eligibility"),
        ("tiêm vắc xin covid ở đâu", "còn mẹ tôi bị gout thì sao?", "vaccine_eligibility"),
        ("có phải đeo khẩu trang ở bệnh viện không", "có bị phạt không?", "penalties"),
        ("tôi là F0 ở nhà thì chăm sóc thế nào", "gọi số nào?", "hotline"),
        ("F1 có phải cách ly tại nhà không", "mấy ngày?", "quarantine_rules"),
        ("biến thể mới có nguy hiểm hơn không", "người già thì sao?", "risk_groups"),
        ("đám cưới được mời bao nhiêu người", "văn bản nào quy định?", "official_documents"),
        ("tiêm vắc xin covid ở đâu", "thế còn xét nghiệm?", "testing_where"),
        ("xét nghiệm covid ở đâu", "còn tiêm thì sao?", "vaccine_where"),
        ("triệu chứng của covid là gì", "bao lâu?", "symptoms"),
    ],
)
def test_a_short_question_keeps_the_topic(citizen: Citizen, bot: Bot, question: str, follow_up: str, intent: str) -> None:
    citizen.says(question)
    citizen.says(follow_up)
    bot.answers(intent)


def test_the_topic_survives_thanks_and_a_greeting(citizen: Citizen, bot: Bot) -> None:
    citizen.says("xét nghiệm covid ở đâu")
    citizen.says("dạ cảm ơn")
    citizen.says("giá bao nhiêu?")
    bot.answers("testing_cost")


def test_the_same_words_alone_are_no_follow_up(citizen: Citizen) -> None:
    citizen.says("còn trẻ em thì sao?")
    assert citizen.understood["confidence"] < 1


def test_a_place_said_after_an_answer_is_asked_about(citizen: Citizen, bot: Bot) -> None:
    citizen.says("xét nghiệm covid ở đâu")
    citizen.says("ở Buôn Hồ thì sao?")
    bot.answers("testing_where")
    bot.names("Buôn Hồ")


def test_a_place_said_once_is_remembered(citizen: Citizen, bot: Bot) -> None:
    citizen.says("tôi ở Thanh Hóa")
    citizen.says("cho xin số điện thoại đường dây nóng")
    bot.names("02371022")


def test_a_greeting_and_thanks_do_not_hide_the_question(citizen: Citizen, bot: Bot) -> None:
    citizen.says(
        "Xin chào bác sĩ ạ. Em muốn hỏi giá xét nghiệm covid là bao nhiêu? Em cảm ơn bác sĩ nhiều, chúc bác sĩ sức khỏe!"
    )
    bot.answers("testing_cost")


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Xét nghiệm covid ở đâu? Tiêm vắc xin covid có mất tiền không?", "testing_where", "vaccine_cost"),
        ("trieu chung covid la gi, voi lai lay qua duong nao", "symptoms", "transmission"),
    ],
)
def test_two_questions_get_two_answers(citizen: Citizen, bot: Bot, text: str, first: str, second: str) -> None:
    citizen.says(text)
    topics = {citizen.understood["intent"], *(e["value"] for e in citizen.understood["entities"] if e["entity"] == "also_asked")}
    assert topics == {first, second}
    bot.names("Bạn còn hỏi")
    other = next(iter(topics - {citizen.understood["intent"]}))
    assert citizen.replies[0]["buttons"][0]["payload"] == f"/{other}"
    citizen.presses(citizen.replies[0]["buttons"][0]["title"])
    bot.answers(other)


def test_an_answer_that_missed_leads_to_other_topics_and_then_to_people(citizen: Citizen, bot: Bot) -> None:
    citizen.says("xét nghiệm covid hết bao nhiêu tiền và ở đâu làm")
    first = citizen.understood["intent"]
    citizen.says("không đúng ý tôi")
    assert citizen.replies[0]["response_key"] in {"utter_other_topics", "utter_not_helpful"}
    assert f"/{first}" not in [button["payload"] for button in citizen.replies[0]["buttons"]]
    citizen.says("vẫn không đúng")
    bot.uses("utter_hand_over")


def test_nothing_loops(citizen: Citizen) -> None:
    """Whatever a citizen who is not understood goes on to say, the same offer never comes twice in a row."""
    said = []
    for text in ("blo blo chum", "không phải", "asdf qwer zxcv", "không đúng ý tôi", "kè kè", "sai rồi", "không", "chum chúm"):
        citizen.says(text)
        said.append(citizen.replies[0]["response_key"])
    offers = {"utter_offer_topics", "utter_offer_topics_none", "utter_other_topics", "utter_not_helpful"}
    assert not any(a == b for a, b in pairwise(said) if a in offers), said
    assert "utter_hand_over" in said[:3]
