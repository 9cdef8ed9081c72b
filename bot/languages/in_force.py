"""What staff put in force beside the files of this release: withdrawn answers, notices, verdicts on rumours.

The catalogue holds one of these. In the gateway and in workers it is filled from the database and kept up to date
(bot/content/keeping.py); elsewhere it is empty, and what Rasa says is held against it when the gateway stores a reply.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

# They stand in for others.
NEVER_WITHDRAWN = frozenset({"utter_withdrawn", "utter_withheld", "utter_apology"})


@dataclass(frozen=True)
class Withdrawal:
    """`language`: of one translation; None for the answer in every language."""

    key: str
    language: str | None
    until: datetime.datetime


@dataclass(frozen=True)
class Notice:
    """`subject`: a topic or an intent, or the key of a place; `places`: that place and all that lies in it."""

    id: int
    scope: str
    subject: str
    places: frozenset[str]
    text: str
    is_emergency: bool
    starts_at: datetime.datetime
    ends_at: datetime.datetime


@dataclass(frozen=True)
class Verdict:
    """Published by two people of the staff. `source` has the fields of the catalogue's `Source`."""

    id: int
    claim: str
    wordings: tuple[str, ...]
    verdict: str
    text: str
    issuer: str
    title: str
    number: str
    date: datetime.date
    url: str
    approved_on: datetime.date
    valid_until: datetime.date


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class InForce:
    """Replaced as a whole by `fill`; `version` grows with every change."""

    withdrawals: Sequence[Withdrawal] = ()
    notices: Sequence[Notice] = ()
    verdicts: Sequence[Verdict] = ()
    version: int = 0
    now: Callable[[], datetime.datetime] = field(default=_now)

    def fill(self, withdrawals: Sequence[Withdrawal], notices: Sequence[Notice], verdicts: Sequence[Verdict]) -> bool:
        """Whether anything is different now."""
        found = (tuple(withdrawals), tuple(notices), tuple(verdicts))
        if found == (tuple(self.withdrawals), tuple(self.notices), tuple(self.verdicts)):
            return False
        self.withdrawals, self.notices, self.verdicts = found
        self.version += 1
        return True

    def is_withdrawn(self, key: str) -> bool:
        """In every language."""
        return self._holds(key, None)

    def is_translation_withdrawn(self, key: str, language: str) -> bool:
        return self._holds(key, language)

    def withholds(self, key: str, language: str) -> bool:
        """Whether these words may not be said in this language."""
        return self._holds(key, None) or self._holds(key, language)

    def running(self) -> list[Notice]:
        """Emergencies first, then the newest."""
        now = self.now()
        found = [notice for notice in self.notices if notice.starts_at <= now < notice.ends_at]
        return sorted(found, key=lambda notice: (not notice.is_emergency, -notice.id))

    def open_withdrawals(self) -> list[Withdrawal]:
        now = self.now()
        return [one for one in self.withdrawals if now < one.until]

    def _holds(self, key: str, language: str | None) -> bool:
        if not self.withdrawals or key in NEVER_WITHDRAWN:
            return False
        now = self.now()
        return any(one.key == key and one.language == language and now < one.until for one in self.withdrawals)
