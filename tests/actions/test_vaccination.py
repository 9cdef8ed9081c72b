"""Whom the screening guideline puts in which group. No answer says that somebody may be vaccinated: the doctor decides."""

from __future__ import annotations

import pytest

from actions.about import CONDITIONS_TOLD
from actions.vaccination import ActionVaccineEligibility

GENERAL = "utter_vaccine_eligibility"
CHILDREN = "utter_vaccine_pregnancy_children"


async def groups(run, text: str) -> tuple[str, list[tuple[str, str]]]:
    """The key, and group and cause of every line."""
    key, values = await run(ActionVaccineEligibility(), text)
    return key, [(line["group"], line["cause"]) for line in values.get("screening", []) if "group" in line]


@pytest.mark.parametrize(
    ("text", "group", "cause"),
    [
        ("mũi 1 tôi bị phản vệ, có tiêm mũi 2 được không", "contraindicated", "same_vaccine"),
        ("mui 1 bi phan ve do 2 co tiem mui 2 duoc khong", "contraindicated", "same_vaccine"),
        ("sau liều đầu em bị sốc phản vệ, có nên tiêm nữa không", "contraindicated", "same_vaccine"),
        ("tiêm xong nổi mề đay khắp người thì có tiêm tiếp không", "contraindicated", "same_vaccine"),
        ("tôi dị ứng với vắc xin covid", "contraindicated", "same_vaccine"),
        ("đang sốt 38 độ có tiêm được không", "delay", "acute"),
        ("bị ho sổ mũi có tiêm không", "delay", "acute"),
        ("đang F0 có đi tiêm được không", "delay", "acute"),
        ("zona chưa khỏi tiêm được không", "delay", "acute"),
        ("cao huyết áp có tiêm được không", "caution", "chronic"),
        ("toi bi tieu duong co tiem duoc khong", "caution", "chronic"),
        ("hen suyễn tiêm AZ được ko", "caution", "chronic"),
        ("nhiễm HIV có tiêm được không", "caution", "chronic"),
        ("ung thư vú tiêm được không", "caution", "chronic"),
        ("đặt stent năm ngoái có tiêm không", "caution", "chronic"),
        ("có bệnh nền tiêm được ko", "caution", "chronic"),
        ("dị ứng hải sản tiêm được không", "caution", "allergy"),
        ("di ung penicillin chich duoc khong", "caution", "allergy"),
        ("từng sốc phản vệ với kháng sinh", "caution", "allergy"),
        ("giảm tiểu cầu tiêm được ko", "caution", "clotting"),
        ("rối loạn đông máu có được tiêm không", "caution", "clotting"),
        ("huyết áp thấp có tiêm được không", "caution", "vitals"),
        ("đang hóa trị có tiêm được không", "not_listed", "none"),
        ("bị covid năm 2022 có tiêm được không", "not_listed", "none"),
        ("người mất năng lực hành vi có tiêm không", "caution", "capacity"),
        ("đang uống thuốc chống đông có tiêm được không", "not_listed", "none"),
        ("vừa mổ ruột thừa có tiêm được không", "not_listed", "none"),
        ("em mới khỏi covid có tiêm được không", "not_listed", "none"),
        ("đang uống kháng sinh tiêm được không", "not_listed", "none"),
        ("lao phổi đã khỏi 10 năm có tiêm được không", "not_listed", "none"),
        ("trước đây tôi bị lao phổi đã chữa khỏi có tiêm được không", "not_listed", "none"),
        ("me toi bi tim mach co tiem duoc khong", "caution", "chronic"),
    ],
)
async def test_a_condition_is_told_in_its_group(run, text, group, cause):
    assert await groups(run, text) == (f"{GENERAL}_{group}", [(group, cause)])


async def test_of_several_the_most_careful_group_comes_first(run):
    key, lines = await groups(run, "Mẹ 70 tuổi tiểu đường, dị ứng tôm, đang sốt, uống aspirin, có tiêm được không")
    assert key == f"{GENERAL}_delay"
    assert lines == [("delay", "acute"), ("caution", "chronic"), ("caution", "allergy")]


async def test_each_line_names_what_caused_it_and_the_age_is_said_back(run):
    _, values = await run(ActionVaccineEligibility(), "Mẹ tôi 61 tuổi, tăng huyết áp, tiểu đường, có tiêm được không")
    (line,) = values["screening"]
    assert line["names"] == ["tăng huyết áp", "tiểu đường"]
    assert values["person"]["age"] == {"value": 61, "unit": "years", "about": False}
    assert values["person"]["conditions"] == []


