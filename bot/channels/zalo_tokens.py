"""Zalo's tokens: an access token lives 25 hours, a refresh token three months and works **once**.

So that two machines never burn it, the one that refreshes holds the row's lock while it asks Zalo, and the new pair is
committed before anybody uses it. What is left is a process that dies between Zalo's answer and the commit, or an answer that
never arrives: then the pair is lost, Zalo refuses the old token, and a person runs `loa zalo authorise`.

    POST https://oauth.zaloapp.com/v4/oa/access_token    header secret_key, form grant_type, app_id and code + code_verifier or
    refresh_token → {"access_token": "…", "refresh_token": "…", "expires_in": "90000"}, or HTTP 200 {"error": -14003, …}
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

import httpx
import psycopg
import structlog

from bot.database import DictConnection, Pool
from bot.settings import ZaloSettings

log = structlog.get_logger(__name__)

# Of its life: 20 of 25 hours.
REFRESH_AFTER = 0.8
# A token that Zalo refuses so soon after it was issued is not refused for its age: refreshing again would not help.
NOT_YOUNGER_THAN = datetime.timedelta(seconds=60)
READ_AGAIN_SECONDS = 60.0
EXCHANGE_SECONDS = 10.0
# Longer than an exchange: whoever waits for the row finds the new pair in it.
LOCK_TIMEOUT: LiteralString = "SET LOCAL lock_timeout = '15s'"
TRANSIENT = frozenset({-32, -100})


class NoToken(Exception):
    """There is no token to call Zalo with; the sentence says why and what to do."""


class Refused(NoToken):
    """Zalo refused the code or the refresh token: only a person can go on."""


class RefusedNow(Refused):
    """The answer to a call that was just made."""


class Unreachable(NoToken):
    """Zalo's token address gave no usable answer; nothing is known to be wrong with the token."""


@dataclass(frozen=True)
class Pair:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: datetime.timedelta


