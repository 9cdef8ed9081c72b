"""What the pages of the desk share: the parts they are made of, who may come, how a refusal is said."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.sending import Signs
from bot.database import Pool
from bot.desk.checks import Known
from bot.desk.rendering import Rendering
from bot.desk.shown import window_left
from bot.handoff.cases import CaseRefused
from bot.handoff.desks import Desks
from bot.handoff.rows import Case
from bot.languages.catalogue import Catalogue
from bot.staff.accounts import Role
from bot.staff.door import Door, Visit
from bot.staff.layout import Layout

DESK = "/desk"
DESK_ROLES: frozenset[Role] = frozenset({"operator", "senior", "admin"})
SENIOR_ROLES: frozenset[Role] = frozenset({"senior", "admin"})
# Channels that keep what they have to show: nothing is sent to them, so no time is ever over.
ALWAYS_OPEN = frozenset({"webchat"})


@dataclass(frozen=True)
class Room:
    pool: Pool
    door: Door
    layout: Layout
    catalogue: Catalogue
    desks: Desks
    rendering: Rendering
    windows: Mapping[str, datetime.timedelta | None]
    known: Known
    signs: Signs

    def done(self, visit: Visit) -> str:
        """The sentence of what was just done, from the address that the form led to."""
        said: Mapping[str, str] = self.layout.words["done"]
        return said.get(visit.request.query_params.get("done", ""), "")

    def desk_asked_for(self, visit: Visit) -> str:
        """The desk that this page is narrowed to; empty for all."""
        asked = visit.request.query_params.get("desk", "")
        return asked if asked in self.desks else ""

    def window(self, case: Case) -> str:
        """How long the channel still takes what a person writes, in words."""
        words: Mapping[str, str] = self.layout.words
        if case.channel in ALWAYS_OPEN:
            return words["window_always"]
        if case.channel not in self.windows:
            return words["window_unknown"]
        left = window_left(case.interacted_at, self.windows[case.channel], datetime.datetime.now(datetime.UTC))
        if left is None:
            return words["window_always"]
        return words["window_left"].format(span=self.rendering.span(left)) if left else words["window_over"]


def case_id_of(given: object) -> int:
    """0, which no case has, for what cannot be an id."""
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def refusal(refused: CaseRefused, words: Mapping[str, Any]) -> str:
    """The sentence for a refusal of cases.py or of ours."""
    return str(words["refused"][refused.reason]).format_map(refused.values)
