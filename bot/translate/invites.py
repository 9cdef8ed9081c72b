"""Invitations to the translators' page: a random token in the link, its hash in the database, ended by a day or by the office."""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from bot.audit import entry
from bot.database import DictConnection

Role = Literal["translator", "reviewer"]
ROLES: tuple[Role, ...] = ("translator", "reviewer")
TOKEN = re.compile(r"[\w-]{32}", re.ASCII)
LONGEST_NAME = 60
LONGEST_DAYS = 366
# An invitation that was seen less than this ago is not written again.
SEEN_EVERY = datetime.timedelta(minutes=1)
# A comma separates the name from the day in the file of translations.
_NAME = re.compile(r"[^\W\d_][\w .'’ʼ-]*")


class InviteRefused(Exception):
    """Why there is no such invitation; the message is a sentence for the shell."""


@dataclass(frozen=True)
class Invite:
    """`is_open`: neither past its day nor ended."""

    id: int
    tag: str
    name: str
    role: Role
    expires_at: datetime.datetime
    is_open: bool = True
    ended_at: datetime.datetime | None = None
    seen_at: datetime.datetime | None = None

    @property
    def actor(self) -> str:
        """In the log: who it is without the name."""
        return f"invite:{self.id}"


async def make(connection: DictConnection, tag: str, name: str, role: Role, days: int, by: str) -> str:
    """The token of a new invitation, which is nowhere else; raises InviteRefused."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InviteRefused(f"a name has letters, spaces, points and hyphens, no comma, and at most {LONGEST_NAME} characters")
    if not 1 <= days <= LONGEST_DAYS:
        raise InviteRefused(f"an invitation holds for 1 to {LONGEST_DAYS} days")
    token = secrets.token_urlsafe(24)
    async with connection.transaction():
        made = await connection.execute(
            """INSERT INTO translator_invites (token_hash, tag, name, role, made_by, expires_at)
               VALUES (%s, %s, %s, %s, %s, now() + make_interval(days => %s)) RETURNING id""",
            [_hash(token), tag, name, role, by, days],
        )
        row = cast(dict[str, Any], await made.fetchone())
        await connection.execute(*entry(by, "translator_invited", f"invite:{row['id']}", tag=tag, role=role, days=days))
    return token


async def end(connection: DictConnection, invite_id: int, by: str) -> None:
    """From now on the link opens nothing; raises InviteRefused."""
    async with connection.transaction():
        ended = await connection.execute(
            "UPDATE translator_invites SET ended_at = now() WHERE id = %s AND ended_at IS NULL RETURNING id", [invite_id]
        )
        if await ended.fetchone() is None:
            raise InviteRefused(f"there is no invitation {invite_id} that has not ended")
        await connection.execute(*entry(by, "translator_invite_ended", f"invite:{invite_id}"))


async def all_invites(connection: DictConnection) -> Sequence[Invite]:
    found = await connection.execute(f"{_SELECT} ORDER BY id".encode())
    return [_invite(row) for row in await found.fetchall()]


async def of_token(connection: DictConnection, token: str) -> Invite | None:
    """Whose link this is, also one that has ended: its owner is told so. None for one that nobody was given."""
    found = await connection.execute(f"{_SELECT} WHERE token_hash = %s".encode(), [_hash(token)])
    row = await found.fetchone()
    if row is None:
        return None
    invite = _invite(row)
    if invite.is_open:
        await connection.execute(
            "UPDATE translator_invites SET seen_at = now() WHERE id = %s AND (seen_at IS NULL OR seen_at < now() - %s)",
            [invite.id, SEEN_EVERY],
        )
    return invite


_SELECT = """SELECT id, tag, name, role, expires_at, expires_at > now() AND ended_at IS NULL AS is_open, ended_at, seen_at
               FROM translator_invites"""


def _invite(row: dict[str, object]) -> Invite:
    return Invite(**cast(dict[str, Any], row))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
