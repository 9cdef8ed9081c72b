"""The documents that answers rest on (data/directory/documents.yml): number, title, issuer, date, link, state today."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.yaml_files import read_yaml


@dataclass(frozen=True)
class Document:
    """`number` is empty for a page without one; `date` may be a year or a year and month when no day is known."""

    id: str
    number: str
    title: str
    issuer: str
    date: str
    status: str
    evidence: str
    url: str
    topics: tuple[str, ...]
    provinces: tuple[str, ...]


class Documents:
    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = dict(documents)

    @classmethod
    def load(cls, root: Path) -> Documents:
        """Read data/directory/documents.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/documents.yml")
        return cls({key: _document(key, entry) for key, entry in raw["documents"].items()})

    def __getitem__(self, key: str) -> Document:
        return self._documents[key]

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    def all(self) -> list[Document]:
        return list(self._documents.values())

    def in_force(self, province: str) -> list[Document]:
        """Documents that hold today for `province`, newest first."""
        holding = [d for d in self.all() if d.status == "in_force" and (not d.provinces or province in d.provinces)]
        return sorted(holding, key=lambda d: d.date, reverse=True)


def spoken_date(date: str) -> str:
    """`2023-10-29` → `29/10/2023`, `2021-12` → `12/2021`, `2020` → `2020`: how Vietnamese readers write a date."""
    return "/".join(str(int(part)) if len(part) < 4 else part for part in reversed(date.split("-")))


def iso_date(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _document(key: str, entry: Mapping[str, Any]) -> Document:
    return Document(
        id=key,
        number=str(entry.get("number") or ""),
        title=str(entry["title"]),
        issuer=str(entry["issuer"]),
        date=iso_date(entry["date"]),
        status=str(entry["status"]),
        evidence=str(entry["evidence"]),
        url=str(entry.get("url") or ""),
        topics=tuple(entry.get("topics") or ()),
        provinces=tuple(entry.get("provinces") or ()),
    )
