"""What a translator works on: a text as it stands now, of the page and of the file together, and what may be done with it. Pure.

The file (locales/<tag>/messages.po) comes with the release, the page's revisions are in the database. The newest revision counts,
unless somebody has written other words into the file since (an import from Excel): then the file does.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.languages.normalise import fold
from bot.languages.po import Status as FileStatus
from bot.languages.po import Translation, hash_of
from bot.languages.translation import Source
from bot.translate.invites import Invite

Status = Literal["draft", "done", "approved"]
State = Literal["missing", "stale", "draft", "done", "approved"]
Action = Literal["save", "done", "approve", "return", "restore", "audio"]
STATES: tuple[State, ...] = ("missing", "stale", "draft", "done", "approved")
LONGEST_TYPED = 20_000
LONGEST_NOTE = 500
# Who did one of these with the words has had a hand in them.
_AUTHORING = frozenset({"save", "done", "restore", "audio"})
_OF_FILE: Mapping[FileStatus, Status] = {"draft": "draft", "reviewed": "done", "approved": "approved"}


class WorkRefused(Exception):
    """Nothing was stored. `reason`: a key of `refused` in locales/vi/interface/translate.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Revision:
    """One step of one text. `name`: whose; `author`: who wrote the words; `file_text`: what the file held then."""

    number: int
    context: str
    action: Action
    status: Status
    text: str
    source: str
    author: str
    file_text: str
    note: str
    invite_id: int
    name: str
    at: datetime.datetime


@dataclass(frozen=True)
class Head:
    """The newest revision of a text; `known`: hashes of all words that the page has had or has seen in the file for it."""

    revision: Revision
    known: frozenset[str]


@dataclass(frozen=True)
class Audio:
    """A recording without its sound. `text_hash`: of the translation that it speaks; `said`: what one hears, filled in."""

    id: int
    context: str
    kind: str
    size: int
    text_hash: str
    said: str
    name: str
    at: datetime.datetime


@dataclass(frozen=True)
class Piece:
    """A text as it stands now. `number`: of its newest revision, 0 without any; `translated_from`: the Vietnamese then."""

    source: Source
    number: int = 0
    text: str = ""
    translated_from: str = ""
    status: Status = "draft"
    author: str = ""
    note: str = ""
    file_text: str = ""
    audio: Audio | None = None

    @property
    def state(self) -> State:
        if not self.text:
            return "missing"
        return "stale" if self.translated_from != self.source.text else self.status

    @property
    def is_risky(self) -> bool:
        return self.source.risk == "high"

    @property
    def audio_is_old(self) -> bool:
        """It speaks other words than stand there now."""
        return self.audio is not None and self.audio.text_hash != hash_of(self.text)


def piece(source: Source, of_file: Translation | None, head: Head | None, audio: Audio | None = None) -> Piece:
    file_text = of_file.text if of_file is not None else ""
    begun = Piece(source, file_text=file_text, audio=audio)
    if head is None or (file_text and hash_of(file_text) not in head.known):
        number = head.revision.number if head else 0
        return replace(_from_file(begun, of_file), number=number)
    newest = head.revision
    now = replace(
        begun,
        number=newest.number,
        text=newest.text,
        translated_from=newest.source,
        status=newest.status,
        author=newest.author,
        note=newest.note,
    )
    is_approved_in_file = file_text == newest.text and of_file is not None and of_file.state == "approved"
    return replace(now, status="approved") if is_approved_in_file and newest.action not in {"return", "audio"} else now


def _from_file(begun: Piece, of_file: Translation | None) -> Piece:
    if of_file is None or not of_file.text:
        return begun
    is_stale = of_file.state == "stale" or of_file.source != begun.source.text
    before = (of_file.previous or of_file.source) if is_stale else begun.source.text
    if is_stale and before == begun.source.text:  # marked as fuzzy by hand: nobody knows for which words it was made
        before = ""
    status = "draft" if is_stale or of_file.state in {"missing", "stale"} else _OF_FILE[_status_of(of_file)]
    return replace(begun, text=of_file.text, translated_from=before, status=status, author=of_file.by)


def _status_of(of_file: Translation) -> FileStatus:
    """What it may be called: a status without its record is a draft."""
    return "draft" if of_file.state == "draft" else of_file.status


@dataclass(frozen=True)
class Wanted:
    """What somebody asks the page to do. `number`: of a revision to restore; `base`: the newest they had seen."""

    action: Action
    text: str
    base: int
    source_hash: str
    note: str = ""
    number: int = 0
    has_audio: bool = False
    removes_audio: bool = False
    has_errors: bool = False


@dataclass(frozen=True)
class Step:
    """A revision to be stored."""

    action: Action
    status: Status
    text: str
    author: str
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """`left_out`: a key of `refused` for the part that could not be done although the words are kept."""

    steps: Sequence[Step] = field(default_factory=tuple)
    left_out: str = ""


def plan(now: Piece, history: Sequence[Revision], invite: Invite, wanted: Wanted) -> Plan:
    """The steps that do it; raises WorkRefused. What was typed is among them, or the page shows it again."""
    _check(now, history, invite, wanted)
    if wanted.action in {"approve", "return"}:
        return Plan((_judged(now, history, invite, wanted),))
    steps = _saved(now, invite, wanted)
    if wanted.action == "restore":
        return Plan((*steps, _restored(history, wanted)))
    if wanted.has_audio or (wanted.removes_audio and now.audio is not None):
        steps = (*steps, _heard(now, steps, invite))
    return _done(now, steps, invite, wanted) if wanted.action == "done" else Plan(steps)


