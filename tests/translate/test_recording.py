"""Recordings: known by their content, and Chrome's WebM wrapped anew so that every player hears it."""

from __future__ import annotations

import io
import random

import pytest
import soundfile

from bot.languages.audio import MAX_CLIP_BYTES, suffix_of
from bot.translate.recording import RecordingRefused, recording
from tests.translate.sounds import HEAD, SILENCE, element, mp3, simple_block, webm


@pytest.mark.parametrize("knows_lengths", [True, False])
def test_what_chrome_records_becomes_ogg_that_a_player_reads(knows_lengths: bool) -> None:
    made = recording(webm([SILENCE] * 150, knows_lengths=knows_lengths))
    assert (made.kind, suffix_of(made.content)) == ("ogg", ".ogg")
    sound = soundfile.info(io.BytesIO(made.content))
    assert (sound.format, sound.subtype) == ("OGG", "OPUS")
    assert sound.duration == pytest.approx(150 * 0.02, abs=0.02)


def test_a_long_packet_is_laced_over_several_segments() -> None:
    made = recording(webm([SILENCE + bytes(600)] * 3))
    assert made.content.count(b"OggS") == 3
    assert bytes([255, 255, (len(SILENCE) + 600) % 255]) in made.content


def test_mp3_and_ogg_stay_as_they_are() -> None:
    ogg = recording(webm([SILENCE] * 5)).content
    assert recording(ogg).content == ogg
    for given in (mp3(), b"ID3\x04\x00\x00\x00\x00\x00\x05" + bytes(5) + mp3()):
        assert (recording(given).kind, recording(given).content) == ("mp3", given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (b"", "audio_empty"),
        (mp3() + bytes(MAX_CLIP_BYTES), "audio_too_large"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio_unknown"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio_unknown"),
        (b"<html><script>alert(1)</script>", "audio_unknown"),
        (mp3()[:200], "audio_unknown"),
        (b"\xff\xfb\x90\x00 only two bytes are like a frame" * 40, "audio_unknown"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x1e\x01vorbis", "audio_unknown"),
        (webm([SILENCE], codec=b"A_VORBIS"), "audio_unknown"),
        (webm([]), "audio_unknown"),
        (webm([SILENCE], head=b"nonsense"), "audio_unknown"),
        (webm([SILENCE])[:-4] + element("a3", simple_block(SILENCE, flags=0x86)), "audio_unknown"),
    ],
    ids=[
        "empty",
        "large",
        "wav",
        "m4a",
        "html",
        "one frame",
        "no frame",
        "vorbis",
        "webm vorbis",
        "no sound",
        "no head",
        "laced",
    ],
)
def test_what_is_no_recording_is_refused_with_its_reason(given: bytes, reason: str) -> None:
    with pytest.raises(RecordingRefused) as refused:
        recording(given)
    assert refused.value.reason == reason


def test_broken_files_are_refused_and_nothing_worse() -> None:
    chance = random.Random(7)
    whole = webm([SILENCE] * 20)
    for _ in range(300):
        broken = bytearray(whole[: chance.randrange(4, len(whole))])
        for _ in range(chance.randrange(4)):
            broken[chance.randrange(4, len(broken)) if len(broken) > 4 else 0] = chance.randrange(256)
        try:
            assert recording(bytes(broken)).kind == "ogg"
        except RecordingRefused as refused:
            assert refused.reason == "audio_unknown"


def test_the_head_is_taken_over() -> None:
    assert HEAD in recording(webm([SILENCE])).content
