"""The second factor: six digits from an app on the phone (TOTP, RFC 6238), or a code from paper when the phone is gone."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import re
import secrets
from typing import Any, cast

import pyotp
import structlog
from cryptography.fernet import Fernet, InvalidToken

from bot.audit import entry
from bot.database import DictConnection
from bot.staff.passwords import ALPHABET
from bot.staff.sessions import end_all

log = structlog.get_logger(__name__)

ISSUER = "Loa"
STEP_SECONDS = 30
# A phone's clock may be one step off; more would make a code that somebody saw useful for longer.
DRIFT_STEPS = 1
RECOVERY_CODES = 10
RECOVERY_GROUPS, RECOVERY_GROUP_LENGTH = 3, 4
_DIGITS = re.compile(r"[0-9]{6}")


class Vault:
    """Encrypts the secrets with a key made of LOA_SECRET_KEY: a copy of the database alone makes no codes."""

    def __init__(self, secret: str) -> None:
        digest = hashlib.sha256(b"loa second factor:" + secret.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._key = hashlib.sha256(b"loa recovery codes:" + secret.encode()).digest()

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """None if LOA_SECRET_KEY is another one now; `loa operator reset` lets the person begin anew."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def hash(self, recovery_code: str) -> bytes:
        """As it is kept; however it is typed."""
        plain = re.sub(r"[\W_]", "", recovery_code).casefold()
        return hmac.new(self._key, plain.encode(), hashlib.sha256).digest()


async def offer(connection: DictConnection, vault: Vault, operator_id: int) -> None:
    """Keep a new secret until a code proves that the app has it. A factor that is on stays as it is."""
    await connection.execute(
        "UPDATE operators SET totp_offered = %s WHERE id = %s AND totp_secret IS NULL",
        [vault.seal(pyotp.random_base32()), operator_id],
    )


async def offered(connection: DictConnection, vault: Vault, operator_id: int) -> str | None:
    """The secret that waits for its first code."""
    found = await connection.execute("SELECT totp_offered FROM operators WHERE id = %s AND totp_secret IS NULL", [operator_id])
    row = cast(dict[str, Any] | None, await found.fetchone())
    return vault.open(row["totp_offered"]) if row and row["totp_offered"] else None


async def is_on(connection: DictConnection, operator_id: int) -> bool:
    found = await connection.execute("SELECT totp_secret IS NOT NULL AS is_on FROM operators WHERE id = %s", [operator_id])
    return bool(cast(dict[str, Any], await found.fetchone())["is_on"])


async def confirm(
    connection: DictConnection, vault: Vault, operator_id: int, name: str, code: str, session: str
) -> list[str] | None:
    """Turn it on if the code is that of the offered secret; returns the recovery codes, which are shown once.

    None for a wrong code. Other sessions of the account end: they were opened without the second factor.
    """
    async with connection.transaction():
        found = await connection.execute("SELECT totp_offered FROM operators WHERE id = %s FOR UPDATE", [operator_id])
        sealed = cast(dict[str, Any], await found.fetchone())["totp_offered"]
        secret = vault.open(sealed) if sealed else None
        step = _step_of(secret, code, 0) if secret else None
        if step is None:
            return None
        await connection.execute(
            "UPDATE operators SET totp_secret = totp_offered, totp_offered = NULL, totp_step = %s WHERE id = %s",
            [step, operator_id],
        )
        codes = await _renew_codes(connection, vault, operator_id)
        await end_all(connection, operator_id, but=session)
        await connection.execute(*entry(name, "totp_on", name))
    return codes


async def renew_codes(connection: DictConnection, vault: Vault, operator_id: int, name: str) -> list[str]:
    """New recovery codes; the old ones open nothing any more."""
    async with connection.transaction():
        codes = await _renew_codes(connection, vault, operator_id)
        await connection.execute(*entry(name, "totp_codes_renewed", name))
    return codes


async def turn_off(connection: DictConnection, operator_id: int, name: str) -> None:
    async with connection.transaction():
        await forget(connection, operator_id)
        await connection.execute(*entry(name, "totp_off", name))


async def forget(connection: DictConnection, operator_id: int) -> None:
    await connection.execute(
        "UPDATE operators SET totp_secret = NULL, totp_offered = NULL, totp_step = 0 WHERE id = %s", [operator_id]
    )
    await connection.execute("DELETE FROM recovery_codes WHERE operator_id = %s", [operator_id])
    await connection.execute("DELETE FROM login_steps WHERE operator_id = %s", [operator_id])


async def take(connection: DictConnection, vault: Vault, operator_id: int, code: str) -> str | None:
    """`app` or `paper` if the code is right, and it is never right again; None otherwise. Inside a transaction."""
    found = await connection.execute("SELECT totp_secret, totp_step FROM operators WHERE id = %s FOR UPDATE", [operator_id])
    row = cast(dict[str, Any], await found.fetchone())
    secret = vault.open(row["totp_secret"]) if row["totp_secret"] else None
    if row["totp_secret"] and secret is None:
        log.error("second_factor_unreadable", operator=operator_id, because="LOA_SECRET_KEY has changed")
    step = _step_of(secret, code, row["totp_step"]) if secret else None
    if step is not None:
        await connection.execute("UPDATE operators SET totp_step = %s WHERE id = %s", [step, operator_id])
        return "app"
    used = await connection.execute(
        "DELETE FROM recovery_codes WHERE operator_id = %s AND code_hash = %s RETURNING 1 AS used",
        [operator_id, vault.hash(code)],
    )
    return "paper" if await used.fetchone() else None


async def codes_left(connection: DictConnection, operator_id: int) -> int:
    found = await connection.execute("SELECT count(*) AS left FROM recovery_codes WHERE operator_id = %s", [operator_id])
    return int(cast(dict[str, Any], await found.fetchone())["left"])


def picture(secret: str, name: str) -> str:
    """The QR code that an app reads, as the address of a picture."""
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)
    import segno  # here: a start needs no QR codes

    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def spelled(secret: str) -> str:
    """For typing it into an app that cannot read the picture."""
    return " ".join(re.findall(".{1,4}", secret))


def _step_of(secret: str, code: str, last: int) -> int | None:
    """The half minute whose code this is, after the last one that was taken."""
    digits = re.sub(r"\s", "", code)
    if not _DIGITS.fullmatch(digits):
        return None
    totp, now = pyotp.TOTP(secret), int(_now().timestamp()) // STEP_SECONDS
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    return next((step for step in steps if step > last and hmac.compare_digest(totp.generate_otp(step), digits)), None)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


async def _renew_codes(connection: DictConnection, vault: Vault, operator_id: int) -> list[str]:
    codes = ["-".join(_group() for _ in range(RECOVERY_GROUPS)) for _ in range(RECOVERY_CODES)]
    await connection.execute("DELETE FROM recovery_codes WHERE operator_id = %s", [operator_id])
    await connection.execute(
        "INSERT INTO recovery_codes (operator_id, code_hash) SELECT %s, unnest(%s::bytea[])",
        [operator_id, [vault.hash(code) for code in codes]],
    )
    return codes


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_GROUP_LENGTH))
