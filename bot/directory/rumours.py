"""Claims that go round and are known to be wrong (data/directory/rumours.yml), with how people word them.

What is answered stands in locales/vi/rumours.yml, under the key that is named here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.yaml_files import read_yaml

FILE = "data/directory/rumours.yml"
VERDICTS = ("wrong", "misleading", "outdated")


class RumoursError(Exception):
    """The file is broken; the message names the entry and what is expected."""


@dataclass(frozen=True)
class Rumour:
    """`needs`: of each group at least one phrase stands in a message about it; `never`: none of these does. `source`: the
    document that refutes it; `checked_on`: when somebody last held it against that."""

    key: str
    claim: str
    wordings: tuple[str, ...]
    verdict: str
    answer: str
    source: str
    checked_on: datetime.date
    needs: tuple[tuple[str, ...], ...]
    never: tuple[str, ...]


class Rumours:
    def __init__(self, rumours: Mapping[str, Rumour]) -> None:
        self._rumours = dict(rumours)

    @classmethod
    def load(cls, root: Path) -> Rumours:
        """Raises RumoursError naming the entry."""
        raw = read_yaml(root / FILE)
        return cls({key: _rumour(key, entry) for key, entry in raw["rumours"].items()})

    def __iter__(self) -> Iterator[Rumour]:
        return iter(self._rumours.values())

    def __contains__(self, key: object) -> bool:
        return key in self._rumours

    def __getitem__(self, key: str) -> Rumour:
        return self._rumours[key]


def _rumour(key: str, entry: Mapping[str, Any]) -> Rumour:
    try:
        rumour = Rumour(
            key=key,
            claim=str(entry["claim"]),
            wordings=tuple(map(str, entry["wordings"])),
            verdict=str(entry["verdict"]),
            answer=str(entry["answer"]),
            source=str(entry["source"]),
            checked_on=entry["checked_on"],
            needs=tuple(tuple(map(str, group)) for group in entry["needs"]),
            never=tuple(map(str, entry.get("never") or ())),
        )
    except (KeyError, TypeError) as error:
        raise RumoursError(f"rumours.yml: {key} is not written as expected ({error})") from error
    if rumour.verdict not in VERDICTS or not isinstance(rumour.checked_on, datetime.date) or not rumour.needs:
        raise RumoursError(f"rumours.yml: {key} needs a verdict ({', '.join(VERDICTS)}), a day and what its wordings need")
    return rumour
