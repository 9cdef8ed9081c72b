"""A recording as it came from a browser or a file, known by its content: Ogg and MP3 stay as they are, and the WebM in which
Chrome records is wrapped anew as Ogg. The sound is never encoded again.

Formats: RFC 6716 (an Opus packet tells its length), RFC 7845 (Opus in Ogg), https://www.matroska.org/technical/elements.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.languages.audio import MAX_CLIP_BYTES

Kind = Literal["ogg", "mp3"]
MEDIA_TYPES: dict[Kind, str] = {"ogg": "audio/ogg", "mp3": "audio/mpeg"}

_EBML = b"\x1a\x45\xdf\xa3"
# Matroska elements that hold others; the rest is skipped by its length.
_MASTERS = frozenset({0x18538067, 0x1654AE6B, 0xAE, 0x1F43B675, 0xA0})
_CODEC, _CODEC_HEAD, _SIMPLE_BLOCK, _BLOCK = 0x86, 0x63A2, 0xA3, 0xA1
_LACING = 0x06
_PACKETS_OF_A_PAGE = 50
_FIRST, _LAST = 2, 4
_SAMPLES_A_MILLISECOND = 48
# kbit/s of MPEG 1 and of MPEG 2, layer III
_BITRATES = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


class RecordingRefused(Exception):
    """`reason`: a key of `refused` in locales/vi/interface/translate.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Recording:
    kind: Kind
    content: bytes


def recording(raw: bytes) -> Recording:
    """What was sent, as it may be kept and served; raises RecordingRefused."""
    if not raw:
        raise RecordingRefused("audio_empty")
    if len(raw) > MAX_CLIP_BYTES:
        raise RecordingRefused("audio_too_large")
    if raw.startswith(b"OggS") and b"OpusHead" in raw[:64]:
        return Recording("ogg", raw)
    if raw.startswith(_EBML):
        return Recording("ogg", _as_ogg(raw))
    if _is_mp3(raw):
        return Recording("mp3", raw)
    raise RecordingRefused("audio_unknown")


def _is_mp3(raw: bytes) -> bool:
    """Two frames in a row, behind the tags if there are any: two bytes alone could be anything."""
    start = 0
    if raw.startswith(b"ID3") and len(raw) > 10:
        start = 10 + (raw[6] << 21 | raw[7] << 14 | raw[8] << 7 | raw[9])
    length = _frame_length(raw[start : start + 4])
    return bool(length) and bool(_frame_length(raw[start + length : start + length + 4]))


def _frame_length(head: bytes) -> int:
    """Of an MPEG frame of layer III; 0 for anything else."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or (head[1] >> 1) & 3 != 1:
        return 0
    version, bitrate, rate = (head[1] >> 3) & 3, head[2] >> 4, (head[2] >> 2) & 3
    if version not in _RATES or bitrate in (0, 15) or rate == 3:
        return 0
    samples = 144 if version == 3 else 72
    return samples * _BITRATES[version == 3][bitrate] * 1000 // _RATES[version][rate] + ((head[2] >> 1) & 1)


def _as_ogg(raw: bytes) -> bytes:
    head, packets = b"", list[bytes]()
    try:
        for element, content in _elements(raw):
            if element == _CODEC and content.rstrip(b"\0") != b"A_OPUS":
                raise RecordingRefused("audio_unknown")
            if element == _CODEC_HEAD:
                head = content
            elif element in (_SIMPLE_BLOCK, _BLOCK):
                packets.append(_packet(content))
    except IndexError as error:
        raise RecordingRefused("audio_unknown") from error
    packets = [packet for packet in packets if packet]
    if not head.startswith(b"OpusHead") or not packets:
        raise RecordingRefused("audio_unknown")
    return b"".join(_pages(head, packets))


def _elements(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, content) of what is no master. A live recording does not know the length of its masters: they are walked through."""
    place = 0
    while place < len(raw):
        element, place = _number(raw, place, keeps_mark=True)
        is_unknown_long = raw[place] == 0xFF or raw[place : place + 8] == b"\x01" + b"\xff" * 7
        length, place = _number(raw, place)
        if element in _MASTERS:
            continue
        if is_unknown_long:
            raise RecordingRefused("audio_unknown")
        yield element, raw[place : place + length]
        place += length


def _number(raw: bytes, place: int, *, keeps_mark: bool = False) -> tuple[int, int]:
    """(a number of variable length, where it ends)."""
    length = 9 - raw[place].bit_length()
    if length > 8 or place + length > len(raw):
        raise IndexError
    value = int.from_bytes(raw[place : place + length], "big")
    return (value if keeps_mark else value & ((1 << 7 * length) - 1)), place + length


def _packet(block: bytes) -> bytes:
    """Behind the number of the track, two bytes of time and the flags."""
    _, place = _number(block, 0)
    if block[place + 2] & _LACING:
        raise RecordingRefused("audio_unknown")
    return block[place + 3 :]


def _pages(head: bytes, packets: Sequence[bytes]) -> Iterator[bytes]:
    vendor = b"Loa"
    tags = b"OpusTags" + len(vendor).to_bytes(4, "little") + vendor + bytes(4)
    yield _page(_FIRST, 0, 0, [head])
    yield _page(0, 0, 1, [tags])
    position, number, waiting, segments = 0, 2, list[bytes](), 0
    for packet in packets:
        needed = len(packet) // 255 + 1
        if waiting and (len(waiting) == _PACKETS_OF_A_PAGE or segments + needed > 255):
            yield _page(0, position, number, waiting)
            number, waiting, segments = number + 1, [], 0
        if needed > 255:
            raise RecordingRefused("audio_unknown")
        waiting.append(packet)
        segments += needed
        position += _samples(packet)
    yield _page(_LAST, position, number, waiting)


def _page(flags: int, position: int, number: int, packets: Sequence[bytes]) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    serial = 1
    before = (
        b"OggS\0" + bytes([flags]) + position.to_bytes(8, "little") + serial.to_bytes(4, "little") + number.to_bytes(4, "little")
    )
    behind = bytes([len(lacing)]) + lacing + b"".join(packets)
    return before + _checksum(before + bytes(4) + behind).to_bytes(4, "little") + behind


def _samples(packet: bytes) -> int:
    """How long a packet of Opus sounds, at 48 kHz: its first byte says the length of a frame and how many there are."""
    kind, code = packet[0] >> 3, packet[0] & 3
    if kind < 12:
        milliseconds = (10.0, 20.0, 40.0, 60.0)[kind % 4]
    elif kind < 16:
        milliseconds = (10.0, 20.0)[kind % 2]
    else:
        milliseconds = (2.5, 5.0, 10.0, 20.0)[kind % 4]
    frames = (1, 2, 2)[code] if code < 3 else (packet[1] & 0x3F if len(packet) > 1 else 0)
    return int(milliseconds * _SAMPLES_A_MILLISECOND) * frames


def _row(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ (0x104C11DB7 if value & 0x80000000 else 0)
    return value


_CHECKSUMS = tuple(_row(number << 24) for number in range(256))


def _checksum(data: bytes) -> int:
    found = 0
    for byte in data:
        found = (found << 8 & 0xFFFFFFFF) ^ _CHECKSUMS[found >> 24 ^ byte]
    return found
