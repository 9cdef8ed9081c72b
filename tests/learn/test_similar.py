from __future__ import annotations

import subprocess
import sys

import pytest

from bot.learn.similar import assigned
from bot.settings import ROOT

ALIKE = [
    ("xét nghiệm ở đâu vậy ạ", "xet nghiem o dau vay"),
    ("cho em hỏi vé xe buýt bao nhiêu tiền", "vé xe buýt bao nhiêu tiền vậy ad"),
    ("giờ làm việc của ủy ban xã", "uỷ ban xã làm việc giờ nào"),
    ("bệnh sởi có vắc xin không", "vắc xin sởi có không"),
    ("em tên [tên] hỏi nhà có người bị sốt xuất huyết phải làm gì", "Nhà em có người bị sốt xuất huyết phải làm gì ạ?"),
]
OTHERS = [
    ("làm căn cước ở đâu", "làm giấy khai sinh ở đâu"),
    ("covid có làm tụt đường huyết không", "tuyết rơi Sa Pa có giết được corona không"),
    ("bảo hiểm y tế có chi trả mổ mắt không", "không có bảo hiểm y tế mà bị covid nặng thì ai trả viện phí"),
    ("😀", "xét nghiệm ở đâu"),
]


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_nearly_the_same_is_one_group(first: str, second: str) -> None:
    assert assigned([], [first, second]) == [0, 0]
    assert assigned([first], [second]) == [0]


@pytest.mark.parametrize(("first", "second"), OTHERS)
def test_another_matter_is_another_group(first: str, second: str) -> None:
    assert assigned([], [first, second]) == [0, 1]


def test_places_count_on_from_the_known_groups() -> None:
    known = ["xét nghiệm ở đâu", "vé xe buýt bao nhiêu tiền"]
    asked = ["làm căn cước ở đâu", "ve xe buyt bao nhieu tien", "lam can cuoc o dau", "giờ mở cửa chợ"]
    assert assigned(known, asked) == [2, 1, 2, 3]
    assert assigned(known, []) == []


def test_the_gateway_does_not_load_scikit_learn() -> None:
    code = "import bot.web, bot.learn.pages, bot.learn.collecting, sys; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
