"""A cry for help is heard in other languages by the table alone; a question about signs is none."""

from __future__ import annotations

import pytest

from bot.languages.danger import danger_sign


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I can't breathe", "cannot_breathe"),
        ("I can\u2019t breathe!!", "cannot_breathe"),
        ("my father is having trouble breathing", "cannot_breathe"),
        ("she passed out and won't wake up", "unconscious"),
        ("please call an ambulance", "calls_for_help"),
        ("severe chest pain", "chest_pain"),
        ("I want to kill myself", "suicide"),
        ("his lips turned blue", "blue"),
        ("kuv ua tsis taus pa", "cannot_breathe"),
        ("kuv niam tsaus muag lawm", "unconscious"),
        ("hu tsheb thauj neeg mob", "calls_for_help"),
        ("ខ្ញុំពិបាកដកដង្ហើម", "cannot_breathe"),
        ("ម្តាយខ្ញុំដកដង្ហើមមិនបាន", "cannot_breathe"),
        ("គាត់\u200bសន្លប់\u200bហើយ", "unconscious"),
        ("ជួយផង", "calls_for_help"),
        ("ខ្ញុំឈឺទ្រូងខ្លាំង", "chest_pain"),
        ("mẹ tôi ruă kjham lắm", "calls_for_help"),
        ("ama kao rua kjham", "calls_for_help"),
        ("mnuih bi êwa dleh", "cannot_breathe"),
        ("ami kâo ruă kraih", "calls_for_help"),
        ("bơ̆ gâp dŭt ji", "calls_for_help"),
    ],
)
def test_a_cry_for_help_is_heard(text: str, sign: str) -> None:
    assert danger_sign(text) == sign


@pytest.mark.parametrize(
    "text",
    [
        "what are the symptoms of covid",
        "is chest pain a side effect of the vaccine",
        "can I save my record on my phone",
        "how many people died",
        "please help me find a test centre",
        "តើរោគសញ្ញាកូវីដមានអ្វីខ្លះ",
        "ខ្ញុំចង់ចាក់វ៉ាក់សាំង",
        "kuv xav txhaj tshuaj tiv thaiv",
        "klei ruă tưp Covid 19 là gì",
        "bi dut ji",
    ],
)
def test_what_is_no_cry_is_left_alone(text: str) -> None:
    assert danger_sign(text) is None
