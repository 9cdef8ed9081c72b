"""A button's payload is an intent, with or without a place, and nothing else."""

from __future__ import annotations

import pytest

from bot.directory.places import Places
from bot.messages import Payload
from bot.settings import ROOT

TELEGRAM_PAYLOAD_BYTES = 64


@pytest.mark.parametrize("text", ["/testing_where", '/inform_place{"place": "buon-ho-phuong"}'])
def test_a_payload_is_read_and_written_alike(text: str) -> None:
    assert str(Payload.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "testing_where",
        "/",
        "/Testing",
        "/a b",
        "/restart{}",
        '/inform_place{"place": "X"}',
        '/x{"language": "vi"}',
        "/x\n",
        "/" + "a" * 99,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert Payload.parse(text) is None


def test_every_place_fits_into_telegrams_button() -> None:
    keys = [place.key for place in Places.load(ROOT).all()]
    assert keys
    assert max(len(str(Payload("inform_place", key)).encode()) for key in keys) <= TELEGRAM_PAYLOAD_BYTES
