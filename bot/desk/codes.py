"""Spoken codes: four digits, said over the telephone, link a call and a chat for half an hour. What an operator reads aloud can
then be sent to the caller's chat.

Both directions: the citizen asks for a code in the chat and says it to the operator, or types the code that the operator says.
What a citizen types is read here (`asked_of`); the store below takes the connection, so the caller decides the transaction.
"""

from __future__ import annotations

import datetime
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.channels.payloads import short_id
from bot.database import DictConnection
from bot.languages.normalise import fold, normalise

LIVES = datetime.timedelta(minutes=30)
# Wrong codes within LIVES: more of one citizen or operator are guesses; more of all citizens together are an attack.
CITIZEN_GUESSES = 5
OPERATOR_GUESSES = 10
GUESSES_OF_ALL_CITIZENS = 200
# How many random codes are tried before the table counts as full.
TRIES = 40
# What a button carries, itself or by its short name.
GET_CODE, UNLINK = "/call_code", "/call_unlink"

_DIGIT_WORDS = dict(
    zip(("khong", "mot", "hai", "ba", "bon", "tu", "nam", "lam", "sau", "bay", "tam", "chin"), "012344556789", strict=True)
)
# What people already know four digits as: years, numbers to call.
_TAKEN = re.compile(r"(?:19|20)\d\d|1[018]\d\d|11\d\d|(\d)\1{3}|1234")
_SOUND = rf"(?:\d|{'|'.join(sorted(_DIGIT_WORDS, key=len, reverse=True))})"
_FOUR = rf"{_SOUND}(?:[\s.,-]*{_SOUND}){{3}}"
_ASKS = re.compile(
    r"(?:(?:cho|toi|minh|em|con|chau|xin|lay|can|nhan|muon|lai) ){0,5}"
    r"(?:ma|code)(?: (?:so|goi|cuoc goi|dien thoai|tong dai|noi|ket noi|call|cua toi|cua minh|cua em|moi|di|a|voi|nhe))*"
)
_GIVES = re.compile(
    rf"(?:(?:day la|nhap|so)\s)?(?:ma|code)(?:\s(?:so|goi|cuoc goi|tong dai|la|cua (?:toi|minh|em)))*[\s:.,-]*(?P<code>{_FOUR})"
)
_GIVES_BARE = re.compile(rf"(?P<code>\d(?:[\s.-]+\d){{3}}|{_FOUR})")
_GHOST = re.compile(r"\bm[áạ]\b")


@dataclass(frozen=True)
class Asked:
    """What a citizen wants of a code: one of ours to say aloud (`code` is empty), to give an operator's, or to end the link.
    `is_bare`: digits alone, which may mean something else."""

    code: str = ""
    is_bare: bool = False
    is_unlink: bool = False


@dataclass(frozen=True)
class Code:
    """`conversation_id` and `operator_id`: whose it is, both once it is linked."""

    code: str
    conversation_id: int | None
    operator_id: int | None
    expires_at: datetime.datetime
    linked_at: datetime.datetime | None

    @property
    def is_linked(self) -> bool:
        return self.linked_at is not None

    @property
    def spoken(self) -> str:
        """`4 7 2 9`, as it is read aloud."""
        return " ".join(self.code)


_BUTTONS = {
    pressed: asked
    for payload, asked in ((GET_CODE, Asked()), (UNLINK, Asked(is_unlink=True)))
    for pressed in (payload, short_id(payload))
}


@dataclass(frozen=True)
class Party:
    """Whose code it is: a conversation's or an operator's."""

    conversation_id: int | None = None
    operator_id: int | None = None

    @property
    def ids(self) -> list[int | None]:
        return [self.conversation_id, self.operator_id]


