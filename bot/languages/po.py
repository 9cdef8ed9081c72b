"""Translations as they are kept: `locales/<tag>/messages.po`, one entry a text or button title.

msgctxt is the response key, `<key>/button/<n>` or a fragment's key; msgid the Vietnamese text; the translator comment holds
    # status: draft | reviewed | approved
    # by: who translated            # date: when            # source: hash of the Vietnamese text that was translated
    # reviewed: who, when, revision of the translation      (one line each time; so with approved and withdrawn)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import Formatter
from typing import Literal

import polib

Status = Literal["draft", "reviewed", "approved"]
State = Literal["missing", "stale", "draft", "reviewed", "approved"]
STATUSES: tuple[Status, ...] = ("draft", "reviewed", "approved")
FILE = "locales/{tag}/messages.po"
HASH_DIGITS = 12
FUZZY = "fuzzy"
# Before the key of a word of the web chat's page.
UI = "ui/"
_RECORD = re.compile(r"(?:reviewed|approved|rejected): .+, \d{4}-\d\d-\d\d, [0-9a-f]{12}")
_FIELDS = ("status", "by", "date", "source")


class TranslationsError(Exception):
    """A file of translations cannot be read; the message names it."""


@dataclass(frozen=True)
class Translation:
    """`source_hash`: of the Vietnamese text that was translated; `previous`: that text itself while the entry is fuzzy.

    `notes` are for the translator (risk, document, where it is shown); `records` say who reviewed which revision when;
    `remarks` are lines that a translator's tool left."""

    context: str
    source: str
    text: str = ""
    status: Status = "draft"
    by: str = ""
    date: str = ""
    source_hash: str = ""
    is_fuzzy: bool = False
    previous: str = ""
    notes: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    is_obsolete: bool = False

    @property
    def state(self) -> State:
        """What may be done with it: only the last three are ever served, and approved only what was approved word for word."""
        if not self.text:
            return "missing"
        if self.is_fuzzy or self.source_hash != hash_of(self.source):
            return "stale"
        return self.status if self.status == "draft" or self._has_record() else "draft"

    @property
    def revision(self) -> str:
        return hash_of(self.text)

    @property
    def answer_key(self) -> str:
        """The response whose text or button it is; a fragment's own key."""
        return self.context.partition("/")[0]

    def translated(self, text: str, *, by: str, date: str) -> Translation:
        """With another text, a draft again, beside the Vietnamese text of today."""
        return replace(
            self, text=text, status="draft", by=by, date=date, source_hash=hash_of(self.source), is_fuzzy=False, previous=""
        )

    def _has_record(self) -> bool:
        return any(line.startswith(f"{self.status}: ") and line.endswith(f", {self.revision}") for line in self.records)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def placeholders(text: str) -> frozenset[tuple[str, str, str]] | None:
    """The {placeholders} with format and conversion; None when the braces do not close."""
    try:
        parsed = [
            (name, form or "", conversion or "") for _, name, form, conversion in Formatter().parse(text) if name is not None
        ]
    except ValueError:
        return None
    return frozenset(parsed)


def language_of(path: Path) -> str:
    """What the file calls its language; "" where it says nothing. Raises TranslationsError."""
    return str(_file(path).metadata.get("Language", ""))


def _file(path: Path) -> polib.POFile:
    try:
        return polib.pofile(str(path), encoding="utf-8", wrapwidth=0)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise TranslationsError(f"{path.parent.name}/{path.name} cannot be read as PO in UTF-8: {error}") from error


def read(path: Path) -> dict[str, Translation]:
    """By context, obsolete ones under `#~ context`; {} when there is no file. Raises TranslationsError."""
    if not path.exists():
        return {}
    entries = list(_file(path))
    found: dict[str, Translation] = {}
    for entry in entries:
        translation = _translation(entry)
        found[f"#~ {translation.context} {len(found)}" if translation.is_obsolete else translation.context] = translation
    return found


def write(path: Path, tag: str, nplurals: int, translations: Iterable[Translation]) -> None:
    """The whole file anew; it stands complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(as_text(tag, nplurals, translations), encoding="utf-8")
    fresh.replace(path)


def as_text(tag: str, nplurals: int, translations: Iterable[Translation]) -> str:
    file = polib.POFile(wrapwidth=0)
    file.metadata = {
        "Project-Id-Version": "Loa",
        "Language": tag,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": f"nplurals={nplurals}; plural=0;" if nplurals == 1 else f"nplurals={nplurals};",
    }
    file.extend(_entry(translation) for translation in translations)
    return f"{file}\n"


def _translation(entry: polib.POEntry) -> Translation:
    fields, records, remarks = _comment(entry.tcomment)
    status = fields.get("status", "draft")
    return Translation(
        context=entry.msgctxt or "",
        source=entry.msgid,
        text=unicodedata.normalize("NFC", entry.msgstr),
        status=next((known for known in STATUSES if known == status), "draft"),
        by=fields.get("by", ""),
        date=fields.get("date", ""),
        source_hash=fields.get("source", ""),
        is_fuzzy=FUZZY in entry.flags,
        previous=entry.previous_msgid or "",
        notes=tuple(entry.comment.splitlines()),
        records=records,
        remarks=remarks,
        is_obsolete=bool(entry.obsolete),
    )


def _comment(comment: str) -> tuple[Mapping[str, str], tuple[str, ...], tuple[str, ...]]:
    fields: dict[str, str] = {}
    records: list[str] = []
    remarks: list[str] = []
    for line in comment.splitlines():
        name, colon, value = line.partition(": ")
        if colon and name in _FIELDS and name not in fields:
            fields[name] = value.strip()
        elif line.strip():
            (records if _RECORD.fullmatch(line.strip()) else remarks).append(line.strip())
    return fields, tuple(records), tuple(remarks)


def _entry(translation: Translation) -> polib.POEntry:
    fields = zip(_FIELDS, (translation.status, translation.by, translation.date, translation.source_hash), strict=True)
    told = [f"{name}: {value}" for name, value in fields if value] if translation.text else []
    return polib.POEntry(
        msgctxt=translation.context,
        msgid=translation.source,
        msgstr=translation.text,
        comment="\n".join(translation.notes),
        tcomment="\n".join([*told, *translation.records, *translation.remarks]),
        flags=[FUZZY] if translation.is_fuzzy else [],
        previous_msgid=translation.previous or None,
        obsolete=translation.is_obsolete,
    )