async def test_what_is_denied_is_not_counted(run):
    key, lines = await groups(run, "Tôi 40 tuổi bị hen, không bị tiểu đường, không dị ứng, có tiêm được không")
    assert (key, lines) == (f"{GENERAL}_caution", [("caution", "chronic")])


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "/vaccine_eligibility",
        "tôi có tiêm được không",
        "tôi 40 tuổi, không có bệnh nền, không dị ứng, có tiêm được không",
        "em sợ sốc phản vệ, có nên tiêm không",
        "nghe nói AZ gây đông máu, có nên tiêm không",
        "ai phải hoãn tiêm",
        "bệnh nền nào không được tiêm",
        "hút thuốc lá có tiêm được không",
        "vừa hết sốt có tiêm được không",
        "tôi sợ tiêm vào bị đông máu, có nên tiêm không",
        "gia đình có tiền sử ung thư, em 29 tuổi có tiêm được không",
        "Mẹ tôi 70 tuổi bị tiểu đường, cháu 5 tuổi, có tiêm được không",
    ],
)
async def test_without_a_clear_condition_the_general_answer_refers(run, text):
    assert await run(ActionVaccineEligibility(), text) == (GENERAL, {})


@pytest.mark.parametrize(
    "text",
    [
        "em mang thai 20 tuần có tiêm được không",
        "đang cho con bú, bé 7 tháng, có tiêm được không",
        "em đang chuẩn bị mang thai có nên tiêm không",
        "em trễ kinh 5 ngày thử que 2 vạch, có tiêm được không",
        "bé 7 tuổi bị hen có tiêm được không",
        "con em 15 tuổi có tiêm được không",
        "trẻ em có tiêm được không",
    ],
)
async def test_pregnancy_and_children_get_their_own_approved_answer(run, text):
    assert await run(ActionVaccineEligibility(), text) == (CHILDREN, {})


@pytest.mark.parametrize(
    ("text", "group", "cause"),
    [
        ("em mang thai 10 tuần bị hen có tiêm không", "delay", "pregnancy_early"),
        ("em mang thai 20 tuần bị hen có tiêm không", "caution", "pregnancy_later"),
        ("em mang thai được 20 tuần bị hen có tiêm không", "caution", "pregnancy_later"),
        ("em mang thai bị hen có tiêm không", "delay_or_caution", "none"),
        ("em cho con bú bị hen có tiêm không", "not_listed", "none"),
    ],
)
async def test_a_pregnancy_beside_an_illness_has_its_own_line(run, text, group, cause):
    key, lines = await groups(run, text)
    assert sorted(lines) == sorted([(group, cause), ("caution", "chronic")])
    assert key == (f"{GENERAL}_delay" if group.startswith("delay") else f"{GENERAL}_caution")


async def test_old_age_alone_is_in_no_group_and_that_is_said(run):
    key, values = await run(ActionVaccineEligibility(), "Bà tôi 92 tuổi, không bệnh gì, có nên tiêm không")
    assert (key, values["person"]["age"]["value"]) == (f"{GENERAL}_older", 92)


async def test_more_conditions_than_fit_are_hinted_at(run):
    _, values = await run(
        ActionVaccineEligibility(), "bị hen, gút, lupus, tiểu đường, viêm gan B, đau dạ dày, viêm xoang có tiêm được không"
    )
    *lines, last = values["screening"]
    assert sum(len(line["names"]) for line in lines) == CONDITIONS_TOLD
    assert last == {"note": "more"}


async def test_an_anaphylaxis_of_unknown_cause_is_told_what_would_be_the_contraindication(run):
    _, values = await run(ActionVaccineEligibility(), "tôi từng bị sốc phản vệ, có tiêm được không")
    assert [line["note"] for line in values["screening"]] == ["anaphylaxis"]


@pytest.mark.parametrize(
    "text",
    [
        "hôm nay tôi sốt 38.5, khó thở, lịch tiêm ngày mai có được tiêm không",
        "đang F0 tức ngực có đi tiêm được không",
        "mẹ 70 tuổi ho, lơ mơ, mai tới lịch có tiêm được không",
        "bố em ung thư gan giai đoạn cuối, đang nằm lơ mơ, có tiêm được không",
    ],
)
async def test_who_is_ill_now_and_in_danger_is_told_115_though_asking_for_a_vaccination(run, text):
    assert (await run(ActionVaccineEligibility(), text))[0] == "utter_emergency"


async def test_what_somebody_with_a_chronic_illness_often_has_is_no_emergency_there(run):
    assert (await run(ActionVaccineEligibility(), "tôi bị hen hay khó thở có tiêm được không"))[0] == f"{GENERAL}_caution"


async def test_of_two_grown_ups_nobody_is_told_the_others_group(run):
    text = "vợ tôi 60 tuổi bị suy tim, tôi 62 tuổi khỏe, tiêm được không"
    assert await run(ActionVaccineEligibility(), text) == (GENERAL, {})


async def test_a_diabetes_of_pregnancy_tells_of_a_pregnancy(run):
    key, lines = await groups(run, "em bị tiểu đường thai kỳ tiêm được không")
    assert (key, lines) == (f"{GENERAL}_delay", [("delay_or_caution", "none")])


async def test_danger_comes_before_every_group(run):
    key, _ = await run(
        ActionVaccineEligibility(), "Vừa tiêm xong 10 phút, khó thở sưng môi, tôi bị hen, mũi sau có được tiêm không?"
    )
    assert key == "utter_emergency"
