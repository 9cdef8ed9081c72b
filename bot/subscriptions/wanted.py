"""What somebody can ask to be told, as a button says it: `figures:dak-lak:daily`, `answer:testing_where:changes`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["figures", "notices", "answer"]
How = Literal["daily", "changes"]
# (kind, subject): what is subscribed to, whatever the time.
Key = tuple[str, str]

KINDS: tuple[Kind, ...] = get_args(Kind)
HOWS: tuple[How, ...] = get_args(How)
_WRITTEN = re.compile(rf"(?P<kind>{'|'.join(KINDS)}):(?P<subject>[a-z0-9_-]{{1,60}})(?::(?P<how>{'|'.join(HOWS)}))?")


@dataclass(frozen=True)
class Wanted:
    """`subject`: a place of figures or of notices, the intent of an answer. `how`: None while it is not chosen."""

    kind: str
    subject: str
    how: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Wanted | None:
        """Whether there is such a place or intent is for the caller to say."""
        match = _WRITTEN.fullmatch(text or "")
        return cls(match["kind"], match["subject"], match["how"]) if match else None

    def __str__(self) -> str:
        return ":".join(filter(None, (self.kind, self.subject, self.how)))

    @property
    def key(self) -> Key:
        return self.kind, self.subject
