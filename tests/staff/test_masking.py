"""What staff see of who a citizen is."""

from __future__ import annotations

import pytest

from bot.masking import masked, masked_words


@pytest.mark.parametrize(
    ("address", "shown"), [("5512345678", "…678"), ("+84 905 123 678", "…678"), ("123456", "…"), ("", "…"), ("a" * 7, "…aaa")]
)
def test_an_address_shows_its_end_and_a_short_one_nothing(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("số tôi 0905 123 678, gọi nhé", "số tôi …678, gọi nhé"),
        ("0905.123.678", "…678"),
        ("+84905123678", "…678"),
        ("cccd 066123456789", "cccd …789"),
        ("thư an.nguyen@example.org nhé", "thư …@… nhé"),
        ("gọi 115 hay 1900 9095?", "gọi 115 hay 1900 9095?"),
        ("ngày 12/03/2021 có 11.624.000 ca", "ngày 12/03/2021 có 11.624.000 ca"),
        ("", ""),
    ],
)
def test_numbers_and_mail_addresses_in_words_are_shortened(text: str, shown: str) -> None:
    assert masked_words(text) == shown


def test_a_long_text_is_masked_quickly() -> None:
    assert masked_words("1 " * 10_000).startswith("…")
    assert masked_words("a." * 10_000 + "@") == "a." * 10_000 + "@"
