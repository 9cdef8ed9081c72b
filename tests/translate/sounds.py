"""Recordings for tests: Opus in WebM as Chrome's MediaRecorder writes it, and an MP3."""

from __future__ import annotations

from collections.abc import Sequence

# RFC 7845, 5.1: one channel, 48 kHz, nothing skipped.
HEAD = b"OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
# One frame of 20 ms (RFC 6716, 3.1), silent.
SILENCE = b"\xf8\xff\xfe"
UNKNOWN = b"\x01" + b"\xff" * 7


def element(number: str, content: bytes, *, knows_length: bool = True) -> bytes:
    return bytes.fromhex(number) + ((0x10000000 | len(content)).to_bytes(4, "big") if knows_length else UNKNOWN) + content


def simple_block(packet: bytes, *, flags: int = 0x80) -> bytes:
    return b"\x81\x00\x00" + bytes([flags]) + packet


def webm(packets: Sequence[bytes], *, codec: bytes = b"A_OPUS", head: bytes = HEAD, knows_lengths: bool = False) -> bytes:
    track = element("ae", element("d7", b"\x01") + element("86", codec) + element("63a2", head))
    blocks = b"".join(element("a3", simple_block(packet)) for packet in packets)
    cluster = element("1f43b675", element("e7", b"\x00") + blocks, knows_length=knows_lengths)
    segment = element("18538067", element("1654ae6b", track) + cluster, knows_length=knows_lengths)
    return element("1a45dfa3", element("4282", b"webm")) + segment


def mp3(frames: int = 3) -> bytes:
    """MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * frames
