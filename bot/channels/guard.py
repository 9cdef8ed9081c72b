"""When a citizen's messages are taken, together or apart, and when the bot holds back. Pure rules over what was said lately.

- Three or more texts typed within a few seconds are one thought: they are waited for, for a moment, and answered together.
- More messages in a minute than the setting allows: one friendly notice; what follows waits until it is quiet and is answered
  together.
- The same words with the same answer over and over, or our own words coming back, are a machine talking with a machine: one
  notice, then silence for what goes on like that. Whoever says something else is answered: it may be a person in danger.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from bot.channels.rendering import squeezed

JOIN_WITHIN = datetime.timedelta(seconds=4)
JOIN_AT_LEAST = 3
JOINED_CHARACTERS = 2_000
# A burst is answered once nobody typed for a second, and never later than this after its first message.
QUIET = datetime.timedelta(seconds=1)
LONGEST_HOLD = datetime.timedelta(seconds=3)

MINUTE = datetime.timedelta(minutes=1)
FLOOD_QUIET = datetime.timedelta(seconds=5)
LONGEST_FLOOD_HOLD = datetime.timedelta(seconds=30)
FLOOD_NOTICE = "utter_too_many_messages"

SAME_WITHIN = datetime.timedelta(minutes=2)
SAME_AT_MOST = 4
ECHO_WITHIN = datetime.timedelta(minutes=10)
# "Dạ", "Vâng": what people and our answers both say is no echo.
ECHO_CHARACTERS = 12
SILENCE = datetime.timedelta(minutes=10)
LOOP_NOTICE = "utter_same_again"
# What the rules look back on.
LOOK_BACK = max(SAME_WITHIN, ECHO_WITHIN, SILENCE, MINUTE)
COMPARED_CHARACTERS = 500

NOTICES = frozenset({FLOOD_NOTICE, LOOP_NOTICE})


@dataclass(frozen=True)
class Said:
    """One message of the last minutes. `words` is the text or the payload, at most COMPARED_CHARACTERS of it; `answer` the key
    of an outgoing message, or of the first reply to an incoming one."""

    id: int
    at: datetime.datetime
    is_incoming: bool
    words: str
    is_typed: bool = True
    answer: str | None = None


@dataclass(frozen=True)
class Queued:
    """An incoming message that waits for its turn. `joined_to`: it was taken together with that message before."""

    id: int
    at: datetime.datetime
    words: str
    is_typed: bool
    attempts: int = 0
    joined_to: int | None = None


@dataclass(frozen=True)
class Hold:
    """Nothing is taken before `until`."""

    until: datetime.datetime


@dataclass(frozen=True)
class Tell:
    """This response is given to the first message, which goes on waiting: it will be answered."""

    notice: str


@dataclass(frozen=True)
class Take:
    """These messages are one turn; the first of them stands for it. `notice`: the response that is given instead of an answer,
    "" for silence, None for an answer."""

    ids: tuple[int, ...]
    notice: str | None = None


Step = Hold | Tell | Take


def next_step(queue: Sequence[Queued], recent: Sequence[Said], now: datetime.datetime, *, a_minute: int) -> Step:
    """What to do with the waiting messages, in their order; `recent` holds all that was said within LOOK_BACK, any order.

    `a_minute`: how many messages of one citizen are answered in a minute; 0 switches all these rules off. A turn that was begun
    before is taken as it was: Rasa may have its answer already.
    """
    first = queue[0]
    joined = tuple(q.id for q in queue[1:] if first.attempts and q.joined_to == first.id)
    if joined or not a_minute:
        return Take((first.id, *joined))
    if first.attempts:
        return Take((first.id,), loop_notice(first, recent))
    if is_flood(first, recent, a_minute):
        return _flooded(queue, recent, now)
    if until := _burst_ends(queue, recent, now):
        return Hold(until)
    group = _typed_together(queue)
    # The first of a burst is often answered before the next ones come: the rest is still one thought.
    if len(group) > 1 and _typed_lately(max(q.at for q in group), recent) >= JOIN_AT_LEAST:
        return Take(tuple(q.id for q in group))
    return Take((first.id,), loop_notice(first, recent))


def is_flood(message: Queued, recent: Sequence[Said], a_minute: int) -> bool:
    """Whether this message is beyond what one citizen may say in a minute."""
    return sum(said.is_incoming and message.at - MINUTE < said.at <= message.at for said in recent) > a_minute


def loop_notice(message: Queued, recent: Sequence[Said]) -> str | None:
    """None: answer it. The notice, or "" for silence, when it looks like a machine that answers our answers."""
    words = squeezed(message.words[:COMPARED_CHARACTERS])
    if not words or not (_is_our_echo(message, words, recent) or _is_said_again_and_again(message, words, recent)):
        return None
    was_told = any(s.answer == LOOP_NOTICE and not s.is_incoming and message.at - SILENCE < s.at for s in recent)
    return "" if was_told else LOOP_NOTICE


def _is_our_echo(message: Queued, words: str, recent: Sequence[Said]) -> bool:
    if not message.is_typed or len(words) < ECHO_CHARACTERS:
        return False
    return any(not s.is_incoming and message.at - ECHO_WITHIN < s.at and squeezed(s.words) == words for s in recent)


def _is_said_again_and_again(message: Queued, words: str, recent: Sequence[Said]) -> bool:
    """The fifth time within two minutes, after answers that were one and the same; a notice of ours is no other answer."""
    before = [
        s
        for s in recent
        if s.is_incoming and s.id != message.id and message.at - SAME_WITHIN < s.at <= message.at and squeezed(s.words) == words
    ]
    answers = {s.answer for s in before} - NOTICES - {None}
    return len(before) >= SAME_AT_MOST and len(answers) <= 1


def _flooded(queue: Sequence[Queued], recent: Sequence[Said], now: datetime.datetime) -> Step:
    first = queue[0]
    if not any(s.answer == FLOOD_NOTICE and not s.is_incoming and now - MINUTE < s.at for s in recent):
        return Tell(FLOOD_NOTICE)
    until = min(queue[-1].at + FLOOD_QUIET, first.at + LONGEST_FLOOD_HOLD)
    return Hold(until) if until > now else Take(tuple(q.id for q in _typed_in_a_row(queue)))


def _burst_ends(queue: Sequence[Queued], recent: Sequence[Said], now: datetime.datetime) -> datetime.datetime | None:
    """When to look again while somebody is typing line after line; None when there is nothing to wait for."""
    if not all(q.is_typed for q in queue):
        return None
    newest = max(q.at for q in queue)
    until = min(newest + QUIET, queue[0].at + LONGEST_HOLD)
    return until if _typed_lately(newest, recent) >= JOIN_AT_LEAST and until > now else None


def _typed_lately(newest: datetime.datetime, recent: Sequence[Said]) -> int:
    """How many texts were typed within seconds before this moment, with what was answered meanwhile."""
    return sum(s.is_incoming and s.is_typed and newest - JOIN_WITHIN <= s.at <= newest for s in recent)


def _typed_together(queue: Sequence[Queued]) -> list[Queued]:
    group: list[Queued] = []
    for message in _typed_in_a_row(queue):
        if group and abs(message.at - group[-1].at) > JOIN_WITHIN:
            break
        group.append(message)
    return group


def _typed_in_a_row(queue: Sequence[Queued]) -> list[Queued]:
    """The first waiting message and the typed ones right behind it that are read as one text; a button stands alone."""
    group = [queue[0]]
    length = len(queue[0].words)
    for message in queue[1:]:
        length += len(message.words) + 1
        if not (group[-1].is_typed and message.is_typed) or message.attempts or length > JOINED_CHARACTERS:
            break
        group.append(message)
    return group
