"""Passwords: argon2id hashes, made and checked off the event loop, and the rules for a new one."""

from __future__ import annotations

import asyncio
import functools
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 200
LEAST_DIFFERENT_CHARACTERS = 5
# One check takes 64 MiB and a tenth of a second: a crowd at the login page must not take the gateway's memory.
CHECKS_AT_A_TIME = 2
# Without characters that are taken for one another when read from paper.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4

_hasher = PasswordHasher()
_free = asyncio.Semaphore(CHECKS_AT_A_TIME)


class WeakPassword(Exception):
    """`reason` is a key of locales/vi/interface/staff.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def generated() -> str:
    """A first password, some 79 bits, as `k7mp-…`: it is changed at the first login."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def check_strength(password: str, name: str) -> None:
    """Raises WeakPassword. Length counts most; what stands in every list of guesses about this person is refused."""
    plain = _normalised(password)
    if len(plain) < SHORTEST:
        raise WeakPassword("password_too_short")
    if len(plain) > LONGEST:
        raise WeakPassword("password_too_long")
    if name in plain.casefold() or len(set(plain)) < LEAST_DIFFERENT_CHARACTERS:
        raise WeakPassword("password_too_easy")


async def hashed(password: str) -> str:
    async with _free:
        return await asyncio.to_thread(_hasher.hash, _normalised(password))


async def matches(password_hash: str | None, password: str) -> bool:
    """False for a hash of None too, after the same time: an unknown name is not told from a wrong password."""
    async with _free:
        return await asyncio.to_thread(_matches, password_hash, password)


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        is_right = _hasher.verify(password_hash or _nobody(), _normalised(password[: LONGEST * 2]))
    except (VerificationError, InvalidHashError):
        return False
    return is_right and password_hash is not None


@functools.cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex())


def _normalised(password: str) -> str:
    """Vietnamese keyboards write the same letter in two ways (composed and decomposed)."""
    return unicodedata.normalize("NFKC", password)
