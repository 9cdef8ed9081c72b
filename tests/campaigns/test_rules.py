"""Codes, links, cells and drawings: what needs no database."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.campaigns import drawing, tables
from bot.campaigns.codes import is_code, key_of, spoken_codes
from bot.campaigns.counting import Row
from bot.campaigns.described import Describer
from bot.campaigns.drawing import CannotDraw, PosterWords
from bot.campaigns.links import Reach, is_machine
from bot.campaigns.sheet import Sheet
from bot.campaigns.store import Campaign
from bot.languages.catalogue import Catalogue
from bot.languages.spoken import Drafts
from bot.settings import ROOT

REACH = Reach("https://loa.example.vn", telegram="loa_bot", messenger=("1",), zalo="2")
WORDS = PosterWords(
    "Loa", "Trợ lý của tỉnh", "Xét nghiệm dịp Tết", "Câu ngắn.", "Quét", "Mở địa chỉ", "Gõ mã", "Gọi 115", "Là máy"
)
URL = "https://loa.example.vn/c/tet2026"


@pytest.mark.parametrize("code", ["tet2026", "a-1", "1-a", "x" * 23 + "9", "123"])
def test_a_code_is_what_every_platform_takes(code: str) -> None:
    assert is_code(code)


@pytest.mark.parametrize(
    "code", ["a1", "tet", "Tet2026", "tết2026", "x" * 24 + "9", "tet_2026", "tet 2026", "tet2026\n", "", "٢٣٤a"]
)
def test_anything_else_is_none(code: str) -> None:
    assert not is_code(code)


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    for spoken in spoken_codes(text):
        assert is_code(spoken.key)
        assert key_of(spoken.key) == spoken.key


def test_a_long_text_is_looked_at_in_no_time() -> None:
    assert spoken_codes("#1 " * 3_000 + "a-1 " * 3_000) == []


@given(st.lists(st.integers(0, 40), max_size=12))
def test_no_small_cell_can_be_worked_out_from_the_total(column: list[int]) -> None:
    """Whoever knows the total and the cells that are shown does not know any hidden one."""
    cells = tables.hidden(column)
    assert all(not 0 < cell < tables.FEWEST for cell in cells if isinstance(cell, int))
    unknown = [n for n, cell in enumerate(cells) if isinstance(cell, str)]
    assert len(unknown) != 1 or all(count == 0 for n, count in enumerate(column) if n not in unknown)
    if len(unknown) == 1:
        assert tables.shown(sum(column)) == tables.FEW, "then the total is hidden too"


def test_a_table_groups_and_leaves_empty_lines_out() -> None:
    def row(day: int, **counts: int) -> Row:
        values: dict[str, Any] = {"opened": 0, "started": 0, "questions": 0, "handed_over": 0, "solved": 0, **counts}
        return Row(campaign_id=1, day=datetime.date(2026, 11, day), place="", topic="", **values)

    made = tables.table([row(1, opened=9), row(1, opened=1, started=2), row(2)], lambda one: one.day.isoformat())
    assert [(line.of, line.cells) for line in made.lines] == [("2026-11-01", (10, "<5", 0, 0, 0))]
    assert made.totals == (10, "<5", 0, 0, 0)


@pytest.mark.parametrize(
    ("agent", "expected"), [("curl/8", True), ("Mozilla/5.0 (Linux; Android 9; CUBOT P30) Mobile", False), (" ", True)]
)
def test_machines_are_told_from_people(agent: str, expected: bool) -> None:
    assert is_machine(agent) is expected


def test_an_app_that_this_deployment_has_not_is_not_opened() -> None:
    reach = Reach("https://loa.example.vn", telegram="loa_bot")
    assert reach.way_of("Mozilla/5.0 (iPhone) Zalo iOS/5", "poster") is None
    assert reach.way_of("Mozilla/5.0 (iPhone) Mobile Safari", "fanpage") == "telegram"
    assert Reach("https://loa.example.vn").way_of("Mozilla/5.0 (iPhone) Mobile Safari", "poster") is None
    assert REACH.way_of("Mozilla/5.0 (X11; Linux x86_64)", "zalo") is None


def test_a_link_to_the_web_chat_carries_the_language() -> None:
    assert REACH.link("webchat", "tet2026", "rad").url == "https://loa.example.vn/?c=tet2026&lang=rad"
    assert [REACH.link(way).url for way in REACH.ways()] == [
        "https://zalo.me/2",
        "https://m.me/1",
        "https://t.me/loa_bot",
        "https://loa.example.vn/",
    ]


def test_a_drawing_is_the_same_every_time_and_needs_no_font_at_the_print_shop() -> None:
    svg = drawing.poster(WORDS, URL)
    assert svg == drawing.poster(WORDS, URL)
    assert b"<text" not in svg
    assert b"148mm" in svg or b'width="419.' in svg, "A5"


def test_letters_that_the_font_lacks_are_named_not_drawn_as_boxes() -> None:
    with pytest.raises(CannotDraw, match="💉"):
        drawing.poster(PosterWords(**{**vars(WORDS), "name": "Tiêm 💉"}), URL)


def test_the_longest_words_still_leave_room_for_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[tuple[float, float]] = []
    monkeypatch.setattr(Sheet, "qr", lambda self, url, x, y, side: sides.append((y, side)))
    long = PosterWords(**{**vars(WORDS), "name": "Wường " * 13, "summary": "mười " * 40, "type_in": "x" * 120})
    drawing.poster(long, URL)
    ((y, side),) = sides
    assert side >= drawing.SMALLEST_QR_MM
    assert y + side < 197, "above the band"


def test_a_poster_in_another_language_says_everything_in_vietnamese_too(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, float]] = []
    sides: list[tuple[float, float]] = []
    write = Sheet.write

    def noted(sheet: Any, text: str, x: float, y: float, *more: Any, **named: Any) -> None:
        written.append((text, y))
        write(sheet, text, x, y, *more, **named)

    monkeypatch.setattr(Sheet, "write", noted)
    monkeypatch.setattr(Sheet, "qr", lambda self, url, x, y, side: sides.append((y, side)))
    there = {name: f"{text} there" for name, text in vars(WORDS).items() if text}
    drawing.poster(PosterWords(**{**there, "vietnamese": WORDS, "note": "not checked"}), URL)
    at = dict(written)
    for field in ("scan", "type_in", "say", "emergency", "machine"):
        assert at[there[field]] < at[getattr(WORDS, field)], field
    assert at["not checked"] < at[there["emergency"]]
    ((y, side),) = sides
    assert side >= drawing.SMALLEST_QR_MM
    assert y + side < at[there["scan"]]


class TestDescribed:
    """What is said of a campaign in its language. English has drafts of all of it, Ê Đê of little."""

    @staticmethod
    def describer(drafts: Drafts = "bilingual") -> Describer:
        return Describer(ROOT, Catalogue.load(ROOT, "dak-lak", drafts=drafts))

    @staticmethod
    def campaign(language: str) -> Campaign:
        day = datetime.date(2026, 11, 23)
        values: dict[str, Any] = {"place": "", "spot": "poster", "starts_on": day, "ends_on": None, "ended_at": None}
        made: dict[str, Any] = {"made_by": "an", "made_at": datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)}
        return Campaign(id=1, code="flu-1", name="Testing", topic="testing_where", language=language, **values, **made)

    def test_an_english_poster_is_english_with_vietnamese_and_says_that_it_is_a_draft(self) -> None:
        describer = self.describer()
        words = describer.poster(self.campaign("en"), None, URL)
        assert words.vietnamese is not None
        assert words.vietnamese.scan == describer.ui("poster_scan") != words.scan
        assert words.summary in (describer.summary(self.campaign("en"), None), describer.ui("page_lead", "en"))
        assert describer.title("testing_where") not in words.summary
        assert words.note == describer.draft_note("en") != ""

    @pytest.mark.parametrize(
        ("language", "drafts"), [("vi", "bilingual"), ("km", "bilingual"), ("rad", "bilingual"), ("en", "hide")]
    )
    def test_what_cannot_or_may_not_be_shown_is_vietnamese(self, language: str, drafts: Drafts) -> None:
        words = self.describer(drafts).poster(self.campaign(language), None, URL)
        assert words == self.describer().poster(self.campaign("vi"), None, URL)
        drawing.poster(words, URL)
