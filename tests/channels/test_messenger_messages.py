"""What a message looks like on Messenger: parts, buttons that stay, quick replies, links, numbers. Nothing that Meta refuses."""

from __future__ import annotations

import itertools

import pytest

from bot.channels.messenger_messages import arrange, dialled, rendered, split_for_buttons
from bot.channels.payloads import short_id
from bot.channels.rendering import utf16_units
from bot.messages import Button
from tests.simulators.messenger import buttons_of, text_of, wrong_with

SENTENCE = "Người từ 60 tuổi trở lên nên tiêm nhắc lại theo hướng dẫn của cơ sở y tế. "
SITE = Button("Trang của Sở Y tế", url="https://soyte.example.vn")
LINE = Button("Đường dây nóng", phone="02623852665")


def presses(count: int) -> list[Button]:
    return [Button(f"Nút {number}", f"/testing_where_{number}") for number in range(count)]


def test_up_to_three_buttons_stay_below_the_text() -> None:
    (message,) = rendered("Chọn một mục.", [Button("Giá", "/testing_cost"), SITE, LINE])
    assert [button["type"] for button in buttons_of(message)] == ["postback", "web_url", "phone_number"]
    assert [button.get("payload") or button["url"] for button in buttons_of(message)] == [
        short_id("/testing_cost"),
        "https://soyte.example.vn",
        "+842623852665",
    ]
    assert "quick_replies" not in message


def test_more_than_three_become_quick_replies_and_links_stay_below() -> None:
    (message,) = rendered("Chọn một mục.", [*presses(4), SITE])
    assert [reply["title"] for reply in message["quick_replies"]] == ["Nút 0", "Nút 1", "Nút 2", "Nút 3"]
    assert [button["title"] for button in message["attachment"]["payload"]["buttons"]] == ["Trang của Sở Y tế"]


def test_what_has_no_button_is_written_out() -> None:
    messages = rendered("Chọn một mục.", [*presses(15), *[SITE] * 4, Button("Cấp cứu", phone="115")])
    words = "\n".join(map(text_of, messages))
    assert "Cấp cứu: 115" in words
    assert "Trang của Sở Y tế: https://soyte.example.vn" in words
    assert "- Nút 13" in words
    assert "- Nút 14" in words
    assert len(messages[-1]["quick_replies"]) == 13


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("02623852665", "+842623852665"),
        ("0912345678", "+84912345678"),
        ("+842623852665", "+842623852665"),
        ("115", None),
        ("19009095", None),
        ("18001119", None),
    ],
)
def test_only_numbers_with_an_international_form_get_a_button(phone: str, shown: str | None) -> None:
    assert dialled(phone) == shown


def test_titles_are_cut_with_what_tells_them_apart() -> None:
    long = [Button(f"Tiêm vắc xin COVID-19 ở {place}", f"/p{place}") for place in ("Buôn Hồ", "Ea Kar", "Krông Pắc")]
    (message,) = rendered("Chọn nơi.", long)
    shown = [button["title"] for button in buttons_of(message)]
    assert len(set(shown)) == 3
    assert all(len(title) <= 20 for title in shown)
    assert [place in title for place, title in zip(("Hồ", "Kar", "Pắc"), shown, strict=True)] == [True] * 3


def test_a_long_text_is_split_and_the_last_part_has_room_for_the_buttons() -> None:
    text = "\n\n".join([SENTENCE * 6] * 10)
    *before, last = rendered(text, presses(2))
    assert before
    assert all("text" in message and not buttons_of(message) for message in before)
    assert len(text_of(last)) <= 640
    assert len(buttons_of(last)) == 2
    assert "".join("".join(map(text_of, [*before, last])).split()) == "".join(text.split())


def test_the_part_above_the_buttons_begins_with_a_paragraph_if_one_fits() -> None:
    assert split_for_buttons(f"{SENTENCE * 9}\n\nNguồn: Bộ Y tế.", 640)[-1] == "Nguồn: Bộ Y tế."
    assert split_for_buttons(SENTENCE * 9, 640)[-1].startswith("Người từ 60 tuổi")
    assert split_for_buttons("ngắn", 640) == ["ngắn"]


def test_a_text_without_any_boundary_is_cut_between_letters() -> None:
    parts = split_for_buttons("ơ̆" * 1500, 640)
    assert "".join(parts) == "ơ̆" * 1500
    assert not any(part.startswith("̆") for part in parts)


@pytest.mark.parametrize("length", [1, 639, 640, 641, 1999, 2000, 2001, 10_000])
@pytest.mark.parametrize("letter", ["a", "ơ̆", "🙂", "ệ ", "từ. "])
def test_meta_refuses_none_of_it(length: int, letter: str) -> None:
    mixes = [[], presses(1), presses(3), presses(5), [*presses(14), SITE, SITE, SITE, SITE, LINE], [SITE, LINE]]
    for buttons in mixes:
        for message in rendered((letter * length)[:length].strip() or "a", buttons):
            assert wrong_with(message) is None
            assert utf16_units(text_of(message)) <= 2000


def test_every_button_of_a_message_is_shown_once() -> None:
    for pressed, links in itertools.product(range(15), range(5)):
        buttons = [*presses(pressed), *[SITE] * links]
        arranged = arrange(buttons)
        assert len(arranged.below) + len(arranged.beside) + len(arranged.lines) == len(buttons)


def test_every_message_carries_our_mark() -> None:
    assert {message["metadata"] for message in rendered(SENTENCE * 100, presses(2))} == {"loa"}
