"""Revisions and recordings in the database. A step and its line in the log are one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import psycopg

from bot.audit import Action as Logged
from bot.audit import entry
from bot.database import DictConnection
from bot.languages.po import hash_of
from bot.languages.translation import Source
from bot.translate.invites import Invite
from bot.translate.recording import Recording
from bot.translate.work import Action, Audio, Head, Revision, Step, WorkRefused

_REVISION = """r.number, r.context, r.action, r.status, r.text, r.source, r.author, r.file_text, r.note, r.invite_id, i.name, r.at
          FROM translation_revisions r JOIN translator_invites i ON i.id = r.invite_id"""
_AUDIO = """a.id, a.context, a.kind, octet_length(a.content) AS size, a.text_hash, a.said, i.name, a.made_at AS at
          FROM translation_audio a JOIN translator_invites i ON i.id = a.invite_id"""
_LOGGED: Mapping[Action, Logged] = {
    "save": "translation_save",
    "done": "translation_done",
    "approve": "translation_approve",
    "return": "translation_return",
    "restore": "translation_restore",
    "audio": "translation_audio",
}
# Hashed as by bot.languages.po.hash_of.
_KNOWN = """SELECT context, array_agg(DISTINCT left(encode(sha256(convert_to(words, 'UTF8')), 'hex'), 12)) AS known
              FROM translation_revisions, unnest(ARRAY[text, file_text]) AS words
             WHERE tag = %s GROUP BY context"""


async def heads(connection: DictConnection, tag: str) -> Mapping[str, Head]:
    """By context, the newest revision of every text that was worked on here."""
    found = await connection.execute(
        f"""SELECT DISTINCT ON (r.context) {_REVISION} WHERE r.tag = %s ORDER BY r.context, r.number DESC""".encode(), [tag]
    )
    newest = [_revision(row) for row in await found.fetchall()]
    hashes = await connection.execute(_KNOWN.encode(), [tag])
    known = {str(row["context"]): frozenset(cast(list[str], row["known"])) for row in await hashes.fetchall()}
    return {one.context: Head(one, known[one.context]) for one in newest}


async def history(connection: DictConnection, tag: str, context: str) -> list[Revision]:
    """Newest first."""
    found = await connection.execute(
        f"SELECT {_REVISION} WHERE r.tag = %s AND r.context = %s ORDER BY r.number DESC".encode(), [tag, context]
    )
    return [_revision(row) for row in await found.fetchall()]


def head_of(past: Sequence[Revision]) -> Head | None:
    """Of a history, newest first."""
    known = {hash_of(one.text) for one in past} | {hash_of(one.file_text) for one in past}
    return Head(past[0], frozenset(known)) if past else None


async def audios(connection: DictConnection, tag: str) -> Mapping[str, Audio]:
    found = await connection.execute(f"SELECT {_AUDIO} WHERE a.tag = %s AND a.removed_at IS NULL".encode(), [tag])
    return {one.context: one for one in map(_audio, await found.fetchall())}


async def audio(connection: DictConnection, tag: str, context: str) -> Audio | None:
    found = await connection.execute(
        f"SELECT {_AUDIO} WHERE a.tag = %s AND a.context = %s AND a.removed_at IS NULL".encode(), [tag, context]
    )
    row = await found.fetchone()
    return _audio(row) if row else None


async def sound(connection: DictConnection, tag: str, context: str) -> Recording | None:
    """The recording itself."""
    found = await connection.execute(
        "SELECT kind, content FROM translation_audio WHERE tag = %s AND context = %s AND removed_at IS NULL", [tag, context]
    )
    row = await found.fetchone()
    return Recording(**cast(dict[str, Any], row)) if row else None


async def taken_back(connection: DictConnection, tag: str) -> set[str]:
    """The texts whose recording was removed and not replaced."""
    found = await connection.execute(
        "SELECT context FROM translation_audio WHERE tag = %s GROUP BY context HAVING bool_and(removed_at IS NOT NULL)", [tag]
    )
    return {str(row["context"]) for row in await found.fetchall()}


async def store(
    connection: DictConnection,
    invite: Invite,
    source: Source,
    steps: Sequence[Step],
    *,
    over: int,
    file_text: str = "",
    recorded: Recording | None = None,
    said: str = "",
) -> None:
    """The steps after revision `over`, all or none; raises WorkRefused when somebody was faster.

    A step of the action "audio" keeps `recorded`, in which one hears `said`, or takes the present recording away.
    """
    try:
        async with connection.transaction():
            for number, step in enumerate(steps, start=over + 1):
                await _add(connection, invite, source, step, number, file_text)
                if step.action == "audio":
                    await _keep_sound(connection, invite, source.context, recorded, hash_of(step.text), said)
    except psycopg.errors.UniqueViolation as error:
        raise WorkRefused("conflict") from error


async def _add(connection: DictConnection, invite: Invite, source: Source, step: Step, number: int, file_text: str) -> None:
    await connection.execute(
        """INSERT INTO translation_revisions
                  (tag, context, number, action, status, text, source, author, file_text, note, invite_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            invite.tag, source.context, number, step.action, step.status, step.text, source.text, step.author, file_text,
            step.note, invite.id,
        ],
    )  # fmt: skip
    await connection.execute(*entry(invite.actor, _LOGGED[step.action], f"{invite.tag}/{source.context}", number=number))


async def _keep_sound(
    connection: DictConnection, invite: Invite, context: str, recorded: Recording | None, text_hash: str, said: str
) -> None:
    await connection.execute(
        "UPDATE translation_audio SET removed_at = now() WHERE tag = %s AND context = %s AND removed_at IS NULL",
        [invite.tag, context],
    )
    if recorded is not None:
        await connection.execute(
            """INSERT INTO translation_audio (tag, context, kind, content, text_hash, said, invite_id)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            [invite.tag, context, recorded.kind, recorded.content, text_hash, said, invite.id],
        )


def _revision(row: Mapping[str, object]) -> Revision:
    return Revision(**cast(dict[str, Any], row))


def _audio(row: Mapping[str, object]) -> Audio:
    return Audio(**cast(dict[str, Any], row))
