"""Which channels this deployment has: a platform without settings is not even imported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.channels.sending import Channel, Receive
from bot.database import Pool
from bot.languages.catalogue import Catalogue
from bot.settings import Settings


@dataclass(frozen=True)
class Surroundings:
    """What a channel gets beside its settings. `picture`: the bytes behind an attachment's address, None when there are none."""

    receive: Receive
    catalogue: Catalogue
    pool: Pool
    picture: Callable[[str], Awaitable[bytes | None]] | None = None


def channels(settings: Settings, around: Surroundings) -> dict[str, Channel]:
    """The channels that push, by name. The web chat pulls, and is always there."""
    found: dict[str, Channel] = {}
    if settings.telegram:
        # python-telegram-bot is a third of the gateway's start.
        from bot.channels.telegram import Telegram

        found["telegram"] = Telegram(settings.telegram, settings.public_url, around.receive, around.catalogue, around.picture)
    if settings.zalo:
        from bot.channels.zalo import Zalo
        from bot.channels.zalo_tokens import ZaloTokens

        tokens = ZaloTokens(settings.zalo, around.pool)
        picture, public_url = around.picture, settings.public_url
        found["zalo"] = Zalo(settings.zalo, tokens, around.receive, around.catalogue, picture, public_url)
    if settings.messenger:
        from bot.channels.messenger import Messenger

        found["messenger"] = Messenger(settings.messenger, settings.public_url, around.receive, around.catalogue)
    return found
