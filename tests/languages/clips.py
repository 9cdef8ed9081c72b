"""Clips for tests: files with the first bytes of the real ones, and their lines."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

from bot.languages.audio import FOLDER, Clips, keep
from bot.languages.catalogue import Catalogue

OPUS = b"OggS\x00\x02" + bytes(22) + b"OpusHead\x01\x01" + b"o" * 3000
MP3 = b"ID3\x04" + b"m" * 3000
VORBIS = b"OggS\x00\x02" + bytes(22) + b"\x01vorbis" + b"v" * 200


def kept(root: Path, tag: str, key: str, said: str, content: bytes = MP3, *, is_synthetic: bool = False) -> Path:
    on = datetime.date(2026, 11, 23)
    (path,) = keep(root / FOLDER, tag, key, content, said=said, by="A", on=on, is_synthetic=is_synthetic)
    return path


def hearing(catalogue: Catalogue, *roots: Path) -> Catalogue:
    return replace(catalogue, clips=Clips.below(*roots))
