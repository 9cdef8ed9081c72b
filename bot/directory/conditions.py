"""Illnesses and medicines that citizens name, with the screening group of each (data/directory/conditions.yml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.yaml_files import read_yaml

# The most careful group first; what stands in no group comes last, for the doctor to see.
GROUPS = ("contraindicated", "delay", "caution", "not_listed")
CAUSES = ("same_vaccine", "acute", "chronic", "allergy", "clotting", "capacity", "vitals", "none")
NATURES = ("acute", "chronic", "history")
ANY = "any"


@dataclass(frozen=True)
class Condition:
    """`gives_way_to`: keys beside which this one need not be told, `any` for every other chronic illness."""

    key: str
    name: str
    group: str
    cause: str
    nature: str
    grave: bool
    source: str
    called: tuple[str, ...]
    drugs: tuple[str, ...]
    gives_way_to: tuple[str, ...]


class Conditions:
    """The table: `severe_reaction` and `allergens` are words that mean something only beside others."""

    def __init__(
        self, conditions: Mapping[str, Condition], severe_reaction: tuple[str, ...], allergens: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._conditions = dict(conditions)
        self.severe_reaction = severe_reaction
        self.allergens = dict(allergens)

    @classmethod
    def load(cls, root: Path) -> Conditions:
        """Read data/directory/conditions.yml below `root`; a missing field raises KeyError naming it."""
        raw = read_yaml(root / "data/directory/conditions.yml")
        allergens = {key: tuple(names) for key, names in raw["allergens"].items()}
        return cls({k: _condition(k, e) for k, e in raw["conditions"].items()}, tuple(raw["severe_reaction"]), allergens)

    def __getitem__(self, key: str) -> Condition:
        return self._conditions[key]

    def __contains__(self, key: object) -> bool:
        return key in self._conditions

    def all(self) -> list[Condition]:
        return list(self._conditions.values())

    def told(self, keys: Iterable[str]) -> list[Condition]:
        """The conditions of `keys` that are worth telling: each once, those that give way left out, most careful first."""
        named = [self._conditions[key] for key in dict.fromkeys(keys) if key in self._conditions]
        kept = [condition for condition in named if not _gives_way(condition, named)]
        return sorted(kept, key=lambda condition: GROUPS.index(condition.group))


def _gives_way(condition: Condition, named: list[Condition]) -> bool:
    others = [other for other in named if other is not condition]
    if ANY in condition.gives_way_to:
        return any(other.cause == condition.cause for other in others)
    return any(other.key in condition.gives_way_to for other in others)


def _condition(key: str, entry: Mapping[str, Any]) -> Condition:
    return Condition(
        key=key,
        name=str(entry["name"]),
        group=str(entry["group"]),
        cause=str(entry["cause"]),
        nature=str(entry["nature"]),
        grave=bool(entry["grave"]),
        source=str(entry["source"]),
        called=tuple(str(name) for name in entry["called"]),
        drugs=tuple(str(name) for name in entry.get("drugs") or ()),
        gives_way_to=tuple(str(other) for other in entry.get("gives_way_to") or ()),
    )
