from __future__ import annotations

import pytest

from actions.covid import ActionSymptoms

GENERAL = "utter_symptoms"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("bà nội 80 tuổi ho sốt có phải covid không", f"{GENERAL}_at_risk"),
        ("người già mắc covid có triệu chứng gì", f"{GENERAL}_at_risk"),
        ("bà bầu bị covid có triệu chứng gì khác", f"{GENERAL}_at_risk"),
        ("tôi bị hen, ho hoài, có phải covid", f"{GENERAL}_at_risk"),
        ("triệu chứng ở trẻ em", f"{GENERAL}_child"),
        ("con em 4 tuổi sốt 2 ngày", f"{GENERAL}_child"),
        ("con em 20 ngày tuổi sốt 38", f"{GENERAL}_child"),
        ("triệu chứng covid là gì", GENERAL),
        ("em 25 tuổi bị ho", GENERAL),
        ("viêm xoang với covid phân biệt sao", GENERAL),
        ("", GENERAL),
        (None, GENERAL),
        ("bà nội 80 tuổi khó thở tím môi", "utter_emergency"),
    ],
)
async def test_symptoms_are_told_by_whom_they_concern(run, text, key):
    assert (await run(ActionSymptoms(), text))[0] == key
