from __future__ import annotations

import pytest

from actions.testing import ActionTestingResult

GENERAL = "utter_testing_result"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("mẹ 70 tuổi test 2 vạch", f"{GENERAL}_at_risk"),
        ("em bầu 5 tháng test dương tính", f"{GENERAL}_at_risk"),
        ("bi tieu duong test 2 vach", f"{GENERAL}_at_risk"),
        ("bé 2 tuổi test 2 vạch", f"{GENERAL}_child"),
        ("test 2 vạch là sao", GENERAL),
        ("em test 2 vạch hôm qua", GENERAL),
        ("mẹ 70 tuổi test âm tính", GENERAL),
        ("mẹ 70 tuổi bị covid 6 tháng trước, giờ test 1 vạch", GENERAL),
        ("que thử thai 2 vạch", GENERAL),
        ("bà 70 tuổi và cháu 5 tuổi đều dương tính", GENERAL),
        ("", GENERAL),
        (None, GENERAL),
        ("mẹ 70 tuổi test 2 vạch khó thở quá", "utter_emergency"),
    ],
)
async def test_a_positive_result_of_the_endangered_comes_with_whom_to_tell(run, text, key):
    assert (await run(ActionTestingResult(), text))[0] == key
