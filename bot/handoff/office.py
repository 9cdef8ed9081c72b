"""What the desk works with in this process: the words, the desks, the queue that a message is handed to. Set once, at the start.

Cases are moved by whoever holds a connection (a turn, a page of the desk, the clock), and each move tells the citizen: so the
functions of bot/handoff/cases.py find the words here instead of being handed them through every page.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from bot.dialogue.queue import Queue
from bot.handoff.desks import Desks
from bot.languages.catalogue import Catalogue


@dataclass(frozen=True)
class Limits:
    """How long nobody may claim, an operator may leave a citizen without an answer, a citizen may say nothing."""

    claim: datetime.timedelta = datetime.timedelta(minutes=10)
    silent: datetime.timedelta = datetime.timedelta(minutes=15)
    close: datetime.timedelta = datetime.timedelta(hours=12)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Office:
    """`now` tells whether a desk is open; everything else is measured by the database's clock."""

    catalogue: Catalogue
    desks: Desks
    queue: Queue
    limits: Limits = Limits()
    now: Callable[[], datetime.datetime] = _now


_prepared: list[Office] = []


def prepare(office: Office) -> None:
    """Before the first case is moved in this process."""
    _prepared[:] = [office]


def office() -> Office:
    if not _prepared:
        raise RuntimeError("bot.handoff.office.prepare was not called in this process")
    return _prepared[0]