class CodeRefused(Exception):
    """Catch it inside the transaction: a guess must stay noted. `reason`: code_unknown, code_taken, code_guesses, code_full; a
    key of `refused` in locales/vi/interface/phone.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def asked_of(text: str, pressed: str | None) -> Asked | None:
    """What these words or this button want of a code; None for everything else, which is the bot's to answer. The buttons need
    not have been offered: nobody gets anything by them but a code of their own."""
    if pressed is not None:
        return _BUTTONS.get(pressed)
    if len(text) > 80 or _GHOST.search(text.lower()):
        return None
    said = " ".join(re.sub(r"[\"'“”()?!#*]|[.,;]+$", " ", fold(normalise(text))).split())
    if _ASKS.fullmatch(said.rstrip(" .,:;")):
        return Asked()
    if found := _GIVES.fullmatch(said):
        return Asked(_digits(found["code"]))
    found = _GIVES_BARE.fullmatch(said)
    return Asked(_digits(found["code"]), is_bare=True) if found else None


def digits_of(typed: str) -> str:
    """The four digits that an operator typed, however they are spaced; empty for anything else."""
    found = re.fullmatch(_FOUR, " ".join(fold(normalise(typed[:80])).split()))
    return _digits(found.group()) if found else ""


async def for_citizen(connection: DictConnection, conversation_id: int) -> Code:
    """The code of this conversation: the one it has, linked or not, or a new one. Raises CodeRefused(code_full)."""
    return await _of_or_new(connection, Party(conversation_id=conversation_id))


async def for_operator(connection: DictConnection, operator_id: int) -> Code:
    """The same for an operator, to say aloud."""
    return await _of_or_new(connection, Party(operator_id=operator_id))


async def link_by_operator(connection: DictConnection, typed: str, operator_id: int) -> Code:
    """The operator typed what the citizen said. A call that was linked before is over; said twice, it stays linked."""
    me = Party(operator_id=operator_id)
    await forget_expired(connection)
    # Two tabs of one operator are one after the other.
    await connection.execute("SELECT 1 FROM operators WHERE id = %s FOR NO KEY UPDATE", [operator_id])
    await _refuse_guesses(connection, me, OPERATOR_GUESSES)
    code = await _locked(connection, digits_of(typed))
    if code is None or code.conversation_id is None:
        await _note_guess(connection, me)
        raise CodeRefused("code_unknown")
    if code.operator_id == operator_id:
        return code
    if code.operator_id is not None:
        raise CodeRefused("code_taken")
    await connection.execute("DELETE FROM spoken_codes WHERE operator_id = %s", [operator_id])
    return await _linked(connection, code.code, me)


async def link_by_citizen(connection: DictConnection, code: str, conversation_id: int) -> Code:
    """The citizen typed what the operator said; said twice, it stays linked."""
    me = Party(conversation_id=conversation_id)
    await forget_expired(connection)
    await _refuse_guesses(connection, me, CITIZEN_GUESSES)
    await _refuse_attack(connection)
    found = await _locked(connection, code)
    if found is not None and found.conversation_id == conversation_id:
        return found
    if found is None or found.conversation_id is not None:
        # One answer for a code that nobody has and one that somebody else has: a guess learns nothing.
        await _note_guess(connection, me)
        raise CodeRefused("code_unknown")
    await connection.execute("DELETE FROM spoken_codes WHERE conversation_id = %s", [conversation_id])
    return await _linked(connection, found.code, me)


async def is_waiting(connection: DictConnection, code: str) -> bool:
    """Whether an operator has this code now: digits alone mean something else otherwise."""
    found = await connection.execute(
        "SELECT 1 FROM spoken_codes WHERE code = %s AND operator_id IS NOT NULL AND expires_at > now()", [code]
    )
    return await found.fetchone() is not None


async def of_operator(connection: DictConnection, operator_id: int) -> Code | None:
    """The code that this operator has now, waiting or linked."""
    found = await connection.execute("SELECT * FROM spoken_codes WHERE operator_id = %s AND expires_at > now()", [operator_id])
    return _code(await found.fetchone())


async def unlink_by_citizen(connection: DictConnection, conversation_id: int) -> bool:
    """Whether there was anything to end."""
    ended = await connection.execute("DELETE FROM spoken_codes WHERE conversation_id = %s", [conversation_id])
    return ended.rowcount > 0


async def end(connection: DictConnection, operator_id: int) -> Code | None:
    """The call is over; what it had."""
    ended = await connection.execute("DELETE FROM spoken_codes WHERE operator_id = %s RETURNING *", [operator_id])
    return _code(await ended.fetchone())


async def forget_expired(connection: DictConnection) -> None:
    """What is over is not kept: neither codes nor that a call and a chat belonged together."""
    await connection.execute("DELETE FROM spoken_codes WHERE expires_at <= now()")
    await connection.execute("DELETE FROM spoken_code_guesses WHERE at <= now() - %s", [LIVES])


async def _of_or_new(connection: DictConnection, party: Party) -> Code:
    await forget_expired(connection)
    for code in (None, *_random_codes()):
        if code is not None:
            await connection.execute(
                """INSERT INTO spoken_codes (code, conversation_id, operator_id, expires_at) VALUES (%s, %s, %s, now() + %s)
                   ON CONFLICT DO NOTHING""",
                [code, *party.ids, LIVES],
            )
        found = await connection.execute("SELECT * FROM spoken_codes WHERE conversation_id = %s OR operator_id = %s", party.ids)
        if own := _code(await found.fetchone()):
            return own
    raise CodeRefused("code_full")


def _random_codes() -> Sequence[str]:
    drawn = (f"{secrets.randbelow(10_000):04}" for _ in range(TRIES))
    return [code for code in drawn if not _TAKEN.fullmatch(code)]


async def _locked(connection: DictConnection, code: str) -> Code | None:
    found = await connection.execute("SELECT * FROM spoken_codes WHERE code = %s AND expires_at > now() FOR UPDATE", [code])
    return _code(await found.fetchone())


async def _linked(connection: DictConnection, code: str, party: Party) -> Code:
    linked = await connection.execute(
        """UPDATE spoken_codes SET conversation_id = coalesce(conversation_id, %s), operator_id = coalesce(operator_id, %s),
                  linked_at = now(), expires_at = now() + %s WHERE code = %s RETURNING *""",
        [*party.ids, LIVES, code],
    )
    return cast(Code, _code(await linked.fetchone()))


async def _refuse_guesses(connection: DictConnection, party: Party, most: int) -> None:
    counted = await connection.execute(
        "SELECT count(*) AS n FROM spoken_code_guesses WHERE (conversation_id = %s OR operator_id = %s) AND at > now() - %s",
        [*party.ids, LIVES],
    )
    if cast(dict[str, int], await counted.fetchone())["n"] >= most:
        raise CodeRefused("code_guesses")


async def _refuse_attack(connection: DictConnection) -> None:
    """Somebody may open any number of chats: then nobody types codes for a while, citizens' own codes still work."""
    counted = await connection.execute(
        "SELECT count(*) AS n FROM spoken_code_guesses WHERE conversation_id IS NOT NULL AND at > now() - %s", [LIVES]
    )
    if cast(dict[str, int], await counted.fetchone())["n"] >= GUESSES_OF_ALL_CITIZENS:
        raise CodeRefused("code_guesses")


async def _note_guess(connection: DictConnection, party: Party) -> None:
    await connection.execute("INSERT INTO spoken_code_guesses (conversation_id, operator_id) VALUES (%s, %s)", party.ids)


def _code(row: dict[str, object] | None) -> Code | None:
    given = cast(dict[str, Any] | None, row)
    return (
        Code(*(given[name] for name in ("code", "conversation_id", "operator_id", "expires_at", "linked_at"))) if given else None
    )


def _digits(said: str) -> str:
    return "".join(_DIGIT_WORDS.get(sound) or str(unicodedata.digit(sound)) for sound in re.findall(_SOUND, said))