@dataclass(frozen=True)
class Stored:
    """The row of our account."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    obtained_at: datetime.datetime
    expires_at: datetime.datetime
    refused_at: datetime.datetime | None = None
    refused_reason: str | None = None

    @property
    def refresh_at(self) -> datetime.datetime:
        return self.obtained_at + (self.expires_at - self.obtained_at) * REFRESH_AFTER


def code_verifier(settings: ZaloSettings) -> str:
    """PKCE's verifier. Zalo's console keeps one challenge for all consents, so it is the same on every machine."""
    digest = hmac.new(settings.app_secret.encode(), b"loa zalo code verifier", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def code_challenge(settings: ZaloSettings) -> str:
    digest = hashlib.sha256(code_verifier(settings).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def exchange(settings: ZaloSettings, **grant: str) -> Pair:
    """Ask Zalo for a pair, by `code` or by `refresh_token`; raises Refused or Unreachable."""
    kind = "refresh_token" if "refresh_token" in grant else "authorization_code"
    form = {"grant_type": kind, "app_id": settings.app_id, **grant}
    try:
        async with httpx.AsyncClient(timeout=EXCHANGE_SECONDS, trust_env=False) as client, asyncio.timeout(EXCHANGE_SECONDS):
            url = f"{settings.oauth_url}/v4/oa/access_token"
            response = await client.post(url, data=form, headers={"secret_key": settings.app_secret})
            answer = response.json()
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        raise Unreachable(f"Zalo's token address did not answer ({type(error).__name__})") from error
    return _pair(response.status_code, answer)


def _pair(status: int, answer: Any) -> Pair:
    if status >= 500 or not isinstance(answer, dict):
        raise Unreachable(f"Zalo's token address answered HTTP {status} without a token")
    try:
        lifetime = datetime.timedelta(seconds=int(answer["expires_in"]))  # Zalo sends a string
        return Pair(_text(answer["access_token"]), _text(answer["refresh_token"]), lifetime)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        code = answer.get("error")
        if code in TRANSIENT or "error" not in answer:
            raise Unreachable(f"Zalo's token address answered {code} without a token") from error
        raise RefusedNow(f"Zalo refused with {code} {str(answer.get('error_name') or '')[:60]}".rstrip()) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a token is a text")
    return value


class ZaloTokens:
    """The account's token for whoever sends. Every method may raise psycopg's OperationalError when the database is away."""

    def __init__(self, settings: ZaloSettings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        # One refresh at a time in this process: waiting sends must not take a connection each.
        self._one = asyncio.Lock()
        self._refreshing: asyncio.Task[Stored] | None = None
        self._known: tuple[float, Stored] | None = None
        # A pair that Zalo issued while the database went away, with the refresh token that it replaces.
        self._unsaved: tuple[str, Pair] | None = None

    async def access(self) -> str:
        """A token that should work; refreshes an old one first. Raises NoToken."""
        if self._known and time.monotonic() - self._known[0] < READ_AGAIN_SECONDS and self._known[1].expires_at > _now():
            return self._known[1].access_token
        stored = self._keep(await self._read())
        if stored.expires_at <= _now():
            stored = await self._refreshed(lambda row: row.expires_at <= _now())
        return stored.access_token

    async def renewed(self, refused: str) -> str:
        """A token other than the one that Zalo has just refused: the one that another machine got, or a new one."""
        stored = await self._refreshed(lambda row: row.access_token == refused and _now() - row.obtained_at > NOT_YOUNGER_THAN)
        if stored.access_token == refused:
            raise NoToken("Zalo refuses a token that it has just issued; see `loa zalo status`")
        return stored.access_token

    async def refresh_if_due(self, *, even_if_refused: bool = False) -> None:
        """Refresh when four fifths of the token's life are over. `even_if_refused`: the settings may have been corrected."""
        await self._refreshed(
            lambda row: row.refresh_at <= _now() or (even_if_refused and row.refused_at is not None),
            even_if_refused=even_if_refused,
        )

    async def close(self) -> None:
        """Wait for a refresh that is on its way: cancelled, it would lose the pair."""
        if self._refreshing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXCHANGE_SECONDS):
                    await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _read(self) -> Stored:
        async with self._one:
            await self._save_unsaved()
        async with self._pool.connection() as connection:
            return _authorised(await stored_tokens(connection, self._settings))

    async def _refreshed(self, is_due: Callable[[Stored], bool], *, even_if_refused: bool = False) -> Stored:
        async with self._one:
            await self._save_unsaved()
            self._refreshing = asyncio.ensure_future(self._refresh(is_due, even_if_refused=even_if_refused))
            return self._keep(await asyncio.shield(self._refreshing))

    async def _refresh(self, is_due: Callable[[Stored], bool], *, even_if_refused: bool) -> Stored:
        """Under the row's lock: look again, ask Zalo, store. Whoever waited for the lock finds the new pair and asks nothing."""
        pair: Pair | None = None
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute(LOCK_TIMEOUT)
                row = _authorised(await stored_tokens(connection, self._settings, lock=True))
                if not is_due(row):
                    return row
                if row.refused_at and not even_if_refused:
                    raise Refused(f"{row.refused_reason}: run `loa zalo authorise`")
                pair = await exchange(self._settings, refresh_token=row.refresh_token)
                await _replace(connection, self._settings, row.refresh_token, pair)
        except psycopg.Error:
            if pair:
                self._unsaved = (row.refresh_token, pair)
                log.error("zalo_tokens_not_stored", hint="kept in memory and stored as soon as the database answers")
            raise
        except RefusedNow as error:
            await self._note_refusal(row, str(error))
            raise
        log.info("zalo_tokens_refreshed")
        return Stored(pair.access_token, pair.refresh_token, _now(), _now() + pair.lifetime)

    async def _note_refusal(self, row: Stored, reason: str) -> None:
        """Beside the token that was refused; said once for all machines: whoever comes next finds it noted."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """UPDATE zalo_tokens SET refused_at = now(), refused_reason = %s
                   WHERE app_id = %s AND oa_id = %s AND refresh_token = %s AND refused_at IS NULL""",
                [reason, self._settings.app_id, self._settings.oa_id, row.refresh_token],
            )
        if cursor.rowcount:
            log.error("zalo_authorisation_lost", reason=reason, hint="run `loa zalo authorise`")

    async def _save_unsaved(self) -> None:
        if self._unsaved is None:
            return
        old, pair = self._unsaved
        async with self._pool.connection() as connection:
            await _replace(connection, self._settings, old, pair)
        self._unsaved = None
        log.info("zalo_tokens_stored_late")

    def _keep(self, stored: Stored) -> Stored:
        self._known = (time.monotonic(), stored)
        return stored


async def save(connection: DictConnection, settings: ZaloSettings, pair: Pair) -> None:
    """The first pair, or one that a person got by authorising again."""
    await connection.execute(
        """INSERT INTO zalo_tokens (app_id, oa_id, access_token, refresh_token, expires_at)
           VALUES (%(app)s, %(oa)s, %(access)s, %(refresh)s, now() + %(lifetime)s)
           ON CONFLICT (app_id, oa_id) DO UPDATE
              SET access_token = EXCLUDED.access_token, refresh_token = EXCLUDED.refresh_token, obtained_at = now(),
                  expires_at = EXCLUDED.expires_at, refused_at = NULL, refused_reason = NULL""",
        _values(settings, pair),
    )


async def _replace(connection: DictConnection, settings: ZaloSettings, old: str, pair: Pair) -> None:
    """Only over the pair that it came from: a person may have authorised anew meanwhile."""
    await connection.execute(
        """UPDATE zalo_tokens SET access_token = %(access)s, refresh_token = %(refresh)s, obtained_at = now(),
                  expires_at = now() + %(lifetime)s, refused_at = NULL, refused_reason = NULL
           WHERE app_id = %(app)s AND oa_id = %(oa)s AND refresh_token = %(old)s""",
        {**_values(settings, pair), "old": old},
    )


async def stored_tokens(connection: DictConnection, settings: ZaloSettings, *, lock: bool = False) -> Stored | None:
    """The pair of our account, None when nobody has authorised it."""
    sql: LiteralString = """SELECT access_token, refresh_token, obtained_at, expires_at, refused_at, refused_reason
                            FROM zalo_tokens WHERE app_id = %s AND oa_id = %s"""
    for_update: LiteralString = " FOR UPDATE" if lock else ""
    cursor = await connection.execute(sql + for_update, [settings.app_id, settings.oa_id])
    row = await cursor.fetchone()
    return Stored(**cast(dict[str, Any], row)) if row else None


def _authorised(stored: Stored | None) -> Stored:
    if stored is None:
        raise NoToken("Zalo has not been authorised: run `loa zalo authorise`")
    return stored


def _values(settings: ZaloSettings, pair: Pair) -> dict[str, object]:
    return {
        "app": settings.app_id,
        "oa": settings.oa_id,
        "access": pair.access_token,
        "refresh": pair.refresh_token,
        "lifetime": pair.lifetime,
    }


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
