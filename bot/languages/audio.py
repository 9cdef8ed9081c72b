"""Answers that can be heard: `audio/<tag>/<key>.mp3|ogg`, at the root of the repository and below LOA_HOME, which counts more.

A clip says one wording, numbers and names included. Beside the files stands `audio/<tag>/clips.yml`:

    utter_greet:
      source: 4e0c3a9d21bb      # hash of the text that is heard, as it is sent (`hash_of`)
      by: who speaks, or which program
      date: 2026-11-23
      synthetic: false          # whether a machine speaks

A clip of other words than those that are sent is withheld. A key may have both files: .mp3 plays in every browser, .ogg (Opus) is
a voice message on Telegram.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.languages.po import hash_of
from bot.yaml_files import read_yaml

FOLDER = "audio"
SIDECAR = "clips.yml"
# What a telephone in the highlands fetches in a minute; also what a page of ours takes as an upload.
MAX_CLIP_BYTES = 2 * 1024 * 1024
# The one that plays everywhere comes first.
SUFFIXES = (".mp3", ".ogg")
MEDIA_TYPES = {".mp3": "audio/mpeg", ".ogg": "audio/ogg"}
DIGEST_DIGITS = 12
_HEAD_BYTES = 128
_ADDRESS = re.compile(
    r"audio/(?P<tag>[A-Za-z0-9-]{2,35})/(?P<key>[a-z0-9_]{1,80})-(?P<digest>[0-9a-f]{12})(?P<suffix>\.mp3|\.ogg)"
)
_KEY = re.compile(r"[a-z0-9_]{1,80}")
_TAG = re.compile(r"[A-Za-z0-9-]{2,35}")
_HASH = re.compile(r"[0-9a-f]{12}")


class ClipRefused(Exception):
    """A clip cannot be kept; the sentence says why."""


@dataclass(frozen=True)
class Clip:
    """One recorded answer. `source`: hash of the words that are heard; `files`: by suffix, at least one."""

    tag: str
    key: str
    source: str
    by: str
    date: str
    is_synthetic: bool
    files: Mapping[str, Path]

    @property
    def address(self) -> str:
        """Relative to the service's own; names this version of the file."""
        suffix = next(suffix for suffix in SUFFIXES if suffix in self.files)
        return f"{FOLDER}/{self.tag}/{self.key}-{digest(self.files[suffix])}{suffix}"

    def says(self, text: str) -> bool:
        return self.source == hash_of(text)


@dataclass(frozen=True)
class Fault:
    """Why a clip cannot be served, whatever the texts say. `key`: tag and answer, or tag and file."""

    key: str
    sentence: str


