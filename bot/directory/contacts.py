"""Whom to call: the one place where a phone number may come from (data/directory/contacts.yml).

A number is `usable`, `unconfirmed` (shown with the date it was published) or `withheld` (kept so that nobody adds
it again, never shown).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.yaml_files import read_yaml


@dataclass(frozen=True)
class Contact:
    id: str
    number: str
    dial: str
    name: str
    purpose: str
    province: str | None
    hours: str | None
    published: str
    source: str
    verified_on: str
    status: str

    @property
    def is_shown(self) -> bool:
        return self.status != "withheld"


class Contacts:
    """All contacts, in the file's order, which is the order in which they are offered."""

    def __init__(self, contacts: Mapping[str, Contact]) -> None:
        self._contacts = dict(contacts)

    @classmethod
    def load(cls, root: Path) -> Contacts:
        """Read data/directory/contacts.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/contacts.yml")
        return cls({key: _contact(key, entry) for key, entry in raw["contacts"].items()})

    def __getitem__(self, key: str) -> Contact:
        return self._contacts[key]

    def __contains__(self, key: object) -> bool:
        return key in self._contacts

    def all(self) -> list[Contact]:
        return list(self._contacts.values())

    def for_place(self, province: str | None) -> list[Contact]:
        """What is told to somebody in `province` who asks whom to call: emergency, the province's lines, the nation's."""
        shown = [c for c in self._contacts.values() if c.is_shown and c.province in {None, province}]
        wanted = ("emergency", "province_line", "cdc", "health_line", "children")
        return sorted((c for c in shown if c.purpose in wanted), key=lambda c: wanted.index(c.purpose))

    def health_line(self, province: str) -> Contact:
        """The one number named inside other answers: the province's own line, else the ministry's."""
        return next(c for c in self.for_place(province) if c.purpose in {"province_line", "health_line"})


def _contact(key: str, entry: Mapping[str, Any]) -> Contact:
    return Contact(
        id=key,
        number=str(entry["number"]),
        dial=str(entry["dial"]),
        name=str(entry["name"]),
        purpose=str(entry["purpose"]),
        province=entry["province"],
        hours=entry["hours"],
        published=str(entry["published"]),
        source=str(entry["source"]),
        verified_on=str(entry["verified_on"]),
        status=str(entry["status"]),
    )
