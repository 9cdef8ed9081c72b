"""Who is ill at home: the gravely endangered and children are sent to the health station, the others have their days counted."""

from __future__ import annotations

import pytest

from actions.help import ActionHomeTreatmentF0

GENERAL = "utter_home_treatment_f0"


@pytest.mark.parametrize(
    "text",
    [
        "ba tôi 72 tuổi dương tính",
        "bà nội dương tính chăm sao",
        "em bầu 30 tuần dương tính",
        "em mang thai được 30 tuần bị F0",
        "bị tiểu đường mà dương tính thì sao",
        "me toi ung thu test 2 vach",
        "chạy thận bị F0 làm sao",
        "người có bệnh nền F0 tại nhà",
    ],
)
async def test_the_endangered_are_told_to_report_today(run, text):
    assert (await run(ActionHomeTreatmentF0(), text))[0] == f"{GENERAL}_at_risk"


@pytest.mark.parametrize(
    "text", ["bé 7 tháng dương tính", "con em 10 tuổi F0", "trẻ sơ sinh F0", "con học lớp 4 bị F0", "con 10 tuổi bị hen F0"]
)
async def test_children_have_signs_of_their_own(run, text):
    assert (await run(ActionHomeTreatmentF0(), text))[0] == f"{GENERAL}_child"


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("em dương tính hôm nay", "early"),
        ("em dương tính ngày thứ 5", "early"),
        ("em dương tính ngày thứ 6 hết sốt rồi", "middle"),
        ("dương tính cách đây 10 ngày", "middle"),
        ("dương tính ngày thứ 11", "middle"),
        ("dương tính ngày thứ 12 vẫn 2 vạch", "over"),
        ("sốt 8 ngày trước, dương tính 2 ngày nay", "early"),
        ("dương tính ngày 19 đi làm được chưa", "early"),
        ("hôm nay ngày 10 vẫn 2 vạch", "middle"),
        ("em F0 ngày 14/11 hôm nay đi làm được chưa", "middle"),
    ],
)
async def test_the_days_are_counted_carefully(run, text, stage):
    key, values = await run(ActionHomeTreatmentF0(), text)
    assert (key, values["isolation"]) == (f"{GENERAL}_days", stage)


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "F0 ăn gì",
        "em F0 bị đau dạ dày ăn gì",
        "cháu nội 7 tuổi dương tính, bà 66 tuổi chăm",
        "tôi dương tính, nhà có mẹ già 80 tuổi",
        "không có bệnh nền, test 2 vạch",
        "dương tính hôm thứ sáu, đi làm được chưa",
        "F0 hết sốt 6 ngày rồi",
    ],
)
async def test_otherwise_the_general_answer_names_everybody(run, text):
    assert await run(ActionHomeTreatmentF0(), text) == (GENERAL, {})


@pytest.mark.parametrize("text", ["mẹ 70 tuổi F0 khó thở tím môi", "F0 thở 28 lần/phút nhưng không mệt"])
async def test_danger_is_told_first(run, text):
    assert (await run(ActionHomeTreatmentF0(), text))[0] == "utter_emergency"


async def test_what_was_understood_is_said_back(run):
    _, values = await run(ActionHomeTreatmentF0(), "ba 72 tuổi bị COPD, tiểu đường, gút, lupus, dương tính ngày thứ 3")
    person = values["person"]
    assert person["age"]["value"] == 72
    assert person["conditions"] == ["phổi tắc nghẽn mạn tính (COPD)", "tiểu đường"]
    assert person["since"] == [{"role": "positive", "days": 3, "ordinal": True}]