def _check(now: Piece, history: Sequence[Revision], invite: Invite, wanted: Wanted) -> None:
    if len(wanted.text) > LONGEST_TYPED:
        raise WorkRefused("text_too_long")
    if wanted.source_hash != hash_of(now.source.text):
        raise WorkRefused("source_changed")
    if _is_overtaken(now, history, wanted) and not _is_repeated(now, history, invite, wanted):
        raise WorkRefused("conflict")
    if wanted.has_audio and not wanted.text:
        raise WorkRefused("audio_without_text")


def _restored(history: Sequence[Revision], wanted: Wanted) -> Step:
    found = next((one for one in history if one.number == wanted.number), None)
    if found is None:
        raise WorkRefused("revision_unknown")
    return Step("restore", "draft", found.text, found.author)


def _done(now: Piece, steps: tuple[Step, ...], invite: Invite, wanted: Wanted) -> Plan:
    if not wanted.text or wanted.has_errors:
        return Plan(steps, "done_has_errors" if wanted.text else "done_empty")
    if not steps and now.state in {"done", "approved"}:
        return Plan()
    author = steps[-1].author if steps else now.author or invite.name
    return Plan((*steps, Step("done", "done", wanted.text, author)))


def _saved(now: Piece, invite: Invite, wanted: Wanted) -> tuple[Step, ...]:
    return (Step("save", "draft", wanted.text, invite.name),) if wanted.text != now.text else ()


def _heard(now: Piece, steps: Sequence[Step], invite: Invite) -> Step:
    """A new recording of an approved text asks for another pair of ears."""
    text, status = (steps[-1].text, steps[-1].status) if steps else (now.text, now.status)
    return Step(
        "audio", "done" if status == "approved" else status, text, steps[-1].author if steps else now.author or invite.name
    )


def _is_overtaken(now: Piece, history: Sequence[Revision], wanted: Wanted) -> bool:
    """Somebody else was here meanwhile. A recording changes no words."""
    return wanted.base > now.number or any(one.number > wanted.base and one.action != "audio" for one in history)


def _is_repeated(now: Piece, history: Sequence[Revision], invite: Invite, wanted: Wanted) -> bool:
    """A double click, or the same form sent again: the newest step is this very one."""
    newest = max(history, key=lambda one: one.number, default=None)
    is_theirs = newest is not None and newest.invite_id == invite.id and newest.action in {wanted.action, "audio"}
    return is_theirs and wanted.action in {"save", "done", "audio"} and now.text == wanted.text


def _judged(now: Piece, history: Sequence[Revision], invite: Invite, wanted: Wanted) -> Step:
    """What a reviewer says; raises WorkRefused with the first reason against it."""
    against = {
        "judged_changed": wanted.text != now.text or wanted.has_audio,
        "not_reviewer": invite.role != "reviewer",
        "note_too_long": len(wanted.note) > LONGEST_NOTE,
    }
    if wanted.action == "return":
        against["nothing_to_return"] = now.state not in {"done", "approved"}
    else:
        against |= {
            "not_done": now.state != "done",
            "own_words": had_a_hand(now, history, invite),
            "approve_has_errors": wanted.has_errors,
            "approve_audio_old": now.audio_is_old,
        }
    for reason, holds in against.items():
        if holds:
            raise WorkRefused(reason)
    returns = wanted.action == "return"
    return Step(wanted.action, "draft" if returns else "approved", now.text, now.author, wanted.note if returns else "")


def had_a_hand(now: Piece, history: Iterable[Revision], invite: Invite) -> bool:
    """Whether these words, or their recording, are theirs: by this link, or by a name that is spelled alike."""
    mine = invite.name.casefold()
    names = {now.author.casefold()} | ({now.audio.name.casefold()} if now.audio else set())
    hands = [one for one in history if one.text == now.text and one.action in _AUTHORING]
    return mine in names or any(one.invite_id == invite.id or one.name.casefold() == mine for one in hands)


def chosen(pieces: Sequence[Piece], state: str = "", words: str = "") -> list[Piece]:
    """Those in a state and with the words in source, translation or key; where a mistake hurts first."""
    sought = fold(words.casefold()).split()
    found = [
        one
        for one in pieces
        if (not state or one.state == state)
        and all(word in fold(f"{one.source.text} {one.text} {one.source.context}".casefold()) for word in sought)
    ]
    return sorted(found, key=lambda one: not one.is_risky)


def counted(pieces: Iterable[Piece]) -> dict[State, int]:
    counts = Counter(one.state for one in pieces)
    return {state: counts[state] for state in STATES}


def following(pieces: Sequence[Piece], context: str) -> Piece | None:
    """The one after it in the list; the first one where the text itself is no longer in it."""
    contexts = [one.source.context for one in pieces]
    if context not in contexts:
        return pieces[0] if pieces else None
    place = contexts.index(context) + 1
    return pieces[place] if place < len(pieces) else None
