"""The drawing itself: light, sharp on a small phone, gaps as gaps, with every letter of Vietnamese."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.figures import chart
from bot.figures.chart import BACKLOG, BAR, HEIGHT, MOST_BYTES, WIDTH, Words
from bot.figures.weeks import Bar

SUNDAY = date(2026, 11, 15)
EVERY_LETTER = "ẮẶẰẲẴắặằẳẵẤẬẦẨẪấậầẩẫĐđẾỆỀỂỄếệềểễỐỘỒỔỖốộồổỗỚỢỜỞỠớợờởỡỨỰỪỬỮứựừửữỲỴỶỸỳỵỷỹ"
WORDS = Words(
    title="Ca mắc COVID-19 mới mỗi tuần, Thành phố Hồ Chí Minh, đến 15/11/2026",
    no_figure="không có số",
    notes=(
        "Mỗi cột là 7 ngày, đến ngày ghi dưới cột.",
        "* Gồm số của nhiều ngày báo cáo muộn dồn lại.",
        "Cộng số của Thành phố Hồ Chí Minh, Bình Dương, Bà Rịa - Vũng Tàu.",
        "Nguồn: Trung tâm Công nghệ phòng, chống dịch COVID-19 quốc gia (NCSC). Loa lấy số ngày 22/11/2026.",
    ),
    alt="Biểu đồ “cột” <8 tuần> & số",
)


def bars(*values: int | None, backlog: frozenset[int] = frozenset()) -> list[Bar]:
    first = SUNDAY - timedelta(weeks=len(values) - 1)
    return [Bar(first + timedelta(weeks=n), value, n in backlog) for n, value in enumerate(values)]


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def colours(content: bytes) -> set[str]:
    return {f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in picture(content).getcolors(1_000_000) or []}


MANY = {
    "eight": bars(120, 98, None, 110, 1450, 90, 0, 64, backlog=frozenset({4})),
    "large": bars(*[12_345_678 + n for n in range(8)]),
    "sixteen": bars(*range(16)),
    "two": bars(5, 7),
    "zeros": bars(0, 0, 0),
    "gaps": bars(None, None, 3),
}


@pytest.mark.parametrize("name", MANY)
def test_a_picture_is_light_and_wide_enough_for_a_small_phone(name: str) -> None:
    content = chart.png(MANY[name], WORDS)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(content) <= MOST_BYTES
    assert picture(content).size == (WIDTH, HEIGHT)
    assert WIDTH >= 2 * 320


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert chart.png(MANY["eight"], WORDS) == chart.png(MANY["eight"], WORDS)
    assert chart.png(MANY["eight"], WORDS) != chart.png(MANY["two"], WORDS)


def test_every_letter_of_vietnamese_can_be_drawn() -> None:
    # matplotlib warns of a letter that its font lacks, and warnings are errors here.
    for letters in (EVERY_LETTER[:40], EVERY_LETTER[40:]):
        chart.png(MANY["two"], Words(letters, letters[:9], (letters,), "x"))
    with pytest.warns(UserWarning, match="missing"):
        chart.png(MANY["two"], Words("ខ្មែរ", "x", (), "x"))


def test_dollars_in_a_name_are_no_formula() -> None:
    chart.png(MANY["gaps"], Words("$x^{2$", "$\\frac$", ("$",), "x"))


def ink(content: bytes, slot: int, count: int) -> int:
    """How many pixels of a bar's colour stand in one week's part of the picture."""
    image = picture(content)
    left, right = (round(WIDTH * (0.02 + 0.96 * (slot + side) / count)) for side in (0, 1))
    wanted = tuple(int(BAR[at : at + 2], 16) for at in (1, 3, 5))
    near = [
        sum(abs(a - b) for a, b in zip(image.getpixel((x, y)), wanted, strict=True)) < 24
        for x in range(left, right)
        for y in range(60, 420, 2)
    ]
    return sum(near)


def test_a_gap_is_no_bar_and_a_bar_is_as_high_as_its_number() -> None:
    content = chart.png(bars(100, None, 50, 0), Words("t", "không có số", ("n",), "a"))
    high, gap, half, zero = (ink(content, slot, 4) for slot in range(4))
    assert high > 1000
    assert gap < high / 50
    assert zero < high / 50
    assert 0.4 < half / high < 0.6


def test_late_reports_look_different() -> None:
    late = chart.png(bars(10, 20, backlog=frozenset({1})), WORDS)
    r, g, b = (int(BACKLOG[at : at + 2], 16) for at in (1, 3, 5))
    assert any(abs(int(c[1:3], 16) - r) + abs(int(c[3:5], 16) - g) + abs(int(c[5:7], 16) - b) < 24 for c in colours(late))
    plain = chart.png(bars(10, 20), WORDS)
    assert colours(late) != colours(plain)


SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", MANY)
def test_the_drawing_for_pages_shows_the_same(name: str) -> None:
    root = ET.fromstring(chart.svg(MANY[name], WORDS))
    said = [text.text or "" for text in root.iter(f"{SVG}text")]
    gaps = sum(bar.value is None for bar in MANY[name])
    assert said.count(WORDS.no_figure) == gaps
    assert len(list(root.iter(f"{SVG}rect"))) == 1 + len(MANY[name]) - gaps
    assert root.get("role") == "img"
    assert root.get("aria-label") == WORDS.alt
    newest = next(bar for bar in reversed(MANY[name]) if bar.value is not None)
    assert chart.number(newest.value or 0) in [text.rstrip("*") for text in said]


def test_the_drawing_for_pages_has_no_inline_style_and_no_script() -> None:
    drawn = chart.svg(MANY["eight"], Words('"><script>alert(1)</script>', "<b>", ("&",), '"x'))
    ET.fromstring(drawn)
    assert "style=" not in drawn
    assert "<script" not in drawn
