"""What `loa check` says of the bot: is the token good, is the webhook ours, does Telegram reach us, does anything pile up?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from urllib.parse import urlsplit

from telegram import User, WebhookInfo

from bot.channels.telegram_updates import ALLOWED_UPDATES, CHANNEL
from bot.findings import Finding

# Telegram remembers its last failure for ever; an old one says nothing of today.
RECENT = datetime.timedelta(hours=1)
MANY_WAITING = 100
# What Telegram says of a call that failed, and what is to be done. The first that fits.
REMEDIES = (
    ("403", "the secret that Telegram sends is not TELEGRAM_WEBHOOK_SECRET: restart the gateway, it sets both"),
    ("503", "the gateway could not store messages in time: look at /health/ready and at the database"),
    ("50", "the proxy before the gateway found nobody behind it: is `loa up` running?"),
    ("404", "the proxy does not pass /webhooks/telegram on to the gateway"),
    ("ssl", "the certificate does not hold: it must be valid, with its whole chain, for the host of LOA_PUBLIC_URL"),
    ("certificate", "the certificate does not hold: it must be valid, with its whole chain, for the host of LOA_PUBLIC_URL"),
    ("resolve", "the host of LOA_PUBLIC_URL has no public address (DNS)"),
    ("refused", "nobody listens on the port of LOA_PUBLIC_URL: 443, 80, 88 or 8443, open to the whole internet"),
    ("time", "the port of LOA_PUBLIC_URL is not open to the internet, or the gateway takes too long"),
)
OTHERWISE = "see docs/telegram.md"
STAYS = "If that does not last, another deployment uses this token."


def findings(me: User, info: WebhookInfo, expected_url: str, now: datetime.datetime) -> list[Finding]:
    """`expected_url` is "" while we poll. One `ok`, or what is wrong."""
    wrong = [Finding(severity, CHANNEL, sentence) for severity, sentence in _wrong(info, expected_url, now)]
    how = f"calls {expected_url}" if expected_url else "is asked by polling"
    return wrong or [Finding("ok", CHANNEL, f"the token is @{me.username}'s, and Telegram {how}")]


def _wrong(info: WebhookInfo, expected_url: str, now: datetime.datetime) -> Iterator[tuple[str, str]]:
    if info.url != expected_url:
        yield "error", _other_webhook(info.url, expected_url)
    elif expected_url:
        missing = set(ALLOWED_UPDATES) - set(info.allowed_updates or ())
        if missing:
            yield "error", f"Telegram was not asked for {', '.join(sorted(missing))}: restart the gateway, it sets the webhook"
        if info.last_error_date and now - info.last_error_date < RECENT:
            message = info.last_error_message or ""
            yield "error", f"Telegram's last call failed ({message}): {remedy(message)}"
    if info.pending_update_count >= MANY_WAITING:
        yield "error", f"{info.pending_update_count} updates wait at Telegram and are not taken: is `loa up` running?"


def remedy(message: str) -> str:
    told = message.casefold()
    return next((what for sign, what in REMEDIES if sign in told), OTHERWISE)


def _other_webhook(url: str, expected_url: str) -> str:
    host = urlsplit(url).hostname or ""  # an address may hold a secret of its own
    if not url:
        return f"no webhook is set, {expected_url} is expected: start the gateway, it sets it"
    if not expected_url:
        return f"a webhook on {host} is set, so polling gets nothing: restart the gateway, which removes it. {STAYS}"
    return f"the webhook is on {host} and not {expected_url}: restart the gateway, which sets it. {STAYS}"
