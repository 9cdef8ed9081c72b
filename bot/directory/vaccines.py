"""COVID-19 vaccines by the names that citizens use (data/directory/vaccines.yml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.yaml_files import read_yaml

KINDS = ("mrna", "vector", "inactivated", "protein")


@dataclass(frozen=True)
class Vaccine:
    key: str
    name: str
    kind: str
    called: tuple[str, ...]


class Vaccines:
    def __init__(self, vaccines: Mapping[str, Vaccine]) -> None:
        self._vaccines = dict(vaccines)

    @classmethod
    def load(cls, root: Path) -> Vaccines:
        """Read data/directory/vaccines.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/vaccines.yml")["vaccines"]
        return cls({key: _vaccine(key, entry) for key, entry in raw.items()})

    def __getitem__(self, key: str) -> Vaccine:
        return self._vaccines[key]

    def __contains__(self, key: object) -> bool:
        return key in self._vaccines

    def all(self) -> list[Vaccine]:
        return list(self._vaccines.values())


def _vaccine(key: str, entry: Mapping[str, Any]) -> Vaccine:
    return Vaccine(key, str(entry["name"]), str(entry["kind"]), tuple(str(name) for name in entry["called"]))