class Clips:
    """The clips below some folders, the later ones before the earlier. A file that comes or changes is seen at once."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._read: dict[str, tuple[object, Mapping[str, Clip], tuple[Fault, ...]]] = {}

    @classmethod
    def below(cls, *roots: Path) -> Clips:
        """Of the repository, and of LOA_HOME."""
        return cls(*(root / FOLDER for root in roots))

    def tags(self) -> list[str]:
        """The languages that have a folder."""
        found = {path.name for folder in self._folders if folder.is_dir() for path in folder.iterdir() if path.is_dir()}
        return sorted(tag for tag in found if _TAG.fullmatch(tag))

    def all(self, tag: str) -> Mapping[str, Clip]:
        """By key, those that could be served."""
        return self._of(tag)[0]

    def faults(self, tag: str) -> tuple[Fault, ...]:
        return self._of(tag)[1]

    def saying(self, tag: str, key: str, text: str) -> Clip | None:
        """The clip of this answer, if these are the words that are heard in it."""
        clip = self.all(tag).get(key)
        return clip if clip is not None and clip.says(text) else None

    def file(self, address: str, *, as_voice: bool = False) -> Path | None:
        """The file that an address of ours means; None for any other, and for a version that is gone. `as_voice`: the same clip
        as .ogg where there is one."""
        named = _ADDRESS.fullmatch(address)
        clip = self.all(named["tag"]).get(named["key"]) if named else None
        path = clip.files.get(named["suffix"]) if clip and named else None
        if clip is None or named is None or path is None or digest(path) != named["digest"]:
            return None
        return clip.files.get(".ogg", path) if as_voice else path

    def _of(self, tag: str) -> tuple[Mapping[str, Clip], tuple[Fault, ...]]:
        if not _TAG.fullmatch(tag):
            return {}, ()
        folders = [folder / tag for folder in self._folders]
        state = tuple(_changed_at(path) for folder in folders for path in (folder, folder / SIDECAR))
        if tag not in self._read or self._read[tag][0] != state:
            self._read[tag] = (state, *_read(tag, folders))
        return self._read[tag][1:]


def digest(path: Path) -> str:
    """Of the content; "" when the file is gone."""
    changed_at = _changed_at(path)
    return _digest(path, changed_at) if changed_at else ""


def keep(
    folder: Path, tag: str, key: str, *contents: bytes, said: str, by: str, on: datetime.date, is_synthetic: bool
) -> list[Path]:
    """Write one clip and its line in clips.yml below `folder` (the `audio` of the repository or of LOA_HOME).

    `contents`: the same as MP3, as Opus, or both; `said`: the words that are heard, as they are sent. Files of an older clip of
    the answer go. Raises ClipRefused.
    """
    by_suffix = {suffix_of(content): content for content in contents}
    if None in by_suffix or not contents:
        raise ClipRefused(f"{tag}/{key}: neither MP3 nor Ogg with Opus")
    if max(map(len, contents)) > MAX_CLIP_BYTES:
        raise ClipRefused(f"{tag}/{key}: larger than {MAX_CLIP_BYTES // 1024 // 1024} MB")
    if not (_TAG.fullmatch(tag) and _KEY.fullmatch(key) and by.strip()):
        raise ClipRefused(f"{tag}/{key}: a language, an answer and who speaks are needed")
    here = folder / tag
    here.mkdir(parents=True, exist_ok=True)
    records = _records(here)
    records[key] = {"source": hash_of(said), "by": by.strip(), "date": on, "synthetic": is_synthetic}
    for suffix in SUFFIXES:
        if suffix in by_suffix:
            _replace(here / f"{key}{suffix}", by_suffix[suffix])
        else:
            (here / f"{key}{suffix}").unlink(missing_ok=True)
    _replace(here / SIDECAR, yaml.safe_dump(records, allow_unicode=True, sort_keys=True).encode())
    return [here / f"{key}{suffix}" for suffix in SUFFIXES if suffix in by_suffix]


def suffix_of(content: bytes) -> str | None:
    """By the first bytes: what is no MP3 and no Opus in Ogg is no clip."""
    head = content[:_HEAD_BYTES]
    if head.startswith(b"OggS"):
        return ".ogg" if b"OpusHead" in head else None
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6)  # MPEG audio, a layer, no AAC
    return ".mp3" if head.startswith(b"ID3") or is_frame else None


def _read(tag: str, folders: Sequence[Path]) -> tuple[Mapping[str, Clip], tuple[Fault, ...]]:
    clips: dict[str, Clip] = {}
    faults: list[Fault] = []
    for folder in folders:
        try:
            records = _records(folder)
        except ClipRefused as refused:
            faults.append(Fault(f"{tag}/{SIDECAR}", str(refused)))
            records = {}
        for key, record in records.items():
            found = _clip(tag, str(key), record, folder)
            if isinstance(found, Clip):
                clips[found.key] = found
            else:
                faults.append(found)
        unlisted = [path.name for path in _files(folder) if path.stem not in records]
        faults += [Fault(f"{tag}/{name}", f"stands in no line of {SIDECAR}") for name in unlisted]
    return clips, tuple(faults)


def _clip(tag: str, key: str, record: object, folder: Path) -> Clip | Fault:
    named = f"{tag}/{key}"
    given: Mapping[str, Any] = record if isinstance(record, dict) else {}
    source, by, synthetic = str(given.get("source")), str(given.get("by") or "").strip(), given.get("synthetic")
    if not (_KEY.fullmatch(key) and _HASH.fullmatch(source) and by and isinstance(synthetic, bool)):
        needs = "source (12 hexadecimal digits, in quotes), by, date and synthetic (true or false)"
        return Fault(named, f"the line of {SIDECAR} needs {needs}")
    if not isinstance(given.get("date"), datetime.date):
        return Fault(named, f"the line of {SIDECAR} needs a date like 2026-11-23")
    paths = {path.suffix: path for path in _files(folder) if path.stem == key}
    for path in paths.values():
        if sentence := _wrong_with(path):
            return Fault(named, sentence)
    if not paths:
        return Fault(named, "there is no file of this clip")
    return Clip(tag, key, source, by, given["date"].isoformat(), synthetic, paths)


def _wrong_with(path: Path) -> str | None:
    try:
        if path.stat().st_size > MAX_CLIP_BYTES:
            return f"{path.name} is larger than {MAX_CLIP_BYTES // 1024 // 1024} MB"
        with path.open("rb") as file:
            is_one = suffix_of(file.read(_HEAD_BYTES)) == path.suffix
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    return None if is_one else f"{path.name} is no {'MP3' if path.suffix == '.mp3' else 'Ogg with Opus'}"


def _records(folder: Path) -> dict[str, Any]:
    path = folder / SIDECAR
    if not path.exists():
        return {}
    try:
        found = read_yaml(path)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ClipRefused(f"{SIDECAR} cannot be read as YAML in UTF-8: {error}") from error
    if found is not None and not isinstance(found, dict):
        raise ClipRefused(f"{SIDECAR} must be a table with a line for each answer")
    return found or {}


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for suffix in SUFFIXES for path in folder.glob(f"*{suffix}"))


def _replace(path: Path, content: bytes) -> None:
    """The file stands complete or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, changed_at: int) -> str:
    # `changed_at` is there for the cache: another time, another content.
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_DIGITS]
    except OSError:
        return ""
