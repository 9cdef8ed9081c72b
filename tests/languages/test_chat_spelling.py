"""Chat spellings are written out where a reader would, and left where they may be something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages.chat_spelling import CHAT_SPELLINGS, one_word
from bot.languages.normalise import normalise


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("iem ún thuốc gòi thỳ lặn", "em uống thuốc rồi thì lặn"),
        ("cly trog bviện", "cách ly trong bệnh viện"),
        ("cách li mấy thág", "cách ly mấy tháng"),
        ("fải qên ngiệm", "phải quên nghiệm"),
        ("27 tủi, sau 2 th, 3 tr", "27 tuổi, sau 2 tháng, 3 triệu"),
        ("bn lâu, giá bn, bn ngày", "bao lâu, giá bao nhiêu, bao nhiêu ngày"),
        ("tiêm đk ko, vậy dk hong", "tiêm được không, vậy được không"),
        ("hong thấy mạch nữa", "không thấy mạch nữa"),
        ("mẹ hong thở được", "mẹ không thở được"),
        ("ra ruộng được hong ta", "ra ruộng được không ta"),
        ("chan doi mun ket thuc tat ca", "chan doi muốn ket thuc tat ca"),
        ("tét nhanh hum qua", "test nhanh hôm qua"),
        ("virut côrôna", "covid"),
    ],
)
def test_what_a_reader_knows_at_sight_is_written_out(typed: str, read: str) -> None:
    assert normalise(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "dau hong tho khó",  # a sore throat
        "que test co hong khong",  # broken
        "noi mun o lung",  # pimples
        "cho bn hỏi",  # a friend
        "gói bánh tét",
        "tủi thân",
        "quyết định qđ 5785",
        "chị fa ở ngă ba",
    ],
)
def test_what_reads_two_ways_stays(typed: str) -> None:
    assert normalise(typed) == typed


@pytest.mark.parametrize("typed", ["em có đk ko", "có cần đk không", "đk tiêm ở đâu", "đk chưa"])
def test_whoever_asks_about_registering_is_not_taken_to_ask_for_leave(typed: str) -> None:
    assert "đăng ký" in normalise(typed)


def test_no_chat_spelling_leads_to_another() -> None:
    """Or the length of a message would decide how far it is written out."""
    assert [short for short, long in CHAT_SPELLINGS.items() if any(word in CHAT_SPELLINGS for word in long.split())] == []


@given(st.text(alphabet="fqngieaou áàảãạêếđ", max_size=8))
def test_letters_are_completed_once(word: str) -> None:
    completed = one_word(word) or word
    assert (one_word(completed) or completed) == completed


@given(
    st.lists(
        st.sampled_from(
            [*sorted(CHAT_SPELLINGS), "27", "đk", "dk", "bn", "hong", "mun", "tủi", "th", "tét", "hum", "nay", "được"]
        )
    )
)
def test_writing_out_is_done_once_and_for_all(typed: list[str]) -> None:
    once = normalise(" ".join(typed))
    assert normalise(once) == once
